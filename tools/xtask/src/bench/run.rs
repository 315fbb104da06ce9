//! The order of the benchmark.
use super::options::Options;
use crate::repository::Repository;
/// Placeholder until the load tools are there.
pub fn run(_repository: &Repository, options: &Options) -> anyhow::Result<()> {
    let _ = (options.quick, &options.only, options.save);
    anyhow::bail!("not yet")
}
