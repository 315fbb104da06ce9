//! Metrics and health on their own listener, and options that can't be used.

use domain::problem::Problem;
use domain::random::Random;
use tokio::sync::watch;
use web::operations::Operations;
use web::serve::{Options, Service};

use crate::support::client::{Client, bare_request};
use crate::support::server::{Server, options};

#[tokio::test]
async fn health_is_an_envelope_and_metrics_are_text() {
    let (ready, is_ready) = watch::channel(Ok(()));
    let handler = Operations::new(&Random::system(), || "up 1\n".to_owned(), move || *is_ready.borrow());
    let directory = tempfile::tempdir().unwrap();
    let service = Service::bind(&options(), directory.path(), &Random::system(), handler).unwrap();
    let address = service.handle().listen().unwrap();
    let (_drain, drained) = watch::channel(false);
    tokio::spawn(service.run(drained));
    let mut client = Client::connect(address).await;
    for (path, health) in [("/health/live", "live"), ("/health/ready", "ready")] {
        let reply = client.exchange(&bare_request("GET", path, &[], b"")).await;
        assert_eq!((reply.status, &reply.envelope()["data"][0]["health"]), (200, &health.into()));
    }
    let reply = client.exchange(&bare_request("GET", "/metrics", &[], b"")).await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"up 1\n"[..]));
    ready.send(Err(Problem::StorageFull)).unwrap();
    let reply = client.exchange(&bare_request("GET", "/health/ready", &[], b"")).await;
    assert_eq!((reply.status, reply.codes()), (503, vec!["E-9-003".into()]));
    assert_eq!(client.exchange(&bare_request("GET", "/health/live", &[], b"")).await.status, 200);
    assert_eq!(client.exchange(&bare_request("GET", "/v2.1/sms", &[], b"")).await.status, 404);
    assert_eq!(client.exchange(&bare_request("POST", "/metrics", &[], b"")).await.codes(), ["E-1-005"]);
}

#[tokio::test]
async fn answers_are_counted_by_status() {
    let server = Server::start();
    let mut client = server.client().await;
    client.call("GET", "/nowhere", b"").await;
    client.call("GET", "/v2.1/sms/senders", b"").await;
    let mut text = String::new();
    server.outcomes.write_prometheus(&mut text);
    for line in [
        "posthorn_web_requests_total{status=\"200\"} 1",
        "posthorn_web_requests_total{status=\"404\"} 1",
        "posthorn_web_requests_total{status=\"500\"} 0",
        "posthorn_web_request_seconds_count 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

#[test]
fn options_that_cannot_be_used_say_which_and_what_to_do() {
    let bad = [
        (Options { listen: "8080".into(), ..options() }, "http.listen is \"8080\": write an address and a port"),
        (Options { trusted_proxies: vec!["proxy".into()], ..options() }, "http.trusted_proxies holds \"proxy\""),
        (Options { header_read_ms: 0, ..options() }, "http.header_read_ms is 0"),
        (Options { certificate_file: "a.pem".into(), ..options() }, "belong together"),
    ];
    for (options, message) in bad {
        let told = options.check().unwrap_err().to_string();
        assert!(told.contains(message), "{told}");
    }
    let unknown = toml::from_str::<Options>("listenn = \"a\"").unwrap_err().to_string();
    assert!(unknown.contains("listenn"), "{unknown}");
    let defaults: Options = toml::from_str("").unwrap();
    assert_eq!((defaults.listen.as_str(), defaults.listen_tls.as_str()), ("127.0.0.1:8080", ""));
}

#[tokio::test]
async fn a_taken_port_is_told_in_words() {
    let server = Server::start();
    let taken = Options { listen: server.address.to_string(), ..options() };
    let directory = tempfile::tempdir().unwrap();
    let api = Operations::new(&Random::system(), String::new, || Ok(()));
    let error = Service::bind(&taken, directory.path(), &Random::system(), api).err().unwrap().to_string();
    assert!(
        error.contains("can't listen on 127.0.0.1:") && error.contains("is another server running there?"),
        "{error}"
    );
    assert!(error.contains("(http.listen)"), "{error}");
    let elsewhere = options().at("operations", &server.address.to_string());
    let api = Operations::new(&Random::system(), String::new, || Ok(()));
    let error = Service::bind(&elsewhere, directory.path(), &Random::system(), api).err().unwrap().to_string();
    assert!(error.contains("(operations.listen)"), "{error}");
    let malformed = options().at("priority", "nowhere").check().unwrap_err().to_string();
    assert!(malformed.contains("priority.listen is \"nowhere\""), "{malformed}");
}
