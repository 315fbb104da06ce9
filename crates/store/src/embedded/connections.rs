//! Idle read connections, the most recently used kept open.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::database::{Fault, Purpose, open_span};
use super::limits::{QUESTION_CHECK_STEPS, READ_CONNECTIONS_MAX};
use super::readers::deadline_passed;
use super::span::Span;
use crate::error::{OpenError, QuestionError};

/// Idle read connections of all spans, least recently used first.
#[derive(Default)]
pub(crate) struct Connections {
    idle: Mutex<Vec<(Arc<str>, Connection)>>,
}

impl Connections {
    /// Lends a connection to `span` for one question.
    pub fn with<T>(
        &self,
        span: &Span,
        question: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, QuestionError> {
        if let Some(damage) = span.damage() {
            return Err(QuestionError::Damaged(damage.clone()));
        }
        let connection = match self.take(span) {
            Some(connection) => connection,
            None => open(span)?,
        };
        let result = question(&connection);
        match result {
            Ok(answer) => {
                self.give_back(span, connection);
                Ok(answer)
            }
            Err(fault) => Err(question_error(span, fault)),
        }
    }

    /// Lends a connection for work in the background, which judges faults itself.
    pub fn with_fault<T>(
        &self,
        span: &Span,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Option<Result<T, Fault>> {
        let connection = self.take(span).map_or_else(|| open(span), Ok).ok()?;
        let result = work(&connection);
        self.give_back(span, connection);
        Some(result)
    }

    /// Closes the connections of a span that goes away.
    pub fn forget(&self, span: &Span) {
        self.idle.lock().retain(|(name, _)| *name != span.short_name);
    }

    /// Closes all.
    pub fn clear(&self) {
        self.idle.lock().clear();
    }

    fn take(&self, span: &Span) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let place = idle.iter().rposition(|(name, _)| Arc::ptr_eq(name, &span.short_name))?;
        Some(idle.remove(place).1)
    }

    fn give_back(&self, span: &Span, connection: Connection) {
        if span.is_deleted() {
            return;
        }
        let oldest = {
            let mut idle = self.idle.lock();
            idle.push((Arc::clone(&span.short_name), connection));
            (idle.len() > READ_CONNECTIONS_MAX).then(|| idle.remove(0))
        };
        drop(oldest);
    }
}

fn open(span: &Span) -> Result<Connection, QuestionError> {
    let mut connection = open_span(&span.path, Purpose::Read).map_err(|error| open_failed(span, error))?;
    let limited = connection.progress_handler(QUESTION_CHECK_STEPS, Some(deadline_passed));
    limited.map_err(|error| question_error(span, error.into()))?;
    Ok(connection)
}

fn open_failed(span: &Span, error: OpenError) -> QuestionError {
    match error {
        OpenError::Database { source, .. } => question_error(span, source.into()),
        OpenError::Foreign { .. } => {
            QuestionError::Damaged(span.set_damaged("page 1: the header is not one of a span"))
        }
        other => QuestionError::Failed { file: Arc::clone(&span.short_name), reason: other.to_string().into() },
    }
}

/// What a fault means for whoever asked.
pub(crate) fn question_error(span: &Span, fault: Fault) -> QuestionError {
    match fault {
        Fault::Corrupt(place) => QuestionError::Damaged(span.set_damaged(&place)),
        Fault::BadRow(place) => QuestionError::Damaged(span.note_bad_row(&place)),
        Fault::Interrupted => QuestionError::TimedOut,
        Fault::Full => QuestionError::Failed { file: Arc::clone(&span.short_name), reason: "the disk is full".into() },
        Fault::Disk(reason) | Fault::Other(reason) => {
            QuestionError::Failed { file: Arc::clone(&span.short_name), reason: reason.into() }
        }
    }
}
