//! How the receiver answers.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Octets of the body of [`Mood::Huge`] that are written at a time.
const HUGE_CHUNK_OCTETS: usize = 64 * 1024;

/// How the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// With this HTTP status after so many milliseconds.
    Answer {
        /// HTTP status.
        status: u16,
        /// Milliseconds before the answer.
        after_ms: u64,
    },
    /// With 429 and `Retry-After`.
    Busy {
        /// When to come back, in seconds.
        retry_after_seconds: u32,
    },
    /// With 200, one octet of the answer at a time.
    Drip {
        /// Milliseconds between two octets.
        every_ms: u64,
    },
    /// With 200 and a body of so many octets.
    Huge {
        /// Its length.
        body_octets: u64,
    },
    /// With 302 to another place on this receiver.
    Redirect,
    /// With something that is no HTTP.
    Nonsense,
    /// Not at all: reads and stays silent.
    Silent,
    /// Closes the connection without an answer.
    Hangup,
    /// Resets the connection without an answer.
    Reset,
}

impl Mood {
    /// The HTTP status that is answered; 0 for none.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Answer { status, .. } => status,
            Self::Busy { .. } => 429,
            Self::Drip { .. } | Self::Huge { .. } => 200,
            Self::Redirect => 302,
            Self::Nonsense | Self::Silent | Self::Hangup | Self::Reset => 0,
        }
    }

    /// Whether many answers may go out in one write: nothing is to be waited for.
    pub(super) const fn is_immediate(self) -> bool {
        matches!(self, Self::Answer { after_ms: 0, .. } | Self::Busy { .. } | Self::Redirect)
    }

    /// Appends the whole answer of a mood that has one.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let extra = match self {
            Self::Busy { retry_after_seconds } => format!("Retry-After: {retry_after_seconds}\r\n"),
            Self::Redirect => "Location: /elsewhere\r\n".to_owned(),
            Self::Answer { status: 200, .. } => {
                out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            _ => String::new(),
        };
        let status = self.status();
        out.extend_from_slice(format!("HTTP/1.1 {status} Told\r\n{extra}Content-Length: 0\r\n\r\n").as_bytes());
    }

    /// Answers slowly or badly. `false` ends the connection.
    pub(super) async fn act(self, stream: &mut TcpStream) -> io::Result<bool> {
        let mut answer = Vec::new();
        match self {
            Self::Answer { after_ms, .. } => {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                self.write(&mut answer);
                stream.write_all(&answer).await?;
            }
            Self::Busy { .. } | Self::Redirect => {
                self.write(&mut answer);
                stream.write_all(&answer).await?;
            }
            Self::Drip { every_ms } => {
                for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndrip" {
                    stream.write_all(&[*octet]).await?;
                    tokio::time::sleep(Duration::from_millis(every_ms)).await;
                }
            }
            Self::Huge { body_octets } => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {body_octets}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let mut left = body_octets;
                let chunk = vec![b'x'; HUGE_CHUNK_OCTETS];
                while left > 0 {
                    let octets = left.min(HUGE_CHUNK_OCTETS as u64);
                    stream.write_all(&chunk[..octets as usize]).await?;
                    left -= octets;
                }
            }
            Self::Nonsense => {
                stream.write_all(b"no, thank you\r\n\r\n").await?;
                return Ok(false);
            }
            Self::Silent => std::future::pending().await,
            Self::Hangup => return Ok(false),
            Self::Reset => {
                stream.set_zero_linger()?;
                return Ok(false);
            }
        }
        Ok(true)
    }
}
