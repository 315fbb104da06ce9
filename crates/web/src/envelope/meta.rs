//! `meta` with the fields some answers add.

use domain::money::Money;
use serde::{Serialize, Serializer};

/// What single calls add to `meta`; what is `None` is left out.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Recipients accepted by a send.
    pub sent_sms: Option<usize>,
    /// Recipients refused by a send.
    pub not_sent_sms: Option<usize>,
    /// Balance after a send, written as a decimal with four places.
    pub account_balance: Option<Money>,
    /// Where a list goes on.
    pub next_cursor: Option<String>,
    /// What a list can't show although it happened.
    pub not_kept: Option<u64>,
}

/// The whole of `meta`. Written out field by field: serde's `flatten` would go through a map.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta<'a> {
    pub number_of_errors: usize,
    pub number_of_data: usize,
    pub status: u16,
    pub uniq_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_sms: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_sent_sms: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_decimal")]
    pub account_balance: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<u64>,
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn as_decimal<S: Serializer>(amount: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => serializer.collect_str(amount),
        None => serializer.serialize_none(),
    }
}
