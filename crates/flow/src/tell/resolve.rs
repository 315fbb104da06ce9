//! Names to addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::bounds::{ADDRESSES_MAX, LOOK_UP, LOOK_UPS_MAX};
use super::outbox::BoxFuture;

/// Resolves names. Every connection asks anew, so that what is connected to is what was judged.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, at least one.
    fn resolve(&self, host: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug)]
pub struct SystemResolver {
    slots: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(LOOK_UPS_MAX)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let look_up = async {
                let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other)?;
                // The thread keeps the slot even when nobody waits any more: hanging look-ups can't pile up.
                let thread = tokio::task::spawn_blocking(move || {
                    let addresses = (host.as_str(), 0).to_socket_addrs();
                    drop(slot);
                    addresses.map(|all| all.map(|address| address.ip()).collect::<Vec<_>>())
                });
                thread.await.map_err(io::Error::other)?
            };
            let addresses = timeout(LOOK_UP, look_up).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            match addresses.len() {
                0 => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
                1..=ADDRESSES_MAX => Ok(addresses),
                _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the name has too many addresses")),
            }
        })
    }
}
