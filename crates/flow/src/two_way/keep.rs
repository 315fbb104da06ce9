//! From what came to what is kept: whose it is, and what the person wants.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::control::{Account, Control, Number, Owner, StopScope};
use domain::event::{Event, IncomingReport, Payload};
use domain::fact::{EventId, Fact};
use domain::id::{CarrierId, IdGenerator, MessageId};
use domain::incoming::{IncomingFlaw, IncomingMessage};
use domain::lane::Lane;
use domain::person::{OptOut, OptOutKey, OptOutOrigin, PersonFact, TalkKey};
use domain::phone::Phone;
use domain::reserved::{self, Reserved, Wish};
use store::Store;

use super::join::Joined;
use super::read::Received;

/// What is to be made durable before the operator is answered.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Facts for the messages' store.
    pub facts: Vec<Fact>,
    /// What is now known of people; durable first.
    pub people: Vec<PersonFact>,
    /// The messages among the facts.
    pub messages: Vec<Arc<IncomingMessage>>,
}

/// A whole text with what is known of it.
pub(super) struct Text {
    pub carrier: CarrierId,
    pub at: UnixMillis,
    pub source: Box<str>,
    pub destination: Box<str>,
    pub text: String,
    pub parts: u8,
    pub missing: Box<[u8]>,
    pub late_part: Option<u8>,
    pub group: Option<MessageId>,
    pub part_ids: Box<[MessageId]>,
    pub flaw: Option<IncomingFlaw>,
    pub raw: Box<[u8]>,
}

impl From<Joined> for Text {
    fn from(joined: Joined) -> Self {
        Self {
            carrier: joined.carrier,
            at: joined.at,
            source: joined.source,
            destination: joined.destination,
            text: joined.text,
            parts: joined.total,
            missing: joined.missing,
            late_part: joined.late_part,
            group: Some(joined.group),
            part_ids: joined.part_ids,
            flaw: None,
            raw: Box::default(),
        }
    }
}

impl Text {
    /// A message that came in one piece.
    pub fn of(carrier: CarrierId, at: UnixMillis, received: Received) -> Self {
        Self {
            carrier,
            at,
            text: received.letters.decode(&received.payload),
            source: received.source,
            destination: received.destination,
            parts: 1,
            missing: Box::default(),
            late_part: None,
            group: None,
            part_ids: Box::default(),
            flaw: received.flaw,
            raw: received.raw,
        }
    }
}

/// Digits of an address as operators write it: `+48…`, `0048…` or `48…`.
pub(super) fn digits(address: &str) -> &str {
    let digits = address.strip_prefix('+').unwrap_or(address);
    digits.strip_prefix("00").unwrap_or(digits)
}

/// A reserved word with those it concerns.
pub(super) struct Asked<'a> {
    pub reserved: Reserved,
    pub owners: Vec<Owner<'a>>,
}

/// Reads a text for a reserved word. STOP and START without a keyword concern everybody who shares the
/// number; HELP is answered by one.
pub(super) fn asked<'a>(control: &'a Control, carrier: CarrierId, number: &str, text: &str) -> Option<Asked<'a>> {
    let sharing = control.owners_of_number(carrier, number);
    let mut found: Option<Asked<'a>> = None;
    // The owner of everything else first: its language answers a bare HELP.
    for owner in sharing.into_iter().rev() {
        let settings = &owner.account.settings.reserved_words;
        let Some(reserved) = reserved::read(text, &settings.languages, |word| settings.extra(word)) else { continue };
        if !reserved.rest.is_empty() && !owner.is_called(&reserved.rest) {
            continue;
        }
        match &mut found {
            None => found = Some(Asked { reserved, owners: vec![owner] }),
            Some(asked) => {
                let is_new = asked.owners.iter().all(|known| known.account.id != owner.account.id);
                if is_new && asked.reserved.wish == reserved.wish && reserved.wish != Wish::Help {
                    asked.owners.push(owner);
                }
            }
        }
    }
    found
}

/// From which of the account's senders nothing is wanted after a STOP to `number`.
pub(super) fn scope(account: &Account, number: &str) -> Box<str> {
    match account.settings.reserved_words.stop_scope {
        StopScope::Number => number.into(),
        StopScope::Account => Box::default(),
    }
}

impl Keeping {
    /// Takes in a text: one message for its owner, or one for each whom a reserved word concerns.
    /// An answer that a talk of the person with one of them awaits is that one's, without a keyword.
    pub fn take(&mut self, control: &Control, store: &Store, text: Text) {
        let ids = store.ids();
        let number: Box<str> = digits(&text.destination).into();
        let is_said = text.late_part.is_none() && text.flaw != Some(IncomingFlaw::Damaged);
        let asked = if is_said { asked(control, text.carrier, &number, &text.text) } else { None };
        let phone = Phone::parse(digits(&text.source)).ok();
        let mut part_ids = &*text.part_ids;
        match &asked {
            Some(Asked { reserved, owners }) => {
                for owner in owners {
                    self.wish(reserved.wish, owner.account, &number, phone, text.at);
                    let message = message(&text, ids, Some(*owner), &number, phone, phone.is_none());
                    self.keep(message, std::mem::take(&mut part_ids));
                }
            }
            None => {
                let by_keyword = control.owner_of_text(text.carrier, &number, &text.text);
                let talks = phone.and_then(|phone| talking(control, store, text.carrier, &number, phone));
                let owner = by_keyword.filter(|owner| !owner.keyword.is_empty()).or(talks).or(by_keyword);
                let is_answered = owner.is_some_and(|owner| has_bot(owner.number)) && is_said && phone.is_some();
                let message = message(&text, ids, owner, &number, phone, !is_answered);
                self.keep(message, part_ids);
            }
        }
    }

    fn wish(&mut self, wish: Wish, account: &Account, number: &str, phone: Option<Phone>, at: UnixMillis) {
        let Some(phone) = phone else { return };
        let key = OptOutKey { account: account.id, phone, sender: scope(account, number) };
        match wish {
            Wish::Stop => {
                self.people.push(PersonFact::OptedOut(OptOut { key, at, origin: OptOutOrigin::Person }));
                self.people.push(PersonFact::TalkEnded(TalkKey { account: account.id, number: number.into(), phone }));
            }
            Wish::Start => {
                self.people.push(PersonFact::OptedIn(key));
                // An account that has since narrowed or widened what a STOP ends.
                for sender in [Box::<str>::default(), number.into()] {
                    self.people.push(PersonFact::OptedIn(OptOutKey { account: account.id, phone, sender }));
                }
            }
            Wish::Help => {}
        }
    }

    fn keep(&mut self, message: IncomingMessage, part_ids: &[MessageId]) {
        let event = message.account.map(|account| {
            let id = EventId::of_row(message.id);
            Fact::Event(Arc::new(Event::new(id, account, None, Payload::Incoming(report(&message)))))
        });
        let message = Arc::new(message);
        self.facts.push(Fact::Incoming { message: Arc::clone(&message), part_ids: part_ids.into() });
        self.facts.extend(event);
        self.messages.push(message);
    }
}

/// Who shares a number and is in the middle of a talk with the person.
fn talking<'a>(
    control: &'a Control,
    store: &Store,
    carrier: CarrierId,
    number: &str,
    phone: Phone,
) -> Option<Owner<'a>> {
    let key = |owner: &Owner<'_>| TalkKey { account: owner.account.id, number: number.into(), phone };
    control.owners_of_number(carrier, number).into_iter().find(|owner| store.talk(&key(owner)).is_some())
}

fn has_bot(number: &Number) -> bool {
    !number.settings.bot.is_empty()
}

fn message(
    text: &Text,
    ids: &IdGenerator,
    owner: Option<Owner<'_>>,
    number: &str,
    phone: Option<Phone>,
    handled: bool,
) -> IncomingMessage {
    IncomingMessage {
        id: ids.next(Lane::Standard),
        account: owner.map(|owner| owner.account.id),
        carrier: text.carrier,
        at: text.at,
        source: text.source.clone(),
        phone,
        number: number.into(),
        keyword: owner.map_or("", |owner| owner.keyword).into(),
        text: text.text.as_str().into(),
        parts: text.parts,
        missing: text.missing.clone(),
        late_part: text.late_part,
        group: text.group,
        flaw: text.flaw,
        raw: text.raw.clone(),
        handled,
    }
}

fn report(message: &IncomingMessage) -> IncomingReport {
    IncomingReport {
        phone: message.phone.map_or_else(|| message.source.clone(), |phone| format!("+{phone}").into()),
        number: message.number.clone(),
        keyword: message.keyword.clone(),
        message: message.text.clone(),
        received_at: message.at,
        parts: message.parts,
        complete: message.is_complete(),
        missing: message.missing.clone(),
        late_part: message.late_part,
        group: message.group,
    }
}
