//! Lists: filters, order, pages, and nobody sees another account's.

use domain::fact::MessageFact;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::phone::Phone;
use domain::sender::Sender;
use domain::state::Status;

use super::fixture::{ACCOUNT, Case, Place, everything, submitted};
use crate::handle::Store;
use crate::question::{MessageRecord, OrderBy, SearchQuery};

pub(super) const CASES: &[(&str, Case)] = &[
    ("filters_and_orders_agree_with_a_plain_list", filters),
    ("pages_by_cursor_and_by_offset_miss_nothing", pages),
    ("an_external_id_names_one_message_or_a_whole_request", external_ids),
    ("nobody_sees_another_accounts_messages", tenants),
];

/// Fills a store with messages of two accounts, two lanes, several numbers, senders and statuses.
fn fill(place: &Place, store: &Store) -> Vec<MessageRecord> {
    let mut ids: Vec<MessageId> = Vec::new();
    for number in 0..70_u64 {
        let lane = if number % 4 == 0 { Lane::Priority } else { Lane::Standard };
        let mut request =
            place.request(store, lane, 48_600_000_000 + number % 7, 1 + u16::try_from(number % 2).expect("small"));
        request.account = if number % 5 == 0 { AccountId(2) } else { ACCOUNT };
        request.sender =
            Sender::parse(["ACME", "Shop", "2424"][usize::try_from(number % 3).expect("small")]).expect("a sender");
        request.external_id = (number % 2 == 0).then(|| format!("x{:02}", 99 - number).into());
        let request = place.accept(store, request);
        for index in 0..request.messages.len() {
            let id = request.message_id(index);
            match number % 4 {
                1 => place.fact(store, id, submitted(1, &format!("op{}", id.0))),
                2 => place.fact(store, id, MessageFact::Cancelled),
                _ => {}
            }
            ids.push(id);
        }
        place.pass_ms(1000);
        if number == 30 {
            place.rest(store);
        }
    }
    ids.sort_unstable();
    ids.iter().map(|id| place.run(store.message(*id)).expect("an answer").expect("a message")).collect()
}

fn expected(all: &[MessageRecord], query: &SearchQuery) -> Vec<MessageRecord> {
    let mut rows: Vec<MessageRecord> = all
        .iter()
        .filter(|row| row.account == query.account)
        .filter(|row| query.phone.is_none_or(|phone| row.phone == phone))
        .filter(|row| query.senders.is_empty() || query.senders.contains(&row.sender))
        .filter(|row| query.status.is_none_or(|status| row.status == status))
        .filter(|row| query.from.is_none_or(|from| row.accepted_at >= from))
        .filter(|row| query.to.is_none_or(|to| row.accepted_at <= to))
        .cloned()
        .collect();
    match query.order_by {
        OrderBy::CreateTime => rows.sort_by_key(|row| row.id),
        OrderBy::ExternalId => {
            rows.sort_by(|one, other| (&one.external_id, one.id).cmp(&(&other.external_id, other.id)))
        }
        OrderBy::Status => rows.sort_by_key(|row| (row.status, row.id)),
    }
    if query.descending {
        rows.reverse();
    }
    rows
}

fn filters(place: &Place) {
    let mut store = place.open();
    let all = fill(place, &store);
    let begin = all[0].accepted_at;
    let mut queries = Vec::new();
    for account in [ACCOUNT, AccountId(2), AccountId(3)] {
        for descending in [true, false] {
            let plain = SearchQuery { descending, ..everything(account) };
            queries.push(SearchQuery { phone: Phone::from_u64(48_600_000_003), ..plain.clone() });
            queries.push(SearchQuery { phone: Phone::from_u64(48_699_999_999), ..plain.clone() });
            queries.push(SearchQuery { status: Some(Status::Cancelled), ..plain.clone() });
            queries.push(SearchQuery { senders: vec![all[0].sender.clone(), all[6].sender.clone()], ..plain.clone() });
            queries.push(SearchQuery {
                from: Some(begin.plus_ms(10_000)),
                to: Some(begin.plus_ms(50_000)),
                ..plain.clone()
            });
            queries.push(SearchQuery {
                phone: Phone::from_u64(48_600_000_003),
                status: Some(Status::New),
                ..plain.clone()
            });
            queries.push(SearchQuery { order_by: OrderBy::Status, ..plain.clone() });
            queries.push(SearchQuery { order_by: OrderBy::ExternalId, ..plain.clone() });
            queries.push(plain);
        }
    }
    for _ in 0..3 {
        for query in &queries {
            let page = place.run(store.search(query.clone())).expect("an answer");
            assert_eq!(page.rows, expected(&all, query), "{query:?}");
            assert_eq!(page.next, None);
        }
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn pages(place: &Place) {
    let mut store = place.open();
    let all = fill(place, &store);
    for _ in 0..2 {
        for descending in [true, false] {
            for order_by in [OrderBy::CreateTime, OrderBy::Status, OrderBy::ExternalId] {
                let query = SearchQuery { descending, order_by, limit: 9, ..everything(ACCOUNT) };
                let whole = expected(&all, &query);
                for offset in [0, 1, 8, 9, 40, 400] {
                    let page = place.run(store.search(SearchQuery { offset, ..query.clone() })).expect("an answer");
                    let from = whole.len().min(offset as usize);
                    assert_eq!(page.rows, whole[from..whole.len().min(from + 9)]);
                }
            }
            let query = SearchQuery { descending, limit: 9, ..everything(ACCOUNT) };
            let mut rows = Vec::new();
            let mut after = None;
            loop {
                let page = place.run(store.search(SearchQuery { after, ..query.clone() })).expect("an answer");
                rows.extend(page.rows);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(rows, expected(&all, &query));
        }
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn external_ids(place: &Place) {
    let mut store = place.open();
    let mut many = place.request(&store, Lane::Standard, 48_600_000_000, 3);
    many.external_id = Some("x".into());
    let many = place.accept(&store, many);
    let mut one = place.request(&store, Lane::Priority, 48_600_000_000, 1);
    one.external_id = Some("y-0001".into());
    let one = place.accept(&store, one);
    let nameless = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    let find = |store: &Store, account, text: &str| {
        let found = place.run(store.find(account, text)).expect("an answer");
        found.iter().map(|record| record.id).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        assert_eq!(find(&store, ACCOUNT, "x"), [many.message_id(0), many.message_id(1), many.message_id(2)]);
        assert_eq!(find(&store, ACCOUNT, "x-0002"), [many.message_id(1)]);
        assert_eq!(find(&store, ACCOUNT, "y-0001"), [one.id]);
        assert_eq!(find(&store, ACCOUNT, &nameless.to_reference()), [nameless]);
        for nothing in ["y", "x-0004", "x-0000", "x-2", "z", "0000000000000000"] {
            assert_eq!(find(&store, ACCOUNT, nothing), [], "{nothing}");
        }
        assert_eq!(find(&store, AccountId(2), "x"), []);
        assert_eq!(find(&store, AccountId(2), &nameless.to_reference()), []);
        let query = SearchQuery { external_id: Some("x".into()), ..everything(ACCOUNT) };
        assert_eq!(place.run(store.search(query)).expect("an answer").rows.len(), 3);
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn tenants(place: &Place) {
    let store = place.open();
    let all = fill(place, &store);
    place.rest(&store);
    for record in all.iter().filter(|record| record.account == ACCOUNT) {
        assert_eq!(place.run(store.find(AccountId(2), &record.external_id)), Ok(Vec::new()));
        let queries = [
            SearchQuery { external_id: Some(record.external_id.to_string()), ..everything(AccountId(2)) },
            SearchQuery { phone: Some(record.phone), ..everything(AccountId(2)) },
        ];
        for query in queries {
            let rows = place.run(store.search(query)).expect("an answer").rows;
            assert!(rows.iter().all(|row| row.account == AccountId(2)));
        }
    }
}
