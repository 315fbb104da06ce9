//! The filters of the lists.

use domain::clock::UnixMillis;
use domain::id::{AccountId, MessageId};
use domain::limits::{EXTERNAL_ID_LENGTH_MAX, OFFSET_MAX, PAGE_ROWS_MAX};
use domain::phone::Phone;
use domain::problem::Problem;
use domain::sender::Sender;
use domain::state::Status;
use domain::timestamp;
use store::question::{ClickPage, ClickQuery, OrderBy, SearchPage, SearchQuery};

use crate::api::call::Call;
use crate::api::item::DateForm;
use crate::api::query::{Parameters, invalid};
use crate::backend::Backend;
use crate::envelope::{Fault, Rejection};

/// Rows of a page unless asked for otherwise (API contract).
pub(super) const LIMIT_DEFAULT: u32 = 100;
/// Senders in one filter (API contract).
const SENDERS_MAX: usize = 10;
/// How far back `dateFrom` may lie, counted from the start of today (UTC): one month (API contract).
const DATE_FROM_BACK_MS: i64 = 31 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// The sign some clients write in front of an externalId (API contract).
const EXTERNAL_ID_SIGN: &str = "C-";
/// A reference, its sign, and the `-10000` of a request with several numbers.
const EXTERNAL_ID_FILTER_LENGTH_MAX: usize = EXTERNAL_ID_LENGTH_MAX + 8;

/// What a list was asked for.
#[derive(Debug)]
pub(super) struct Filter {
    pub query: SearchQuery,
    pub date_form: DateForm,
    /// The externalId with its sign, in case the sign was part of it.
    signed_external_id: Option<String>,
}

impl Filter {
    /// Reads the parameters; every one that can't be read is told.
    pub(super) fn read(call: &Call) -> Result<Self, Rejection> {
        let parameters = Parameters::parse(&call.query)?;
        let mut faults = Vec::new();
        let filter = Self::collect(&parameters, call.caller.account.id, call.now, &mut faults);
        if faults.is_empty() { Ok(filter) } else { Err(Rejection::new(faults)) }
    }

    fn collect(parameters: &Parameters<'_>, account: AccountId, now: UnixMillis, faults: &mut Vec<Fault>) -> Self {
        let given = keep(parameters.read("externalId", external_id), faults).flatten();
        let unsigned = given.as_deref().map(|id| id.strip_prefix(EXTERNAL_ID_SIGN).unwrap_or(id).to_owned());
        let ascending = keep(parameters.read("orderDirection", direction), faults).flatten();
        let date_form = keep(parameters.read("getFullDate", date_form), faults).flatten().unwrap_or_default();
        let offset = keep(parameters.number("offset", 0, 0, OFFSET_MAX), faults).unwrap_or(0);
        let limit = keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), faults);
        let order_by = keep(parameters.read("orderBy", order_by), faults).flatten().unwrap_or_default();
        let after = keep(parameters.read("cursor", MessageId::from_reference), faults).flatten();
        if after.is_some() && (offset > 0 || order_by != OrderBy::CreateTime) {
            faults.push(invalid("cursor", "with offset or another orderBy"));
        }
        let query = SearchQuery {
            account,
            external_id: unsigned,
            phone: keep(parameters.read("phoneNumber", |text| Phone::parse(text.trim()).ok()), faults).flatten(),
            senders: keep(senders(parameters), faults).unwrap_or_default(),
            status: keep(parameters.read("status", status), faults).flatten(),
            from: keep(parameters.read("dateFrom", |text| date_from(text, now)), faults).flatten(),
            to: keep(parameters.read("dateTo", date_to), faults).flatten(),
            order_by,
            descending: !ascending.unwrap_or(false),
            offset,
            limit: limit.unwrap_or(LIMIT_DEFAULT),
            after,
        };
        Self { query, date_form, signed_external_id: given }
    }

    /// Asks; finding nothing is a 404.
    pub(super) async fn ask<B: Backend>(&self, backend: &B) -> Result<SearchPage, Rejection> {
        let mut page = backend.search(self.query.clone()).await?;
        if page.rows.is_empty() && self.signed_external_id != self.query.external_id {
            let query = SearchQuery { external_id: self.signed_external_id.clone(), ..self.query.clone() };
            page = backend.search(query).await?;
        }
        if page.rows.is_empty() { Err(Problem::NothingFound.into()) } else { Ok(page) }
    }
}

/// What a list of clicks was asked for.
#[derive(Debug)]
pub(super) struct ClickFilter {
    query: ClickQuery,
    external_id: Option<String>,
    pub date_form: DateForm,
}

impl ClickFilter {
    /// Reads the parameters; every one that can't be read is told.
    pub(super) fn read(call: &Call) -> Result<Self, Rejection> {
        let parameters = Parameters::parse(&call.query)?;
        let mut faults = Vec::new();
        let faults_in = &mut faults;
        let limit = keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), faults_in);
        let counted = keep(parameters.number("onlyCounted", 0, 0, 1), faults_in).unwrap_or(0);
        let query = ClickQuery {
            account: call.caller.account.id,
            messages: Vec::new(),
            with_programs: counted == 0,
            from: keep(parameters.read("dateFrom", |text| date_from(text, call.now)), faults_in).flatten(),
            to: keep(parameters.read("dateTo", date_to), faults_in).flatten(),
            limit: limit.unwrap_or(LIMIT_DEFAULT),
            after: keep(parameters.read("cursor", MessageId::from_reference), faults_in).flatten(),
        };
        let external_id = keep(parameters.read("externalId", external_id), faults_in).flatten();
        let date_form = keep(parameters.read("getFullDate", date_form), faults_in).flatten().unwrap_or_default();
        if faults.is_empty() { Ok(Self { query, external_id, date_form }) } else { Err(Rejection::new(faults)) }
    }

    /// Asks, without the sign of the externalId and then with it, in case it was part of it.
    pub(super) async fn ask<B: Backend>(&self, backend: &B) -> Result<ClickPage, Rejection> {
        let given = self.external_id.as_deref();
        let unsigned = given.map(|id| id.strip_prefix(EXTERNAL_ID_SIGN).unwrap_or(id));
        let page = backend.clicks(self.query.clone(), unsigned).await?;
        if page.rows.is_empty() && unsigned != given {
            return backend.clicks(self.query.clone(), given).await;
        }
        Ok(page)
    }
}

/// The cursor of the next page.
pub(super) fn next_cursor(page: &SearchPage) -> Option<String> {
    page.next.map(MessageId::to_reference)
}

pub(super) fn keep<T>(read: Result<T, Fault>, faults: &mut Vec<Fault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

fn external_id(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    let well_formed = text.len() <= EXTERNAL_ID_FILTER_LENGTH_MAX && text.bytes().all(allowed);
    (well_formed && text != EXTERNAL_ID_SIGN).then(|| text.to_owned())
}

fn senders(parameters: &Parameters<'_>) -> Result<Vec<Sender>, Fault> {
    let mut senders = Vec::new();
    for list in parameters.all("sender") {
        for name in list.split(',') {
            let sender = Sender::parse(name.trim()).map_err(|_| invalid("sender", name))?;
            if senders.len() == SENDERS_MAX {
                return Err(invalid("sender", list));
            }
            senders.push(sender);
        }
    }
    Ok(senders)
}

fn status(text: &str) -> Option<Status> {
    text.parse().ok().and_then(Status::from_code)
}

fn order_by(text: &str) -> Option<OrderBy> {
    match text {
        "createTime" | "id" => Some(OrderBy::CreateTime),
        "externalId" => Some(OrderBy::ExternalId),
        "status" => Some(OrderBy::Status),
        _ => None,
    }
}

/// Whether ascending.
fn direction(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("ASC") || is("DESC")).then(|| is("ASC"))
}

pub(super) fn date_form(text: &str) -> Option<DateForm> {
    match text {
        "0" => Some(DateForm::Seconds),
        "1" => Some(DateForm::Full),
        _ => None,
    }
}

/// An unescaped `+` of a time zone has become a space by now.
pub(super) fn moment(text: &str) -> Option<UnixMillis> {
    timestamp::parse(text).or_else(|| timestamp::parse(&text.replace(' ', "+")))
}

pub(super) fn date_from(text: &str, now: UnixMillis) -> Option<UnixMillis> {
    let today = now.0 - now.0.rem_euclid(DAY_MS);
    moment(text).filter(|from| from.0 >= today - DATE_FROM_BACK_MS)
}

/// Lists show whole seconds, so the last second belongs to the range.
pub(super) fn date_to(text: &str) -> Option<UnixMillis> {
    let to = moment(text)?;
    Some(if to.0.rem_euclid(1_000) == 0 { to.plus_ms(999) } else { to })
}
