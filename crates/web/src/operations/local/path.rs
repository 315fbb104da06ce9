//! Where the socket lies.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::bounds::SOCKET_PATH_OCTETS_MAX;

const SOCKET_NAME: &str = "operations.sock";

/// The socket of a data directory, under a path that fits into a socket address.
pub(super) struct SocketPath {
    pub(super) path: PathBuf,
    /// Held open while the path leads over its descriptor.
    _directory: Option<File>,
}

impl SocketPath {
    /// The path itself, or one over `/proc` where it is too long for an address.
    pub(super) fn of(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(SOCKET_NAME);
        if path.as_os_str().len() <= SOCKET_PATH_OCTETS_MAX {
            return Ok(Self { path, _directory: None });
        }
        let directory = File::open(data_dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET_NAME}", directory.as_raw_fd()));
        Ok(Self { path, _directory: Some(directory) })
    }
}
