//! Networks of recipients: learnt before ways are planned, and told to whoever asks.

use domain::clock::UnixMillis;
use domain::control::Account;
use domain::phone::Phone;
use domain::problem::Problem;

use super::check::{self, detail};
use super::grant::{Accept, refusal, whole_seconds};
use super::order::{Order, Refusal};
use super::recipients;
use crate::portability::{Fresh, NumberFacts};

impl Accept {
    /// Has the number-portability service asked for the recipients, where there is one and some route goes by
    /// network. What is not known in time goes by number ranges; nothing is refused for it.
    pub(super) async fn learn_networks(&self, order: &Order, now: UnixMillis) -> Fresh {
        let networks = self.0.router.networks();
        if !networks.can_be_asked() || !self.0.store.control().routes_by_network() {
            return Fresh::default();
        }
        // Calls cost money: none for an order that is refused anyway.
        let checked = check::check(order, now.seconds(), &*self.0.url_guard, self.0.shortener.as_ref());
        let (Ok(conditions), Ok(numbers)) = (checked, recipients::counted(order.phone_numbers.as_deref())) else {
            return Fresh::default();
        };
        let phones = numbers.iter().filter_map(|number| Phone::parse(number).ok());
        networks.ask_for(phones, conditions.lane).await
    }

    /// What is known of a number. Counts as a message of the account's rate, since the answer may have to be asked for.
    ///
    /// # Errors
    /// [`Refusal`] when the number is none, nobody knows it or nobody can be asked.
    pub async fn look_up(&self, account: &Account, number: &str) -> Result<NumberFacts, Refusal> {
        let refused = |problem| Refusal { details: vec![detail(problem, "phone", number)], retry_after_seconds: None };
        let phone = Phone::parse(number).map_err(|_| refused(Problem::RecipientInvalid))?;
        let admitted = self.0.meters.admit(account, 1);
        admitted.map_err(|wait| refusal(Problem::TooManyRequests, Some(whole_seconds(wait))))?;
        match self.0.router.networks().look_up(phone).await {
            Ok(Some(facts)) => Ok(facts),
            Ok(None) => Err(refused(Problem::NumberUnknown)),
            Err(error) => {
                tracing::warn!(target: "accept", %error, "a number was not looked up");
                Err(refusal(Problem::LookUpFailed, Some(ASK_AGAIN_SECONDS)))
            }
        }
    }
}

/// When a number may be asked for again that could not be looked up: a service that fails is left alone as long.
const ASK_AGAIN_SECONDS: u32 = 10;
