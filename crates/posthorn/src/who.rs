//! Who runs a command, for the audit.

use web::operations::local::Caller;

/// The user of this process; under sudo also the one behind it.
pub fn user() -> String {
    let name = Caller::of(rustix::process::getuid().as_raw()).name;
    match std::env::var("SUDO_USER").ok().filter(|behind| !behind.is_empty() && *behind != name) {
        Some(behind) => format!("{behind} (as {name})"),
        None => name,
    }
}
