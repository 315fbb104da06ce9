//! A running server: the store, the flow over it and the listeners in front, started and stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use domain::clock::Clock;
use domain::problem::Problem;
use domain::random::Random;
use flow::Flow;
use flow::follow::Follow;
use flow::portability::Portability;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;
use web::api::Api;
use web::backend::Live;
use web::links::{ByHost, Links};
use web::operations::Operations;
use web::operations::local::Door;

use crate::alarms::Watch;
use crate::metrics::Metrics;
use crate::operate::OperationsDesk;
use crate::options::Options;

/// A server that answers.
pub struct Server {
    /// Where the API listens on plain HTTP.
    pub listen: Option<SocketAddr>,
    /// Where it listens on HTTPS.
    pub listen_tls: Option<SocketAddr>,
    /// Where short links are followed on plain HTTP, besides the API's listeners.
    pub listen_links: Option<SocketAddr>,
    /// Where urgent requests may come, besides the API's listeners.
    pub listen_priority: Option<SocketAddr>,
    /// Where metrics and health are.
    pub operations: Option<SocketAddr>,
    flow: Flow,
    store: Store,
    drain: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Server {
    /// Opens the store, starts the flow, then listens: nobody is answered before everything is ready.
    ///
    /// # Errors
    /// What can't be started, why, and what to do.
    pub async fn start(options: &Options) -> Result<Self> {
        let clock = Clock::system();
        let random = Random::system();
        let store_options = options.store.to_store();
        let data_dir = store_options.data_dir.clone();
        let opening_clock = clock.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(store_options, opening_clock)).await??;
        let flow_options = flow::Options {
            two_way: options.two_way.clone(),
            tell: flow::tell::Options { own_listeners: own_listeners(options), ..options.tell.clone() },
            links_base: options.links.base(),
            number_ranges: options.route.number_ranges()?,
            portability: portability(options, clock.clone()).await?,
            ..flow::Options::new(random.clone())
        };
        let flow = Flow::start(store.clone(), clock.clone(), flow_options).await.map_err(|problem| anyhow!(problem))?;
        let (drain, draining) = watch::channel(false);
        let mut listeners = JoinSet::new();
        let backend = Live::new(flow.accept.clone(), flow.tell.clone(), flow.explain.clone(), store.clone());
        let api_options = web::api::Options {
            idempotency_life_ms: options.store.to_store().idempotency_life_ms,
            ..options.http.api()?
        };
        let api = Arc::new(Api::new(backend, clock.clone(), &random, api_options));
        let watch = Watch::new(store.clone(), clock.clone(), &flow);
        listeners.spawn(watch.clone().run(draining.clone()));
        let metrics = Arc::new(Metrics::new(store.clone(), &flow, clock.clone(), (api.outcomes(), watch.clone())));
        let links = Arc::new(Links::new(flow.follow.clone(), &random, options.http.api()?.trusted_proxies));
        let by_host = ByHost::new(Arc::clone(&api), links_of(options, &links));
        let main = web::serve::Service::bind(&options.http, &data_dir, &random, by_host)?;
        let (listen, listen_tls) = (main.handle().listen(), main.handle().listen_tls());
        listeners.spawn(main.run(draining.clone()));
        let own = options.http.at("priority", &options.priority.listen);
        let priority =
            web::serve::Service::bind(&own, &data_dir, &random, api).context("the listener of the Priority lane")?;
        let listen_priority = priority.handle().listen();
        listeners.spawn(priority.run(draining.clone()));
        let own = options.links.listeners(&options.http);
        let link_service =
            web::serve::Service::bind(&own, &data_dir, &random, links).context("the listeners of [links]")?;
        let listen_links = link_service.handle().listen();
        listeners.spawn(link_service.run(draining.clone()));
        let door = Door::open(&data_dir)
            .with_context(|| format!("the socket for the command line can't be opened in {}", data_dir.display()))?;
        let desk = Arc::new(OperationsDesk::new(store.clone(), clock.clone(), &flow, watch));
        listeners.spawn(door.run(desk, draining.clone()));
        let operations = Self::listen_for_operations(options, &random, metrics, &store, &mut listeners, draining)?;
        Ok(Self { listen, listen_tls, listen_links, listen_priority, operations, flow, store, drain, listeners })
    }

    fn listen_for_operations(
        options: &Options,
        random: &Random,
        metrics: Arc<Metrics>,
        store: &Store,
        listeners: &mut JoinSet<()>,
        draining: watch::Receiver<bool>,
    ) -> Result<Option<SocketAddr>> {
        if options.operations.listen.is_empty() {
            return Ok(None);
        }
        let (stopping, store) = (draining.clone(), store.clone());
        let ready = move || match (*stopping.borrow(), store.health().accepts) {
            (true, _) => Err(Problem::ShuttingDown),
            (false, false) => Err(Problem::StorageFull),
            (false, true) => Ok(()),
        };
        let handler = Operations::new(random, move || metrics.text(), ready);
        let own = options.http.at("operations", &options.operations.listen);
        let service = web::serve::Service::bind(&own, &options.store.data_dir, random, handler)
            .context("the listener for metrics and health; leave operations.listen empty for none")?;
        let address = service.handle().listen();
        listeners.spawn(service.run(draining));
        Ok(address)
    }

    /// Stops in the order of the flow: no new requests, then the windows, then the webhooks, then the store.
    pub async fn stop(mut self) {
        info!(target: "posthorn", "stopping: finishing what is in progress");
        self.drain.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
        self.flow.stop().await;
        let store = self.store;
        // Closing writes and syncs: not on a thread of the runtime.
        _ = tokio::task::spawn_blocking(move || store.close()).await;
        info!(target: "posthorn", "stopped");
    }
}

/// What is known of ported numbers. A large file takes seconds to read: not on a thread of the runtime.
async fn portability(options: &Options, clock: Clock) -> Result<Portability> {
    let options = options.portability.clone();
    Ok(tokio::task::spawn_blocking(move || Portability::open(&options, clock)).await??)
}

/// The domain of short links and what follows them, if there is one.
fn links_of<'a>(options: &'a Options, links: &Arc<Links<Follow>>) -> Option<(&'a str, Arc<Links<Follow>>)> {
    let domain = options.links.domain.as_str();
    (!domain.is_empty()).then(|| (domain, Arc::clone(links)))
}

/// Where this server listens: webhooks must not call it.
fn own_listeners(options: &Options) -> Vec<SocketAddr> {
    let (http, links) = (&options.http, &options.links);
    let written = [
        &http.listen,
        &http.listen_tls,
        &options.priority.listen,
        &links.listen,
        &links.listen_tls,
        &options.operations.listen,
    ];
    written.into_iter().filter_map(|address| address.parse().ok()).collect()
}

/// Resolves when the process is asked to stop (SIGTERM or Ctrl-C).
pub async fn asked_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// The runtime of the server: one worker per core.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime can't be started")
}
