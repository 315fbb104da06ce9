//! `GET /v2.1/sms`, `GET /v2.1/sms/statuses`, `OPTIONS /v2.1/sms/senders`.

use domain::clock::UnixMillis;
use domain::id::MessageId;
use domain::phone::Phone;
use domain::state::Status;
use serde_json::json;
use store::question::OrderBy;

use crate::support::client::request;
use crate::support::fake::{NOW, record};
use crate::support::server::Server;

#[tokio::test]
async fn items_have_the_fields_of_a_send_and_statuses_have_six() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.hold(vec![record("a-0001", "48111222333", Status::Delivered)]);
    let envelope = client.call("GET", "/v2.1/sms", b"").await.envelope();
    let item = json!({"sender":"ACME","phoneNumber":"+48111222333","externalId":"a-0001","status":21,"statusTime":1_795_342_505,
        "createTime":1_795_342_500,"smsPrice":700,"currency":985,"numberOfParts":1,"message":"Zażółć \"gęślą\" jaźń %s",
        "scheduleTime":0,"type":0,"shortLink":false,"encoding":8});
    assert_eq!(envelope["data"], json!([item]));
    let envelope = client.call("GET", "/v2/sms/statuses?getFullDate=1", b"").await.envelope();
    let item = json!({"externalId":"a-0001","phoneNumber":"+48111222333","sender":"ACME","status":21,"statusDesc":"Delivered",
        "statusTime":"2026-11-22 10:15:05"});
    assert_eq!(envelope["data"], json!([item]));
}

#[tokio::test]
async fn every_filter_reaches_the_query() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.hold(vec![record("extid_3-0001", "48111222333", Status::New)]);
    let target = "/v2.1/sms?externalId=C-extid_3-0001&offset=20&limit=1000&sender=ACME,A%20B&sender=2424&phoneNumber=+48111222333\
        &status=21&orderBy=status&orderDirection=asc&dateFrom=2026-11-01%2000:00:00&dateTo=2026-11-22T11:15:00+01:00&other=1";
    assert_eq!(client.call("GET", target, b"").await.status, 200);
    let query = server.fake.queries().remove(0);
    assert_eq!(query.external_id.as_deref(), Some("extid_3-0001"));
    assert_eq!((query.offset, query.limit, query.descending), (20, 1_000, false));
    assert_eq!(query.senders.iter().map(|sender| sender.as_str()).collect::<Vec<_>>(), ["ACME", "A B", "2424"]);
    assert_eq!(query.phone, Phone::parse("48111222333").ok());
    assert_eq!((query.status, query.order_by), (Some(Status::Delivered), OrderBy::Status));
    assert_eq!(query.from, Some(UnixMillis::from_seconds(1_793_491_200)));
    assert_eq!(query.to, Some(NOW.plus_ms(999)));

    assert_eq!(client.call("GET", "/v2.1/sms?limit=&sender=&orderBy=id", b"").await.status, 200);
    let query = server.fake.queries().remove(0);
    assert_eq!((query.offset, query.limit, query.descending, query.order_by), (0, 100, true, OrderBy::CreateTime));
    assert!(query.senders.is_empty() && query.external_id.is_none() && query.after.is_none() && query.from.is_none());
}

#[tokio::test]
async fn an_external_id_that_itself_begins_with_the_sign_is_found() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.hold(vec![record("C-7", "48111222333", Status::New)]);
    assert_eq!(client.call("GET", "/v2.1/sms?externalId=C-7", b"").await.status, 200);
    assert_eq!(client.call("GET", "/v2.1/sms?externalId=C-8", b"").await.status, 404);
}

#[tokio::test]
async fn a_cursor_goes_on_where_a_page_ended() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.hold(vec![record("a", "48111222333", Status::New)]);
    *server.fake.0.next.lock() = Some(MessageId(77));
    let envelope = client.call("GET", "/v2.1/sms", b"").await.envelope();
    let cursor = envelope["meta"]["nextCursor"].as_str().unwrap().to_owned();
    *server.fake.0.next.lock() = None;
    let envelope = client.call("GET", &format!("/v2.1/sms?cursor={cursor}"), b"").await.envelope();
    assert!(envelope["meta"].get("nextCursor").is_none());
    assert_eq!(server.fake.queries()[1].after, Some(MessageId(77)));
}

#[tokio::test]
async fn finding_nothing_is_404() {
    let server = Server::start();
    let mut client = server.client().await;
    for path in ["/v2.1/sms", "/v2.1/sms/statuses?sender=ACME"] {
        let reply = client.call("GET", path, b"").await;
        assert_eq!((reply.status, reply.codes()), (404, vec!["E-5-001".into()]));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_422_and_names_the_parameter() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.hold(vec![record("a", "48111222333", Status::New)]);
    let long = format!("externalId={}", "a".repeat(73));
    let senders = format!("sender={}", ["ACME"; 11].join(","));
    let cases = [
        "offset=-1",
        "offset=x",
        "offset=100001",
        "offset=1.0",
        "offset=1&offset=2",
        "limit=0",
        "limit=1001",
        "limit=99999999999999",
        "limit=ten",
        &senders,
        "sender=this-is-too-long-a-sender",
        "sender=%C5%BC",
        "sender=ACME,,",
        "phoneNumber=12",
        "phoneNumber=abc",
        "phoneNumber=48111222333,48111222334",
        "status=3",
        "status=delivered",
        "status=21,22",
        "orderBy=price",
        "orderBy=id;drop",
        "orderDirection=up",
        "dateFrom=yesterday",
        "dateFrom=2026-13-01",
        "dateFrom=2026-10-21%2023:59:59",
        "dateFrom=1795342500",
        "dateTo=2026-11-22%2025:00:00",
        "getFullDate=2",
        "getFullDate=true",
        "cursor=xyz",
        "cursor=00000000000000ff&offset=1",
        "cursor=00000000000000ff&orderBy=status",
        "externalId=C-",
        "externalId=%27%20or%201=1",
        &long,
    ];
    for path in ["/v2.1/sms", "/v2.1/sms/statuses"] {
        for case in cases {
            let reply = client.call("GET", &format!("{path}?{case}"), b"").await;
            let envelope = reply.envelope();
            assert_eq!((reply.status, reply.codes()), (422, vec!["E-4-018".to_owned()]), "{case}");
            let name = case.split('=').next().unwrap();
            assert_eq!(envelope["errors"][0]["meta"]["parameter"], name, "{case}");
        }
        for case in ["a=%", "offset=%zz", "sender=%ff", "%c5=1"] {
            let reply = client.call("GET", &format!("{path}?{case}"), b"").await;
            assert_eq!((reply.status, reply.codes()), (422, vec!["E-4-018".to_owned()]), "{case}");
        }
    }
    assert!(server.fake.queries().is_empty());
    assert_eq!(client.call("GET", "/v2.1/sms?limit=0&offset=x&status=7", b"").await.codes().len(), 3);
    for good in
        ["dateFrom=2026-10-22", "dateFrom=2026-10-22T00:00:00Z", "dateTo=2026-11-22+10:15:00", "orderDirection=DESC"]
    {
        assert_eq!(client.call("GET", &format!("/v2.1/sms?{good}"), b"").await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn senders_are_those_of_the_key_and_options_is_not_swallowed() {
    let server = Server::start();
    let mut client = server.client().await;
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    for octets in [
        request("OPTIONS", "/v2.1/sms/senders", &[], b""),
        request("OPTIONS", "/v2.1/sms/senders", &preflight, br#"{"x":1}"#),
        request("OPTIONS", "/v2/sms/senders", &[], b"not even json"),
        request("GET", "/v2.1/sms/senders", &[("content-type", "text/plain")], b""),
    ] {
        let reply = client.exchange(&octets).await;
        let data = json!([{"id":1,"name":"ACME"},{"id":2,"name":"2424"}]);
        assert_eq!((reply.status, &reply.envelope()["data"]), (200, &data));
        assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    }
}
