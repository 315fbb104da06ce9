//! The stories: one file each, all against the real binary.

mod apply_live;
mod bad_input;
mod canary_leak;
mod demo_once;
mod descriptors;
mod disk_full;
mod double_start;
mod failover_pair;
mod fsync_eio;
mod graceful_drain;
mod idempotent_race;
mod kill9_20;
mod mutants;
mod overload;
mod pause_smsc;
mod priority_listener;
mod receipts;
mod restart_webhooks;
mod send_and_read;
mod short_links;
mod two_way;
mod two_way_kill9;
mod wh_crash;
