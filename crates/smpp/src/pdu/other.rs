//! `query_sm`, `cancel_sm`, `replace_sm` and `alert_notification` (SMPP 3.4 §4.8 – §4.12).

use super::{Address, Damage};
use crate::cursor::Cursor;
use crate::tlv::Tlvs;

/// Ask for the state of a message (§4.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySm<'a> {
    /// The operator's id.
    pub message_id: &'a [u8],
    /// The sender the message was submitted with.
    pub source: Address<'a>,
}

impl<'a> QuerySm<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self { message_id: cursor.c_string("message_id", 65)?, source: Address::decode(cursor, "source_addr", 21)? })
    }
}

/// The state of a message (§4.8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySmResp<'a> {
    /// The operator's id.
    pub message_id: &'a [u8],
    /// When it became final; empty before that.
    pub final_date: &'a [u8],
    /// §5.2.28.
    pub message_state: u8,
    /// The network's error code, 0 for none.
    pub error_code: u8,
}

impl<'a> QuerySmResp<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self {
            message_id: cursor.c_string("message_id", 65)?,
            final_date: cursor.c_string("final_date", 17)?,
            message_state: cursor.octet("message_state")?,
            error_code: cursor.octet("error_code")?,
        })
    }
}

/// Cancel one message, or all between two addresses (§4.9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelSm<'a> {
    /// Up to 5 octets, usually empty.
    pub service_type: &'a [u8],
    /// The operator's id, or empty to cancel by addresses.
    pub message_id: &'a [u8],
    /// The sender.
    pub source: Address<'a>,
    /// The recipient.
    pub destination: Address<'a>,
}

impl<'a> CancelSm<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self {
            service_type: cursor.c_string("service_type", 6)?,
            message_id: cursor.c_string("message_id", 65)?,
            source: Address::decode(cursor, "source_addr", 21)?,
            destination: Address::decode(cursor, "destination_addr", 21)?,
        })
    }
}

/// Replace a message that waits at the SMSC (§4.10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaceSm<'a> {
    /// The operator's id.
    pub message_id: &'a [u8],
    /// The sender the message was submitted with.
    pub source: Address<'a>,
    /// Empty, or 16 octets.
    pub schedule_delivery_time: &'a [u8],
    /// Empty, or 16 octets.
    pub validity_period: &'a [u8],
    /// Which receipts are wanted.
    pub registered_delivery: u8,
    /// §5.2.20.
    pub sm_default_msg_id: u8,
    /// The new message.
    pub short_message: &'a [u8],
}

impl<'a> ReplaceSm<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        let message_id = cursor.c_string("message_id", 65)?;
        let source = Address::decode(cursor, "source_addr", 21)?;
        let schedule_delivery_time = cursor.c_string("schedule_delivery_time", 17)?;
        let validity_period = cursor.c_string("validity_period", 17)?;
        let registered_delivery = cursor.octet("registered_delivery")?;
        let sm_default_msg_id = cursor.octet("sm_default_msg_id")?;
        let sm_length = cursor.octet("sm_length")?;
        Ok(Self {
            message_id,
            source,
            schedule_delivery_time,
            validity_period,
            registered_delivery,
            sm_default_msg_id,
            short_message: cursor.octets(sm_length.into()),
        })
    }
}

/// A handset is reachable again (§4.12.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertNotification<'a> {
    /// The handset.
    pub source: Address<'a>,
    /// Who wanted to know.
    pub esme: Address<'a>,
    /// Holds `ms_availability_status`.
    pub tlvs: Tlvs<'a>,
}

impl<'a> AlertNotification<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self {
            source: Address::decode(cursor, "source_addr", 65)?,
            esme: Address::decode(cursor, "esme_addr", 65)?,
            tlvs: cursor.tlvs(),
        })
    }
}
