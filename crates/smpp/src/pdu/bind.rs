//! `bind_*`, their responses and `outbind` (SMPP 3.4 §4.1).

use bytes::BytesMut;

use super::Damage;
use crate::cursor::Cursor;
use crate::encode::{EncodeError, Frame, c_string_field};
use crate::tlv::{TlvBuffer, Tlvs, tag};
use crate::{CommandId, CommandStatus};

/// Which directions a session is bound for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindMode {
    /// The ESME sends messages.
    Transmitter,
    /// The ESME receives messages.
    Receiver,
    /// Both.
    Transceiver,
}

impl BindMode {
    /// The bind request of this mode.
    #[must_use]
    pub const fn command_id(self) -> CommandId {
        match self {
            Self::Transmitter => CommandId::BIND_TRANSMITTER,
            Self::Receiver => CommandId::BIND_RECEIVER,
            Self::Transceiver => CommandId::BIND_TRANSCEIVER,
        }
    }

    /// The mode a bind request or its response is about.
    #[must_use]
    pub const fn of(command_id: CommandId) -> Option<Self> {
        match command_id {
            CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSMITTER_RESP => Some(Self::Transmitter),
            CommandId::BIND_RECEIVER | CommandId::BIND_RECEIVER_RESP => Some(Self::Receiver),
            CommandId::BIND_TRANSCEIVER | CommandId::BIND_TRANSCEIVER_RESP => Some(Self::Transceiver),
            _ => None,
        }
    }

    /// Whether the ESME may send messages.
    #[must_use]
    pub const fn transmits(self) -> bool {
        matches!(self, Self::Transmitter | Self::Transceiver)
    }

    /// Whether the ESME may receive messages.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Receiver | Self::Transceiver)
    }
}

/// A bind request (§4.1.1, §4.1.3, §4.1.5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bind<'a> {
    /// Which of the three requests.
    pub mode: BindMode,
    /// Who binds, up to 15 octets.
    pub system_id: &'a [u8],
    /// Up to 8 octets.
    pub password: &'a [u8],
    /// Up to 12 octets, often empty.
    pub system_type: &'a [u8],
    /// 0x33, 0x34 or 0x50.
    pub interface_version: u8,
    /// Type of number of `address_range`.
    pub addr_ton: u8,
    /// Numbering plan of `address_range`.
    pub addr_npi: u8,
    /// Which addresses the ESME serves, up to 40 octets, usually empty.
    pub address_range: &'a [u8],
}

impl std::fmt::Debug for Bind<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of logs.
        out.debug_struct("Bind")
            .field("mode", &self.mode)
            .field("system_id", &String::from_utf8_lossy(self.system_id))
            .field("interface_version", &self.interface_version)
            .finish_non_exhaustive()
    }
}

impl<'a> Bind<'a> {
    pub(super) fn decode(mode: BindMode, cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self {
            mode,
            system_id: cursor.c_string("system_id", 16)?,
            password: cursor.c_string("password", 9)?,
            system_type: cursor.c_string("system_type", 13)?,
            interface_version: cursor.octet("interface_version")?,
            addr_ton: cursor.octet("addr_ton")?,
            addr_npi: cursor.octet("addr_npi")?,
            address_range: cursor.c_string("address_range", 41)?,
        })
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] if a field is too long or holds a NUL; `out` is then unchanged.
    pub fn encode(&self, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        c_string_field("system_id", self.system_id, 15)?;
        // The specification allows 8 octets; operators hand out longer passwords and expect to get them.
        c_string_field("password", self.password, 32)?;
        c_string_field("system_type", self.system_type, 12)?;
        c_string_field("address_range", self.address_range, 40)?;
        let mut frame = Frame::begin(out, self.mode.command_id(), CommandStatus::ROK, sequence_number);
        frame.c_string(self.system_id);
        frame.c_string(self.password);
        frame.c_string(self.system_type);
        frame.octets(&[self.interface_version, self.addr_ton, self.addr_npi]);
        frame.c_string(self.address_range);
        frame.finish();
        Ok(())
    }
}

/// The answer to a bind request (§4.1.2, §4.1.4, §4.1.6); errors usually come without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BindResp<'a> {
    /// Which request it answers.
    pub mode: BindMode,
    /// Who the SMSC says it is; empty without a body.
    pub system_id: &'a [u8],
    /// The rest; holds `sc_interface_version`, without which the SMSC is taken to speak 3.3.
    pub tlvs: Tlvs<'a>,
}

impl<'a> BindResp<'a> {
    pub(super) fn decode(mode: BindMode, cursor: &mut Cursor<'a>) -> Self {
        let system_id = cursor.optional_c_string(16).unwrap_or_default();
        Self { mode, system_id, tlvs: cursor.tlvs() }
    }

    /// Appends an accepting response that names `interface_version`, or a bare refusal.
    ///
    /// # Errors
    /// [`EncodeError`] if `system_id` is too long or holds a NUL; `out` is then unchanged.
    pub fn encode_answer(
        mode: BindMode,
        status: CommandStatus,
        system_id: &[u8],
        interface_version: Option<u8>,
        sequence_number: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        c_string_field("system_id", system_id, 15)?;
        let command_id = CommandId(mode.command_id().0 | 0x8000_0000);
        let mut frame = Frame::begin(out, command_id, status, sequence_number);
        if status.is_ok() {
            frame.c_string(system_id);
            if let Some(version) = interface_version {
                let mut tlvs = TlvBuffer::new();
                frame.octets(tlvs.push(tag::SC_INTERFACE_VERSION, &[version]).as_tlvs().raw());
            }
        }
        frame.finish();
        Ok(())
    }
}

/// The SMSC asks for a bind (§4.1.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outbind<'a> {
    /// Who asks.
    pub system_id: &'a [u8],
    /// The SMSC's password.
    pub password: &'a [u8],
}

impl std::fmt::Debug for Outbind<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Outbind").field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

impl<'a> Outbind<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self { system_id: cursor.c_string("system_id", 16)?, password: cursor.c_string("password", 9)? })
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] if a field is too long or holds a NUL; `out` is then unchanged.
    pub fn encode(&self, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        c_string_field("system_id", self.system_id, 15)?;
        c_string_field("password", self.password, 32)?;
        let mut frame = Frame::begin(out, CommandId::OUTBIND, CommandStatus::ROK, sequence_number);
        frame.c_string(self.system_id);
        frame.c_string(self.password);
        frame.finish();
        Ok(())
    }
}
