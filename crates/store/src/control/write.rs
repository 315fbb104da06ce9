//! Writing of single entries. Each first has its row, then its values: sealed ones are bound to the row.

use domain::control::{Carrier, Endpoint, SenderEntry};
use rusqlite::{Connection, named_params, params};

use super::content::{AccountEntry, KeyEntry, NumberEntry, RouteEntry, join};
use super::error::ControlError;
use super::names::Named;
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

/// Writes all values of a carrier.
pub(super) fn carrier(connection: &Connection, vault: &Vault, row: u32, carrier: &Carrier) -> Result<(), ControlError> {
    let password =
        vault.seal(Cell { table: "carriers", column: "password", row }, carrier.password.reveal().as_bytes())?;
    connection
        .prepare_cached(
            r#"UPDATE carriers SET host = :host, port = :port, tls = :tls, system_id = :system_id,
                password = :password, system_type = :system_type, interface_version = :interface_version,
                bind = :bind, binds = :binds, priority_binds = :priority_binds, "window" = :window,
                rate_per_second = :rate_per_second, direct = :direct, message_id_format = :message_id_format,
                default_alphabet = :default_alphabet, long_messages = :long_messages WHERE id = :row"#,
        )?
        .execute(named_params! {
            ":host": carrier.host,
            ":port": carrier.port,
            ":tls": carrier.tls,
            ":system_id": carrier.system_id,
            ":password": password,
            ":system_type": carrier.system_type,
            ":interface_version": carrier.interface_version.name(),
            ":bind": carrier.bind.name(),
            ":binds": carrier.binds,
            ":priority_binds": carrier.priority_binds,
            ":window": carrier.window,
            ":rate_per_second": carrier.rate_per_second,
            ":direct": carrier.direct,
            ":message_id_format": carrier.message_id_format.name(),
            ":default_alphabet": carrier.default_alphabet.name(),
            ":long_messages": carrier.long_messages.name(),
            ":row": row,
        })?;
    Ok(())
}

/// Writes all values of a route.
pub(super) fn route(connection: &Connection, row: u32, route: &RouteEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached("UPDATE routes SET carriers = ?1, direct_only = ?2, price = ?3 WHERE id = ?4")?
        .execute(params![join(&route.carriers), route.direct_only, route.price.0, row])?;
    Ok(())
}

/// Writes all values of an account itself.
pub(super) fn account(connection: &Connection, row: u32, account: &AccountEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached(
            "UPDATE accounts SET currency = ?1, balance = ?2, priority = ?3, messages_per_second = ?4 WHERE id = ?5",
        )?
        .execute(params![
            account.currency.letters,
            account.balance.0,
            account.priority,
            account.messages_per_second,
            row
        ])?;
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
    let permissions = join(key.permissions.iter().map(|permission| permission.name()));
    let addresses = join(key.allowed_addresses.iter().map(ToString::to_string));
    connection
        .prepare_cached("UPDATE keys SET senders = ?1, permissions = ?2, allowed_addresses = ?3 WHERE id = ?4")?
        .execute(params![join(&key.senders), permissions, addresses, row])?;
    Ok(())
}

/// Writes all values of an endpoint.
pub(super) fn endpoint(
    connection: &Connection,
    vault: &Vault,
    row: u32,
    endpoint: &Endpoint,
) -> Result<(), ControlError> {
    let seal = |column, secret: &domain::control::Secret| {
        vault.seal(Cell { table: "endpoints", column, row }, secret.reveal().as_bytes())
    };
    connection
        .prepare_cached(
            "UPDATE endpoints SET url = ?1, secondary_url = ?2, secret_key = ?3, signing_secret = ?4,
                basic_user = ?5, basic_password = ?6 WHERE id = ?7",
        )?
        .execute(params![
            endpoint.url,
            endpoint.secondary_url,
            seal("secret_key", &endpoint.secret_key)?,
            seal("signing_secret", &endpoint.signing_secret)?,
            endpoint.basic_user,
            seal("basic_password", &endpoint.basic_password)?,
            row
        ])?;
    Ok(())
}

/// Writes all values of a number.
pub(super) fn number(connection: &Connection, row: u32, number: &NumberEntry) -> Result<(), ControlError> {
    connection
        .prepare_cached("UPDATE numbers SET kind = ?1 WHERE id = ?2")?
        .execute(params![number.kind.name(), row])?;
    Ok(())
}
