//! When a failed call is tried again.

use std::time::Duration;

use domain::clock::UnixMillis;
use domain::random::Random;
use domain::timestamp;

use super::bounds::RETRY_AFTER_MAX_MS;

/// The waits between tries.
#[derive(Clone, Debug)]
pub struct Schedule {
    waits_ms: Vec<u64>,
    random: Random,
}

impl Schedule {
    /// A schedule with these waits, in seconds, after each failed try.
    #[must_use]
    pub fn new(retry_seconds: &[u64], random: Random) -> Self {
        Self { waits_ms: retry_seconds.iter().map(|seconds| seconds * 1_000).collect(), random }
    }

    /// The same chance with other waits.
    #[must_use]
    pub fn with_waits(&self, retry_seconds: &[u64]) -> Self {
        Self::new(retry_seconds, self.random.clone())
    }

    /// How long to wait after try number `attempt` (from 1) failed; `None` when it was the last one. What is
    /// told again on request goes on counting its tries and through the schedule from the beginning.
    /// The wait is a fifth shorter or longer by chance, so that what failed together does not come back
    /// together. A receiver's own wish (`Retry-After`) may lengthen it, never shorten it.
    #[must_use]
    pub fn wait(&self, attempt: u16, retry_after_ms: Option<i64>) -> Option<Duration> {
        let tries = self.waits_ms.len() + 1;
        let wait_ms = *self.waits_ms.get((usize::from(attempt.max(1)) - 1) % tries)?;
        let jittered_ms = wait_ms * (800 + self.random.below(401)) / 1_000;
        let wished_ms = retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_MS);
        Some(Duration::from_millis(jittered_ms.max(wished_ms.unsigned_abs())))
    }
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date as `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn parse_retry_after(text: &str, now: UnixMillis) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse::<i64>().map_or(RETRY_AFTER_MAX_MS, |seconds| seconds.saturating_mul(1_000)));
    }
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (time, zone) = (words.next()?, words.next()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if zone != "GMT" || words.next().is_some() {
        return None;
    }
    let moment = timestamp::parse(&format!("{year}-{month:02}-{day} {time}"))?;
    Some(moment.since_ms(now).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_the_steps_within_a_fifth_and_end() {
        let schedule = Schedule::new(&[5, 30, 120], Random::seeded(7));
        for (attempt, seconds) in [(1_u16, 5_u64), (2, 30), (3, 120)] {
            for _ in 0..200 {
                let wait_ms = schedule.wait(attempt, None).unwrap().as_millis() as u64;
                assert!((seconds * 800..=seconds * 1_200).contains(&wait_ms), "{attempt}: {wait_ms}");
            }
        }
        assert_eq!(schedule.wait(4, None), None);
        assert_eq!(schedule.wait(4, Some(1_000)), None, "a wish does not add tries");
    }

    #[test]
    fn a_wish_lengthens_up_to_a_day_and_never_shortens() {
        let schedule = Schedule::new(&[100], Random::seeded(7));
        assert_eq!(schedule.wait(1, Some(300_000)), Some(Duration::from_secs(300)));
        assert!(schedule.wait(1, Some(1_000)).unwrap() >= Duration::from_secs(80));
        assert_eq!(schedule.wait(1, Some(i64::MAX)), Some(Duration::from_secs(24 * 3_600)));
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = timestamp::parse("1994-11-06 08:48:37").unwrap();
        assert_eq!(parse_retry_after("120", now), Some(120_000));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(60_000));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0));
        assert_eq!(parse_retry_after("99999999999999999999", now), Some(RETRY_AFTER_MAX_MS));
        for bad in ["", "soon", "-5", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 99 Foo 1994 08:49:37 GMT"] {
            assert_eq!(parse_retry_after(bad, now), None, "{bad}");
        }
    }
}
