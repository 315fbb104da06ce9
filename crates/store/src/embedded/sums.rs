//! Check sums over the pages of a sealed file: SQLite has none of its own, and years are long.
//!
//! Late facts still change pages. Their new sums are noted from the log before it is copied back, so
//! that a page is only ever given a new sum for content that was committed; rot is never taken over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::files::sync_directory;

/// First octets of a sums file: name and format.
const MAGIC: &[u8; 8] = b"PHsums\x00\x01";
/// Page size of every span.
pub(crate) const PAGE_OCTETS: usize = 4096;

/// Sums of all pages, from page 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageSums {
    sums: Vec<u32>,
    /// New sums of pages that are being copied back: until that is done, either is right.
    pending: BTreeMap<u32, u32>,
}

/// Why sums cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SumsFault {
    /// There are none.
    #[error("there are none")]
    Missing,
    /// The sums file itself is damaged.
    #[error("they are damaged themselves")]
    Damaged,
    /// It cannot be read.
    #[error("they cannot be read: {0}")]
    Unreadable(String),
}

/// Where the sums of a span are.
pub(crate) fn sums_path(span: &Path) -> PathBuf {
    span.with_extension("sums")
}

impl PageSums {
    /// Sums up a file as it is.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut sums = Vec::new();
        each_page(path, |_, page| sums.push(crc32fast::hash(page)))?;
        Ok(Self { sums, pending: BTreeMap::new() })
    }

    /// Reads sums back.
    pub fn read(path: &Path) -> Result<Self, SumsFault> {
        let octets = match fs::read(path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SumsFault::Missing),
            Err(error) => return Err(SumsFault::Unreadable(error.to_string())),
        };
        Self::from_octets(&octets).ok_or(SumsFault::Damaged)
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (content, sum) = octets.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return None;
        }
        let words = content.strip_prefix(MAGIC)?.as_chunks::<4>().0;
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let pages = words.next()? as usize;
        let sums: Vec<u32> = words.by_ref().take(pages).collect();
        let mut pending = BTreeMap::new();
        while let (Some(page), Some(sum)) = (words.next(), words.next()) {
            pending.insert(page, sum);
        }
        (sums.len() == pages).then_some(Self { sums, pending })
    }

    /// Writes the sums so that either the old or the new ones are there, whatever happens.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut octets = MAGIC.to_vec();
        let pages = u32::try_from(self.sums.len()).map_err(io::Error::other)?;
        octets.extend_from_slice(&pages.to_le_bytes());
        self.sums.iter().for_each(|sum| octets.extend_from_slice(&sum.to_le_bytes()));
        for (page, sum) in &self.pending {
            octets.extend_from_slice(&page.to_le_bytes());
            octets.extend_from_slice(&sum.to_le_bytes());
        }
        octets.extend_from_slice(&crc32fast::hash(&octets).to_le_bytes());
        let temporary = path.with_extension("sums.new");
        let mut file = File::create(&temporary)?;
        file.write_all(&octets)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        path.parent().map_or(Ok(()), |directory| sync_directory(directory).map_err(io::Error::other))
    }

    /// Notes what the log will make of pages.
    pub fn expect(&mut self, pages: BTreeMap<u32, u32>) {
        self.pending.extend(pages);
    }

    /// The log has been copied back.
    pub fn settle(&mut self) {
        for (page, sum) in std::mem::take(&mut self.pending) {
            let Some(place) = (page as usize).checked_sub(1) else { continue };
            if place >= self.sums.len() {
                self.sums.resize(place + 1, 0);
            }
            self.sums[place] = sum;
        }
    }

    /// Pages of a file that are not what was written, apart from those that a log replaces.
    pub fn mismatches(&self, path: &Path, in_log: &BTreeMap<u32, u32>) -> io::Result<Vec<u32>> {
        let mut wrong = Vec::new();
        let mut pages = 0;
        each_page(path, |number, page| {
            pages = number;
            let sum = crc32fast::hash(page);
            let expected = self.sums.get(number as usize - 1).copied();
            let is_right =
                expected == Some(sum) || self.pending.get(&number) == Some(&sum) || in_log.contains_key(&number);
            if !is_right {
                wrong.push(number);
            }
        })?;
        // What is missing at the end is as wrong as what was changed.
        let summed = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
        wrong.extend((pages + 1..=summed).filter(|page| !in_log.contains_key(page)).take(1));
        Ok(wrong)
    }
}

fn each_page(path: &Path, mut take: impl FnMut(u32, &[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0_u8; 256 * PAGE_OCTETS];
    let mut number = 0;
    loop {
        let filled = read_full(&mut file, &mut buffer)?;
        for page in buffer[..filled].chunks(PAGE_OCTETS) {
            number += 1;
            take(number, page);
        }
        if filled < buffer.len() {
            return Ok(());
        }
    }
}

fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_page_is_named_and_an_expected_change_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("span.db");
        let mut content = vec![7_u8; 5 * PAGE_OCTETS];
        fs::write(&path, &content).unwrap();
        let mut sums = PageSums::of_file(&path).unwrap();
        sums.write(&sums_path(&path)).unwrap();
        let none = BTreeMap::new();
        assert_eq!(PageSums::read(&sums_path(&path)).unwrap().mismatches(&path, &none).unwrap(), Vec::<u32>::new());
        content[2 * PAGE_OCTETS + 5] ^= 1;
        fs::write(&path, &content).unwrap();
        assert_eq!(sums.mismatches(&path, &none).unwrap(), [3]);
        sums.expect(BTreeMap::from([(3, crc32fast::hash(&content[2 * PAGE_OCTETS..3 * PAGE_OCTETS]))]));
        assert_eq!(sums.mismatches(&path, &none).unwrap(), Vec::<u32>::new());
        sums.settle();
        sums.write(&sums_path(&path)).unwrap();
        assert_eq!(PageSums::read(&sums_path(&path)).unwrap().mismatches(&path, &none).unwrap(), Vec::<u32>::new());
        fs::write(&path, &content[..4 * PAGE_OCTETS]).unwrap();
        assert_eq!(sums.mismatches(&path, &none).unwrap(), [5]);
        assert_eq!(sums.mismatches(&path, &BTreeMap::from([(5, 1)])).unwrap(), Vec::<u32>::new());
    }

    #[test]
    fn damaged_sums_are_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("span.sums");
        PageSums { sums: vec![1, 2, 3], pending: BTreeMap::from([(2, 9)]) }.write(&path).unwrap();
        let mut octets = fs::read(&path).unwrap();
        octets[13] ^= 1;
        fs::write(&path, octets).unwrap();
        assert!(matches!(PageSums::read(&path), Err(SumsFault::Damaged)));
        assert!(matches!(PageSums::read(&directory.path().join("none")), Err(SumsFault::Missing)));
    }
}
