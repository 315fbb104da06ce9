//! What follows from an operator's answer: the carrier's own lines first, then the table of all.

use domain::control::{StatusAction, StatusRule};

use super::statuses::{DEFAULTS, UNKNOWN};

/// What is done with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The operator took the part.
    Taken,
    /// Another bind takes it at once; where there is none it waits a second.
    Now,
    /// The operator asks for a slower pace: the same part goes first, and this does not count as a try.
    Slow,
    /// Temporary: again later.
    Later {
        /// Tries before it is final; within the validity in any case.
        tries: u32,
        /// How long to wait before each.
        pauses: Pauses,
    },
    /// Final.
    Fail,
    /// The session is of no use: it is renewed, and another bind takes the part.
    Stop,
    /// It is not known whether the operator took the part.
    Unsure,
    /// Once more without schedule and validity, then final.
    WithoutTimes,
    /// Once more without optional parameters, then final. What helps is remembered for the carrier.
    WithoutTlvs,
    /// Once more in UCS-2, then final.
    AsUcs2,
    /// Once more with `sar_*` parameters in place of the header, then final. What helps is remembered.
    AsSar,
}

/// Pauses between tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pauses {
    /// In seconds, the last one for all that follow.
    Listed(&'static [u32]),
    /// The first in seconds; it doubles.
    Doubling(u32),
}

/// Longest pause between two tries.
const PAUSE_MS_MAX: i64 = 600_000;

impl Pauses {
    /// Milliseconds before try number `refusals + 1`.
    pub(super) fn after_ms(self, refusals: u32) -> i64 {
        let seconds = match self {
            Self::Listed(seconds) => {
                let index = usize::try_from(refusals).unwrap_or(usize::MAX).min(seconds.len().saturating_sub(1));
                i64::from(seconds.get(index).copied().unwrap_or_default())
            }
            Self::Doubling(first) => i64::from(first) << refusals.min(20),
        };
        seconds.saturating_mul(1_000).min(PAUSE_MS_MAX)
    }
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub action: Action,
    /// Somebody should look at the settings of the carrier.
    pub alarm: bool,
}

/// The table of a carrier.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Its own lines, in the order of the setup file; the first that fits decides.
    own: Vec<(u32, u32, Verdict)>,
}

impl Table {
    pub(super) fn new(rules: &[StatusRule]) -> Self {
        let own = rules.iter().filter_map(|rule| {
            let (first, last) = rule.codes()?;
            Some((first, last, Verdict { action: action(rule), alarm: false }))
        });
        Self { own: own.collect() }
    }

    /// Looks an answer up.
    pub(super) fn verdict(&self, command_status: u32) -> Verdict {
        let fits = |first: u32, last: u32| (first..=last).contains(&command_status);
        if let Some((_, _, verdict)) = self.own.iter().find(|(first, last, _)| fits(*first, *last)) {
            return *verdict;
        }
        DEFAULTS.iter().find(|row| fits(row.first, row.last)).map_or(UNKNOWN, |row| row.verdict)
    }
}

fn action(rule: &StatusRule) -> Action {
    match rule.action {
        StatusAction::RetryNow => Action::Now,
        StatusAction::SlowDown => Action::Slow,
        StatusAction::RetryLater => Action::Later {
            tries: if rule.tries == 0 { u32::MAX } else { rule.tries },
            pauses: Pauses::Doubling(rule.pause_seconds),
        },
        StatusAction::Fail => Action::Fail,
        StatusAction::Stop => Action::Stop,
        StatusAction::Unsure => Action::Unsure,
        StatusAction::WithoutTimes => Action::WithoutTimes,
        StatusAction::WithoutTlvs => Action::WithoutTlvs,
        StatusAction::AsUcs2 => Action::AsUcs2,
        StatusAction::AsSar => Action::AsSar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(code: &str, action: StatusAction) -> StatusRule {
        StatusRule { code: code.into(), action, tries: 3, pause_seconds: 7 }
    }

    #[test]
    fn the_lines_are_in_order_and_do_not_overlap() {
        for pair in DEFAULTS.windows(2) {
            assert!(pair[0].first <= pair[0].last && pair[0].last < pair[1].first, "{:#x}", pair[1].first);
        }
    }

    #[test]
    fn the_table_says_what_practice_demands() {
        let table = Table::default();
        let action = |code| table.verdict(code).action;
        assert_eq!(action(0), Action::Taken);
        assert_eq!(action(0x58), Action::Slow);
        for refused_for_good in [0x01, 0x0a, 0x0b, 0x65, 0x66, 0x100, 0x112] {
            assert_eq!(action(refused_for_good), Action::Fail, "{refused_for_good:#x}");
        }
        assert!(matches!(action(0x14), Action::Later { tries: u32::MAX, .. }));
        assert!(matches!(action(0x412), Action::Later { tries: 1, .. }));
        assert!(matches!(action(0xdead), Action::Later { tries: 1, .. }), "nobody knows it: once more, then final");
        assert!(table.verdict(0x48).alarm && !table.verdict(0x0b).alarm);
    }

    #[test]
    fn a_carriers_own_lines_come_first() {
        let table = Table::new(&[
            rule("0x0410", StatusAction::Fail),
            rule("0x0400-0x04FF", StatusAction::SlowDown),
            rule("0x0B", StatusAction::RetryLater),
        ]);
        assert_eq!(table.verdict(0x410).action, Action::Fail);
        assert_eq!(table.verdict(0x411).action, Action::Slow);
        assert_eq!(table.verdict(0x0b).action, Action::Later { tries: 3, pauses: Pauses::Doubling(7) });
        assert_eq!(table.verdict(0).action, Action::Taken);
    }

    #[test]
    fn pauses_follow_the_list_or_double_up_to_ten_minutes() {
        let listed = Pauses::Listed(&[30, 60, 180]);
        assert_eq!(
            [0, 1, 2, 3, 900].map(|refusals| listed.after_ms(refusals)),
            [30_000, 60_000, 180_000, 180_000, 180_000]
        );
        let doubling = Pauses::Doubling(5);
        assert_eq!([0, 1, 2].map(|refusals| doubling.after_ms(refusals)), [5_000, 10_000, 20_000]);
        assert_eq!(Pauses::Doubling(30).after_ms(40), PAUSE_MS_MAX);
    }
}
