//! Accounts, keys and carriers of a story, and the files that say so.

use std::net::SocketAddr;

/// A tenant with one key and one webhook.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name; its externalIds begin with it.
    pub name: &'static str,
    /// `Authorization` of its key.
    pub authorization: String,
    /// `Application-Key` of its key.
    pub application_key: String,
    /// The sender it may use.
    pub sender: &'static str,
    /// Port of the sink on loopback; reports go to `/<name>` there. None = no webhook.
    pub sink_port: Option<u16>,
    /// The Priority add-on.
    pub priority: bool,
    /// Messages per second it may send, 0 = no limit.
    pub messages_per_second: u32,
    /// More tables of the account: numbers, bots.
    pub tables: &'static str,
}

impl Account {
    /// A tenant with made-up keys.
    #[must_use]
    pub fn new(name: &'static str, sender: &'static str) -> Self {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            name,
            authorization: format!("Authorization0{letters}").repeat(8).chars().take(96).collect(),
            application_key: format!("Application0{letters}0key"),
            sender,
            sink_port: None,
            priority: true,
            messages_per_second: 0,
            tables: "",
        }
    }

    /// With a webhook at this port.
    #[must_use]
    pub fn told_at(mut self, port: u16) -> Self {
        self.sink_port = Some(port);
        self
    }

    /// The headers of its calls.
    #[must_use]
    pub fn headers(&self) -> [(&str, &str); 3] {
        [
            ("authorization", &self.authorization),
            ("application-key", &self.application_key),
            ("content-type", "application/json"),
        ]
    }

    fn toml(&self) -> String {
        let Self { name, authorization, application_key, sender, priority, messages_per_second, tables, .. } = self;
        let webhook = self.sink_port.map_or_else(String::new, |port| {
            let endpoint = |event: &str, path: &str| {
                format!("[[account.webhook]]\nevent = \"{event}\"\nurl = \"http://127.0.0.1:{port}/{path}\"\n")
            };
            endpoint("sms.status", name)
                + &endpoint("sms.click", &format!("{name}-clicks"))
                + &endpoint("sms.incoming", &format!("{name}-incoming"))
        });
        format!(
            "[[account]]\nname = \"{name}\"\ncurrency = \"PLN\"\nbalance = \"9000000.0000\"\npriority = {priority}\nmessages_per_second = {messages_per_second}\n\
             [[account.sender]]\nname = \"{sender}\"\napproved = true\n\
             [[account.key]]\nname = \"backend\"\nauthorization = \"{authorization}\"\napplication_key = \"{application_key}\"\n\
             senders = [\"{sender}\"]\npermissions = [\"sms.send\", \"sms.read\"]\n{webhook}\n{tables}\n"
        )
    }
}

/// A connection to the operator of the story.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// Where the operator listens.
    pub address: SocketAddr,
    /// Sessions.
    pub binds: usize,
    /// Unanswered submits per session.
    pub window: usize,
    /// Parts per second, 0 = no limit.
    pub rate_per_second: u32,
    /// A second connection to the same operator account, used when this one is in trouble.
    pub second: Option<SocketAddr>,
    /// Further lines of each connection.
    pub more: &'static str,
}

impl Carrier {
    /// Two sessions of 50.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, binds: 2, window: 50, rate_per_second: 0, second: None, more: "" }
    }

    /// Submits that may be unanswered when the server dies.
    #[must_use]
    pub fn in_flight_max(&self) -> usize {
        self.binds * self.window
    }

    fn toml(&self) -> String {
        let Self { binds, window, rate_per_second, more, .. } = self;
        let connection = |name: &str, address: SocketAddr| {
            format!(
                "[[carrier]]\nname = \"{name}\"\nhost = \"{}\"\nport = {}\nsystem_id = \"posthorn\"\n\
                 password = \"secret\"\nbind = \"transceiver\"\nbinds = {binds}\npriority_binds = 1\nwindow = {window}\n\
                 rate_per_second = {rate_per_second}\ndirect = true\noperator_account = \"one\"\n{more}\n\n",
                address.ip(),
                address.port()
            )
        };
        let mut file = connection("operator-one", self.address);
        let mut names = "\"operator-one\"".to_owned();
        if let Some(second) = self.second {
            file.push_str(&connection("operator-two", second));
            names.push_str(", \"operator-two\"");
        }
        file + &format!("[[route]]\nprefix = \"48\"\ncarriers = [{names}]\ndirect_only = true\nprice = \"0.0001\"\n\n")
    }
}

/// The whole setup file.
#[must_use]
pub fn setup_toml(carrier: &Carrier, accounts: &[Account]) -> String {
    let mut file = carrier.toml();
    for account in accounts {
        file.push_str(&account.toml());
    }
    file
}
