//! One thing that is wrong with a request, and a request refused whole.

use std::borrow::Cow;

use domain::problem::Problem;
use flow::accept::{Refusal, RefusalDetail};
use serde::Serialize;

/// Longest excerpt of what was passed that goes back in `meta.value`, in characters.
const VALUE_CHARACTERS_MAX: usize = 100;
/// Faults told in one answer: whoever sends ten thousand wrong numbers learns enough from all of them,
/// so this equals the most recipients a request may hold.
const FAULTS_MAX: usize = domain::limits::RECIPIENTS_PER_REQUEST_MAX;

/// An element of `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub problem: Problem,
    /// The field at fault, empty if none.
    pub parameter: Cow<'static, str>,
    /// What was passed, shortened; empty if nothing helps.
    pub value: String,
    /// What it concerns (an externalId or phone number), empty if none.
    pub source: String,
}

impl Fault {
    /// A fault of the request as a whole.
    #[must_use]
    pub fn plain(problem: Problem) -> Self {
        Self { problem, parameter: Cow::Borrowed(""), value: String::new(), source: String::new() }
    }

    /// A fault of one field or parameter; `value` is what was passed.
    #[must_use]
    pub fn of(problem: Problem, parameter: impl Into<Cow<'static, str>>, value: &str) -> Self {
        let value = value.chars().take(VALUE_CHARACTERS_MAX).collect();
        Self { problem, parameter: parameter.into(), value, source: String::new() }
    }
}

impl From<RefusalDetail> for Fault {
    fn from(detail: RefusalDetail) -> Self {
        let RefusalDetail { problem, parameter, value, source } = detail;
        Self { problem, parameter: Cow::Borrowed(parameter), value, source }
    }
}

/// A request refused whole: at least one fault, the first of which decides the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) faults: Vec<Fault>,
    pub(crate) retry_after_seconds: Option<u32>,
    /// Methods for the `Allow` header of a 405.
    pub(crate) allow: Option<&'static str>,
    /// The rate that was exceeded: requests per window of so many seconds.
    pub(crate) quota: Option<(u32, u32)>,
}

impl Rejection {
    /// Refused for several reasons; an empty list counts as an internal error.
    #[must_use]
    pub fn new(mut faults: Vec<Fault>) -> Self {
        if faults.is_empty() {
            faults.push(Fault::plain(Problem::Internal));
        }
        faults.truncate(FAULTS_MAX);
        Self { faults, retry_after_seconds: None, allow: None, quota: None }
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.faults.first().map_or(500, |fault| fault.problem.http_status())
    }
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self::new(vec![Fault::plain(problem)])
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        Self::new(vec![fault])
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        let rejection = Self::new(refusal.details.into_iter().map(Fault::from).collect());
        Self { retry_after_seconds: refusal.retry_after_seconds, ..rejection }
    }
}

/// `errors[]` as written. Where `meta` is present all its members are, so that strict clients can read it.
#[derive(Serialize)]
pub(super) struct FaultItem<'a> {
    title: &'static str,
    message: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<FaultMeta<'a>>,
}

#[derive(Serialize)]
struct FaultMeta<'a> {
    parameter: &'a str,
    value: &'a str,
    source: &'a str,
}

impl<'a> From<&'a Fault> for FaultItem<'a> {
    fn from(fault: &'a Fault) -> Self {
        let says_more = !(fault.parameter.is_empty() && fault.value.is_empty() && fault.source.is_empty());
        let meta =
            says_more.then_some(FaultMeta { parameter: &fault.parameter, value: &fault.value, source: &fault.source });
        let Fault { problem, .. } = fault;
        Self { title: problem.title(), message: problem.message(), code: problem.code(), meta }
    }
}
