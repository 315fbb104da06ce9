//! E6: headers that make no sense. All of it is kept as text and flagged.

use domain::control::DefaultAlphabet;
use domain::incoming::{IncomingFlaw, PartPlace, ReferenceKind};
use smpp::pdu::{Address, Sm};
use smpp::tlv::{TlvBuffer, tag};
use text::{Language, Shift};

use super::super::read::{Received, text_of};
use crate::testing::carrier;

fn sm(octets: &[u8]) -> Sm<'_> {
    let number = |digits| Address { ton: 1, npi: 1, digits };
    Sm {
        source: number(b"48600100200"),
        destination: number(b"2424"),
        esm_class: 0x40,
        short_message: octets,
        ..Sm::default()
    }
}

fn read(octets: &[u8]) -> Received {
    Received::of(&carrier(1), &sm(octets), octets)
}

fn text(received: &Received) -> String {
    received.letters.decode(&received.payload)
}

#[test]
fn e6_mo_hostile_headers_are_kept_as_text_and_flagged() {
    let cases: [(&[u8], IncomingFlaw, &str); 5] = [
        (b"\x30abc", IncomingFlaw::HeaderTooLong, "0abc"),
        (b"", IncomingFlaw::HeaderTooLong, ""),
        (b"\x05\x00\x03\x07\x00\x01abc", IncomingFlaw::TotalZero, "abc"),
        (b"\x05\x00\x03\x07\x02\x00abc", IncomingFlaw::NumberZero, "abc"),
        (b"\x06\x08\x04\x00\x07\x02\x03abc", IncomingFlaw::NumberBeyondTotal, "abc"),
    ];
    for (octets, flaw, expected) in cases {
        let received = read(octets);
        assert_eq!((received.place, received.flaw), (None, Some(flaw)), "{octets:?}");
        assert_eq!(text(&received), expected, "{octets:?}");
        assert_eq!(&*received.raw, octets);
    }
}

#[test]
fn e6_mo_hostile_sar_parameters_are_judged_like_headers() {
    for (total, number, flaw) in
        [(0, 1, IncomingFlaw::TotalZero), (2, 0, IncomingFlaw::NumberZero), (2, 3, IncomingFlaw::NumberBeyondTotal)]
    {
        let mut tlvs = TlvBuffer::new();
        tlvs.push(tag::SAR_MSG_REF_NUM, &[0, 7]);
        tlvs.push(tag::SAR_TOTAL_SEGMENTS, &[total]).push(tag::SAR_SEGMENT_SEQNUM, &[number]);
        let message = Sm { esm_class: 0, tlvs: tlvs.as_tlvs(), ..sm(b"abc") };
        let received = Received::of(&carrier(1), &message, b"");
        assert_eq!((received.place, received.flaw, text(&received)), (None, Some(flaw), "abc".into()));
    }
}

#[test]
fn e5_mo_reassembly_headers_sar_and_payload_say_the_same() {
    let place = |kind| Some(PartPlace { kind, reference: 7, total: 3, number: 2 });
    assert_eq!(read(b"\x05\x00\x03\x07\x03\x02abc").place, place(ReferenceKind::Header8));
    assert_eq!(read(b"\x06\x08\x04\x00\x07\x03\x02abc").place, place(ReferenceKind::Header16));
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::SAR_MSG_REF_NUM, &[0, 7]);
    tlvs.push(tag::SAR_TOTAL_SEGMENTS, &[3]).push(tag::SAR_SEGMENT_SEQNUM, &[2]);
    tlvs.push(tag::MESSAGE_PAYLOAD, b"abc");
    let message = Sm { esm_class: 0, tlvs: tlvs.as_tlvs(), ..sm(b"") };
    let received = Received::of(&carrier(1), &message, b"");
    assert_eq!((received.place, text(&received)), (place(ReferenceKind::Sar), "abc".into()));
    // The header counts inside the payload too, and a message of one part is whole.
    let mut tlvs = TlvBuffer::new();
    tlvs.push(tag::MESSAGE_PAYLOAD, b"\x05\x00\x03\x07\x01\x01abc");
    let received = Received::of(&carrier(1), &Sm { tlvs: tlvs.as_tlvs(), ..sm(b"") }, b"");
    assert_eq!((received.place, received.flaw, text(&received)), (None, None, "abc".into()));
}

/// National tables hold for the part whose header names them (3GPP TS 23.040 §9.2.3.24.15-16), packed or not.
#[test]
fn national_tables_are_read_from_the_header() {
    let turkish = Shift { locking: Some(Language::Turkish), single: Some(Language::Turkish) };
    let septets = turkish.encode("İyi günler, ığş").unwrap();
    let mut octets = vec![6];
    octets.extend(turkish.to_elements());
    let header_octets = octets.len();
    let (mut unpacked, mut packed) = (octets.clone(), octets);
    unpacked.extend(&septets);
    packed.extend(text::packed::pack(&septets, text::packed::fill_bits(header_octets)));
    let received = read(&unpacked);
    assert_eq!((text(&received).as_str(), received.flaw), ("İyi günler, ığş", None));
    let mut other = carrier(1);
    other.default_alphabet = DefaultAlphabet::Gsm7Packed;
    assert_eq!(text(&Received::of(&other, &sm(&packed), b"")), "İyi günler, ığş");
    assert_eq!(text_of(other.default_alphabet, &sm(&packed)), "İyi günler, ığş", "a trace says the same");
    let code = received.letters.stored_code();
    assert_eq!(domain::incoming::Letters::from_stored_code(code), Some(received.letters));
}

proptest::proptest! {
    #[test]
    fn e6_mo_hostile_no_octets_break_the_reader(
        octets in proptest::collection::vec(proptest::num::u8::ANY, 0..256),
        esm_class in proptest::num::u8::ANY,
        data_coding in proptest::num::u8::ANY,
    ) {
        let message = Sm { esm_class, data_coding, ..sm(&octets) };
        let received = Received::of(&carrier(1), &message, &octets);
        if let Some(PartPlace { total, number, .. }) = received.place {
            proptest::prop_assert!(total > 1 && (1..=total).contains(&number));
        }
        text(&received);
    }
}
