//! Where operators connect to us: they send `outbind`, and we bind as a receiver over the same connection
//! (SMPP 3.4 §2.2.1). Only known addresses are listened to, for what follows holds our login.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::control::Carrier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use smpp::CommandStatus;
use smpp::client::{BindError, read_outbind, tune};
use smpp::pdu::BindMode;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info, warn};

use super::bind::{BindTask, answer_of};
use super::carrier::CarrierState;
use super::offer::{offer, session_options};
use super::service::Shared;
use super::trace::{Eyes, OUTBIND};
use crate::drain;

/// Connections of one operator at a time.
const CONNECTIONS_MAX: usize = 16;
/// How long to wait before an address that is taken is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(10);

/// Sessions that the operators opened are counted from here, those that we open from 1.
const OUTBIND_SESSIONS: u64 = 1 << 63;

/// Listens for one carrier's operator.
pub(super) struct OutbindTask {
    shared: Arc<Shared>,
    state: Arc<CarrierState>,
    /// How many there were.
    sessions: AtomicU64,
}

impl OutbindTask {
    pub(super) fn new(shared: Arc<Shared>, state: Arc<CarrierState>) -> Self {
        Self { shared, state, sessions: AtomicU64::new(0) }
    }

    /// Runs until `stop` turns true and the sessions have ended in good order.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let task = Arc::new(self);
        let mut sessions = JoinSet::new();
        while !*stop.borrow() {
            let listener = tokio::select! {
                listener = task.listen() => listener,
                () = drain::requested(&mut stop) => break,
            };
            let of_sessions = stop.clone();
            tokio::select! {
                () = task.accept(&listener, &mut sessions, &of_sessions) => {}
                () = drain::requested(&mut stop) => break,
            }
        }
        while sessions.join_next().await.is_some() {}
    }

    async fn listen(&self) -> TcpListener {
        let Carrier { name, link, .. } = &*self.state.carrier;
        loop {
            match TcpListener::bind(&link.outbind_listen).await {
                Ok(listener) => return listener,
                Err(error) => {
                    error!(target: "send", carrier = %name, %error, address = %link.outbind_listen,
                        "can't listen for outbind; choose another outbind_listen or free this one");
                    sleep(LISTEN_AGAIN).await;
                }
            }
        }
    }

    async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
        sessions: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                Some(_) = sessions.join_next() => {}
                accepted = listener.accept() => {
                    let Ok((stream, peer)) = accepted else { return sleep(LISTEN_AGAIN).await };
                    if sessions.len() < CONNECTIONS_MAX && self.knows(peer.ip()) {
                        let (task, stop) = (Arc::clone(self), stop.clone());
                        sessions.spawn(async move { task.serve(stream, stop).await });
                    } else {
                        warn!(target: "send", carrier = %self.state.carrier.name, peer = %peer.ip(),
                            "a connection for outbind was closed: not among outbind_allowed_addresses, or too many");
                    }
                }
            }
        }
    }

    fn knows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.state.carrier.link.outbind_allowed_addresses.iter().any(|network| network.contains(&address))
    }

    /// A connection of the operator, in TLS where the carrier uses that.
    async fn serve(&self, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        let carrier = &self.state.carrier;
        // Without it answers wait for acknowledgements; the session works all the same.
        _ = tune(&stream);
        if !carrier.tls {
            return Box::pin(self.serve_over(stream, stop)).await;
        }
        let within = Duration::from_secs(carrier.link.connect_timeout_seconds.into());
        let securing = async {
            let own = Arc::clone(carrier);
            let acceptor = spawn_blocking(move || acceptor(&own)).await.map_err(|error| error.to_string())??;
            let secured = timeout(within, acceptor.accept(stream)).await;
            secured.map_err(|_| format!("no TLS within {within:?}"))?.map_err(|error| error.to_string())
        };
        let secured = tokio::select! {
            secured = securing => secured,
            () = drain::requested(&mut stop) => return,
        };
        match secured {
            Ok(stream) => Box::pin(self.serve_over(stream, stop)).await,
            Err(problem) => {
                warn!(target: "send", carrier = %carrier.name, problem, "a connection for outbind did not get TLS");
            }
        }
    }

    async fn serve_over<S>(&self, stream: S, mut stop: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let carrier = &self.state.carrier;
        let options = session_options(carrier);
        // Answers are joined to requests by session, and no other has a number this high.
        let session = OUTBIND_SESSIONS + self.sessions.fetch_add(1, Ordering::Relaxed);
        let eyes = Eyes::new(&self.shared.traces, &self.shared.clock, carrier, (OUTBIND, session));
        let binding = async {
            let outbound = read_outbind(stream, &options).await?;
            info!(target: "send", carrier = %carrier.name, system_id = %String::from_utf8_lossy(outbound.system_id()), "outbind");
            if !proves_itself(carrier, outbound.password()) {
                return Err(BindError::Refused(CommandStatus::RINVPASWD));
            }
            let offered = offer(carrier, BindMode::Receiver);
            let bound = outbound.bind(&offered, options).await;
            eyes.show_bind(&offered, answer_of(&bound));
            bound
        };
        let bound = tokio::select! {
            bound = binding => bound,
            () = drain::requested(&mut stop) => return,
        };
        match bound {
            Ok(session) => {
                session.handle().watch_frames(Arc::new(eyes));
                let task = BindTask {
                    shared: Arc::clone(&self.shared),
                    state: Arc::clone(&self.state),
                    index: OUTBIND,
                    mode: BindMode::Receiver,
                    for_priority: false,
                    name: 0,
                };
                let (end, _) = task.run_session(session, &mut stop).await;
                info!(target: "send", carrier = %carrier.name, reason = %end, "the session of an outbind ended");
            }
            Err(problem) => {
                warn!(target: "send", carrier = %carrier.name, %problem, "an outbind did not lead to a bind");
            }
        }
    }
}

/// Whether an `outbind` has the password that was agreed on, if one was. How long that takes does not tell how much of it is
/// right.
fn proves_itself(carrier: &Carrier, password: &[u8]) -> bool {
    let agreed = carrier.outbind_password.reveal().as_bytes();
    agreed.is_empty() || bool::from(agreed.ct_eq(password))
}

/// What is shown to the operator; read anew for each connection, so that a renewed certificate is taken.
fn acceptor(carrier: &Carrier) -> Result<TlsAcceptor, String> {
    let link = &carrier.link;
    let wrong = |key: &str, file: &str, why: String| format!("{key} {file} can't be used: {why}");
    let (file, key_file) = (&link.outbind_certificate_file, &link.outbind_private_key_file);
    let of_certificate = |why: String| wrong("outbind_certificate_file", file, why);
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| of_certificate(error.to_string()))?;
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|error| wrong("outbind_private_key_file", key_file, error.to_string()))?;
    let certificates = certificates.map_err(|error| of_certificate(error.to_string()))?;
    smpp::tls::acceptor(certificates, key).map_err(|error| of_certificate(error.to_string()))
}
