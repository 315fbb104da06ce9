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
    /// Once more with `sar_*` parameters in place of the header, then once more in one piece, then final. What helps is
    /// remembered.
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
    /// Whether a part that is refused for good may be taken by another carrier.
    pub elsewhere: bool,
    /// Whether it speaks against the operator's own health.
    pub ill: bool,
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
            // What a line of its own leaves out is as the table of all says.
            let usual = usual(first);
            let elsewhere = rule.other_route.unwrap_or(usual.elsewhere);
            Some((first, last, Verdict { action: action(rule), alarm: false, elsewhere, ill: usual.ill }))
        });
        Self { own: own.collect() }
    }

    /// Looks an answer up.
    pub(super) fn verdict(&self, command_status: u32) -> Verdict {
        let own = self.own.iter().find(|(first, last, _)| (*first..=*last).contains(&command_status));
        own.map_or_else(|| usual(command_status), |(_, _, verdict)| *verdict)
    }
}

/// What the table of all says.
fn usual(command_status: u32) -> Verdict {
    let row = DEFAULTS.iter().find(|row| (row.first..=row.last).contains(&command_status));
    row.map_or(UNKNOWN, |row| row.verdict)
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
        StatusRule { code: code.into(), action, tries: 3, pause_seconds: 7, other_route: None }
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
    fn only_what_is_the_operator_s_own_goes_elsewhere() {
        let table = Table::default();
        for elsewhere in [0x04, 0x08, 0x0a, 0x0e, 0x45, 0x53, 0x64, 0xff, 0x100, 0x102, 0x103, 0x412] {
            assert!(table.verdict(elsewhere).elsewhere, "{elsewhere:#x}");
        }
        for ours in [0x00, 0x01, 0x0b, 0x14, 0x43, 0x58, 0x65, 0x66, 0xfe, 0x101, 0xdead] {
            assert!(!table.verdict(ours).elsewhere && !table.verdict(ours).ill, "{ours:#x}");
        }
        assert!(!table.verdict(0x0a).ill, "an unregistered sender says nothing of the operator's health");
        let no = StatusRule { other_route: Some(false), ..rule("0x0a", StatusAction::Fail) };
        let yes = StatusRule { other_route: Some(true), ..rule("0x0b", StatusAction::Fail) };
        let own = Table::new(&[no, yes, rule("0x64", StatusAction::Fail)]);
        assert_eq!([0x0a, 0x0b, 0x64].map(|code| own.verdict(code).elsewhere), [false, true, true]);
    }

    /// Codes of a cell such as `0x04, 0xC0–0xC4`.
    fn codes(cell: &str) -> Vec<u32> {
        let number = |text: &str| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok();
        let of = |part: &str| {
            let (first, last) = part.split_once('–').unwrap_or((part, part));
            Some(number(first)?..=number(last)?)
        };
        cell.split(',').filter_map(of).flatten().collect()
    }

    #[test]
    fn the_manual_says_what_goes_elsewhere() {
        let manual = include_str!("../../../../docs/smpp.md");
        let after = manual.split("| status | name | what follows | other route |").nth(1).expect("the table");
        let table = Table::default();
        let mut told = std::collections::HashSet::new();
        for line in after.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            for code in codes(cells[0]) {
                assert_eq!(table.verdict(code).elsewhere, cells[3] == "yes", "{code:#x}: {line}");
                assert!(table.verdict(code).action != Action::Fail || cells[2].starts_with("final"), "{line}");
                told.insert(code);
            }
        }
        for row in DEFAULTS.iter().filter(|row| row.verdict.elsewhere || row.verdict.action != Action::Fail) {
            assert!((row.first..=row.last).all(|code| told.contains(&code)), "{:#x} is missing", row.first);
        }
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
