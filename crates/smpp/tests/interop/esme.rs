//! Our client end as a small ESME that remembers what it hears.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use smpp::CommandStatus;
use smpp::client::{ClientHandler, SubmitBatch};
use smpp::pdu::{Address, Decoded, Pdu, SubmitSm};
use smpp::receipt;
use smpp::session::{Answer, Answers, Outcome, OutcomeBatch, RequestBatch};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Heard {
    pub lines: Mutex<Vec<String>>,
    pub more: Notify,
}

impl Heard {
    fn say(&self, line: String) {
        self.lines.lock().unwrap().push(line);
        self.more.notify_one();
    }

    /// Waits until there are `count` lines.
    pub async fn lines(&self, count: usize) -> Vec<String> {
        loop {
            let lines = self.lines.lock().unwrap().clone();
            if lines.len() >= count {
                return lines;
            }
            self.more.notified().await;
        }
    }
}

pub struct Esme {
    pub heard: Arc<Heard>,
    /// Token and recipient.
    pub to_send: VecDeque<(u64, &'static [u8])>,
}

impl ClientHandler for Esme {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        while batch.room() > 0
            && let Some((token, digits)) = self.to_send.pop_front()
        {
            let submit = SubmitSm {
                source: Address { ton: 5, npi: 0, digits: b"Posthorn" },
                destination: Address { ton: 1, npi: 1, digits },
                registered_delivery: 1,
                // "hello @ home" in GSM 7-bit: the at sign is NUL there.
                short_message: b"hello \0 home",
                ..SubmitSm::default()
            };
            batch.push(token, &submit).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        for (token, outcome) in outcomes.iter() {
            let Outcome::Answered { status, message_id, .. } = outcome else { panic!("{token} ended by {outcome:?}") };
            self.heard.say(format!("{token} {status} {}", message_id.unwrap_or(b"-").escape_ascii()));
        }
    }

    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>) {
        for deliver in delivers.iter() {
            let Decoded::Parsed { header, pdu: Pdu::DeliverSm(message), .. } = deliver else { panic!("{deliver:?}") };
            let text = receipt::text_of(&message);
            if receipt::is_receipt(message.esm_class) {
                let found = receipt::parse(&text, message.tlvs).unwrap();
                let (id, stat) = (found.id().unwrap(), found.stat.unwrap());
                self.heard.say(format!("receipt {} {}", id.escape_ascii(), stat.escape_ascii()));
            } else {
                self.heard.say(format!("incoming {}", String::from_utf8_lossy(&text)));
            }
            answers.respond(&Answer::new(header, CommandStatus::ROK));
        }
    }
}
