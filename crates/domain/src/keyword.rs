//! How texts of people are compared: without case, accents, punctuation and invisible characters.

use unicode_normalization::UnicodeNormalization;

/// A text as it is compared: compatibility forms (NFKC), case and accents folded, invisible characters
/// gone.
///
/// Letters that Unicode does not take apart (`ł`, `ø`, `ß` and the like) are replaced by what people type
/// on a handset without them.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_invisible(*letter) && !is_accent(*letter)) {
        for letter in letter.to_lowercase().filter(|letter| !is_accent(*letter)) {
            match plain(letter) {
                Some(plain) => folded.push_str(plain),
                None => folded.push(letter),
            }
        }
    }
    folded
}

/// Accents and invisible characters gone, the case left: for patterns, whose escapes depend on it.
#[must_use]
pub fn without_accents(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_invisible(*letter) && !is_accent(*letter)) {
        match plain(letter).or_else(|| plain(letter.to_lowercase().next().unwrap_or(letter))) {
            Some(plain) => bare.push_str(plain),
            None => bare.push(letter),
        }
    }
    bare
}

/// The words of a text as they are compared, punctuation around them trimmed.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split_whitespace()
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// The first word of a text as it is compared; empty when it has none.
#[must_use]
pub fn first_word(text: &str) -> String {
    words(&fold(text)).next().unwrap_or_default().to_owned()
}

/// All words of a text as they are compared, with one space between them.
#[must_use]
pub fn phrase(text: &str) -> String {
    let folded = fold(text);
    let mut phrase = String::with_capacity(folded.len());
    for word in words(&folded) {
        if !phrase.is_empty() {
            phrase.push(' ');
        }
        phrase.push_str(word);
    }
    phrase
}

/// Latin accents; marks of other scripts are letters there.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036f}')
}

/// Zero-width characters, joiners, direction marks, soft hyphen, variation selectors.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{00ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ł' => "l",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_word_in_every_spelling() {
        let spellings = [
            "ŻÓŁW",
            "żółw",
            "Zolw",
            "\u{200b}żółw!",
            "  «ŻÓŁW»",
            "z\u{307}o\u{301}\u{142}w",
            "ｚｏｌｗ",
            "ZO\u{ad}LW.",
        ];
        for spelling in spellings {
            assert_eq!(first_word(&format!("{spelling} reszta")), "zolw", "{spelling:?}");
        }
        assert_eq!(first_word("STRASSE"), first_word("Straße"));
        assert_eq!(first_word("  ... !!"), "");
        assert_eq!(phrase("  Yes,\u{a0}please !"), "yes please");
        assert_eq!(first_word("ＳＴＯＰ"), "stop");
        assert_eq!(first_word("İstanbul"), "istanbul");
    }

    #[test]
    fn patterns_keep_their_escapes() {
        assert_eq!(without_accents(r"^zamówienie (\d+)\D$"), r"^zamowienie (\d+)\D$");
        assert_eq!(without_accents("Łódź"), "lodz");
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            proptest::prop_assert_eq!(fold(&once), once);
        }
    }
}
