//! A handset and an operator, with a person played by a pipe.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::net::SocketAddr;
use std::time::Duration;

use simulator::handset::{HandsetError, HandsetOptions, run};
use simulator::operator::{Operator, OperatorOptions};
use smpp::CommandStatus;
use smpp::client::{ClientHandler, ClientSession, SubmitBatch, connect};
use smpp::pdu::{Address, Bind, BindMode, Decoded, Pdu, SubmitSm};
use smpp::session::{Answer, Answers, OutcomeBatch, RequestBatch, SessionHandle, SessionOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};
use tokio::sync::mpsc;

const PHONE: &str = "48600100200";

fn options(control: SocketAddr) -> HandsetOptions {
    HandsetOptions { control, number: PHONE.into(), to: "48500".into(), plain: true }
}

/// Answers every incoming message with the same text in two parts.
struct Echo {
    handle: SessionHandle,
    texts: mpsc::Sender<Vec<u8>>,
    to_send: Vec<Vec<u8>>,
}

impl ClientHandler for Echo {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        for octets in self.to_send.drain(..) {
            let sm = SubmitSm {
                source: Address { ton: 3, npi: 0, digits: b"48500" },
                destination: Address { ton: 1, npi: 1, digits: PHONE.as_bytes() },
                esm_class: 0x40,
                short_message: &octets,
                ..SubmitSm::default()
            };
            batch.push(0, &sm).unwrap();
        }
    }

    fn outcomes(&mut self, _outcomes: &OutcomeBatch) {}

    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>) {
        for decoded in delivers.iter() {
            let Decoded::Parsed { header, pdu: Pdu::DeliverSm(sm), .. } = decoded else { continue };
            self.texts.try_send(sm.short_message.to_vec()).unwrap();
            for number in 1..=2 {
                self.to_send.push([&[5, 0, 3, 1, 2, number][..], sm.short_message].concat());
            }
            answers.respond(&Answer::new(header, CommandStatus::ROK));
        }
        self.handle.wake();
    }
}

#[tokio::test]
async fn what_is_typed_reaches_the_platform_and_its_answer_is_shown_whole() {
    let control = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let operator = Operator::start(&OperatorOptions { control, ..OperatorOptions::local() }, false).await.unwrap();
    let bind = Bind {
        mode: BindMode::Transceiver,
        system_id: b"posthorn",
        password: b"secret",
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    };
    let stream = connect("127.0.0.1", operator.address.port(), &Default::default()).await.unwrap();
    let session = ClientSession::bind(stream, &bind, SessionOptions::default()).await.unwrap();
    let handle = session.handle();
    let (texts, mut came) = mpsc::channel(10);
    tokio::spawn(session.run(Echo { handle, texts, to_send: Vec::new() }));

    let (mut keyboard, typed) = duplex(1000);
    let (screen, shown) = duplex(1000);
    let options = options(operator.control_address.unwrap());
    let handset = tokio::spawn(async move { run(&options, BufReader::new(typed), shown).await });
    let mut screen = BufReader::new(screen).lines();
    assert!(screen.next_line().await.unwrap().unwrap().contains(PHONE));
    keyboard.write_all(b"\nHello\n").await.unwrap();
    let within = |future| tokio::time::timeout(Duration::from_secs(5), future);
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), came.recv()).await.unwrap().unwrap(), b"Hello");
    assert_eq!(within(screen.next_line()).await.unwrap().unwrap().unwrap(), "48500: HelloHello");
    drop(keyboard);
    handset.await.unwrap().unwrap();
}

#[tokio::test]
async fn without_an_operator_it_says_how_to_start_one() {
    let (_, typed) = duplex(10);
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let error = run(&options(nowhere), BufReader::new(typed), Vec::new()).await.unwrap_err();
    assert!(matches!(error, HandsetError::NoOperator { .. }) && error.to_string().contains("--control"), "{error}");
}
