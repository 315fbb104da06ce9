//! The order of the benchmark: ceilings first, then the budgets.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::ceiling::{self, Ceilings};
use super::figure::Figure;
use super::options::Options;
use super::rig::Tools;
use super::{beside, flow, history, links, page, priority, start, two_way, webhooks};
use crate::repository::Repository;

/// Names for `--only`, in the order they run.
const NAMES: [&str; 15] = [
    "ceilings",
    "single",
    "hundred",
    "half-load",
    "webhooks",
    "two-way",
    "links",
    "far-away",
    "routes",
    "priority-bulk",
    "priority-heap",
    "priority-giants",
    "start",
    "history",
    "memory",
];

/// Builds, measures, prints, and writes the page if asked to.
pub fn run(repository: &Repository, options: &Options) -> Result<()> {
    let names: Vec<&str> = match options.only.as_deref() {
        None => NAMES.to_vec(),
        Some("list") => {
            println!("{}", NAMES.join("\n"));
            return Ok(());
        }
        // The ceilings always come along: a figure without them says little.
        Some(name) => NAMES.into_iter().filter(|known| *known == name || *known == "ceilings").collect(),
    };
    if names.len() < 2 && options.only.as_deref() != Some("ceilings") {
        bail!("there is no measurement of that name; `--only list` names them");
    }
    let folder = tempfile::Builder::new().prefix("posthorn-bench-").tempdir_in(repository.root().join("target"))?;
    let tools = build(repository, folder.path())?;
    if let Some(earlier) = &options.beside {
        print!("{}", page::table(&beside::compare(&tools, earlier, options)?));
        return Ok(());
    }
    let bar = ProgressBar::new(names.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}")?);
    bar.enable_steady_tick(Duration::from_millis(500));
    let mut ceilings = Ceilings::default();
    let mut figures = Vec::new();
    for name in names {
        bar.set_message(name);
        let measured = measure(name, &tools, options, &mut ceilings)?;
        bar.suspend(|| print!("{}", page::table(&measured)));
        figures.extend(measured);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if options.save {
        let path = repository.root().join("docs/performance.md");
        let notes = page::notes(&std::fs::read_to_string(&path).unwrap_or_default());
        std::fs::write(path, page::page(&figures, options.quick) + &notes)?;
        println!("wrote docs/performance.md");
    }
    let missed = figures.iter().filter(|figure| figure.verdict() == "MISSED").count();
    println!("{missed} budgets missed");
    Ok(())
}

fn measure(name: &str, tools: &Tools, options: &Options, ceilings: &mut Ceilings) -> Result<Vec<Figure>> {
    match name {
        "ceilings" => {
            let (http, smpp, sync) =
                (ceiling::http(tools, options)?, ceiling::smpp(tools, options)?, ceiling::sync(tools)?);
            *ceilings = Ceilings { requests: Some(http.value), submits: Some(smpp.value) };
            Ok(vec![http, smpp, sync])
        }
        "single" => flow::single(tools, options, *ceilings),
        "hundred" => flow::hundred(tools, options, *ceilings),
        "half-load" => flow::half_load(tools, options),
        "webhooks" => webhooks::told(tools, options),
        "two-way" => two_way::keyword_bot(tools, options),
        "links" => links::clicks(tools, options),
        "far-away" => flow::far_away(tools, options),
        "routes" => flow::many_routes(tools, options),
        "priority-bulk" => priority::under_bulk(tools, options),
        "priority-heap" => priority::behind_heap(tools, options),
        "priority-giants" => priority::beside_giants(tools, options),
        "start" => start::after_kill(tools, options),
        "history" => history::cost(tools, options),
        "memory" => start::memory(tools, options),
        other => bail!("no measurement `{other}`"),
    }
}

fn build(repository: &Repository, folder: &std::path::Path) -> Result<Tools> {
    // One call for all, so that what they share is built once.
    let words = [
        "build",
        "--release",
        "--locked",
        "-p",
        "posthorn",
        "-p",
        "loadgen",
        "-p",
        "simulator",
        "-p",
        "flow",
        "-p",
        "web",
        "--bins",
        "--example",
        "ceiling",
        "--example",
        "keyword_bot",
        "--example",
        "link_latency",
    ];
    let status = Command::new("cargo").args(words).current_dir(repository.root()).status()?;
    if !status.success() {
        bail!("cargo {} failed", words.join(" "));
    }
    let release = repository.root().join("target/release");
    Ok(Tools {
        server: release.join("posthorn"),
        posthorn: release.join("posthorn"),
        loadgen: release.join("loadgen"),
        ceiling: release.join("examples/ceiling"),
        keyword_bot: release.join("examples/keyword_bot"),
        link_latency: release.join("examples/link_latency"),
        folder: folder.to_path_buf(),
    })
}
