//! Receivers in memory, for tests in virtual time.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::tell::BoxFuture;
use crate::tell::transport::{Answer, Post, Transport};

/// A try that reached a receiver.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) at: Instant,
    pub(super) host: String,
    pub(super) id: String,
    pub(super) attempt: u16,
    pub(super) body: Bytes,
}

impl Hit {
    pub(super) fn events(&self) -> Vec<String> {
        let array: Vec<HashMap<String, serde_json::Value>> = serde_json::from_slice(&self.body).unwrap();
        array.iter().map(|event| event["eventId"].as_str().unwrap().to_owned()).collect()
    }
}

type Behaviour = dyn Fn(Hit) -> BoxFuture<'static, Answer> + Send + Sync;

/// All receivers; they behave as the function says.
#[derive(Clone)]
pub(super) struct Receivers {
    pub(super) hits: Arc<Mutex<Vec<Hit>>>,
    behave: Arc<Behaviour>,
}

impl Receivers {
    pub(super) fn new(behave: impl Fn(Hit) -> BoxFuture<'static, Answer> + Send + Sync + 'static) -> Self {
        Self { hits: Arc::default(), behave: Arc::new(behave) }
    }

    /// Receivers that answer at once.
    pub(super) fn answering(answer: impl Fn(&Hit) -> u16 + Send + Sync + 'static) -> Self {
        Self::new(move |hit| {
            let status = answer(&hit);
            Box::pin(async move { status_only(status) })
        })
    }

    pub(super) fn hits(&self) -> Vec<Hit> {
        self.hits.lock().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.hits.lock().len()
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}

pub(super) fn status_only(status: u16) -> Answer {
    let failure = if (200..300).contains(&status) { "".into() } else { format!("HTTP {status}").into() };
    Answer { status, failure, ..Answer::default() }
}

impl Transport for Receivers {
    fn open(&self) -> Arc<dyn Post> {
        Arc::new(self.clone())
    }
}

impl Post for Receivers {
    fn post(&self, uri: Uri, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Answer> {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let hit = Hit {
            at: Instant::now(),
            host: uri.host().unwrap().to_owned(),
            id: text("request-id"),
            attempt: text("webhook-attempt").parse().unwrap(),
            body,
        };
        self.hits.lock().push(hit.clone());
        (self.behave)(hit)
    }
}
