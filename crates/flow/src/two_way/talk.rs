//! Answers people: reserved words, bots, and what the customer's own code says.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use domain::bot::{Next, Reaction, Said, Script};
use domain::clock::UnixMillis;
use domain::control::{Account, Control, Number};
use domain::fact::Fact;
use domain::id::{AccountId, MessageId};
use domain::incoming::IncomingMessage;
use domain::lane::Lane;
use domain::limits::{ANSWERS_PER_MESSAGE_MAX, TALKER_BATCH};
use domain::person::{PersonFact, Position, Talk, TalkKey};
use domain::phone::Phone;
use domain::problem::Problem;
use domain::reserved::Wish;
use foldhash::fast::FixedState;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::handle::TwoWay;
use super::keep;
use super::stats::count;
use crate::accept::{Answer, AnswerKind};
use crate::drain;

/// How often an answer that the server is too busy for is tried again.
const BUSY_TRIES: u32 = 5;
/// How long to wait before that, times the number of tries.
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// Something for a talker to do.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Somebody wrote.
    Message(Arc<IncomingMessage>),
    /// A talk's time is over.
    TimedOut(TalkKey),
}

impl Work {
    /// A number that is the same for everything one person wrote.
    pub fn person(&self) -> u64 {
        let phone = match self {
            Self::Message(message) => message.phone.map_or(0, Phone::as_u64),
            Self::TimedOut(key) => key.phone.as_u64(),
        };
        FixedState::default().hash_one(phone)
    }
}

/// Bots fit for use, under one version of the control data.
#[derive(Default)]
pub(super) struct Scripts(Mutex<(u64, ByName)>);

/// By account and name; `None` for a bot that is not there or can't be used.
type ByName = HashMap<(AccountId, String), Option<Arc<Script>>>;

impl Scripts {
    /// The bot of a number, if it has one.
    pub fn of(&self, control: &Control, account: &Account, number: &Number) -> Option<Arc<Script>> {
        let name = &number.settings.bot;
        let mut scripts = self.0.lock();
        if scripts.0 != control.version {
            *scripts = (control.version, HashMap::new());
        }
        let found = scripts.1.entry((account.id, name.clone())).or_insert_with(|| {
            let bot = account.settings.bots.iter().find(|bot| bot.name == *name)?;
            let script = Script::of(bot).inspect_err(
                |flaws| tracing::error!(target: "two_way", account = account.name, bot = name, ?flaws, "a bot can't be used"),
            );
            script.ok().map(Arc::new)
        });
        found.clone()
    }
}

/// Works through one queue until `drain` turns true; what is in progress then is brought to its end, what waits is
/// answered after the next start.
pub(super) async fn talker(two_way: TwoWay, mut queue: mpsc::Receiver<Work>, mut drain: watch::Receiver<bool>) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = drain::requested(&mut drain) => return,
            count = queue.recv_many(&mut batch, TALKER_BATCH) => if count == 0 { return },
        }
        // Different people at once, each person's messages one after the other.
        let mut people: HashMap<u64, Vec<Work>> = HashMap::new();
        for work in batch.drain(..) {
            people.entry(work.person()).or_default().push(work);
        }
        let mut tasks = JoinSet::new();
        for works in people.into_values() {
            let two_way = two_way.clone();
            tasks.spawn(async move { two_way.attend_all(works).await });
        }
        let mut facts = Vec::new();
        while let Some(handled) = tasks.join_next().await {
            facts.extend(handled.unwrap_or_default().into_iter().map(|id| Fact::IncomingHandled { id }));
        }
        if !facts.is_empty()
            && let Err(error) = two_way.0.store.record(Lane::Standard, facts).await
        {
            tracing::warn!(target: "two_way", %error, "that messages were answered is not kept; a restart looks at them again");
        }
    }
}

impl TwoWay {
    /// The messages among the works that are done with.
    async fn attend_all(&self, works: Vec<Work>) -> Vec<MessageId> {
        let mut handled = Vec::new();
        for work in works {
            match work {
                Work::Message(message) => {
                    if self.attend(&message).await {
                        handled.push(message.id);
                    }
                }
                Work::TimedOut(key) => self.time_out(&key).await,
            }
        }
        handled
    }

    /// True when nothing more is to be done for the message.
    async fn attend(&self, message: &IncomingMessage) -> bool {
        let control = self.0.store.control();
        let (Some(account), Some(phone)) = (message.account, message.phone) else { return true };
        let Some(account) = control.account(account) else { return true };
        if let Some(asked) = keep::asked(&control, message.carrier, &message.number, &message.text) {
            count_wish(self, asked.reserved.wish);
            let words = &account.settings.reserved_words;
            let answer = words.answer(asked.reserved.wish, asked.reserved.language, &account.name, &message.number);
            let may_answer = self.hear(account.id, message, phone);
            let Some(answer) = answer.filter(|_| may_answer) else { return true };
            return self.answer(account, message, phone, vec![answer], AnswerKind::Confirmation).await;
        }
        let number = account.numbers.iter().find(|number| {
            *number.number == *message.number && number.carrier == message.carrier && !number.settings.bot.is_empty()
        });
        let Some(script) = number.and_then(|number| self.0.scripts.of(&control, account, number)) else { return true };
        let is_own = |account: &Arc<Account>| account.numbers.iter().any(|number| number.number == phone.to_string());
        if control.accounts().any(is_own) || self.0.store.is_opted_out(account.id, &message.number, phone) {
            count(&self.0.stats.silenced);
            return true;
        }
        self.converse(account, message, phone, &script).await
    }

    async fn converse(&self, account: &Arc<Account>, message: &IncomingMessage, phone: Phone, script: &Script) -> bool {
        let key = TalkKey { account: account.id, number: message.number.clone(), phone };
        let now = self.0.clock.now();
        let talk = self.0.store.talk(&key);
        if talk.as_ref().is_some_and(|talk| talk.last == message.id) {
            return true;
        }
        let talk = talk.filter(|talk| talk.until > now);
        if talk.as_ref().is_some_and(|talk| talk.position.is_handed_over()) {
            // A person has taken over.
            return true;
        }
        if !self.hear(account.id, message, phone) {
            return true;
        }
        let digits = phone.to_string();
        let said = Said::new(&message.text, &digits, &message.number);
        let Reaction { replies, next } = script.react(talk.as_ref().map(|talk| &talk.position), &said);
        if !self.answer(account, message, phone, replies, AnswerKind::Bot).await {
            return false;
        }
        self.go_on(key, next, talk.is_some(), message.id, now).await
    }

    /// Keeps where the person stands. After the answers: what is repeated after a crash gives the same ones.
    async fn go_on(&self, key: TalkKey, next: Next, was_talking: bool, last: MessageId, now: UnixMillis) -> bool {
        let until = |minutes: u32| now.plus_ms(i64::from(minutes) * 60_000);
        let fact = match next {
            Next::Idle if !was_talking => return true,
            Next::Idle => PersonFact::TalkEnded(key),
            Next::Await { position, minutes } => PersonFact::Talks(Talk { key, position, until: until(minutes), last }),
            Next::HandOver { minutes } => {
                PersonFact::Talks(Talk { key, position: Position::default(), until: until(minutes), last })
            }
        };
        let recorded = self.0.store.record_people(vec![fact]).await;
        recorded
            .inspect_err(|error| tracing::warn!(target: "two_way", %error, "where a talk stands could not be kept"))
            .is_ok()
    }

    async fn time_out(&self, key: &TalkKey) {
        let (control, now) = (self.0.store.control(), self.0.clock.now());
        let Some(talk) = self.0.store.talk(key).filter(|talk| talk.until <= now) else { return };
        let account = control.account(key.account);
        let number = account.and_then(|account| account.numbers.iter().find(|own| *own.number == *key.number));
        let script = account.zip(number).and_then(|(account, number)| self.0.scripts.of(&control, account, number));
        let nothing = Reaction { replies: Vec::new(), next: Next::Idle };
        let reaction =
            script.map_or(nothing, |script| script.time_out(&talk.position, &key.phone.to_string(), &key.number));
        if let Some(account) = account {
            for (index, text) in reaction.replies.into_iter().take(ANSWERS_PER_MESSAGE_MAX).enumerate() {
                let reference = format!("two_way:{}-timeout-{index}", talk.last);
                self.send(account, &key.number, key.phone, text, reference, AnswerKind::Bot).await;
            }
        }
        self.go_on(key.clone(), reaction.next, true, talk.last, now).await;
    }

    fn hear(&self, account: AccountId, message: &IncomingMessage, phone: Phone) -> bool {
        let now = self.0.clock.now();
        let heard = self.0.guard.lock().hear(account, &message.number, phone, &message.text, now);
        if let Err(silence) = heard {
            count(&self.0.stats.silenced);
            tracing::info!(target: "two_way", number = &*message.number, phone = phone.masked(), ?silence, "not answered: too many answers to this number");
        }
        heard.is_ok()
    }

    /// Sends the answers to a message; false when it is to be tried again after a restart.
    async fn answer(
        &self,
        account: &Arc<Account>,
        message: &IncomingMessage,
        phone: Phone,
        replies: Vec<String>,
        kind: AnswerKind,
    ) -> bool {
        let mut all_done = true;
        for (index, text) in replies.into_iter().take(ANSWERS_PER_MESSAGE_MAX).enumerate() {
            let reference = format!("two_way:{}-{index}", message.id);
            all_done &= self.send(account, &message.number, phone, text, reference, kind).await.is_none_or(is_final);
        }
        all_done
    }

    /// Sends one answer; what it was refused for, if it was.
    pub(super) async fn send(
        &self,
        account: &Arc<Account>,
        number: &str,
        phone: Phone,
        text: String,
        reference: String,
        kind: AnswerKind,
    ) -> Option<Problem> {
        self.0.guard.lock().answer(account.id, number, phone, self.0.clock.now());
        let mut tries = 0;
        loop {
            let answer = Answer {
                account: Arc::clone(account),
                number: number.to_owned(),
                phone,
                text: text.clone(),
                reference: reference.clone(),
                kind,
            };
            let refusal = match self.0.accept.send_answer(answer).await {
                Ok(_) => {
                    count(&self.0.stats.answers);
                    return None;
                }
                Err(refusal) => refusal,
            };
            let problem = refusal.details.first().map_or(Problem::Internal, |detail| detail.problem);
            tries += 1;
            if is_busy(problem) && tries < BUSY_TRIES {
                tokio::time::sleep(BUSY_PAUSE * tries).await;
                continue;
            }
            count(&self.0.stats.answers_refused);
            tracing::warn!(target: "two_way", account = account.name, number, phone = phone.masked(), code = problem.code(), "an answer was refused");
            return Some(problem);
        }
    }
}

fn count_wish(two_way: &TwoWay, wish: Wish) {
    match wish {
        Wish::Stop => count(&two_way.0.stats.stops),
        Wish::Start => count(&two_way.0.stats.starts),
        Wish::Help => {}
    }
}

/// Whether the same is worth another try in a moment.
fn is_busy(problem: Problem) -> bool {
    matches!(problem, Problem::Overloaded | Problem::TooManyRequests | Problem::RequestInProgress)
}

/// Whether a refusal stays one when the answer is tried again.
fn is_final(problem: Problem) -> bool {
    !is_busy(problem)
        && !matches!(problem, Problem::ShuttingDown | Problem::StorageFull | Problem::Unconfirmed | Problem::Internal)
}
