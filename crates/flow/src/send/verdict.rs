//! What each command_status of an operator causes. The table is data: SMPP 3.4 §5.1.3 and 5.0
//! §4.7.6 name the codes, practice decides what to do about them.

/// What follows from an operator's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The operator took the part.
    Taken,
    /// The operator asks for a slower pace: the same part goes first after a pause, and this does not
    /// count as an attempt.
    Slow,
    /// Temporary: try again later, this many times at most.
    Later {
        /// Tries before it is final; within the validity in any case.
        tries: u32,
        /// The pause before the first repetition; it doubles.
        pause_ms: i64,
    },
    /// Final.
    Fail,
}

/// Longest pause between two tries.
const PAUSE_MS_MAX: i64 = 600_000;

const fn later(tries: u32, pause_ms: i64) -> Verdict {
    Verdict::Later { tries, pause_ms }
}

/// Codes that do not simply mean "refused for good".
const TEMPORARY: [(u32, Verdict); 10] = [
    (0x0000, Verdict::Taken),
    (0x0004, later(5, 1_000)),   // RINVBNDSTS: we think bound, the operator does not
    (0x0008, later(5, 5_000)),   // RSYSERR
    (0x0014, later(20, 30_000)), // RMSGQFUL: mostly too many waiting for this handset
    (0x0045, later(2, 10_000)),  // RSUBMITFAIL: a catch-all
    (0x0058, Verdict::Slow),     // RTHROTTLED
    (0x0064, later(20, 5_000)),  // RX_T_APPN
    (0x00fe, later(2, 30_000)),  // RDELIVERYFAILURE
    (0x00ff, later(2, 30_000)),  // RUNKNOWNERR
    (0x0102, later(5, 30_000)),  // RSERTYPUNAVAIL (5.0)
];

/// Looks an answer up.
pub(super) fn verdict(command_status: u32) -> Verdict {
    match TEMPORARY.iter().find(|(code, _)| *code == command_status) {
        Some((_, verdict)) => *verdict,
        None if (0x400..=0x4ff).contains(&command_status) => later(1, 30_000), // vendor specific
        None => Verdict::Fail,
    }
}

/// How long to wait before try number `refusals + 1`.
pub(super) fn pause_ms(first_ms: i64, refusals: u32) -> i64 {
    first_ms.saturating_mul(1_i64.checked_shl(refusals.min(20)).unwrap_or(i64::MAX)).min(PAUSE_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_practice_demands() {
        assert_eq!(verdict(0), Verdict::Taken);
        assert_eq!(verdict(0x58), Verdict::Slow);
        for refused_for_good in [0x01, 0x0a, 0x0b, 0x65, 0x66, 0x100, 0xdead] {
            assert_eq!(verdict(refused_for_good), Verdict::Fail, "{refused_for_good:#x}");
        }
        assert!(matches!(verdict(0x14), Verdict::Later { tries: 20, .. }));
        assert!(matches!(verdict(0x412), Verdict::Later { tries: 1, .. }));
    }

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        assert_eq!([0, 1, 2].map(|refusals| pause_ms(5_000, refusals)), [5_000, 10_000, 20_000]);
        assert_eq!(pause_ms(30_000, 40), PAUSE_MS_MAX);
    }
}
