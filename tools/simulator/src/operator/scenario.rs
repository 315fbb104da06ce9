//! Behaviours with a name.

use super::behaviour::{Behaviour, Outcome, ReceiptForm};
use super::ids::IdFormat;
use super::rule::{Refusal, When};

const RSYSERR: u32 = 0x08;
const RMSGQFUL: u32 = 0x14;
const RTHROTTLED: u32 = 0x58;

/// Names of the scenarios, with what they do.
const SCENARIOS: [(&str, &str); 14] = [
    ("good", "answers at once, delivers after half a second"),
    ("slow", "answers after 200 ms, delivers after 5 s"),
    ("throttling", "takes 50 parts per second, refuses the rest with RTHROTTLED"),
    ("flaky", "cuts the connection every 500 submits, 2 % of submits fail for a while"),
    ("early", "half of the receipts come before the answer"),
    ("messy", "receipts three times, out of order, ids in another base, every 20th missing"),
    ("failing", "every third message is not delivered"),
    ("silent", "takes everything and never sends a receipt"),
    (
        "realistic",
        "answers after 5 to 40 ms, some after half a second, delivers after 1 to 4 s, 5 % fail, 1 % stay silent",
    ),
    ("tlv", "receipts carry id and state as optional parameters only, ids are UUIDs"),
    ("hostage", "answers after five seconds: whatever shares a window with it waits"),
    ("unanswered", "never answers 1 % of the submits and delivers them all the same"),
    ("chaos", "a bit of everything that goes wrong"),
    ("load", "answers at once, delivers after half a second, no magic recipients"),
];

/// All scenarios: name and what it does.
#[must_use]
pub fn scenario_names() -> &'static [(&'static str, &'static str)] {
    &SCENARIOS
}

fn per_mille(share: u16, command_status: u32) -> Refusal {
    Refusal { when: When::PerMille(share), command_status }
}

/// The behaviour of a named scenario; `None` if there is none of that name.
#[must_use]
pub fn scenario(name: &str, seed: u64) -> Option<Behaviour> {
    let base = Behaviour { seed, receipt_ms: 500, ..Behaviour::default() };
    Some(match name {
        "good" => base,
        "slow" => Behaviour { answer_ms: 200, receipt_ms: 5_000, ..base },
        "throttling" => Behaviour { rate_per_second: 50, ..base },
        "flaky" => Behaviour { disconnect_after: 500, refusals: vec![per_mille(20, RSYSERR)], ..base },
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
        "realistic" => Behaviour {
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
        "tlv" => Behaviour { receipt_form: ReceiptForm::Tlv, id_format: IdFormat::Uuid, ..base },
        "hostage" => Behaviour { answer_ms: 5_000, ..base },
        "unanswered" => Behaviour { unanswered_per_mille: 10, ..base },
        "chaos" => chaos(base),
        "load" => Behaviour { magic: false, ..base },
        _ => return None,
    })
}

fn chaos(base: Behaviour) -> Behaviour {
    Behaviour {
        answer_jitter_ms: 50,
        answer_tail_per_mille: 10,
        answer_tail_ms: 1_000,
        unanswered_per_mille: 2,
        refusals: vec![per_mille(30, RTHROTTLED), per_mille(20, RSYSERR), per_mille(10, RMSGQFUL)],
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_scenario_of_its_own_and_keeps_the_seed() {
        let mut seen: Vec<Behaviour> = Vec::new();
        for (name, _) in scenario_names() {
            let behaviour = scenario(name, 42).unwrap_or_else(|| panic!("{name} is listed and unknown"));
            assert_eq!(behaviour.seed, 42);
            assert!(!seen.contains(&behaviour), "{name} does what another one does");
            seen.push(behaviour);
        }
        assert_eq!(scenario("nonsense", 1), None);
    }
}
