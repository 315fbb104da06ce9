//! Typed values out of a TOML table. What does not fit is reported and replaced by the default, so that
//! one reading finds all problems of a file.

use std::ops::{Range, RangeInclusive};

use domain::choice::Choice;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;

/// A text with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// Where it begins in the file.
    pub(super) offset: usize,
}

/// One table of the file.
pub(super) struct Table<'a> {
    document: &'a Document<'a>,
    entries: &'a DeTable<'a>,
    offset: usize,
}

impl<'a> Table<'a> {
    /// Wraps a table that may hold the `allowed` keys; others are reported.
    pub(super) fn new(
        document: &'a Document<'a>,
        entries: &'a DeTable<'a>,
        span: &Range<usize>,
        allowed: &[&str],
    ) -> Self {
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            if !allowed.contains(&name) {
                let message = format!("unknown key, allowed here: {}", allowed.join(", "));
                let passed = if value.get_ref().is_table() || value.get_ref().is_array() { "" } else { "…" };
                document.report(key.span().start, name, passed, message);
            }
        }
        Self { document, entries, offset: span.start }
    }

    /// Where the table begins.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The line of an octet, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.document.line(offset)
    }

    /// Whether the table holds `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reports a value that is not allowed.
    pub(super) fn refuse(&self, key: &str, passed: Text<'_>, message: impl Into<String>) {
        self.document.report(passed.offset, key, &format!("{:?}", passed.text), message);
    }

    /// Reports a secret that is not allowed, without repeating it.
    pub(super) fn refuse_secret(&self, key: &str, passed: Text<'_>, message: impl Into<String>) {
        let count = passed.text.chars().count();
        self.document.report(passed.offset, key, &format!("*** ({count} characters)"), message);
    }

    /// Reports a number that is not allowed.
    pub(super) fn refuse_number(&self, key: &str, passed: u32, message: impl Into<String>) {
        let offset = self.entries.get(key).map_or(self.offset, |value| value.span().start);
        self.document.report(offset, key, &passed.to_string(), message);
    }

    /// Reports what is wrong with the entry as a whole.
    pub(super) fn refuse_entry(&self, key: &str, message: impl Into<String>) {
        self.document.report(self.offset, key, "", message);
    }

    /// A text; absent when the key is.
    pub(super) fn text(&self, key: &str) -> Option<Text<'a>> {
        let value = self.entries.get(key)?;
        let text = self.as_text(key, value, "a text in quotation marks");
        text.map(|text| Text { text, offset: value.span().start })
    }

    /// A text that must be there.
    pub(super) fn required_text(&self, key: &str) -> Option<Text<'a>> {
        if !self.has(key) {
            self.refuse_entry(key, "missing key: write it into this entry");
        }
        self.text(key)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        let Some(value) = self.entries.get(key) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, "true or false");
            default
        })
    }

    /// A whole number within bounds.
    pub(super) fn integer(&self, key: &str, allowed: &RangeInclusive<u32>, default: u32) -> u32 {
        let Some(value) = self.entries.get(key) else { return default };
        let expected = format!("a whole number from {} to {}", allowed.start(), allowed.end());
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, &expected);
            return default;
        };
        let number =
            i128::from_str_radix(integer.as_str(), integer.radix()).ok().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| allowed.contains(number)).unwrap_or_else(|| {
            self.document.report(value.span().start, key, integer.as_str(), format!("expected {expected}"));
            default
        })
    }

    /// A list of at most `most` whole numbers within bounds; absent when the key is.
    pub(super) fn integers(&self, key: &str, allowed: &RangeInclusive<u64>, most: usize) -> Option<Vec<u64>> {
        let value = self.entries.get(key)?;
        let expected = format!("a list of at most {most} whole numbers from {} to {}", allowed.start(), allowed.end());
        let number = |item: &Spanned<DeValue<'a>>| {
            let integer = item.get_ref().as_integer()?;
            let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok()?;
            u64::try_from(number).ok().filter(|number| allowed.contains(number))
        };
        let items = value.get_ref().as_array();
        let numbers = items.and_then(|items| items.iter().map(number).collect::<Option<Vec<_>>>());
        let numbers = numbers.filter(|numbers| numbers.len() <= most);
        if numbers.is_none() {
            self.wrong_type(key, value, &expected);
        }
        numbers
    }

    /// One of a few words; absent when the key is or the word is none of them.
    pub(super) fn choice<T: Choice>(&self, key: &str) -> Option<T> {
        let passed = self.text(key)?;
        let choice = T::by_name(passed.text);
        if choice.is_none() {
            let words: Vec<String> = T::NAMES.iter().map(|(_, name)| format!("{name:?}")).collect();
            self.refuse(key, passed, format!("expected one of {}", words.join(", ")));
        }
        choice
    }

    /// A list of texts; absent when the key is.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Text<'a>>> {
        let value = self.entries.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts such as [\"one\", \"two\"]");
            return None;
        };
        let text = |item: &'a Spanned<DeValue<'a>>| {
            let text = self.as_text(key, item, "a list of texts only")?;
            Some(Text { text, offset: item.span().start })
        };
        Some(items.iter().filter_map(text).collect())
    }

    /// The entries of an array of tables, `[[key]]`.
    pub(super) fn tables(&self, key: &str, header: &str, allowed: &[&str]) -> Vec<Table<'a>> {
        let Some(value) = self.entries.get(key) else { return Vec::new() };
        let expected = format!("entries under a [[{header}]] line each");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &expected);
            return Vec::new();
        };
        let table = |item: &'a Spanned<DeValue<'a>>| {
            let Some(entries) = item.get_ref().as_table() else {
                self.wrong_type(key, item, &expected);
                return None;
            };
            Some(Table::new(self.document, entries, &item.span(), allowed))
        };
        items.iter().filter_map(table).collect()
    }

    /// The one table under `[key]`; absent when the key is.
    pub(super) fn table(&self, key: &str, allowed: &[&str]) -> Option<Table<'a>> {
        let value = self.entries.get(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "one entry in single brackets");
            return None;
        };
        Some(Table::new(self.document, entries, &value.span(), allowed))
    }

    fn as_text(&self, key: &str, value: &'a Spanned<DeValue<'a>>, expected: &str) -> Option<&'a str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, expected);
        }
        text
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let passed = match value.get_ref() {
            DeValue::Integer(integer) => integer.as_str().to_owned(),
            DeValue::Float(float) => float.as_str().to_owned(),
            DeValue::Boolean(flag) => flag.to_string(),
            // A text in the wrong place may be a secret; a list or table is too long to repeat.
            DeValue::String(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => "…".into(),
        };
        let article = if value.get_ref().type_str().starts_with(['a', 'i']) { "an" } else { "a" };
        let message = format!("wrong type, found {article} {}, expected {expected}", value.get_ref().type_str());
        self.document.report(value.span().start, key, &passed, message);
    }
}
