//! Everything a story needs, set up: two tenants, an operator, a sink, a server, and whoever lies in between.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::sync::watch;

use crate::checker::{Evidence, judge, verdict};
use crate::dump;
use crate::http::{Answer, Connection};
use crate::ledger::{Asked, Ledger, Outcome};
use crate::liars::{ClientLiar, ClientLie, OperatorLiar, OperatorLie, SinkLiar};
use crate::load::{Load, LoadOptions};
use crate::operator::{Behaviour, Operator};
use crate::seed::Seed;
use crate::server::Server;
use crate::setup::{Account, Carrier};
use crate::sink::Sink;
use crate::site::Site;
use crate::spans;
use crate::wait;

/// How long everything may take to come to rest after the load.
pub const QUIET_WITHIN: Duration = Duration::from_secs(60);
/// When nothing has moved for so long, nothing will: longer than any first retry of the platform.
const STANDSTILL: Duration = Duration::from_secs(12);
/// How long a server may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Who lies where; nobody by default.
#[derive(Default)]
pub struct Between {
    /// Between clients and server.
    pub client: Option<ClientLie>,
    /// Between server and operator.
    pub operator: Option<OperatorLie>,
    /// Between server and sink: every n-th call is repeated.
    pub sink_every: Option<u64>,
    /// The data directory, where it is not to be a folder of the story's own.
    pub data: Option<std::path::PathBuf>,
    /// More tables of the first account.
    pub tables: &'static str,
    /// More keys for the section `[store]` of the configuration, and sections after it.
    pub store_keys: &'static str,
}

/// A story's stage.
pub struct Stage {
    /// The seed of the run.
    pub seed: Seed,
    /// The operator.
    pub operator: Operator,
    /// The webhook sink.
    pub sink: Sink,
    /// The tenants.
    pub accounts: Vec<Account>,
    /// The connection to the operator.
    pub carrier: Carrier,
    /// Where the server is installed.
    pub site: Site,
    /// What the clients wrote down.
    pub ledger: Ledger,
    /// The server, while it runs.
    pub server: Option<Server>,
    address: watch::Sender<SocketAddr>,
    client_liar: Option<ClientLiar>,
    _operator_liar: Option<OperatorLiar>,
    _sink_liar: Option<SinkLiar>,
}

impl Stage {
    /// Sets everything up and starts the server.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn set(story: &str, between: Between) -> Result<Self> {
        let mut stage = Self::prepare(story, between).await?;
        stage.start(&[]).await?;
        Ok(stage)
    }

    /// Sets everything up but does not start the server.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn prepare(story: &str, between: Between) -> Result<Self> {
        let seed = Seed::of(story);
        let operator = Operator::start(Behaviour::default()).await?;
        let sink = Sink::start().await?;
        let operator_liar = match between.operator {
            Some(lie) => Some(OperatorLiar::start(lie, operator.address()).await?),
            None => None,
        };
        let sink_liar = match between.sink_every {
            Some(every) => Some(SinkLiar::start(every, sink.address()).await?),
            None => None,
        };
        let carrier = Carrier::at(operator_liar.as_ref().map_or_else(|| operator.address(), OperatorLiar::address));
        let port = sink_liar.as_ref().map_or_else(|| sink.address(), SinkLiar::address).port();
        let mut acme = Account::new("acme", "ACME").told_at(port);
        acme.tables = between.tables;
        let accounts = vec![acme, Account::new("globex", "GLOBEX").told_at(port)];
        let site = Site::install_at(between.data.as_deref(), between.store_keys, &carrier, &accounts).await?;
        let (address, addresses) = watch::channel(SocketAddr::from(([127, 0, 0, 1], 1)));
        let client_liar = match between.client {
            Some(lie) => Some(ClientLiar::start(lie, addresses).await?),
            None => None,
        };
        Ok(Self {
            seed,
            operator,
            sink,
            accounts,
            carrier,
            site,
            ledger: Ledger::default(),
            server: None,
            address,
            client_liar,
            _operator_liar: operator_liar,
            _sink_liar: sink_liar,
        })
    }

    /// Starts the server behind these words; answers how long it took to be ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start(&mut self, before: &[&str]) -> Result<Duration> {
        let server = self.site.start_with(before).await?;
        let ready_after = server.ready_after();
        self.address.send_replace(server.address());
        self.server = Some(server);
        Ok(ready_after)
    }

    /// Kills the server.
    ///
    /// # Errors
    /// It was gone already.
    pub async fn kill(&mut self) -> Result<()> {
        let server = self.server.take().context("no server to kill")?;
        server.kill().await?;
        self.operator.books().crashed();
        if let Some(liar) = &self.client_liar {
            liar.killed();
        }
        Ok(())
    }

    /// Stops the server as an operator of it would.
    ///
    /// # Errors
    /// It does not stop, or not with exit code 0.
    pub async fn stop(&mut self) -> Result<()> {
        let mut server = self.server.take().context("no server to stop")?;
        server.terminate()?;
        let status = server.ended(STOP_WITHIN).await?;
        if !status.success() {
            bail!("the server ended with {status} when asked to stop");
        }
        Ok(())
    }

    /// Where clients connect: the server, or the liar before it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.client_liar.as_ref().map_or_else(|| *self.address.borrow(), ClientLiar::address)
    }

    /// Starts load.
    #[must_use]
    pub fn load(&self, options: &LoadOptions) -> Load {
        let address = match &self.client_liar {
            Some(liar) => watch::channel(liar.address()).1,
            None => self.address.subscribe(),
        };
        Load::start(options, &address, &self.accounts, &self.ledger, self.seed)
    }

    /// The server died without being killed by the story; what was in flight may be submitted again.
    pub fn died(&mut self) {
        self.server = None;
        self.operator.books().crashed();
    }

    /// One message of one client, entered into the ledger.
    ///
    /// # Errors
    /// No answer came; the ledger says so too.
    pub async fn ask(&self, connection: &mut Connection, account: usize, id: &str, phone: &str) -> Result<Answer> {
        let account = &self.accounts[account];
        let text = format!("{id} asks");
        let end = self.ledger.enter(vec![Asked {
            account: account.name.to_owned(),
            external_id: id.to_owned(),
            phone: phone.to_owned(),
            text: text.clone(),
            outcome: Outcome::Unanswered,
            answered_id: None,
        }]);
        let body = json!({"sender": account.sender, "message": text, "phoneNumbers": [phone], "externalId": id});
        let answer = connection.call("POST", "/v2.1/sms", &account.headers(), body.to_string().as_bytes()).await?;
        if answer.status == 200 {
            let answered = answer.json()?["data"][0]["externalId"].as_str().unwrap_or_default().to_owned();
            self.ledger.answered(end, 1, Outcome::Kept, &[answered]);
        } else {
            self.ledger.answered(end, 1, Outcome::Refused(answer.status), &[]);
        }
        Ok(answer)
    }

    /// A connection of a client.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address()).await
    }

    /// Waits until nothing moves any more: every receipt is out and every webhook taken.
    ///
    /// # Errors
    /// The API can't be read.
    pub async fn quiet(&self) -> Result<()> {
        if let Some(liar) = &self.client_liar {
            wait::until("the liar passes on what it answered", QUIET_WITHIN, || liar.pending_count() == 0).await?;
        }
        let (mut moved, mut since) = ((0, 0), Instant::now());
        let at_rest = async || {
            let now = (self.sink.taken_count(), self.operator.books().acknowledged_count());
            if now != moved {
                (moved, since) = (now, Instant::now());
            }
            let mut open = self.operator.receipts_waiting();
            for account in &self.accounts {
                open += open_count(self.address(), account).await.unwrap_or(1);
            }
            (open == 0 && self.every_outcome_told()) || since.elapsed() > STANDSTILL
        };
        // What is still open then is for the checker to name.
        wait::until_asked("rest or standstill", QUIET_WITHIN, at_rest).await.map(drop)
    }

    fn every_outcome_told(&self) -> bool {
        let told: std::collections::HashSet<String> =
            self.sink.told().into_iter().filter(|told| told.answered < 300).map(|told| told.phone).collect();
        let asked = self.ledger.copy();
        asked.iter().filter(|asked| asked.outcome == Outcome::Kept).all(|asked| told.contains(&asked.phone))
    }

    /// Quiet period, dump, stop, span files: all books of the run.
    ///
    /// # Errors
    /// A book can't be read.
    pub async fn evidence(&mut self) -> Result<Evidence> {
        self.quiet().await?;
        let mut shown = Vec::new();
        for account in &self.accounts {
            shown.extend(dump::shown(self.address(), account).await?);
        }
        self.stop().await?;
        let (submitted, receipts) = self.operator.books().copy();
        Ok(Evidence {
            asked: self.ledger.copy(),
            submitted,
            receipts,
            told: self.sink.told(),
            shown,
            stored: Some(spans::stored(self.site.data())?),
            in_flight_max: self.carrier.in_flight_max(),
            settled: true,
            all_told: true,
        })
    }

    /// The same, and judged: fails with every broken promise.
    ///
    /// # Errors
    /// A promise was broken.
    pub async fn judged(&mut self) -> Result<Evidence> {
        let evidence = self.evidence().await?;
        println!(
            "asked {}, answered 200 {}, submitted {}, told {}, crashes {}",
            evidence.asked.len(),
            self.ledger.kept_count(),
            evidence.submitted.len(),
            evidence.told.len(),
            self.operator.books().crashes()
        );
        match verdict(&judge(&evidence)) {
            Some(verdict) => bail!("{verdict}"),
            None => Ok(evidence),
        }
    }
}

/// Messages of an account that are not final; at most the first page counts.
async fn open_count(address: SocketAddr, account: &Account) -> Result<usize> {
    let mut connection = Connection::open(address).await?;
    let mut open = 0;
    for status in [1, 2] {
        let answer =
            connection.call("GET", &format!("/v2.1/sms?limit=1&status={status}"), &account.headers(), b"").await?;
        open += usize::from(answer.status != 404);
    }
    Ok(open)
}
