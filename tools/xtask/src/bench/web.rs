//! The few HTTP calls of the benchmark itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

/// No answer takes longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// GET of a path; answers status and body.
pub fn get(base: &str, path: &str, headers: &[(&str, &str)]) -> Result<(u16, String)> {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).with_context(|| format!("can't connect to {address}"))?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).context("no status")?.parse()?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}
