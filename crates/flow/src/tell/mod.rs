//! Tell: webhooks to those who must know.
