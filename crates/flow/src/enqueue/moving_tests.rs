//! A message is in one line at a time, and leaves once, however moves, orders, fetches, binds and cancels interleave.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::{Lane, Traffic};
use domain::phone::Phone;
use domain::request::{Content, Waiting};
use domain::sender::Sender;
use smallvec::SmallVec;
use text::Encoding;

use super::job::{Entry, Job, Shared};
use super::line::{Fetch, Line};
use super::lines::Enqueue;
use super::moving::{Whole, hand_over};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn entry(id: i64, parts: u8) -> Entry {
    let content = Content {
        key: domain::id::KeyId(1),
        links: None,
        traffic: Traffic::Transactional,
        sender: Sender::parse("ACME").expect("a sender"),
        text: "hello".into(),
        encoding: Encoding::Gsm7,
        parts,
        flash: false,
        accepted_at: NOW,
        due_at: NOW,
        expires_at: NOW.plus_ms(60_000),
    };
    Entry::of_waiting(Waiting {
        id: MessageId(id),
        account: AccountId(1),
        phone: Phone::parse("48500100200").expect("a number"),
        carrier: CarrierId(1),
        due_at: NOW,
        content: Arc::new(content),
        parts_taken: SmallVec::new(),
        parts_intended: SmallVec::new(),
    })
}

fn moved(whole: &Whole) -> Entry {
    whole.entry.elsewhere(Shared::new(Arc::clone(&whole.entry.job.shared.content)), SmallVec::new())
}

fn take(line: &Line, room: usize) -> Vec<(Arc<Job>, u8)> {
    let mut parts = Vec::new();
    line.take(room, NOW, &mut parts);
    parts
}

#[test]
fn only_whole_messages_move_and_scattered_parts_are_gathered() {
    let [from, to] = [1, 2].map(|carrier| Line::new(Lane::Standard, CarrierId(carrier)));
    from.push([entry(1, 1), entry(2, 3), entry(3, 2), entry(4, 1)].into_iter());
    // Part 1 of message 2 comes back last and alone; part 1 of message 3 stays with a bind.
    let mut out = take(&from, 5);
    let of = |out: &mut Vec<(Arc<Job>, u8)>, id| {
        let found: Vec<_> = out.extract_if(.., |(job, _)| job.id == MessageId(id)).collect();
        found
    };
    let mut second = of(&mut out, 2);
    let first_part = second.remove(0);
    from.give_back(second);
    from.give_back(of(&mut out, 1));
    from.give_back(vec![first_part]);
    from.retry_at(Arc::clone(&from_front(&from)), 1, NOW.plus_ms(9_000));
    let whole = from.take_whole();
    let mut ids: Vec<i64> = whole.iter().map(|whole| whole.entry.job.id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 4], "message 3 is partly with a bind");
    assert!(whole.iter().all(|whole| whole.entry.is_whole()));
    let places = to.reserve(&whole);
    hand_over(&from, &to, whole.iter().map(moved).collect(), places);
    assert_eq!(take(&to, 10).len(), 5);
    assert!(out.iter().all(|(job, _)| job.id == MessageId(3)));
}

/// Takes the message in front out, for it to be kept for later.
fn from_front(line: &Line) -> Arc<Job> {
    let mut parts = take(line, 1);
    let (job, _) = parts.remove(0);
    job
}

/// Pseudo-random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).expect("small")
    }
}

/// Two lines over a store, a mover between them, fetches and binds.
struct World {
    enqueue: Enqueue,
    lines: [Arc<Line>; 2],
    /// What waits according to the store, with its line.
    store: BTreeMap<i64, usize>,
    flying: Vec<(usize, Arc<Job>, u8)>,
    moving: Option<(usize, Vec<Whole>)>,
    /// By order: from which line, and what was withdrawn for it.
    transferring: Option<(usize, Vec<MessageId>)>,
    fetching: [Option<(Fetch, Vec<Entry>)>; 2],
    left: HashMap<i64, u32>,
    cancelled: HashSet<i64>,
}

impl World {
    fn new() -> Self {
        let enqueue = Enqueue::default();
        Self {
            lines: [1, 2].map(|carrier| enqueue.line(Lane::Standard, CarrierId(carrier))),
            enqueue,
            store: BTreeMap::new(),
            flying: Vec::new(),
            moving: None,
            transferring: None,
            fetching: [None, None],
            left: HashMap::new(),
            cancelled: HashSet::new(),
        }
    }

    fn accept(&mut self, id: i64, line: usize) {
        self.store.insert(id, line);
        self.lines[line].push(std::iter::once(entry(id, 1)));
    }

    fn fly(&mut self, line: usize, room: usize) {
        for (job, number) in take(&self.lines[line], room) {
            assert!(!self.flying.iter().any(|(_, other, _)| other.id == job.id), "{} flies twice", job.id);
            assert!(!self.left.contains_key(&job.id.0), "{} left before", job.id);
            assert!(!self.cancelled.contains(&job.id.0), "{} was cancelled", job.id);
            self.flying.push((line, job, number));
        }
    }

    fn land(&mut self, index: usize, taken: bool) {
        let (line, job, number) = self.flying.swap_remove(index);
        if !taken {
            return self.lines[line].give_back(vec![(job, number)]);
        }
        assert_eq!(self.store.remove(&job.id.0), Some(line), "it left by the carrier that the store knows");
        *self.left.entry(job.id.0).or_default() += 1;
        if job.settle_part(number) {
            self.lines[line].let_go(job.id);
        }
    }

    fn step_move(&mut self, from: usize, durable: bool) {
        let Some((from, whole)) = self.moving.take() else {
            let whole = self.lines[from].take_whole();
            self.lines[1 - from].reserve(&whole);
            self.moving = Some((from, whole));
            return;
        };
        let to = 1 - from;
        if durable {
            for whole in &whole {
                self.store.insert(whole.entry.job.id.0, to);
            }
            hand_over(&self.lines[from], &self.lines[to], whole.iter().map(moved).collect(), whole.len());
        } else {
            self.lines[to].give_up_places(&whole);
            self.lines[from].put_back(whole);
        }
    }

    fn step_transfer(&mut self, from: usize, durable: bool) {
        let account = (Lane::Standard, AccountId(1));
        let Some((from, withdrawn)) = self.transferring.take() else {
            let waiting = self.store.iter().filter(|(_, of)| **of == from);
            let page: Vec<MessageId> = waiting.map(|(id, _)| MessageId(*id)).take(50).collect();
            let withdrawn = self.enqueue.withdraw_all(Lane::Standard, &page);
            // Not those somebody cancels or that are being moved already.
            assert!(withdrawn.iter().all(|id| !self.flying.iter().any(|(_, job, _)| job.id == *id)), "one flies");
            self.transferring = Some((from, withdrawn));
            return;
        };
        // A message that was cancelled meanwhile is not moved: the store folds that away.
        let moved = |id: &&MessageId| durable && self.store.contains_key(&id.0);
        let moved: Vec<i64> = withdrawn.iter().filter(moved).map(|id| id.0).collect();
        self.store.extend(moved.into_iter().map(|id| (id, 1 - from)));
        self.enqueue.withdrawals_ended(account, &withdrawn, durable);
        if let Some(lowest) = withdrawn.iter().min().filter(|_| durable) {
            let to = (Lane::Standard, self.lines[1 - from].carrier);
            self.enqueue.left_in_store(to, AccountId(1), *lowest);
        }
    }

    fn step_fetch(&mut self, line: usize) {
        if let Some((fetch, page)) = self.fetching[line].take() {
            return self.lines[line].end_fetch(fetch, page);
        }
        self.lines[line].fetch_all(AccountId(1));
        let Some(fetch) = self.lines[line].begin_fetch() else { return };
        let found = self.store.iter().filter(|(id, of)| **id > fetch.after.0 && **of == line);
        let page = found.take(fetch.limit).map(|(id, _)| entry(*id, 1)).collect();
        self.fetching[line] = Some((fetch, page));
    }

    fn cancel(&mut self, id: i64) {
        let ids = MessageId(id);
        let withdrawn = self.lines.iter().all(|line| line.withdraw(ids));
        if withdrawn && self.store.remove(&id).is_some() {
            self.cancelled.insert(id);
        }
        self.lines.iter().for_each(|line| line.withdrawal_ended(ids, AccountId(1), true));
    }
}

#[test]
fn ten_thousand_messages_are_never_in_two_lines() {
    const MESSAGES: i64 = 10_000;
    for seed in [1, 20_261_127, 0xdead_beef] {
        let (mut dice, mut world, mut next) = (Dice(seed), World::new(), 1);
        while next <= MESSAGES || !world.store.is_empty() {
            match dice.below(16) {
                0..=4 if next <= MESSAGES => {
                    world.accept(next, dice.index(2));
                    next += 1;
                }
                5..=7 => world.fly(dice.index(2), 1 + dice.index(3)),
                8..=11 if !world.flying.is_empty() => {
                    let index = dice.index(world.flying.len());
                    world.land(index, dice.below(10) < 7);
                }
                12 if dice.below(20) == 0 => world.step_move(dice.index(2), dice.below(5) > 0),
                15 if dice.below(20) == 0 => world.step_transfer(dice.index(2), dice.below(5) > 0),
                13 if dice.below(20) == 0 => world.step_fetch(dice.index(2)),
                14 if dice.below(10) == 0 && next > 1 => {
                    let id = 1 + i64::try_from(dice.below(next.unsigned_abs() - 1)).expect("small");
                    world.cancel(id);
                }
                _ => {}
            }
        }
        let ended = world.left.len() + world.cancelled.len();
        assert_eq!(ended, usize::try_from(MESSAGES).expect("small"), "seed {seed}");
        assert!(world.left.values().all(|times| *times == 1), "seed {seed}");
    }
}
