//! The task that owns the socket: its turns, its reading and its writing.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::answer::Answers;
use super::batch::RequestBatch;
use super::frames::State;
use super::handle::{SessionHandle, Shared, Wish};
use super::options::{Role, SessionEnd, SessionOptions};
use super::outcome::OutcomeBatch;
use super::send::SendBatch;
use super::timers::{LAST_WRITE, Phase};
use super::watch::{Direction, show_all};
use crate::FrameCutter;
use crate::pdu::BindMode;

/// Turns before other tasks of the same thread get theirs.
const TURNS_MAX: usize = 8;

/// The session ends when this many times `write_octets_max` wait for a peer that keeps sending.
const NOT_READING_FACTOR: usize = 4;

/// What a session asks of its owner; both ends wrap it in a trait of their own.
pub(crate) trait Handler: Send {
    fn pull(&mut self, batch: SendBatch<'_>);
    fn outcomes(&mut self, outcomes: &OutcomeBatch);
    fn late_answers(&mut self, outcomes: &OutcomeBatch);
    fn requests(&mut self, batch: RequestBatch, answers: &mut Answers<'_>);
}

/// A bound session that is about to run.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) role: Role,
    pub(crate) mode: BindMode,
    pub(crate) tlvs_allowed: bool,
    pub(crate) options: SessionOptions,
    /// May hold frames that came together with the bind.
    pub(crate) cutter: FrameCutter,
    /// May hold a `bind_resp` to be written.
    pub(crate) out: BytesMut,
    pub(crate) next_sequence_number: u32,
    pub(crate) handle: SessionHandle,
}

pub(crate) struct Engine<S, H: Handler> {
    stream: S,
    handler: H,
    cutter: FrameCutter,
    state: State,
    shared: Arc<Shared>,
    sleep: Pin<Box<Sleep>>,
    /// The handler may have work that it was not asked for yet.
    work_waits: bool,
    flush_waits: bool,
    /// Up to where what is written was shown to a watcher, counted from the start of the session; `None` while nobody
    /// looks.
    shown: Option<u64>,
    ended: bool,
}

impl<S, H> Engine<S, H>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    pub(crate) fn new(stream: S, handler: H, start: Start) -> Self {
        let shared = Arc::clone(&start.handle.shared);
        let now = Instant::now();
        let Start { role, mode, tlvs_allowed, options, cutter, out, next_sequence_number, .. } = start;
        let mut state = State::new(role, mode, options, tlvs_allowed, out, Arc::clone(&shared), now);
        state.window.continue_from(next_sequence_number);
        let sleep = Box::pin(sleep_until(now));
        let (work_waits, flush_waits, ended) = (true, false, false);
        Self { stream, handler, cutter, state, shared, sleep, work_waits, flush_waits, shown: Some(0), ended }
    }

    /// Runs the session to its end. Every slot has had its outcome when this returns, and also when it is dropped.
    pub(crate) async fn run(mut self) -> SessionEnd {
        self.take_frames();
        let end = poll_fn(|context| self.poll(context)).await;
        self.end();
        if matches!(end, SessionEnd::Unbound | SessionEnd::PeerUnbound) {
            // TLS says goodbye here; whether the peer hears it no longer matters.
            let _ = timeout(LAST_WRITE, self.stream.shutdown()).await;
        }
        end
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<SessionEnd> {
        self.shared.wake_up(context.waker());
        for _ in 0..TURNS_MAX {
            match self.turn(context) {
                Err(end) => return Poll::Ready(end),
                Ok(true) => continue,
                Ok(false) => {}
            }
            if self.poll_timer(context) || !self.shared.fall_asleep() {
                continue;
            }
            self.state.publish();
            return Poll::Pending;
        }
        self.state.publish();
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// One turn: whether anything moved, or how the session ended.
    fn turn(&mut self, context: &mut Context<'_>) -> Result<bool, SessionEnd> {
        self.state.now = Instant::now();
        if self.shared.take_asked() {
            self.work_waits = true;
            self.state.window.release(self.shared.take_released());
            self.shared.take_answers(&mut self.state.out);
            self.state.follow(self.shared.wish());
        }
        let mut moved = self.read(context)?;
        self.state.run_timers()?;
        self.hand_over();
        moved |= self.pull();
        self.state.unbind_when_drained();
        if self.state.out.len() > self.state.options.write_octets_max * NOT_READING_FACTOR {
            return Err(SessionEnd::PeerNotReading);
        }
        moved |= self.write(context)?;
        if let Phase::Ending { end, .. } = &self.state.phase
            && self.state.out.is_empty()
            && !self.flush_waits
        {
            return Err(end.clone());
        }
        Ok(moved)
    }

    fn read(&mut self, context: &mut Context<'_>) -> Result<bool, SessionEnd> {
        if matches!(self.state.phase, Phase::Ending { .. }) {
            return Ok(false);
        }
        let mut buffer = ReadBuf::new(self.cutter.spare());
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(self.state.lost(SessionEnd::Broken(error.kind()))),
            Poll::Ready(Ok(())) => {
                let octets = buffer.filled().len();
                if octets == 0 {
                    return Err(self.state.lost(SessionEnd::PeerClosed));
                }
                self.cutter.received(octets);
                self.state.heard(octets);
                self.take_frames();
                Ok(true)
            }
        }
    }

    /// Cuts and takes every whole frame there is, then hands over what came of them.
    fn take_frames(&mut self) {
        let mut any = false;
        let watcher = self.shared.watch.looking();
        while !matches!(self.state.phase, Phase::Ending { .. }) {
            match self.cutter.next_frame() {
                Ok(Some(frame)) => {
                    if let Some(watcher) = watcher {
                        watcher.frame(Direction::In, frame);
                    }
                    self.state.take_frame(frame);
                }
                Ok(None) => break,
                Err(error) => self.state.out_of_step(error),
            }
            any = true;
        }
        self.state.note_half_frame(self.cutter.unfinished() > 0, any);
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let state = &mut self.state;
        if !state.outcomes.is_empty() {
            self.handler.outcomes(&state.outcomes);
            state.outcomes.clear();
        }
        if !state.late.is_empty() {
            self.handler.late_answers(&state.late);
            state.late.clear();
        }
        if !state.requests.is_empty() {
            let next = RequestBatch::like(&state.requests);
            let batch = std::mem::replace(&mut state.requests, next);
            let mut answers = Answers { unanswered: &self.shared.unanswered, out: &mut state.out };
            self.handler.requests(batch, &mut answers);
        }
    }

    fn pull(&mut self) -> bool {
        let state = &mut self.state;
        if !self.work_waits || !state.may_send() {
            return false;
        }
        let mut pushed = 0;
        let mut refused = false;
        let batch = SendBatch {
            window: &mut state.window,
            out: &mut state.out,
            now: state.now,
            octets_written: state.octets_written,
            write_octets_max: state.options.write_octets_max,
            tlvs_allowed: state.tlvs_allowed,
            pushed: &mut pushed,
            refused: &mut refused,
        };
        if batch.room() == 0 {
            return false;
        }
        self.handler.pull(batch);
        state.sent(pushed);
        // Room left over means that the handler has nothing more until it says so.
        self.work_waits = refused || state.window.room() == 0;
        pushed > 0
    }

    fn write(&mut self, context: &mut Context<'_>) -> Result<bool, SessionEnd> {
        let mut wrote = false;
        self.show_written();
        while !self.state.out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.state.out) {
                Poll::Ready(Ok(0)) => return Err(self.state.lost(SessionEnd::PeerClosed)),
                Poll::Ready(Ok(octets)) => {
                    self.state.out.advance(octets);
                    self.state.octets_written += octets as u64;
                    self.flush_waits = true;
                    wrote = true;
                }
                Poll::Ready(Err(error)) => return Err(self.state.lost(SessionEnd::Broken(error.kind()))),
                Poll::Pending => break,
            }
        }
        if self.flush_waits {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.flush_waits = false,
                Poll::Ready(Err(error)) => return Err(self.state.lost(SessionEnd::Broken(error.kind()))),
                Poll::Pending => {}
            }
        }
        Ok(wrote)
    }

    /// Shows the frames that were written into the buffer since the last time. Frames are written whole, so that a
    /// watcher who begins to look begins at the start of one.
    fn show_written(&mut self) {
        let State { octets_written, out, .. } = &self.state;
        if out.is_empty() {
            return;
        }
        let Some(watcher) = self.shared.watch.looking() else {
            self.shown = None;
            return;
        };
        let written_to = octets_written + out.len() as u64;
        if let Some(shown) = self.shown {
            let from = usize::try_from(shown.saturating_sub(*octets_written)).unwrap_or(usize::MAX);
            show_all(watcher, out.get(from..).unwrap_or_default());
        }
        self.shown = Some(written_to);
    }

    /// Arms the timer for the next deadline; `true` if one has passed.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> bool {
        let Some(next) = self.state.next_deadline() else {
            return false;
        };
        // A timer that is early is left alone: deadlines move back with every frame, and moving it costs a lock.
        if next < self.sleep.deadline() || self.sleep.deadline() <= self.state.now {
            self.sleep.as_mut().reset(next);
        }
        self.sleep.as_mut().poll(context).is_ready()
    }
}

impl<S, H: Handler> Engine<S, H> {
    fn end(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.shared.end();
        self.state.lose_all();
        if !self.state.outcomes.is_empty() {
            self.handler.outcomes(&self.state.outcomes);
        }
        self.state.publish();
        self.shared.counters.window_used.store(0, Ordering::Relaxed);
    }
}

/// A session whose task is cancelled still gives every slot its end.
impl<S, H: Handler> Drop for Engine<S, H> {
    fn drop(&mut self) {
        self.end();
    }
}

impl State {
    fn follow(&mut self, wish: Wish) {
        match (&self.phase, wish) {
            (Phase::Running, Wish::Drain) => self.phase = Phase::Draining,
            (Phase::Running | Phase::Draining, Wish::Close) => self.begin_unbind(),
            _ => {}
        }
    }
}
