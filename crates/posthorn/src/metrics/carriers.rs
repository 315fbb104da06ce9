//! How operators take what they are given: states, paces and refusals.

use std::fmt::Error;

use domain::lane::Lane;
use flow::send::{BindState, Handle, PaceReason};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;

use super::collect::{COUNTER, GAUGE, Labels, count, family, float};

/// Writes what is known of the carriers in operation.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, send: &Handle) -> Result<(), Error> {
    let mut throttled = Vec::new();
    let (mut refused, mut shares) = (Vec::new(), Vec::new());
    let (mut broken, mut broke) = (Vec::new(), Vec::new());
    let (mut states, mut paces, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for carrier in send.carriers() {
        let name: Labels = vec![("carrier", carrier.carrier.name.clone())];
        let (is_open, opened) = carrier.breaker();
        throttled.push((name.clone(), count(&carrier.throttled)));
        broken.push((name.clone(), flag(is_open)));
        broke.push((name.clone(), float(opened)));
        for (command_status, times) in carrier.refusals() {
            refused.push((with(&name, "command_status", format!("0x{command_status:08x}")), float(times)));
        }
        for lane in Lane::ALL {
            shares.push((with(&name, "lane", lane.name().to_owned()), f64::from(carrier.share(lane)) / 100.0));
        }
        for bind in carrier.binds() {
            let labels = with(&name, "bind", bind.index.to_string());
            for state in BindState::NAMES {
                states.push((with(&labels, "state", state.to_owned()), flag(bind.state.name() == state)));
            }
            if let Some(per_second) = bind.pace_per_second {
                paces.push((labels.clone(), per_second));
            }
            for (reason, word) in PaceReason::NAMES {
                reasons.push((with(&labels, "reason", word.to_owned()), flag(bind.pace_reason == reason)));
            }
        }
    }
    let help = "Durable and due until written to the operator, by carrier and lane";
    let mut waits = encoder.encode_descriptor("send_queue_duration_seconds", help, None, MetricType::Histogram)?;
    for carrier in send.carriers() {
        for lane in Lane::ALL {
            let labels = vec![("carrier", carrier.carrier.name.clone()), ("lane", lane.name().to_owned())];
            carrier.wait[lane.index()].encode(waits.encode_family(&labels)?)?;
        }
    }
    let share_help = "Share of the traffic that a carrier is given where there is another way";
    family(encoder, ("route_share", share_help, GAUGE), shares)?;
    family(encoder, ("send_bind_state", "1 for the state a bind is in", GAUGE), states)?;
    family(encoder, ("send_pace_parts_per_second", "Pace a bind was slowed down to", GAUGE), paces)?;
    family(encoder, ("send_pace_reason", "1 for the reason of a bind's pace", GAUGE), reasons)?;
    family(encoder, ("send_throttled", "Answers that asked for a slower pace", COUNTER), throttled)?;
    family(encoder, ("send_refused", "Parts refused, by command_status", COUNTER), refused)?;
    family(encoder, ("send_breaker_open", "1 while only probes are sent", GAUGE), broken)?;
    family(encoder, ("send_breaker_opened", "Times that began", COUNTER), broke)
}

fn with(labels: &Labels, name: &'static str, value: String) -> Labels {
    labels.iter().cloned().chain([(name, value)]).collect()
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}
