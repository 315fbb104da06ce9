//! A small disk in memory that can be filled up. Needs root, as mounting does.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A mounted tmpfs; unmounted when dropped.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of this size.
    ///
    /// # Errors
    /// Mounting is not allowed.
    pub fn mount(mebibytes: u32) -> Result<Self> {
        let folder = TempDir::with_prefix("posthorn-disk-")?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "posthorn-story"])
            .arg(folder.path())
            .status()
            .context("can't run mount")?;
        if !status.success() {
            bail!("can't mount a tmpfs: run this story as root");
        }
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last octet; again, where something was deleted meanwhile.
    ///
    /// # Errors
    /// It can't be written for another reason than being full.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = OpenOptions::new().create(true).append(true).open(self.ballast())?;
        for size in [64 * 1024, 4 * 1024, 512, 1] {
            let block = vec![0; size];
            loop {
                match ballast.write(&block) {
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Takes the ballast away again.
    ///
    /// # Errors
    /// There was none.
    pub fn free(&self) -> Result<()> {
        std::fs::remove_file(self.ballast()).context("no ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still hold files.
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted; unmount it by hand", self.path().display());
        }
    }
}
