//! The whole flow against message centres that others wrote: bind, throttled and taken submits, receipts, an incoming
//! message, unbind.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use domain::state::Status;
use foreign::Peer;

use super::rig::{Rig, carrier, phones};

const MESSAGES: usize = 8;
const THROTTLED: usize = 3;

fn script(mut interpreter: Command, name: &str) -> Command {
    interpreter.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions/interop").join(name));
    interpreter
}

async fn gets_along_with(command: Command) {
    let mut smsc = Peer::start(command);
    let port: u16 = smsc.line().await.unwrap().parse().unwrap();
    let lines = "binds = 1\nwindow = 10\nrate_per_second = 50";
    let rig = Rig::start(&[("one", carrier("one", ([127, 0, 0, 1], port).into(), lines))]).await;
    rig.wait_bound("one", 1).await;
    let numbers: Vec<String> = phones(0, 0, MESSAGES).collect();
    let ids = rig.send(numbers.clone()).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert!(rig.carrier("one").throttled.load(Ordering::Relaxed) > 0, "the pace was lowered");
    assert_eq!(rig.flow.settle.stats().incoming.load(Ordering::Relaxed), 1);
    rig.stop().await;

    let told = smsc.finish().await;
    let times = |line: &str| told.iter().filter(|told| *told == line).count();
    assert_eq!(times("bound posthorn"), 1, "{told:?}");
    assert_eq!((times("throttled"), times("unbound")), (THROTTLED, 1), "{told:?}");
    assert_eq!((times("receipt answered 0"), times("incoming answered 0")), (MESSAGES, 1), "{told:?}");
    for number in numbers {
        assert_eq!(times(&format!("submit {number} hello")), 1, "{number} in {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn npm_smpp_as_the_operator() {
    gets_along_with(script(foreign::node("smpp@0.5.1"), "node_smsc.js")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pypi_smpp34_as_the_operator() {
    gets_along_with(script(foreign::python("smpp34==1.5.0"), "smpp34_smsc.py")).await;
}
