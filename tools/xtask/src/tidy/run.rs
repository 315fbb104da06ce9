//! Runs every check and prints what they found.

use anyhow::{Result, bail};

use super::{graph, house, leftovers, limits, links, shape, supply};
use crate::repository::Repository;

/// Checks the whole repository; fails with the number of findings.
pub fn run(repository: &Repository) -> Result<()> {
    let texts = repository.texts()?;
    let metadata = supply::metadata(repository)?;
    let mut findings = Vec::new();
    findings.extend(shape::check(&texts));
    findings.extend(leftovers::check(&texts));
    findings.extend(limits::check(&texts));
    findings.extend(links::check(repository.root(), &texts));
    findings.extend(house::check(&texts));
    findings.extend(graph::check(&metadata));
    findings.extend(supply::check(&metadata, &repository.read("deny.toml")?)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to say", texts.len());
        return Ok(());
    }
    bail!("tidy: {} findings; each line above says where and what", findings.len())
}
