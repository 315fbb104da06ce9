//! What people write, over the real flow, store and operator.
#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

mod place;

use std::time::Duration;

use domain::clock::UnixMillis;
use domain::person::PersonFact;
use domain::phone::Phone;
use domain::problem::Problem;
use domain::state::Status;
use flow::accept::{Answer, AnswerKind};
use place::{PERSON, Place, eventually};
use store::question::{ConversationItem, ConversationQuery, IncomingQuery};

const ACCOUNTS: &str = r#"
[[account]]
name = "acme"
balance = "1000.0000"

[[account.webhook]]
event = "sms.incoming"
url = "{receiver}"

[[account.number]]
number = "2424"
kind = "short"
carrier = "operator-one"
keywords = ["ACME", "ACMEPLUS"]
bot = "shop"

[[account.number]]
number = "48500100200"
carrier = "operator-one"

[[account.bot]]
name = "shop"
otherwise = "Write ACME HOURS."

[[account.bot.rule]]
words = ["acme hours"]
answer = "We are open 9 to 17."

[[account.bot.rule]]
words = ["acme table"]
flow = "table"

[[account.bot.rule]]
words = ["acme person"]
flow = "person"

[[account.bot.flow]]
name = "person"

[[account.bot.flow.step]]
name = "person"
say = "Somebody will write to you."
hand_over = true

[[account.bot.flow]]
name = "table"

[[account.bot.flow.step]]
name = "guests"
say = "For how many?"

[[account.bot.flow.step.expect]]
pattern = "^[1-8]$"
next = "done"

[[account.bot.flow.step]]
name = "done"
say = "A table for {guests}."

[[account]]
name = "globex"
balance = "1000.0000"

[[account.number]]
number = "2424"
kind = "short"
carrier = "operator-one"
"#;

async fn incoming_of(place: &Place, account: Option<&str>) -> Vec<domain::incoming::IncomingMessage> {
    let account = account.map(|name| place.account(name).id);
    place.store.incoming(IncomingQuery::of(account)).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keyword_in_answer_submitted_receipt_back() {
    let place = Place::open("", ACCOUNTS).await;
    place.operator.deliver(PERSON, "2424", "Acme Hours?");
    assert_eq!(place.told(PERSON, 1).await, ["We are open 9 to 17."]);
    assert_eq!(place.sent_to(PERSON)[0].0, "2424", "it comes from the number that was written to");
    eventually("the event", || !place.receiver.events().is_empty()).await;
    let event = place.receiver.events()[0].clone();
    assert_eq!((&event["event"], &event["keyword"]), (&"sms.incoming".into(), &"ACME".into()));
    assert_eq!((&event["phoneNumber"], &event["number"]), (&format!("+{PERSON}").into(), &"2424".into()));
    assert_eq!((&event["message"], &event["complete"]), (&"Acme Hours?".into(), &true.into()));

    let query = ConversationQuery {
        account: place.account("acme").id,
        number: "2424".into(),
        phone: Phone::parse(PERSON).unwrap(),
        limit: 10,
        after: None,
    };
    let deadline = tokio::time::Instant::now() + place::PATIENCE;
    loop {
        let items = place.store.conversation(query.clone()).await.unwrap().items;
        if let [ConversationItem::Outgoing(answer), ConversationItem::Incoming(question)] = items.as_slice()
            && answer.status == Status::Delivered
        {
            assert_eq!((&*question.text, answer.price.0), ("Acme Hours?", 700), "the account pays");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "no receipt: {items:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_found_by_number_and_keyword_and_nothing_is_dropped() {
    let place = Place::open("", ACCOUNTS).await;
    for (number, text) in
        [("2424", "acmeplus now"), ("2424", "something else"), ("48500100200", "hello"), ("7070", "nobody's")]
    {
        place.operator.deliver(PERSON, number, text);
    }
    let stats = place.flow.two_way.stats();
    let count = |stat: &std::sync::atomic::AtomicU64| stat.load(std::sync::atomic::Ordering::Relaxed);
    eventually("all four", || count(&stats.messages) == 3 && count(&stats.unowned) == 1).await;
    let acme = incoming_of(&place, Some("acme")).await;
    let mut found: Vec<_> = acme.iter().map(|one| (&*one.number, &*one.keyword, &*one.text)).collect();
    found.sort_unstable();
    assert_eq!(found, [("2424", "ACMEPLUS", "acmeplus now"), ("48500100200", "", "hello")]);
    assert_eq!(&*incoming_of(&place, Some("globex")).await[0].text, "something else");
    assert_eq!(&*incoming_of(&place, None).await[0].text, "nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_goes_on_after_a_restart() {
    let place = Place::open("", ACCOUNTS).await;
    place.operator.deliver(PERSON, "2424", "ACME TABLE");
    assert_eq!(place.told(PERSON, 1).await, ["For how many?"]);
    let key = domain::person::TalkKey {
        account: place.account("acme").id,
        number: "2424".into(),
        phone: Phone::parse(PERSON).unwrap(),
    };
    eventually("the talk is kept", || place.store.talk(&key).is_some()).await;
    let place = place.restart().await;
    place.operator.deliver(PERSON, "2424", "4");
    let told = place.told(PERSON, 2).await;
    assert_eq!(told, ["For how many?", "A table for 4."], "an awaited answer needs no keyword on a shared number");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_is_silent_after_a_hand_over_until_that_is_ended() {
    let place = Place::open("", ACCOUNTS).await;
    let acme = place.account("acme").id;
    place.operator.deliver(PERSON, "2424", "acme person");
    assert_eq!(place.told(PERSON, 1).await, ["Somebody will write to you."]);
    let handed_over = |place: &Place| {
        let talks = place.store.talks(acme, None, 10);
        talks.first().is_some_and(|talk| talks.len() == 1 && talk.position.is_handed_over())
    };
    eventually("the hand-over is kept", || handed_over(&place)).await;
    let place = place.restart().await;
    assert!(handed_over(&place), "also after a restart");
    place.operator.deliver(PERSON, "2424", "acme hours");
    let stats = place.flow.two_way.stats();
    eventually("it came", || stats.messages.load(std::sync::atomic::Ordering::Relaxed) == 1).await;
    let dealt_with = async {
        while !place.store.incoming_unhandled(UnixMillis(0), 10).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(place::PATIENCE, dealt_with).await.expect("it was looked at");

    let key = place.store.talks(acme, None, 10)[0].key.clone();
    place.store.record_people(vec![PersonFact::TalkEnded(key)]).await.unwrap();
    place.operator.deliver(PERSON, "2424", "Acme hours!");
    let told = place.told(PERSON, 2).await;
    assert_eq!(
        told,
        ["Somebody will write to you.", "We are open 9 to 17."],
        "what came in between was a person's to answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_message_is_joined_over_a_restart() {
    let place = Place::open("", ACCOUNTS).await;
    let text = "acme ".to_owned() + &"0123456789".repeat(40);
    place.operator.deliver(PERSON, "2424", &text);
    eventually("the event", || !place.receiver.events().is_empty()).await;
    let event = place.receiver.events()[0].clone();
    assert_eq!((event["message"].as_str(), &event["numberOfParts"]), (Some(text.as_str()), &3.into()));
    let place = place.restart().await;
    let kept = incoming_of(&place, Some("acme")).await;
    assert_eq!((kept.len(), &*kept[0].text), (1, text.as_str()));
    assert_eq!(place.flow.two_way.waiting(), (0, 0), "what was joined does not wait again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_receiver_answers_is_sent() {
    let place = Place::open("", ACCOUNTS).await;
    *place.receiver.answer.lock() = r#"{"replies": ["first", "second"]}"#.into();
    place.operator.deliver(PERSON, "48500100200", "hello?");
    let mut told = place.told(PERSON, 2).await;
    told.sort_unstable();
    assert_eq!(told, ["first", "second"]);
    assert!(place.sent_to(PERSON).iter().all(|(number, _)| number == "48500100200"));
    *place.receiver.answer.lock() = r#"{"reply": 17}"#.into();
    place.operator.deliver(PERSON, "48500100200", "again?");
    let unreadable = &place.flow.two_way.stats().replies_unreadable;
    eventually("bad JSON is counted", || unreadable.load(std::sync::atomic::Ordering::Relaxed) == 1).await;
    assert_eq!(incoming_of(&place, Some("acme")).await.len(), 2, "the message stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_is_answered_kept_and_taken_back_by_start() {
    let place = Place::open("", ACCOUNTS).await;
    place.operator.deliver(PERSON, "2424", "Arrêt");
    let told = place.told(PERSON, 2).await;
    assert!(told.iter().all(|text| text.contains("Vous ne recevrez plus")), "{told:?}");
    let phone = Phone::parse(PERSON).unwrap();
    for account in ["acme", "globex"] {
        assert!(place.store.is_opted_out(place.account(account).id, "2424", phone), "both share the number");
    }
    place.operator.deliver(PERSON, "2424", "acme hours");
    let silenced = &place.flow.two_way.stats().silenced;
    eventually("the bot's silence", || silenced.load(std::sync::atomic::Ordering::Relaxed) == 1).await;
    place.operator.deliver(PERSON, "2424", "START ACME");
    assert_eq!(place.told(PERSON, 3).await.len(), 3, "the bot keeps silent after STOP");
    eventually("START", || !place.store.is_opted_out(place.account("acme").id, "2424", phone)).await;
    assert!(place.store.is_opted_out(place.account("globex").id, "2424", phone), "START ACME was to acme alone");
}

fn answer(place: &Place, number: u32) -> Answer {
    Answer {
        account: place.account("acme"),
        number: "2424".into(),
        phone: Phone::parse(PERSON).unwrap(),
        text: format!("news {number}"),
        reference: format!("race-{number}"),
        kind: AnswerKind::Bot,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e7_stop_race() {
    const WINDOW: usize = 10;
    let place = Place::open("binds = 1\nwindow = 10\nrate_per_second = 100", ACCOUNTS).await;
    let accepting = (0..1_000).map(|number| place.flow.accept.send_answer(answer(&place, number)));
    for one in accepting.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    eventually("some are sent", || place.operator.ledger().parts().len() > 20).await;
    place.operator.deliver(PERSON, "2424", "STOP ACME");
    let (acme, phone) = (place.account("acme").id, Phone::parse(PERSON).unwrap());
    eventually("the STOP is kept", || place.store.is_opted_out(acme, "2424", phone)).await;
    let sent_by_then = place.operator.ledger().parts().len();
    let refused = place.flow.accept.send_answer(answer(&place, 9_999)).await.unwrap_err();
    assert_eq!(refused.details[0].problem, Problem::RecipientOptedOut);

    let deadline = tokio::time::Instant::now() + place::PATIENCE;
    loop {
        let waiting = place.store.lines(domain::lane::Lane::Standard).await.unwrap();
        if waiting.iter().all(|(_, _, count)| *count == 0) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "they still wait: {waiting:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let news = place.sent_to(PERSON).into_iter().filter(|(_, text)| text.starts_with("news")).count();
    assert!(news <= sent_by_then + WINDOW, "{news} were sent, {sent_by_then} before the STOP was kept");
    assert!(news < 1_000);
    let page = place
        .store
        .search(store::question::SearchQuery {
            account: acme,
            external_id: None,
            phone: Some(phone),
            senders: vec![],
            status: Some(Status::Rejected),
            from: None,
            to: None,
            order_by: store::question::OrderBy::CreateTime,
            descending: true,
            offset: 0,
            limit: 1_000,
            after: None,
        })
        .await
        .unwrap();
    assert_eq!(page.rows.len(), 1_000 - news, "the rest ends");
    assert!(page.rows.iter().all(|row| &*row.error == "opted_out"));
    eventually("the STOP is confirmed", || {
        place.sent_to(PERSON).iter().any(|(_, text)| text.contains("no more messages"))
    })
    .await;
}
