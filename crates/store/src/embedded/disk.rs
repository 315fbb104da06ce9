//! Room on the data disk: accepts stop before it is full, so that receipts and state changes can go on.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Free room, looked up now and then, and the file that is given up when there is none.
///
/// Half of the reserve lies in a preallocated file, half is kept free. Accepts stop when both together
/// fall below the reserve; when a commit finds the disk full all the same, the file goes.
#[derive(Debug)]
pub(crate) struct Disk {
    data_dir: PathBuf,
    reserve_file: PathBuf,
    reserve_octets: u64,
    free_octets: AtomicU64,
    accepts: AtomicBool,
}

impl Disk {
    /// Watches the disk of `data_dir`.
    pub fn new(data_dir: &Path, reserve_file: PathBuf, reserve_octets: u64) -> Self {
        let disk = Self {
            data_dir: data_dir.to_owned(),
            reserve_file,
            reserve_octets,
            free_octets: AtomicU64::new(u64::MAX),
            accepts: AtomicBool::new(true),
        };
        disk.look();
        disk
    }

    /// Whether there is room for accepts.
    pub fn accepts(&self) -> bool {
        self.accepts.load(Ordering::Acquire)
    }

    /// Free octets at the last look.
    pub fn free_octets(&self) -> u64 {
        self.free_octets.load(Ordering::Relaxed)
    }

    /// Looks at the free room, and takes the reserve back when there is enough again.
    pub fn look(&self) {
        let Ok(status) = statvfs(&self.data_dir) else { return };
        let free = status.f_bavail.saturating_mul(status.f_frsize);
        self.free_octets.store(free, Ordering::Relaxed);
        let held = fs::metadata(&self.reserve_file).map_or(0, |metadata| metadata.len());
        let enough = free.saturating_add(held) >= self.reserve_octets;
        let in_file = self.reserve_octets / 2;
        if enough && held < in_file && free >= self.reserve_octets {
            self.take_reserve(in_file);
        }
        if self.accepts.swap(enough, Ordering::AcqRel) != enough {
            if enough {
                tracing::info!(target: "store", free, "there is room on the data disk again: accepting");
            } else {
                tracing::error!(target: "store", free, reserve = self.reserve_octets, "the data disk is nearly full: refusing new messages until there is room");
            }
        }
    }

    /// A commit found the disk full. True if the reserve was given up, so that it can be tried again.
    pub fn found_full(&self) -> bool {
        self.accepts.store(false, Ordering::Release);
        let held = fs::metadata(&self.reserve_file).map_or(0, |metadata| metadata.len());
        let released = held > 0 && fs::remove_file(&self.reserve_file).is_ok();
        tracing::error!(target: "store", released, "the data disk is full: refusing new messages until there is room");
        released
    }

    fn take_reserve(&self, octets: u64) {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.reserve_file);
        let taken = file.and_then(|file| Ok(fallocate(file, FallocateFlags::empty(), 0, octets)?));
        if taken.is_err() {
            // Half a reserve would be counted as a whole one.
            let _ = fs::remove_file(&self.reserve_file);
        }
    }
}
