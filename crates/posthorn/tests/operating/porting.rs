//! Ported numbers: a service in this process, the real program before it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use simulator::operator::Behaviour;

use crate::place::{Carrier, Place, operator, until};

/// Says of every number that Play serves it, or nothing at all.
#[derive(Default)]
struct Service {
    calls: AtomicUsize,
    is_silent: AtomicBool,
}

impl Service {
    fn start() -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (service, port) = (Arc::<Self>::default(), listener.local_addr().unwrap().port());
        let shared = Arc::clone(&service);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        (service, port)
    }

    fn serve(&self, mut stream: &TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            if !line.is_empty() {
                continue;
            }
            self.calls.fetch_add(1, Ordering::SeqCst);
            if self.is_silent.load(Ordering::SeqCst) {
                continue;
            }
            let body = r#"{"data":{"mccmnc":"26006"}}"#;
            _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ported_number_leaves_by_its_network_and_everybody_is_told_why() {
    let (orange, play) = (operator(Behaviour::default()).await, operator(Behaviour::default()).await);
    let (service, port) = Service::start();
    let place = Place::new();
    place.configure(&format!(
        "[portability]\nurl = \"http://127.0.0.1:{port}/{{phone}}\"\nnetwork_pointer = \"/data/mccmnc\"\ndeadline_ms = 10000"
    ));
    let by_network = "[[route]]\nnetwork = \"26006\"\ncarriers = [\"play\"]\n";
    let play_carrier = Carrier { more: by_network.into(), ..Carrier::at("play", &play) };
    place.apply(&[Carrier::at("orange", &orange), play_carrier], &[]);
    let server = place.serve();
    until("both are bound", || orange.sessions() == 1 && play.sessions() == 1);

    // 48 501 is a range of Orange's, and the route for 48 leads there.
    let foreseen = place.done(&["explain", "--from", "ACME", "--text", "x", "--to", "48501900101"]);
    assert!(foreseen.contains("26006, known from lookup") && foreseen.contains("leave by play"), "{foreseen}");
    server.send("ported", &["48501900101"]);
    until("it is delivered", || server.status("ported") == 21);
    assert_eq!((play.ledger().parts().len(), orange.ledger().parts().len()), (1, 0));
    let page = place.done(&["explain", "ported"]);
    assert!(page.contains("26006, known from cache") && page.contains("→ network 26006  play"), "{page}");
    let told = server.ask("sms/hlr", Some(json!({"phone": "48501900101"})));
    let expected = json!([{"phone": "+48501900101", "network": "26006", "networkName": "Play", "networkPorted": true, "source": "cache"}]);
    assert_eq!(told["data"], expected, "{told}");
    assert_eq!(service.calls.load(Ordering::SeqCst), 1, "one call for all of it");

    service.is_silent.store(true, Ordering::SeqCst);
    server.send("silent", &["48501900102"]);
    until("it goes by its range", || orange.ledger().parts().len() == 1);
    until("it is delivered", || server.status("silent") == 21);
    let page = place.done(&["explain", "silent"]);
    assert!(page.contains("26003, known from number range"), "{page}");
    let metrics = place.done(&["status", "--json"]);
    assert!(!metrics.contains("portability_down"), "one failure is none: {metrics}");
}
