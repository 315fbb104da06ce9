//! The foreign ends of these tests.

use std::path::Path;
use std::process::Command;

use foreign::Peer;

const SMPPLIB: &str = "smpplib==2.2.4";
const NODE_SMPP: &str = "smpp@0.5.1";

fn start(mut interpreter: Command, name: &str, port: Option<u16>) -> Peer {
    interpreter.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name));
    interpreter.args(port.map(|port| port.to_string()));
    Peer::start(interpreter)
}

pub fn python_client(port: u16) -> Peer {
    start(foreign::python(SMPPLIB), "smpplib_client.py", Some(port))
}

pub fn node_client(port: u16) -> Peer {
    start(foreign::node(NODE_SMPP), "node_client.js", Some(port))
}

pub fn node_server() -> Peer {
    start(foreign::node(NODE_SMPP), "node_server.js", None)
}
