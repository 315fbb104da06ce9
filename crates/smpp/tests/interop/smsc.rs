//! Our server end as a small operator: receipts for whoever asks, one incoming message, throttling on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use smpp::CommandStatus;
use smpp::pdu::{Address, Decoded, DeliverSm, Pdu};
use smpp::server::{DeliverBatch, ServerHandler, read_bind};
use smpp::session::{Answer, Answers, Outcome, OutcomeBatch, RequestBatch, SessionEnd, SessionOptions};
use smpp::tlv::{TlvBuffer, tag};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Submits to this number are throttled.
pub const THROTTLED: &[u8] = b"48999";

#[derive(Debug, Default)]
pub struct Seen {
    pub submits: Vec<(Vec<u8>, Vec<u8>)>,
    pub deliver_answers: Vec<CommandStatus>,
}

#[derive(Debug, Default)]
struct Smsc {
    seen: Arc<Mutex<Seen>>,
    receipts: VecDeque<u64>,
    incoming: bool,
}

impl ServerHandler for Smsc {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        let source = Address { ton: 1, npi: 1, digits: b"48601000001" };
        let destination = Address { ton: 5, npi: 0, digits: b"Posthorn" };
        while batch.room() > 0
            && let Some(id) = self.receipts.pop_front()
        {
            let text = format!(
                "id:{id} sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:"
            );
            let mut tlvs = TlvBuffer::new();
            tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, id.to_string().as_bytes()).push(tag::MESSAGE_STATE, &[2]);
            let short_message = text.as_bytes();
            let receipt = DeliverSm {
                source,
                destination,
                esm_class: 4,
                short_message,
                tlvs: tlvs.as_tlvs(),
                ..DeliverSm::default()
            };
            batch.push(id, &receipt).unwrap();
        }
        if std::mem::take(&mut self.incoming) {
            let incoming = DeliverSm { source, destination, short_message: b"STOP it", ..DeliverSm::default() };
            batch.push(0, &incoming).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        let mut seen = self.seen.lock().unwrap();
        for (_, outcome) in outcomes.iter() {
            match outcome {
                Outcome::Answered { status, .. } => seen.deliver_answers.push(status),
                other => panic!("a delivery ended by {other:?}"),
            }
        }
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        let mut seen = self.seen.lock().unwrap();
        for request in requests.iter() {
            let Decoded::Parsed { header, pdu: Pdu::SubmitSm(submit), quirks } = request else {
                panic!("not a submit: {request:?}");
            };
            assert!(quirks.is_empty(), "the foreign end is not by the book here: {quirks}");
            if submit.destination.digits == THROTTLED {
                answers.respond(&Answer::new(header, CommandStatus::RTHROTTLED));
                continue;
            }
            seen.submits.push((submit.destination.digits.to_vec(), submit.short_message.to_vec()));
            let id = 1000 + seen.submits.len() as u64;
            answers.respond(&Answer::accepted(header, id.to_string().as_bytes()));
            self.receipts.push_back(id);
            self.incoming = true;
        }
    }
}

/// Serves one bind; its port, what it sees, and how it ends.
pub async fn serve_one() -> (u16, Arc<Mutex<Seen>>, JoinHandle<SessionEnd>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::<Mutex<Seen>>::default();
    let smsc = Smsc { seen: Arc::clone(&seen), ..Smsc::default() };
    let task = tokio::spawn(async move {
        // The first bind is refused, so that each client shows that it understands a refusal.
        loop {
            let (stream, _peer) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let pending = read_bind(stream, SessionOptions::default()).await.unwrap();
            if pending.request().password != b"secret" {
                pending.refuse(CommandStatus::RINVPASWD).await.unwrap();
                continue;
            }
            let session = pending.accept(b"posthorn").unwrap();
            let handle = session.handle();
            let waking = Waking { inner: smsc, handle };
            return session.run(waking).await;
        }
    });
    (port, seen, task)
}

/// Wakes its session after each batch, because receipts come of submits.
struct Waking {
    inner: Smsc,
    handle: smpp::session::SessionHandle,
}

impl ServerHandler for Waking {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        self.inner.pull(batch);
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.inner.outcomes(outcomes);
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        self.inner.requests(requests, answers);
        self.handle.wake();
    }
}
