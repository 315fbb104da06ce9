use super::*;

/// A carrier under test, looked at every tick.
struct Patient {
    judge: Judge,
    now_ms: i64,
    sums: Sums,
}

impl Patient {
    fn new() -> Self {
        Self { judge: Judge::new(0), now_ms: 0, sums: Sums::default() }
    }

    /// Lets time pass; each tick brings so many good and failed answers of `answer_ms` each.
    fn pass(&mut self, milliseconds: i64, up: bool, (answered, failed, answer_ms): (u64, u64, u64)) {
        self.pass_with_receipts(milliseconds, up, (answered, failed, answer_ms), None);
    }

    fn pass_with_receipts(
        &mut self,
        milliseconds: i64,
        up: bool,
        (answered, failed, answer_ms): (u64, u64, u64),
        slow_receipts: Option<usize>,
    ) {
        for _ in 0..milliseconds / bounds::TICK_MS {
            self.now_ms += bounds::TICK_MS;
            self.sums.answered += answered;
            self.sums.failed += failed;
            self.sums.answer_ms += answered * answer_ms;
            self.judge.look(Reading { at_ms: self.now_ms, up, sums: self.sums, slow_receipts });
        }
    }

    fn shares(&self) -> [u8; 2] {
        Lane::ALL.map(|lane| self.judge.standing(lane).0)
    }

    fn trouble(&self) -> Trouble {
        self.judge.standing(Lane::Standard).1
    }
}

#[test]
fn a_carrier_without_binds_is_down_within_a_second_and_a_rebind_is_not_noticed() {
    let mut patient = Patient::new();
    patient.pass(5_000, true, (10, 0, 50));
    patient.pass(700, false, (0, 0, 0));
    assert_eq!(patient.shares(), [100, 100], "a rebind");
    patient.pass(1_000, true, (10, 0, 50));
    patient.pass(1_000, false, (0, 0, 0));
    assert_eq!((patient.shares(), patient.trouble()), ([0, 0], Trouble::Down));
}

#[test]
fn a_carrier_that_dies_right_after_its_start_is_down_as_soon_as_any_other() {
    let mut patient = Patient::new();
    patient.pass(200, true, (0, 0, 0));
    patient.pass(bounds::DOWN_AFTER_MS, false, (0, 0, 0));
    assert_eq!((patient.shares(), patient.trouble()), ([0, 0], Trouble::Down));
}

#[test]
fn a_carrier_that_was_just_started_may_take_its_time_to_bind() {
    let mut patient = Patient::new();
    patient.pass(bounds::STARTING_MS - 200, false, (0, 0, 0));
    assert_eq!(patient.shares(), [100, 100]);
    patient.pass(400, false, (0, 0, 0));
    assert_eq!(patient.shares(), [0, 0]);
}

#[test]
fn a_carrier_that_is_back_gets_its_share_in_steps_and_priority_faster() {
    let mut patient = Patient::new();
    patient.pass(5_000, true, (10, 0, 50));
    patient.pass(2_000, false, (0, 0, 0));
    patient.pass(100, true, (1, 0, 50));
    assert_eq!((patient.shares(), patient.trouble()), ([10, 10], Trouble::Recovering));
    patient.pass(4_000, true, (1, 0, 50));
    assert_eq!(patient.shares(), [25, 10]);
    patient.pass(7_000, true, (1, 0, 50));
    assert_eq!(patient.shares(), [100, 25]);
    patient.pass(25_000, true, (1, 0, 50));
    assert_eq!((patient.shares(), patient.trouble()), ([100, 100], Trouble::None));
}

#[test]
fn refusals_take_the_share_down_in_steps_and_never_on_thin_evidence() {
    let mut patient = Patient::new();
    patient.pass(10_000, true, (10, 1, 50));
    assert_eq!(patient.shares(), [100, 100], "one in eleven is neither good nor bad");
    patient.pass(300, true, (0, 6, 0));
    assert_eq!(patient.shares()[1], 100, "eighteen failures prove nothing yet");
    let mut steps = vec![patient.shares()[1]];
    for _ in 0..300 {
        patient.pass(100, true, (5, 5, 50));
        if *steps.last().expect("one") != patient.shares()[1] {
            steps.push(patient.shares()[1]);
        }
    }
    assert_eq!((steps, patient.trouble()), (vec![100, 50, 25, 10, 0], Trouble::Refusing));
}

#[test]
fn between_good_and_bad_nothing_moves() {
    let mut patient = Patient::new();
    patient.pass(3_000, true, (5, 5, 50));
    let shares = patient.shares();
    assert!(shares[1] < 100);
    // 10 % failed: below what takes a share down, above what brings it back.
    patient.pass(60_000, true, (9, 1, 50));
    let resting = patient.shares();
    patient.pass(60_000, true, (9, 1, 50));
    assert_eq!(patient.shares(), resting);
    assert!(resting[1] <= shares[1]);
}

#[test]
fn without_a_share_only_a_probe_that_goes_well_brings_it_back() {
    let mut patient = Patient::new();
    patient.pass(60_000, true, (0, 10, 0));
    assert_eq!(patient.shares(), [0, 0]);
    patient.pass(60_000, true, (0, 0, 0));
    assert_eq!(patient.shares(), [0, 0], "silence proves nothing");
    for _ in 0..5 {
        patient.pass(100, true, (1, 0, 50));
        patient.pass(4_900, true, (0, 0, 0));
    }
    assert!(patient.shares()[1] > 0, "probes went well");
}

#[test]
fn slow_answers_and_slow_receipts_count() {
    let mut patient = Patient::new();
    patient.pass(3_000, true, (10, 0, bounds::ANSWER_BAD_MS + 1));
    assert_eq!(patient.trouble(), Trouble::SlowAnswers);
    let mut patient = Patient::new();
    patient.pass_with_receipts(3_000, true, (10, 0, 50), Some(bounds::RECEIPTS_BAD));
    assert_eq!(patient.trouble(), Trouble::SlowReceipts);
    assert!(patient.shares()[1] < 100);
}
