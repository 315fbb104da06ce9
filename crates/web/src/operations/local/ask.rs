//! The command line's end of the socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::path::SocketPath;

/// Why nothing came of a request.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answers.
    #[error("no server runs on {data_dir} ({source}); start it with `posthorn serve`", data_dir = data_dir.display())]
    NobodyThere {
        /// Where it was looked for.
        data_dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The connection ended before the outcome was known.
    #[error("the server went away before it said what became of it: {0}")]
    Gone(io::Error),
    /// The server says no.
    #[error("{0}")]
    Refused(String),
}

impl AskError {
    /// Whether no server runs at all.
    #[must_use]
    pub fn is_nobody_there(&self) -> bool {
        matches!(self, Self::NobodyThere { .. })
    }
}

/// Asks the server on a data directory; `on_line` gets what becomes known on the way and says whether to go on. Blocking.
///
/// # Errors
/// [`AskError`].
pub fn ask(
    data_dir: &Path,
    request: &impl Serialize,
    mut on_line: impl FnMut(&Value) -> bool,
) -> Result<Value, AskError> {
    let nobody = |source| AskError::NobodyThere { data_dir: data_dir.to_owned(), source };
    let path = SocketPath::of(data_dir).map_err(nobody)?;
    let mut stream = UnixStream::connect(&path.path).map_err(nobody)?;
    let mut line = serde_json::to_string(request).map_err(|error| AskError::Gone(error.into()))?;
    line.push('\n');
    stream.write_all(line.as_bytes()).map_err(AskError::Gone)?;
    for line in BufReader::new(stream).lines() {
        let mut value: Value =
            serde_json::from_str(&line.map_err(AskError::Gone)?).map_err(|error| AskError::Gone(error.into()))?;
        if let Some(error) = value["error"].as_str() {
            return Err(AskError::Refused(error.to_owned()));
        }
        if let Some(done) = value.get_mut("done") {
            return Ok(done.take());
        }
        if !on_line(&value["line"]) {
            return Ok(Value::Null);
        }
    }
    Err(AskError::Gone(io::ErrorKind::UnexpectedEof.into()))
}
