//! A measured figure and what it is held against.

/// Whether more or less is better.
#[derive(Clone, Copy, PartialEq)]
pub enum Budget {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// No budget: it is there to set others in proportion.
    None,
}

/// One line of the report.
#[derive(Clone)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What is asked for.
    pub budget: Budget,
    /// The ceiling of this machine for the same thing, where there is one.
    pub ceiling: Option<f64>,
    /// What a reader has to know, such as a smaller heap than the budget names.
    pub note: String,
}

impl Figure {
    /// A figure without a ceiling and a note.
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str, budget: Budget) -> Self {
        Self { what: what.into(), value, unit, budget, ceiling: None, note: String::new() }
    }

    /// Beside the ceiling.
    pub fn beside(mut self, ceiling: Option<f64>) -> Self {
        self.ceiling = ceiling;
        self
    }

    /// With a note.
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// `met`, `MISSED`, or nothing without a budget.
    pub fn verdict(&self) -> &'static str {
        match self.budget {
            Budget::AtLeast(least) if self.value >= least => "met",
            Budget::AtMost(most) if self.value <= most => "met",
            Budget::None => "",
            _ => "MISSED",
        }
    }

    /// The columns of a report.
    pub fn columns(&self) -> [String; 6] {
        let budget = match self.budget {
            Budget::AtLeast(least) => format!("≥ {}", round(least)),
            Budget::AtMost(most) => format!("≤ {}", round(most)),
            Budget::None => String::new(),
        };
        let ceiling = self
            .ceiling
            .map_or_else(String::new, |ceiling| format!("{} ({:.0} %)", round(ceiling), 100.0 * self.value / ceiling));
        [
            self.what.clone(),
            format!("{} {}", round(self.value), self.unit),
            budget,
            self.verdict().to_owned(),
            ceiling,
            self.note.clone(),
        ]
    }
}

fn round(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_judged_both_ways() {
        let verdict = |value, budget| Figure::new("x", value, "s", budget).verdict();
        assert_eq!((verdict(2.0, Budget::AtMost(2.0)), verdict(2.1, Budget::AtMost(2.0))), ("met", "MISSED"));
        assert_eq!((verdict(2.0, Budget::AtLeast(2.0)), verdict(1.9, Budget::AtLeast(2.0))), ("met", "MISSED"));
        let columns = Figure::new("x", 50.0, "/s", Budget::None).beside(Some(200.0)).columns();
        assert_eq!((columns[3].as_str(), columns[4].as_str()), ("", "200 (25 %)"));
    }
}
