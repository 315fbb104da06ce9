//! Recipients of an order: read, repeats dropped, a way and a price found for each.

use std::collections::HashSet;

use domain::control::Account;
use domain::id::CarrierId;
use domain::limits;
use domain::money::Money;
use domain::phone::Phone;
use domain::problem::Problem;
use domain::request::NewMessage;
use domain::sender::Sender;
use foldhash::fast::RandomState;

use super::check::detail;
use super::order::RefusalDetail;

/// The recipients that can be sent to, and those that can't.
#[derive(Debug, Default)]
pub(super) struct Recipients {
    /// With the price of one part; multiplied when the parts are known.
    pub accepted: Vec<NewMessage>,
    pub refused: Vec<RefusalDetail>,
}

/// The numbers of an order, if they are there and not too many.
pub(super) fn counted(numbers: Option<&[String]>) -> Result<&[String], RefusalDetail> {
    let numbers = numbers.ok_or_else(|| detail(Problem::FieldMissing, "phoneNumbers", ""))?;
    if numbers.is_empty() {
        return Err(detail(Problem::RecipientsMissing, "phoneNumbers", ""));
    }
    if numbers.len() > limits::RECIPIENTS_PER_REQUEST_MAX {
        return Err(detail(Problem::RecipientsTooMany, "phoneNumbers", &numbers.len().to_string()));
    }
    Ok(numbers)
}

/// Sorts out `numbers`; `plan` finds the price of a part and the carrier for each.
pub(super) fn sort_out(
    numbers: &[String],
    mut plan: impl FnMut(Phone) -> Result<(Money, CarrierId), Problem>,
) -> Recipients {
    let mut recipients = Recipients { accepted: Vec::with_capacity(numbers.len()), ..Recipients::default() };
    let mut seen =
        HashSet::with_capacity_and_hasher(if numbers.len() > 1 { numbers.len() } else { 0 }, RandomState::default());
    for (position, number) in numbers.iter().enumerate() {
        let position = u16::try_from(position).unwrap_or(u16::MAX);
        let outcome = Phone::parse(number).map_err(|_| Problem::RecipientInvalid).and_then(|phone| {
            if numbers.len() > 1 && !seen.insert(phone) {
                return Err(Problem::RecipientRepeated);
            }
            let (price, carrier) = plan(phone)?;
            Ok(NewMessage { position, phone, price, carrier, delay_ms: 0 })
        });
        match outcome {
            Ok(message) => recipients.accepted.push(message),
            Err(problem) => {
                let source = number.chars().take(32).collect();
                recipients.refused.push(RefusalDetail { source, ..detail(problem, "phoneNumbers", number) });
            }
        }
    }
    recipients
}

impl Recipients {
    /// Refuses those who want no messages from the sender.
    pub(super) fn refuse_opted_out(&mut self, is_opted_out: impl Fn(Phone) -> bool) {
        let out = self.accepted.extract_if(.., |message| is_opted_out(message.phone));
        self.refused.extend(out.map(|message| {
            let number = message.phone.to_string();
            RefusalDetail { source: number.clone(), ..detail(Problem::RecipientOptedOut, "phoneNumbers", &number) }
        }));
    }

    /// A number that people write to can only send where it is connected.
    pub(super) fn leave_as_number(&mut self, account: &Account, sender: &Sender) {
        let own = || account.numbers.iter().filter(|number| number.number == sender.as_str());
        let Some(first) = own().next() else { return };
        for message in &mut self.accepted {
            if own().all(|number| number.carrier != message.carrier) {
                message.carrier = first.carrier;
            }
        }
    }

    /// Turns prices per part into prices per message and returns their sum.
    pub(super) fn price(&mut self, parts: u8) -> Money {
        let mut total = Money(0);
        for message in &mut self.accepted {
            message.price = message.price.times(u32::from(parts));
            total = total.plus(message.price);
        }
        total
    }
}
