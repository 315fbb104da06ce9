//! How an operator behaves.

use std::net::SocketAddr;

use clap::Args;

/// What the operator makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// DELIVRD.
    Delivered,
    /// UNDELIV.
    Undelivered,
    /// EXPIRED.
    Expired,
    /// REJECTD.
    Rejected,
    /// UNKNOWN.
    Unknown,
    /// No receipt at all.
    Silent,
}

/// How message ids are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum IdFormat {
    /// Decimal in answers and receipts.
    #[default]
    Decimal,
    /// Hexadecimal in answers and receipts.
    Hexadecimal,
    /// Hexadecimal in answers, decimal in receipts.
    HexadecimalInResponse,
}

/// A share of submits that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of 1000 submits so many are refused.
    pub per_mille: u16,
    /// With this command_status.
    pub command_status: u32,
}

/// How submits are answered and receipts sent. Everything random comes from the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Seed of all choices.
    pub seed: u64,
    /// Time until a submit is answered, milliseconds.
    pub answer_ms: u64,
    /// Of 1000 submits so many are never answered.
    pub unanswered_per_mille: u16,
    /// Submits that are refused.
    pub refusals: Vec<Refusal>,
    /// More parts per second than this are answered RTHROTTLED; 0 = no limit.
    pub rate_per_second: u32,
    /// Time from the answer to the receipt, milliseconds.
    pub receipt_ms: u64,
    /// Of 1000 receipts so many are sent before the answer to their submit.
    pub early_per_mille: u16,
    /// Each receipt is sent so many times.
    pub copies: u8,
    /// Of 1000 messages so many end otherwise than delivered, by turns undelivered, expired, rejected, unknown.
    pub failed_per_mille: u16,
    /// Of 1000 receipts so many are not sent at all.
    pub missing_per_mille: u16,
    /// Receipts overtake each other by up to this time, milliseconds.
    pub reorder_ms: u64,
    /// How ids are written.
    pub id_format: IdFormat,
    /// Receipts carry id and state as parameters only, with an empty text.
    pub receipts_by_tlv_only: bool,
    /// The connection is cut after so many submits; 0 = never.
    pub disconnect_after: u64,
    /// Answers and receipts are held back.
    pub frozen: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            seed: 1,
            answer_ms: 0,
            unanswered_per_mille: 0,
            refusals: Vec::new(),
            rate_per_second: 0,
            receipt_ms: 0,
            early_per_mille: 0,
            copies: 1,
            failed_per_mille: 0,
            missing_per_mille: 0,
            reorder_ms: 0,
            id_format: IdFormat::Decimal,
            receipts_by_tlv_only: false,
            disconnect_after: 0,
            frozen: false,
        }
    }
}

/// Names of the scenarios, with what they do.
const SCENARIOS: [(&str, &str); 8] = [
    ("good", "answers at once, delivers after half a second"),
    ("slow", "answers after 200 ms, delivers after 5 s"),
    ("throttling", "takes 50 parts per second, refuses the rest with RTHROTTLED"),
    ("flaky", "cuts the connection every 500 submits, 2 % of submits fail for a while"),
    ("early", "half of the receipts come before the answer"),
    ("messy", "receipts three times, out of order, ids in another base, every 20th missing"),
    ("failing", "every third message is not delivered"),
    ("silent", "takes everything and never sends a receipt"),
];

/// All scenarios: name and what it does.
#[must_use]
pub fn scenario_names() -> &'static [(&'static str, &'static str)] {
    &SCENARIOS
}

/// The behaviour of a named scenario.
#[must_use]
pub fn scenario(name: &str, seed: u64) -> Option<Behaviour> {
    let base = Behaviour { seed, receipt_ms: 500, ..Behaviour::default() };
    Some(match name {
        "good" => base,
        "slow" => Behaviour { answer_ms: 200, receipt_ms: 5_000, ..base },
        "throttling" => Behaviour { rate_per_second: 50, ..base },
        "flaky" => Behaviour {
            disconnect_after: 500,
            refusals: vec![Refusal { per_mille: 20, command_status: 0x08 }],
            ..base
        },
        "early" => Behaviour { answer_ms: 20, receipt_ms: 0, early_per_mille: 500, ..base },
        "messy" => Behaviour {
            copies: 3,
            reorder_ms: 2_000,
            missing_per_mille: 50,
            id_format: IdFormat::HexadecimalInResponse,
            ..base
        },
        "failing" => Behaviour { failed_per_mille: 333, ..base },
        "silent" => Behaviour { missing_per_mille: 1_000, ..base },
        _ => return None,
    })
}

/// How to run an operator.
#[derive(Args, Clone, Debug)]
pub struct OperatorOptions {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:2775", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Login name that is asked for.
    #[arg(long, default_value = "posthorn")]
    pub system_id: String,
    /// Password that is asked for.
    #[arg(long, default_value = "secret")]
    pub password: String,
    /// How it behaves: good, slow, throttling, flaky, early, messy, failing or silent.
    #[arg(long, default_value = "good")]
    pub scenario: String,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Time until a submit is answered, milliseconds; instead of the scenario's.
    #[arg(long)]
    pub answer_ms: Option<u64>,
    /// Time from the answer to the receipt, milliseconds; instead of the scenario's.
    #[arg(long)]
    pub receipt_ms: Option<u64>,
}

impl OperatorOptions {
    /// An operator on a free port of this machine with the default login.
    #[must_use]
    pub fn local() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            system_id: "posthorn".into(),
            password: "secret".into(),
            scenario: "good".into(),
            seed: 1,
            answer_ms: None,
            receipt_ms: None,
        }
    }

    /// The behaviour asked for; `None` for a scenario nobody knows.
    #[must_use]
    pub fn behaviour(&self) -> Option<Behaviour> {
        let mut behaviour = scenario(&self.scenario, self.seed)?;
        behaviour.answer_ms = self.answer_ms.unwrap_or(behaviour.answer_ms);
        behaviour.receipt_ms = self.receipt_ms.unwrap_or(behaviour.receipt_ms);
        Some(behaviour)
    }
}

/// A number from 0 to 999 that depends on the seed, the submit and the question only.
pub(super) fn dice(seed: u64, submit: u64, question: u64) -> u16 {
    // SplitMix64: small, well mixed, the same everywhere.
    let mut mixed = seed.wrapping_add(submit.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(question << 32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u16::try_from((mixed ^ (mixed >> 31)) % 1000).unwrap_or_default()
}

impl Behaviour {
    /// What becomes of submit `number`, unless the recipient's last digits ask for something.
    pub(super) fn outcome(&self, number: u64) -> Outcome {
        if dice(self.seed, number, 1) < self.missing_per_mille {
            return Outcome::Silent;
        }
        if dice(self.seed, number, 2) >= self.failed_per_mille {
            return Outcome::Delivered;
        }
        [Outcome::Undelivered, Outcome::Expired, Outcome::Rejected, Outcome::Unknown][usize::from(dice(self.seed, number, 3)) % 4]
    }

    /// The command_status submit `number` is refused with, if it is.
    pub(super) fn refusal(&self, number: u64) -> Option<u32> {
        let throw = dice(self.seed, number, 4);
        let mut upto = 0;
        self.refusals.iter().find_map(|refusal| {
            upto += refusal.per_mille;
            (throw < upto).then_some(refusal.command_status)
        })
    }
}

/// Recipients that always end the same way, whatever the scenario: by their last four digits.
#[must_use]
pub(super) fn magic(recipient: &str) -> Option<Result<Outcome, u32>> {
    let digits = recipient.get(recipient.len().checked_sub(4)?..)?;
    Some(match digits {
        "0001" => Ok(Outcome::Delivered),
        "0002" => Ok(Outcome::Undelivered),
        "0003" => Ok(Outcome::Expired),
        "0004" => Ok(Outcome::Rejected),
        "0005" => Ok(Outcome::Silent),
        "0006" => Err(0x0b),
        "0007" => Err(0x0a),
        _ => return None,
    })
}
