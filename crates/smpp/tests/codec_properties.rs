//! Round trips, and octets nobody would send.

use bytes::BytesMut;
use proptest::prelude::*;
use smpp::encode::{header_only, message_response};
use smpp::frame::FRAME_OCTETS_MAX;
use smpp::pdu::{Address, Bind, BindMode, BindResp, DataSm, Decoded, Pdu, Quirks, Sm, decode};
use smpp::receipt;
use smpp::tlv::{TlvBuffer, Tlvs};
use smpp::{CommandId, CommandStatus, FrameCutter};

/// Inputs of the garbage test.
const GARBAGE_INPUTS: u64 = 200_000;

fn c_string(octets_max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1u8..=0x7F, 0..=octets_max)
}

fn address(octets_max: usize) -> impl Strategy<Value = (u8, u8, Vec<u8>)> {
    (any::<u8>(), any::<u8>(), c_string(octets_max))
}

fn time() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), prop::collection::vec(b'0'..=b'9', 16)]
}

fn tlvs() -> impl Strategy<Value = TlvBuffer> {
    prop::collection::vec((0x1400u16..0x3FFF, prop::collection::vec(any::<u8>(), 0..300)), 0..6).prop_map(|rows| {
        let mut buffer = TlvBuffer::new();
        for (tag, value) in rows {
            buffer.push(tag, &value);
        }
        buffer
    })
}

fn sequence_number() -> impl Strategy<Value = u32> {
    1u32..=0x7FFF_FFFF
}

fn parsed(frame: &[u8]) -> (Pdu<'_>, Quirks) {
    match decode(frame) {
        Decoded::Parsed { pdu, quirks, .. } => (pdu, quirks),
        Decoded::Damaged { why, .. } => panic!("not read: {why}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_come_back_as_they_went(
        number in sequence_number(),
        service_type in c_string(5),
        source in address(20),
        destination in address(20),
        octets in any::<[u8; 7]>(),
        times in (time(), time()),
        short_message in prop::collection::vec(any::<u8>(), 0..=255),
        tlvs in tlvs(),
    ) {
        let message = Sm {
            service_type: &service_type,
            source: Address { ton: source.0, npi: source.1, digits: &source.2 },
            destination: Address { ton: destination.0, npi: destination.1, digits: &destination.2 },
            esm_class: octets[0],
            protocol_id: octets[1],
            priority_flag: octets[2],
            schedule_delivery_time: &times.0,
            validity_period: &times.1,
            registered_delivery: octets[3],
            replace_if_present_flag: octets[4],
            data_coding: octets[5],
            sm_default_msg_id: octets[6],
            short_message: &short_message,
            tlvs: tlvs.as_tlvs(),
        };
        let mut out = BytesMut::new();
        message.encode_submit(number, &mut out).unwrap();
        prop_assert_eq!(decode(&out).header().sequence_number, number);
        prop_assert_eq!(parsed(&out), (Pdu::SubmitSm(message), Quirks::NONE));
        out.clear();
        message.encode_deliver(number, &mut out).unwrap();
        prop_assert_eq!(parsed(&out), (Pdu::DeliverSm(message), Quirks::NONE));
    }

    #[test]
    fn data_sm_comes_back_as_it_went(
        number in sequence_number(),
        service_type in c_string(5),
        source in address(64),
        destination in address(64),
        octets in any::<[u8; 3]>(),
        tlvs in tlvs(),
    ) {
        let message = DataSm {
            service_type: &service_type,
            source: Address { ton: source.0, npi: source.1, digits: &source.2 },
            destination: Address { ton: destination.0, npi: destination.1, digits: &destination.2 },
            esm_class: octets[0],
            registered_delivery: octets[1],
            data_coding: octets[2],
            tlvs: tlvs.as_tlvs(),
        };
        let mut out = BytesMut::new();
        message.encode(number, &mut out).unwrap();
        prop_assert_eq!(parsed(&out), (Pdu::DataSm(message), Quirks::NONE));
    }

    #[test]
    fn binds_and_responses_come_back_as_they_went(
        number in sequence_number(),
        mode in prop_oneof![Just(BindMode::Transmitter), Just(BindMode::Receiver), Just(BindMode::Transceiver)],
        names in (c_string(15), c_string(8), c_string(12), c_string(40)),
        octets in any::<[u8; 3]>(),
        version in any::<u8>(),
        id in c_string(64),
    ) {
        let bind = Bind {
            mode,
            system_id: &names.0,
            password: &names.1,
            system_type: &names.2,
            interface_version: octets[0],
            addr_ton: octets[1],
            addr_npi: octets[2],
            address_range: &names.3,
        };
        let mut out = BytesMut::new();
        bind.encode(number, &mut out).unwrap();
        prop_assert_eq!(parsed(&out), (Pdu::Bind(bind), Quirks::NONE));

        out.clear();
        BindResp::encode_answer(mode, CommandStatus::ROK, &names.0, Some(version), number, &mut out).unwrap();
        match parsed(&out) {
            (Pdu::BindResp(resp), Quirks::NONE) => {
                prop_assert_eq!((resp.mode, resp.system_id), (mode, &names.0[..]));
                prop_assert_eq!(resp.tlvs.sc_interface_version(), Some(version));
            }
            other => prop_assert!(false, "{:?}", other),
        }

        out.clear();
        message_response(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK, number, &id, Tlvs::EMPTY, &mut out);
        match parsed(&out) {
            (Pdu::SubmitSmResp(resp), Quirks::NONE) => prop_assert_eq!(resp.message_id.unwrap_or_default(), &id[..]),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_cut_of_a_stream_gives_the_same_frames(cuts in prop::collection::vec(1usize..400, 1..60)) {
        let mut stream = BytesMut::new();
        for number in 1..40u32 {
            let text = vec![b'x'; number as usize * 6];
            Sm { short_message: &text, ..Sm::default() }.encode_submit(number, &mut stream).unwrap();
            header_only(CommandId::ENQUIRE_LINK, CommandStatus::ROK, number, &mut stream);
        }
        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        let (mut rest, mut seen) = (&stream[..], Vec::new());
        let mut cut = cuts.iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
            cutter.push(now);
            rest = later;
            while let Some(frame) = cutter.next_frame().unwrap() {
                seen.extend_from_slice(frame);
            }
        }
        prop_assert_eq!(&seen[..], &stream[..]);
    }
}

/// A small generator with a seed, so that a failure names the input that causes it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn touch_everything(frame: &[u8]) {
    let decoded = decode(frame);
    let Decoded::Parsed { pdu, quirks, .. } = decoded else {
        let _ = receipt::salvage(frame);
        return;
    };
    assert!(quirks.to_string().len() < 200);
    let (message, tlvs) = match pdu {
        Pdu::SubmitSm(message) | Pdu::DeliverSm(message) => (message, message.tlvs),
        Pdu::DataSm(message) => (message.as_sm(), message.tlvs),
        Pdu::SubmitSmResp(resp) | Pdu::DeliverSmResp(resp) => (Sm::default(), resp.tlvs),
        Pdu::BindResp(resp) => (Sm::default(), resp.tlvs),
        _ => (Sm::default(), Tlvs::EMPTY),
    };
    let _ = (tlvs.network_error_code(), tlvs.sar(), tlvs.congestion_state(), tlvs.source_port());
    assert!(tlvs.iter().map(|tlv| tlv.value.len() + 4).sum::<usize>() <= tlvs.raw().len());
    let text = receipt::text_of(&message);
    let _ = receipt::parse(&text, tlvs);
    // What was read without a quirk can be written, and is then the same octets.
    if let Pdu::DeliverSm(message) = pdu
        && quirks.is_empty()
    {
        let mut out = BytesMut::new();
        if message.encode_deliver(decoded.header().sequence_number, &mut out).is_ok() {
            assert_eq!(out[16..], frame[16..]);
        }
    }
}

#[test]
fn garbage_never_panics_and_never_grows_the_buffer() {
    let ids = [4u32, 5, 0x103, 0x8000_0004, 0x8000_0005, 1, 2, 9, 0x8000_0009, 3, 7, 8, 0x102, 0x0B, 0x8000_0003, 0x15];
    for seed in 1..=GARBAGE_INPUTS {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let length = (random.next() % 200) as usize;
        // Mostly small octets: they make NULs, lengths and tags that lead further into the decoder.
        let small = random.next().is_multiple_of(2);
        let body: Vec<u8> =
            (0..length).map(|_| if small { (random.next() % 8) as u8 } else { random.next() as u8 }).collect();
        let mut frame = BytesMut::new();
        let id = CommandId(ids[(random.next() % ids.len() as u64) as usize]);
        smpp::encode::raw(id, CommandStatus::ROK, seed as u32, &body, &mut frame);
        touch_everything(&frame);
        touch_everything(&body);

        let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
        cutter.push(&body);
        while let Ok(Some(found)) = cutter.next_frame() {
            touch_everything(found);
        }
        assert!(cutter.unfinished() <= body.len());
    }
}
