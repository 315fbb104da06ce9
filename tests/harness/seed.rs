//! One seed per run, printed, so that a failing run can be repeated: `STORY_SEED=… cargo nextest run -p story-tests`.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The seed of this run.
#[derive(Clone, Copy, Debug)]
pub struct Seed(u64);

impl Seed {
    /// Takes `STORY_SEED` or a new one, and prints it with the name of the story.
    #[must_use]
    pub fn of(story: &str) -> Self {
        let given = std::env::var("STORY_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| rand::rng().random());
        println!("{story}: STORY_SEED={seed}");
        Self(seed)
    }

    /// Random numbers of a part of the story, independent of those of other parts.
    #[must_use]
    pub fn numbers(self, part: u64) -> StdRng {
        StdRng::seed_from_u64(self.0 ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// Whether the long form of the batteries is asked for (`cargo xtask test --nightly`).
#[must_use]
pub fn nightly() -> bool {
    std::env::var("STORY_LENGTH").is_ok_and(|length| length == "nightly")
}
