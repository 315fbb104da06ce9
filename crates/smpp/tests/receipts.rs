//! Delivery reports as operators write them.

use smpp::pdu::{DeliverSm, Sm};
use smpp::receipt::{Receipt, is_receipt, parse, text_of};
use smpp::tlv::{TlvBuffer, Tlvs, tag};

fn text(octets: &[u8]) -> Receipt<'_> {
    parse(octets, Tlvs::EMPTY).unwrap_or_else(|| panic!("nothing found in {}", octets.escape_ascii()))
}

#[test]
fn the_usual_text() {
    let receipt = text(
        b"id:0123456789 sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:21b text:Hello id:9",
    );
    assert_eq!(
        receipt,
        Receipt {
            id_text: Some(b"0123456789"),
            sub: Some(b"001"),
            dlvrd: Some(b"001"),
            submit_date: Some(b"2611220339"),
            done_date: Some(b"2611220340"),
            stat: Some(b"DELIVRD"),
            err: Some(b"21b"),
            text: Some(b"Hello id:9"),
            ..Receipt::default()
        }
    );
}

#[test]
fn any_order_any_case_anything_missing() {
    let receipt = text(b"STAT:undeliv Err:0000 ID:3f2a-77 Done Date:261122034055");
    assert_eq!((receipt.id(), receipt.stat), (Some(&b"3f2a-77"[..]), Some(&b"undeliv"[..])));
    assert_eq!((receipt.err, receipt.done_date), (Some(&b"0000"[..]), Some(&b"261122034055"[..])));
    assert_eq!((receipt.sub, receipt.submit_date, receipt.text), (None, None, None));
    let spaced = text(b"id: 77 stat: EXPIRED err: text: x");
    assert_eq!((spaced.id(), spaced.stat, spaced.err), (Some(&b"77"[..]), Some(&b"EXPIRED"[..]), None));
    assert_eq!(text(b"message_id:9;stat:0").id(), Some(&b"9"[..]));
    assert_eq!(text(b"id:7\nstat:DELIVRD\0err:1").err, Some(&b"1"[..]));
}

#[test]
fn ids_of_any_shape() {
    for id in ["12345678901234567890123456789", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "DEADBEEF", "0"] {
        assert_eq!(text(format!("id:{id} stat:DELIVRD").as_bytes()).id(), Some(id.as_bytes()));
    }
    let long = "9".repeat(100);
    assert_eq!(text(format!("id:{long} stat:DELIVRD").as_bytes()).id(), Some(long.as_bytes()));
}

#[test]
fn the_text_ends_the_reading() {
    let receipt = text(b"id:1 stat:ACCEPTD text:\n\0\xFF id:2 stat:DELIVRD err:9");
    assert_eq!((receipt.id(), receipt.stat, receipt.err), (Some(&b"1"[..]), Some(&b"ACCEPTD"[..]), None));
    assert_eq!(receipt.text, Some(&b"\n\0\xFF id:2 stat:DELIVRD err:9"[..]));
}

#[test]
fn parameters_alone_and_beside_the_text() {
    let mut tlvs = TlvBuffer::new();
    tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, b"hex7f").push(tag::MESSAGE_STATE, &[2]);
    let alone = parse(b"", tlvs.as_tlvs()).unwrap();
    assert_eq!((alone.id(), alone.message_state, alone.stat), (Some(&b"hex7f"[..]), Some(2), None));
    let both = parse(b"id:127 stat:DELIVRD", tlvs.as_tlvs()).unwrap();
    assert_eq!((both.id(), both.other_id()), (Some(&b"hex7f"[..]), Some(&b"127"[..])));
    let same = parse(b"id:hex7f", tlvs.as_tlvs()).unwrap();
    assert_eq!(same.other_id(), None);
}

#[test]
fn what_is_no_receipt() {
    assert_eq!(parse(b"", Tlvs::EMPTY), None);
    assert_eq!(parse(b"Did you get my idea: lunch?", Tlvs::EMPTY), None);
    assert_eq!(parse(b"id: stat:", Tlvs::EMPTY), None);
}

#[test]
fn the_message_type_decides() {
    for esm_class in [0x04, 0x08, 0x20, 0x44, 0x07, 0xC4] {
        assert!(is_receipt(esm_class), "0x{esm_class:02X}");
    }
    for esm_class in [0x00, 0x03, 0x10, 0x40, 0x18, 0x80] {
        assert!(!is_receipt(esm_class), "0x{esm_class:02X}");
    }
}

#[test]
fn the_text_is_found_wherever_it_stands() {
    let plain = b"id:7 stat:DELIVRD";
    let mut payload = TlvBuffer::new();
    payload.push(tag::MESSAGE_PAYLOAD, plain);
    let in_payload = DeliverSm { tlvs: payload.as_tlvs(), ..Sm::default() };
    assert_eq!(&*text_of(&in_payload), plain);

    let wide: Vec<u8> = plain.iter().flat_map(|&octet| [0, octet]).collect();
    let in_ucs2 = DeliverSm { data_coding: 8, short_message: &wide, ..Sm::default() };
    assert_eq!(&*text_of(&in_ucs2), plain);

    let with_header = [&[5, 0, 3, 1, 1, 1][..], plain].concat();
    let behind_header = DeliverSm { esm_class: 0x44, short_message: &with_header, ..Sm::default() };
    assert_eq!(&*text_of(&behind_header), plain);
    let header_too_long = DeliverSm { esm_class: 0x44, short_message: b"\xFFid:7", ..Sm::default() };
    assert_eq!(&*text_of(&header_too_long), b"\xFFid:7", "a header that cannot be is text");
}
