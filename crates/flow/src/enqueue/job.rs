//! A message on its way to a bind.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use domain::clock::UnixMillis;
use domain::control::{DefaultAlphabet, LongMessages};
use domain::id::{AccountId, CarrierId, MessageId};
use domain::limits;
use domain::phone::Phone;
use domain::request::{Content, Request, Waiting};
use text::{Encoding, Reference, Segment, TextError};

/// The parts of a text, written for a carrier once and shared by all recipients of a request.
#[derive(Debug)]
pub struct Encoded {
    /// `short_message` of each part, the reference octets of its user data header still zero.
    pub parts: Vec<Vec<u8>>,
    /// Where the reference stands in each part.
    pub reference: ReferenceOctets,
    /// `data_coding` without the message class.
    pub data_coding: u8,
}

/// Where the concatenation reference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceOctets {
    /// A single part has none.
    None,
    /// One octet at index 3.
    Bits8,
    /// Two octets at index 4.
    Bits16,
}

/// What the messages of one request share on their way.
#[derive(Debug)]
pub struct Shared {
    /// Text and conditions.
    pub content: Arc<Content>,
    /// Written on first use. All messages of a line go to the same carrier.
    encoded: OnceLock<Result<Encoded, TextError>>,
}

impl Shared {
    fn new(content: Arc<Content>) -> Arc<Self> {
        Arc::new(Self { content, encoded: OnceLock::new() })
    }

    /// The parts as the carrier wants them.
    ///
    /// # Errors
    /// [`TextError`] when the text does not fit what the carrier can carry.
    pub fn encoded(&self, long_messages: LongMessages, alphabet: DefaultAlphabet) -> Result<&Encoded, &TextError> {
        self.encoded.get_or_init(|| encode(&self.content, long_messages, alphabet)).as_ref()
    }
}

fn encode(content: &Content, long_messages: LongMessages, alphabet: DefaultAlphabet) -> Result<Encoded, TextError> {
    let parts_max = u16::from(limits::PARTS_PER_MESSAGE_MAX);
    let mut octets = ReferenceOctets::Bits8;
    let mut segments = text::segment(&content.text, Reference::Bits8(0), parts_max)?;
    if long_messages == LongMessages::Udh16
        // A 16-bit reference costs each part a unit; where that would make a part more than was
        // accepted and priced, the 8-bit one stays.
        && let Ok(wide) = text::segment(&content.text, Reference::Bits16(0), parts_max)
        && wide.len() == segments.len()
    {
        (segments, octets) = (wide, ReferenceOctets::Bits16);
    }
    if content.encoding == Encoding::Gsm7 && matches!(alphabet, DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii) {
        return encode_for_foreign_default(content, alphabet, &segments, octets);
    }
    let packed = content.encoding == Encoding::Gsm7 && alphabet == DefaultAlphabet::Gsm7Packed;
    let parts: Vec<Vec<u8>> = segments
        .iter()
        .map(|segment| if packed { segment.short_message_packed() } else { segment.short_message() })
        .collect();
    let reference = if parts.len() == 1 { ReferenceOctets::None } else { octets };
    Ok(Encoded { parts, reference, data_coding: content.encoding.data_coding() })
}

/// Where `data_coding` 0 is not GSM 7-bit, the same cuts are made but the characters go out in the
/// carrier's alphabet. What it does not have goes as UCS-2, if that takes no more parts than were priced.
fn encode_for_foreign_default(
    content: &Content,
    alphabet: DefaultAlphabet,
    segments: &[Segment],
    octets: ReferenceOctets,
) -> Result<Encoded, TextError> {
    let foreign = |segment: &Segment| {
        let text = text::gsm7::decode(&segment.payload).ok()?;
        let payload = match alphabet {
            DefaultAlphabet::Ascii => text::ascii::encode(&text),
            _ => text::latin1::encode(&text),
        };
        Some([segment.udh.as_slice(), &payload.ok()?].concat())
    };
    let single = segments.len() == 1;
    let of = |parts, data_coding| Encoded {
        parts,
        reference: if single { ReferenceOctets::None } else { octets },
        data_coding,
    };
    if let Some(parts) = segments.iter().map(foreign).collect() {
        return Ok(of(parts, Encoding::Gsm7.data_coding()));
    }
    let reference = if octets == ReferenceOctets::Bits16 { Reference::Bits16(0) } else { Reference::Bits8(0) };
    let parts_max = u16::try_from(segments.len()).unwrap_or(u16::MAX);
    let segments = text::segment_as(&content.text, Encoding::Ucs2, reference, parts_max)?;
    Ok(of(segments.iter().map(Segment::short_message).collect(), Encoding::Ucs2.data_coding()))
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
    /// Parts that an operator has not durably taken yet.
    unsettled: AtomicU8,
    /// Temporary refusals so far.
    refusals: AtomicU32,
    /// How its parts are written otherwise than usual, as bits that mean something to the sender only.
    forms: AtomicU8,
    /// The message has ended: what is left of it is not sent.
    ended: AtomicBool,
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
    /// The conditions of its request.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.shared.content
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

    /// The concatenation reference: made from the id, so that a part that is sent again, even after
    /// a restart, carries the same one and handsets join it with its siblings.
    #[must_use]
    pub fn reference(&self) -> u16 {
        let ticks = self.id.0 >> 22; // milliseconds
        let sequence = self.id.0 >> 6;
        u16::try_from((ticks ^ (sequence << 3)) & 0xffff).unwrap_or_default()
    }

    /// Counts a part as durably taken; true when it was the last one.
    pub fn settle_part(&self) -> bool {
        self.unsettled.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The message has ended: what is left of it is not sent. True the first time.
    pub fn end(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
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
        Self::new(waiting.id, (waiting.account, waiting.phone), waiting.due_at, shared, &waiting.parts_taken)
    }

    fn new(
        id: MessageId,
        (account, phone): (AccountId, Phone),
        due_at: UnixMillis,
        shared: Arc<Shared>,
        taken: &[u8],
    ) -> Self {
        let all = u16::MAX >> (16 - u32::from(shared.content.parts.clamp(1, 16)));
        let parts = taken.iter().fold(all, |parts, &number| parts & !bit(number));
        let unsettled = AtomicU8::new(u8::try_from(parts.count_ones()).unwrap_or(u8::MAX));
        let (refusals, forms, ended) = (AtomicU32::new(0), AtomicU8::new(0), AtomicBool::new(false));
        let job = Job { id, account, phone, due_at, shared, unsettled, refusals, forms, ended };
        Self { job: Arc::new(job), parts }
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

    fn next_part(&mut self) -> Option<u8> {
        let index = self.parts.trailing_zeros();
        self.parts &= self.parts.wrapping_sub(1);
        u8::try_from(index + 1).ok().filter(|_| index < 16)
    }
}

fn bit(number: u8) -> u16 {
    1_u16.checked_shl(u32::from(number).wrapping_sub(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Content {
        let measure = text::measure(text, text::ReferenceWidth::Bits8);
        Content {
            traffic: domain::lane::Traffic::Transactional,
            sender: domain::sender::Sender::parse("ACME").expect("a sender"),
            text: text.into(),
            encoding: measure.encoding,
            parts: u8::try_from(measure.parts).expect("few"),
            flash: false,
            accepted_at: UnixMillis(0),
            due_at: UnixMillis(0),
            expires_at: UnixMillis(0),
        }
    }

    fn encoded(text: &str, long_messages: LongMessages, alphabet: DefaultAlphabet) -> Result<Encoded, TextError> {
        encode(&content(text), long_messages, alphabet)
    }

    #[test]
    fn a_carrier_whose_default_is_latin1_gets_latin1() {
        let at = encoded("mail@example.com $5", LongMessages::Udh8, DefaultAlphabet::Latin1).expect("fits");
        assert_eq!((at.parts.as_slice(), at.data_coding), ([b"mail@example.com $5".to_vec()].as_slice(), 0));
        let euro = encoded("5 €", LongMessages::Udh8, DefaultAlphabet::Latin1).expect("goes as UCS-2");
        assert_eq!((euro.parts.len(), euro.data_coding), (1, 8));
        assert!(
            encoded(&"€".repeat(80), LongMessages::Udh8, DefaultAlphabet::Ascii).is_err(),
            "UCS-2 would take more parts"
        );
    }

    #[test]
    fn a_wide_reference_never_costs_a_part_that_was_not_priced() {
        let wide = encoded(&"a".repeat(200), LongMessages::Udh16, DefaultAlphabet::Gsm7).expect("fits");
        assert_eq!((wide.parts.len(), wide.reference), (2, ReferenceOctets::Bits16));
        let full = encoded(&"a".repeat(306), LongMessages::Udh16, DefaultAlphabet::Gsm7).expect("fits");
        assert_eq!((full.parts.len(), full.reference), (2, ReferenceOctets::Bits8));
    }
}
