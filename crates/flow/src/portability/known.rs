//! What is known of a number, and where from.

use domain::network::Network;
use domain::phone::Phone;

/// What a source says of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The network that serves it.
    pub network: Network,
    /// Whether it was ported; `None` when the source does not say.
    pub ported: Option<bool>,
    /// The subscriber's IMSI (ITU-T E.212), where the source tells it.
    pub imsi: Option<Box<str>>,
}

/// Where a network is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkSource {
    /// From the file of ported numbers.
    File,
    /// The service was asked just now.
    LookUp,
    /// The service was asked a while ago.
    Cache,
    /// From the range the number lies in: wrong for ported numbers.
    NumberRange,
}

impl NetworkSource {
    /// A stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::LookUp => "lookup",
            Self::Cache => "cache",
            Self::NumberRange => "number_range",
        }
    }
}

/// Everything that is known of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberFacts {
    /// The number.
    pub phone: Phone,
    /// The network that serves it, as far as is known.
    pub network: Network,
    /// What the network calls itself, where the number ranges say so.
    pub name: Option<Box<str>>,
    /// Whether it was ported; `None` when nobody says.
    pub ported: Option<bool>,
    /// The subscriber's IMSI, where the source tells it.
    pub imsi: Option<Box<str>>,
    /// Where that is known from.
    pub source: NetworkSource,
}

/// The service could not be asked, or its answer makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number-portability service can't be asked: {0}")]
pub struct LookUpError(pub(super) String);

impl LookUpError {
    pub(super) fn new(what: impl ToString) -> Self {
        Self(what.to_string())
    }
}
