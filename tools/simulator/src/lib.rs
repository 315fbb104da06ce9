//! The world around Posthorn, to order: [`operator`] is a mobile operator's message centre, [`handset`] a phone of that
//! operator, [`webhook`] a receiver of webhooks. Operator and receiver keep ledgers of what they saw, so that tests can
//! compare them with what a client was told.

pub mod handset;
pub mod operator;
pub mod webhook;
