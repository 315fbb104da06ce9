//! Puts the stages together over a store.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::lane::Lane;
use domain::network::NumberRanges;
use domain::random::Random;
use domain::request::Request;
use store::{Committed, Store, Watcher};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::accept::{Accept, Meters, Shortener};
use crate::enqueue::{self, Enqueue};
use crate::explain::Explain;
use crate::follow::Follow;
use crate::health::{self, Health};
use crate::latency::Latency;
use crate::portability::{self, Networks, Portability};
use crate::route::{Mover, Router, Transfer};
use crate::send;
use crate::settle::{self, Settle};
use crate::tell;
use crate::two_way::{self, TwoWay};

/// What the flow needs from outside.
pub struct Options {
    /// Webhooks.
    pub tell: tell::Options,
    /// What people write.
    pub two_way: two_way::Options,
    /// What stands before the codes of short links, such as `https://s.example.com/`; `None` = no short links.
    pub links_base: Option<String>,
    /// Certificates that operators' TLS certificates may lead to.
    pub operator_tls_roots: rustls::RootCertStore,
    /// Where jitter comes from.
    pub random: Random,
    /// Which networks number ranges were given to.
    pub number_ranges: NumberRanges,
    /// What is known of ported numbers.
    pub portability: Portability,
}

impl Options {
    /// What a flow does without being told otherwise: no short links, operators' certificates lead to one that
    /// Mozilla trusts, networks are those of the built-in number ranges, and no number is known to be ported.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            tell: tell::Options::default(),
            two_way: two_way::Options::default(),
            links_base: None,
            operator_tls_roots: rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            random,
            number_ranges: NumberRanges::built_in(),
            portability: Portability::default(),
        }
    }
}

/// A running flow.
pub struct Flow {
    /// Takes orders.
    pub accept: Accept,
    /// Follows short links.
    pub follow: Follow,
    /// The lines, for a look at them.
    pub enqueue: Enqueue,
    /// Plans and explains ways, and knows how carriers do.
    pub router: Router,
    /// Moves what waits by order.
    pub transfer: Transfer,
    /// Explains messages.
    pub explain: Explain,
    /// The carriers, for a look at them.
    pub send: send::Handle,
    /// What came back, for a look at it.
    pub settle: Settle,
    /// What people write, for a look at it.
    pub two_way: TwoWay,
    /// Webhooks, for a look at them.
    pub tell: tell::Handle,
    /// How long the stages take.
    pub latency: Latency,
    /// The way to look at PDUs.
    pub traces: send::trace::Traces,
    /// The tasks of the stages in the order in which they are stopped.
    stages: Vec<Stage>,
}

struct Stage {
    name: &'static str,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// How long a stage may take to stop after it was told to.
const STAGE_STOP: Duration = Duration::from_secs(15);

impl Flow {
    /// Starts all stages; messages that waited before the start wait again.
    ///
    /// # Errors
    /// A sentence saying what can't be started and why.
    pub async fn start(store: Store, clock: Clock, options: Options) -> Result<Self, String> {
        let spent = store.spent().await.map_err(|error| format!("what accounts have spent can't be read: {error}"))?;
        let meters = Arc::new(Meters::new(spent));
        let (enqueue, latency, health) = (Enqueue::default(), Latency::default(), Health::default());
        let networks = Networks::new(options.number_ranges, options.portability.clone());
        let router = Router::new(health.clone(), networks, clock.clone());
        let (tell_service, tell) =
            tell::Service::new(store.clone(), clock.clone(), options.random.clone(), options.tell)
                .map_err(|error| format!("webhooks can't be started: {error}"))?;
        let codes = store.link_codes().clone();
        let shortener = options.links_base.map(|base| Shortener { base, codes });
        let follow = Follow::new(store.clone(), clock.clone(), latency.clone());
        let accept = Accept::new(
            store.clone(),
            enqueue.clone(),
            clock.clone(),
            (Arc::clone(&meters), url_guard(&tell), shortener),
            latency.clone(),
            router.clone(),
        );
        let (two_way_service, two_way) =
            two_way::Service::start(store.clone(), accept.clone(), clock.clone(), options.two_way).await?;
        hear_answers(&tell, &two_way);
        let settle = Settle::new(
            store.clone(),
            enqueue.clone(),
            two_way.clone(),
            clock.clone(),
            (latency.clone(), health.clone()),
        );
        store.watch(Arc::new(Reaction { enqueue: enqueue.clone(), meters, tell: tell.clone() }));
        let traces = send::trace::Traces::default();
        let send_options = send::Options {
            tls_roots: options.operator_tls_roots,
            random: options.random,
            latency: latency.clone(),
            traces: traces.clone(),
            health: health.clone(),
        };
        let (send_service, send) =
            send::Service::new(store.clone(), enqueue.clone(), settle.clone(), clock.clone(), send_options);

        let filling = filling(&enqueue, &store, &settle);
        let mover = |lane| Mover::new(lane, router.clone(), enqueue.clone(), store.clone(), settle.clone());
        let transfer = Transfer::new(router.clone(), enqueue.clone(), store.clone());
        let watching =
            (health::Service::new(health, send.clone(), clock), portability::Service::new(options.portability));
        let routing = routing(watching, Lane::ALL.map(mover));
        let sending = Stage::of("send", |drain| send_service.run(drain));
        let settling = Stage::of("settle", |drain| settle::Service(settle.clone()).run(drain));
        let talking = Stage::of("two_way", |drain| two_way_service.run(drain));
        let telling = Stage::of("tell", |drain| tell_service.run(drain));
        let stages = vec![filling, routing, sending, settling, talking, telling];
        let explain = Explain::new(store, router.clone());
        Ok(Self {
            accept,
            follow,
            enqueue,
            router,
            transfer,
            explain,
            send,
            settle,
            two_way,
            tell,
            latency,
            traces,
            stages,
        })
    }

    /// Stops the stages from the first to the last, so that what is in between still gets through.
    pub async fn stop(self) {
        self.accept.stop();
        for mut stage in self.stages {
            stage.stop.send_replace(true);
            let finished = async { while stage.tasks.join_next().await.is_some() {} };
            if timeout(STAGE_STOP, finished).await.is_err() {
                tracing::warn!(target: "posthorn", stage = stage.name, "did not stop in time");
            }
        }
    }
}

/// Whether a webhook URL may be called at all.
fn url_guard(tell: &tell::Handle) -> Arc<dyn Fn(&str) -> bool + Send + Sync> {
    let tell = tell.clone();
    Arc::new(move |url: &str| tell.allows_url(url))
}

/// What receivers answer to webhooks may be a reply to whoever wrote.
fn hear_answers(tell: &tell::Handle, two_way: &TwoWay) {
    let two_way = two_way.clone();
    tell.on_answer(Arc::new(move |events, body| {
        let two_way = two_way.clone();
        Box::pin(async move { two_way.replied(&events, &body).await })
    }));
}

/// The stage that fills the lines.
fn filling(enqueue: &Enqueue, store: &Store, settle: &Settle) -> Stage {
    let mut filling = Stage::new("enqueue");
    for lane in Lane::ALL {
        filling.spawn(|drain| enqueue::Service::new(lane, enqueue.clone(), store.clone(), settle.clone()).run(drain));
    }
    filling
}

/// The stage that watches carriers, keeps up with ported numbers and moves messages from one carrier to another.
fn routing((health, following): (health::Service, portability::Service), movers: [Mover; 2]) -> Stage {
    let mut routing = Stage::new("route");
    routing.spawn(|drain| health.run(drain));
    routing.spawn(|drain| following.run(drain));
    movers.into_iter().for_each(|mover| routing.spawn(|drain| mover.run(drain)));
    routing
}

impl Stage {
    fn new(name: &'static str) -> Self {
        Self { name, stop: watch::channel(false).0, tasks: JoinSet::new() }
    }

    /// A stage of one task.
    fn of<F: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        run: impl FnOnce(watch::Receiver<bool>) -> F,
    ) -> Self {
        let mut stage = Self::new(name);
        stage.spawn(run);
        stage
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(&mut self, run: impl FnOnce(watch::Receiver<bool>) -> F) {
        self.tasks.spawn(run(self.stop.subscribe()));
    }
}

/// What follows from each commit: accepted messages line up, refunds go back, reports are told.
struct Reaction {
    enqueue: Enqueue,
    meters: Arc<Meters>,
    tell: tell::Handle,
}

impl Watcher for Reaction {
    fn committed(&self, _lane: Lane, committed: Vec<Committed>) {
        for change in committed {
            match change {
                Committed::Accepted(request) => self.accepted(&request),
                Committed::Moved(moved) => {
                    self.meters.refund(moved.account, moved.refund);
                    if let Some(event) = moved.event {
                        self.tell.tell(event);
                    }
                }
                Committed::Event(event) => self.tell.tell(event),
            }
        }
    }
}

impl Reaction {
    fn accepted(&self, request: &Request) {
        self.enqueue.accepted(request);
    }
}
