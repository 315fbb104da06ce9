//! From the text of an order to the text that is sent: what the choice of an encoding makes of it.

use std::borrow::Cow;

use domain::control::{Carrier, DefaultAlphabet};
use domain::encoding::EncodingChoice;
use text::{Encoding, Language, Measure, ReferenceWidth, Unencodable};

/// Parts are promised for a reference of this width; see [`crate::enqueue`].
const WIDTH: ReferenceWidth = ReferenceWidth::Bits8;

/// A text as it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub text: Cow<'a, str>,
    pub measure: Measure,
    /// Characters that were replaced.
    pub replaced: u32,
}

/// Writes a text as chosen, for carriers any of which may carry it.
///
/// # Errors
/// The first character that nothing in GSM 7-bit can stand for, where the text was to be transliterated.
pub(super) fn write<'a>(
    text: &'a str,
    choice: EncodingChoice,
    carriers: &[&Carrier],
) -> Result<Written<'a>, Unencodable> {
    let as_is = |measure| Written { text: Cow::Borrowed(text), measure, replaced: 0 };
    let written = match choice {
        EncodingChoice::Auto => as_is(text::measure(text, WIDTH)),
        EncodingChoice::Ucs2 => return Ok(as_is(text::measure_as(text, Encoding::Ucs2, WIDTH)?)),
        EncodingChoice::National => as_is(text::measure_with(text, &common_tables(carriers), WIDTH)),
        EncodingChoice::Transliterated => {
            let done = text::transliterate(text)?;
            let measure = text::measure(&done.text, WIDTH);
            Written { text: done.text, measure, replaced: done.replaced }
        }
    };
    if written.measure.encoding == Encoding::Gsm7 && !carriers.iter().all(|carrier| has_letters(carrier, &written.text))
    {
        // The carrier's own alphabet lacks a character that GSM 7-bit has.
        let measure = text::measure_as(&written.text, Encoding::Ucs2, WIDTH)?;
        return Ok(Written { measure, ..written });
    }
    Ok(written)
}

/// Languages whose tables all of the carriers bring to the handset.
fn common_tables(carriers: &[&Carrier]) -> Vec<Language> {
    let Some((first, others)) = carriers.split_first() else { return Vec::new() };
    let common = |language: &&Language| {
        let takes = |carrier: &&Carrier| carrier.national_tables.has(**language) && !is_foreign(carrier);
        takes(first) && others.iter().all(takes)
    };
    first.national_tables.languages().iter().filter(common).copied().collect()
}

fn is_foreign(carrier: &Carrier) -> bool {
    matches!(carrier.default_alphabet, DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii)
}

/// Whether a text of GSM letters can be written in what `data_coding` 0 means at the carrier.
fn has_letters(carrier: &Carrier, text: &str) -> bool {
    match carrier.default_alphabet {
        DefaultAlphabet::Gsm7 | DefaultAlphabet::Gsm7Packed => true,
        DefaultAlphabet::Latin1 => text.chars().all(|character| u32::from(character) <= 0xFF),
        DefaultAlphabet::Ascii => text.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::carrier;

    fn parts(text: &str, choice: EncodingChoice, carriers: &[&Carrier]) -> (u8, u16) {
        let written = write(text, choice, carriers).expect("written");
        (written.measure.encoding.contract_code(), written.measure.parts)
    }

    #[test]
    fn each_choice_does_what_it_says() {
        use EncodingChoice::{Auto, National, Transliterated, Ucs2};
        let plain = carrier(1);
        let mut turkish = carrier(2);
        turkish.national_tables = [Language::Turkish].into_iter().collect();
        let text = "ğ".repeat(100);
        assert_eq!(parts(&text, Auto, &[&turkish]), (8, 2));
        assert_eq!(parts(&text, National, &[&turkish]), (0, 1), "with the other alphabet");
        assert_eq!(parts(&"a".repeat(150), Ucs2, &[&plain]), (8, 3));
        let ş = "a".repeat(149) + "ş";
        assert_eq!((parts(&ş, Auto, &[&turkish]), parts(&ş, National, &[&turkish])), ((8, 3), (0, 1)));
        assert_eq!(parts(&ş, National, &[&turkish, &plain]), (8, 3), "one of the carriers has no tables");
        assert_eq!(parts(&ş, National, &[]), (8, 3));
        let written = write("Zażółć „gęślą” jaźń", Transliterated, &[&plain]).expect("written");
        assert_eq!((&*written.text, written.replaced), ("Zazolc \"gesla\" jazn", 11));
        assert_eq!(written.measure.encoding, Encoding::Gsm7);
        assert_eq!(write("ok 👍", Transliterated, &[&plain]).expect_err("an emoji").character, '👍');
        assert!(matches!(write("plain", Transliterated, &[&plain]).expect("written").text, Cow::Borrowed("plain")));
    }

    #[test]
    fn what_a_carriers_alphabet_lacks_is_priced_as_it_will_travel() {
        let mut latin1 = carrier(1);
        latin1.default_alphabet = DefaultAlphabet::Latin1;
        let mut ascii = carrier(2);
        ascii.default_alphabet = DefaultAlphabet::Ascii;
        assert_eq!(parts("é à", EncodingChoice::Auto, &[&latin1]), (0, 1));
        assert_eq!(parts("é à", EncodingChoice::Auto, &[&latin1, &ascii]), (8, 1));
        assert_eq!(parts(&"€".repeat(80), EncodingChoice::Auto, &[&carrier(3)]), (0, 1));
        assert_eq!(parts(&"€".repeat(80), EncodingChoice::Auto, &[&latin1]), (8, 2));
    }
}
