//! Records facts in the order in which they are handed in.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::fact::Fact;
use domain::lane::Lane;
use store::{RecordError, Store};
use tracing::{error, warn};

/// How long to wait before facts that did not fit on the disk are tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Hands facts to the store at once, so that calls from one task keep their order, and calls `then`
/// when they are durable (or when they can't be any more).
pub(super) fn record_in_order(store: &Store, lane: Lane, facts: Vec<Fact>, then: impl FnOnce(bool) + Send + 'static) {
    let store = store.clone();
    let mut recording: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        let durable = record_stubbornly(&store, lane, facts).await;
        then(durable);
    });
    // The first poll puts the facts into the lane's queue, from where they are taken in this order.
    if recording.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        tokio::spawn(recording);
    }
}

/// What an operator has taken must not be forgotten: while the disk is full, the facts are kept and
/// tried again. Those who hand them in are bounded by their windows.
async fn record_stubbornly(store: &Store, lane: Lane, facts: Vec<Fact>) -> bool {
    let mut again = false;
    loop {
        match store.record(lane, facts.clone()).await {
            Ok(()) => return true,
            Err(RecordError::Closed) => return false,
            Err(RecordError::StorageFull | RecordError::Overloaded) => {
                if !again {
                    warn!(target: "settle", lane = lane.name(), "no room for facts; trying again until there is");
                }
                again = true;
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => {
                error!(target: "settle", %error, lane = lane.name(), "facts can't be recorded");
                return false;
            }
        }
    }
}
