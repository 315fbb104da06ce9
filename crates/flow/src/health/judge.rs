//! The rules: from what is seen of a carrier to its share.

use std::collections::VecDeque;

use domain::lane::Lane;

use super::bounds::{self, STEPS};
use super::vital::Sums;

/// What is wrong with a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None = 0,
    /// None of its binds is bound.
    Down = 1,
    /// It refuses or does not answer too many parts for reasons of its own.
    Refusing = 2,
    /// It answers too slowly.
    SlowAnswers = 3,
    /// Its receipts come too slowly or not at all.
    SlowReceipts = 4,
    /// It did badly and is coming back.
    Recovering = 5,
}

impl Trouble {
    /// All of them.
    const ALL: [Self; 6] =
        [Self::None, Self::Down, Self::Refusing, Self::SlowAnswers, Self::SlowReceipts, Self::Recovering];

    pub(super) fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// A stable word, as kept with messages that left another way.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "well",
            Self::Down => "down",
            Self::Refusing => "refusing",
            Self::SlowAnswers => "slow_answers",
            Self::SlowReceipts => "slow_receipts",
            Self::Recovering => "recovering",
        }
    }
}

/// What is seen of a carrier at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Milliseconds of any clock that does not jump.
    pub at_ms: i64,
    /// Whether a bind that sends is bound.
    pub up: bool,
    /// Sums since the start.
    pub sums: Sums,
    /// Slow receipts in hundredths, if there are enough to tell.
    pub slow_receipts: Option<usize>,
}

/// One lane's share and when it moved.
#[derive(Clone, Copy, Debug)]
struct Share {
    /// Index in [`STEPS`].
    step: usize,
    moved_at_ms: i64,
    /// Since when the evidence is good.
    good_since_ms: Option<i64>,
    trouble: Trouble,
}

/// How evidence looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    Bad(Trouble),
    Good,
    /// Neither: the share stays where it is.
    Unclear,
}

/// The state of one carrier.
#[derive(Debug)]
pub(super) struct Judge {
    up_at_ms: i64,
    was_up: bool,
    shares: [Share; 2],
    /// Readings as far back as the longest evidence.
    readings: VecDeque<Reading>,
}

impl Judge {
    /// A carrier that was started at `at_ms`.
    pub(super) fn new(at_ms: i64) -> Self {
        let share = Share { step: STEPS.len() - 1, moved_at_ms: at_ms, good_since_ms: None, trouble: Trouble::None };
        Self {
            up_at_ms: at_ms + bounds::STARTING_MS - bounds::DOWN_AFTER_MS,
            was_up: true,
            shares: [share; 2],
            readings: VecDeque::new(),
        }
    }

    /// Its binds were renewed on purpose: it gets the time of a fresh start to come back.
    pub(super) fn restarted(&mut self, at_ms: i64) {
        self.up_at_ms = self.up_at_ms.max(at_ms + bounds::STARTING_MS - bounds::DOWN_AFTER_MS);
    }

    /// Takes a reading in.
    pub(super) fn look(&mut self, reading: Reading) {
        if reading.up {
            // The time of a start ends with the first bind: what is lost after that is lost.
            self.up_at_ms = reading.at_ms;
        }
        let is_up = reading.at_ms - self.up_at_ms < bounds::DOWN_AFTER_MS;
        if !is_up {
            for share in &mut self.shares {
                *share = Share { step: 0, moved_at_ms: reading.at_ms, good_since_ms: None, trouble: Trouble::Down };
            }
            self.readings.clear();
        } else if !self.was_up {
            // It is back: it gets a little at once and the rest as it proves itself.
            for share in &mut self.shares {
                share.step = 1;
                share.moved_at_ms = reading.at_ms;
                share.good_since_ms = Some(reading.at_ms);
                share.trouble = Trouble::Recovering;
            }
        }
        self.was_up = is_up;
        if is_up {
            self.readings.push_back(reading);
            let oldest = reading.at_ms - bounds::EVIDENCE_MS[Lane::Standard.index()];
            while self.readings.front().is_some_and(|reading| reading.at_ms < oldest) {
                self.readings.pop_front();
            }
            for lane in Lane::ALL {
                let evidence = self.evidence(lane, reading);
                self.shares[lane.index()].follow(lane, evidence, reading.at_ms);
            }
        }
    }

    /// The share of a lane in hundredths and what is wrong.
    pub(super) fn standing(&self, lane: Lane) -> (u8, Trouble) {
        let share = &self.shares[lane.index()];
        (STEPS[share.step], share.trouble)
    }

    fn evidence(&self, lane: Lane, now: Reading) -> Evidence {
        let share = &self.shares[lane.index()];
        // What was seen before the last move has done its work: only what came since counts.
        let from = (now.at_ms - bounds::EVIDENCE_MS[lane.index()]).max(share.moved_at_ms);
        let Some(first) = self.readings.iter().find(|reading| reading.at_ms >= from) else { return Evidence::Unclear };
        let answered = now.sums.answered - first.sums.answered;
        let failed = now.sums.failed - first.sums.failed;
        let answer_ms = (now.sums.answer_ms - first.sums.answer_ms).checked_div(answered).unwrap_or(0);
        let total = answered + failed;
        let failed_share = (failed * 100).checked_div(total).unwrap_or(0);
        let slow_receipts = now.slow_receipts.unwrap_or(0);
        let enough = total >= bounds::ANSWERS_MIN;
        if enough && failed_share >= bounds::FAILED_BAD {
            return Evidence::Bad(Trouble::Refusing);
        }
        if enough && answer_ms >= bounds::ANSWER_BAD_MS {
            return Evidence::Bad(Trouble::SlowAnswers);
        }
        if slow_receipts >= bounds::RECEIPTS_BAD {
            return Evidence::Bad(Trouble::SlowReceipts);
        }
        let well = failed_share <= bounds::FAILED_GOOD
            && answer_ms <= bounds::ANSWER_GOOD_MS
            && slow_receipts <= bounds::RECEIPTS_GOOD;
        // A carrier without a share has only its probes to speak for it; one with a share and nothing to
        // do is given the benefit of the doubt.
        let silent_at_zero = share.step == 0 && answered == 0;
        if well && !silent_at_zero { Evidence::Good } else { Evidence::Unclear }
    }
}

impl Share {
    fn follow(&mut self, lane: Lane, evidence: Evidence, at_ms: i64) {
        match evidence {
            Evidence::Bad(trouble) => {
                self.good_since_ms = None;
                self.trouble = trouble;
                let first = self.step == STEPS.len() - 1;
                if self.step > 0 && (first || at_ms - self.moved_at_ms >= bounds::STEP_DOWN_MS[lane.index()]) {
                    self.step -= 1;
                    self.moved_at_ms = at_ms;
                }
            }
            Evidence::Good if self.step + 1 < STEPS.len() => {
                let since = *self.good_since_ms.get_or_insert(at_ms);
                if at_ms - since >= bounds::STEP_UP_MS[lane.index()] {
                    self.step += 1;
                    self.moved_at_ms = at_ms;
                    self.good_since_ms = Some(at_ms);
                    self.trouble = if self.step + 1 == STEPS.len() { Trouble::None } else { Trouble::Recovering };
                }
            }
            Evidence::Good => {}
            Evidence::Unclear => self.good_since_ms = None,
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
