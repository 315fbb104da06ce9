//! As much HTTP/1.1 as webhook calls need.

use std::collections::HashMap;

/// Largest call that is read.
pub(super) const CALL_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub path: String,
    /// By lower-case name.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// What a buffer holds.
pub(super) enum Parsed {
    /// A call and how many octets it took.
    Call(Call, usize),
    /// Not everything is there yet.
    Incomplete,
    /// No HTTP we understand.
    Broken,
}

/// Reads one call from the beginning of `buffer`.
pub(super) fn parse(buffer: &[u8]) -> Parsed {
    let Some(head_end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > 64 * 1024 { Parsed::Broken } else { Parsed::Incomplete };
    };
    let Ok(head) = std::str::from_utf8(&buffer[..head_end]) else { return Parsed::Broken };
    let mut lines = head.split("\r\n");
    let Some(path) = lines.next().and_then(|line| line.split(' ').nth(1)) else { return Parsed::Broken };
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse::<usize>().ok());
    let Some(length) = length.filter(|&length| length <= CALL_OCTETS_MAX) else { return Parsed::Broken };
    let body_from = head_end + 4;
    let Some(body) = buffer.get(body_from..body_from + length) else { return Parsed::Incomplete };
    Parsed::Call(Call { path: path.to_owned(), headers, body: body.to_vec() }, body_from + length)
}
