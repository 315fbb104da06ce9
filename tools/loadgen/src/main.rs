//! `loadgen send` makes a load, `loadgen bare` is the simplest server there can be to measure the tool against.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use clap::{Parser, Subcommand};
use loadgen::{LoadOptions, bare, process_cpu};
use tokio::net::TcpListener;

/// Load on POST /v2.1/sms, with latency counted from the planned time
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send requests and report how they were answered
    Send {
        #[command(flatten)]
        load: Box<LoadOptions>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Answer every request with the same envelope, to find the ceiling of this machine
    Bare {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8081")]
        listen: String,
    },
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Arguments::parse().command {
        Command::Send { load, json } => runtime.block_on(send(*load, json)),
        Command::Bare { listen } => runtime.block_on(serve_bare(&listen)),
    }
}

async fn send(load: LoadOptions, json: bool) -> anyhow::Result<()> {
    let running = loadgen::start(load, None)?;
    tokio::select! {
        () = loadgen::watch(&running) => {}
        // The report of what was done until then still follows.
        _ = tokio::signal::ctrl_c() => running.stop(),
    }
    let report = running.finish().await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}

async fn serve_bare(listen: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen}; choose another with --listen"))?;
    eprintln!("answering everything on http://{}; stop with Ctrl+C", listener.local_addr()?);
    let answered = Arc::new(AtomicU64::new(0));
    tokio::select! {
        result = bare::serve(listener, Arc::clone(&answered)) => result?,
        _ = tokio::signal::ctrl_c() => {}
    }
    let count = answered.load(Ordering::Relaxed);
    let each_us = process_cpu().as_secs_f64() * 1e6 / (count.max(1) as f64);
    eprintln!("{count} requests answered, {each_us:.1} µs of CPU each");
    Ok(())
}
