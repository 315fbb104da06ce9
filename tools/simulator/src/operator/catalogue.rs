//! The scenarios by name. The manual's table is tested against this one.

use smpp::CommandStatus;

use super::behaviour::{Behaviour, Delay, Outcome, ReceiptForm, Span};
use super::ids::IdFormat;
use super::incoming::Incoming;
use super::rule::{Refusal, When};

/// A behaviour with a name.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What it does, in the words of the manual.
    pub(super) what: &'static str,
    /// What it changes of a good operator's behaviour.
    pub(super) make: fn(Behaviour) -> Behaviour,
}

const fn new(name: &'static str, what: &'static str, make: fn(Behaviour) -> Behaviour) -> Scenario {
    Scenario { name, what, make }
}

fn per_mille(share: u16, status: CommandStatus) -> Refusal {
    Refusal { when: When::PerMille(share), command_status: status.0 }
}

fn wave(from_ms: u64, to_ms: u64, share: u16) -> Refusal {
    let when = When::Wave { from_ms, to_ms, per_mille: share };
    Refusal { when, command_status: CommandStatus::RTHROTTLED.0 }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    new("good", "answers at once, delivers after half a second", |base| base),
    new("load", "the same without magic recipients", |base| Behaviour { magic: false, ..base }),
    new(
        "realistic",
        "answers after 5 to 40 ms, some after half a second, delivers after 1 to 4 s, 5 % fail, 1 % stay silent",
        |base| Behaviour {
            answer_ms: 5,
            answer_jitter_ms: 35,
            answer_tail_per_mille: 10,
            answer_tail_ms: 500,
            receipt_ms: 1_000,
            reorder_ms: 3_000,
            failed_per_mille: 50,
            failures: vec![Outcome::Undelivered, Outcome::Undelivered, Outcome::Expired, Outcome::Rejected],
            missing_per_mille: 10,
            ..base
        },
    ),
    new("chaos", "a bit of everything that goes wrong", chaos),
    // Answers.
    new("slow", "answers after 200 ms, delivers after 5 s", |base| Behaviour {
        answer_ms: 200,
        receipt_ms: 5_000,
        ..base
    }),
    new("hostage", "answers after five seconds: whatever shares a window with it waits", |base| Behaviour {
        answer_ms: 5_000,
        ..base
    }),
    new("slow-bulk", "answers after five seconds, except to recipients that end in 9", |base| Behaviour {
        delays: vec![Delay { when: When::Except("9".into()), answer_ms: 5_000 }],
        ..base
    }),
    new("unanswered", "never answers 1 % of the submits and delivers them all the same", |base| Behaviour {
        unanswered_per_mille: 10,
        ..base
    }),
    new("late-answers", "answers 5 % of the submits after 45 s, when nobody waits any more", |base| Behaviour {
        answer_tail_per_mille: 50,
        answer_tail_ms: 45_000,
        ..base
    }),
    // Refusals.
    new("throttling", "takes 50 parts per second, refuses the rest with RTHROTTLED", |base| Behaviour {
        rate_per_second: 50,
        ..base
    }),
    new(
        "throttle-wave",
        "RTHROTTLED for 30 % during 60 s, for all during 30 s, for none during 30 s, and again",
        |base| Behaviour {
            refusals: vec![wave(0, 60_000, 300), wave(60_000, 90_000, 1_000)],
            period_ms: 120_000,
            ..base
        },
    ),
    new("queue-full", "RMSGQFUL for recipients that end in 42, and for nobody else", |base| Behaviour {
        refusals: vec![Refusal { when: When::Suffix("42".into()), command_status: CommandStatus::RMSGQFUL.0 }],
        ..base
    }),
    new("congestion", "congestion_state rises from 0 to 100 and falls again within a minute", |base| Behaviour {
        congestion_period_ms: 60_000,
        ..base
    }),
    // Binds.
    new("bind-rinvbndsts", "refuses binds with RINVBNDSTS", |base| refusing(CommandStatus::RINVBNDSTS, base)),
    new("bind-ralybnd", "refuses binds with RALYBND", |base| refusing(CommandStatus::RALYBND, base)),
    new("bind-rsyserr", "refuses binds with RSYSERR", |base| refusing(CommandStatus::RSYSERR, base)),
    new("bind-rbindfail", "refuses binds with RBINDFAIL", |base| refusing(CommandStatus::RBINDFAIL, base)),
    new("bind-rinvpaswd", "refuses binds with RINVPASWD", |base| refusing(CommandStatus::RINVPASWD, base)),
    new("bind-rinvsysid", "refuses binds with RINVSYSID", |base| refusing(CommandStatus::RINVSYSID, base)),
    new("bind-rinvsystyp", "refuses binds with RINVSYSTYP", |base| refusing(CommandStatus::RINVSYSTYP, base)),
    new("bind-rthrottled", "refuses binds with RTHROTTLED", |base| refusing(CommandStatus::RTHROTTLED, base)),
    new("one-bind", "takes one bind at a time, refuses others with RALYBND", |base| Behaviour { binds_max: 1, ..base }),
    // Connections.
    new("flaky", "cuts the connection every 500 submits, 2 % of submits fail for a while", |base| Behaviour {
        disconnect_after: 500,
        refusals: vec![per_mille(20, CommandStatus::RSYSERR)],
        ..base
    }),
    new("reset", "answers after 50 ms and resets the connection (RST) every 200 submits", |base| Behaviour {
        answer_ms: 50,
        disconnect_after: 200,
        cut_with_reset: true,
        ..base
    }),
    new("flapping", "cuts every connection after a second", |base| Behaviour { disconnect_every_ms: 1_000, ..base }),
    new("blackhole", "works for 20 s, then swallows everything for 60 s with its sockets open, and again", |base| {
        Behaviour { blackhole: Some(Span { from_ms: 20_000, to_ms: 80_000 }), period_ms: 80_000, ..base }
    }),
    new("unbind", "answers after 200 ms and unbinds every 500 submits with answers outstanding", |base| Behaviour {
        answer_ms: 200,
        unbind_after: 500,
        ..base
    }),
    new("slicer", "writes one octet at a time", |base| Behaviour { slice_octets: 1, ..base }),
    new("slow-reader", "reads 2000 octets per second", |base| Behaviour { read_octets_per_second: 2_000, ..base }),
    // Receipts.
    new("early", "half of the receipts come before the answer", |base| Behaviour {
        answer_ms: 20,
        receipt_ms: 0,
        early_per_mille: 500,
        ..base
    }),
    new("late", "one receipt in ten comes a minute late", |base| Behaviour {
        late_per_mille: 100,
        late_ms: 60_000,
        ..base
    }),
    new("duplicates", "every receipt comes twice, and says first that the message is on its way", |base| Behaviour {
        copies: 2,
        intermediate_per_mille: 1_000,
        ..base
    }),
    new("reordered", "receipts overtake each other by up to three seconds", |base| Behaviour {
        reorder_ms: 3_000,
        ..base
    }),
    new("missing", "every twentieth receipt never comes", |base| Behaviour { missing_per_mille: 50, ..base }),
    new("silent", "takes everything and never sends a receipt", |base| Behaviour { missing_per_mille: 1_000, ..base }),
    new("failing", "every third message is not delivered", |base| Behaviour { failed_per_mille: 333, ..base }),
    new("other-bind", "receipts come over another bind than their message", |base| Behaviour {
        receipts_elsewhere: true,
        ..base
    }),
    new("messy", "receipts three times, out of order, ids in another base, every 20th missing", |base| Behaviour {
        copies: 3,
        reorder_ms: 2_000,
        missing_per_mille: 50,
        id_format: IdFormat::HexadecimalInResponse,
        ..base
    }),
    new("hex-ids", "ids are hexadecimal, upper case in answers and lower case in receipts", |base| Behaviour {
        id_format: IdFormat::Hexadecimal,
        ..base
    }),
    new("hex-receipts", "ids are decimal in answers and hexadecimal in receipts", |base| Behaviour {
        id_format: IdFormat::HexadecimalInReceipt,
        ..base
    }),
    new("tlv", "receipts carry id and state as optional parameters only, ids are UUIDs", |base| Behaviour {
        receipt_form: ReceiptForm::Tlv,
        id_format: IdFormat::Uuid,
        ..base
    }),
    new("ucs2-receipts", "the text of receipts is UCS-2", |base| Behaviour { receipt_form: ReceiptForm::Ucs2, ..base }),
    new("data-sm", "receipts come as data_sm", |base| Behaviour { receipt_form: ReceiptForm::DataSm, ..base }),
    // Incoming messages.
    new("incoming", "an incoming message every second: short, long, long in shuffled parts", |base| Behaviour {
        incoming_every_ms: 1_000,
        incoming: vec![Incoming::Short, Incoming::Long, Incoming::Shuffled],
        ..base
    }),
    new("incoming-hostile", "ten incoming parts a second with broken headers and groups that stay open", |base| {
        Behaviour { incoming_every_ms: 100, incoming: vec![Incoming::Hostile], ..base }
    }),
];

fn refusing(status: CommandStatus, base: Behaviour) -> Behaviour {
    Behaviour { bind_refusal: status.0, ..base }
}

fn chaos(base: Behaviour) -> Behaviour {
    Behaviour {
        answer_jitter_ms: 50,
        answer_tail_per_mille: 10,
        answer_tail_ms: 1_000,
        unanswered_per_mille: 2,
        refusals: vec![
            per_mille(30, CommandStatus::RTHROTTLED),
            per_mille(20, CommandStatus::RSYSERR),
            per_mille(10, CommandStatus::RMSGQFUL),
        ],
        reorder_ms: 1_500,
        early_per_mille: 50,
        late_per_mille: 20,
        late_ms: 5_000,
        duplicates_per_mille: 50,
        intermediate_per_mille: 50,
        failed_per_mille: 100,
        missing_per_mille: 20,
        id_format: IdFormat::HexadecimalInResponse,
        receipt_form: ReceiptForm::Both,
        disconnect_after: 5_000,
        disconnect_every_ms: 30_000,
        ..base
    }
}
