//! Alarms that don't flap: one stands from when its cause has lasted a little until its cause has been gone for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::clock::UnixMillis;

use super::{Alarm, Level};

/// How long what mends itself within moments must last before it is an alarm: a session that is renewed is none.
const LASTS: Duration = Duration::from_secs(5);
/// How long its cause must be gone before an alarm ends.
const GONE: Duration = Duration::from_secs(30);

/// Alarms whose causes come and go by themselves within moments.
const MENDING: [&str; 4] = ["carrier_down", "bind_down", "breaker_open", "endpoints_down"];
/// Alarms that say what somebody did: they are exact, and end with it.
const EXACT: [&str; 2] = ["held", "orphaned"];

type Key = (&'static str, String);

/// What stands.
#[derive(Debug, Default)]
pub(super) struct Standing(BTreeMap<Key, Stand>);

#[derive(Debug)]
struct Stand {
    alarm: Alarm,
    since: UnixMillis,
    /// When its cause was last there.
    seen: UnixMillis,
    told: bool,
}

/// What changed: to be told once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Raised(Alarm),
    Ended(Alarm),
}

impl Standing {
    /// Takes in what is the case now.
    pub(super) fn see(&mut self, now: UnixMillis, causes: Vec<Alarm>) -> Vec<Turn> {
        for alarm in causes {
            let key = (alarm.alarm, alarm.subject.clone());
            let stand =
                self.0.entry(key).or_insert_with(|| Stand { alarm: alarm.clone(), since: now, seen: now, told: false });
            (stand.alarm, stand.seen) = (alarm, now);
        }
        let mut turns = Vec::new();
        for stand in self.0.values_mut().filter(|stand| !stand.told) {
            let lasts = stand.seen == now && elapsed(stand.since, now) >= patience(stand.alarm.alarm);
            if lasts {
                stand.told = true;
                turns.push(Turn::Raised(stand.alarm.clone()));
            }
        }
        let ends = |_: &Key, stand: &mut Stand| elapsed(stand.seen, now) >= calm(stand);
        let ended = self.0.extract_if(.., ends).filter(|(_, stand)| stand.told);
        turns.extend(ended.map(|(_, stand)| Turn::Ended(stand.alarm)));
        turns
    }

    /// The alarms, the most urgent first.
    pub(super) fn alarms(&self) -> Vec<Alarm> {
        let mut alarms: Vec<Alarm> =
            self.0.values().filter(|stand| stand.told).map(|stand| stand.alarm.clone()).collect();
        alarms.sort();
        alarms
    }
}

/// How long the cause of an alarm must last.
fn patience(alarm: &str) -> Duration {
    if MENDING.contains(&alarm) { LASTS } else { Duration::ZERO }
}

/// How long its cause must be gone: what was never told ends at once, or a cause that comes for a moment again and again
/// would add up.
fn calm(stand: &Stand) -> Duration {
    let at_once = !stand.told || EXACT.contains(&stand.alarm.alarm);
    if at_once { Duration::from_millis(1) } else { GONE }
}

fn elapsed(from: UnixMillis, to: UnixMillis) -> Duration {
    Duration::from_millis(to.since_ms(from).max(0).unsigned_abs())
}

impl Turn {
    /// Tells the log, once.
    pub(super) fn tell(&self) {
        match self {
            Self::Raised(Alarm { level: Level::Urgent, alarm, subject, what, advice }) => {
                tracing::error!(target: "posthorn", alarm, subject, advice, "alarm: {what}");
            }
            Self::Raised(Alarm { alarm, subject, what, advice, .. }) => {
                tracing::warn!(target: "posthorn", alarm, subject, advice, "alarm: {what}");
            }
            Self::Ended(Alarm { alarm, subject, .. }) => {
                tracing::info!(target: "posthorn", alarm, subject, "the alarm is over");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(alarm: &'static str, what: &str) -> Alarm {
        let [subject, advice] = ["carrier one", "look"].map(str::to_owned);
        Alarm { level: Level::Urgent, alarm, subject, what: what.to_owned(), advice }
    }

    /// Sees a cause or its absence each second; how many turns there were in which seconds.
    fn turns(alarm_name: &'static str, present: impl Fn(i64) -> bool, seconds: i64) -> Vec<(i64, bool)> {
        let (mut standing, mut turns) = (Standing::default(), Vec::new());
        for second in 0..seconds {
            let causes = if present(second) { vec![alarm(alarm_name, "so it is")] } else { Vec::new() };
            for turn in standing.see(UnixMillis(second * 1_000), causes) {
                turns.push((second, matches!(turn, Turn::Raised(_))));
            }
        }
        turns
    }

    #[test]
    fn a_cause_that_comes_and_goes_each_second_is_told_once() {
        assert_eq!(turns("priority_waits", |second| second % 2 == 0 && second < 60, 120), [(0, true), (88, false)]);
    }

    #[test]
    fn a_session_that_is_renewed_is_no_alarm_and_one_that_stays_down_is() {
        assert_eq!(turns("carrier_down", |second| second % 10 < 4, 120), []);
        assert_eq!(turns("carrier_down", |second| (10..40).contains(&second), 120), [(15, true), (69, false)]);
    }

    #[test]
    fn what_somebody_did_ends_when_it_is_undone() {
        assert_eq!(turns("held", |second| second < 10, 60), [(0, true), (10, false)]);
    }

    #[test]
    fn the_words_are_those_of_now() {
        let mut standing = Standing::default();
        assert_eq!(
            standing.see(UnixMillis(0), vec![alarm("backlog", "3 wait")]),
            [Turn::Raised(alarm("backlog", "3 wait"))]
        );
        assert_eq!(standing.see(UnixMillis(1_000), vec![alarm("backlog", "5 wait")]), []);
        assert_eq!(standing.alarms(), [alarm("backlog", "5 wait")]);
    }
}
