//! How a text is to travel, where there is a choice.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use text::Language;

use crate::choice::choice;

/// The request's `encoding`: what may be done so that a text takes fewer parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EncodingChoice {
    /// GSM 7-bit if the text fits it as it is, else UCS-2.
    #[default]
    Auto,
    /// In letters that GSM 7-bit has; see [`text::transliterate()`].
    Transliterated,
    /// GSM 7-bit with national tables where the carriers take them and parts are spared, else as [`Self::Auto`].
    National,
    /// UCS-2 in any case.
    Ucs2,
}

choice!(EncodingChoice {
    Auto = "auto",
    Transliterated = "gsm7-transliterated",
    National = "gsm7-national",
    Ucs2 = "ucs2",
});

/// Languages whose national tables a carrier brings to the handset; written by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NationalTables(Vec<Language>);

impl NationalTables {
    /// Whether that language is among them.
    #[must_use]
    pub fn has(&self, language: Language) -> bool {
        self.0.contains(&language)
    }

    /// The languages, each once, in the order of their numbers.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        &self.0
    }
}

impl FromIterator<Language> for NationalTables {
    fn from_iter<I: IntoIterator<Item = Language>>(languages: I) -> Self {
        let mut languages: Vec<_> = languages.into_iter().collect();
        languages.sort_unstable();
        languages.dedup();
        Self(languages)
    }
}

impl Serialize for NationalTables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|language| language.name()))
    }
}

impl<'de> Deserialize<'de> for NationalTables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let languages = names.iter().map(|name| {
            Language::by_name(name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} has no national tables")))
        });
        languages.collect()
    }
}
