//! The command line of the binary under test.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// A command that takes longer hangs.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// Where the release binary is: `POSTHORN_BINARY`, or the target folder of this workspace.
///
/// # Errors
/// It was not built.
pub fn binary() -> Result<PathBuf> {
    if let Ok(given) = std::env::var("POSTHORN_BINARY") {
        return Ok(given.into());
    }
    let folder = std::env::var("CARGO_TARGET_DIR")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    let path = folder.join("release/posthorn");
    if !path.exists() {
        bail!("{} is not there; build it with `cargo build --release -p posthorn`", path.display());
    }
    Ok(path)
}

/// Runs `posthorn` with these words to its end.
///
/// # Errors
/// It can't be started or takes more than a minute.
pub async fn posthorn(words: &[&str]) -> Result<Output> {
    let child = Command::new(binary()?)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::timeout(COMMAND_WITHIN, child.wait_with_output())
        .await
        .with_context(|| format!("posthorn {} does not end", words.join(" ")))?
        .context("waiting for posthorn")
}

/// The same, where anything but exit code 0 is an error.
///
/// # Errors
/// It failed; what it wrote is in the error.
pub async fn posthorn_ok(words: &[&str]) -> Result<String> {
    let output = posthorn(words).await?;
    if !output.status.success() {
        bail!(
            "posthorn {}: {}\n{}{}",
            words.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
