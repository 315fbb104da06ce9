//! Which URLs and addresses may be called: the hostile ones, and those that must work.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use domain::clock::Clock;
use domain::random::Random;
use tokio::net::TcpListener;

use super::support::{MemoryOutbox, Running, account, endpoint, loopback, until};
use crate::tell::guard::{Guard, Refused, not_public};
use crate::tell::resolve::Resolve;
use crate::tell::{BoxFuture, Options, Service, UrlProblem, check_url};

/// Each must be refused by its text alone under the default options.
const HOSTILE: [&str; 83] = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com:70/_x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "unix:/run/docker.sock",
    "//example.com/",
    "example.com/hook",
    "",
    "https://",
    "https:///",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://intranet/",
    "https://metadata/",
    "https://example.com./",
    "https://example..com/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://:password@example.com/",
    "https://@example.com/",
    "https://example.com@169.254.169.254/",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:6379/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https://example.com/\r\nHost: evil",
    "https://exam\tple.com/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/",
    "https://0xa9fea9fe/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://192.168.1.1/",
    "https://198.18.0.1/",
    "https://198.51.100.7/",
    "https://203.0.113.9/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[100::1]/",
    "https://[2001:0:7f00:1::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::1]/",
    "https://[2a00:1450::5efe:7f00:1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
];

#[test]
fn hostile_urls_are_refused() {
    let options = Options::default();
    for url in HOSTILE {
        let checked = check_url(url, &options);
        assert!(checked.is_err(), "{url} was accepted as {checked:?}");
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    assert_eq!(check_url(&long, &options), Err(UrlProblem::TooLong));
}

#[test]
fn honest_urls_are_accepted() {
    let options = Options::default();
    for url in [
        "https://example.com/hooks/sms",
        "https://example.com:8443/a@b?c=d@e",
        "https://EXAMPLE.com/#x",
        "https://żółw.example.pl/",
        "https://8.8.8.8/",
        "https://[2a00:1450:4001:80b::200e]/hook",
        "https://[::ffff:8.8.8.8]/",
        "https://172.32.0.1/",
        "https://100.128.0.1/",
    ] {
        assert!(check_url(url, &options).is_ok(), "{url}: {:?}", check_url(url, &options));
    }
    let with_fragment = check_url("https://example.com#@169.254.169.254:22/", &options).unwrap();
    assert_eq!(with_fragment.host_str(), Some("example.com"));
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let options = Options::default();
    let problem = |url| check_url(url, &options).unwrap_err();
    assert_eq!(problem("http://example.com/"), UrlProblem::PlainHttp);
    assert_eq!(problem("https://u@example.com/"), UrlProblem::UserInfo);
    assert_eq!(problem("https://example.com:25/"), UrlProblem::Port(25));
    assert_eq!(problem("https://intranet/"), UrlProblem::HostName);
    assert_eq!(problem("https://10.1.1.1/"), UrlProblem::Address(Refused::NotPublic("private")));
    let open = Options { allow_http: true, ..Options::default() };
    assert!(check_url("http://example.com/", &open).is_ok());
    assert!(check_url("http://10.1.1.1/", &open).is_err());
}

#[test]
fn the_allow_list_opens_what_it_names_and_nothing_else() {
    let guard = |options: &Options| Guard::new(options);
    let mut options = loopback();
    assert!(check_url("http://127.0.0.1:9999/hook", &options).is_ok());
    assert!(check_url("http://localhost:9999/hook", &options).is_ok(), "its address decides when it is called");
    assert!(check_url("http://10.0.0.1:9999/hook", &options).is_err());
    assert!(check_url("http://8.8.8.8/", &options).is_err(), "plain http stays closed for public addresses");
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    assert_eq!(guard(&options).judge(false, address("[::ffff:127.0.0.1]:80")), Ok(()));
    options.own_listeners = vec![address("0.0.0.0:8080"), address("192.0.2.5:9090")];
    assert_eq!(guard(&options).judge(false, address("127.0.0.1:8080")), Err(Refused::OwnListener));
    assert_eq!(guard(&options).judge(false, address("127.0.0.1:8081")), Ok(()));
    assert_eq!(guard(&options).judge(true, address("192.0.2.5:9090")), Err(Refused::OwnListener));
    options.deny_addresses = vec!["127.0.0.53/32".parse().unwrap()];
    assert_eq!(guard(&options).judge(true, address("127.0.0.53:443")), Err(Refused::Denied));
}

#[test]
fn ranges_end_where_they_should() {
    let public = |text: &str| not_public(text.parse::<IpAddr>().unwrap()).is_none();
    for ip in ["9.255.255.255", "11.0.0.0", "100.63.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0"] {
        assert!(public(ip), "{ip}");
    }
    for ip in ["172.15.255.255", "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255"] {
        assert!(public(ip), "{ip}");
    }
    for ip in ["2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::1", "3ffe::1", "2600::1"] {
        assert!(public(ip), "{ip}");
    }
    for ip in ["2001:1ff:ffff::1", "2001:db8:ffff::1", "2002:ffff::1", "3fff:fff::1", "5f00::1", "4000::1", "fdff::1"] {
        assert!(!public(ip), "{ip}");
    }
}

/// Gives a public address first and a private one afterwards, or several at once.
struct Scripted {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Resolve for Scripted {
    fn resolve(&self, _host: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let turn = self.asked.fetch_add(1, Relaxed).min(self.answers.len() - 1);
        Box::pin(async move { Ok(self.answers[turn].clone()) })
    }
}

/// Calls `url` until it is given up, under a resolver with these answers; gives the failures recorded and
/// how many connections a listener on loopback got.
async fn failures(url: &str, answers: &[&[&str]], options: Options) -> (Vec<String>, usize) {
    let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url.replace("CANARY", &canary.local_addr().unwrap().port().to_string());
    let answers = answers.iter().map(|turn| turn.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let resolver = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
    let options = Options { retry_seconds: vec![1], deadline_ms: 300, ..options };
    let outbox = MemoryOutbox::new(vec![account(endpoint(1, &url))]);
    let made = Service::with_resolver(outbox.clone(), Clock::system(), Random::seeded(1), options, resolver).unwrap();
    let running = Running::run(made.0, made.1, outbox);
    running.tell(1, 1);
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let listening = tokio::spawn(async move {
        while canary.accept().await.is_ok() {
            count.fetch_add(1, Relaxed);
        }
    });
    until(|| running.outbox.untold_count() == 0).await;
    listening.abort();
    let failures = running.outbox.calls().into_iter().map(|call| call.failure.into()).collect();
    (failures, connections.load(Relaxed))
}

#[tokio::test]
async fn what_was_judged_is_what_is_connected_to() {
    let (said, connections) = failures("http://in-house.example.com:CANARY/", &[&["127.0.0.1"]], loopback()).await;
    assert_eq!(said.len(), 2);
    assert_eq!(connections, 2, "one for each try");
    let (said, connections) = failures("http://in-house.example.com:CANARY/", &[&["10.1.2.3"]], loopback()).await;
    assert_eq!(connections, 0);
    assert!(said[0].contains("not public (private)"), "{said:?}");
}
