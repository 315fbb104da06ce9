//! What people write: parts as they come, and messages as they are kept and told.

use text::{Encoding, Shift};

use crate::clock::UnixMillis;
use crate::id::{AccountId, CarrierId, MessageId};
use crate::phone::Phone;

/// Where the number that parts share was written; numbers from different places never belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// User data header, 8 bits.
    Header8,
    /// User data header, 16 bits.
    Header16,
    /// The parameters `sar_msg_ref_num` and so on (SMPP 3.4 §5.3.2.22).
    Sar,
}

impl ReferenceKind {
    /// All of them, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::Header8, Self::Header16, Self::Sar];
}

/// Which part of which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartPlace {
    /// Where the reference was written.
    pub kind: ReferenceKind,
    /// The number that the parts share.
    pub reference: u16,
    /// Parts of the message, from 1.
    pub total: u8,
    /// This part, from 1.
    pub number: u8,
}

/// How the octets of a part are read. Parts are put together before they are read, for a sender may cut
/// in the middle of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Letters {
    /// GSM 7-bit, one septet per octet, with the national tables that the header of the part names.
    Gsm7(Shift),
    /// Latin-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// UTF-16BE.
    Ucs2,
}

impl Letters {
    /// A number to keep them under: 0 for GSM-7, 1 Latin-1, 2 ASCII, 3 UTF-16, and above 255 GSM-7 with national
    /// tables, as in [`Encoding::stored_code`].
    #[must_use]
    pub fn stored_code(self) -> u16 {
        match self {
            Self::Gsm7(shift) if shift == Shift::default() => 0,
            Self::Gsm7(shift) => Encoding::National(shift).stored_code(),
            Self::Latin1 => 1,
            Self::Ascii => 2,
            Self::Ucs2 => 3,
        }
    }

    /// The letters of a [`Self::stored_code`].
    #[must_use]
    pub fn from_stored_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Gsm7(Shift::default())),
            1 => Some(Self::Latin1),
            2 => Some(Self::Ascii),
            3 => Some(Self::Ucs2),
            code => match Encoding::from_stored_code(code)? {
                Encoding::National(shift) => Some(Self::Gsm7(shift)),
                Encoding::Gsm7 | Encoding::Ucs2 => None,
            },
        }
    }

    /// Reads octets; what can't be read is replaced.
    #[must_use]
    pub fn decode(self, octets: &[u8]) -> String {
        match self {
            Self::Gsm7(shift) => shift.decode_lossy(octets).text,
            Self::Latin1 => text::latin1::decode(octets),
            Self::Ascii => text::ascii::decode_lossy(octets).text,
            Self::Ucs2 => text::ucs2::decode_lossy(octets).text,
        }
    }
}

/// What was wrong with an incoming message; it is kept and answered all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncomingFlaw {
    /// The user data header claims more octets than there are: all of it is taken as text.
    HeaderTooLong,
    /// The header says that there are no parts.
    TotalZero,
    /// The header says that this is part 0.
    NumberZero,
    /// The header says that this is a part beyond the last.
    NumberBeyondTotal,
    /// The request could not be read to its end.
    Damaged,
}

impl IncomingFlaw {
    /// All of them with their stable names.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::HeaderTooLong, "header_too_long"),
        (Self::TotalZero, "total_zero"),
        (Self::NumberZero, "number_zero"),
        (Self::NumberBeyondTotal, "number_beyond_total"),
        (Self::Damaged, "damaged"),
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(flaw, _)| *flaw == self).map_or("", |(_, name)| name)
    }

    /// Finds a flaw by its name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(flaw, _)| flaw)
    }
}

/// One part of a long incoming message, kept until the message is put together, and a day longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingPart {
    /// Names the part; made by the id generator on the standard lane.
    pub id: MessageId,
    /// Id of the part that came first: names the message while it is put together.
    pub group: MessageId,
    /// Which operator connection it came over.
    pub carrier: CarrierId,
    /// When it came.
    pub at: UnixMillis,
    /// Who wrote, as the operator gave it.
    pub source: Box<str>,
    /// The number that was written to, as the operator gave it.
    pub destination: Box<str>,
    /// Which part it is.
    pub place: PartPlace,
    /// How its octets are read.
    pub letters: Letters,
    /// Its octets without the header.
    pub payload: Box<[u8]>,
    /// The body of the PDU as received.
    pub raw: Box<[u8]>,
}

/// An incoming message: whole, or as far as it came in time, or a part that came late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingMessage {
    /// Names the message; made by the id generator on the standard lane.
    pub id: MessageId,
    /// Whose message it is; `None` where nobody owns the number and keyword.
    pub account: Option<AccountId>,
    /// Which operator connection it came over.
    pub carrier: CarrierId,
    /// When its first part came.
    pub at: UnixMillis,
    /// Who wrote, as the operator gave it.
    pub source: Box<str>,
    /// Who wrote, where that is a phone number.
    pub phone: Option<Phone>,
    /// The number that was written to, digits only.
    pub number: Box<str>,
    /// The keyword it was given to its owner by, as the owner wrote it; empty where the number alone decided.
    pub keyword: Box<str>,
    /// The text; for an incomplete message, of the parts that came.
    pub text: Box<str>,
    /// Parts it has, whether or not they came.
    pub parts: u8,
    /// Numbers of the parts that did not come, in order.
    pub missing: Box<[u8]>,
    /// This is part so-and-so of a message that was told incomplete.
    pub late_part: Option<u8>,
    /// Of a long message: id of its first part.
    pub group: Option<MessageId>,
    /// What was wrong with it.
    pub flaw: Option<IncomingFlaw>,
    /// The body of the PDU as received; empty for a long message, whose parts have theirs.
    pub raw: Box<[u8]>,
    /// Whether nothing more is to be done: no reserved word, no bot, or answered already.
    pub handled: bool,
}

impl IncomingMessage {
    /// Whether all parts are there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}
