//! Contradictions between a setup that is right in itself and what the database keeps beside it.

use std::collections::{HashMap, HashSet};

use domain::keyword::phrase;

use super::content::{Content, NumberEntry};

/// All contradictions, each in a sentence that tells what to do.
pub(super) fn find(declared: &Content, stored: &Content) -> Vec<String> {
    let mut conflicts = Vec::new();
    numbers_of_kept_accounts(declared, stored, &mut conflicts);
    pairs_of_other_keys(declared, stored, &mut conflicts);
    conflicts
}

fn numbers_of_kept_accounts(declared: &Content, stored: &Content, conflicts: &mut Vec<String>) {
    let named: HashSet<&str> = declared.accounts.iter().map(|account| account.name.as_str()).collect();
    let carriers: HashSet<&str> = declared.carriers.iter().map(|carrier| carrier.name.as_str()).collect();
    let numbers =
        declared.accounts.iter().flat_map(|account| account.numbers.iter().map(move |number| (account, number)));
    let declared: HashMap<(&str, &str, String), &str> =
        numbers.flat_map(|(account, number)| claims(number).map(move |claim| (claim, account.name.as_str()))).collect();
    for account in stored.accounts.iter().filter(|account| !named.contains(account.name.as_str())) {
        for number in &account.numbers {
            let (digits, carrier, owner) = (&number.number, &number.carrier, &account.name);
            if !carriers.contains(carrier.as_str()) {
                conflicts.push(format!(
                    "carrier {carrier} is left out, but account {owner} has number {digits} on it: name the carrier, or name the account without the number"
                ));
            }
            if let Some(claimed) = claims(number).find_map(|claim| declared.get(&claim)) {
                conflicts.push(format!(
                    "number {digits} at {carrier} is given to account {claimed}, but account {owner} has it: name {owner} without the number"
                ));
            }
        }
    }
}

/// What an entry has of a number: each of its keywords, or everything that no keyword claims.
fn claims(number: &NumberEntry) -> impl Iterator<Item = (&str, &str, String)> {
    let (digits, carrier) = (number.number.as_str(), number.carrier.as_str());
    let keywords = &number.settings.keywords;
    let everything = keywords.is_empty().then(String::new);
    everything
        .into_iter()
        .chain(keywords.iter().map(|keyword| phrase(keyword)))
        .map(move |word| (digits, carrier, word))
}

/// A pair may be given to a key only if no other key goes on using it.
fn pairs_of_other_keys(declared: &Content, stored: &Content, conflicts: &mut Vec<String>) {
    let mut owners: HashMap<[u8; 32], String> = HashMap::new();
    for account in &stored.accounts {
        for key in &account.keys {
            let declared_account = declared.accounts.iter().find(|declared| declared.name == account.name);
            let declared_key =
                declared_account.and_then(|account| account.keys.iter().find(|other| other.name == key.name));
            let goes_on = declared_key.is_none_or(|declared| declared.keeps_pair_of(key));
            if let Some(digest) = key.digest.filter(|_| goes_on) {
                owners.insert(digest, format!("{}/{}", account.name, key.name));
            }
        }
    }
    for account in &declared.accounts {
        for key in &account.keys {
            let name = format!("{}/{}", account.name, key.name);
            let owner = key.digest.and_then(|digest| owners.get(&digest)).filter(|owner| **owner != name);
            if let Some(owner) = owner {
                conflicts
                    .push(format!("key {name} has the same pair as key {owner}, which stays: give it another pair"));
            }
        }
    }
}
