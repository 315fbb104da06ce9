//! The `[operations]` section of the configuration.

use serde::{Deserialize, Serialize};

/// Section `[operations]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Address and port for `/metrics`, `/health/live` and `/health/ready`; empty = none.
    pub listen: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9090".into() }
    }
}
