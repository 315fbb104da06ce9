//! The world around Posthorn, to order: [`operator`] is a mobile operator's message centre,
//! [`webhook`] a receiver of webhooks. Both keep ledgers of what they saw, so that tests can compare
//! them with what a client was told.

pub mod operator;
pub mod webhook;
