//! Carriers that are held back: a state beside the versions, so that going back to one does not end a pause.

use std::collections::HashMap;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::{Hold, HoldMode};
use domain::id::CarrierId;
use rusqlite::{Connection, params};

use super::author::Author;
use super::error::ControlError;

/// All carriers that are held back.
pub(super) fn load(connection: &Connection) -> Result<HashMap<CarrierId, Hold>, ControlError> {
    let mut statement = connection.prepare_cached("SELECT * FROM holds")?;
    let mut rows = statement.query([])?;
    let mut holds = HashMap::new();
    while let Some(row) = rows.next()? {
        let (carrier, mode): (u32, String) = (row.get("carrier")?, row.get("mode")?);
        let known = HoldMode::by_name(&mode);
        let mode = known.ok_or(ControlError::Stored { table: "holds", column: "mode", row: carrier, found: mode })?;
        let hold =
            Hold { mode, since: UnixMillis(row.get("since_ms")?), who: row.get("who")?, reason: row.get("reason")? };
        holds.insert(CarrierId(carrier), hold);
    }
    Ok(holds)
}

/// Holds a carrier back, or lets it go on.
pub(super) fn set(
    connection: &Connection,
    at: UnixMillis,
    carrier: CarrierId,
    mode: Option<HoldMode>,
    author: &Author,
) -> Result<(), ControlError> {
    connection.execute("DELETE FROM holds WHERE carrier = ?1", [carrier.0])?;
    if let Some(mode) = mode {
        connection.execute(
            "INSERT INTO holds (carrier, mode, since_ms, who, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![carrier.0, mode.name(), at.0, author.who, author.reason],
        )?;
    }
    Ok(())
}
