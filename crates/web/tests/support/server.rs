//! The API on a socket of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use domain::random::Random;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::api::{Api, Outcomes};
use web::serve::{Handle, Options, Service};

use super::client::Client;
use super::fake::Fake;

pub struct Server {
    pub address: SocketAddr,
    pub fake: Fake,
    pub handle: Handle,
    pub drain: watch::Sender<bool>,
    pub running: JoinHandle<()>,
    pub data_dir: tempfile::TempDir,
    pub outcomes: Arc<Outcomes>,
}

pub fn options() -> Options {
    Options { listen: "127.0.0.1:0".into(), ..Options::default() }
}

impl Server {
    pub fn start() -> Self {
        Self::with(options())
    }

    pub fn with(options: Options) -> Self {
        let fake = Fake::new();
        let data_dir = tempfile::tempdir().unwrap();
        let random = Random::system();
        let api = Api::new(fake.clone(), fake.0.clock.clone(), &random, options.api().unwrap());
        let outcomes = api.outcomes();
        let service = Service::bind(&options, data_dir.path(), &random, api).unwrap();
        let handle = service.handle();
        let (drain, drained) = watch::channel(false);
        let running = tokio::spawn(service.run(drained));
        let address = handle.listen().or_else(|| handle.listen_tls()).unwrap();
        Self { address, fake, handle, drain, running, data_dir, outcomes }
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }
}
