//! Short links through a socket, from whoever may ask for them.

use std::sync::Arc;

use domain::click::Agent;
use domain::clock::Clock;
use domain::problem::Problem;
use domain::random::Random;
use flow::follow::Visit;
use parking_lot::Mutex;
use tokio::sync::watch;
use web::api::Api;
use web::envelope::Rejection;
use web::links::{ByHost, Follower, Links};
use web::serve::Service;

use crate::support::client::{Client, bare_request};
use crate::support::fake::{Fake, NOW};
use crate::support::server::options;

const CODE: &str = "0123456789ab";
const TARGET: &str = "https://a.example/x?y=%C5%BC";

/// Knows one link, and what it was asked.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<Vec<(String, Visit)>>>);

impl Follower for Known {
    async fn follow(&self, code: &str, visit: Visit) -> Result<Option<Arc<str>>, Rejection> {
        self.0.lock().push((code.to_owned(), visit));
        match code {
            CODE => Ok(Some(TARGET.into())),
            "overloaded00" => Err(Problem::Overloaded.into()),
            _ => Ok(None),
        }
    }
}

struct Place {
    known: Known,
    client: Client,
    _drain: watch::Sender<bool>,
    _directory: tempfile::TempDir,
}

impl Place {
    /// Links alone, or beside the API for the host `s.example.com`.
    async fn start(beside_api: bool) -> Self {
        let (known, random) = (Known::default(), Random::system());
        let options = web::serve::Options { trusted_proxies: vec!["127.0.0.1".into()], ..options() };
        let links = Links::new(known.clone(), &random, options.api().unwrap().trusted_proxies);
        let directory = tempfile::tempdir().unwrap();
        let (drain, drained) = watch::channel(false);
        let handle = if beside_api {
            let api = Api::new(Fake::new(), Clock::manual(NOW), &random, options.api().unwrap());
            let both = ByHost::new(api, Some(("s.example.com:8443", links)));
            let service = Service::bind(&options, directory.path(), &random, both).unwrap();
            let handle = service.handle();
            tokio::spawn(service.run(drained));
            handle
        } else {
            let service = Service::bind(&options, directory.path(), &random, links).unwrap();
            let handle = service.handle();
            tokio::spawn(service.run(drained));
            handle
        };
        let client = Client::connect(handle.listen().unwrap()).await;
        Self { known, client, _drain: drain, _directory: directory }
    }
}

#[tokio::test]
async fn a_known_link_redirects_and_nobody_may_remember_it() {
    let mut place = Place::start(false).await;
    let headers = [("user-agent", "Mozilla/5.0 (iPhone)"), ("x-forwarded-for", "6.6.6.6, 203.0.113.77")];
    let reply = place.client.exchange(&bare_request("GET", &format!("/{CODE}?fbclid=x"), &headers, b"")).await;
    assert_eq!((reply.status, reply.header("location")), (302, Some(TARGET)));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-robots-tag"), Some("noindex, nofollow"));
    assert_eq!(reply.envelope()["data"][0]["url"], TARGET);
    place.client.send(&bare_request("HEAD", &format!("/{CODE}"), &[], b"")).await;
    let head = place.client.reply_to("HEAD").await.unwrap();
    assert_eq!((head.status, head.header("location")), (302, Some(TARGET)));
    let asked = place.known.0.lock().clone();
    assert_eq!((asked[0].1.agent, asked[1].1.agent), (Agent::Phone, Agent::Probe));
    assert_eq!(asked[0].1.address.to_string(), "203.0.113.77", "what a trusted proxy says, and only that");
}

#[tokio::test]
async fn hostile_requests_get_the_envelope_and_never_a_location() {
    let mut place = Place::start(false).await;
    let long = format!("/{}", "a".repeat(8_000));
    for path in [
        "/",
        "/favicon.ico",
        "/robots.txt",
        "/0123456789a",
        "/0123456789abc",
        "/0123456789ab%00",
        "/%00123456789a",
        "/0123456789ab/../../etc/passwd",
        "/%2e%2e%2f%2e%2e%2fetc",
        "//evil.example/0123456789ab",
        "/https://evil.example",
        "/0123456789ab%0d%0aset-cookie:x=1",
        "/%C5%BC%C3%B3%C5%82w%C5%BC%C3%B3",
        "/unknown00000",
        "/0123456789AB",
        "/v2.1/sms",
        &long,
    ] {
        let reply = place.client.exchange(&bare_request("GET", path, &[], b"")).await;
        assert_eq!((reply.status, reply.codes()), (404, vec!["E-5-004".to_owned()]), "{path}");
        assert_eq!(reply.header("location"), None);
    }
    let reply = place.client.exchange(&bare_request("GET", "/overloaded00", &[], b"")).await;
    assert_eq!((reply.status, reply.codes()), (503, vec!["E-9-002".to_owned()]));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let reply = place.client.exchange(&bare_request(method, &format!("/{CODE}"), &[], b"")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
        assert_eq!(reply.codes(), ["E-1-005"]);
    }
    let asked: Vec<String> = place.known.0.lock().iter().map(|(code, _)| code.clone()).collect();
    assert_eq!(asked, ["unknown00000", "0123456789AB", "overloaded00"], "only what looks like a code is looked up");
    let octets = [b"GET /\xff\xfe\x00 HTTP/1.1\r\nhost: x\r\n\r\n".as_slice()].concat();
    assert_eq!(place.client.exchange(&octets).await.status, 400);
}

#[tokio::test]
async fn a_body_that_nobody_reads_ends_the_connection() {
    let mut place = Place::start(false).await;
    let reply = place.client.exchange(&bare_request("POST", &format!("/{CODE}"), &[], &[b'x'; 5_000])).await;
    assert_eq!((reply.status, reply.header("connection")), (405, Some("close")));
    assert!(place.client.is_closed().await);
}

#[tokio::test]
async fn links_and_api_share_a_listener_by_host() {
    let mut place = Place::start(true).await;
    let get = |host: &str, path: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes();
    for (host, path, status) in [
        ("s.example.com", "/0123456789ab", 302),
        ("S.EXAMPLE.COM:8443", "/0123456789ab", 302),
        ("api.example.com", "/0123456789ab", 404),
        ("evil-s.example.com", "/0123456789ab", 404),
        ("s.example.com", "/unknown00000", 404),
        ("s.example.com", "/v2.1/sms", 401),
        ("api.example.com", "/v2.1/sms", 401),
    ] {
        let reply = place.client.exchange(&get(host, path)).await;
        assert_eq!(reply.status, status, "{host}{path}");
        if status != 302 {
            reply.envelope();
        }
    }
    assert_eq!(place.known.0.lock().len(), 3);
}
