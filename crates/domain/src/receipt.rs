//! What delivery receipts say, in the words operators use.

/// The state a receipt reports for one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// On its way, nothing decided.
    Enroute,
    /// The operator has it and will try (ACCEPTD, ACKED, BUFFRED).
    Accepted,
    /// The operator does not know, or used a word we do not know. Never means failed.
    Unknown,
    /// The validity ran out at the operator.
    Expired,
    /// Deleted at the operator.
    Deleted,
    /// Not deliverable.
    Undelivered,
    /// Refused by the operator or the network.
    Rejected,
    /// On the handset.
    Delivered,
}

impl ReceiptState {
    /// Reads the `stat:` word in any case. Words nobody knows are [`ReceiptState::Unknown`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_uppercase().as_str() {
            "DELIVRD" | "DELIVERED" | "DELIVERD" => Self::Delivered,
            "UNDELIV" | "UNDELIVERABLE" | "UNDELIVERED" | "FAILED" => Self::Undelivered,
            "EXPIRED" => Self::Expired,
            "DELETED" | "SKIPPED" => Self::Deleted,
            "REJECTD" | "REJECTED" => Self::Rejected,
            "ACCEPTD" | "ACCEPTED" | "ACKED" | "BUFFRED" | "BUFFERD" | "BUFFERED" => Self::Accepted,
            "ENROUTE" | "SCHEDULED" => Self::Enroute,
            _ => Self::Unknown,
        }
    }

    /// Reads the `message_state` TLV (SMPP 3.4 §5.2.28; 0 and 9 from 5.0 §4.7.15).
    #[must_use]
    pub fn from_message_state(state: u8) -> Self {
        match state {
            0 | 1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 | 9 => Self::Deleted,
            5 => Self::Undelivered,
            6 => Self::Accepted,
            8 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The more decided of two readings of the same receipt (text and TLV may disagree).
    #[must_use]
    pub fn more_final(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Enroute => 0,
            Self::Accepted => 1,
            Self::Unknown => 2,
            Self::Expired | Self::Deleted | Self::Undelivered | Self::Rejected => 3,
            Self::Delivered => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_case_and_unknown_ones_never_fail() {
        assert_eq!(ReceiptState::from_word(" delivrd "), ReceiptState::Delivered);
        assert_eq!(ReceiptState::from_word("UNDELIV"), ReceiptState::Undelivered);
        for word in ["", "0", "BADSTAT", "KAPUTT", "UNKNOWN"] {
            assert_eq!(ReceiptState::from_word(word), ReceiptState::Unknown, "{word}");
        }
    }

    #[test]
    fn the_more_final_reading_wins() {
        assert_eq!(ReceiptState::Accepted.more_final(ReceiptState::Delivered), ReceiptState::Delivered);
        assert_eq!(ReceiptState::Delivered.more_final(ReceiptState::Unknown), ReceiptState::Delivered);
    }
}
