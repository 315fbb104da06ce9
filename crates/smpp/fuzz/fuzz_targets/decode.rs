//! Any stream: cut into frames, every frame decoded, every accessor called. `cargo +nightly fuzz run decode`
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use smpp::FrameCutter;
use smpp::frame::FRAME_OCTETS_MAX;
use smpp::pdu::{Decoded, Pdu, decode};
use smpp::receipt;
use smpp::tlv::Tlvs;

fn touch(frame: &[u8]) {
    let Decoded::Parsed { header, pdu, quirks } = decode(frame) else {
        let _ = receipt::salvage(frame);
        return;
    };
    let tlvs = match pdu {
        Pdu::SubmitSm(message) | Pdu::DeliverSm(message) => {
            let _ = receipt::parse(&receipt::text_of(&message), message.tlvs);
            let mut out = BytesMut::new();
            if quirks.is_empty() && message.encode_deliver(header.sequence_number, &mut out).is_ok() {
                assert_eq!(out[16..], frame[16..]);
            }
            message.tlvs
        }
        Pdu::DataSm(message) => message.tlvs,
        Pdu::SubmitSmResp(resp) | Pdu::DeliverSmResp(resp) => resp.tlvs,
        Pdu::BindResp(resp) => resp.tlvs,
        _ => Tlvs::EMPTY,
    };
    let _ = (tlvs.network_error_code(), tlvs.sar(), tlvs.congestion_state(), tlvs.source_port());
}

fuzz_target!(|data: &[u8]| {
    touch(data);
    let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
    for piece in data.chunks(7) {
        cutter.push(piece);
        loop {
            match cutter.next_frame() {
                Ok(Some(frame)) => touch(frame),
                Ok(None) => break,
                Err(_fatal) => return,
            }
        }
    }
});
