//! Moments as text: RFC 3339 and the contract's `YYYY-MM-DD hh:mm:ss`, always UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::clock::UnixMillis;

/// `2026-11-22 10:15:00`, in UTC.
#[must_use]
pub fn format_utc(moment: UnixMillis) -> String {
    civil(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-22T10:15:00.123Z`.
#[must_use]
pub fn format_rfc3339(moment: UnixMillis) -> String {
    civil(moment).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `Sun, 22 Nov 2026 10:15:00 GMT`, the date of HTTP headers (RFC 9110 §5.6.7).
#[must_use]
pub fn format_http_date(moment: UnixMillis) -> String {
    civil(moment).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `20261122`-like day number in UTC, for roll-up counters.
#[must_use]
pub fn day_number(moment: UnixMillis) -> i32 {
    let date = civil(moment).date();
    i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day())
}

/// Reads RFC 3339, `YYYY-MM-DD hh:mm:ss` or `YYYY-MM-DD`; without an offset UTC is meant.
#[must_use]
pub fn parse(text: &str) -> Option<UnixMillis> {
    let timestamp = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| in_utc(text.parse::<DateTime>().ok()?))
        .or_else(|| in_utc(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())))?;
    Some(UnixMillis(timestamp.as_millisecond()))
}

fn in_utc(civil: DateTime) -> Option<Timestamp> {
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn civil(moment: UnixMillis) -> DateTime {
    let timestamp =
        Timestamp::from_millisecond(moment.0).unwrap_or(if moment.0 < 0 { Timestamp::MIN } else { Timestamp::MAX });
    TimeZone::UTC.to_datetime(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_mean_the_same_moment() {
        let moment = UnixMillis::from_seconds(1_795_342_500);
        assert_eq!(format_utc(moment), "2026-11-22 10:15:00");
        assert_eq!(format_http_date(moment), "Sun, 22 Nov 2026 10:15:00 GMT");
        assert_eq!(day_number(moment), 20_261_122);
        for text in ["2026-11-22 10:15:00", "2026-11-22T10:15:00Z", "2026-11-22T11:15:00+01:00", "2026-11-22T10:15:00"]
        {
            assert_eq!(parse(text), Some(moment), "{text}");
        }
        assert_eq!(parse("2026-11-22").map(format_utc), Some("2026-11-22 00:00:00".into()));
        for bad in ["", "yesterday", "2026-13-01", "2026-11-22 25:00:00", "1795342500"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
