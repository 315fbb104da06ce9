//! Seeded texts, the same on every run and every machine.

/// SplitMix64: small, fast, good enough to pick characters.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn pick<'a>(&mut self, pool: &[&'a str]) -> &'a str {
        pool[self.below(pool.len())]
    }
}

#[allow(dead_code, reason = "each test binary includes this file and uses its own part")]
pub const PLAIN: &[&str] = &["a", "B", "7", " ", "@", "§", "é", "Δ", "Ω", "\n", "\r\n", "ü", "Ç"];
#[allow(dead_code, reason = "each test binary includes this file and uses its own part")]
pub const EXTENDED: &[&str] = &["€", "[", "]", "{", "}", "~", "^", "|", "\\", "\u{0C}"];
/// Visible characters that do not merge with their neighbours, of one unit and of many.
#[allow(dead_code, reason = "each test binary includes this file and uses its own part")]
pub const CLUSTERS: &[&str] = &[
    "a",
    "ż",
    "漢",
    "e\u{301}",
    "o\u{308}\u{323}",
    "👍",
    "👍🏽",
    "👩‍👩‍👧‍👦",
    "🇵🇱",
    "1\u{FE0F}\u{20E3}",
    "❤\u{FE0F}\u{200D}🔥",
    "각",
    "क\u{93F}",
];
/// What tears things: halves, joiners, controls.
#[allow(dead_code, reason = "each test binary includes this file and uses its own part")]
pub const LOOSE: &[&str] = &[
    "\u{200D}",
    "\u{301}",
    "\u{FE0F}",
    "🇵",
    "\u{1100}",
    "\u{1B}",
    "\0",
    "`",
    "ç",
    "\u{FEFF}",
    "\u{FFFF}",
    "\u{10FFFF}",
];

/// Lengths, in pieces, that sit at the borders of one and of several parts.
const BORDERS: &[usize] = &[66, 67, 70, 132, 134, 152, 153, 160, 201, 304, 306];

#[allow(dead_code, reason = "each test binary includes this file and uses its own part")]
pub fn text(random: &mut Random) -> String {
    let pieces = match random.below(16) {
        0 => BORDERS[random.below(BORDERS.len())] + random.below(5) - 2,
        _ => random.below(24),
    };
    let kind = random.below(8);
    let mut text = String::with_capacity(pieces * 2);
    for _ in 0..pieces {
        let piece = match (kind, random.below(8)) {
            (0 | 1, _) | (2 | 3, 0..6) => random.pick(PLAIN),
            (2 | 3, _) => random.pick(EXTENDED),
            (4, 0) | (5, _) => random.pick(CLUSTERS),
            (4, _) => "ł",
            (6, 0..3) => random.pick(LOOSE),
            (6, _) => random.pick(CLUSTERS),
            _ => {
                if let Some(any) = char::from_u32(random.below(0x11_0000) as u32) {
                    text.push(any);
                }
                ""
            }
        };
        text.push_str(piece);
    }
    text
}
