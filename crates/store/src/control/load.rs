//! Stored control data, read into the words of the setup file.

use std::collections::HashMap;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::{Carrier, Endpoint, EventKind, PreviousSecrets, Secret, SenderEntry};
use domain::id::{AccountId, CarrierId, EndpointId, KeyId, RouteId, SenderId};
use domain::sender::Sender;
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use super::content::{AccountEntry, Content, Half, KeyEntry, NumberEntry, RouteEntry, split};
use super::error::ControlError;
use super::vault::{Cell, Vault};

/// Reads everything; run it in a transaction to see one version.
pub(super) fn content(connection: &Connection, vault: &Vault) -> Result<Content, ControlError> {
    let carriers = rows(connection, "SELECT * FROM carriers ORDER BY id", |row| carrier(row, vault))?;
    let routes = rows(connection, "SELECT * FROM routes ORDER BY prefix, network, occurrence", route)?;
    let mut accounts = rows(connection, "SELECT * FROM accounts ORDER BY id", account)?;
    let places: HashMap<u32, usize> =
        accounts.iter().enumerate().map(|(place, account)| (account.id.0, place)).collect();
    let owned = |owner: u32| places.get(&owner).copied();
    for (owner, sender) in rows(connection, "SELECT * FROM senders ORDER BY id", |row| with_owner(row, sender))? {
        if let Some(place) = owned(owner) {
            accounts[place].senders.push(sender);
        }
    }
    for (owner, key) in
        rows(connection, "SELECT * FROM keys ORDER BY id", |row| with_owner(row, |row| key(row, vault)))?
    {
        if let Some(place) = owned(owner) {
            accounts[place].keys.push(key);
        }
    }
    let endpoints =
        rows(connection, "SELECT * FROM endpoints ORDER BY id", |row| with_owner(row, |row| endpoint(row, vault)))?;
    for (owner, endpoint) in endpoints {
        if let Some(place) = owned(owner) {
            accounts[place].endpoints.push(endpoint);
        }
    }
    for (owner, number) in rows(connection, NUMBERS, |row| with_owner(row, number))? {
        if let Some(place) = owned(owner) {
            accounts[place].numbers.push(number);
        }
    }
    Ok(Content { carriers, routes, accounts })
}

const NUMBERS: &str = "SELECT numbers.*, carriers.name AS carrier_name
    FROM numbers JOIN carriers ON carriers.id = numbers.carrier ORDER BY numbers.id";

/// The version of the content; 0 before the first apply.
pub(super) fn version(connection: &Connection) -> Result<u64, ControlError> {
    let version: i64 = connection.query_row("SELECT coalesce(max(version), 0) FROM versions", [], |row| row.get(0))?;
    Ok(u64::try_from(version).unwrap_or_default())
}

fn rows<T>(
    connection: &Connection,
    query: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<T, ControlError>,
) -> Result<Vec<T>, ControlError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}

fn with_owner<T>(
    row: &Row<'_>,
    read: impl FnOnce(&Row<'_>) -> Result<T, ControlError>,
) -> Result<(u32, T), ControlError> {
    Ok((row.get("account")?, read(row)?))
}

fn carrier(row: &Row<'_>, vault: &Vault) -> Result<Carrier, ControlError> {
    let id: u32 = row.get("id")?;
    Ok(Carrier {
        id: CarrierId(id),
        name: row.get("name")?,
        password: secret(row, vault, Cell { table: "carriers", column: "password", row: id })?,
        outbind_password: secret(row, vault, Cell { table: "carriers", column: "outbind_password", row: id })?,
        ..settings(row, "carriers")?
    })
}

fn route(row: &Row<'_>) -> Result<RouteEntry, ControlError> {
    let carriers: String = row.get("carriers")?;
    Ok(RouteEntry {
        id: RouteId(row.get("id")?),
        prefix: row.get("prefix")?,
        network: row.get("network")?,
        occurrence: row.get("occurrence")?,
        carriers: split(&carriers).map(Into::into).collect(),
        settings: settings(row, "routes")?,
    })
}

fn account(row: &Row<'_>) -> Result<AccountEntry, ControlError> {
    Ok(AccountEntry {
        id: AccountId(row.get("id")?),
        name: row.get("name")?,
        settings: settings(row, "accounts")?,
        balance_given: true,
        senders: Vec::new(),
        keys: Vec::new(),
        endpoints: Vec::new(),
        numbers: Vec::new(),
    })
}

fn sender(row: &Row<'_>) -> Result<SenderEntry, ControlError> {
    let name = understood(row, "senders", "name", |text| Sender::parse(text).ok())?;
    Ok(SenderEntry { id: SenderId(row.get("id")?), name, approved: row.get("approved")? })
}

fn key(row: &Row<'_>, vault: &Vault) -> Result<KeyEntry, ControlError> {
    let id: u32 = row.get("id")?;
    let cell = Cell { table: "keys", column: "halves", row: id };
    let halves = vault.open(cell, &row.get::<_, Vec<u8>>("halves")?)?;
    let damaged = || ControlError::Sealed { table: cell.table, column: cell.column, row: id };
    let (authorization, application_key) = halves.split_first_chunk::<32>().ok_or_else(damaged)?;
    let application_key = application_key.try_into().map_err(|_| damaged())?;
    let senders: String = row.get("senders")?;
    Ok(KeyEntry {
        id: KeyId(id),
        name: row.get("name")?,
        authorization: Half::Digest(*authorization),
        application_key: Half::Digest(application_key),
        digest: Some(row.get("digest")?),
        senders: split(&senders).map(Into::into).collect(),
        settings: settings(row, "keys")?,
    })
}

fn endpoint(row: &Row<'_>, vault: &Vault) -> Result<Endpoint, ControlError> {
    let id: u32 = row.get("id")?;
    let cell = |column| Cell { table: "endpoints", column, row: id };
    Ok(Endpoint {
        id: EndpointId(id),
        account: AccountId(row.get("account")?),
        event: understood(row, "endpoints", "event", EventKind::by_name)?,
        secret_key: secret(row, vault, cell("secret_key"))?,
        signing_secret: secret(row, vault, cell("signing_secret"))?,
        basic_password: secret(row, vault, cell("basic_password"))?,
        previous: previous(row, vault, cell("previous"))?,
        ..settings(row, "endpoints")?
    })
}

/// The secrets before the last change, as `write::endpoint` joins them.
fn previous(row: &Row<'_>, vault: &Vault, cell: Cell) -> Result<Option<PreviousSecrets>, ControlError> {
    let until: i64 = row.get("previous_until")?;
    if until == 0 {
        return Ok(None);
    }
    let joined = secret(row, vault, cell)?;
    let (secret_key, signing_secret) = joined.reveal().split_once('\n').unwrap_or_default();
    let (secret_key, signing_secret) = (Secret::new(secret_key), Secret::new(signing_secret));
    Ok(Some(PreviousSecrets { secret_key, signing_secret, until: UnixMillis(until) }))
}

fn number(row: &Row<'_>) -> Result<NumberEntry, ControlError> {
    Ok(NumberEntry {
        id: row.get("id")?,
        number: row.get("number")?,
        settings: settings(row, "numbers")?,
        carrier: row.get("carrier_name")?,
    })
}

fn secret(row: &Row<'_>, vault: &Vault, cell: Cell) -> Result<domain::control::Secret, ControlError> {
    vault.open_text(cell, &row.get::<_, Vec<u8>>(cell.column)?)
}

/// The keys of the setup file that have no column of their own.
fn settings<T: DeserializeOwned>(row: &Row<'_>, table: &'static str) -> Result<T, ControlError> {
    understood(row, table, "settings", |text| serde_json::from_str(text).ok())
}

/// A stored text as a value of this program.
fn understood<T>(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ControlError> {
    let text: String = row.get(column)?;
    match read(&text) {
        Some(value) => Ok(value),
        None => Err(ControlError::Stored { table, column, row: row.get("id")?, found: text }),
    }
}
