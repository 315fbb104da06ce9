//! All differences between a setup and what is stored.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::change::{Change, ChangeKind};
use super::content::{AccountEntry, Content};
use super::entity::{self, Entity};

/// What applying a setup changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The changes: carriers, routes, then accounts with what is theirs.
    pub changes: Vec<Change>,
    /// Accounts and keys that the file leaves out and that stay, such as `key acme/old`.
    pub kept: Vec<String>,
    /// What took a default that is worth a second look, in sentences.
    pub notices: Vec<String>,
}

impl Diff {
    /// Whether applying would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What happens to each entry that does not stay as it is.
    pub(super) fn kinds(&self) -> HashMap<String, ChangeKind> {
        self.changes.iter().map(|change| (change.what.clone(), change.kind)).collect()
    }

    /// Compares what is declared with what is stored.
    pub(super) fn between(declared: &Content, stored: &Content) -> Self {
        let mut diff = Self::default();
        diff.compare(declared.carriers.iter().map(entity::carrier), stored.carriers.iter().map(entity::carrier), false);
        diff.compare(declared.routes.iter().map(entity::route), stored.routes.iter().map(entity::route), false);
        diff.compare(declared.accounts.iter().map(entity::account), stored.accounts.iter().map(entity::account), true);
        for account in &declared.accounts {
            let stored = stored.accounts.iter().find(|stored| stored.name == account.name);
            diff.compare_owned(account, stored);
        }
        diff
    }

    fn compare_owned(&mut self, declared: &AccountEntry, stored: Option<&AccountEntry>) {
        let parts: [(Part, bool); 4] = [(senders, false), (keys, true), (endpoints, false), (numbers, false)];
        for (part, keep) in parts {
            self.compare(part(declared), stored.map(part).unwrap_or_default(), keep);
        }
    }

    /// Compares entries of one kind; what is not declared is kept or removed.
    fn compare(
        &mut self,
        declared: impl IntoIterator<Item = Entity>,
        stored: impl IntoIterator<Item = Entity>,
        keep: bool,
    ) {
        let stored: Vec<Entity> = stored.into_iter().collect();
        let by_name: HashMap<&str, &Entity> = stored.iter().map(|entity| (entity.what.as_str(), entity)).collect();
        let mut named = HashSet::new();
        for entity in declared {
            let (kind, fields) = match by_name.get(entity.what.as_str()) {
                None => (ChangeKind::Added, entity.added()),
                Some(before) => (ChangeKind::Changed, entity.changed(before)),
            };
            named.insert(entity.what.clone());
            if kind == ChangeKind::Added || !fields.is_empty() {
                self.changes.push(Change { kind, what: entity.what, fields });
            }
        }
        for entity in stored.iter().filter(|entity| !named.contains(&entity.what)) {
            if keep {
                self.kept.push(entity.what.clone());
            } else {
                let fields = entity.removed();
                self.changes.push(Change { kind: ChangeKind::Removed, what: entity.what.clone(), fields });
            }
        }
    }
}

/// The entries of one kind that an account has.
type Part = fn(&AccountEntry) -> Vec<Entity>;

fn senders(account: &AccountEntry) -> Vec<Entity> {
    account.senders.iter().map(|sender| entity::sender(&account.name, sender)).collect()
}

fn keys(account: &AccountEntry) -> Vec<Entity> {
    account.keys.iter().map(|key| entity::key(&account.name, key)).collect()
}

fn endpoints(account: &AccountEntry) -> Vec<Entity> {
    account.endpoints.iter().map(|endpoint| entity::endpoint(&account.name, endpoint)).collect()
}

fn numbers(account: &AccountEntry) -> Vec<Entity> {
    account.numbers.iter().map(|number| entity::number(&account.name, number)).collect()
}

impl fmt::Display for Diff {
    /// One line per change, then one per entry that is kept although the file leaves it out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes.iter().map(ToString::to_string);
        let kept = self.kept.iter().map(|what| format!("= {what}: kept, the file does not name it"));
        let lines: Vec<String> = changes.chain(kept).collect();
        formatter.write_str(&lines.join("\n"))
    }
}
