//! Long messages, hostile headers, reserved words and bots.

mod hostile;
mod reassembly;
