//! The working tree that the commands look at.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A checkout: its root and the files that are part of it.
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The checkout this command was built in.
    pub fn here() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).context("xtask no longer lies two folders below the root")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// A tree elsewhere, for tests of the checks themselves.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads a file by its path below the root.
    pub fn read(&self, path: &str) -> Result<String> {
        let full = self.root.join(path);
        std::fs::read_to_string(&full).with_context(|| format!("can't read {}", full.display()))
    }

    /// Every text file that is tracked, or new and not ignored; sorted, by path below the root.
    pub fn texts(&self) -> Result<Vec<Text>> {
        let output = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(&self.root)
            .output()
            .context("can't run git; install it")?;
        if !output.status.success() {
            bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut texts: Vec<Text> = listing
            .split('\0')
            .filter(|path| !path.is_empty())
            // A file that is listed but gone was deleted and not committed; binary files have no lines.
            .filter_map(|path| {
                std::fs::read_to_string(self.root.join(path)).ok().map(|body| Text { path: path.to_owned(), body })
            })
            .collect();
        texts.sort_by(|left, right| left.path.cmp(&right.path));
        texts.dedup_by(|left, right| left.path == right.path);
        Ok(texts)
    }
}

/// A text file of the repository.
pub struct Text {
    /// Path below the root, with `/`.
    pub path: String,
    /// Everything in it.
    pub body: String,
}

impl Text {
    /// Whether the file name ends so.
    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.body.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}
