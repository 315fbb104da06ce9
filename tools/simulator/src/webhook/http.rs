//! As much HTTP/1.1 as webhook calls need.

use memchr::memmem;

/// Largest call that is read.
const CALL_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// Largest head that is read.
const HEAD_OCTETS_MAX: usize = 64 * 1024;

/// One call, borrowed from the buffer it was read into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) path: &'a str,
    /// The header lines.
    headers: &'a str,
    pub(super) body: &'a [u8],
}

impl<'a> Call<'a> {
    /// The value of a header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        find(self.headers, name)
    }
}

/// What a buffer holds.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// A call and how many octets it took.
    Call(Call<'a>, usize),
    /// Not everything is there yet.
    Incomplete,
    /// No HTTP we understand.
    Broken,
}

fn find<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    headers.split("\r\n").find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name).then(|| value.strip_prefix(':'))?.map(str::trim)
    })
}

/// Reads one call from the beginning of `buffer`.
pub(super) fn parse(buffer: &[u8]) -> Parsed<'_> {
    let Some(head_end) = memmem::find(buffer, b"\r\n\r\n") else {
        return if buffer.len() > HEAD_OCTETS_MAX { Parsed::Broken } else { Parsed::Incomplete };
    };
    let Ok(head) = std::str::from_utf8(&buffer[..head_end]) else { return Parsed::Broken };
    let (request_line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = request_line.split(' ');
    let (Some("POST"), Some(path)) = (words.next(), words.next()) else { return Parsed::Broken };
    let length = find(headers, "content-length").map_or(Some(0), |length| length.parse::<usize>().ok());
    let Some(length) = length.filter(|&length| length <= CALL_OCTETS_MAX) else { return Parsed::Broken };
    let body_from = head_end + 4;
    let Some(body) = buffer.get(body_from..body_from + length) else { return Parsed::Incomplete };
    Parsed::Call(Call { path, headers, body }, body_from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_once_it_is_whole_and_the_next_one_stays() {
        let octets = b"POST /hooks?a=1 HTTP/1.1\r\nHost: x\r\nCONTENT-length: 4\r\nRequest-Id:  r-1 \r\n\r\n[{}]POST";
        let whole = octets.len() - 4;
        for part in 0..whole {
            assert!(matches!(parse(&octets[..part]), Parsed::Incomplete), "{part}");
        }
        let Parsed::Call(call, taken) = parse(octets) else { panic!("it is whole") };
        assert_eq!((call.path, call.body, taken), ("/hooks?a=1", &b"[{}]"[..], whole));
        assert_eq!((call.header("request-id"), call.header("request")), (Some("r-1"), None));
    }

    #[test]
    fn what_is_no_call_is_not_read_on() {
        let broken = |octets: &[u8]| matches!(parse(octets), Parsed::Broken);
        assert!(broken(b"GET / HTTP/1.1\r\n\r\n"));
        assert!(broken(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"));
        assert!(broken(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"));
        assert!(broken(&vec![b'x'; HEAD_OCTETS_MAX + 1]));
    }
}
