//! What real operators send although the specification says otherwise. Each of these must be read.

use smpp::encode::raw;
use smpp::pdu::{Decoded, Pdu, Quirks, Sm, SubmitSm, decode};
use smpp::receipt;
use smpp::tlv::{TlvBuffer, tag};
use smpp::{CommandId, CommandStatus};

fn frame(id: CommandId, body: &[u8]) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    raw(id, CommandStatus::ROK, 9, body, &mut out);
    out.to_vec()
}

/// The body of a `deliver_sm` with a receipt in it.
fn deliver(source: &[u8], short_message: &[u8], after: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 1, 1];
    body.extend_from_slice(source);
    body.extend_from_slice(&[0, 1, 1]);
    body.extend_from_slice(b"48600700800\0");
    body.extend_from_slice(&[0x04, 0, 0, 0, 0, 0, 0, 0, 0, short_message.len() as u8]);
    body.extend_from_slice(short_message);
    body.extend_from_slice(after);
    frame(CommandId::DELIVER_SM, &body)
}

fn parsed(frame: &[u8]) -> (Sm<'_>, Quirks) {
    match decode(frame) {
        Decoded::Parsed { pdu: Pdu::DeliverSm(message) | Pdu::SubmitSm(message), quirks, .. } => (message, quirks),
        other => panic!("not read: {other:?}"),
    }
}

const RECEIPT: &[u8] =
    b"id:77 sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:hi";

#[test]
fn parameters_of_odd_sizes() {
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::RECEIPTED_MESSAGE_ID, b"no-nul")
        .push(tag::NETWORK_ERROR_CODE, &[0, 5])
        .push(tag::USER_MESSAGE_REFERENCE, &[9])
        .push(tag::SOURCE_PORT, &[0, 0, 0, 80]);
    let frame = deliver(b"48601000001", RECEIPT, tlvs.as_tlvs().raw());
    let (message, quirks) = parsed(&frame);
    assert!(quirks.is_empty());
    assert_eq!(message.tlvs.receipted_message_id(), Some(&b"no-nul"[..]));
    assert_eq!(message.tlvs.network_error_code().map(|error| error.code), Some(5));
    assert_eq!(message.tlvs.user_message_reference(), Some(9));
    assert_eq!(message.tlvs.source_port(), Some(80));
    assert_eq!(message.tlvs.raw(), tlvs.as_tlvs().raw(), "the octets are kept as they were");

    let four = [3, 0, 0, 5];
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::NETWORK_ERROR_CODE, &four);
    let frame = deliver(b"48601000001", RECEIPT, tlvs.as_tlvs().raw());
    assert_eq!(parsed(&frame).0.tlvs.get(tag::NETWORK_ERROR_CODE), Some(&four[..]));
}

#[test]
fn a_stray_nul_after_the_message() {
    let alone = deliver(b"48601000001", RECEIPT, &[0]);
    let (message, quirks) = parsed(&alone);
    assert_eq!((message.short_message, quirks), (RECEIPT, Quirks::STRAY_NUL));

    let mut after = vec![0];
    let mut tlvs = TlvBuffer::new();
    after.extend_from_slice(tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, b"abc").as_tlvs().raw());
    let followed = deliver(b"48601000001", RECEIPT, &after);
    let (message, quirks) = parsed(&followed);
    assert_eq!(message.tlvs.receipted_message_id(), Some(&b"abc"[..]));
    assert_eq!(quirks, Quirks::STRAY_NUL);
}

#[test]
fn senders_that_break_the_rules() {
    let latin = deliver(b"Caf\xE9", RECEIPT, &[]);
    let (message, quirks) = parsed(&latin);
    assert_eq!((message.source.digits, quirks), (&b"Caf\xE9"[..], Quirks::NON_ASCII_ADDRESS));

    let long = deliver(b"ABCDEFGHIJKLMNOPQRSTUVWXY", RECEIPT, &[]);
    let (message, quirks) = parsed(&long);
    assert_eq!((message.source.digits.len(), quirks), (25, Quirks::OVERLONG_FIELD));
}

#[test]
fn message_ids_of_any_length_with_or_without_a_nul() {
    let long = [b'7'; 70];
    for (body, quirk) in [
        ([&long[..], &[0]].concat(), Quirks::OVERLONG_FIELD),
        (b"abc".to_vec(), Quirks::MISSING_NUL),
        (b"abc\0".to_vec(), Quirks::NONE),
    ] {
        let frame = frame(CommandId::SUBMIT_SM_RESP, &body);
        let expected: &[u8] = if body.len() > 70 { &long } else { b"abc" };
        match decode(&frame) {
            Decoded::Parsed { pdu: Pdu::SubmitSmResp(resp), quirks, .. } => {
                assert_eq!((resp.message_id, quirks), (Some(expected), quirk));
            }
            other => panic!("not read: {other:?}"),
        }
    }
}

#[test]
fn bodies_that_are_missing_or_too_much() {
    for id in [CommandId::SUBMIT_SM_RESP, CommandId::DELIVER_SM_RESP, CommandId::BIND_TRANSCEIVER_RESP] {
        let frame = frame(id, &[]);
        assert!(matches!(decode(&frame), Decoded::Parsed { quirks: Quirks::NONE, .. }), "{id}");
    }
    let enquire = frame(CommandId::ENQUIRE_LINK, &[1, 2]);
    assert!(matches!(decode(&enquire), Decoded::Parsed { pdu: Pdu::EnquireLink, quirks: Quirks::TRAILING_OCTETS, .. }));
}

#[test]
fn unknown_things_are_kept() {
    let mut tlvs = TlvBuffer::new();
    tlvs.push(0x1401, b"vendor").push(tag::MESSAGE_STATE, &[200]);
    let frame_with = deliver(b"48601000001", RECEIPT, tlvs.as_tlvs().raw());
    let (message, quirks) = parsed(&frame_with);
    assert!(quirks.is_empty());
    assert_eq!(message.tlvs.get(0x1401), Some(&b"vendor"[..]));
    assert_eq!(message.tlvs.message_state(), Some(200));
    let unknown = frame(CommandId(0x0001_0203), b"body");
    assert!(matches!(decode(&unknown), Decoded::Parsed { pdu: Pdu::Unknown(b"body"), .. }));
    let multi = frame(CommandId::SUBMIT_MULTI, b"body");
    assert!(matches!(decode(&multi), Decoded::Parsed { pdu: Pdu::Recognised(b"body"), .. }));
}

#[test]
fn a_message_shorter_than_it_says() {
    let mut frame = deliver(b"48601000001", RECEIPT, &[]);
    frame.truncate(frame.len() - 3);
    let length = frame.len() as u32;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    let (message, quirks) = parsed(&frame);
    assert!(quirks.contains(Quirks::SHORT_MESSAGE_CUT));
    let receipt = receipt::parse(message.short_message, message.tlvs).unwrap();
    assert_eq!((receipt.id(), receipt.stat), (Some(&b"77"[..]), Some(&b"DELIVRD"[..])));
}

#[test]
fn a_damaged_body_still_gives_up_its_receipt() {
    // A field is missing before the message, so the body ends where the length of the message should be.
    let mut body = b"\0\x01\x01".to_vec();
    body.extend_from_slice(b"xid:77 stat:DELIVRD err:000");
    let frame = frame(CommandId::DELIVER_SM, &body);
    let Decoded::Damaged { header, raw, why } = decode(&frame) else { panic!("a body without its fields was read") };
    assert_eq!((header.sequence_number, why.status()), (9, CommandStatus::RINVCMDLEN));
    let receipt = receipt::salvage(raw).unwrap();
    assert_eq!((receipt.id(), receipt.stat), (Some(&b"77"[..]), Some(&b"DELIVRD"[..])));
    assert_eq!(receipt::salvage(b"I did not say id: anything"), None);
}

#[test]
fn what_is_sent_is_by_the_book() {
    let mut out = bytes::BytesMut::new();
    let long = SubmitSm { short_message: &[b'x'; 256], ..SubmitSm::default() };
    assert!(long.encode_submit(1, &mut out).is_err());
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::MESSAGE_PAYLOAD, b"again");
    let twice = SubmitSm { short_message: b"once", tlvs: tlvs.as_tlvs(), ..SubmitSm::default() };
    assert!(twice.encode_submit(1, &mut out).is_err());
    let nul = SubmitSm { service_type: b"a\0b", ..SubmitSm::default() };
    assert!(nul.encode_submit(1, &mut out).is_err());
    assert!(out.is_empty(), "a refused PDU leaves nothing behind");
}
