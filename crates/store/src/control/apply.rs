//! Making the stored control data what a setup declares, within one transaction.

use std::collections::HashMap;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::{Endpoint, PreviousSecrets, Secret};
use domain::random::Random;
use rusqlite::{Connection, params};

use super::change::ChangeKind;
use super::content::{AccountEntry, Content, Half, KeyEntry, NumberEntry};
use super::diff::Diff;
use super::entity::{self, Entity};
use super::error::ControlError;
use super::key::{generate, half_digest, hint, key_digest};
use super::limits::{APPLICATION_KEY_LENGTH, AUTHORIZATION_LENGTH, SECRET_KEY_LENGTH, SIGNING_SECRET_LENGTH};
use super::vault::Vault;
use super::write::{self, Pair};

const HOUR_MS: i64 = 3_600_000;

/// What an apply did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The version now in force.
    pub version: u64,
    /// What changed, or with a dry run what would.
    pub diff: Diff,
    /// Secrets made by this apply. Those of keys cannot be shown again.
    pub generated: Vec<Generated>,
}

/// A secret made because the file leaves it out.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Whose secret, such as `key acme/backend`.
    pub what: String,
    /// The secret.
    pub secret: GeneratedSecret,
}

/// A generated secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneratedSecret {
    /// The pair of a key, of which at least one half was generated.
    Key {
        /// Value of the `Authorization` header.
        authorization: Secret,
        /// Value of the `Application-Key` header.
        application_key: Secret,
    },
    /// SecretKey of a webhook's checksum headers.
    SecretKey(Secret),
    /// `whsec_…` of a webhook's Standard Webhooks signature.
    SigningSecret(Secret),
}

/// Writes the differences between two contents.
pub(super) struct Writer<'a> {
    connection: &'a Connection,
    vault: &'a Vault,
    random: &'a Random,
    kinds: HashMap<String, ChangeKind>,
    now: UnixMillis,
    generated: Vec<Generated>,
}

impl<'a> Writer<'a> {
    /// A writer within the open transaction of `connection`.
    pub(super) fn new(
        connection: &'a Connection,
        vault: &'a Vault,
        random: &'a Random,
        diff: &Diff,
        now: UnixMillis,
    ) -> Self {
        Self { connection, vault, random, kinds: diff.kinds(), now, generated: Vec::new() }
    }

    /// Writes everything and hands out what was generated.
    pub(super) fn write(mut self, declared: &Content, stored: &Content) -> Result<Vec<Generated>, ControlError> {
        self.remove(stored)?;
        self.write_carriers(declared, stored)?;
        self.write_routes(declared, stored)?;
        self.release_digests(stored)?;
        for account in &declared.accounts {
            let before = stored.accounts.iter().find(|stored| stored.name == account.name);
            self.write_account(account, before)?;
        }
        Ok(self.generated)
    }

    /// The row to write an entry to: a new one, the stored one, or none when nothing changes.
    fn row(
        &self,
        entity: &Entity,
        stored: Option<u32>,
        insert: impl FnOnce() -> Result<u32, ControlError>,
    ) -> Result<Option<u32>, ControlError> {
        match self.kinds.get(&entity.what) {
            Some(ChangeKind::Added) => insert().map(Some),
            Some(ChangeKind::Changed) => Ok(stored),
            Some(ChangeKind::Removed) | None => Ok(None),
        }
    }

    /// Removes what refers to others before the others.
    fn remove(&self, stored: &Content) -> Result<(), ControlError> {
        for account in &stored.accounts {
            let name = &account.name;
            for number in &account.numbers {
                self.remove_one(&entity::number(name, number), "numbers", number.id)?;
            }
            for endpoint in &account.endpoints {
                self.remove_one(&entity::endpoint(name, endpoint), "endpoints", endpoint.id.0)?;
            }
            for sender in &account.senders {
                self.remove_one(&entity::sender(name, sender), "senders", sender.id.0)?;
            }
        }
        for route in &stored.routes {
            self.remove_one(&entity::route(route), "routes", route.id.0)?;
        }
        for carrier in &stored.carriers {
            self.remove_one(&entity::carrier(carrier), "carriers", carrier.id.0)?;
        }
        Ok(())
    }

    fn remove_one(&self, entity: &Entity, table: &'static str, row: u32) -> Result<(), ControlError> {
        if self.kinds.get(&entity.what) == Some(&ChangeKind::Removed) {
            write::remove(self.connection, table, row)?;
        }
        Ok(())
    }

    fn write_carriers(&self, declared: &Content, stored: &Content) -> Result<(), ControlError> {
        // A carrier of an earlier version comes back under the number that messages know it by; 0 is a new one.
        const INSERT: &str = "INSERT INTO carriers (id, name) VALUES (nullif(?1, 0), ?2)";
        for carrier in &declared.carriers {
            let before = stored.carriers.iter().find(|stored| stored.name == carrier.name).map(|stored| stored.id.0);
            let insert = || write::insert(self.connection, INSERT, params![carrier.id.0, carrier.name]);
            if let Some(row) = self.row(&entity::carrier(carrier), before, insert)? {
                write::carrier(self.connection, self.vault, row, carrier)?;
            }
        }
        Ok(())
    }

    fn write_routes(&self, declared: &Content, stored: &Content) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO routes (prefix, network, occurrence) VALUES (?1, ?2, ?3)";
        for route in &declared.routes {
            let entity = entity::route(route);
            let before = stored.routes.iter().find(|stored| entity::route(stored).what == entity.what);
            let insert =
                || write::insert(self.connection, INSERT, params![route.prefix, route.network, route.occurrence]);
            if let Some(row) = self.row(&entity, before.map(|stored| stored.id.0), insert)? {
                write::route(self.connection, row, route)?;
            }
        }
        Ok(())
    }

    /// Keys may swap their pairs, while no two rows may hold the same digest at any moment.
    fn release_digests(&self, stored: &Content) -> Result<(), ControlError> {
        for account in &stored.accounts {
            let changed = |key: &&KeyEntry| self.kinds.contains_key(&entity::key(&account.name, key).what);
            for key in account.keys.iter().filter(changed) {
                self.connection.execute("UPDATE keys SET digest = randomblob(32) WHERE id = ?1", [key.id.0])?;
            }
        }
        Ok(())
    }

    fn write_account(&mut self, account: &AccountEntry, before: Option<&AccountEntry>) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO accounts (name) VALUES (?1)";
        let insert = || write::insert(self.connection, INSERT, [&account.name]);
        let written = self.row(&entity::account(account), before.map(|before| before.id.0), insert)?;
        if let Some(row) = written {
            write::account(self.connection, row, account)?;
        }
        let Some(owner) = written.or_else(|| before.map(|before| before.id.0)) else { return Ok(()) };
        self.write_senders(owner, account, before)?;
        self.write_keys(owner, account, before)?;
        self.write_endpoints(owner, account, before)?;
        self.write_numbers(owner, account, before)
    }

    fn write_senders(
        &self,
        owner: u32,
        account: &AccountEntry,
        before: Option<&AccountEntry>,
    ) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO senders (account, name) VALUES (?1, ?2)";
        for sender in &account.senders {
            let stored = before.and_then(|before| before.sender(sender.name.as_str()));
            let insert = || write::insert(self.connection, INSERT, params![owner, sender.name.as_str()]);
            let entity = entity::sender(&account.name, sender);
            if let Some(row) = self.row(&entity, stored.map(|stored| stored.id.0), insert)? {
                write::sender(self.connection, row, sender)?;
            }
        }
        Ok(())
    }

    fn write_keys(
        &mut self,
        owner: u32,
        account: &AccountEntry,
        before: Option<&AccountEntry>,
    ) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO keys (account, name, digest) VALUES (?1, ?2, randomblob(32))";
        for key in &account.keys {
            let stored = before.and_then(|before| before.keys.iter().find(|stored| stored.name == key.name));
            let insert = || write::insert(self.connection, INSERT, params![owner, key.name]);
            let entity = entity::key(&account.name, key);
            let Some(row) = self.row(&entity, stored.map(|stored| stored.id.0), insert)? else { continue };
            write::key(self.connection, row, key)?;
            match stored.filter(|stored| key.keeps_pair_of(stored)) {
                Some(stored) => write::restore_digest(self.connection, row, stored.digest)?,
                None => {
                    let pair = self.make_pair(&entity.what, key);
                    write::pair(self.connection, self.vault, row, &pair)?;
                }
            }
        }
        Ok(())
    }

    /// The pair of a new or changed key; halves the file leaves out are generated.
    fn make_pair(&mut self, what: &str, key: &KeyEntry) -> Pair {
        let half = |half: &Half, length| match half {
            Half::Given(secret) => secret.clone(),
            Half::Absent | Half::Digest(_) => Secret::new(generate(self.random, length)),
        };
        let authorization = half(&key.authorization, AUTHORIZATION_LENGTH);
        let application_key = half(&key.application_key, APPLICATION_KEY_LENGTH);
        let mut halves = [0; 64];
        halves[..32].copy_from_slice(&half_digest(authorization.reveal()));
        halves[32..].copy_from_slice(&half_digest(application_key.reveal()));
        let digest = key_digest(authorization.reveal(), application_key.reveal());
        let hint = hint(authorization.reveal());
        if key.digest.is_none() {
            let secret = GeneratedSecret::Key { authorization, application_key };
            self.generated.push(Generated { what: what.into(), secret });
        }
        Pair { digest, halves, hint }
    }

    fn write_endpoints(
        &mut self,
        owner: u32,
        account: &AccountEntry,
        before: Option<&AccountEntry>,
    ) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO endpoints (account, event) VALUES (?1, ?2)";
        for endpoint in &account.endpoints {
            let stored =
                before.and_then(|before| before.endpoints.iter().find(|stored| stored.event == endpoint.event));
            let event = endpoint.event.name();
            let insert = || write::insert(self.connection, INSERT, params![owner, event]);
            let entity = entity::endpoint(&account.name, endpoint);
            if let Some(row) = self.row(&entity, stored.map(|stored| stored.id.0), insert)? {
                let whole = self.with_secrets(&entity.what, endpoint, stored);
                write::endpoint(self.connection, self.vault, row, &whole)?;
            }
        }
        Ok(())
    }

    /// The endpoint with the secrets the file leaves out: those stored, else new ones.
    fn with_secrets(&mut self, what: &str, declared: &Endpoint, stored: Option<&Endpoint>) -> Endpoint {
        let mut endpoint = declared.clone();
        if declared.secret_key.reveal().is_empty() {
            endpoint.secret_key = match stored {
                Some(stored) => stored.secret_key.clone(),
                None => {
                    let secret = Secret::new(self.random.alphanumeric(SECRET_KEY_LENGTH));
                    self.announce(what, GeneratedSecret::SecretKey(secret.clone()));
                    secret
                }
            };
        }
        if declared.signing_secret.reveal().is_empty() {
            endpoint.signing_secret = match stored {
                Some(stored) => stored.signing_secret.clone(),
                None => {
                    // Letters and digits are base64 digits: four of them are three random octets.
                    let secret = Secret::new(format!("whsec_{}", self.random.alphanumeric(SIGNING_SECRET_LENGTH)));
                    self.announce(what, GeneratedSecret::SigningSecret(secret.clone()));
                    secret
                }
            };
        }
        if endpoint.previous.is_none() {
            endpoint.previous = stored.and_then(|stored| self.previous_secrets(&endpoint, stored));
        }
        endpoint
    }

    /// The secrets that stay valid beside the endpoint's own: those it had until now, if they change.
    fn previous_secrets(&self, endpoint: &Endpoint, stored: &Endpoint) -> Option<PreviousSecrets> {
        let (secret_key, signing_secret) = (stored.secret_key.clone(), stored.signing_secret.clone());
        if secret_key == endpoint.secret_key && signing_secret == endpoint.signing_secret {
            return stored.previous.clone();
        }
        let overlap_ms = i64::from(endpoint.secret_overlap_hours) * HOUR_MS;
        (overlap_ms > 0).then(|| PreviousSecrets { secret_key, signing_secret, until: self.now.plus_ms(overlap_ms) })
    }

    fn announce(&mut self, what: &str, secret: GeneratedSecret) {
        self.generated.push(Generated { what: what.into(), secret });
    }

    fn write_numbers(
        &self,
        owner: u32,
        account: &AccountEntry,
        before: Option<&AccountEntry>,
    ) -> Result<(), ControlError> {
        const INSERT: &str = "INSERT INTO numbers (account, number, carrier)
            VALUES (?1, ?2, (SELECT id FROM carriers WHERE name = ?3))";
        for number in &account.numbers {
            let entity = entity::number(&account.name, number);
            let same = |stored: &&NumberEntry| stored.number == number.number && stored.carrier == number.carrier;
            let stored = before.and_then(|before| before.numbers.iter().find(same));
            let insert = || write::insert(self.connection, INSERT, params![owner, number.number, number.carrier]);
            if let Some(row) = self.row(&entity, stored.map(|stored| stored.id), insert)? {
                write::number(self.connection, row, number)?;
            }
        }
        Ok(())
    }
}
