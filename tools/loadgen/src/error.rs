//! What can keep a run from starting or finishing.

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An option that cannot be meant like this.
    #[error("{option}: {reason}")]
    Option {
        /// Its name on the command line.
        option: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The server could not be reached at the start.
    #[error("cannot connect to {address}: {source}; check that the server is running and that --url names it")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// This machine refused something the tool itself needs.
    #[error("the load tool could not {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The thread of the run ended without a result.
    #[error("the load thread ended without a result; its panic message stands above")]
    Lost,
}

impl LoadError {
    pub(crate) fn option(option: &'static str, reason: impl Into<String>) -> Self {
        Self::Option { option, reason: reason.into() }
    }
}
