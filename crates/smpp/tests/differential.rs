//! Our codec against `rusmpp`: what it encodes we decode equally, what both accept is equal.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp::Command;
use rusmpp::tokio_codec::CommandCodec;
use smpp::pdu::{Address, DataSm, Decoded, Pdu, Quirks, Sm, decode};
use smpp::tlv::{TlvBuffer, tag};
use tokio_util::codec::{Decoder, Encoder};

fn theirs(frame: &[u8]) -> Option<Command> {
    CommandCodec::new().decode(&mut BytesMut::from(frame)).ok().flatten()
}

fn by_them(command: Command) -> BytesMut {
    let mut out = BytesMut::new();
    CommandCodec::new().encode(command, &mut out).unwrap();
    out
}

fn text(octets_max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::char::range('!', '~'), 0..octets_max).prop_map(String::from_iter)
}

fn rows() -> impl Strategy<Value = TlvBuffer> {
    let id = text(60).prop_map(|id| (tag::RECEIPTED_MESSAGE_ID, [id.as_bytes(), &[0]].concat()));
    let state = (0u8..10).prop_map(|state| (tag::MESSAGE_STATE, vec![state]));
    let payload = prop::collection::vec(any::<u8>(), 0..300).prop_map(|payload| (tag::MESSAGE_PAYLOAD, payload));
    let reference = any::<u16>().prop_map(|number| (tag::USER_MESSAGE_REFERENCE, number.to_be_bytes().to_vec()));
    let sar = any::<u16>().prop_map(|number| (tag::SAR_MSG_REF_NUM, number.to_be_bytes().to_vec()));
    let vendor = prop::collection::vec(any::<u8>(), 0..40).prop_map(|value| (0x1401, value));
    let row = prop_oneof![id, state, payload, reference, sar, vendor];
    prop::collection::vec(row, 0..4).prop_map(|rows| {
        let mut buffer = TlvBuffer::new();
        for (tag, value) in rows {
            buffer.push(tag, &value);
        }
        buffer
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// They read every field of ours and write it again: the octets must be the same.
    #[test]
    fn messages_survive_a_journey_through_them(
        number in 1u32..0x7FFF_FFFF,
        source in text(20),
        destination in text(20),
        short_message in prop::collection::vec(any::<u8>(), 0..=255),
        octets in (0u8..=0x7F, any::<u8>(), 0u8..4, any::<u8>()),
        rows in rows(),
        submit in any::<bool>(),
    ) {
        let has_payload = rows.as_tlvs().get(tag::MESSAGE_PAYLOAD).is_some();
        let message = Sm {
            source: Address { ton: 5, npi: 0, digits: source.as_bytes() },
            destination: Address { ton: 1, npi: 1, digits: destination.as_bytes() },
            esm_class: octets.0 & 0x3C,
            protocol_id: octets.1,
            priority_flag: octets.2,
            registered_delivery: octets.3 & 0x1F,
            data_coding: octets.3,
            short_message: if has_payload { b"" } else { &short_message },
            tlvs: rows.as_tlvs(),
            ..Sm::default()
        };
        let mut ours = BytesMut::new();
        if submit { message.encode_submit(number, &mut ours) } else { message.encode_deliver(number, &mut ours) }.unwrap();
        let command = theirs(&ours);
        prop_assert!(command.is_some(), "they do not read what we write");
        let again = by_them(command.unwrap());
        prop_assert_eq!(&again[..], &ours[..]);
        let expected = if submit { Pdu::SubmitSm(message) } else { Pdu::DeliverSm(message) };
        match decode(&again) {
            Decoded::Parsed { pdu, quirks, .. } => prop_assert_eq!((pdu, quirks), (expected, Quirks::NONE)),
            Decoded::Damaged { why, .. } => prop_assert!(false, "{}", why),
        }
    }

    /// They allow addresses of 20 octets here, we the 64 of SMPP 3.4 §4.7.1.
    #[test]
    fn data_sm_survives_a_journey_through_them(number in 1u32..0x7FFF_FFFF, source in text(20), rows in rows()) {
        let message = DataSm {
            source: Address { ton: 1, npi: 1, digits: source.as_bytes() },
            tlvs: rows.as_tlvs(),
            ..DataSm::default()
        };
        let mut ours = BytesMut::new();
        message.encode(number, &mut ours).unwrap();
        let command = theirs(&ours);
        prop_assert!(command.is_some(), "they do not read what we write");
        prop_assert_eq!(&by_them(command.unwrap())[..], &ours[..]);
    }

    /// Octets that are nearly right: whatever they accept, we read, and as what they read.
    #[test]
    fn what_both_accept_is_equal(
        short_message in prop::collection::vec(any::<u8>(), 0..60),
        rows in rows(),
        changes in prop::collection::vec((16usize..200, any::<u8>()), 0..6),
        deliver in any::<bool>(),
    ) {
        let message = Sm { short_message: &short_message, tlvs: rows.as_tlvs(), ..Sm::default() };
        let mut frame = BytesMut::new();
        let written = if deliver { message.encode_deliver(7, &mut frame) } else { message.encode_submit(7, &mut frame) };
        prop_assume!(written.is_ok());
        for (at, octet) in changes {
            if let Some(place) = frame.get_mut(at) {
                *place = octet;
            }
        }
        let Some(command) = theirs(&frame) else { return Ok(()) };
        let again = by_them(command);
        match (decode(&frame), decode(&again)) {
            (Decoded::Parsed { pdu: first, .. }, Decoded::Parsed { pdu: second, .. }) if again.len() == frame.len() => {
                prop_assert_eq!(first, second);
            }
            (Decoded::Parsed { .. }, Decoded::Parsed { .. }) => {}
            (first, second) => prop_assert!(false, "they accept what we do not: {:?} {:?}", first, second),
        }
    }
}
