//! Since when an endpoint does nothing but fail: warnings, and the end of trying.

use domain::clock::UnixMillis;

use super::bounds::{OFF_AFTER_FAILURES, OFF_AFTER_MS, WARN_AFTER_MS, WARN_AGAIN_AFTER_MS};

/// Failures since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// When the first of them came.
    pub since: Option<UnixMillis>,
    /// How many there were.
    pub failures: u32,
    /// Warnings given: none, after an hour, after a day.
    pub warnings: u8,
}

/// What a call means for the endpoint's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing new.
    None,
    /// It has done nothing but fail for an hour.
    Hour,
    /// It has done nothing but fail for a day.
    Day,
    /// It has failed for so long that it is not called any more.
    Off,
    /// It works again after there was a warning.
    Over,
}

impl Trouble {
    /// A call ended.
    pub fn note(&mut self, now: UnixMillis, failed: bool) -> News {
        if !failed {
            let was_warned = self.warnings > 0;
            *self = Self::default();
            return if was_warned { News::Over } else { News::None };
        }
        let since = *self.since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        let lasts_ms = now.since_ms(since);
        if lasts_ms >= OFF_AFTER_MS && self.failures >= OFF_AFTER_FAILURES {
            return News::Off;
        }
        let (due, news) = match lasts_ms {
            WARN_AGAIN_AFTER_MS.. => (2, News::Day),
            WARN_AFTER_MS.. => (1, News::Hour),
            _ => return News::None,
        };
        if self.warnings >= due {
            return News::None;
        }
        self.warnings = due;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn warnings_come_once_each_and_success_ends_the_trouble() {
        let start = UnixMillis(1_800_000_000_000);
        let mut trouble = Trouble::default();
        let news = |trouble: &mut Trouble, hours: i64| trouble.note(start.plus_ms(hours * HOUR_MS), true);
        assert_eq!(news(&mut trouble, 0), News::None);
        assert_eq!(news(&mut trouble, 1), News::Hour);
        assert_eq!(news(&mut trouble, 2), News::None);
        assert_eq!(news(&mut trouble, 25), News::Day);
        assert_eq!(news(&mut trouble, 120), News::None, "too few failures to be off");
        assert_eq!(trouble.note(start, false), News::Over);
        assert_eq!(trouble, Trouble::default());
        assert_eq!(trouble.note(start, false), News::None);
    }

    #[test]
    fn it_is_off_after_five_days_with_twenty_failures() {
        let start = UnixMillis(1_800_000_000_000);
        let mut trouble = Trouble::default();
        let all: Vec<News> = (0..=20).map(|number| trouble.note(start.plus_ms(number * 6 * HOUR_MS), true)).collect();
        assert_eq!(all.iter().position(|news| *news == News::Off), Some(20), "{all:?}");
    }
}
