//! What a server session asks of its owner.

use crate::CommandId;
use crate::pdu::{DataSm, DeliverSm};
use crate::session::{Answers, Handler, OutcomeBatch, PushError, RequestBatch, SendBatch};

/// The owner of a server session. Every call comes from the session's task and must not block.
pub trait ServerHandler: Send + 'static {
    /// Asks for deliveries while [`DeliverBatch::room`] is above zero. Leaving room means that there is nothing more
    /// to send; the session asks again after [`crate::session::SessionHandle::wake`].
    fn pull(&mut self, batch: &mut DeliverBatch<'_>);

    /// Tells how deliveries ended; each exactly once.
    fn outcomes(&mut self, outcomes: &OutcomeBatch);

    /// Tells of answers to deliveries that had timed out before.
    fn late_answers(&mut self, _outcomes: &OutcomeBatch) {}

    /// Hands over the requests of one read, in order: `submit_sm`, `data_sm`, and the rarer ones. Each is answered
    /// once, now by `answers` or later, from any thread, by [`crate::session::SessionHandle::respond`].
    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>);
}

/// Room for deliveries.
#[derive(Debug)]
pub struct DeliverBatch<'a>(SendBatch<'a>);

impl DeliverBatch<'_> {
    /// How many more deliveries can be pushed now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.0.room()
    }

    /// Writes a `deliver_sm` into the write buffer; `token` comes back with its outcome.
    ///
    /// # Errors
    /// [`PushError`]: the delivery was not taken and has no outcome.
    pub fn push(&mut self, token: u64, message: &DeliverSm<'_>) -> Result<(), PushError> {
        self.0.push_sm(CommandId::DELIVER_SM, token, message)
    }

    /// [`Self::push`] for `data_sm`.
    ///
    /// # Errors
    /// [`PushError`]: the message was not taken and has no outcome.
    pub fn push_data(&mut self, token: u64, message: &DataSm<'_>) -> Result<(), PushError> {
        self.0.push_data(token, message)
    }
}

pub(super) struct Adapter<H>(pub(super) H);

impl<H: ServerHandler> Handler for Adapter<H> {
    fn pull(&mut self, batch: SendBatch<'_>) {
        self.0.pull(&mut DeliverBatch(batch));
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.0.outcomes(outcomes);
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        self.0.late_answers(outcomes);
    }

    fn requests(&mut self, batch: RequestBatch, answers: &mut Answers<'_>) {
        self.0.requests(batch, answers);
    }
}
