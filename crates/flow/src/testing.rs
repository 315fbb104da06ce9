//! Control data for the tests of this crate.

use domain::control::{Carrier, Secret};
use domain::id::CarrierId;

/// A direct carrier with one bind, a window of 10 and default settings else.
pub(crate) fn carrier(id: u32) -> Carrier {
    Carrier {
        id: CarrierId(id),
        name: format!("operator-{id}"),
        host: "127.0.0.1".into(),
        password: Secret::new("secret"),
        binds: 1,
        priority_binds: 0,
        window: 10,
        ..Carrier::default()
    }
}
