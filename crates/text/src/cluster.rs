//! Where a reader would see a character torn apart: a compact reading of grapheme clusters (Unicode Standard
//! Annex #29), enough to decide where a long message had better not be cut.

use std::cmp::Ordering;

use crate::cluster_table::EXTENDING;

const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Whether nothing visible is torn when `text` is cut before the byte `at`, which must be a character border.
pub(crate) fn is_border(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let (Some(left), Some(right)) = (before.chars().next_back(), after.chars().next()) else {
        return true;
    };
    // Where most cuts fall: between two letters below the first combining mark.
    if left < '\u{300}' && right < '\u{300}' {
        return !(left == '\r' && right == '\n');
    }
    if left.is_control() {
        return true;
    }
    let torn = left == ZERO_WIDTH_JOINER
        || extends(right)
        || tears_syllable(left, right)
        || (is_regional(left) && is_regional(right) && tears_flag(before));
    !torn
}

fn extends(character: char) -> bool {
    EXTENDING
        .binary_search_by(|(first, last)| {
            if character < *first {
                Ordering::Greater
            } else if character > *last {
                Ordering::Less
            } else {
                Ordering::Equal
            }
        })
        .is_ok()
}

fn is_regional(character: char) -> bool {
    matches!(character, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Flags are pairs of regional indicators counted from the start of their run.
fn tears_flag(before: &str) -> bool {
    !before.chars().rev().take_while(|character| is_regional(*character)).count().is_multiple_of(2)
}

/// Hangul jamo that stand as one syllable block (UAX #29 rules GB6 to GB8).
fn tears_syllable(left: char, right: char) -> bool {
    match jamo(left) {
        Some(Jamo::Leading) => matches!(jamo(right), Some(Jamo::Leading | Jamo::Vowel | Jamo::Open | Jamo::Closed)),
        Some(Jamo::Vowel | Jamo::Open) => matches!(jamo(right), Some(Jamo::Vowel | Jamo::Trailing)),
        Some(Jamo::Trailing | Jamo::Closed) => matches!(jamo(right), Some(Jamo::Trailing)),
        None => false,
    }
}

enum Jamo {
    Leading,
    Vowel,
    Trailing,
    /// A whole syllable that a trailing consonant may still close.
    Open,
    /// A whole syllable with its trailing consonant.
    Closed,
}

fn jamo(character: char) -> Option<Jamo> {
    /// Trailing consonants per syllable, the absent one included (Unicode Standard §3.12).
    const TRAILING_COUNT: u32 = 28;
    match character {
        '\u{1100}'..='\u{115F}' | '\u{A960}'..='\u{A97C}' => Some(Jamo::Leading),
        '\u{1160}'..='\u{11A7}' | '\u{D7B0}'..='\u{D7C6}' => Some(Jamo::Vowel),
        '\u{11A8}'..='\u{11FF}' | '\u{D7CB}'..='\u{D7FB}' => Some(Jamo::Trailing),
        '\u{AC00}'..='\u{D7A3}' if (u32::from(character) - 0xAC00).is_multiple_of(TRAILING_COUNT) => Some(Jamo::Open),
        '\u{AC00}'..='\u{D7A3}' => Some(Jamo::Closed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borders(text: &str) -> Vec<usize> {
        text.char_indices().map(|(at, _)| at).filter(|at| is_border(text, *at)).collect()
    }

    #[test]
    fn the_table_ascends() {
        for (first, last) in EXTENDING {
            assert!(first <= last);
        }
        for pair in EXTENDING.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{:?} before {:?}", pair[0], pair[1]);
        }
    }

    #[test]
    fn clusters_have_one_border() {
        let whole = [
            "e\u{301}\u{323}",
            "👩‍👩‍👧‍👦",
            "👍🏽",
            "🇵🇱",
            "1\u{FE0F}\u{20E3}",
            "\r\n",
            "각",
            "\u{1100}\u{1161}\u{11A8}",
            "가\u{11A8}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "❤\u{FE0F}‍🔥",
        ];
        for cluster in whole {
            assert_eq!(borders(cluster), [0], "{cluster:?}");
        }
    }

    #[test]
    fn neighbours_can_be_parted() {
        assert_eq!(borders("ab"), [0, 1]);
        assert_eq!(borders("\n\r"), [0, 1]);
        assert_eq!(borders("\n\u{301}"), [0, 1]);
        assert_eq!(borders("가나"), [0, 3]);
        assert_eq!(borders("각가"), [0, 3]);
        assert_eq!(borders("🇵🇱🇩🇪🇫"), [0, 8, 16]);
        assert_eq!(borders("👍👍"), [0, 4]);
    }
}
