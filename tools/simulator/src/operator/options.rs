//! How to run an operator.

use std::net::SocketAddr;

use clap::Args;

use super::behaviour::{Behaviour, ReceiptForm};
use super::ids::IdFormat;
use super::rule::{Refusal, command_status};
use super::scenario::{scenario, scenario_names};

/// How to run an operator. What is given here replaces what the scenario says.
#[derive(Args, Clone, Debug)]
pub struct OperatorOptions {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:2775", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Address and port for handsets and scripts (one JSON object per line); left out: none.
    #[arg(long, value_name = "ADDRESS")]
    pub control: Option<SocketAddr>,
    /// Login name that is asked for.
    #[arg(long, default_value = "posthorn")]
    pub system_id: String,
    /// Password that is asked for.
    #[arg(long, default_value = "secret")]
    pub password: String,
    /// How it behaves; `posthorn simulate operator --list` names all scenarios.
    #[arg(long, default_value = "good")]
    pub scenario: String,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Time until a submit is answered, milliseconds.
    #[arg(long)]
    pub answer_ms: Option<u64>,
    /// Up to so much is added to it, milliseconds.
    #[arg(long)]
    pub answer_jitter_ms: Option<u64>,
    /// Time from the answer to the receipt, milliseconds.
    #[arg(long)]
    pub receipt_ms: Option<u64>,
    /// Receipts come up to so much later than that, in any order, milliseconds.
    #[arg(long)]
    pub receipt_jitter_ms: Option<u64>,
    /// Refuse submits: every=10:RSYSERR, permille=20:0x58, suffix=0666:RINVDSTADR, except=0666:RINVDSTADR,
    /// header=yes:RINVESMCLASS, sar=yes:RINVESMCLASS, between=5000-10000:RTHROTTLED (milliseconds), wave=0-60000@300:RTHROTTLED (30 % of them).
    #[arg(long = "refuse", value_name = "RULE")]
    pub refuse: Vec<Refusal>,
    /// Parts per second that are taken; the rest is answered RTHROTTLED.
    #[arg(long)]
    pub rate_per_second: Option<u32>,
    /// Unanswered submits that a session may have; the rest is answered RTHROTTLED.
    #[arg(long)]
    pub window_max: Option<usize>,
    /// Of 1000 messages so many are not delivered.
    #[arg(long)]
    pub failed_per_mille: Option<u16>,
    /// Of 1000 receipts so many are not sent.
    #[arg(long)]
    pub missing_per_mille: Option<u16>,
    /// Refuse binds with this status, such as RBINDFAIL or 0x0d.
    #[arg(long, value_name = "STATUS", value_parser = bind_status)]
    pub refuse_binds: Option<u32>,
    /// Binds at a time; others are refused with RALYBND.
    #[arg(long)]
    pub binds_max: Option<usize>,
    /// Whom incoming messages of the scenario are written to.
    #[arg(long, value_name = "NUMBER")]
    pub incoming_to: Option<String>,
    /// How message ids are written.
    #[arg(long)]
    pub id_format: Option<IdFormat>,
    /// Where receipts say what they say.
    #[arg(long)]
    pub receipt_form: Option<ReceiptForm>,
    /// Cut the connection after so many submits.
    #[arg(long)]
    pub disconnect_after: Option<u64>,
    /// Cut the connection after so much time, milliseconds.
    #[arg(long)]
    pub disconnect_every_ms: Option<u64>,
}

impl OperatorOptions {
    /// An operator on a free port of this machine with the default login, for tests.
    #[must_use]
    pub fn local() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            control: None,
            system_id: "posthorn".into(),
            password: "secret".into(),
            scenario: "good".into(),
            seed: 1,
            answer_ms: None,
            answer_jitter_ms: None,
            receipt_ms: None,
            receipt_jitter_ms: None,
            refuse: Vec::new(),
            rate_per_second: None,
            window_max: None,
            failed_per_mille: None,
            missing_per_mille: None,
            refuse_binds: None,
            binds_max: None,
            incoming_to: None,
            id_format: None,
            receipt_form: None,
            disconnect_after: None,
            disconnect_every_ms: None,
        }
    }

    /// The behaviour asked for; `None` for a scenario nobody knows.
    #[must_use]
    pub fn behaviour(&self) -> Option<Behaviour> {
        let mut behaviour = scenario(&self.scenario, self.seed)?;
        set(&mut behaviour.answer_ms, self.answer_ms);
        set(&mut behaviour.answer_jitter_ms, self.answer_jitter_ms);
        set(&mut behaviour.receipt_ms, self.receipt_ms);
        set(&mut behaviour.reorder_ms, self.receipt_jitter_ms);
        set(&mut behaviour.rate_per_second, self.rate_per_second);
        set(&mut behaviour.window_max, self.window_max);
        set(&mut behaviour.failed_per_mille, self.failed_per_mille);
        set(&mut behaviour.missing_per_mille, self.missing_per_mille);
        set(&mut behaviour.bind_refusal, self.refuse_binds);
        set(&mut behaviour.binds_max, self.binds_max);
        set(&mut behaviour.incoming_to, self.incoming_to.clone());
        set(&mut behaviour.id_format, self.id_format);
        set(&mut behaviour.receipt_form, self.receipt_form);
        set(&mut behaviour.disconnect_after, self.disconnect_after);
        set(&mut behaviour.disconnect_every_ms, self.disconnect_every_ms);
        if !self.refuse.is_empty() {
            behaviour.refusals.clone_from(&self.refuse);
        }
        Some(behaviour)
    }

    /// What to say when there is no scenario of the name given.
    pub(super) fn unknown_scenario(&self) -> String {
        let names: Vec<&str> = scenario_names().map(|(name, _)| name).collect();
        format!("there is no scenario \"{}\"; choose one of {}", self.scenario, names.join(", "))
    }
}

fn bind_status(text: &str) -> Result<u32, String> {
    let status = command_status(text).filter(|status| *status != 0);
    status.ok_or_else(|| "write a status other than ROK by its name or number, such as RBINDFAIL or 0x0d".to_owned())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
