//! Receipts as operators write them, and what is read out of them.

use domain::control::Carrier;
use domain::random::Random;
use domain::receipt::{ReceiptState, ReceiptWords, ReceiptZone};
use smpp::encode::raw;
use smpp::pdu::{DataSm, Sm, decode};
use smpp::tlv::{TlvBuffer, Tlvs, tag};
use smpp::{CommandId, CommandStatus};

use super::read::{Read, ReadReceipt, read};
use crate::testing::carrier;

use ReceiptState::{Accepted, Deleted, Delivered, Enroute, Expired, Rejected, Undelivered, Unknown};

/// What a receipt must be read as: the ids in their plain form, the state, the error.
type Expected<'a> = (&'a [&'a str], ReceiptState, &'a str);

/// One text with what it says.
type Case<'a> = (&'a str, Expected<'a>);

const TEXTS: [Case<'static>; 66] = [
    // The usual text (SMPP 3.4 appendix B), and what is left out, moved or spelled otherwise.
    (
        "id:123 sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:DELIVRD err:000 text:Hello",
        (&["123"], Delivered, "000"),
    ),
    (
        "id:123 sub:001 dlvrd:000 submit date:2611220339 done date:2611220340 stat:UNDELIV err:021 text:",
        (&["123"], Undelivered, "021"),
    ),
    ("id:123 submit date:261122033955 done date:261122034055 stat:EXPIRED err:34 text:x", (&["123"], Expired, "34")),
    ("id:123 submit date:20261122033955 done date:20261122034055 stat:REJECTD err:1", (&["123"], Rejected, "1")),
    ("id:123 sub:1 dlvrd:1 submit date:0000000000 done date: stat:DELIVRD err: text:", (&["123"], Delivered, "")),
    ("stat:DELIVRD id:123", (&["123"], Delivered, "")),
    ("err:21b stat:UNDELIV id:123", (&["123"], Undelivered, "21b")),
    ("text:nothing before it is read id:9 stat:DELIVRD", (&[], Unknown, "")),
    (
        "ID:123 SUB:001 DLVRD:001 SUBMIT DATE:2611220339 DONE DATE:2611220340 STAT:DELIVRD ERR:000 TEXT:HI",
        (&["123"], Delivered, "000"),
    ),
    (
        "Id:123 Sub:001 Dlvrd:001 Submit Date:2611220339 Done Date:2611220340 Stat:Delivrd Err:000 Text:hi",
        (&["123"], Delivered, "000"),
    ),
    (
        "id: 123 sub: 001 dlvrd: 001 submit date: 2611220339 done date: 2611220340 stat: DELIVRD err: 000 text: hi",
        (&["123"], Delivered, "000"),
    ),
    ("id :123 stat :DELIVRD err :7", (&["123"], Delivered, "7")),
    ("id=123 stat=DELIVRD err=7", (&["123"], Delivered, "7")),
    ("id=\"123\" stat=\"DELIVRD\" err=\"7\"", (&["123"], Delivered, "7")),
    ("id:'123' stat:'EXPIRED'", (&["123"], Expired, "")),
    (
        "id:123,sub:001,dlvrd:001,submit date:2611220339,done date:2611220340,stat:DELIVRD,err:000,text:a,b",
        (&["123"], Delivered, "000"),
    ),
    ("id:123;stat:DELIVRD;err:5", (&["123"], Delivered, "5")),
    ("id:123|stat:UNDELIV|err:5", (&["123"], Undelivered, "5")),
    ("id:123\tstat:DELIVRD\terr:5", (&["123"], Delivered, "5")),
    ("id:123\r\nstat:DELIVRD\r\nerr:5\r\n", (&["123"], Delivered, "5")),
    ("id:123\nsub:001\ndlvrd:001\nstat:ACCEPTD", (&["123"], Accepted, "")),
    ("id:123\0stat:DELIVRD\0err:5\0", (&["123"], Delivered, "5")),
    ("id:123  stat:DELIVRD   err:5", (&["123"], Delivered, "5")),
    (" id:123 stat:DELIVRD", (&["123"], Delivered, "")),
    ("message_id:123 status:DELIVRD error:5", (&["123"], Delivered, "5")),
    ("id:123 status:UNDELIVERABLE error:absent", (&["123"], Undelivered, "absent")),
    ("id:123 submit_date:2611220339 done_date:2611220340 stat:DELIVRD", (&["123"], Delivered, "")),
    ("id:123 submitdate:2611220339 donedate:2611220340 stat:DELIVRD", (&["123"], Delivered, "")),
    ("id:123 stat:DELIVRD text:id:9 stat:EXPIRED err:9", (&["123"], Delivered, "")),
    ("id:123 stat:DELIVRD err:000 text:line\nid:9\nstat:EXPIRED", (&["123"], Delivered, "000")),
    ("id:123 stat:DELIVRD id:9 stat:EXPIRED", (&["123"], Delivered, "")),
    ("id:123", (&["123"], Unknown, "")),
    ("id:123 stat: err:5", (&["123"], Unknown, "5")),
    ("Your receipt: id:123 stat:DELIVRD", (&["123"], Delivered, "")),
    ("id:123 dlvrd:001 stat:DELIVRD Text:x", (&["123"], Delivered, "")),
    // Ids of every shape.
    ("id:0 stat:DELIVRD", (&["0"], Delivered, "")),
    ("id:000 stat:DELIVRD", (&["0"], Delivered, "")),
    ("id:0000012345 stat:DELIVRD", (&["12345"], Delivered, "")),
    ("id:12345678901234567890 stat:DELIVRD", (&["12345678901234567890"], Delivered, "")),
    ("id:00DEADBEEF stat:DELIVRD", (&["deadbeef"], Delivered, "")),
    ("id:3f2a-77 stat:DELIVRD", (&["3f2a-77"], Delivered, "")),
    (
        "id:6F9619FF-8B86-D011-B42D-00C04FC964FF stat:DELIVRD",
        (&["6f9619ff-8b86-d011-b42d-00c04fc964ff"], Delivered, ""),
    ),
    ("id:0f9619ff-8b86-d011-b42d-00c04fc964ff stat:DELIVRD", (&["f9619ff-8b86-d011-b42d-00c04fc964ff"], Delivered, "")),
    ("id:5d41402abc4b2a76b9719d911017c592 stat:DELIVRD", (&["5d41402abc4b2a76b9719d911017c592"], Delivered, "")),
    ("id:msg_7.a@smsc+1/2 stat:DELIVRD", (&["msg_7.a@smsc+1/2"], Delivered, "")),
    ("id:00zz stat:DELIVRD", (&["00zz"], Delivered, "")),
    ("id:żółw stat:DELIVRD", (&["Å¼Ã³Å\u{82}w"], Delivered, "")),
    // Errors are texts.
    ("id:1 stat:UNDELIV err:0000", (&["1"], Undelivered, "0000")),
    ("id:1 stat:UNDELIV err:FF", (&["1"], Undelivered, "FF")),
    ("id:1 stat:UNDELIV err:0x0B", (&["1"], Undelivered, "0x0B")),
    ("id:1 stat:UNDELIV err:-1", (&["1"], Undelivered, "-1")),
    ("id:1 stat:UNDELIV err:ABSENT_SUBSCRIBER_SM", (&["1"], Undelivered, "ABSENT_SUBSCRIBE")),
    ("id:1 stat:UNDELIV err:żółćżółćżółćżółćżółć", (&["1"], Undelivered, "żółćżółćżółćżółć")),
    // Words nobody knows are never a failure.
    ("id:1 stat:0", (&["1"], Unknown, "")),
    ("id:1 stat:BADSTAT", (&["1"], Unknown, "")),
    ("id:1 stat:DELIVRDX", (&["1"], Unknown, "")),
    ("id:1 stat:1", (&["1"], Unknown, "")),
    ("id:1 stat:OK", (&["1"], Unknown, "")),
    ("id:1 stat:???", (&["1"], Unknown, "")),
    // Known words in other company.
    ("id:1 sub:001 dlvrd:001 stat:FAILED err:255 text:ok", (&["1"], Undelivered, "255")),
    ("id:1 stat:SKIPPED", (&["1"], Deleted, "")),
    ("id:1 stat:SCHEDULED", (&["1"], Enroute, "")),
    ("id:1 stat:ACKED", (&["1"], Accepted, "")),
    ("id:1 stat:BUFFRED", (&["1"], Accepted, "")),
    ("id:1 stat:ENROUTE err:000", (&["1"], Enroute, "000")),
    ("id:1 stat:UNKNOWN err:000", (&["1"], Unknown, "000")),
];

const WORDS: [(&str, ReceiptState); 20] = [
    ("DELIVRD", Delivered),
    ("DELIVERED", Delivered),
    ("UNDELIV", Undelivered),
    ("UNDELIVERABLE", Undelivered),
    ("UNDELIVERED", Undelivered),
    ("FAILED", Undelivered),
    ("EXPIRED", Expired),
    ("DELETED", Deleted),
    ("SKIPPED", Deleted),
    ("REJECTD", Rejected),
    ("REJECTED", Rejected),
    ("ACCEPTD", Accepted),
    ("ACKED", Accepted),
    ("BUFFRED", Accepted),
    ("BUFFERD", Accepted),
    ("ENROUTE", Enroute),
    ("SCHEDULED", Enroute),
    ("UNKNOWN", Unknown),
    ("BADSTAT", Unknown),
    ("0", Unknown),
];

/// `message_state` (SMPP 3.4 §5.2.28, 5.0 §4.7.15).
const STATES: [(u8, ReceiptState); 12] = [
    (0, Enroute),
    (1, Enroute),
    (2, Delivered),
    (3, Expired),
    (4, Deleted),
    (5, Undelivered),
    (6, Accepted),
    (7, Unknown),
    (8, Rejected),
    (9, Deleted),
    (10, Unknown),
    (255, Unknown),
];

fn read_with(carrier: &Carrier, sm: &Sm<'_>) -> Read {
    let mut frame = bytes::BytesMut::new();
    sm.encode_deliver(1, &mut frame).expect("a frame");
    read(carrier, &decode(&frame), &frame, true)
}

fn receipt_in(read: Read, what: &str) -> ReadReceipt {
    match read {
        Read::Receipt(receipt) => receipt,
        other => panic!("{what}: no receipt but {other:?}"),
    }
}

fn assert_says(what: &str, read: Read, (ids, state, error): Expected<'_>) {
    if ids.is_empty() {
        return assert!(!matches!(read, Read::Receipt(_)), "{what}: whose receipt should that be?");
    }
    let receipt = receipt_in(read, what);
    let found: Vec<&str> = receipt.ids.iter().map(|id| &**id).collect();
    assert_eq!((found.as_slice(), receipt.state, &*receipt.error), (ids, state, error), "{what}");
    assert!(!receipt.raw.is_empty(), "{what}: the body is kept");
}

fn marked(text: &[u8]) -> Sm<'_> {
    Sm { esm_class: 4, short_message: text, ..Sm::default() }
}

#[test]
fn d1_dlr_format_zoo_texts() {
    let carrier = carrier(1);
    let mut variants = 0;
    for (text, expected) in TEXTS {
        for esm_class in [0x04, 0x08, 0x20, 0x44 & !0x40, 0x07] {
            assert_says(text, read_with(&carrier, &Sm { esm_class, ..marked(text.as_bytes()) }), expected);
            variants += 1;
        }
    }
    for (word, state) in WORDS {
        for word in [word.to_owned(), word.to_lowercase(), format!("{}{}", &word[..1], word[1..].to_lowercase())] {
            let text = format!("id:77 sub:001 dlvrd:001 stat:{word} err:000 text:hi");
            assert_says(&text, read_with(&carrier, &marked(text.as_bytes())), (&["77"], state, "000"));
            variants += 1;
        }
    }
    assert!(variants >= 120, "{variants}");
}

#[test]
fn d1_dlr_format_zoo_parameters() {
    let carrier = carrier(1);
    for (number, state) in STATES {
        let mut tlvs = TlvBuffer::new();
        tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, b"7F").push(tag::MESSAGE_STATE, &[number]);
        let alone = Sm { tlvs: tlvs.as_tlvs(), ..marked(b"") };
        assert_says(&format!("state {number}"), read_with(&carrier, &alone), (&["7f"], state, ""));
        // Beside a text: the parameter's id first, the text's where it differs; the more final state.
        let both = Sm { tlvs: tlvs.as_tlvs(), ..marked(b"id:127 stat:UNKNOWN err:9") };
        let expected = if matches!(state, Enroute | Accepted) { Unknown } else { state };
        assert_says(
            &format!("state {number} beside a text"),
            read_with(&carrier, &both),
            (&["7f", "127"], expected, "9"),
        );
        let same = Sm { tlvs: tlvs.as_tlvs(), ..marked(b"id:07f stat:DELIVRD") };
        assert_says(&format!("state {number}, one id"), read_with(&carrier, &same), (&["7f"], Delivered, ""));
    }
    // Without the NUL, of more than 65 octets, cut off by its length.
    let long = "a1".repeat(60);
    for id in ["x-1", &long] {
        let mut tlvs = TlvBuffer::new();
        tlvs.push(tag::RECEIPTED_MESSAGE_ID, id.as_bytes()).push(tag::MESSAGE_STATE, &[2]);
        let sm = Sm { tlvs: tlvs.as_tlvs(), ..marked(b"") };
        assert_says(id, read_with(&carrier, &sm), (&[id], Delivered, ""));
    }
    let mut state_only = TlvBuffer::new();
    state_only.push(tag::MESSAGE_STATE, &[5]);
    let sm = Sm { tlvs: state_only.as_tlvs(), ..marked(b"id:5") };
    assert_says("state in the parameter, id in the text", read_with(&carrier, &sm), (&["5"], Undelivered, ""));
    let mut vendor = TlvBuffer::new();
    vendor.push(0x1401, b"what").push(tag::NETWORK_ERROR_CODE, &[3, 0, 1]);
    let sm = Sm { tlvs: vendor.as_tlvs(), ..marked(b"id:5 stat:UNDELIV err:021") };
    assert_says("vendor's own parameters", read_with(&carrier, &sm), (&["5"], Undelivered, "021"));
}

#[test]
fn d1_dlr_format_zoo_ways() {
    let carrier = carrier(1);
    let text = b"id:42 sub:001 dlvrd:001 stat:DELIVRD err:000 text:hi";
    let expected: Expected<'_> = (&["42"], Delivered, "000");
    let wide: Vec<u8> = text.iter().flat_map(|&octet| [0, octet]).collect();
    for data_coding in [0x08, 0x18] {
        let sm = Sm { data_coding, ..marked(&wide) };
        assert_says("UCS-2", read_with(&carrier, &sm), expected);
    }
    for data_coding in [0x00, 0x01, 0x03, 0x04, 0xF0, 0xF5] {
        let sm = Sm { data_coding, ..marked(text) };
        assert_says("any coding of single octets", read_with(&carrier, &sm), expected);
    }
    let mut payload = TlvBuffer::new();
    payload.push(tag::MESSAGE_PAYLOAD, text);
    assert_says("message_payload", read_with(&carrier, &Sm { tlvs: payload.as_tlvs(), ..marked(b"") }), expected);
    let with_header = [&[5, 0, 3, 1, 1, 1][..], text].concat();
    let sm = Sm { esm_class: 0x44, ..marked(&with_header) };
    assert_says("behind a user data header", read_with(&carrier, &sm), expected);
    let mut frame = bytes::BytesMut::new();
    DataSm { esm_class: 4, tlvs: payload.as_tlvs(), ..DataSm::default() }.encode(1, &mut frame).expect("a frame");
    assert_says("data_sm", read(&carrier, &decode(&frame), &frame, true), expected);
    // A body that is cut off, or whose length octet lies: the text is found all the same.
    let mut whole = bytes::BytesMut::new();
    marked(text).encode_deliver(1, &mut whole).expect("a frame");
    let mut body = whole[16..].to_vec();
    let address = body.iter().position(|octet| *octet == 4).expect("esm_class");
    body.splice(1..address.min(4), [1, 1].into_iter().chain([b'4'; 40]));
    let mut damaged = bytes::BytesMut::new();
    raw(CommandId::DELIVER_SM, CommandStatus::ROK, 1, &body, &mut damaged);
    if matches!(decode(&damaged), smpp::pdu::Decoded::Damaged { .. }) {
        assert_says("damaged", read(&carrier, &decode(&damaged), &damaged, true), expected);
    }
}

#[test]
fn what_is_not_marked_is_a_receipt_only_where_the_carrier_is_known_to_forget_the_mark() {
    let mut small = carrier(1);
    let receipt = Sm { esm_class: 0, ..marked(b"id:42 stat:DELIVRD err:000 text:hi") };
    assert!(matches!(read_with(&small, &receipt), Read::Incoming(_)));
    small.sniff_receipts = true;
    assert_says("sniffed", read_with(&small, &receipt), (&["42"], Delivered, "000"));
    for text in [&b"my id: 7 please"[..], b"status: fine", b"STOP", b""] {
        assert!(matches!(read_with(&small, &Sm { esm_class: 0, ..marked(text) }), Read::Incoming(_)));
    }
    // A user's acknowledgement and other types are no receipts, whatever they say.
    for esm_class in [0x10, 0x18] {
        assert!(matches!(read_with(&small, &Sm { esm_class, ..receipt }), Read::Incoming(_)));
    }
}

#[test]
fn words_and_clock_are_those_of_the_carrier() {
    let mut own = carrier(1);
    let mut words = ReceiptWords::default();
    assert!(words.add("KAPUTT=undelivered") && words.add("0=delivered"));
    own.receipt_words = words;
    own.receipt_time_zone = ReceiptZone::parse("Europe/Warsaw").expect("a zone");
    assert_says("own word", read_with(&own, &marked(b"id:1 stat:kaputt")), (&["1"], Undelivered, ""));
    assert_says("own word", read_with(&own, &marked(b"id:1 stat:0")), (&["1"], Delivered, ""));
    let at =
        |text: &[u8]| receipt_in(read_with(&own, &marked(text)), "dated").done_at.map(domain::timestamp::format_utc);
    assert_eq!(at(b"id:1 done date:2607011200 stat:DELIVRD").as_deref(), Some("2026-07-01 10:00:00"));
    for undated in
        [&b"id:1 stat:DELIVRD"[..], b"id:1 done date:0000000000 stat:DELIVRD", b"id:1 done date:now stat:DELIVRD"]
    {
        assert_eq!(at(undated), None);
    }
    let given = |learns| {
        let mut frame = bytes::BytesMut::new();
        marked(b"id:007 stat:DELIVRD").encode_deliver(1, &mut frame).expect("a frame");
        receipt_in(read(&own, &decode(&frame), &frame, learns), "given").given
    };
    assert_eq!((given(true).as_deref(), given(false)), (Some("007"), None));
}

/// Receipts torn apart and put together again; nothing may panic, and nothing is made of nothing.
#[test]
fn d1_dlr_format_zoo_fuzz() {
    let random = Random::seeded(20_261_122);
    let below = |bound: usize| usize::try_from(random.below(bound as u64)).expect("small");
    let mut carrier = carrier(1);
    carrier.sniff_receipts = true;
    let texts: Vec<Vec<u8>> = TEXTS.iter().map(|(text, _)| text.as_bytes().to_vec()).collect();
    let mut receipts = 0;
    for _ in 0..1_000_000 {
        let mut text = texts[below(texts.len())].clone();
        for _ in 0..below(4) {
            let at = below(text.len().max(1));
            match below(4) {
                0 => text.truncate(at),
                1 => text.insert(at.min(text.len()), random.below(256) as u8),
                2 if at < text.len() => text[at] = random.below(256) as u8,
                _ => {
                    let other = &texts[below(texts.len())];
                    text.extend_from_slice(&other[below(other.len())..]);
                }
            }
        }
        text.truncate(255);
        let esm_class = random.below(256) as u8;
        let tlvs: Vec<u8> = (0..below(12)).map(|_| random.below(64) as u8).collect();
        let sm = Sm { esm_class, data_coding: random.below(256) as u8, tlvs: Tlvs::new(&tlvs), ..marked(&text) };
        if let Some(found) = smpp::receipt::parse(&smpp::receipt::text_of(&sm), sm.tlvs) {
            receipts += usize::from(found.is_plain());
            if let Some(digits) = found.done_date {
                let _ = carrier.receipt_time_zone.moment(digits);
            }
        }
    }
    assert!(receipts > 100_000, "the fuzz must reach the reading: {receipts}");
}
