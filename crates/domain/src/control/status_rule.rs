//! What follows from a `command_status` where an operator means it differently than most.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// What follows from a `command_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusAction {
    /// The part goes over another bind at once.
    RetryNow,
    /// The bind is slowed down and the part goes first; never final and never counted.
    SlowDown,
    /// The part is tried again after a pause.
    RetryLater,
    /// Final.
    Fail,
    /// The bind is renewed and the part goes over another one.
    Stop,
    /// It is not known whether the operator took the part.
    Unsure,
    /// Once more without schedule and validity.
    WithoutTimes,
    /// Once more without optional parameters.
    WithoutTlvs,
    /// Once more in UCS-2.
    AsUcs2,
    /// Once more with `sar_*` parameters in place of a user data header, then once more in one piece.
    AsSar,
}

choice!(StatusAction {
    RetryNow = "retry-now",
    SlowDown = "slow-down",
    RetryLater = "retry-later",
    Fail = "fail",
    Stop = "stop",
    Unsure = "unsure",
    WithoutTimes = "without-times",
    WithoutTlvs = "without-tlvs",
    AsUcs2 = "as-ucs2",
    AsSar = "as-sar",
});

/// One line of a carrier's own table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRule {
    /// The code or a range of codes as written: `0x0400`, `1024`, `0x0400-0x04FF`.
    pub code: String,
    /// What follows from it.
    pub action: StatusAction,
    /// For `retry-later`: tries before it is final, 0 = until the validity ends.
    pub tries: u32,
    /// For `retry-later`: the first pause in seconds; it doubles up to ten minutes.
    pub pause_seconds: u32,
    /// Whether what it refuses for good may be taken by another carrier; `None` = as usual for the code.
    #[serde(default)]
    pub other_route: Option<bool>,
}

impl StatusRule {
    /// The first and the last code it is about; `None` if it can't be read.
    #[must_use]
    pub fn codes(&self) -> Option<(u32, u32)> {
        let (first, last) = self.code.split_once('-').unwrap_or((&self.code, &self.code));
        let (first, last) = (number(first)?, number(last)?);
        (first > 0 && first <= last).then_some((first, last))
    }
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_single_or_ranges_and_never_success() {
        let codes = |code: &str| {
            StatusRule { code: code.into(), action: StatusAction::Fail, tries: 1, pause_seconds: 30, other_route: None }
                .codes()
        };
        assert_eq!(codes("0x0400"), Some((0x400, 0x400)));
        assert_eq!(codes("1024"), Some((0x400, 0x400)));
        assert_eq!(codes("0x0400-0x04FF"), Some((0x400, 0x4ff)));
        for nonsense in ["0", "0x0-0x5", "5-4", "0xzz", "", "-", "0x1FFFFFFFF"] {
            assert_eq!(codes(nonsense), None, "{nonsense}");
        }
    }
}
