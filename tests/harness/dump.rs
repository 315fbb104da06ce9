//! Everything an account can see of its messages, page by page.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};

use crate::http::Connection;
use crate::setup::Account;

/// A message as `GET /v2.1/sms` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose key asked.
    pub account: String,
    /// `externalId`.
    pub external_id: String,
    /// `phoneNumber`, digits only.
    pub phone: String,
    /// `status`.
    pub status: u64,
    /// `message`.
    pub text: String,
}

/// Reads all pages of an account by cursor.
///
/// # Errors
/// An answer that is neither a page nor "nothing found".
pub async fn shown(address: SocketAddr, account: &Account) -> Result<Vec<Shown>> {
    let mut connection = Connection::open(address).await?;
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let path = match &cursor {
            None => "/v2.1/sms?limit=1000".to_owned(),
            Some(cursor) => format!("/v2.1/sms?limit=1000&cursor={cursor}"),
        };
        let answer = connection.call("GET", &path, &account.headers(), b"").await?;
        if answer.status == 404 {
            return Ok(all);
        }
        let page = answer.json()?;
        if answer.status != 200 {
            bail!("GET {path}: {} {page}", answer.status);
        }
        for item in page["data"].as_array().context("no data")? {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            all.push(Shown {
                account: account.name.to_owned(),
                external_id: text("externalId"),
                phone: text("phoneNumber").trim_start_matches('+').to_owned(),
                status: item["status"].as_u64().unwrap_or_default(),
                text: text("message"),
            });
        }
        cursor = page["meta"]["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(all);
        }
    }
}
