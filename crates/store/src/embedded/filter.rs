//! Which numbers and references a sealed span holds: small filters, so that a look-up opens only the
//! files that can answer.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parking_lot::{Mutex, RwLock};
use xorf::{BinaryFuse8, BinaryFuse16, DmaSerializable, Filter};

use super::files::sync_directory;
use super::limits::{FILTER_OCTETS_MAX, LATE_KEYS_MAX};

/// First octets of a filter file: name and format.
const MAGIC: &[u8; 8] = b"PHfilt\x00\x01";

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A recipient's number.
    Phone,
    /// A reference of a request; see [`super::hash`].
    Reference,
    /// An operator's id of a part.
    Operator,
}

/// The filters of one span. A number that is not there passes once in 256, other keys once in 65,536:
/// every accept and every unknown receipt asks for those.
pub(crate) struct FilterSet {
    phones: BinaryFuse8,
    references: BinaryFuse16,
    operators: BinaryFuse16,
}

/// Memory used by filters, over all spans.
#[derive(Default)]
pub(crate) struct FilterBudget {
    used: AtomicU64,
}

impl FilterBudget {
    /// Whether more is in memory than may be.
    pub fn is_over(&self) -> bool {
        self.used.load(Ordering::Relaxed) > FILTER_OCTETS_MAX
    }
}

impl FilterSet {
    /// Builds filters over the given keys.
    pub fn build(phones: Vec<u64>, references: Vec<u64>, operators: Vec<u64>) -> Result<Self, &'static str> {
        Ok(Self {
            phones: BinaryFuse8::try_from(&distinct(phones))?,
            references: BinaryFuse16::try_from(&distinct(references))?,
            operators: BinaryFuse16::try_from(&distinct(operators))?,
        })
    }

    fn may_hold(&self, kind: KeyKind, key: u64) -> bool {
        match kind {
            KeyKind::Phone => self.phones.contains(&key),
            KeyKind::Reference => self.references.contains(&key),
            KeyKind::Operator => self.operators.contains(&key),
        }
    }

    fn octets(&self) -> u64 {
        let octets = self.phones.len() + 2 * (self.references.len() + self.operators.len());
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// The file's content, with a check sum at the end.
    fn to_octets(&self) -> Vec<u8> {
        let mut octets = MAGIC.to_vec();
        let (phones, references, operators) = (&self.phones, &self.references, &self.operators);
        let fields = |seed: u64, numbers: [u32; 3]| {
            let mut head = seed.to_le_bytes().to_vec();
            numbers.iter().for_each(|number| head.extend_from_slice(&number.to_le_bytes()));
            head
        };
        let narrow = &phones.descriptor;
        let numbers = [narrow.segment_length, narrow.segment_length_mask, narrow.segment_count_length];
        put(&mut octets, &fields(narrow.seed, numbers), phones.dma_fingerprints());
        for wide in [references, operators] {
            let descriptor = &wide.descriptor;
            let numbers = [descriptor.segment_length, descriptor.segment_length_mask, descriptor.segment_count_length];
            put(&mut octets, &fields(descriptor.seed, numbers), wide.dma_fingerprints());
        }
        let sum = crc32fast::hash(&octets);
        octets.extend_from_slice(&sum.to_le_bytes());
        octets
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (content, sum) = octets.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut rest = content.strip_prefix(MAGIC)?;
        // The library offers no constructor from parts, so an empty filter is filled in.
        let mut empty = Self::build(Vec::new(), Vec::new(), Vec::new()).ok()?;
        let (seed, numbers, data) = take(&mut rest)?;
        let narrow = &mut empty.phones;
        narrow.descriptor.seed = seed;
        [
            narrow.descriptor.segment_length,
            narrow.descriptor.segment_length_mask,
            narrow.descriptor.segment_count_length,
        ] = numbers;
        narrow.fingerprints = data.into();
        for wide in [&mut empty.references, &mut empty.operators] {
            let (seed, numbers, data) = take(&mut rest)?;
            wide.descriptor.seed = seed;
            [
                wide.descriptor.segment_length,
                wide.descriptor.segment_length_mask,
                wide.descriptor.segment_count_length,
            ] = numbers;
            wide.fingerprints = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        }
        Some(empty)
    }
}

/// Filters cannot be built over nothing, nor over repeated keys; one key that stands for nothing does no harm.
fn distinct(mut keys: Vec<u64>) -> Vec<u64> {
    keys.push(u64::MAX);
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn put(octets: &mut Vec<u8>, head: &[u8], fingerprints: &[u8]) {
    octets.extend_from_slice(head);
    octets.extend_from_slice(&u64::try_from(fingerprints.len()).unwrap_or(u64::MAX).to_le_bytes());
    octets.extend_from_slice(fingerprints);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<(u64, [u32; 3], &'a [u8])> {
    let seed = u64::from_le_bytes(*rest.split_off(..8)?.as_array()?);
    let mut numbers = [0_u32; 3];
    for number in &mut numbers {
        *number = u32::from_le_bytes(*rest.split_off(..4)?.as_array()?);
    }
    let length = usize::try_from(u64::from_le_bytes(*rest.split_off(..8)?.as_array()?)).ok()?;
    Some((seed, numbers, rest.split_off(..length)?))
}

enum Stored {
    /// There is no valid file: every key may be here.
    Missing,
    /// In the file.
    OnDisk,
    /// In memory too.
    Loaded(Arc<FilterSet>),
}

/// Keys that came after the filter was made.
#[derive(Default)]
struct Late {
    keys: HashSet<(u8, u64), FixedState>,
    overflowed: bool,
    /// Whether a key found no place since [`Filters::late_keys`] was last asked.
    overflowed_since: bool,
}

/// The filters of a span with what came later.
pub(crate) struct Filters {
    path: PathBuf,
    stored: RwLock<Stored>,
    late: Mutex<Late>,
}

impl Filters {
    /// The filters kept in `path`; `is_current` says whether the file, if there is one, holds all keys.
    pub fn new(path: PathBuf, is_current: bool) -> Self {
        let stored = if is_current && path.exists() { Stored::OnDisk } else { Stored::Missing };
        Self { path, stored: RwLock::new(stored), late: Mutex::new(Late::default()) }
    }

    /// Whether the span may hold the key. False is certain.
    pub fn may_hold(&self, kind: KeyKind, key: u64, budget: &FilterBudget) -> bool {
        {
            let late = self.late.lock();
            if late.overflowed || late.keys.contains(&(kind as u8, key)) {
                return true;
            }
        }
        match &*self.stored.read() {
            Stored::Missing => return true,
            Stored::Loaded(set) => return set.may_hold(kind, key),
            Stored::OnDisk => {}
        }
        self.load(budget).is_none_or(|set| set.may_hold(kind, key))
    }

    /// As [`Filters::may_hold`], if that can be said without reading a file.
    pub fn may_hold_in_memory(&self, kind: KeyKind, key: u64) -> Option<bool> {
        let late = self.late.lock();
        if late.overflowed || late.keys.contains(&(kind as u8, key)) {
            return Some(true);
        }
        match &*self.stored.read() {
            Stored::Missing => Some(true),
            Stored::Loaded(set) => Some(set.may_hold(kind, key)),
            Stored::OnDisk => None,
        }
    }

    /// Notes a key that came after the filter was made.
    pub fn add_late(&self, kind: KeyKind, key: u64) {
        let mut late = self.late.lock();
        if late.keys.len() < LATE_KEYS_MAX {
            late.keys.insert((kind as u8, key));
        } else {
            late.overflowed = true;
            late.overflowed_since = true;
        }
    }

    /// Keys noted so far; ask before reading the keys of new filters, and hand them to [`Filters::replace`].
    pub fn late_keys(&self) -> Vec<(u8, u64)> {
        let mut late = self.late.lock();
        late.overflowed_since = false;
        late.keys.iter().copied().collect()
    }

    /// Whether the filters have to be made anew.
    pub fn needs_rebuild(&self) -> bool {
        matches!(*self.stored.read(), Stored::Missing) || self.late.lock().overflowed
    }

    /// Writes new filters durably and uses them from now on. True if no key is missing in them.
    pub fn replace(&self, set: FilterSet, held: &[(u8, u64)], budget: &FilterBudget) -> io::Result<bool> {
        let temporary = self.path.with_extension("filter.new");
        let mut file = File::create(&temporary)?;
        file.write_all(&set.to_octets())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        if let Some(directory) = self.path.parent() {
            sync_directory(directory).map_err(io::Error::other)?;
        }
        self.unload(budget);
        budget.used.fetch_add(set.octets(), Ordering::Relaxed);
        *self.stored.write() = Stored::Loaded(Arc::new(set));
        let mut late = self.late.lock();
        for key in held {
            late.keys.remove(key);
        }
        late.overflowed = late.overflowed_since;
        Ok(!late.overflowed && late.keys.is_empty())
    }

    /// Lets go of the memory.
    pub fn unload(&self, budget: &FilterBudget) {
        let mut stored = self.stored.write();
        if let Stored::Loaded(set) = &*stored {
            budget.used.fetch_sub(set.octets(), Ordering::Relaxed);
            *stored = Stored::OnDisk;
        }
    }

    fn load(&self, budget: &FilterBudget) -> Option<Arc<FilterSet>> {
        let set = fs::read(&self.path).ok().as_deref().and_then(FilterSet::from_octets).map(Arc::new);
        let mut stored = self.stored.write();
        match &set {
            None => {
                tracing::warn!(target: "store", file = %self.path.display(), "a filter is missing or damaged, it is made anew");
                *stored = Stored::Missing;
            }
            Some(set) if !budget.is_over() && matches!(*stored, Stored::OnDisk) => {
                budget.used.fetch_add(set.octets(), Ordering::Relaxed);
                *stored = Stored::Loaded(Arc::clone(set));
            }
            Some(_) => {}
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u64, step: u64) -> Vec<u64> {
        (0..count).map(|number| number * step).collect()
    }

    #[test]
    fn a_filter_survives_the_file_and_a_damaged_file_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("span.filter");
        let budget = FilterBudget::default();
        let filters = Filters::new(path.clone(), true);
        assert!(filters.needs_rebuild() && filters.may_hold(KeyKind::Phone, 5, &budget));
        let set = FilterSet::build(keys(10_000, 3), keys(10_000, 5), Vec::new()).unwrap();
        assert!(filters.replace(set, &[], &budget).unwrap());

        let again = Filters::new(path.clone(), true);
        assert!(keys(10_000, 3).iter().all(|key| again.may_hold(KeyKind::Phone, *key, &budget)));
        assert!(keys(10_000, 5).iter().all(|key| again.may_hold(KeyKind::Reference, *key, &budget)));
        let strangers =
            (0..10_000).filter(|key| again.may_hold(KeyKind::Reference, 1_000_000_007 + key * 7, &budget)).count();
        assert!(strangers < 10, "{strangers} of 10000 passed");
        assert!(!again.may_hold(KeyKind::Operator, 77, &budget));

        let mut octets = fs::read(&path).unwrap();
        octets[100] ^= 4;
        fs::write(&path, octets).unwrap();
        let damaged = Filters::new(path, true);
        assert!(damaged.may_hold(KeyKind::Operator, 77, &budget) && damaged.needs_rebuild());
    }

    #[test]
    fn late_keys_pass_until_a_new_filter_holds_them() {
        let directory = tempfile::tempdir().unwrap();
        let budget = FilterBudget::default();
        let filters = Filters::new(directory.path().join("span.filter"), false);
        filters.replace(FilterSet::build(Vec::new(), Vec::new(), Vec::new()).unwrap(), &[], &budget).unwrap();
        assert!(!filters.may_hold(KeyKind::Operator, 9, &budget));
        filters.add_late(KeyKind::Operator, 9);
        assert!(filters.may_hold(KeyKind::Operator, 9, &budget));
        let held = filters.late_keys();
        filters.add_late(KeyKind::Operator, 10);
        let set = FilterSet::build(Vec::new(), Vec::new(), vec![9]).unwrap();
        assert!(!filters.replace(set, &held, &budget).unwrap());
        assert!(filters.may_hold(KeyKind::Operator, 9, &budget) && filters.may_hold(KeyKind::Operator, 10, &budget));
    }
}
