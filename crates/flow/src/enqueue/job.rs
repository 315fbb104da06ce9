//! A message on its way to a bind.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use domain::clock::UnixMillis;
use domain::control::{Carrier, LongMessages};
use domain::id::{AccountId, CarrierId, MessageId};
use domain::limits;
use domain::phone::Phone;
use domain::request::{Content, Request, Waiting};
use smallvec::SmallVec;
use text::TextError;

use super::encoded::{Encoded, encode, encode_as, own};

/// What the messages of one request share on their way.
#[derive(Debug)]
pub struct Shared {
    /// Text and conditions.
    pub content: Arc<Content>,
    /// Written on first use. All messages of a line go to the same carrier.
    encoded: OnceLock<Result<Encoded, TextError>>,
}

impl Shared {
    /// For messages of one request that leave by one carrier.
    pub(crate) fn new(content: Arc<Content>) -> Arc<Self> {
        Arc::new(Self { content, encoded: OnceLock::new() })
    }

    /// The parts as the carrier wants them.
    ///
    /// # Errors
    /// [`TextError`] when the text does not fit what the carrier can carry.
    fn encoded(&self, carrier: &Carrier) -> Result<&Encoded, &TextError> {
        self.encoded.get_or_init(|| encode(&self.content, carrier)).as_ref()
    }
}

/// One message on its way.
#[derive(Debug)]
pub struct Job {
    /// The message.
    pub id: MessageId,
    /// Whose message it is.
    pub account: AccountId,
    /// Whom it goes to.
    pub phone: Phone,
    /// Not to be sent before.
    due_at: UnixMillis,
    /// What its request shares.
    pub shared: Arc<Shared>,
    /// No part had been taken when it was lined up.
    is_whole: bool,
    /// The concatenation reference with bit 16 set, once it was given; 0 before.
    reference: AtomicU32,
    /// Parts that were to be sent when it was lined up, as bits.
    wanted: u16,
    /// Parts of which it is durable that they need not be sent any more.
    settled: AtomicU16,
    /// Parts of which it is durable that they are about to be written.
    intended: AtomicU16,
    /// Parts that may have been taken and are not sent again.
    doubted: AtomicU16,
    /// Temporary refusals so far.
    refusals: AtomicU32,
    /// How its parts are written otherwise than usual, as bits that mean something to the sender only.
    forms: AtomicU8,
    /// The message has ended: what is left of it is not sent.
    ended: AtomicBool,
    /// Its own text, encoded on first use, where a request's messages have different links.
    own: OnceLock<Box<Result<Encoded, TextError>>>,
    /// Carriers that refused it for reasons of their own, before it came to this line.
    pub tried: SmallVec<[CarrierId; 2]>,
}

/// A job with the parts of it that are to be sent, as bits (bit 0 = part 1).
#[derive(Clone, Debug)]
pub struct Entry {
    /// The message.
    pub job: Arc<Job>,
    /// Parts to be sent.
    pub parts: u16,
}

const _: () = assert!(limits::PARTS_PER_MESSAGE_MAX <= 16);

impl Job {
    /// A message and the parts of it that are to be sent.
    fn new(
        id: MessageId,
        (account, phone): (AccountId, Phone),
        due_at: UnixMillis,
        shared: Arc<Shared>,
        gone: &[u8],
    ) -> (Self, u16) {
        let all = u16::MAX >> (16 - u32::from(shared.content.parts.clamp(1, 16)));
        let parts = gone.iter().fold(all, |parts, &number| parts & !bit(number));
        let job = Self {
            id,
            account,
            phone,
            due_at,
            shared,
            is_whole: gone.is_empty(),
            reference: AtomicU32::new(0),
            wanted: parts,
            settled: AtomicU16::new(0),
            intended: AtomicU16::new(0),
            doubted: AtomicU16::new(0),
            refusals: AtomicU32::new(0),
            forms: AtomicU8::new(0),
            ended: AtomicBool::new(false),
            own: OnceLock::new(),
            tried: SmallVec::new(),
        };
        (job, parts)
    }

    /// The conditions of its request.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.shared.content
    }

    /// The text as its recipient gets it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let content = self.content();
        domain::request::text_for(&content.text, content.links.as_deref(), self.id)
    }

    /// The parts as the carrier wants them: shared by all messages of the request, unless each has links of
    /// its own.
    ///
    /// # Errors
    /// [`TextError`] when the text does not fit what the carrier can carry.
    pub fn encoded(&self, carrier: &Carrier) -> Result<&Encoded, &TextError> {
        let content = self.content();
        if content.links.is_none() {
            return self.shared.encoded(carrier);
        }
        let own = || encode(&own(content, self.id), carrier);
        self.own.get_or_init(|| Box::new(own())).as_ref().as_ref()
    }

    /// A long message in one piece for `message_payload`, whatever the carrier's settings say; `None` where it is not
    /// long, can't go so or has partly gone in parts.
    #[must_use]
    pub fn in_one_piece(&self, carrier: &Carrier) -> Option<Encoded> {
        let content = self.content();
        if content.parts < 2 || !self.is_whole {
            return None;
        }
        let encoded = match content.links {
            None => encode_as(content, carrier, LongMessages::Payload),
            Some(_) => encode_as(&own(content, self.id), carrier, LongMessages::Payload),
        };
        encoded.ok().filter(|encoded| encoded.whole.is_some())
    }

    /// Milliseconds until it must not be sent any more; zero or less when that moment is past.
    #[must_use]
    pub fn remaining_ms(&self, now: UnixMillis) -> i64 {
        let content = self.content();
        content.expires_at.plus_ms(self.due_at.since_ms(content.due_at)).since_ms(now)
    }

    /// When it was due.
    #[must_use]
    pub fn due_at(&self) -> UnixMillis {
        self.due_at
    }

    /// The concatenation reference, the same for all parts however often they are sent. It is made from the id, so that
    /// it is the same after a restart, and `give` may move it out of the way of other messages when it is first asked for.
    pub fn reference(&self, give: impl FnOnce(u16) -> u16) -> u16 {
        const GIVEN: u32 = 1 << 16;
        let known = |reference: u32| u16::try_from(reference & 0xffff).unwrap_or_default();
        match self.reference.load(Ordering::Relaxed) {
            0 => {
                let ticks = self.id.0 >> 22; // milliseconds
                let sequence = self.id.0 >> 6;
                let natural = u16::try_from((ticks ^ (sequence << 3)) & 0xffff).unwrap_or_default();
                let given = GIVEN | u32::from(give(natural));
                // Another bind may have been faster with another part.
                let first = self.reference.compare_exchange(0, given, Ordering::Relaxed, Ordering::Relaxed);
                known(first.err().unwrap_or(given))
            }
            reference => known(reference),
        }
    }

    /// The whole message in one piece, where its carrier takes it so. One of which a carrier took parts before, under
    /// other settings, goes on in parts.
    #[must_use]
    pub fn whole<'a>(&self, encoded: &'a Encoded) -> Option<&'a [u8]> {
        encoded.whole.as_deref().filter(|_| self.is_whole)
    }

    /// A part need not be sent any more, and that is durable; true when it was the last one.
    pub fn settle_part(&self, number: u8) -> bool {
        let before = self.settled.fetch_or(bit(number), Ordering::AcqRel);
        let after = before | bit(number);
        before != after && after & self.wanted == self.wanted
    }

    /// Whether a part need not be sent any more.
    #[must_use]
    pub fn is_settled(&self, number: u8) -> bool {
        self.settled.load(Ordering::Acquire) & bit(number) != 0
    }

    /// Notes whether it is durable that a part is about to be written.
    pub fn set_intended(&self, number: u8, intended: bool) {
        set(&self.intended, number, intended);
    }

    /// Whether it is durable that a part is about to be written.
    #[must_use]
    pub fn is_intended(&self, number: u8) -> bool {
        self.intended.load(Ordering::Acquire) & bit(number) != 0
    }

    /// Notes whether a part may have been taken and is not sent again.
    pub fn set_doubted(&self, number: u8, doubted: bool) {
        set(&self.doubted, number, doubted);
    }

    /// Whether a part may have been taken and is not sent again.
    #[must_use]
    pub fn is_doubted(&self, number: u8) -> bool {
        self.doubted.load(Ordering::Acquire) & bit(number) != 0
    }

    /// The message has ended: what is left of it is not sent. True the first time.
    pub fn end(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
    }

    /// Whether an operator has taken a part, or may have: the others leave by the same carrier.
    #[must_use]
    pub fn is_partly_taken(&self) -> bool {
        let gone = [&self.settled, &self.doubted];
        !self.is_whole || gone.iter().any(|parts| parts.load(Ordering::Acquire) != 0)
    }

    /// Whether a part is about to be written, or was written and is not answered yet, that must not be sent twice.
    #[must_use]
    pub fn is_partly_intended(&self) -> bool {
        self.intended.load(Ordering::Acquire) != 0
    }

    /// Whether the message has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// From now on its parts are written in this form too.
    pub fn adopt_form(&self, bits: u8) {
        self.forms.fetch_or(bits, Ordering::Relaxed);
    }

    /// The forms adopted so far.
    #[must_use]
    pub fn forms(&self) -> u8 {
        self.forms.load(Ordering::Relaxed)
    }

    /// Counts a temporary refusal and returns how many there were before.
    pub fn count_refusal(&self) -> u32 {
        self.refusals.fetch_add(1, Ordering::Relaxed)
    }
}

impl Entry {
    /// The messages of a request that was just accepted, with the carrier each waits for.
    pub fn of_request(request: &Request) -> impl Iterator<Item = (CarrierId, Self)> + '_ {
        let shared = Shared::new(Arc::new(Content::from(request)));
        request.messages.iter().enumerate().map(move |(index, message)| {
            let id = request.message_id(index);
            let due_at = request.due_at(index);
            let entry = Self::new(id, (request.account, message.phone), due_at, Arc::clone(&shared), &[]);
            (message.carrier, entry)
        })
    }

    /// A message that was fetched from the store.
    #[must_use]
    pub fn of_waiting(waiting: Waiting) -> Self {
        let shared = Shared::new(waiting.content);
        // What was about to be written before this program began is not sent again.
        let gone: Vec<u8> = waiting.parts_taken.iter().chain(&waiting.parts_intended).copied().collect();
        Self::new(waiting.id, (waiting.account, waiting.phone), waiting.due_at, shared, &gone)
    }

    fn new(id: MessageId, whose: (AccountId, Phone), due_at: UnixMillis, shared: Arc<Shared>, taken: &[u8]) -> Self {
        let (job, parts) = Job::new(id, whose, due_at, shared, taken);
        Self { job: Arc::new(job), parts }
    }

    /// Whether these are all parts of a message of which an operator has taken none.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let job = &self.job;
        let has_all = self.parts.count_ones() == u32::from(job.content().parts.max(1));
        has_all && !job.is_partly_taken() && !job.is_partly_intended()
    }

    /// The same message on its way to another carrier: what its neighbours share is written anew for it.
    pub(crate) fn elsewhere(&self, shared: Arc<Shared>, tried: SmallVec<[CarrierId; 2]>) -> Self {
        let Job { id, account, phone, due_at, .. } = *self.job;
        let (job, parts) = Job::new(id, (account, phone), due_at, shared, &[]);
        Self { job: Arc::new(Job { tried, ..job }), parts }
    }

    /// One part of a message, to be sent again.
    #[must_use]
    pub fn part(job: Arc<Job>, number: u8) -> Self {
        Self { job, parts: bit(number) }
    }

    /// Takes the next part out, `None` when all are taken.
    pub(super) fn pop_part(&mut self) -> Option<(Arc<Job>, u8)> {
        let number = self.next_part()?;
        Some((Arc::clone(&self.job), number))
    }

    /// Takes the number of the next part out, `None` when all are taken.
    pub(crate) fn next_part(&mut self) -> Option<u8> {
        let index = self.parts.trailing_zeros();
        self.parts &= self.parts.wrapping_sub(1);
        u8::try_from(index + 1).ok().filter(|_| index < 16)
    }
}

fn set(bits: &AtomicU16, number: u8, to: bool) {
    if to {
        bits.fetch_or(bit(number), Ordering::AcqRel);
    } else {
        bits.fetch_and(!bit(number), Ordering::AcqRel);
    }
}

fn bit(number: u8) -> u16 {
    1_u16.checked_shl(u32::from(number).wrapping_sub(1)).unwrap_or(0)
}
