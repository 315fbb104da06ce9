//! Running a load on a thread of its own.

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use crate::connection::{Shared, connect, work};
use crate::cpu::{process_cpu, thread_cpu};
use crate::error::LoadError;
use crate::ledger::Ledger;
use crate::options::LoadOptions;
use crate::pace::Pacer;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::{Frame, Report};
use crate::request::Template;
use crate::tally::{Live, Tally};

/// A load that is under way.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
    result: oneshot::Receiver<Result<Report, LoadError>>,
    stop: Arc<Notify>,
    live: Arc<Live>,
    planned: Option<u64>,
    seconds: Option<f64>,
}

/// Starts a load on a thread of its own; `ledger` is told of every request.
///
/// # Errors
/// [`LoadError::Option`] for options that cannot be meant, [`LoadError::System`] if no thread can be had. That the
/// server cannot be reached is told by [`Running::finish`].
pub fn start(options: LoadOptions, ledger: Option<Ledger>) -> Result<Running, LoadError> {
    options.check()?;
    let (address, path) = options.target()?;
    let template = Template::new(&options, &address, &path)?;
    let stop = Arc::new(Notify::new());
    let live = Arc::new(Live::default());
    let (tell, result) = oneshot::channel();
    let (planned, seconds) = (planned(&options), options.seconds());
    let job = Job { options, address, template, ledger, stop: Arc::clone(&stop), live: Arc::clone(&live) };
    let thread = std::thread::Builder::new()
        .name("loadgen".to_owned())
        .spawn(move || {
            // Nobody may be waiting for the result any more; the run is over all the same.
            let _ = tell.send(job.run());
        })
        .map_err(|source| LoadError::System { what: "start a thread", source })?;
    Ok(Running { thread, result, stop, live, planned, seconds })
}

/// How many requests the open loop or a count makes.
fn planned(options: &LoadOptions) -> Option<u64> {
    match (options.count, options.rate, options.seconds()) {
        (Some(count), _, _) => Some(count),
        (None, Some(rate), Some(seconds)) => Some(((rate * seconds).ceil() as u64).max(1)),
        _ => None,
    }
}

impl Running {
    /// What it has done so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            sent: read(&self.live.sent),
            answered: read(&self.live.answered),
            accepted: read(&self.live.accepted),
            no_answer: read(&self.live.no_answer),
            planned: self.planned,
            seconds: self.seconds,
        }
    }

    /// Plans nothing more; what is under way is still answered.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end and gives the result.
    ///
    /// # Errors
    /// [`LoadError::Connect`] if the server could not be reached at the start.
    pub async fn finish(self) -> Result<Report, LoadError> {
        self.result.await.unwrap_or(Err(LoadError::Lost))
    }

    /// As [`Self::finish`], for callers without a runtime.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_blocking(mut self) -> Result<Report, LoadError> {
        // A panic has been printed; what matters here is whether there is a result.
        let _ = self.thread.join();
        self.result.try_recv().unwrap_or(Err(LoadError::Lost))
    }
}

struct Job {
    options: LoadOptions,
    address: String,
    template: Template,
    ledger: Option<Ledger>,
    stop: Arc<Notify>,
    live: Arc<Live>,
}

impl Job {
    fn run(self) -> Result<Report, LoadError> {
        let system = |what| move |source: io::Error| LoadError::System { what, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(system("start a runtime"))?;
        LocalSet::new().block_on(&runtime, async {
            let mut streams = Vec::with_capacity(self.options.connections);
            for _ in 0..self.options.connections {
                let stream = connect(&self.address).await;
                streams.push(stream.map_err(|source| LoadError::Connect { address: self.address.clone(), source })?);
            }
            let pacer = Pacer::new().map_err(system("make a timer"))?;
            self.with(streams, &pacer).await
        })
    }

    async fn with(self, streams: Vec<TcpStream>, pacer: &Pacer) -> Result<Report, LoadError> {
        let (process_before, thread_before) = (process_cpu(), thread_cpu());
        let start = Instant::now();
        let count = planned(&self.options);
        let plan = match self.options.rate {
            Some(rate) => Plan::open(start, rate, count.unwrap_or(u64::MAX)),
            None => Plan::closed(start, count.unwrap_or(u64::MAX)),
        };
        let tally = Tally::new().ok_or_else(|| LoadError::option("histogram", "the library refused its settings"))?;
        let shared = Rc::new(Shared {
            options: self.options,
            address: self.address,
            template: self.template,
            plan,
            tally: RefCell::new(tally),
            ledger: RefCell::new(self.ledger),
            live: self.live,
        });
        let mut connections = JoinSet::new();
        for stream in streams {
            connections.spawn_local(work(Rc::clone(&shared), stream));
        }
        fall_due(&shared, pacer, &self.stop).await?;
        shared.plan.close();
        let grace = Duration::from_millis(shared.options.answer_timeout_ms);
        let all_done = async { while connections.join_next().await.is_some() {} };
        if timeout(grace, all_done).await.is_err() {
            shared.plan.abandon();
            while connections.join_next().await.is_some() {}
        }
        drop(connections);
        let frame = Frame {
            start,
            planned: count,
            process_cpu: process_cpu() - process_before,
            thread_cpu: thread_cpu() - thread_before,
        };
        Ok(Report::new(&shared.options, &shared.tally.borrow(), &shared.plan, &frame))
    }
}

/// Lets requests fall due until the last one has, the time is over or a stop is asked for.
async fn fall_due(shared: &Shared, pacer: &Pacer, stop: &Notify) -> Result<(), LoadError> {
    let system = |source| LoadError::System { what: "sleep", source };
    let over = async {
        match (shared.options.rate, shared.options.seconds()) {
            (None, Some(seconds)) => tokio::time::sleep(Duration::from_secs_f64(seconds)).await,
            // A count, or a rate for a time: the plan ends by itself.
            (None, None) => until_taken(shared).await,
            (Some(_), _) => pending().await,
        }
    };
    let paced = async {
        if shared.options.rate.is_none() {
            return pending().await;
        }
        while let Some(next) = shared.plan.advance(Instant::now()) {
            pacer.sleep_until(next).await?;
        }
        Ok(())
    };
    tokio::select! {
        () = over => Ok(()),
        result = paced => result.map_err(system),
        () = stop.notified() => Ok(()),
    }
}

/// In the closed loop with a count everything is due from the start; the end is when all of it is taken.
async fn until_taken(shared: &Shared) {
    while shared.plan.unsent() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
