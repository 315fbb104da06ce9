//! Receipts as operators write them (SMPP 3.4 appendix B).

use domain::clock::{Clock, UnixMillis};
use smpp::tlv::{TlvBuffer, tag};

use super::behaviour::Outcome;

/// A receipt that waits to be sent.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub id_in_answer: String,
    pub id: String,
    pub outcome: Outcome,
    /// Whom the message went to: the receipt comes from there.
    pub recipient: String,
    pub sender: String,
    pub by_tlv_only: bool,
}

impl Receipt {
    fn word(&self) -> (&'static str, &'static str, u8) {
        match self.outcome {
            Outcome::Delivered => ("DELIVRD", "000", 2),
            Outcome::Undelivered => ("UNDELIV", "021", 5),
            Outcome::Expired => ("EXPIRED", "034", 3),
            Outcome::Rejected => ("REJECTD", "066", 8),
            Outcome::Unknown | Outcome::Silent => ("UNKNOWN", "099", 7),
        }
    }

    /// The text, empty for receipts by parameter only.
    pub(super) fn text(&self, clock: &Clock) -> String {
        if self.by_tlv_only {
            return String::new();
        }
        let (word, error, _) = self.word();
        let date = date(clock.now());
        format!("id:{} sub:001 dlvrd:001 submit date:{date} done date:{date} stat:{word} err:{error} text:", self.id)
    }

    /// `receipted_message_id` and `message_state` into `tlvs`.
    pub(super) fn write_tlvs(&self, tlvs: &mut TlvBuffer) {
        tlvs.clear();
        if self.by_tlv_only {
            let (_, _, state) = self.word();
            tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, self.id.as_bytes());
            tlvs.push(tag::MESSAGE_STATE, &[state]);
        }
    }
}

/// `YYMMDDhhmm` in UTC.
fn date(now: UnixMillis) -> String {
    let text = domain::timestamp::format_utc(now);
    text.chars().filter(char::is_ascii_digit).skip(2).take(10).collect()
}
