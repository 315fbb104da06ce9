//! Quiet hours: the part of the day in which an account's bulk is not sent.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::clock::UnixMillis;

/// A part of every day in a time zone. It may go over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes since midnight.
    from: i32,
    until: i32,
    zone: TimeZone,
}

/// The time zones known, compiled in: what the machine has installed does not matter.
fn zones() -> &'static TimeZoneDatabase {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    ZONES.get_or_init(TimeZoneDatabase::bundled)
}

/// Whether a time zone of that name is known, such as `Europe/Warsaw`.
#[must_use]
pub fn is_zone(name: &str) -> bool {
    zones().get(name).is_ok()
}

/// Minutes since midnight of `hh:mm`.
fn minutes(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: i32| {
        let is_right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|&number: &i32| is_right && number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

impl QuietHours {
    /// Reads `21:00-08:00` in the time zone of that name; `None` when that is not what it is, or when it is
    /// no time at all.
    #[must_use]
    pub fn parse(hours: &str, zone: &str) -> Option<Self> {
        let (from, until) = hours.split_once('-')?;
        let (from, until) = (minutes(from)?, minutes(until)?);
        let zone = zones().get(zone).ok()?;
        (from != until).then_some(Self { from, until, zone })
    }

    /// When they are over, if `at` lies in them.
    #[must_use]
    pub fn over_at(&self, at: UnixMillis) -> Option<UnixMillis> {
        let local = Timestamp::from_millisecond(at.0).ok()?.to_zoned(self.zone.clone());
        let now = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let is_quiet = if self.from < self.until {
            (self.from..self.until).contains(&now)
        } else {
            now >= self.from || now < self.until
        };
        if !is_quiet {
            return None;
        }
        let day = if now < self.until { local.date() } else { local.date().checked_add(1.day()).ok()? };
        // A time that a change of the clocks leaves out is the moment after it.
        let time = day.to_datetime(jiff::civil::Time::midnight());
        let end = time.checked_add(SignedDuration::from_mins(i64::from(self.until))).ok()?;
        let end = self.zone.to_ambiguous_zoned(end).compatible().ok()?;
        Some(UnixMillis(end.timestamp().as_millisecond()).max(at.plus_ms(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(utc: &str) -> UnixMillis {
        crate::timestamp::parse(utc).expect("a moment")
    }

    #[test]
    fn nights_go_over_midnight_in_the_time_zone_of_the_account() {
        let quiet = QuietHours::parse("21:00-08:00", "Europe/Warsaw").expect("hours");
        let over = |utc: &str| quiet.over_at(at(utc));
        assert_eq!(over("2026-11-27 19:59:00"), None, "20:59 in Warsaw");
        assert_eq!(over("2026-11-27 20:00:00"), Some(at("2026-11-28 07:00:00")));
        assert_eq!(over("2026-11-28 02:00:00"), Some(at("2026-11-28 07:00:00")));
        assert_eq!(over("2026-11-28 06:59:59"), Some(at("2026-11-28 07:00:00")));
        assert_eq!(over("2026-11-28 07:00:00"), None);
        assert_eq!(over("2026-07-27 05:59:00"), Some(at("2026-07-27 06:00:00")), "summer time");
    }

    #[test]
    fn a_time_that_does_not_exist_ends_the_hours_all_the_same() {
        // On 2027-03-28 there is no 02:30 in Warsaw.
        let quiet = QuietHours::parse("01:00-02:30", "Europe/Warsaw").expect("hours");
        assert_eq!(quiet.over_at(at("2027-03-28 00:10:00")), Some(at("2027-03-28 01:30:00")));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (hours, zone) in
            [("", "UTC"), ("21-8", "UTC"), ("24:00-08:00", "UTC"), ("08:00-08:00", "UTC"), ("21:00-08:00", "Mars/Base")]
        {
            assert_eq!(QuietHours::parse(hours, zone), None, "{hours} {zone}");
        }
        assert!(is_zone("Europe/Warsaw") && !is_zone("Mars/Base"));
    }
}
