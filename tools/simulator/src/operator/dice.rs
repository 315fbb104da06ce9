//! Chance that depends on the seed, the submit and the question only: the same run again makes the same choices,
//! whichever session a submit comes over.

/// What is left to chance. The number keeps the answers apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Missing = 1,
    Failed = 2,
    Failure = 3,
    Refusal = 4,
    Unanswered = 5,
    Early = 6,
    Order = 7,
    AnswerJitter = 8,
    AnswerTail = 9,
    Late = 10,
    Duplicate = 11,
    Intermediate = 12,
    Id = 13,
}

/// 64 well mixed bits (SplitMix64).
pub(super) fn bits(seed: u64, submit: u64, question: Question) -> u64 {
    let mut mixed = seed.wrapping_add(submit.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add((question as u64) << 32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number from 0 to 999.
pub(super) fn dice(seed: u64, submit: u64, question: Question) -> u16 {
    (bits(seed, submit, question) % 1000) as u16
}

/// A number from 0 to `limit - 1`; 0 when `limit` is 0.
pub(super) fn below(seed: u64, submit: u64, question: Question, limit: u64) -> u64 {
    if limit == 0 { 0 } else { bits(seed, submit, question) % limit }
}
