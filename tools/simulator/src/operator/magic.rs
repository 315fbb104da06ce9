//! Recipients that always end the same way, by their last four digits: a sandbox to write client software against.

use smpp::CommandStatus;

use super::behaviour::Outcome;

/// What a magic recipient does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// Accepted, with this end.
    Ends(Outcome),
    /// Refused.
    Refused(u32),
    /// Refused with RTHROTTLED twice, accepted at the third try.
    ThrottledTwice,
    /// Answered after two seconds, reported after ten.
    Slow,
    /// Accepted, but never answered.
    Unanswered,
    /// An intermediate receipt first.
    Intermediate,
    /// The receipt comes before the answer.
    Early,
    /// Two receipts.
    Twice,
    /// The connection is cut after the message was taken and before it is answered.
    Cut,
    /// Delivered, and the handset answers with an incoming message.
    Replies,
    /// The connection is reset (RST) after the message was taken and before it is answered.
    Reset,
    /// The operator unbinds after the message was taken and before it is answered.
    Unbinds,
    /// Answered when nobody waits any more.
    LateAnswer,
    /// Reported after a minute.
    LateReceipt,
    /// The id is hexadecimal in the answer and decimal in the receipt.
    OtherBase,
    /// The receipt is UCS-2.
    Ucs2Receipt,
    /// The receipt is a `data_sm`.
    DataSmReceipt,
    /// The receipt comes over another bind.
    Elsewhere,
    /// Delivered, and the handset answers with a long message whose parts are shuffled.
    RepliesAtLength,
}

/// A row of the table: the digits, what they do, and the words for it.
type Row = (&'static [u8; 4], Magic, &'static str);

const TABLE: [Row; 26] = [
    (b"0001", Magic::Ends(Outcome::Delivered), "delivered"),
    (b"0002", Magic::Ends(Outcome::Undelivered), "undelivered"),
    (b"0003", Magic::Ends(Outcome::Expired), "expired"),
    (b"0004", Magic::Ends(Outcome::Rejected), "rejected by the receipt"),
    (b"0005", Magic::Ends(Outcome::Silent), "no receipt"),
    (b"0006", Magic::Refused(CommandStatus::RINVDSTADR.0), "refused: bad number"),
    (b"0007", Magic::Refused(CommandStatus::RINVSRCADR.0), "refused: bad sender"),
    (b"0008", Magic::ThrottledTwice, "refused as too fast twice, then delivered"),
    (b"0009", Magic::Refused(CommandStatus::RMSGQFUL.0), "refused: queue full"),
    (b"0010", Magic::Slow, "answered after 2 s, delivered after 10 s"),
    (b"0011", Magic::Unanswered, "taken, never answered, delivered"),
    (b"0012", Magic::Intermediate, "a receipt that it is on its way, then delivered"),
    (b"0013", Magic::Early, "the receipt comes before the answer"),
    (b"0014", Magic::Twice, "two receipts"),
    (b"0015", Magic::Ends(Outcome::Unknown), "a receipt that says UNKNOWN"),
    (b"0016", Magic::Cut, "the connection is cut before the answer"),
    (b"0017", Magic::Replies, "delivered, and the handset answers if the sender is a number"),
    (b"0018", Magic::Reset, "the connection is reset (RST) before the answer"),
    (b"0019", Magic::Unbinds, "the operator unbinds before the answer"),
    (b"0020", Magic::LateAnswer, "answered after 45 s, delivered"),
    (b"0021", Magic::LateReceipt, "delivered after a minute"),
    (b"0022", Magic::OtherBase, "the id is hexadecimal in the answer and decimal in the receipt"),
    (b"0023", Magic::Ucs2Receipt, "the receipt is UCS-2"),
    (b"0024", Magic::DataSmReceipt, "the receipt is a data_sm"),
    (b"0025", Magic::Elsewhere, "the receipt comes over another bind, where there is one"),
    (b"0026", Magic::RepliesAtLength, "delivered, and the handset answers at length, its parts shuffled"),
];

/// What this recipient asks for, if anything.
pub(super) fn magic(recipient: &[u8]) -> Option<Magic> {
    let digits = recipient.last_chunk::<4>()?;
    if digits[..2] != *b"00" {
        return None;
    }
    TABLE.iter().find(|(known, _, _)| *known == digits).map(|(_, magic, _)| *magic)
}

/// The magic recipients: last four digits and what they do.
pub fn magic_recipients() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().filter_map(|(digits, _, words)| Some((std::str::from_utf8(*digits).ok()?, *words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_four_digits_count_and_every_row_is_found() {
        assert_eq!(magic(b"48500000005"), Some(Magic::Ends(Outcome::Silent)));
        assert_eq!(magic(b"0006"), Some(Magic::Refused(0x0b)));
        assert_eq!(magic(b"48500010015"), Some(Magic::Ends(Outcome::Unknown)));
        assert_eq!(magic(b"48500000099"), None);
        assert_eq!(magic(b"001"), None);
        let rows = magic_recipients().filter(|(digits, _)| magic(digits.as_bytes()).is_some()).count();
        assert_eq!(rows, TABLE.len());
    }
}
