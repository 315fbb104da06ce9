//! From values to the types a call wants.

use domain::problem::Problem;

use super::value::Value;
use crate::envelope::Fault;

/// Takes values out by type and collects what does not fit, so that a client learns everything at once.
#[derive(Debug, Default)]
pub struct Fields {
    faults: Vec<Fault>,
}

impl Fields {
    /// A text.
    pub fn text(&mut self, name: &'static str, value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            other => self.wrong(name, other),
        }
    }

    /// An array of texts.
    pub fn texts(&mut self, name: &'static str, value: Value) -> Option<Vec<String>> {
        match value {
            Value::Texts(texts) => Some(texts),
            other => self.wrong(name, other),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, name: &'static str, value: Value) -> Option<i64> {
        match value {
            Value::Integer(number) => Some(number),
            other => self.wrong(name, other),
        }
    }

    /// A truth value.
    pub fn bool(&mut self, name: &'static str, value: Value) -> Option<bool> {
        match value {
            Value::Bool(truth) => Some(truth),
            other => self.wrong(name, other),
        }
    }

    /// What did not fit.
    #[must_use]
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    fn wrong<T>(&mut self, name: &'static str, value: Value) -> Option<T> {
        let fault = match value {
            Value::Absent => return None,
            Value::Other { index: Some(index), shown } => {
                Fault::of(Problem::FieldWrongType, format!("{name}[{index}]"), &shown)
            }
            other => Fault::of(Problem::FieldWrongType, name, &other.shown()),
        };
        self.faults.push(fault);
        None
    }
}
