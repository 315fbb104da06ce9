//! The check of the keys.

use std::sync::Arc;

use domain::control::{Account, Control, Key};
use domain::permission::Permission;
use domain::problem::Problem;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::address::ClientAddress;

const APPLICATION_KEY: HeaderName = HeaderName::from_static("application-key");
/// Longest key header that is hashed; real ones have up to 128 characters.
const KEY_LENGTH_MAX: usize = 512;
/// Query parameters under which people put keys: URLs end up in logs, so these are refused outright.
const KEY_PARAMETERS: [&str; 9] = [
    "authorization",
    "application-key",
    "application_key",
    "applicationkey",
    "api_key",
    "apikey",
    "access_token",
    "token",
    "password",
];
/// Compared with when no key has the digest, so that an unknown key takes the same path as a known one.
const NO_DIGEST: [u8; 32] = [0; 32];

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: Arc<Account>,
    /// The key it called with.
    pub key: Arc<Key>,
}

/// Finds out who calls.
///
/// # Errors
/// [`Problem::KeysMissing`] without both headers or with a key in the query string,
/// [`Problem::KeysWrong`] for every other reason, so that nobody learns which one it was.
pub fn verify(
    control: &Control,
    headers: &HeaderMap,
    query: Option<&str>,
    address: ClientAddress,
) -> Result<Caller, Problem> {
    if query.is_some_and(holds_key) {
        return Err(Problem::KeysMissing);
    }
    let (Some(authorization), Some(application_key)) =
        (single(headers, &AUTHORIZATION), single(headers, &APPLICATION_KEY))
    else {
        return Err(Problem::KeysMissing);
    };
    if authorization.len() > KEY_LENGTH_MAX || application_key.len() > KEY_LENGTH_MAX {
        return Err(Problem::KeysWrong);
    }
    let digest = digest(authorization, application_key);
    let key = control.key(&digest);
    let stored = key.map_or(&NO_DIGEST, |key| &key.digest);
    let equal = bool::from(stored.ct_eq(&digest));
    let key = key.filter(|key| equal && key.settings.allows_address(address.0)).ok_or(Problem::KeysWrong)?;
    let account = control.account(key.account).ok_or(Problem::KeysWrong)?;
    Ok(Caller { account: Arc::clone(account), key: Arc::clone(key) })
}

impl Caller {
    /// # Errors
    /// [`Problem::PermissionMissing`] when the key may not do it.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.key.settings.permissions.allows(permission) { Ok(()) } else { Err(Problem::PermissionMissing) }
    }
}

/// The value of a header that stands there once and is not empty.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.as_bytes();
    (values.next().is_none() && !value.is_empty()).then_some(value)
}

fn holds_key(query: &str) -> bool {
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair));
    names.into_iter().any(|name| KEY_PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// SHA-256 over `authorization`, a zero octet and `application_key`, as the control data keeps it.
fn digest(authorization: &[u8], application_key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(authorization);
    hash.update([0]);
    hash.update(application_key);
    hash.finalize().into()
}
