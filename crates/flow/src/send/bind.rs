//! One bind: connect, bind, run, and come back after a pause.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::control::{Carrier, InterfaceVersion};
use domain::random::Random;
use smpp::client::{ClientSession, ConnectOptions, connect};
use smpp::pdu::{Bind, BindMode};
use smpp::reconnect::{Failure, NextTry, Reconnect, ReconnectOptions};
use smpp::session::{ReleaseOn, SessionEnd, SessionOptions};
use smpp::tls::ClientTls;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::carrier::{BindState, CarrierState};
use super::handler::BindHandler;
use super::service::Shared;
use crate::drain;

/// A bind that held this long starts its pauses over.
const HELD: Duration = Duration::from_secs(30);

/// One session of a bind (a bind of transmitter and receiver has two).
pub(super) struct BindTask {
    pub shared: Arc<Shared>,
    pub state: Arc<CarrierState>,
    pub index: u16,
    pub mode: BindMode,
    pub for_priority: bool,
    /// Names the session among all that take from a line.
    pub name: u64,
}

impl BindTask {
    /// Runs until `stop` turns true, then unbinds in good order.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut reconnect = Reconnect::new(ReconnectOptions::default());
        while !*stop.borrow() {
            let started = Instant::now();
            let failure = self.once(&mut stop).await;
            if *stop.borrow() {
                break;
            }
            if started.elapsed() >= HELD {
                reconnect.succeeded();
            }
            let pause = match reconnect.failed(failure, fraction(&self.shared.random)) {
                NextTry::After(pause) => pause,
                NextTry::Stop { not_before } => {
                    error!(target: "send", carrier = %self.state.carrier.name, bind = self.index,
                        "the operator refuses our credentials; correct system_id, password or system_type and apply the setup again");
                    self.set(BindState::Stopped("the operator refuses our credentials".into()));
                    not_before
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = drain::requested(&mut stop) => {}
            }
        }
        self.set(BindState::Ended);
    }

    /// One connection from its beginning to its end.
    async fn once(&self, stop: &mut watch::Receiver<bool>) -> Failure {
        let carrier = &self.state.carrier;
        let options = match connect_options(carrier, &self.shared) {
            Ok(options) => options,
            Err(problem) => return self.failed(Failure::Credentials, &problem),
        };
        let transport = tokio::select! {
            () = drain::requested(stop) => return Failure::Connection,
            transport = connect(&carrier.host, carrier.port, &options) => match transport {
                Ok(transport) => transport,
                Err(error) => return self.failed(Failure::from(&error), &error.to_string()),
            },
        };
        let session = match ClientSession::bind(transport, &bind(carrier, self.mode), session_options(carrier)).await {
            Ok(session) => session,
            Err(error) => return self.failed(Failure::from(&error), &error.to_string()),
        };
        info!(target: "send", carrier = %carrier.name, bind = self.index, mode = ?self.mode, "bound");
        let end = self.run_session(session, stop).await;
        match end {
            SessionEnd::Unbound => info!(target: "send", carrier = %carrier.name, bind = self.index, "unbound"),
            _ => {
                warn!(target: "send", carrier = %carrier.name, bind = self.index, reason = %end, "the session ended; binding again")
            }
        }
        self.set(BindState::Connecting(end.to_string()));
        Failure::from(&end)
    }

    async fn run_session(
        &self,
        session: ClientSession<smpp::client::Transport>,
        stop: &mut watch::Receiver<bool>,
    ) -> SessionEnd {
        let handle = session.handle();
        let Shared { enqueue, settle, clock, latency, .. } = &*self.shared;
        let handler = BindHandler::new(
            Arc::clone(&self.state),
            self.for_priority,
            enqueue.clone(),
            settle.clone(),
            clock.clone(),
            handle.clone(),
            latency.clone(),
        );
        if self.mode.transmits() {
            for line in handler.lines() {
                let waker = handle.clone();
                line.attach(self.name, Arc::new(move || waker.wake()));
            }
            self.state.set(self.index, BindState::Bound, Some(handle.clone()));
        }
        let lines = handler.lines().clone();
        let mut running = std::pin::pin!(session.run(handler));
        let end = tokio::select! {
            end = &mut running => end,
            () = drain::requested(stop) => {
                handle.drain();
                running.await
            }
        };
        lines.iter().for_each(|line| line.detach(self.name));
        end
    }

    fn failed(&self, failure: Failure, problem: &str) -> Failure {
        warn!(target: "send", carrier = %self.state.carrier.name, bind = self.index, problem, "can't bind");
        self.set(BindState::Connecting(problem.to_owned()));
        failure
    }

    fn set(&self, state: BindState) {
        if self.mode.transmits() {
            self.state.set(self.index, state, None);
        }
    }
}

fn bind(carrier: &Carrier, mode: BindMode) -> Bind<'_> {
    let interface_version = match carrier.interface_version {
        InterfaceVersion::V33 => 0x33,
        InterfaceVersion::V34 => 0x34,
        InterfaceVersion::V50 => 0x50,
    };
    Bind {
        mode,
        system_id: carrier.system_id.as_bytes(),
        password: carrier.password.reveal().as_bytes(),
        system_type: carrier.system_type.as_bytes(),
        interface_version,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    }
}

fn session_options(carrier: &Carrier) -> SessionOptions {
    SessionOptions {
        window_max: usize::from(carrier.window).max(1),
        release_on: ReleaseOn::Handler,
        ..SessionOptions::default()
    }
}

fn connect_options(carrier: &Carrier, shared: &Shared) -> Result<ConnectOptions, String> {
    let tls = carrier
        .tls
        .then(|| ClientTls::with_roots(shared.tls_roots.clone()))
        .transpose()
        .map_err(|error| error.to_string())?;
    Ok(ConnectOptions { tls, ..ConnectOptions::default() })
}

/// A number from 0 up to 1.
fn fraction(random: &Random) -> f64 {
    const STEPS: u32 = 1_000_000;
    f64::from(u32::try_from(random.below(u64::from(STEPS))).unwrap_or_default()) / f64::from(STEPS)
}
