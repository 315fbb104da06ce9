//! Requests of an operator: matched, made durable, then answered. Never the other way round.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use domain::control::Carrier;
use domain::fact::{Fact, MessageFact, ParkedReceipt};
use domain::lane::Lane;
use smpp::session::{Answer, RequestBatch, SessionHandle};
use smpp::{CommandId, CommandStatus};
use store::QuestionError;

use super::handle::Settle;
use super::learn::Learnt;
use super::parked;
use super::read::{Read, ReadReceipt, read};
use crate::latency;
use crate::two_way::Received;

/// Requests handled before other tasks get a turn.
const RECEIPTS_PER_TURN: usize = 64;

/// What one batch of requests comes to.
#[derive(Default)]
struct Sorted {
    /// By lane.
    facts: [Vec<Fact>; 2],
    parked: Vec<ParkedReceipt>,
    /// Ids as they stand in receipts, while there is something to learn from them.
    given: Vec<Box<str>>,
    incoming: Vec<Received>,
    /// Called when the facts are durable.
    resolved: Vec<Box<dyn FnOnce() + Send>>,
}

impl Settle {
    /// Takes receipts and incoming messages of one read; answers them when they are durable, or with
    /// RX_T_APPN (try again) when they can't be.
    pub fn delivered(&self, carrier: Arc<Carrier>, batch: RequestBatch, session: SessionHandle) {
        let (settle, started) = (self.clone(), Instant::now());
        tokio::spawn(async move {
            let status = match settle.settle(&carrier, &batch).await {
                Ok(()) => CommandStatus::ROK,
                Err(reason) => {
                    tracing::error!(target: "settle", reason, carrier = %carrier.name, count = batch.len(), "receipts are not durable, the operator is asked to repeat them");
                    CommandStatus::RX_T_APPN
                }
            };
            let expects_answer = |id: CommandId| id.response().is_some();
            let answers: Vec<Answer<'static>> = batch
                .headers()
                .filter(|header| expects_answer(header.command_id))
                .map(|header| Answer::new(header, status))
                .collect();
            latency::observe(&settle.0.latency.settle, started.elapsed());
            session.respond(&answers);
        });
    }

    async fn settle(&self, carrier: &Carrier, batch: &RequestBatch) -> Result<(), &'static str> {
        let learnt = self.0.learning.of(carrier.id);
        let mut sorted = self.sort(carrier, &learnt, batch).await.map_err(|_| "the store can't be asked")?;
        for lane in Lane::ALL {
            let facts = std::mem::take(&mut sorted.facts[lane.index()]);
            if !facts.is_empty() {
                self.0.store.record(lane, facts).await.map_err(|_| "the store can't record")?;
            }
        }
        sorted.resolved.into_iter().for_each(|resolved| resolved());
        if !sorted.incoming.is_empty() {
            self.0.stats.incoming.fetch_add(sorted.incoming.len() as u64, Ordering::Relaxed);
            self.0.two_way.received(carrier, sorted.incoming).await?;
        }
        if !sorted.parked.is_empty() {
            // The submit answer may have come while these were parked: look once more, now that both are kept.
            parked::match_again(self, carrier, sorted.parked).await;
        }
        if !sorted.given.is_empty() {
            self.learn(carrier, sorted.given);
        }
        Ok(())
    }

    async fn sort(&self, carrier: &Carrier, learnt: &Learnt, batch: &RequestBatch) -> Result<Sorted, QuestionError> {
        let mut sorted = Sorted::default();
        let wants_more = learnt.wants_more();
        for (frame, number) in batch.frames().zip(1_usize..) {
            // A flood of receipts must not keep the binds on this thread from sending codes.
            if number.is_multiple_of(RECEIPTS_PER_TURN) {
                tokio::task::yield_now().await;
            }
            match self.read(carrier, frame, wants_more) {
                Read::Receipt(receipt) => self.sort_receipt(carrier, learnt, receipt, &mut sorted).await?,
                Read::Incoming(incoming) => sorted.incoming.push(*incoming),
                Read::Other => {}
            }
        }
        Ok(sorted)
    }

    fn read(&self, carrier: &Carrier, frame: &[u8], wants_more: bool) -> Read {
        let decoded = smpp::pdu::decode(frame);
        if matches!(decoded, smpp::pdu::Decoded::Damaged { .. }) {
            self.0.stats.damaged.fetch_add(1, Ordering::Relaxed);
        }
        read(carrier, &decoded, frame, wants_more)
    }

    async fn sort_receipt(
        &self,
        carrier: &Carrier,
        learnt: &Learnt,
        receipt: ReadReceipt,
        sorted: &mut Sorted,
    ) -> Result<(), QuestionError> {
        let at = self.0.clock.now();
        let ReadReceipt { ids, given, state, error, done_at, raw, addresses } = receipt;
        sorted.given.extend(given);
        if ids.len() > 1 && learnt.names_two_ids() {
            tracing::warn!(target: "settle", carrier = %carrier.name, "receipts name one id in the text and another one as parameter; the parameter is tried first");
        }
        if let Some(place) = self.find(carrier, learnt, &ids).await? {
            self.0.stats.receipts_matched.fetch_add(1, Ordering::Relaxed);
            self.0.health.vital(carrier.id).reported(place.id, at);
            let what = MessageFact::Receipt { part: place.part, carrier: carrier.id, state, error, done_at, raw };
            sorted.facts[place.id.lane().index()].push(Fact::Message { id: place.id, at, what });
            return Ok(());
        }
        if let Some((phone, sender)) = addresses
            && let Some(doubt) = self.0.doubts.take(carrier.id, phone, &sender, at)
        {
            self.0.stats.doubts_resolved.fetch_add(1, Ordering::Relaxed);
            let (id, carrier) = (doubt.id, carrier.id);
            for part in doubt.parts {
                let (error, raw) = (error.clone(), raw.clone());
                let sent = MessageFact::Unanswered { part, carrier, is_repeated: false };
                let receipt = MessageFact::Receipt { part, carrier, state, error, done_at, raw };
                let facts = &mut sorted.facts[id.lane().index()];
                facts.extend([sent, receipt].map(|what| Fact::Message { id, at, what }));
            }
            sorted.resolved.push(doubt.resolved);
            return Ok(());
        }
        self.0.stats.receipts_parked.fetch_add(1, Ordering::Relaxed);
        let id = self.0.store.ids().next(Lane::Standard);
        let mut canonical_ids = ids;
        let further = canonical_ids.first().map(|likeliest| carrier.message_id_format.further(likeliest));
        canonical_ids.extend(further.into_iter().flatten());
        let parked = ParkedReceipt { id, carrier: carrier.id, canonical_ids, at, state, error, done_at, raw };
        sorted.facts[Lane::Standard.index()].push(Fact::ReceiptParked(parked.clone()));
        sorted.parked.push(parked);
        Ok(())
    }
}
