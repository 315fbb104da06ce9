//! One measured figure beside its budget.

use std::fmt;

/// Which side of the budget is good.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Budget {
    None,
    AtLeast(f64),
    AtMost(f64),
}

/// A figure.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    budget: Budget,
    /// What the machine can do without us, in the same unit.
    pub ceiling: Option<f64>,
}

impl Figure {
    pub fn plain(name: &str, value: f64, unit: &'static str) -> Self {
        Self { name: name.to_owned(), value, unit, budget: Budget::None, ceiling: None }
    }

    pub fn at_least(name: &str, value: f64, budget: f64, unit: &'static str) -> Self {
        Self { budget: Budget::AtLeast(budget), ..Self::plain(name, value, unit) }
    }

    pub fn at_most(name: &str, value: f64, budget: f64, unit: &'static str) -> Self {
        Self { budget: Budget::AtMost(budget), ..Self::plain(name, value, unit) }
    }

    pub fn beside(mut self, ceiling: f64) -> Self {
        self.ceiling = Some(ceiling);
        self
    }

    pub fn budget(&self) -> String {
        match self.budget {
            Budget::None => String::new(),
            Budget::AtLeast(budget) => format!("≥ {budget}"),
            Budget::AtMost(budget) => format!("≤ {budget}"),
        }
    }

    pub fn verdict(&self) -> &'static str {
        match self.budget {
            Budget::None => "",
            Budget::AtLeast(budget) if self.value >= budget => "met",
            Budget::AtMost(budget) if self.value <= budget => "met",
            _ => "**missed**",
        }
    }

    pub fn value(&self) -> String {
        if self.value >= 1_000.0 { format!("{:.0}", self.value) } else { format!("{:.2}", self.value) }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} {} {} {}", self.name, self.value(), self.unit, self.budget(), self.verdict())
    }
}
