//! Requests of an operator: matched, made durable, then answered. Never the other way round.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use domain::control::Carrier;
use domain::fact::{Fact, IncomingPart, MessageFact, ParkedReceipt};
use domain::lane::Lane;
use smpp::session::{Answer, RequestBatch, SessionHandle};
use smpp::{CommandId, CommandStatus};
use store::QuestionError;

use super::handle::Settle;
use super::parked;
use super::read::{Read, ReadIncoming, ReadReceipt, read};
use crate::latency;

/// What one batch of requests comes to.
#[derive(Default)]
struct Sorted {
    /// By lane.
    facts: [Vec<Fact>; 2],
    parked: Vec<ParkedReceipt>,
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
        let mut sorted = self.sort(carrier, batch).await.map_err(|_| "the store can't be asked")?;
        for lane in Lane::ALL {
            let facts = std::mem::take(&mut sorted.facts[lane.index()]);
            if !facts.is_empty() {
                self.0.store.record(lane, facts).await.map_err(|_| "the store can't record")?;
            }
        }
        if !sorted.parked.is_empty() {
            // The submit answer may have come while these were parked: look once more, now that both are kept.
            parked::match_again(self, sorted.parked).await;
        }
        Ok(())
    }

    async fn sort(&self, carrier: &Carrier, batch: &RequestBatch) -> Result<Sorted, QuestionError> {
        let mut sorted = Sorted::default();
        let readings: Vec<Read> = batch
            .iter()
            .zip(batch.frames())
            .map(|(decoded, frame)| {
                if matches!(decoded, smpp::pdu::Decoded::Damaged { .. }) {
                    self.0.stats.damaged.fetch_add(1, Ordering::Relaxed);
                }
                read(carrier, &decoded, frame)
            })
            .collect();
        for reading in readings {
            match reading {
                Read::Receipt(receipt) => self.sort_receipt(carrier, receipt, &mut sorted).await?,
                Read::Incoming(incoming) => sorted.facts[Lane::Standard.index()].push(self.incoming(carrier, incoming)),
                Read::Other => {}
            }
        }
        Ok(sorted)
    }

    async fn sort_receipt(
        &self,
        carrier: &Carrier,
        receipt: ReadReceipt,
        sorted: &mut Sorted,
    ) -> Result<(), QuestionError> {
        let at = self.0.clock.now();
        let ReadReceipt { forms, state, error, done_at, raw } = receipt;
        if let Some(place) = self.find(carrier.id, &forms).await? {
            self.0.stats.receipts_matched.fetch_add(1, Ordering::Relaxed);
            let what = MessageFact::Receipt { part: place.part, carrier: carrier.id, state, error, done_at, raw };
            sorted.facts[place.id.lane().index()].push(Fact::Message { id: place.id, at, what });
            return Ok(());
        }
        self.0.stats.receipts_parked.fetch_add(1, Ordering::Relaxed);
        let id = self.0.store.ids().next(Lane::Standard);
        let parked = ParkedReceipt { id, carrier: carrier.id, canonical_ids: forms, at, state, error, done_at, raw };
        sorted.facts[Lane::Standard.index()].push(Fact::ReceiptParked(parked.clone()));
        sorted.parked.push(parked);
        Ok(())
    }

    fn incoming(&self, carrier: &Carrier, incoming: ReadIncoming) -> Fact {
        self.0.stats.incoming.fetch_add(1, Ordering::Relaxed);
        let ReadIncoming { source, destination, text, raw } = incoming;
        let id = self.0.store.ids().next(Lane::Standard);
        Fact::Incoming(IncomingPart { id, carrier: carrier.id, at: self.0.clock.now(), source, destination, text, raw })
    }
}
