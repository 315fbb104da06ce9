//! `posthorn serve`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tracing::info;

use crate::cli::Serve;
use crate::options::Options;
use crate::start::{Server, asked_to_stop, runtime};
use crate::telemetry;

pub fn run(command: &Serve) -> Result<ExitCode> {
    let options = Options::load(&command.config.config)?;
    telemetry::start(&options.log)?;
    runtime()?.block_on(async {
        let server = Server::start(&options).await?;
        let url = |address: Option<std::net::SocketAddr>, scheme: &str| address.map(|address| format!("{scheme}://{address}"));
        let (http, https) = (url(server.listen, "http"), url(server.listen_tls, "https"));
        let priority = url(server.listen_priority, "http");
        let (operations, links) = (url(server.operations, "http"), url(server.listen_links, "http"));
        info!(
            target: "posthorn", version = env!("CARGO_PKG_VERSION"), data_dir = %options.store.data_dir.display(),
            http = http.as_deref().unwrap_or("none"), https = https.as_deref().unwrap_or("none"),
            priority = priority.as_deref().unwrap_or("none"), operations = operations.as_deref().unwrap_or("none"), links = links.as_deref().unwrap_or("none"), "ready"
        );
        if command.ready_json {
            let base = http.or(https);
            println!("{}", json!({
                "baseUrl": base, "priorityUrl": priority, "operationsUrl": operations, "linksUrl": links, "pid": std::process::id(), "dataDir": options.store.data_dir,
            }));
        }
        asked_to_stop().await?;
        server.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}
