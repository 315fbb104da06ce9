//! A receiver of webhooks on one thread that counts only, to see what it takes: aim `loadgen send --url` at it.

use std::time::Duration;

use simulator::webhook::{Sink, SinkOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".into());
    let listen = listen.parse().map_err(|_| std::io::Error::other("give an address and a port to listen on"))?;
    let sink = Sink::start(&SinkOptions { listen, ..SinkOptions::local() }, false).await?;
    println!("{}", sink.url());
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let calls = sink.calls();
        println!("{} calls/s", calls - before);
        before = calls;
    }
}
