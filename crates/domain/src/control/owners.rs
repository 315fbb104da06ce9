//! Whose a number is, alone or by keyword.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::Account;
use super::number::Number;
use crate::id::{AccountId, CarrierId};
use crate::keyword::{first_word, fold};

/// Numbers with those who own them.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    /// By carrier and digits: the longest keyword first, the owner of everything else last.
    claims: HashMap<(CarrierId, String), Vec<Claim>>,
}

#[derive(Clone, Debug)]
struct Claim {
    /// As it is compared; empty for everything that no keyword claims.
    keyword: String,
    /// As the account wrote it.
    spelled: String,
    account: AccountId,
    /// Place among the account's numbers.
    number: usize,
}

/// An account with the number and keyword by which something is its own.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The account.
    pub account: &'a Arc<Account>,
    /// The number as it has it.
    pub number: &'a Number,
    /// The keyword as the account wrote it; empty when the number alone decided.
    pub keyword: &'a str,
}

impl Owners {
    pub(super) fn new(accounts: &HashMap<AccountId, Arc<Account>>) -> Self {
        let mut claims: HashMap<_, Vec<Claim>> = HashMap::new();
        for account in accounts.values() {
            for (index, number) in account.numbers.iter().enumerate() {
                let claim = |spelled: &str| Claim {
                    keyword: first_word(spelled),
                    spelled: spelled.to_owned(),
                    account: account.id,
                    number: index,
                };
                let of_number = claims.entry((number.carrier, number.number.clone())).or_default();
                let keywords = &number.settings.keywords;
                of_number.extend(keywords.iter().map(|keyword| claim(keyword)));
                if keywords.is_empty() {
                    of_number.push(claim(""));
                }
            }
        }
        for of_number in claims.values_mut() {
            of_number.sort_by_key(|claim| (std::cmp::Reverse(claim.keyword.len()), claim.account));
        }
        Self { claims }
    }

    /// The owner of a text: whose keyword is the longest that its first word begins with.
    pub(super) fn of_text<'a>(
        &'a self,
        accounts: &'a HashMap<AccountId, Arc<Account>>,
        carrier: CarrierId,
        number: &str,
        text: &str,
    ) -> Option<Owner<'a>> {
        let claims = self.claims.get(&(carrier, number.to_owned()))?;
        let word = first_word(text);
        claims.iter().find(|claim| word.starts_with(&claim.keyword)).and_then(|claim| claim.owner(accounts))
    }

    /// Everybody who has a share of a number, the owner of everything else last.
    pub(super) fn of_number<'a>(
        &'a self,
        accounts: &'a HashMap<AccountId, Arc<Account>>,
        carrier: CarrierId,
        number: &str,
    ) -> Vec<Owner<'a>> {
        let claims = self.claims.get(&(carrier, number.to_owned())).map_or(&[][..], Vec::as_slice);
        claims.iter().filter_map(|claim| claim.owner(accounts)).collect()
    }
}

impl Claim {
    fn owner<'a>(&'a self, accounts: &'a HashMap<AccountId, Arc<Account>>) -> Option<Owner<'a>> {
        let account = accounts.get(&self.account)?;
        Some(Owner { account, number: account.numbers.get(self.number)?, keyword: &self.spelled })
    }
}

impl Owner<'_> {
    /// Whether a word, as it is compared, is the keyword.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        !self.keyword.is_empty() && fold(word) == first_word(self.keyword)
    }
}
