//! Our client against a foreign server.

use std::sync::Arc;

use smpp::client::{BindError, ClientSession, ConnectOptions, connect};
use smpp::pdu::{Bind, BindMode};
use smpp::session::{SessionEnd, SessionOptions};
use smpp::{CommandStatus, client::Transport};

use crate::esme::{Esme, Heard};
use crate::peers::node_server;

async fn bind(port: u16, password: &[u8]) -> Result<ClientSession<Transport>, BindError> {
    let stream = connect("127.0.0.1", port, &ConnectOptions::default()).await.unwrap();
    let request = Bind {
        mode: BindMode::Transceiver,
        system_id: b"us",
        password,
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    };
    ClientSession::bind(stream, &request, SessionOptions::default()).await
}

#[tokio::test]
async fn node_smpp_as_the_operator() {
    let mut server = node_server();
    let port: u16 = server.line().await.unwrap().parse().unwrap();
    let refused = bind(port, b"wrong").await.unwrap_err();
    assert_eq!(refused, BindError::Refused(CommandStatus::RINVPASWD));

    let session = bind(port, b"secret").await.unwrap();
    assert_eq!(session.bound().system_id, b"node");
    let handle = session.handle();
    let heard = Arc::<Heard>::default();
    let to_send = [(1, &b"48601000001"[..]), (2, b"48999")].into();
    let task = tokio::spawn(session.run(Esme { heard: Arc::clone(&heard), to_send }));
    let mut lines = heard.lines(4).await;
    lines.sort();
    assert_eq!(lines, ["1 ROK (0x00) n-1", "2 RTHROTTLED (0x58) -", "incoming Zażółć", "receipt n-1 DELIVRD"]);
    handle.drain();
    assert_eq!(task.await.unwrap(), SessionEnd::Unbound);
    let mut told = server.finish().await;
    told.sort();
    assert_eq!(told, ["bound us", "deliver answered 0", "deliver answered 0", "submit hello @ home", "unbound"]);
}
