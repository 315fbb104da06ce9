//! The conversation between a person and an operator.

use std::io;
use std::net::SocketAddr;

use clap::Args;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How to run a handset.
#[derive(Args, Clone, Debug)]
pub struct HandsetOptions {
    /// The operator's control address: what was given to `simulate operator --control`.
    #[arg(long, default_value = "127.0.0.1:2776", value_name = "ADDRESS")]
    pub control: SocketAddr,
    /// The phone's own number.
    #[arg(long, default_value = "48600100200", value_name = "NUMBER")]
    pub number: String,
    /// The number that is written to.
    #[arg(long, default_value = "48500100200", value_name = "NUMBER")]
    pub to: String,
    /// Show texts without colours.
    #[arg(long)]
    pub plain: bool,
}

/// Why a handset ended.
#[derive(Debug, thiserror::Error)]
pub enum HandsetError {
    /// No operator answers there.
    #[error("no operator at {address}: {source}; start one with --control {address}")]
    NoOperator {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The operator went away.
    #[error("the operator is gone")]
    Gone,
    /// The terminal can no longer be read or written.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Talks until `typed` ends; what comes is written to `shown`, one line each.
///
/// # Errors
/// [`HandsetError`].
pub async fn run<In, Out>(options: &HandsetOptions, typed: In, mut shown: Out) -> Result<(), HandsetError>
where
    In: AsyncBufRead + Unpin,
    Out: AsyncWrite + Unpin,
{
    let connected = TcpStream::connect(options.control).await;
    let mut stream = connected.map_err(|source| HandsetError::NoOperator { address: options.control, source })?;
    let (read, mut write) = stream.split();
    let (mut from_operator, mut typed) = (BufReader::new(read).lines(), typed.lines());
    let gone = |_| HandsetError::Gone;
    write.write_all(format!("{}\n", json!({ "watch": options.number })).as_bytes()).await.map_err(gone)?;
    let hello = format!("This is the phone {}; what you type goes to {}. Ctrl-D ends.\n", options.number, options.to);
    shown.write_all(hello.as_bytes()).await?;
    // Every request has one answer; the end waits for those that are due, so that nothing typed is cut off.
    let (mut unanswered, mut done) = (1_u32, false);
    while !done || unanswered > 0 {
        tokio::select! {
            line = from_operator.next_line() => {
                let line = line.map_err(gone)?.ok_or(HandsetError::Gone)?;
                let value: Value = serde_json::from_str(&line).unwrap_or_default();
                if value["message"].is_null() {
                    unanswered = unanswered.saturating_sub(1);
                }
                if let Some(line) = line_for(&value, options.plain) {
                    shown.write_all(line.as_bytes()).await?;
                    shown.flush().await?;
                }
            }
            line = typed.next_line(), if !done => match line? {
                None => done = true,
                Some(text) if text.trim().is_empty() => {}
                Some(text) => {
                    let deliver = json!({ "source": options.number, "destination": options.to, "text": text });
                    let request = format!("{}\n", json!({ "deliver": deliver }));
                    write.write_all(request.as_bytes()).await.map_err(gone)?;
                    unanswered += 1;
                }
            },
        }
    }
    Ok(())
}

/// What is shown of something the operator said.
fn line_for(value: &Value, plain: bool) -> Option<String> {
    let message = &value["message"];
    if let (Some(source), Some(text)) = (message["source"].as_str(), message["text"].as_str()) {
        // A text must not take over the terminal.
        let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        return Some(if plain { format!("{source}: {text}\n") } else { format!("\x1b[36m{source}:\x1b[0m {text}\n") });
    }
    value["error"].as_str().map(|error| format!("not sent: {error}\n"))
}
