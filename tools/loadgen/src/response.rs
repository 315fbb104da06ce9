//! As much of an HTTP/1.1 response as a load tool needs: status, length, whether the connection stays.

use memchr::memmem;

/// The head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) head_octets: usize,
    pub(crate) body_octets: usize,
    pub(crate) close: bool,
}

/// The response is none, or of a kind this client does not read (no length).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Reads a head; `None` if it is not complete yet.
pub(crate) fn read_head(octets: &[u8]) -> Result<Option<Head>, Unreadable> {
    let Some(end) = memmem::find(octets, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &octets[..end];
    let status_line = head.strip_prefix(b"HTTP/1.").ok_or(Unreadable)?;
    let close_by_version = status_line.first() == Some(&b'0');
    let status = std::str::from_utf8(status_line.get(2..5).ok_or(Unreadable)?).map_err(|_| Unreadable)?;
    let status = status.parse().map_err(|_| Unreadable)?;
    let mut body_octets = None;
    let mut close = close_by_version;
    for line in head.split(|&octet| octet == b'\n').skip(1) {
        // Two letters rule out nearly every other header before its name is compared.
        match line.first().map(u8::to_ascii_lowercase) {
            Some(b'c') => {}
            Some(b't') if header(line, b"transfer-encoding").is_some() => return Err(Unreadable),
            _ => continue,
        }
        if let Some(value) = header(line, b"content-length") {
            let value = std::str::from_utf8(value).map_err(|_| Unreadable)?;
            body_octets = Some(value.parse().map_err(|_| Unreadable)?);
        } else if let Some(value) = header(line, b"connection") {
            close = value.eq_ignore_ascii_case(b"close");
        }
    }
    let bodiless = status == 204 || status == 304;
    let body_octets = if bodiless { 0 } else { body_octets.ok_or(Unreadable)? };
    Ok(Some(Head { status, head_octets: end + 4, body_octets, close }))
}

/// The `Content-Length` among these header lines, if it is there and a number.
pub(crate) fn content_length(head: &[u8]) -> Option<usize> {
    let value = head.split(|&octet| octet == b'\n').find_map(|line| header(line, b"content-length"))?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    if !found.eq_ignore_ascii_case(name) {
        return None;
    }
    value.strip_prefix(b":").map(<[u8]>::trim_ascii)
}

/// Whether the envelope of a 200 reports `recipients` accepted messages.
pub(crate) fn reports_all(body: &[u8], recipients: u32) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope {
        meta: Meta,
        data: Vec<serde::de::IgnoredAny>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        status: u16,
        number_of_data: u64,
        number_of_errors: u64,
    }
    serde_json::from_slice::<Envelope>(body).is_ok_and(|Envelope { meta, data }| {
        meta.status == 200
            && meta.number_of_errors == 0
            && meta.number_of_data == u64::from(recipients)
            && data.len() == recipients as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let octets =
            b"HTTP/1.1 207 Multi-Status\r\ncontent-type: x\r\nContent-LENGTH: 12 \r\nconnection: close\r\n\r\nbody";
        let end = octets.len() - 4;
        for part in 0..end {
            assert_eq!(read_head(&octets[..part]), Ok(None));
        }
        let head = Head { status: 207, head_octets: end, body_octets: 12, close: true };
        assert_eq!(read_head(octets), Ok(Some(head)));
    }

    #[test]
    fn what_has_no_length_is_not_guessed() {
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\n\r\n"), Err(Unreadable));
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Unreadable));
        assert_eq!(read_head(b"SSH-2.0 hello\r\n\r\n"), Err(Unreadable));
        assert_eq!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().body_octets, 0);
    }

    #[test]
    fn an_envelope_must_report_every_message() {
        let body = br#"{"meta":{"numberOfErrors":0,"numberOfData":2,"status":200,"uniqId":"x"},"data":[{},{}]}"#;
        assert!(reports_all(body, 2));
        assert!(!reports_all(body, 3));
        assert!(!reports_all(br#"{"meta":{"numberOfErrors":0,"numberOfData":2,"status":200},"data":[{}]}"#, 2));
        assert!(!reports_all(b"oops", 2));
    }
}
