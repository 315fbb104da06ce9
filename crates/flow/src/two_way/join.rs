//! Puts the parts of long messages together, in whatever order and spelling they come.
//!
//! Pure: it is told the time and keeps everything in memory within fixed bounds. What it answers has to
//! be made durable before the operator is; when that fails, it has to be built anew from what is durable.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{CarrierId, MessageId};
use domain::incoming::{IncomingPart, Letters, PartPlace, ReferenceKind};
use domain::limits::{
    JOINED_GROUPS_MAX, JOINED_LIFE_MS, LATE_PART_LIFE_MS, OPEN_GROUP_OCTETS_MAX, OPEN_GROUPS_MAX,
    OPEN_GROUPS_PER_SOURCE_MAX, TOLD_GROUPS_MAX,
};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::hash::BuildHasher;

/// What parts of one message share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    carrier: CarrierId,
    source: Box<str>,
    destination: Box<str>,
    kind: ReferenceKind,
    reference: u16,
    total: u8,
}

impl Key {
    fn of(part: &IncomingPart) -> Self {
        let PartPlace { kind, reference, total, .. } = part.place;
        Self {
            carrier: part.carrier,
            source: part.source.clone(),
            destination: part.destination.clone(),
            kind,
            reference,
            total,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Parts are awaited.
    Open,
    /// Told as far as it came; parts that come now are late.
    Told,
    /// All parts came; remembered to recognise repeats.
    Joined,
}

/// The message that a key stands for at present.
#[derive(Debug)]
struct Group {
    /// Id of the first part.
    id: MessageId,
    /// When that came.
    at: UnixMillis,
    phase: Phase,
    parts: Vec<Held>,
}

/// A part that came.
#[derive(Debug)]
struct Held {
    number: u8,
    id: MessageId,
    content: u64,
    letters: Letters,
    /// Empty once the message was told.
    payload: Box<[u8]>,
}

/// A message that can be told: whole, as far as it came, or one late part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Id of the part that came first.
    pub group: MessageId,
    /// Which operator connection it came over.
    pub carrier: CarrierId,
    /// When the first part came.
    pub at: UnixMillis,
    /// Who wrote, as the operator gave it.
    pub source: Box<str>,
    /// The number that was written to, as the operator gave it.
    pub destination: Box<str>,
    /// What came of the text.
    pub text: String,
    /// Parts it has.
    pub total: u8,
    /// Numbers of the parts that did not come.
    pub missing: Box<[u8]>,
    /// The parts that are in it.
    pub part_ids: Box<[MessageId]>,
    /// It is one part that came after the rest was told.
    pub late_part: Option<u8>,
}

/// What became of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The part, to be kept. A repeat has the id it was first kept under.
    pub part: Option<IncomingPart>,
    /// Whether it is a repeat of a part that came before.
    pub is_repeat: bool,
    /// What can be told now: the message this part completes, and messages that had to make room.
    pub joined: Vec<Joined>,
}

/// A place in a queue of groups by age; outdated when the group has moved on.
type Aged = (UnixMillis, Arc<Key>, MessageId);

/// Open groups of one source, oldest first.
#[derive(Debug, Default)]
struct Source {
    open: usize,
    order: VecDeque<(Arc<Key>, MessageId)>,
}

/// The messages that are being put together.
#[derive(Debug)]
pub struct Joiner {
    join_ms: i64,
    groups: HashMap<Arc<Key>, Group, RandomState>,
    sources: HashMap<(CarrierId, Box<str>), Source, RandomState>,
    /// By phase.
    aged: [VecDeque<Aged>; 3],
    counts: [usize; 3],
    octets: usize,
    hasher: RandomState,
}

impl Joiner {
    /// Nothing yet; messages are told as far as they came `join_ms` after their first part.
    #[must_use]
    pub fn new(join_ms: i64) -> Self {
        Self {
            join_ms,
            groups: HashMap::default(),
            sources: HashMap::default(),
            aged: Default::default(),
            counts: [0; 3],
            octets: 0,
            hasher: RandomState::default(),
        }
    }

    /// Messages that wait for parts.
    #[must_use]
    pub fn open(&self) -> usize {
        self.counts[Phase::Open as usize]
    }

    /// Octets of the parts that wait.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Takes a part; its place must make sense (numbers from 1 to the total).
    pub fn take(&mut self, mut part: IncomingPart, now: UnixMillis) -> Taken {
        let key = Arc::new(Key::of(&part));
        let content = self.hasher.hash_one((part.letters, &part.payload));
        let number = part.place.number;
        let mut taken = Taken::default();
        if let Some(group) = self.groups.get(&key) {
            part.group = group.id;
            match group.parts.iter().find(|held| held.number == number) {
                Some(held) if held.content == content => {
                    part.id = held.id;
                    return Taken { part: Some(part), is_repeat: true, joined: Vec::new() };
                }
                // Another text under the same number: the sender has begun a new message.
                Some(_) => {
                    taken.joined.extend(self.tell_incomplete(&key, now));
                    self.forget(&key);
                    self.open_group(&key, &mut part, content, &mut taken.joined, now);
                }
                None if group.phase == Phase::Told => taken.joined.push(self.late(&key, &part, content)),
                None => self.hold(&key, &part, content),
            }
        } else {
            self.open_group(&key, &mut part, content, &mut taken.joined, now);
        }
        taken.joined.extend(self.tell_complete(&key, now));
        taken.part = Some(part);
        taken
    }

    /// Messages whose time to be put together is over; also forgets what need not be remembered any longer.
    pub fn expire(&mut self, now: UnixMillis) -> Vec<Joined> {
        let mut told = Vec::new();
        while let Some(key) = self.oldest(Phase::Open, Some(now.plus_ms(-self.join_ms))) {
            told.extend(self.tell_incomplete(&key, now));
        }
        for (phase, life_ms) in [(Phase::Told, LATE_PART_LIFE_MS), (Phase::Joined, JOINED_LIFE_MS)] {
            while let Some(key) = self.oldest(phase, Some(now.plus_ms(-life_ms))) {
                self.forget(&key);
            }
        }
        told
    }

    /// Takes back what was kept before: parts in the order in which they came, with whether they were told.
    pub fn restore(&mut self, part: &IncomingPart, told: bool) {
        let key = Arc::new(Key::of(part));
        let content = self.hasher.hash_one((part.letters, &part.payload));
        let is_same = self.groups.get(&key).is_some_and(|group| group.id == part.group);
        if !is_same {
            self.forget(&key);
            let phase = if told { Phase::Told } else { Phase::Open };
            self.insert(&key, Group { id: part.group, at: part.at, phase, parts: Vec::new() }, part.at);
        }
        if self.groups.get(&key).is_some_and(|group| group.parts.iter().all(|held| held.number != part.place.number)) {
            self.hold(&key, part, content);
        }
    }

    fn open_group(
        &mut self,
        key: &Arc<Key>,
        part: &mut IncomingPart,
        content: u64,
        told: &mut Vec<Joined>,
        now: UnixMillis,
    ) {
        self.make_room(key, part.payload.len(), told, now);
        part.group = part.id;
        self.insert(key, Group { id: part.id, at: part.at, phase: Phase::Open, parts: Vec::new() }, now);
        self.hold(key, part, content);
    }

    /// Has the oldest messages told as far as they came, so that one more fits.
    fn make_room(&mut self, key: &Key, octets: usize, told: &mut Vec<Joined>, now: UnixMillis) {
        let source = (key.carrier, key.source.clone());
        while self.sources.get(&source).is_some_and(|source| source.open >= OPEN_GROUPS_PER_SOURCE_MAX) {
            match self.oldest_of(&source) {
                Some(oldest) => told.extend(self.tell_incomplete(&oldest, now)),
                None => break,
            }
        }
        while self.open() >= OPEN_GROUPS_MAX || self.octets + octets > OPEN_GROUP_OCTETS_MAX {
            match self.oldest(Phase::Open, None) {
                Some(oldest) => told.extend(self.tell_incomplete(&oldest, now)),
                None => break,
            }
        }
    }

    fn insert(&mut self, key: &Arc<Key>, group: Group, since: UnixMillis) {
        if group.phase == Phase::Open {
            let source = self.sources.entry((key.carrier, key.source.clone())).or_default();
            source.open += 1;
            source.order.push_back((Arc::clone(key), group.id));
            if source.order.len() > 2 * OPEN_GROUPS_PER_SOURCE_MAX {
                let groups = &self.groups;
                source.order.retain(|(key, id)| is_in(groups, key, *id, Phase::Open) || *id == group.id);
            }
        }
        let (phase, id) = (group.phase, group.id);
        self.counts[phase as usize] += 1;
        self.groups.insert(Arc::clone(key), group);
        self.note_age(phase, since, key, id);
    }

    fn note_age(&mut self, phase: Phase, since: UnixMillis, key: &Arc<Key>, id: MessageId) {
        let queue = &mut self.aged[phase as usize];
        queue.push_back((since, Arc::clone(key), id));
        if queue.len() > 2 * self.counts[phase as usize] + 1_000 {
            let groups = &self.groups;
            queue.retain(|(_, key, id)| is_in(groups, key, *id, phase));
        }
    }

    fn hold(&mut self, key: &Arc<Key>, part: &IncomingPart, content: u64) {
        let Some(group) = self.groups.get_mut(key) else { return };
        let payload = if group.phase == Phase::Open { part.payload.clone() } else { Box::default() };
        self.octets += payload.len();
        group.parts.push(Held { number: part.place.number, id: part.id, content, letters: part.letters, payload });
    }

    fn late(&mut self, key: &Arc<Key>, part: &IncomingPart, content: u64) -> Joined {
        self.hold(key, part, content);
        let text = part.letters.decode(&part.payload);
        let mut joined = self.describe(key, text);
        (joined.part_ids, joined.late_part) = (Box::new([part.id]), Some(part.place.number));
        joined
    }

    fn tell_complete(&mut self, key: &Arc<Key>, now: UnixMillis) -> Option<Joined> {
        let group = self.groups.get(key)?;
        if group.phase == Phase::Joined || group.parts.len() < usize::from(key.total) {
            return None;
        }
        if group.phase == Phase::Told {
            // The last late part: nothing more is awaited, and it was told already.
            self.move_on(key, Phase::Joined, now);
            return None;
        }
        let joined = self.describe(key, text_of(&group.parts));
        self.move_on(key, Phase::Joined, now);
        Some(joined)
    }

    fn tell_incomplete(&mut self, key: &Arc<Key>, now: UnixMillis) -> Option<Joined> {
        let group = self.groups.get(key).filter(|group| group.phase == Phase::Open)?;
        let joined = self.describe(key, text_of(&group.parts));
        self.move_on(key, Phase::Told, now);
        Some(joined)
    }

    fn describe(&self, key: &Arc<Key>, text: String) -> Joined {
        let (id, at, parts) = match self.groups.get(key) {
            Some(group) => (group.id, group.at, group.parts.as_slice()),
            None => (MessageId(0), UnixMillis(0), &[][..]),
        };
        let is_missing = |number: &u8| parts.iter().all(|held| held.number != *number);
        Joined {
            group: id,
            carrier: key.carrier,
            at,
            source: key.source.clone(),
            destination: key.destination.clone(),
            text,
            total: key.total,
            missing: (1..=key.total).filter(is_missing).collect(),
            part_ids: parts.iter().map(|held| held.id).collect(),
            late_part: None,
        }
    }

    /// A message was told: its payloads go, what is remembered of it is bounded.
    fn move_on(&mut self, key: &Arc<Key>, phase: Phase, now: UnixMillis) {
        let Some(group) = self.groups.get_mut(key) else { return };
        let (before, id) = (std::mem::replace(&mut group.phase, phase), group.id);
        for held in &mut group.parts {
            self.octets -= std::mem::take(&mut held.payload).len();
        }
        self.counts[before as usize] -= 1;
        self.counts[phase as usize] += 1;
        if before == Phase::Open {
            self.close_in_source(key);
        }
        self.note_age(phase, now, key, id);
        let most = if phase == Phase::Told { TOLD_GROUPS_MAX } else { JOINED_GROUPS_MAX };
        while self.counts[phase as usize] > most {
            match self.oldest(phase, None) {
                Some(oldest) => self.forget(&oldest),
                None => break,
            }
        }
    }

    fn forget(&mut self, key: &Arc<Key>) {
        let Some(group) = self.groups.remove(key) else { return };
        self.counts[group.phase as usize] -= 1;
        self.octets -= group.parts.iter().map(|held| held.payload.len()).sum::<usize>();
        if group.phase == Phase::Open {
            self.close_in_source(key);
        }
    }

    fn close_in_source(&mut self, key: &Key) {
        let name = (key.carrier, key.source.clone());
        if let Some(source) = self.sources.get_mut(&name) {
            source.open -= 1;
            if source.open == 0 {
                self.sources.remove(&name);
            }
        }
    }

    /// The oldest group of a phase, if it got there at or before `before`.
    fn oldest(&mut self, phase: Phase, before: Option<UnixMillis>) -> Option<Arc<Key>> {
        let queue = &mut self.aged[phase as usize];
        while let Some((since, key, id)) = queue.front() {
            if !is_in(&self.groups, key, *id, phase) {
                queue.pop_front();
                continue;
            }
            return before.is_none_or(|before| *since <= before).then(|| Arc::clone(key));
        }
        None
    }

    fn oldest_of(&mut self, source: &(CarrierId, Box<str>)) -> Option<Arc<Key>> {
        let source = self.sources.get_mut(source)?;
        while let Some((key, id)) = source.order.pop_front() {
            if is_in(&self.groups, &key, id, Phase::Open) {
                return Some(key);
            }
        }
        None
    }
}

fn is_in(groups: &HashMap<Arc<Key>, Group, RandomState>, key: &Arc<Key>, id: MessageId, phase: Phase) -> bool {
    groups.get(key).is_some_and(|group| group.id == id && group.phase == phase)
}

/// What came of a text. Neighbouring parts in the same letters are read as one, for the sender may have
/// cut in the middle of a character.
fn text_of(parts: &[Held]) -> String {
    let mut sorted: Vec<&Held> = parts.iter().collect();
    sorted.sort_by_key(|held| held.number);
    let mut text = String::new();
    let mut octets: Vec<u8> = Vec::new();
    let mut run: Option<(Letters, u8)> = None;
    for held in sorted {
        if let Some((letters, last)) = run
            && (letters != held.letters || last.checked_add(1) != Some(held.number))
        {
            text.push_str(&letters.decode(&std::mem::take(&mut octets)));
        }
        octets.extend_from_slice(&held.payload);
        run = Some((held.letters, held.number));
    }
    if let Some((letters, _)) = run {
        text.push_str(&letters.decode(&octets));
    }
    text
}
