//! Clicks: what a link leads to, and that it was opened.

use domain::click::{Agent, Click, Network};
use domain::fact::Fact;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::link::{LinkId, ShortLinks};
use domain::request::Request;
use std::sync::Arc;

use super::fixture::{ACCOUNT, Case, Place};
use crate::handle::{AcceptOutcome, Store};
use crate::question::{ClickQuery, ClickSum};

pub(super) const CASES: &[(&str, Case)] = &[
    ("links_lead_to_the_urls_of_their_own_message_only", links_lead),
    ("each_recipient_is_listed_with_the_text_that_was_sent", texts),
    ("clicks_are_listed_and_summed_wherever_their_message_lies", clicks),
    ("a_click_is_seen_by_its_account_only", strangers),
];

const TEXT: &str = "Żółw https://a.example/x and http://b.example.";

/// A request with two links.
fn linked(place: &Place, store: &Store, lane: Lane, count: u16) -> Request {
    let places = ["https://a.example/x", "http://b.example"].map(|url| {
        let start = TEXT.find(url).expect("a link");
        let octets = |at: usize| u32::try_from(at).expect("small");
        octets(start)..octets(start + url.len())
    });
    let codes = store.link_codes().clone();
    let links = ShortLinks { base: "https://s.example/".into(), places: places.into_iter().collect(), codes };
    Request { text: TEXT.into(), links: Some(Arc::new(links)), ..place.request(store, lane, 48_600_000_000, count) }
}

fn links_lead(place: &Place) {
    let mut store = place.open();
    let with = Lane::ALL.map(|lane| place.accept(&store, linked(place, &store, lane, 2)));
    let without = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    for _ in 0..3 {
        let link = |message, link| place.run(store.link(LinkId { message, link })).expect("an answer");
        for request in &with {
            for (index, sent) in request.messages.iter().enumerate() {
                let id = request.message_id(index);
                for (number, url) in [(0, "https://a.example/x"), (1, "http://b.example")] {
                    let target = link(id, number).expect("a target");
                    assert_eq!((&*target.url, target.phone, target.account), (url, sent.phone, ACCOUNT));
                    assert_eq!(*target.external_id, *request.external_id_at(index));
                }
                assert_eq!(link(id, 2), None);
            }
            assert_eq!(link(request.id.offset(2), 0), None, "no message");
        }
        assert_eq!(link(without, 0), None, "no links");
        assert_eq!(link(MessageId(1 << 7), 0), None);
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn texts(place: &Place) {
    let mut store = place.open();
    let mut request = linked(place, &store, Lane::Standard, 2);
    request.external_id = Some("order".into());
    let request = place.accept(&store, request);
    let sent = [request.text_at(0), request.text_at(1)];
    assert!(sent[0] != sent[1] && sent[0].starts_with("Żółw https://s.example/") && sent[0].ends_with('.'));
    for _ in 0..3 {
        for (index, text) in sent.iter().enumerate() {
            let found = place.run(store.message(request.message_id(index))).expect("an answer").expect("a message");
            assert_eq!((&*found.text, found.short_link), (&**text, true));
        }
        let again = Request { id: store.ids().next(Lane::Standard), ..Request::clone(&request) };
        let repeated = place.run(store.accept(Lane::Standard, again)).expect("an answer");
        let AcceptOutcome::Repeated(first) = repeated else { panic!("expected a repeat, got {repeated:?}") };
        assert_eq!([first.text_at(0), first.text_at(1)], sent, "a repeat is answered with the same links");
        let after = MessageId(request.id.0 - 1);
        let waiting =
            place.run(store.waiting(Lane::Standard, (super::fixture::CARRIER, ACCOUNT), after, 10)).expect("an answer");
        let texts: Vec<String> = waiting
            .iter()
            .map(|one| one.content.links.as_ref().expect("links").text_for(&one.content.text, one.id))
            .collect();
        assert_eq!(texts, sent, "what waits in the store is sent with the same links");
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn click(place: &Place, store: &Store, link: LinkId, account: AccountId, agent: Agent) -> Click {
    let id = store.ids().next(Lane::Standard);
    let network = Network::parse("203.0.113.0/24").expect("a network");
    let click = Click { id, link, account, at: place.clock.now(), agent, network };
    place.run(store.record(Lane::Standard, vec![Fact::Clicked(click.clone())])).expect("a durable fact");
    click
}

fn query(account: AccountId) -> ClickQuery {
    ClickQuery { account, messages: Vec::new(), with_programs: true, from: None, to: None, limit: 100, after: None }
}

fn listed(place: &Place, store: &Store, query: &ClickQuery) -> Vec<Click> {
    let page = place.run(store.clicks(query.clone())).expect("an answer");
    page.rows.into_iter().map(|row| row.click).collect()
}

fn clicks(place: &Place) {
    let mut store = place.open();
    let urgent = place.accept(&store, linked(place, &store, Lane::Priority, 1));
    let request = place.accept(&store, linked(place, &store, Lane::Standard, 2));
    let (one, two) = (request.message_id(0), request.message_id(1));
    let mut all = Vec::new();
    let mut firsts = Vec::new();
    for round in 0..3_u64 {
        place.pass_ms(1_000);
        firsts.push(place.clock.now());
        let made = [
            (LinkId { message: one, link: 0 }, Agent::Phone),
            (LinkId { message: one, link: 1 }, Agent::Bot),
            (LinkId { message: urgent.id, link: 1 }, Agent::Computer),
            (LinkId { message: one, link: 0 }, Agent::Probe),
        ];
        all.extend(made.map(|(link, agent)| click(place, &store, link, ACCOUNT, agent)));
        let newest_first: Vec<Click> = all.iter().rev().cloned().collect();
        assert_eq!(listed(place, &store, &query(ACCOUNT)), newest_first);
        let people = ClickQuery { with_programs: false, ..query(ACCOUNT) };
        assert!(listed(place, &store, &people).iter().all(|click| click.agent.is_person()));
        let of_one = ClickQuery { messages: vec![one, two], ..people.clone() };
        assert_eq!(listed(place, &store, &of_one).len() as u64, round + 1);
        let of_two = ClickQuery { messages: vec![two], ..query(ACCOUNT) };
        assert_eq!(listed(place, &store, &of_two), []);
        let since = ClickQuery { from: Some(place.clock.now()), ..query(ACCOUNT) };
        assert_eq!(listed(place, &store, &since), newest_first[..4]);
        let until = ClickQuery { to: Some(firsts[0]), ..query(ACCOUNT) };
        assert_eq!(listed(place, &store, &until), newest_first[newest_first.len() - 4..]);
        let mut paged = ClickQuery { limit: 3, ..query(ACCOUNT) };
        let mut found = Vec::new();
        loop {
            let page = place.run(store.clicks(paged.clone())).expect("an answer");
            found.extend(page.rows);
            paged.after = page.next;
            if paged.after.is_none() {
                break;
            }
        }
        let target = found[0].target.as_ref().expect("kept");
        assert_eq!((&*target.url, target.phone), ("https://a.example/x", request.messages[0].phone));
        assert_eq!(found.into_iter().map(|row| row.click).collect::<Vec<_>>(), newest_first);
        let sum = |message| place.run(store.click_sum(message)).expect("an answer");
        assert_eq!(sum(one), ClickSum { first_at: Some(firsts[0]), clicks: round + 1 });
        assert_eq!(sum(two), ClickSum::default());
        place.rest(&store);
        let last = store.ids().next(Lane::Standard);
        store = place.reopen(store);
        assert!(store.ids().next(Lane::Standard) > all[all.len() - 1].id, "ids go on after {last}");
    }
}

fn strangers(place: &Place) {
    let store = place.open();
    let request = place.accept(&store, linked(place, &store, Lane::Standard, 1));
    let link = LinkId { message: request.id, link: 0 };
    let own = click(place, &store, link, ACCOUNT, Agent::Phone);
    let stranger = AccountId(ACCOUNT.0 + 1);
    assert_eq!(listed(place, &store, &query(ACCOUNT)), [own]);
    assert_eq!(listed(place, &store, &query(stranger)), []);
    let theirs = ClickQuery { messages: vec![request.id], ..query(stranger) };
    assert_eq!(listed(place, &store, &theirs), []);
}
