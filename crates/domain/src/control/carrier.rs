//! Operator connections.

use serde::{Deserialize, Serialize};

use super::addressing::TonNpi;
use super::link::Link;
use super::secret::Secret;
use super::status_rule::StatusRule;
use crate::choice::choice;
use crate::encoding::NationalTables;
use crate::id::CarrierId;
use crate::money::Money;
use crate::operator_id::MessageIdFormat;
use crate::receipt::{LongReceipts, ReceiptWords, ReceiptZone};
use crate::sender::SenderKind;

/// Which SMPP version a carrier speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InterfaceVersion {
    /// SMPP 3.3: no TLVs.
    V33,
    /// SMPP 3.4.
    #[default]
    V34,
    /// SMPP 5.0.
    V50,
}

/// How a carrier's sessions are bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindMode {
    /// One session for both ways.
    #[default]
    Transceiver,
    /// One session to send and one to receive.
    TransmitterReceiver,
}

/// What `data_coding` 0 means at a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet per octet.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// GSM 7-bit, packed.
    Gsm7Packed,
}

/// How a carrier wants long messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongMessages {
    /// User data header with an 8-bit reference.
    #[default]
    Udh8,
    /// User data header with a 16-bit reference.
    Udh16,
    /// The `sar_*` parameters.
    Sar,
    /// Whole in `message_payload`.
    Payload,
}

choice!(InterfaceVersion { V33 = "3.3", V34 = "3.4", V50 = "5.0" });
choice!(BindMode { Transceiver = "transceiver", TransmitterReceiver = "transmitter+receiver" });
choice!(DefaultAlphabet { Gsm7 = "gsm7", Latin1 = "latin1", Ascii = "ascii", Gsm7Packed = "gsm7-packed" });
choice!(LongMessages { Udh8 = "udh8", Udh16 = "udh16", Sar = "sar", Payload = "payload" });

/// An operator connection. What serialises is what the setup file says under the same names, except for
/// the name and the passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Carrier {
    /// Row in the control data.
    #[serde(skip)]
    pub id: CarrierId,
    /// Unique name.
    #[serde(skip)]
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether the connection uses TLS.
    pub tls: bool,
    /// Login name.
    pub system_id: String,
    /// Login password.
    #[serde(skip)]
    pub password: Secret,
    /// What the operator gives in its `outbind` to prove who it is; empty = anything will do.
    #[serde(skip)]
    pub outbind_password: Secret,
    /// Login system type.
    pub system_type: String,
    /// SMPP version to offer.
    pub interface_version: InterfaceVersion,
    /// How sessions are bound.
    pub bind: BindMode,
    /// Parallel sessions.
    pub binds: u16,
    /// Of these, reserved for the Priority lane.
    pub priority_binds: u16,
    /// Unanswered submits per bind.
    pub window: u16,
    /// Parts per second over all binds, 0 = no limit.
    pub rate_per_second: u32,
    /// Whether it is a direct operator connection.
    pub direct: bool,
    /// How ids are written.
    pub message_id_format: MessageIdFormat,
    /// What `data_coding` 0 means.
    pub default_alphabet: DefaultAlphabet,
    /// How long messages travel.
    pub long_messages: LongMessages,
    /// National language tables that reach the handset.
    pub national_tables: NationalTables,
    /// For which parts of a long message there are receipts.
    pub long_receipts: LongReceipts,
    /// Whether intermediate receipts are asked for.
    pub intermediate_receipts: bool,
    /// Whether a message that is not marked as a receipt is one if it reads like one.
    pub sniff_receipts: bool,
    /// The carrier's clock.
    pub receipt_time_zone: ReceiptZone,
    /// Words of its own in receipts.
    pub receipt_words: ReceiptWords,
    /// How its sessions are run.
    #[serde(flatten)]
    pub link: Link,
    /// What follows from answers that it means differently than most.
    pub status: Vec<StatusRule>,
    /// Carriers with the same name here are one account at one operator: a receipt for what one of them
    /// submitted may come over another. Empty = this one alone.
    pub operator_account: String,
    /// What a part costs us, for routes that take the cheapest.
    pub cost: Money,
    /// Kinds of senders it carries as they are.
    pub sender_kinds: Vec<SenderKind>,
    /// Sender that is shown instead of one it does not carry; empty = such messages do not leave this way.
    pub replacement_sender: String,
    /// Type of number and numbering plan of alphanumeric senders.
    pub alphanumeric_ton_npi: TonNpi,
    /// Type of number and numbering plan of short codes.
    pub short_ton_npi: TonNpi,
    /// Type of number and numbering plan of long numbers.
    pub long_ton_npi: TonNpi,
}

impl Default for Carrier {
    /// What the setup file means where it leaves a key out.
    fn default() -> Self {
        Self {
            id: CarrierId(0),
            name: String::new(),
            host: String::new(),
            port: 2775,
            tls: false,
            system_id: "posthorn".into(),
            password: Secret::default(),
            outbind_password: Secret::default(),
            system_type: String::new(),
            interface_version: InterfaceVersion::default(),
            bind: BindMode::default(),
            binds: 2,
            priority_binds: 1,
            window: 100,
            rate_per_second: 0,
            direct: true,
            message_id_format: MessageIdFormat::default(),
            default_alphabet: DefaultAlphabet::default(),
            long_messages: LongMessages::default(),
            national_tables: NationalTables::default(),
            long_receipts: LongReceipts::default(),
            intermediate_receipts: false,
            sniff_receipts: false,
            receipt_time_zone: ReceiptZone::default(),
            receipt_words: ReceiptWords::default(),
            link: Link::default(),
            status: Vec::new(),
            operator_account: String::new(),
            cost: Money(0),
            sender_kinds: SenderKind::ALL.to_vec(),
            replacement_sender: String::new(),
            alphanumeric_ton_npi: TonNpi { ton: 5, npi: 0 },
            short_ton_npi: TonNpi { ton: 3, npi: 0 },
            long_ton_npi: TonNpi { ton: 1, npi: 1 },
        }
    }
}
