//! What is told of every request, so that a test knows what the server promised before it crashed.

use crate::request::external_id;

/// Told of every request that was written, in the order of their ends, on the thread of the run.
pub type Ledger = Box<dyn FnMut(&Answered<'_>) + Send>;

/// How one request ended.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The number of the request, from 0.
    pub number: u64,
    /// Whether it asked for the Priority lane.
    pub priority: bool,
    /// The HTTP status; `None` if the connection ended or the time was over before the answer was whole.
    pub status: Option<u16>,
    /// The body of the answer; empty without one.
    pub body: &'a [u8],
    /// From the planned time to the answer, in microseconds.
    pub latency_us: u64,
    pub(crate) prefix: Option<&'a str>,
    pub(crate) recipients: u32,
    pub(crate) first_phone_number: u64,
    pub(crate) phone_numbers: u64,
}

impl Answered<'_> {
    /// The `externalId` the request carried, if it carried one.
    #[must_use]
    pub fn external_id(&self) -> Option<String> {
        self.prefix.map(|prefix| external_id(prefix, self.number))
    }

    /// Its recipients in their order.
    pub fn phone_numbers(&self) -> impl Iterator<Item = u64> {
        let from = self.number.wrapping_mul(u64::from(self.recipients));
        let (first, count) = (self.first_phone_number, self.phone_numbers);
        (0..u64::from(self.recipients)).map(move |recipient| first + from.wrapping_add(recipient) % count)
    }
}
