//! `GET /v2.1/sms/{externalId}/explain`.

use domain::id::CarrierId;
use domain::state::{Part, PartState, Status};

use crate::support::fake::{NOW, record};
use crate::support::server::Server;

#[tokio::test]
async fn an_explanation_keeps_its_shape() {
    let server = Server::start();
    let mut message = record("order-1", "+48500100200", Status::Delivered);
    message.carrier = CarrierId(2);
    message.parts = vec![Part {
        state: PartState::Delivered,
        carrier: CarrierId(2),
        operator_id: "4711".into(),
        taken_at: Some(NOW.plus_ms(1_000)),
        ..Part::default()
    }];
    server.fake.hold(vec![message]);
    let mut client = server.client().await;
    let reply = client.call("GET", "/v2.1/sms/order-1/explain", b"").await;
    let mut envelope = reply.envelope();
    envelope["meta"]["uniqId"] = "0000000000".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&envelope).unwrap());
    for same in ["/v2/sms/order-1/explain", "/v2.1/sms/C-order-1/explain/"] {
        let again = client.call("GET", same, b"").await.envelope();
        assert_eq!(again["data"], envelope["data"], "{same}");
    }
    let unknown = client.call("GET", "/v2.1/sms/order-2/explain", b"").await;
    assert_eq!((unknown.status, unknown.codes()), (404, vec!["E-5-002".to_owned()]));
}
