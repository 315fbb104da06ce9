//! Bounds of the control data.

use std::time::Duration;

/// Octets of a setup file: thousands of accounts fit, a file named by mistake does not.
pub(super) const SETUP_OCTETS_MAX: u64 = 16 * 1024 * 1024;
/// Characters of the name of a carrier, an account or a key.
pub(super) const NAME_LENGTH_MAX: usize = 64;
/// Fewest characters of a given key (setup file).
pub(super) const KEY_LENGTH_MIN: usize = 16;
/// Most characters of a given key (setup file).
pub(super) const KEY_LENGTH_MAX: usize = 128;
/// Characters of a generated `Authorization` (API contract).
pub(super) const AUTHORIZATION_LENGTH: usize = 128;
/// Characters of a generated `Application-Key`: 26 random ones are 154 bits.
pub(super) const APPLICATION_KEY_LENGTH: usize = 32;
/// Characters of a generated `secret_key`.
pub(super) const SECRET_KEY_LENGTH: usize = 40;
/// Characters of a generated `signing_secret` after `whsec_`: 32 characters are 24 octets of base64.
pub(super) const SIGNING_SECRET_LENGTH: usize = 32;
/// Characters of a given webhook secret.
pub(super) const SECRET_LENGTH_MAX: usize = 256;
/// Octets a `signing_secret` may stand for (Standard Webhooks: 24 to 64).
pub(super) const SIGNING_SECRET_OCTETS: std::ops::RangeInclusive<usize> = 24..=64;
/// Octets of `system_id` without the closing NUL (SMPP 3.4 §5.2.1).
pub(super) const SYSTEM_ID_OCTETS_MAX: usize = 15;
/// Octets of a carrier's password: beyond the 8 of SMPP 3.4 §5.2.2, for operators hand out longer ones.
pub(super) const PASSWORD_OCTETS_MAX: usize = 32;
/// Octets of `system_type` without the closing NUL (SMPP 3.4 §5.2.3).
pub(super) const SYSTEM_TYPE_OCTETS_MAX: usize = 12;
/// Characters of a host name.
pub(super) const HOST_LENGTH_MAX: usize = 253;
/// Further hosts of one carrier.
pub(super) const HOSTS_MAX: usize = 16;
/// Longest timer of a session, in seconds: an hour of silence is no session any more.
pub(super) const SESSION_SECONDS_MAX: u32 = 3_600;
/// Lines of a carrier's own table of statuses: there are 256 vendor codes.
pub(super) const STATUS_RULES_MAX: usize = 512;
/// Tries that can be asked for; 0 stands for as many as the validity allows.
pub(super) const STATUS_TRIES_MAX: u32 = 1_000;
/// Longest first pause between tries, in seconds.
pub(super) const PAUSE_SECONDS_MAX: u32 = 600;
/// Sessions to one carrier.
pub(super) const BINDS_MAX: u32 = 64;
/// Unanswered submits per bind.
pub(super) const WINDOW_MAX: u32 = 10_000;
/// Parts or messages per second that can be asked for.
pub(super) const RATE_PER_SECOND_MAX: u32 = 1_000_000;
/// Name that carriers of one operator account share.
pub(super) const OPERATOR_ACCOUNT_OCTETS_MAX: usize = 64;
/// Carriers that a route may give weights to: more than anybody has contracts with in a country.
pub(super) const CARRIERS_PER_ROUTE_MAX: usize = 32;
/// Weight of a carrier in a route: shares finer than a thousandth mean nothing.
pub(super) const WEIGHT_MAX: u32 = 1_000;
/// Digits of a prefix (ITU-T E.164).
pub(super) const PREFIX_LENGTH_MAX: usize = 15;
/// Versions whose content is kept for going back.
pub(super) const VERSIONS_KEPT_MAX: i64 = 200;
/// How long a process waits for another one's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a follower looks for changes made by other processes.
pub(super) const FOLLOW_INTERVAL: Duration = Duration::from_millis(250);
