//! The eyes of all lookers on one session.

use std::sync::Arc;

use bytes::BytesMut;
use domain::clock::Clock;
use domain::control::Carrier;
use domain::limits::TRACED_FRAME_OCTETS_MAX;
use smpp::encode::header_only;
use smpp::pdu::Bind;
use smpp::session::{Direction, FrameWatcher};
use smpp::{CommandId, CommandStatus};

use super::hub::{Hub, TracedFrame, Traces};

/// What a session shows to the lookers.
pub(in crate::send) struct Eyes {
    hub: Arc<Hub>,
    clock: Clock,
    carrier: Arc<Carrier>,
    bind: u16,
    /// Tells this session from all others.
    session: u64,
}

impl Eyes {
    pub(in crate::send) fn new(
        traces: &Traces,
        clock: &Clock,
        carrier: &Arc<Carrier>,
        (bind, session): (u16, u64),
    ) -> Self {
        Self { hub: Arc::clone(&traces.0), clock: clock.clone(), carrier: Arc::clone(carrier), bind, session }
    }

    /// Shows how a bind went. It is exchanged before the session runs, so that it is written again here.
    pub(in crate::send) fn show_bind(&self, bind: &Bind<'_>, answer: Option<CommandStatus>) {
        if !self.hub.looks() {
            return;
        }
        const SEQUENCE_NUMBER: u32 = 1;
        let mut frame = BytesMut::new();
        if bind.encode(SEQUENCE_NUMBER, &mut frame).is_err() {
            return;
        }
        self.frame(Direction::Out, &frame);
        let request = smpp::Header::read(&frame).map(|header| header.command_id);
        if let Some((status, response)) = answer.zip(request.and_then(CommandId::response)) {
            frame.clear();
            header_only(response, status, SEQUENCE_NUMBER, &mut frame);
            self.frame(Direction::In, &frame);
        }
    }
}

impl FrameWatcher for Eyes {
    fn looks(&self) -> bool {
        self.hub.looks()
    }

    fn frame(&self, direction: Direction, frame: &[u8]) {
        let octets = frame[..frame.len().min(TRACED_FRAME_OCTETS_MAX)].into();
        let carrier = Arc::clone(&self.carrier);
        self.hub.show(self.session, &TracedFrame { at: self.clock.now(), carrier, bind: self.bind, direction, octets });
    }
}
