//! What a bind offers to the operator, and how its session is set up.

use std::time::Duration;

use domain::control::{Carrier, InterfaceVersion};
use smpp::pdu::{Bind, BindMode};
use smpp::session::{ReleaseOn, SessionOptions, TlvUse};

/// The bind request of a carrier.
pub(super) fn offer(carrier: &Carrier, mode: BindMode) -> Bind<'_> {
    let interface_version = match carrier.interface_version {
        InterfaceVersion::V33 => 0x33,
        InterfaceVersion::V34 => 0x34,
        InterfaceVersion::V50 => 0x50,
    };
    Bind {
        mode,
        system_id: carrier.system_id.as_bytes(),
        password: carrier.password.reveal().as_bytes(),
        system_type: carrier.system_type.as_bytes(),
        interface_version,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    }
}

/// Octets that wait in a session for a slow operator: a code that comes after them can't pass them. About a hundred parts,
/// which is enough for every write to carry many.
const WRITE_OCTETS_MAX: usize = 16 * 1024;

/// Window and timers of a carrier.
pub(super) fn session_options(carrier: &Carrier) -> SessionOptions {
    let link = &carrier.link;
    let seconds = |seconds: u16| Duration::from_secs(seconds.into());
    SessionOptions {
        bind_timeout: seconds(link.bind_timeout_seconds),
        enquire_link_idle: seconds(link.enquire_link_seconds),
        enquire_link_timeout: seconds(link.enquire_link_timeout_seconds),
        response_timeout: seconds(link.response_timeout_seconds),
        half_frame_timeout: seconds(link.half_read_timeout_seconds),
        inactivity_timeout: seconds(link.inactivity_timeout_seconds),
        unbind_timeout: seconds(link.unbind_timeout_seconds),
        window_max: usize::from(carrier.window).max(1),
        release_on: ReleaseOn::Handler,
        write_octets_max: WRITE_OCTETS_MAX,
        tlv_use: match carrier.interface_version {
            InterfaceVersion::V33 => TlvUse::Never,
            InterfaceVersion::V34 | InterfaceVersion::V50 => TlvUse::ByPeerVersion,
        },
        ..SessionOptions::default()
    }
}
