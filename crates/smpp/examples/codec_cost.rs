//! What one `submit_sm` costs to write and to read, without a socket.
//!
//! `cargo run --release -p smpp --example codec_cost`

use std::hint::black_box;

use bytes::BytesMut;
use smpp::pdu::{Address, SubmitSm, decode, message_id_of};
use smpp::tlv::{TlvBuffer, tag};
use smpp::{CommandId, CommandStatus, receipt};

/// Times each thing is done.
const ROUNDS: u32 = 5_000_000;

fn cost(what: &str, mut once: impl FnMut()) {
    let from = cpu_ns();
    for _ in 0..ROUNDS {
        once();
    }
    println!("{what:<28} {:>6.1} ns of CPU", (cpu_ns() - from) as f64 / f64::from(ROUNDS));
}

/// User and system time of this process so far (100 ticks a second on Linux); other load does not count.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>()
        * 10_000_000
}

fn main() -> Result<(), smpp::encode::EncodeError> {
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::USER_MESSAGE_REFERENCE, &[0, 7]);
    let message = SubmitSm {
        source: Address { ton: 5, npi: 0, digits: b"Posthorn" },
        destination: Address { ton: 1, npi: 1, digits: b"48601000001" },
        registered_delivery: 1,
        short_message: b"Your code is 123456. It is valid for ten minutes.",
        tlvs: tlvs.as_tlvs(),
        ..SubmitSm::default()
    };
    let mut frame = BytesMut::new();
    message.encode_submit(1, &mut frame)?;
    let mut response = BytesMut::new();
    let (id, none) = (b"0123456789abcdef", smpp::tlv::Tlvs::EMPTY);
    let answer = CommandId::SUBMIT_SM_RESP;
    smpp::encode::message_response(answer, CommandStatus::ROK, 1, id, none, &mut response);
    let text = b"id:0123456789abcdef sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:Your code";

    println!("submit_sm of {} octets", frame.len());
    let mut out = BytesMut::with_capacity(4096);
    cost("encode submit_sm", || {
        out.clear();
        black_box(black_box(&message).encode_submit(1, &mut out).is_ok());
    });
    cost("decode submit_sm", || {
        black_box(decode(black_box(&frame)));
    });
    cost("message id of a response", || {
        black_box(message_id_of(black_box(&response)));
    });
    cost("parse a receipt", || {
        black_box(receipt::parse(black_box(text), none));
    });
    Ok(())
}
