//! `command_id`: which PDU a frame carries (SMPP 3.4 §5.1.2.1, SMPP 5.0 §4.7.5).

use std::fmt;

/// The bit that tells a response from its request.
const RESPONSE_BIT: u32 = 0x8000_0000;

/// A `command_id` as it stood on the wire, known or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandId(pub u32);

macro_rules! command_ids {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl CommandId {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The name used by the specification, or `None` for an id it does not define.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

command_ids! {
    /// Answer to a PDU that could not be understood at all.
    GENERIC_NACK = 0x8000_0000, "generic_nack";
    /// Bind for receiving only.
    BIND_RECEIVER = 0x0000_0001, "bind_receiver";
    /// Answer to [`Self::BIND_RECEIVER`].
    BIND_RECEIVER_RESP = 0x8000_0001, "bind_receiver_resp";
    /// Bind for sending only.
    BIND_TRANSMITTER = 0x0000_0002, "bind_transmitter";
    /// Answer to [`Self::BIND_TRANSMITTER`].
    BIND_TRANSMITTER_RESP = 0x8000_0002, "bind_transmitter_resp";
    /// Ask for the state of a message.
    QUERY_SM = 0x0000_0003, "query_sm";
    /// Answer to [`Self::QUERY_SM`].
    QUERY_SM_RESP = 0x8000_0003, "query_sm_resp";
    /// Hand a message to the SMSC.
    SUBMIT_SM = 0x0000_0004, "submit_sm";
    /// Answer to [`Self::SUBMIT_SM`].
    SUBMIT_SM_RESP = 0x8000_0004, "submit_sm_resp";
    /// A receipt or an incoming message from the SMSC.
    DELIVER_SM = 0x0000_0005, "deliver_sm";
    /// Answer to [`Self::DELIVER_SM`].
    DELIVER_SM_RESP = 0x8000_0005, "deliver_sm_resp";
    /// End the session.
    UNBIND = 0x0000_0006, "unbind";
    /// Answer to [`Self::UNBIND`].
    UNBIND_RESP = 0x8000_0006, "unbind_resp";
    /// Replace a message that waits at the SMSC.
    REPLACE_SM = 0x0000_0007, "replace_sm";
    /// Answer to [`Self::REPLACE_SM`].
    REPLACE_SM_RESP = 0x8000_0007, "replace_sm_resp";
    /// Cancel a message that waits at the SMSC.
    CANCEL_SM = 0x0000_0008, "cancel_sm";
    /// Answer to [`Self::CANCEL_SM`].
    CANCEL_SM_RESP = 0x8000_0008, "cancel_sm_resp";
    /// Bind for both directions.
    BIND_TRANSCEIVER = 0x0000_0009, "bind_transceiver";
    /// Answer to [`Self::BIND_TRANSCEIVER`].
    BIND_TRANSCEIVER_RESP = 0x8000_0009, "bind_transceiver_resp";
    /// The SMSC asks the ESME to bind; it has no answer.
    OUTBIND = 0x0000_000B, "outbind";
    /// Is the peer alive?
    ENQUIRE_LINK = 0x0000_0015, "enquire_link";
    /// Answer to [`Self::ENQUIRE_LINK`].
    ENQUIRE_LINK_RESP = 0x8000_0015, "enquire_link_resp";
    /// One message for many recipients.
    SUBMIT_MULTI = 0x0000_0021, "submit_multi";
    /// Answer to [`Self::SUBMIT_MULTI`].
    SUBMIT_MULTI_RESP = 0x8000_0021, "submit_multi_resp";
    /// A handset is reachable again; it has no answer.
    ALERT_NOTIFICATION = 0x0000_0102, "alert_notification";
    /// A message in either direction, all of it in TLVs.
    DATA_SM = 0x0000_0103, "data_sm";
    /// Answer to [`Self::DATA_SM`].
    DATA_SM_RESP = 0x8000_0103, "data_sm_resp";
    /// Cell broadcast (5.0).
    BROADCAST_SM = 0x0000_0111, "broadcast_sm";
    /// Answer to [`Self::BROADCAST_SM`].
    BROADCAST_SM_RESP = 0x8000_0111, "broadcast_sm_resp";
    /// Ask for the state of a broadcast (5.0).
    QUERY_BROADCAST_SM = 0x0000_0112, "query_broadcast_sm";
    /// Answer to [`Self::QUERY_BROADCAST_SM`].
    QUERY_BROADCAST_SM_RESP = 0x8000_0112, "query_broadcast_sm_resp";
    /// Cancel a broadcast (5.0).
    CANCEL_BROADCAST_SM = 0x0000_0113, "cancel_broadcast_sm";
    /// Answer to [`Self::CANCEL_BROADCAST_SM`].
    CANCEL_BROADCAST_SM_RESP = 0x8000_0113, "cancel_broadcast_sm_resp";
}

impl CommandId {
    /// Whether this is a response (`generic_nack` counts as one).
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & RESPONSE_BIT != 0
    }

    /// Whether the specification defines the id.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.name().is_some()
    }

    /// The id of the response to this request: `None` for responses, for requests that have no answer (`outbind`,
    /// `alert_notification`) and for unknown ids, which are answered by `generic_nack`.
    #[must_use]
    pub const fn response(self) -> Option<Self> {
        if self.is_response() || !self.is_known() {
            return None;
        }
        match self {
            Self::OUTBIND | Self::ALERT_NOTIFICATION => None,
            _ => Some(Self(self.0 | RESPONSE_BIT)),
        }
    }

    /// Whether this is one of the three bind requests.
    #[must_use]
    pub const fn is_bind(self) -> bool {
        matches!(self, Self::BIND_RECEIVER | Self::BIND_TRANSMITTER | Self::BIND_TRANSCEIVER)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => out.write_str(name),
            None => write!(out, "command 0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::CommandId;

    #[test]
    fn responses_are_found_only_where_the_specification_has_one() {
        assert_eq!(CommandId::SUBMIT_SM.response(), Some(CommandId::SUBMIT_SM_RESP));
        assert_eq!(CommandId::OUTBIND.response(), None);
        assert_eq!(CommandId::ALERT_NOTIFICATION.response(), None);
        assert_eq!(CommandId(0x0000_7777).response(), None);
        assert_eq!(CommandId::SUBMIT_SM_RESP.response(), None);
        assert_eq!(CommandId(0x0000_7777).to_string(), "command 0x00007777");
    }
}
