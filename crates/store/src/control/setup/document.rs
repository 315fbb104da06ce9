//! The text of a setup file with the problems found so far.

use std::cell::RefCell;

use super::problem::SetupProblem;

/// A setup file while it is read.
pub(super) struct Document<'a> {
    text: &'a str,
    problems: RefCell<Vec<(usize, SetupProblem)>>,
}

impl<'a> Document<'a> {
    /// A document without problems so far.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, problems: RefCell::default() }
    }

    /// Notes a problem at an octet of the text.
    pub(super) fn report(&self, offset: usize, key: &str, passed: &str, message: impl Into<String>) {
        let (line, column) = self.place(offset);
        let problem = SetupProblem { line, column, key: key.into(), passed: passed.into(), message: message.into() };
        self.problems.borrow_mut().push((offset, problem));
    }

    /// The line of an octet, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.place(offset).0
    }

    /// The problems in the order of the text.
    pub(super) fn into_problems(self) -> Vec<SetupProblem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|(offset, _)| *offset);
        problems.into_iter().map(|(_, problem)| problem).collect()
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
