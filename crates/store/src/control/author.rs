//! Who does something to a running platform, and why.

/// Whoever changes something, and the reason he gives: kept in the audit for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The user.
    pub who: String,
    /// The reason, in his words.
    pub reason: String,
}

/// Something that was done and is no change of control data: kept in the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The user.
    pub who: String,
    /// A stable word, such as `purge`.
    pub action: String,
    /// What it was done to, such as `carrier operator-one`.
    pub what: String,
    /// The reason, in the user's words.
    pub reason: String,
    /// What came of it.
    pub detail: String,
}
