//! Writing of single entries. Each first has its row, then its values: sealed ones are bound to the row.

use domain::control::{Carrier, Endpoint, PreviousSecrets, Secret, SenderEntry};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::content::{AccountEntry, KeyEntry, NumberEntry, RouteEntry, join};
use super::error::ControlError;
use super::vault::{Cell, Vault};

/// Inserts a row that only has its identity so far.
pub(super) fn insert(
    connection: &Connection,
    query: &str,
    identity: impl rusqlite::Params,
) -> Result<u32, ControlError> {
    connection.prepare_cached(query)?.execute(identity)?;
    Ok(connection.query_row("SELECT last_insert_rowid()", [], |row| row.get(0))?)
}

/// Removes one row.
pub(super) fn remove(connection: &Connection, table: &'static str, row: u32) -> Result<(), ControlError> {
    connection.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [row])?;
    Ok(())
}

/// The keys of the setup file that have no column of their own.
fn settings(settings: &impl Serialize) -> Result<String, ControlError> {
    serde_json::to_string(settings).map_err(|error| ControlError::Settings(error.to_string()))
}

/// Writes all values of a carrier.
pub(super) fn carrier(connection: &Connection, vault: &Vault, row: u32, carrier: &Carrier) -> Result<(), ControlError> {
    let seal =
        |column, secret: &Secret| vault.seal(Cell { table: "carriers", column, row }, secret.reveal().as_bytes());
    connection
        .prepare_cached("UPDATE carriers SET password = ?1, outbind_password = ?2, settings = ?3 WHERE id = ?4")?
        .execute(params![
            seal("password", &carrier.password)?,
            seal("outbind_password", &carrier.outbind_password)?,
            settings(carrier)?,
            row
        ])?;
    Ok(())
}

/// Writes all values of a route.
pub(super) fn route(connection: &Connection, row: u32, route: &RouteEntry) -> Result<(), ControlError> {
    connection.prepare_cached("UPDATE routes SET carriers = ?1, settings = ?2 WHERE id = ?3")?.execute(params![
        join(&route.carriers),
        settings(&route.settings)?,
        row
    ])?;
    Ok(())
}

/// Writes all values of an account itself.
pub(super) fn account(connection: &Connection, row: u32, account: &AccountEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached("UPDATE accounts SET settings = ?1 WHERE id = ?2")?
        .execute(params![settings(&account.settings)?, row])?;
    Ok(())
}

/// Writes all values of a sender.
pub(super) fn sender(connection: &Connection, row: u32, sender: &SenderEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached("UPDATE senders SET approved = ?1 WHERE id = ?2")?
        .execute(params![sender.approved, row])?;
    Ok(())
}

/// What is kept of a key's pair.
pub(super) struct Pair {
    /// Digest of both halves, by which the key is found.
    pub(super) digest: [u8; 32],
    /// Digests of each half, one after the other.
    pub(super) halves: [u8; 64],
    /// What may be shown of the `Authorization`.
    pub(super) hint: String,
}

/// Writes the pair of a key.
pub(super) fn pair(connection: &Connection, vault: &Vault, row: u32, pair: &Pair) -> Result<(), ControlError> {
    let halves = vault.seal(Cell { table: "keys", column: "halves", row }, &pair.halves)?;
    connection
        .prepare_cached("UPDATE keys SET digest = ?1, halves = ?2, hint = ?3 WHERE id = ?4")?
        .execute(params![pair.digest, halves, pair.hint, row])?;
    Ok(())
}

/// Gives a key back the digest it had before the apply.
pub(super) fn restore_digest(connection: &Connection, row: u32, digest: Option<[u8; 32]>) -> Result<(), ControlError> {
    connection.prepare_cached("UPDATE keys SET digest = ?1 WHERE id = ?2")?.execute(params![digest, row])?;
    Ok(())
}

/// Writes what a key may do.
pub(super) fn key(connection: &Connection, row: u32, key: &KeyEntry) -> Result<(), ControlError> {
    connection.prepare_cached("UPDATE keys SET senders = ?1, settings = ?2 WHERE id = ?3")?.execute(params![
        join(&key.senders),
        settings(&key.settings)?,
        row
    ])?;
    Ok(())
}

/// Writes all values of an endpoint.
pub(super) fn endpoint(
    connection: &Connection,
    vault: &Vault,
    row: u32,
    endpoint: &Endpoint,
) -> Result<(), ControlError> {
    let seal =
        |column, secret: &Secret| vault.seal(Cell { table: "endpoints", column, row }, secret.reveal().as_bytes());
    connection
        .prepare_cached(
            "UPDATE endpoints SET secret_key = ?1, signing_secret = ?2, basic_password = ?3, settings = ?4,
                previous = ?5, previous_until = ?6 WHERE id = ?7",
        )?
        .execute(params![
            seal("secret_key", &endpoint.secret_key)?,
            seal("signing_secret", &endpoint.signing_secret)?,
            seal("basic_password", &endpoint.basic_password)?,
            settings(endpoint)?,
            seal("previous", &previous(endpoint))?,
            endpoint.previous.as_ref().map_or(0, |previous| previous.until.0),
            row
        ])?;
    Ok(())
}

/// The secrets before the last change in one text; neither of them holds a line end.
fn previous(endpoint: &Endpoint) -> Secret {
    let joined =
        |previous: &PreviousSecrets| format!("{}\n{}", previous.secret_key.reveal(), previous.signing_secret.reveal());
    Secret::new(endpoint.previous.as_ref().map(joined).unwrap_or_default())
}

/// Writes all values of a number.
pub(super) fn number(connection: &Connection, row: u32, number: &NumberEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached("UPDATE numbers SET settings = ?1 WHERE id = ?2")?
        .execute(params![settings(&number.settings)?, row])?;
    Ok(())
}
