//! Answers to people who wrote: messages of the platform's own making, sent as the number that was
//! written to.

use std::sync::Arc;

use domain::control::{Account, Key, KeySettings};
use domain::id::KeyId;
use domain::phone::Phone;

use super::grant::Accept;
use super::order::{Granted, Order, Refusal};

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// To STOP, HELP or START: goes also to those who want no messages.
    Confirmation,
    /// By a bot or the customer's own code.
    Bot,
}

/// An answer to somebody who wrote.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who answers, and pays.
    pub account: Arc<Account>,
    /// The number that was written to; one of the account's.
    pub number: String,
    /// Who wrote.
    pub phone: Phone,
    /// What is answered.
    pub text: String,
    /// The same answer again has the same reference and is sent once; visible ASCII.
    pub reference: String,
    /// What kind of answer it is.
    pub kind: AnswerKind,
}

impl Accept {
    /// Takes an answer like any order. `Ok` means that it is on stable storage.
    ///
    /// # Errors
    /// [`Refusal`] as an order of the account would get.
    pub async fn send_answer(&self, answer: Answer) -> Result<Granted, Refusal> {
        let Answer { account, number, phone, text, reference, kind } = answer;
        let id = match kind {
            AnswerKind::Confirmation => KeyId::CONFIRMATION,
            AnswerKind::Bot => KeyId::BOT,
        };
        let key = Key {
            id,
            account: account.id,
            name: "two_way".into(),
            digest: [0; 32],
            senders: Vec::new(),
            settings: KeySettings::default(),
        };
        let order = Order {
            account,
            key: Arc::new(key),
            uniq_id: "two_way".into(),
            idempotency_key: Some(reference),
            sender: Some(number),
            message: Some(text),
            phone_numbers: Some(vec![phone.to_string()]),
            validity: None,
            schedule_time: None,
            messages_per_hour: None,
            message_type: None,
            encoding: None,
            short_link: None,
            webhook_url: None,
            external_id: None,
            priority: None,
        };
        self.send(order).await
    }
}
