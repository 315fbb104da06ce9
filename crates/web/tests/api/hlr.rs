//! `POST /v2.1/sms/hlr`.

use serde_json::json;

use crate::support::client::bare_request;
use crate::support::fake::{APPLICATION_KEY, READER_AUTHORIZATION};
use crate::support::server::Server;

#[tokio::test]
async fn a_number_is_told_with_what_is_known_of_it() {
    let server = Server::start();
    let mut client = server.client().await;
    for path in ["/v2.1/sms/hlr", "/v2/sms/hlr/"] {
        let reply = client.call("POST", path, br#"{"phone":"+48500100200"}"#).await;
        let whole = json!({"phone":"+48500100200","imsi":"260061234567890","network":"26006","networkName":"Play",
            "networkPorted":true,"source":"lookup"});
        assert_eq!((reply.status, &reply.envelope()["data"]), (200, &json!([whole])));
    }
    let reply = client.call("POST", "/v2.1/sms/hlr", br#"{"phone":"48500100201"}"#).await;
    let bare = json!([{"phone":"+48500100201","network":"26006","source":"number_range"}]);
    assert_eq!(reply.envelope()["data"], bare, "what is not known is left out");
}

#[tokio::test]
async fn what_can_t_be_told_is_refused() {
    let server = Server::start();
    let mut client = server.client().await;
    for (body, status, code) in [
        ("{}", 422, "E-4-001"),
        (r#"{"phone":null}"#, 422, "E-4-001"),
        (r#"{"phone":48500100200}"#, 422, "E-4-002"),
        (r#"{"phone":"48 500"}"#, 422, "E-4-009"),
        (r#"{"phone":"12025550123"}"#, 404, "E-5-006"),
        (r#"{"phone":"48500100202"}"#, 503, "E-9-006"),
        ("", 400, "E-1-001"),
    ] {
        let reply = client.call("POST", "/v2.1/sms/hlr", body.as_bytes()).await;
        assert_eq!((reply.status, reply.codes()), (status, vec![code.to_owned()]), "{body}");
        assert_eq!(reply.header("retry-after"), (status == 503).then_some("10"), "{body}");
    }
    let missing = client.call("POST", "/v2.1/sms/hlr", b"{}").await;
    assert_eq!(missing.envelope()["errors"][0]["meta"]["parameter"], "phone");
    let get = client.call("GET", "/v2.1/sms/hlr", b"").await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    let keys = [("authorization", READER_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    let body = br#"{"phone":"48500100200"}"#;
    let reader = client.exchange(&bare_request("POST", "/v2.1/sms/hlr", &keys, body)).await;
    assert_eq!((reader.status, reader.codes()), (403, vec!["E-3-001".to_owned()]), "a look-up may cost money");
}
