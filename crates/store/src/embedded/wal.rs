//! Reads a write-ahead log, to know which pages it holds (SQLite file format §4).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

const HEADER_OCTETS: usize = 32;
const FRAME_HEADER_OCTETS: usize = 24;
/// The first word without its lowest bit, which tells the order of octets in the sums.
const MAGIC: u32 = 0x377f_0682;

/// The pages of all committed transactions in the log, each with the sum of its last content.
///
/// A log that is missing, empty or torn at the end is read up to its last whole commit.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn committed_pages(path: &Path) -> io::Result<BTreeMap<u32, u32>> {
    match fs::read(path) {
        Ok(log) => Ok(pages_in(&log).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn word(octets: &[u8], place: usize) -> Option<u32> {
    octets.get(place..place + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn pages_in(log: &[u8]) -> Option<BTreeMap<u32, u32>> {
    let header = log.get(..HEADER_OCTETS)?;
    if word(header, 0)? & !1 != MAGIC {
        return None;
    }
    let big_endian = word(header, 0)? & 1 == 1;
    let page_octets = usize::try_from(word(header, 8)?).ok()?;
    let salts = header.get(16..24)?;
    let mut sum = checksum((0, 0), &header[..24], big_endian);
    if sum != (word(header, 24)?, word(header, 28)?) {
        return None;
    }
    let mut committed = BTreeMap::new();
    let mut open: Vec<(u32, u32)> = Vec::new();
    for frame in log[HEADER_OCTETS..].chunks_exact(FRAME_HEADER_OCTETS + page_octets) {
        let (head, page) = frame.split_at(FRAME_HEADER_OCTETS);
        sum = checksum(checksum(sum, &head[..8], big_endian), page, big_endian);
        if head.get(8..16)? != salts || sum != (word(head, 16)?, word(head, 20)?) {
            break;
        }
        open.push((word(head, 0)?, crc32fast::hash(page)));
        if word(head, 4)? != 0 {
            committed.extend(open.drain(..));
        }
    }
    Some(committed)
}

fn checksum(seed: (u32, u32), octets: &[u8], big_endian: bool) -> (u32, u32) {
    let read = |octets: [u8; 4]| if big_endian { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) };
    let (mut first, mut second) = seed;
    for pair in octets.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        first = first.wrapping_add(read([a, b, c, d])).wrapping_add(second);
        second = second.wrapping_add(read([e, f, g, h])).wrapping_add(first);
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_pages_of_a_log_are_those_a_checkpoint_writes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let log = directory.path().join("test.db-wal");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
            )
            .unwrap();
        for round in 0..3 {
            for number in 0..300 {
                connection
                    .execute("INSERT OR REPLACE INTO t VALUES (?1, ?2)", (number * 7 % 211, "x".repeat(50 + round)))
                    .unwrap();
            }
            let pages = committed_pages(&log).unwrap();
            let before = fs::read(&path).unwrap();
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
            let after = fs::read(&path).unwrap();
            assert!(!pages.is_empty());
            for (number, page) in (1_u32..).zip(after.chunks_exact(4096)) {
                let start = (number as usize - 1) * 4096;
                match pages.get(&number) {
                    Some(sum) => assert_eq!(*sum, crc32fast::hash(page), "page {number}"),
                    None => assert_eq!(
                        before.get(start..start + 4096),
                        Some(page),
                        "page {number} changed without being in the log"
                    ),
                }
            }
        }
    }

    #[test]
    fn a_torn_log_is_read_up_to_its_last_whole_commit() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("test.db-wal");
        let connection = Connection::open(directory.path().join("test.db")).unwrap();
        connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (a)").unwrap();
        let whole = fs::read(&log).unwrap();
        let first = pages_in(&whole).unwrap();
        connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
        let mut longer = fs::read(&log).unwrap();
        assert_ne!(pages_in(&longer).unwrap(), first);
        let last = longer.len() - 1;
        longer[last] ^= 1;
        assert_eq!(pages_in(&longer).unwrap(), first);
        assert_eq!(pages_in(&longer[..last]).unwrap(), first);
        assert_eq!(pages_in(&whole[..20]), None);
    }
}
