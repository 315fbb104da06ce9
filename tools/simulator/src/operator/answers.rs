//! Answers that wait for their time.

use parking_lot::Mutex;
use smpp::session::{Answer, SessionHandle};
use smpp::tlv::{Tlvs, tag};
use smpp::{CommandStatus, Header};

use super::agenda::Agenda;
use super::ids::IdFormat;

/// An answer to a submit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) header: Header,
    /// 0 if it was taken.
    pub(super) status: u32,
    pub(super) number: u64,
    pub(super) format: IdFormat,
    /// The row of optional parameters that says how busy the operator is.
    pub(super) congestion: Option<[u8; CONGESTION_OCTETS]>,
}

/// Octets of `congestion_state` with tag and length.
const CONGESTION_OCTETS: usize = 5;

/// `congestion_state` as an optional parameter (SMPP 5.0 §4.8.4.18).
pub(super) fn congestion(state: u8) -> [u8; CONGESTION_OCTETS] {
    let [high, low] = tag::CONGESTION_STATE.to_be_bytes();
    [high, low, 0, 1, state]
}

impl Held {
    /// The answer; `id` is room for the id of the message.
    pub(super) fn answer<'a>(&'a self, id: &'a mut String) -> Answer<'a> {
        let tlvs = self.congestion.as_ref().map_or(Tlvs::EMPTY, |row| Tlvs::new(row));
        if self.status != 0 {
            return Answer { tlvs, ..Answer::new(self.header, CommandStatus(self.status)) };
        }
        id.clear();
        self.format.write_in_answer(self.number, id);
        Answer { tlvs, ..Answer::accepted(self.header, id.as_bytes()) }
    }
}

/// The answers of one session that wait. They are sent from outside the session, so that a peer that does not
/// acknowledge its receipts is answered all the same.
#[derive(Debug)]
pub(super) struct HeldAnswers {
    handle: SessionHandle,
    agenda: Mutex<Agenda<Held>>,
}

impl HeldAnswers {
    pub(super) fn new(handle: SessionHandle) -> Self {
        Self { handle, agenda: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.agenda.lock().len()
    }

    pub(super) fn push(&self, at_ms: u64, held: Held) {
        self.agenda.lock().push(at_ms, held);
    }

    /// Sends what is due and says when the next one is.
    pub(super) fn send_due(&self, now_ms: u64) -> Option<u64> {
        let mut agenda = self.agenda.lock();
        let due: Vec<Held> = std::iter::from_fn(|| agenda.pop_due(now_ms)).collect();
        let next = agenda.next_at();
        drop(agenda);
        let mut ids = vec![String::new(); due.len()];
        let answers: Vec<Answer<'_>> = due.iter().zip(&mut ids).map(|(held, id)| held.answer(id)).collect();
        if !answers.is_empty() {
            self.handle.respond(&answers);
        }
        next
    }
}
