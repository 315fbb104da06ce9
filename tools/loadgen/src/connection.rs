//! One keep-alive connection: takes what is due, sends it, reads the answer, takes the next.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ledger::{Answered, Ledger};
use crate::options::LoadOptions;
use crate::plan::{Plan, Planned};
use crate::request::Template;
use crate::response::{Head, read_head, reports_all};
use crate::tally::{Live, Tally, microseconds};

/// Pause before a connection that failed is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(20);
/// Largest answer that is read: 10,000 messages with room to spare.
const ANSWER_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Room made for an answer before its length is known.
const READ_OCTETS: usize = 4 * 1024;

/// What all connections of a run share. Lives on one thread.
pub(crate) struct Shared {
    pub(crate) options: LoadOptions,
    pub(crate) address: String,
    pub(crate) template: Template,
    pub(crate) plan: Plan,
    pub(crate) tally: RefCell<Tally>,
    pub(crate) ledger: RefCell<Option<Ledger>>,
    pub(crate) live: Arc<Live>,
}

/// Works until the plan is over. The first connection is made by the caller, who reports its failure.
pub(crate) async fn work(shared: Rc<Shared>, first: TcpStream) {
    let mut connection = Connection { stream: first, request: Vec::new(), answer: Vec::with_capacity(READ_OCTETS) };
    let timeout = Duration::from_millis(shared.options.answer_timeout_ms);
    while let Some(planned) = poll_fn(|context| shared.plan.poll_next(context)).await {
        if connection.was_closed() && !connection.reconnect(&shared, planned).await {
            if connection.make_new(&shared).await {
                continue;
            }
            break;
        }
        shared.template.fill(planned.number, &mut connection.request);
        let sent_at = Instant::now();
        shared.tally.borrow_mut().sent(sent_at.saturating_duration_since(planned.at));
        Live::add(&shared.live.sent);
        let exchange = tokio::time::timeout(timeout, connection.exchange()).await;
        let head = exchange.ok().and_then(Result::ok);
        shared.ended(planned, head, &connection.answer);
        if head.is_none_or(|head| head.close) && !connection.make_new(&shared).await {
            break;
        }
    }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    /// Whether the server has closed this connection while it was idle. No system call unless something happened.
    fn was_closed(&self) -> bool {
        let mut octet = [0];
        !matches!(self.stream.try_read(&mut octet), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn exchange(&mut self) -> io::Result<Head> {
        self.answer.clear();
        self.stream.write_all(&self.request).await?;
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head.is_none() {
                head = read_head(&self.answer).map_err(|_| io::ErrorKind::InvalidData)?;
            }
            let Some(Head { head_octets, body_octets, .. }) = head else {
                if self.answer.len() > ANSWER_OCTETS_MAX {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                continue;
            };
            let whole = head_octets.checked_add(body_octets).filter(|&octets| octets <= ANSWER_OCTETS_MAX);
            let whole = whole.ok_or(io::ErrorKind::InvalidData)?;
            if self.answer.len() >= whole {
                return head.ok_or_else(|| io::ErrorKind::InvalidData.into());
            }
            self.answer.reserve(whole - self.answer.len());
        }
    }

    /// Replaces a connection that broke; `false` when the plan is over before the server is back.
    async fn make_new(&mut self, shared: &Shared) -> bool {
        while !shared.plan.is_over() {
            if self.connect(shared).await {
                return true;
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
        false
    }

    /// As [`Self::make_new`] for a request that is already taken, which counts as not answered if it fails.
    async fn reconnect(&mut self, shared: &Shared, planned: Planned) -> bool {
        let deadline = Instant::now() + Duration::from_millis(shared.options.answer_timeout_ms);
        while Instant::now() < deadline {
            if self.connect(shared).await {
                return true;
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
        shared.tally.borrow_mut().sent(planned.at.elapsed());
        shared.ended(planned, None, &[]);
        false
    }

    async fn connect(&mut self, shared: &Shared) -> bool {
        let connected = tokio::time::timeout(Duration::from_secs(1), connect(&shared.address)).await;
        match connected {
            Ok(Ok(stream)) => {
                self.stream = stream;
                shared.tally.borrow_mut().reconnects += 1;
                true
            }
            _ => false,
        }
    }
}

/// A connection without delay.
pub(crate) async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Shared {
    fn ended(&self, planned: Planned, head: Option<Head>, answer: &[u8]) {
        let now = Instant::now();
        let latency = now.saturating_duration_since(planned.at);
        let priority = self.template.is_priority(planned.number);
        let body = head.map_or(&[][..], |head| &answer[head.head_octets..head.head_octets + head.body_octets]);
        let mut tally = self.tally.borrow_mut();
        match head {
            Some(Head { status, .. }) => {
                tally.answered(status, priority, latency, now);
                Live::add(&self.live.answered);
                if status == 200 {
                    Live::add(&self.live.accepted);
                }
                if self.options.check_body && status == 200 && !reports_all(body, self.options.recipients) {
                    tally.bad_bodies += 1;
                }
            }
            None => {
                tally.no_answer += 1;
                Live::add(&self.live.no_answer);
            }
        }
        drop(tally);
        if let Some(ledger) = self.ledger.borrow_mut().as_mut() {
            ledger(&Answered {
                number: planned.number,
                priority,
                status: head.map(|head| head.status),
                body,
                latency_us: microseconds(latency),
                prefix: self.options.external_id_prefix.as_deref(),
                recipients: self.options.recipients,
                first_phone_number: self.options.first_phone_number,
                phone_numbers: self.options.phone_numbers,
            });
        }
    }
}
