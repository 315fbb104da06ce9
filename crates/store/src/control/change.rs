//! One difference between a setup and what is stored.

use std::fmt;

/// What happens to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The file names it, the database does not know it.
    Added,
    /// Both know it, with different values.
    Changed,
    /// The database knows it, the file leaves it out.
    Removed,
}

/// One value that differs. Secrets show as `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Key in the setup file.
    pub name: String,
    /// Value stored; `None` for an added entry.
    pub before: Option<String>,
    /// Value declared; `None` for a removed entry.
    pub after: Option<String>,
}

/// One entry that is added, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happens to it.
    pub kind: ChangeKind,
    /// Which entry, such as `carrier operator-one` or `key acme/backend`.
    pub what: String,
    /// For a changed entry the values that differ, else all values.
    pub fields: Vec<FieldChange>,
}

impl Change {
    /// The values on one side, as the audit keeps them: `name = value` lines.
    pub(super) fn side(&self, side: impl Fn(&FieldChange) -> Option<&String>) -> String {
        let lines = self.fields.iter().filter_map(|field| side(field).map(|value| format!("{} = {value}", field.name)));
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Change {
    /// One line: `+ carrier operator-one`, `~ account acme: messages_per_second 0 -> 50`, `- route prefix 48`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ChangeKind::Added => write!(formatter, "+ {}", self.what),
            ChangeKind::Removed => write!(formatter, "- {}", self.what),
            ChangeKind::Changed => {
                write!(formatter, "~ {}:", self.what)?;
                for (index, field) in self.fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    let (before, after) = (shown(field.before.as_deref()), shown(field.after.as_deref()));
                    write!(formatter, "{comma} {} {before} -> {after}", field.name)?;
                }
                Ok(())
            }
        }
    }
}

fn shown(value: Option<&str>) -> &str {
    match value {
        None | Some("") => "(none)",
        Some(value) => value,
    }
}
