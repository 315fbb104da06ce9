//! Names, places and the lock of the data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::id::MessageId;
use domain::lane::Lane;
use rustix::fs::{FlockOperation, flock};

use crate::error::OpenError;

/// Where things lie in a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub data_dir: PathBuf,
}

/// What a span is called, from its lane and its first id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SpanName {
    pub lane: Lane,
    pub first: MessageId,
}

impl SpanName {
    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("{}-{}.db", self.lane.name(), self.first)
    }

    /// Reads a file name; `None` for anything that is no span.
    pub fn parse(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".db")?;
        let (lane, first) = stem.rsplit_once('-')?;
        let lane = Lane::ALL.into_iter().find(|candidate| candidate.name() == lane)?;
        Some(Self { lane, first: MessageId::from_reference(first)? })
    }
}

impl Layout {
    /// Directory of the span files.
    pub fn spans(&self) -> PathBuf {
        self.data_dir.join("spans")
    }

    /// The file of a span.
    pub fn span(&self, name: SpanName) -> PathBuf {
        self.spans().join(name.file_name())
    }

    /// Sums of what retention has deleted.
    pub fn archive(&self) -> PathBuf {
        self.spans().join("archive.db")
    }

    /// The preallocated file that is given up when the disk is full.
    pub fn reserve(&self) -> PathBuf {
        self.data_dir.join("reserve")
    }

    /// Where the next span of a lane is prepared before it gets its name.
    pub fn spare(&self, lane: Lane) -> PathBuf {
        self.spans().join(format!("{}.next", lane.name()))
    }

    /// All spans, by lane and first id.
    pub fn list_spans(&self) -> io::Result<Vec<SpanName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.spans())? {
            if let Some(name) = entry?.file_name().to_str().and_then(SpanName::parse) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the directories, so that they survive a power cut.
    pub fn create(&self) -> Result<(), OpenError> {
        let spans = self.spans();
        fs::create_dir_all(&spans).map_err(|source| io_error("create", &spans, source))?;
        sync_directory(&self.data_dir)?;
        if let Some(parent) = self.data_dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        Ok(())
    }
}

/// Holds the data directory for one process; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the directory.
    pub fn take(data_dir: &Path) -> Result<Self, OpenError> {
        let path = data_dir.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| io_error("create", &path, source))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenError::InUse { directory: data_dir.to_owned() }),
            Err(errno) => return Err(io_error("lock", &path, errno.into())),
        }
        // Only for the person who looks; a full disk must not keep the store from opening.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

/// Makes names created, renamed or deleted in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), OpenError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|source| io_error("sync", directory, source))
}

/// Names an input or output error.
pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { action, path: path.to_owned(), source }
}

/// `path` with `suffix` appended to its file name, as SQLite names its companions.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Last component as text, for messages.
pub(crate) fn short_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_found_by_its_file_name() {
        let name = SpanName { lane: Lane::Standard, first: MessageId(0x1234_5678_9abc) };
        assert_eq!(SpanName::parse(&name.file_name()), Some(name));
        for other in ["standard-0000123456789abc.db-wal", "archive.db", "standard-12.db", "bulk-0000123456789abc.db"] {
            assert_eq!(SpanName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap();
        assert!(matches!(Lock::take(directory.path()), Err(OpenError::InUse { .. })));
        drop(first);
        assert!(Lock::take(directory.path()).is_ok());
    }
}
