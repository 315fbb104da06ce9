//! Control data for the tests of this crate.

use domain::control::Carrier;
use domain::id::CarrierId;

/// A direct carrier with default settings.
pub(crate) fn carrier(id: u32) -> Carrier {
    Carrier {
        id: CarrierId(id),
        name: format!("operator-{id}"),
        host: "127.0.0.1".into(),
        port: 2775,
        tls: false,
        system_id: "posthorn".into(),
        password: domain::control::Secret::new("secret"),
        system_type: String::new(),
        interface_version: domain::control::InterfaceVersion::V34,
        bind: domain::control::BindMode::Transceiver,
        binds: 1,
        priority_binds: 0,
        window: 10,
        rate_per_second: 0,
        direct: true,
        message_id_format: domain::operator_id::MessageIdFormat::Auto,
        default_alphabet: domain::control::DefaultAlphabet::Gsm7,
        long_messages: domain::control::LongMessages::Udh8,
    }
}
