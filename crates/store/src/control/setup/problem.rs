//! What is wrong with a setup file, and where.

use std::fmt;

/// One problem of a setup file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupProblem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Key at fault; empty for a problem of syntax.
    pub key: String,
    /// What was passed, as written in the file; secrets are not repeated. Empty where nothing was passed.
    pub passed: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for SetupProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            formatter.write_str(&self.key)?;
            if !self.passed.is_empty() {
                write!(formatter, " = {}", self.passed)?;
            }
            formatter.write_str(": ")?;
        }
        formatter.write_str(&self.message)
    }
}

/// All problems of a setup file, in the order of its lines. Nothing of such a file is applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SetupProblems {
    /// Name of the file.
    pub file: String,
    /// The problems; at least one.
    pub problems: Vec<SetupProblem>,
}

impl fmt::Display for SetupProblems {
    /// One line per problem, each with file, line and column in front.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        writeln!(
            formatter,
            "nothing was applied, {} has {count} problem{}:",
            self.file,
            if count == 1 { "" } else { "s" }
        )?;
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}:{problem}", self.file)?;
        }
        Ok(())
    }
}
