//! One bind: connect, bind, run, and come back after a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::random::Random;
use smpp::CommandStatus;
use smpp::client::{BindError, ClientSession, Transport, connect};
use smpp::pdu::BindMode;
use smpp::reconnect::{Failure, NextTry, Reconnect, ReconnectOptions};
use smpp::session::SessionEnd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::carrier::{BindState, CarrierState};
use super::handler::{BindHandler, Seat};
use super::offer::{offer, session_options};
use super::places::{Places, connect_options};
use super::service::Shared;
use super::trace::Eyes;
use crate::drain;

/// A session that held this long was of use, whatever it carried.
const HELD: Duration = Duration::from_secs(30);
/// Least time from one try to the next, however well the last one went: an operator that goes up and down is not
/// hammered.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// Refused binds in a row after which somebody should look, and then again after as many.
const REFUSED_ALARM: u32 = 5;

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

/// How one try ended.
struct Tried {
    failure: Failure,
    /// The session was of use: the next pause is a short one.
    was_of_use: bool,
}

impl BindTask {
    /// Runs until `stop` turns true, then unbinds in good order.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let link = &self.state.carrier.link;
        let mut reconnect = Reconnect::new(ReconnectOptions {
            first: Duration::from_secs(link.reconnect_min_seconds.into()),
            longest: Duration::from_secs(link.reconnect_max_seconds.into()),
            ..ReconnectOptions::default()
        });
        let mut places = Places::new(&self.state.carrier, self.index);
        while !*stop.borrow() {
            let started = Instant::now();
            let tried = self.once(&mut places, &mut stop).await;
            if *stop.borrow() {
                break;
            }
            if tried.was_of_use {
                reconnect.succeeded();
            }
            let pause = self.pause_after(tried.failure, &mut reconnect);
            tokio::select! {
                () = sleep(pause.max(TRY_EVERY.saturating_sub(started.elapsed()))) => {}
                () = drain::requested(&mut stop) => {}
            }
        }
        self.set(BindState::Ended);
    }

    fn pause_after(&self, failure: Failure, reconnect: &mut Reconnect) -> Duration {
        let carrier = &self.state.carrier;
        match reconnect.failed(failure, fraction(&self.shared.random)) {
            NextTry::After(pause) => {
                if failure == Failure::Refused && reconnect.failures().is_multiple_of(REFUSED_ALARM) {
                    error!(target: "send", carrier = %carrier.name, bind = self.index, failures = reconnect.failures(),
                        "the operator keeps refusing this bind; ask it how many binds it allows, and lower `binds` if need be");
                }
                pause
            }
            NextTry::Stop { not_before } => {
                if self.state.login.locked_for().is_none() {
                    self.state.login.refused(not_before);
                }
                error!(target: "send", carrier = %carrier.name, bind = self.index,
                    "the operator refuses our login; correct system_id, password or system_type and apply the setup again");
                self.set(BindState::Stopped("the operator refuses our login".into()));
                not_before
            }
        }
    }

    /// One connection from its beginning to its end.
    async fn once(&self, places: &mut Places, stop: &mut watch::Receiver<bool>) -> Tried {
        let opened = tokio::select! {
            () = drain::requested(stop) => Err(Failure::Connection),
            opened = self.open(places) => opened,
        };
        let (place, session) = match opened {
            Ok(opened) => opened,
            Err(failure) => return Tried { failure, was_of_use: false },
        };
        let carrier = &self.state.carrier;
        info!(target: "send", carrier = %carrier.name, bind = self.index, mode = ?self.mode, "bound");
        let (handle, bound_at) = (session.handle(), Instant::now());
        let (end, stopped_with) = self.run_session(session, stop).await;
        match end {
            SessionEnd::Unbound => info!(target: "send", carrier = %carrier.name, bind = self.index, "unbound"),
            _ => {
                warn!(target: "send", carrier = %carrier.name, bind = self.index, reason = %end, "the session ended; binding again");
                places.failed(place);
            }
        }
        self.set(BindState::Connecting(end.to_string()));
        let stats = handle.stats();
        let was_of_use = stats.answered > 0 || stats.received > 0 || bound_at.elapsed() >= HELD;
        let failure =
            if stopped_with == 0 { Failure::from(&end) } else { Failure::of_status(CommandStatus(stopped_with)) };
        Tried { failure, was_of_use }
    }

    /// Connects and binds at the first host that lets us.
    async fn open(&self, places: &mut Places) -> Result<(usize, ClientSession<Transport>), Failure> {
        let state = &self.state;
        if state.login.locked_for().is_some() {
            self.set(BindState::Stopped("the operator refuses our login".into()));
        }
        let _leave = state.login.may_try().await;
        let options = connect_options(&state.carrier, &self.shared.tls_roots)
            .map_err(|problem| self.failed(Failure::Connection, &problem))?;
        let mut failure = Failure::Connection;
        for (index, place) in places.in_turn() {
            let transport = match connect(&place.host, place.port, &options).await {
                Ok(transport) => transport,
                Err(error) => {
                    failure = self.failed(Failure::from(&error), &error.to_string());
                    places.failed(index);
                    continue;
                }
            };
            let offered = offer(&state.carrier, self.mode);
            let eyes = Eyes::new(&self.shared.traces, &self.shared.clock, &state.carrier, (self.index, self.name));
            let bound = ClientSession::bind(transport, &offered, session_options(&state.carrier)).await;
            eyes.show_bind(&offered, answer_of(&bound));
            match bound {
                Ok(session) => {
                    session.handle().watch_frames(Arc::new(eyes));
                    state.login.accepted();
                    return Ok((index, session));
                }
                Err(error) => {
                    failure = self.failed(Failure::from(&error), &error.to_string());
                    places.failed(index);
                }
            }
            if failure != Failure::Connection {
                // The operator has spoken: its other hosts would say the same.
                if failure == Failure::Credentials {
                    // Told before the leave is given back, so that the next bind does not try it at once.
                    state.login.refused(ReconnectOptions::default().credentials_floor);
                }
                break;
            }
        }
        Err(failure)
    }

    /// Runs a bound session to its end. Also says the `command_status` for which it was given up, 0 for none.
    pub(super) async fn run_session<S>(
        &self,
        session: ClientSession<S>,
        stop: &mut watch::Receiver<bool>,
    ) -> (SessionEnd, u32)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handle = session.handle();
        let seat = Seat {
            index: self.index,
            for_priority: self.for_priority,
            tlvs_allowed: session.bound().tlvs_allowed,
            stopped_with: Arc::new(AtomicU32::new(0)),
        };
        let handler = BindHandler::new(&self.shared, Arc::clone(&self.state), seat.clone(), handle.clone());
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
        (end, seat.stopped_with.load(Ordering::Relaxed))
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

/// What the operator answered to a bind, if it did.
pub(super) fn answer_of<S>(bound: &Result<ClientSession<S>, BindError>) -> Option<CommandStatus> {
    match bound {
        Ok(_) => Some(CommandStatus::ROK),
        Err(BindError::Refused(status)) => Some(*status),
        Err(_) => None,
    }
}

/// A number from 0 up to 1.
fn fraction(random: &Random) -> f64 {
    const STEPS: u32 = 1_000_000;
    f64::from(u32::try_from(random.below(u64::from(STEPS))).unwrap_or_default()) / f64::from(STEPS)
}
