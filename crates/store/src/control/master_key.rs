//! The master key file: 32 random octets that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use domain::random::Random;

use super::error::ControlError;

const KEY_OCTETS: usize = 32;
const OTHERS: u32 = 0o077;

/// Reads the master key; `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<[u8; KEY_OCTETS]>, ControlError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ControlError::file("open the master key file", path, error)),
    };
    let failed = |error| ControlError::file("read the master key file", path, error);
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(ControlError::MasterKeyOpen { path: path.to_owned(), mode });
    }
    if metadata.len() != KEY_OCTETS as u64 {
        return Err(ControlError::MasterKeyMalformed { path: path.to_owned(), octets: metadata.len() });
    }
    let mut key = [0; KEY_OCTETS];
    file.read_exact(&mut key).map_err(failed)?;
    Ok(Some(key))
}

/// Makes a master key, unless another process was faster; either way the file then holds a whole one.
pub(super) fn create(path: &Path, random: &Random) -> Result<(), ControlError> {
    let failed = |error| ControlError::file("make the master key file", path, error);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A whole file is linked into place: nobody ever sees half a key, and nobody's key is overwritten.
    let draft = directory.join(format!(".master-key-{}", random.alphanumeric(12)));
    let linked = write_draft(&draft, random).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(failed)?,
    }
    removed.map_err(failed)?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

fn write_draft(draft: &Path, random: &Random) -> io::Result<()> {
    let mut key = [0; KEY_OCTETS];
    random.fill(&mut key);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(&key)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_made_key_is_private_whole_and_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        assert!(read(&path).unwrap().is_none());
        create(&path, &Random::system()).unwrap();
        let key = read(&path).unwrap().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        create(&path, &Random::system()).unwrap();
        assert_eq!(read(&path).unwrap(), Some(key));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        create(&path, &Random::system()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert!(message.contains("(mode 0640): run `chmod 600 "), "{message}");
    }

    #[test]
    fn a_file_of_another_length_is_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        write_draft(&path, &Random::system()).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"x").unwrap();
        assert!(matches!(read(&path), Err(ControlError::MasterKeyMalformed { octets: 33, .. })));
    }
}
