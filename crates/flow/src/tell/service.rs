//! The tasks of this stage: a pump per active endpoint, a recorder and a reader per lane.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::lane::Lane;
use domain::limits::DRAIN_MS;
use domain::random::Random;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use super::connect::Connector;
use super::endpoint::Endpoint;
use super::error::Error;
use super::guard::Guard;
use super::handle::Handle;
use super::hub::Hub;
use super::options::Options;
use super::outbox::Outbox;
use super::pump::{Ended, Pump};
use super::reader::Reader;
use super::recorder::{Records, recorders};
use super::resolve::{Resolve, SystemResolver};
use super::schedule::Schedule;
use super::tls;
use super::transport::{HttpTransport, Transport};

/// How long the last ends of calls may take to become durable when the program stops.
const LAST_RECORDS: Duration = Duration::from_secs(3);

/// Tells what happened to those who must know.
pub struct Service {
    hub: Arc<Hub>,
}

impl Service {
    /// The stage and the way into it. Nothing is called before [`Service::run`].
    ///
    /// # Errors
    /// [`Error`] when the options are out of range or TLS can't be set up with them.
    pub fn new(outbox: impl Outbox, clock: Clock, random: Random, options: Options) -> Result<(Self, Handle), Error> {
        Self::with_resolver(outbox, clock, random, options, Arc::new(SystemResolver::default()))
    }

    pub(super) fn with_resolver(
        outbox: impl Outbox,
        clock: Clock,
        random: Random,
        options: Options,
        resolver: Arc<dyn Resolve>,
    ) -> Result<(Self, Handle), Error> {
        options.validate()?;
        let transport = transport(&options, &clock, resolver)?;
        Ok(Self::with_transport(outbox, clock, random, options, Arc::new(transport)))
    }

    pub(super) fn with_transport(
        outbox: impl Outbox,
        clock: Clock,
        random: Random,
        options: Options,
        transport: Arc<dyn Transport>,
    ) -> (Self, Handle) {
        let schedule = Schedule::new(&options.retry_seconds, random);
        let hub = Arc::new(Hub::new(Arc::new(outbox), transport, clock, schedule, options));
        (Self { hub: Arc::clone(&hub) }, Handle(hub))
    }

    /// Runs until `drain` turns true, then waits for the calls in progress. What is not told by then is told
    /// after the next start.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        match self.hub.outbox.troubles().await {
            Ok(known) => self.hub.remember(known),
            Err(error) => tracing::warn!(target: "tell", %error, "which endpoints were in trouble can't be read"),
        }
        // It ends after the last call, not with the wish to stop: attempts come until then.
        let (no_more_calls, lab_ends) = watch::channel(false);
        let lab = tokio::spawn(Arc::clone(&self.hub.lab).run(Arc::clone(&self.hub.outbox), lab_ends));
        let (records, of_lanes) = recorders(&self.hub);
        let mut recorders = JoinSet::new();
        for recorder in of_lanes {
            recorders.spawn(recorder.run(drain.clone()));
        }
        let mut readers = JoinSet::new();
        for lane in Lane::ALL {
            readers.spawn(Reader::new(lane, Arc::clone(&self.hub)).run(drain.clone()));
        }
        let mut pumps = Pumps {
            hub: Arc::clone(&self.hub),
            tasks: JoinSet::new(),
            endpoints: HashMap::default(),
            records,
            drain: drain.clone(),
        };
        loop {
            tokio::select! {
                _ = drain.wait_for(|&draining| draining) => break,
                () = self.hub.start.notified() => pumps.start_wanted(),
                Some(ended) = pumps.tasks.join_next_with_id() => pumps.ended(ended),
            }
        }
        pumps.drain().await;
        let recorded = async { while recorders.join_next().await.is_some() {} };
        if timeout(LAST_RECORDS, recorded).await.is_err() {
            tracing::warn!(target: "tell", "the ends of some calls could not be recorded: they will be made again");
        }
        no_more_calls.send_replace(true);
        let _ = timeout(LAST_RECORDS, lab).await;
    }
}

/// The connections that the options describe.
///
/// # Errors
/// [`Error`] when TLS can't be set up.
pub(super) fn transport(options: &Options, clock: &Clock, resolver: Arc<dyn Resolve>) -> Result<HttpTransport, Error> {
    let connector = Connector {
        guard: Arc::new(Guard::new(options)),
        resolver,
        tls: tls::connector(&options.extra_ca_file)?,
        connect_limit: Duration::from_millis(options.connect_ms),
    };
    let deadline = Duration::from_millis(options.deadline_ms);
    Ok(HttpTransport { connector, clock: clock.clone(), deadline })
}

/// The running pumps.
struct Pumps {
    hub: Arc<Hub>,
    tasks: JoinSet<Ended>,
    endpoints: HashMap<Id, Arc<Endpoint>, RandomState>,
    records: Records,
    drain: watch::Receiver<bool>,
}

impl Pumps {
    fn start_wanted(&mut self) {
        let wanted = std::mem::take(&mut *self.hub.to_start.lock());
        wanted.into_iter().for_each(|endpoint| self.start(endpoint));
    }

    fn start(&mut self, endpoint: Arc<Endpoint>) {
        let pump = Pump {
            hub: Arc::clone(&self.hub),
            endpoint: Arc::clone(&endpoint),
            records: self.records.clone(),
            drain: self.drain.clone(),
        };
        let task = self.tasks.spawn(pump.run());
        self.endpoints.insert(task.id(), endpoint);
    }

    /// A pump that broke is started again: what it carried is still with the endpoint.
    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, broken) = match ended {
            Ok((id, ended)) => (id, ended == Ended::Broken),
            Err(error) => (error.id(), true),
        };
        let Some(endpoint) = self.endpoints.remove(&id) else { return };
        if broken {
            tracing::error!(target: "tell", account = endpoint.key.account.0, "a webhook pump broke and is started again");
            endpoint.state().revive();
            self.start(endpoint);
        }
    }

    /// Waits for the calls in progress, then lets go of the recorders.
    async fn drain(mut self) {
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(Duration::from_millis(DRAIN_MS) + LAST_RECORDS, all_ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}
