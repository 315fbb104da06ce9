//! One function per budget.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::Figure;
use super::histogram;
use super::options::Scale;
use super::stage::{Process, Stage, free_port, load};

const TOLD: &str = "posthorn_tell_told_total";

/// What the measurements share.
pub struct Bench<'a> {
    pub binaries: &'a Path,
    pub directory: &'a Path,
    pub scale: Scale,
    pub figures: Vec<Figure>,
    /// Requests per second of the load tool against a server that does nothing.
    pub ceiling: f64,
    /// Messages per second reached end to end with one recipient per request.
    pub single_rate: f64,
}

fn number(report: &Value, path: &[&str]) -> f64 {
    path.iter().fold(report, |value, key| &value[key]).as_f64().unwrap_or(0.0)
}

fn milliseconds(report: &Value, field: &str) -> f64 {
    number(report, &["latency", field]) / 1000.0
}

impl Bench<'_> {
    fn stage(&self, name: &str, parts_per_second: u32) -> Result<Stage> {
        Stage::start(self.binaries, self.directory.join(name), parts_per_second)
    }

    fn add(&mut self, figure: Figure) {
        println!("  {figure}");
        self.figures.push(figure);
    }

    /// What the load tool and the machine can do without us.
    pub fn ceiling(&mut self) -> Result<()> {
        let port = free_port()?;
        let mut bare = std::process::Command::new(self.binaries.join("loadgen"));
        let bare = Process::start(
            bare.args(["bare", "--listen", &format!("127.0.0.1:{port}")]).stdout(std::process::Stdio::null()),
        )?;
        std::thread::sleep(Duration::from_millis(300));
        let report = load(
            self.binaries,
            &format!("http://127.0.0.1:{port}"),
            &["--duration-seconds", "5", "--connections", "128"],
        )?;
        bare.kill()?;
        self.ceiling = number(&report, &["requests_per_second"]);
        self.add(Figure::plain("ceiling: load tool against a bare HTTP answer", self.ceiling, "requests/s"));
        Ok(())
    }

    /// Sends closed-loop, waits until every message's report was told, and returns (messages/s, µs of CPU a message).
    fn end_to_end(&self, stage: &Stage, arguments: &[&str]) -> Result<(f64, f64)> {
        let (told_before, cpu_before, began) = (stage.metric(TOLD)?, stage.server()?.cpu()?, Instant::now());
        let report = stage.load(arguments)?;
        let messages = number(&report, &["messages_accepted"]);
        let all_told = |stage: &Stage| Ok(stage.metric(TOLD)? - told_before >= messages);
        stage.wait_for("all webhooks", Duration::from_secs(120), all_told)?;
        let took = began.elapsed().as_secs_f64();
        let cpu = stage.server()?.cpu()?.saturating_sub(cpu_before);
        Ok((messages / took, cpu.as_secs_f64() * 1e6 / messages.max(1.0)))
    }

    pub fn single(&mut self) -> Result<()> {
        let stage = self.stage("single", 0)?;
        let seconds = self.scale.seconds.to_string();
        self.end_to_end(&stage, &["--duration-seconds", "3", "--connections", "128"])?;
        let (rate, cpu) = self.end_to_end(&stage, &["--duration-seconds", &seconds, "--connections", "128"])?;
        self.single_rate = rate;
        let ceiling = self.ceiling;
        self.add(
            Figure::at_least("end to end, one recipient per request", rate, 15_000.0, "messages/s").beside(ceiling),
        );
        self.add(Figure::at_most("CPU per message, one recipient per request", cpu, 60.0, "µs"));
        Ok(())
    }

    pub fn hundred(&mut self) -> Result<()> {
        let stage = self.stage("hundred", 0)?;
        let seconds = self.scale.seconds.to_string();
        let load = ["--duration-seconds", &seconds, "--connections", "16", "--recipients", "100"];
        let (rate, cpu) = self.end_to_end(&stage, &load)?;
        self.add(Figure::at_least("end to end, 100 recipients per request", rate, 30_000.0, "messages/s"));
        self.add(Figure::at_most("CPU per message, 100 recipients per request", cpu, 30.0, "µs"));
        Ok(())
    }

    pub fn half_load(&mut self) -> Result<()> {
        let stage = self.stage("half", 0)?;
        let rate = (self.single_rate / 2.0).round().max(1_000.0).to_string();
        let before = stage.metrics()?;
        let report = stage.load(&[
            "--rate",
            &rate,
            "--duration-seconds",
            &self.scale.seconds.to_string(),
            "--connections",
            "256",
        ])?;
        std::thread::sleep(Duration::from_secs(1));
        let after = stage.metrics()?;
        let at = format!("accept answer at {rate} requests/s");
        self.add(Figure::at_most(&format!("{at}, p50"), milliseconds(&report, "p50_us"), 3.0, "ms"));
        self.add(Figure::at_most(&format!("{at}, p99"), milliseconds(&report, "p99_us"), 15.0, "ms"));
        let p99 = histogram::quantile(&before, &after, "posthorn_tell_begun_within_total{", "", "within_seconds", 0.99);
        let p99 = p99.context("no webhooks were counted")?;
        self.add(Figure::at_most(
            "receipt until its webhook begins, half load, p99 (bucket)",
            p99 * 1000.0,
            50.0,
            "ms",
        ));
        Ok(())
    }

    pub fn priority_under_bulk(&mut self) -> Result<()> {
        let stage = self.stage("priority", 0)?;
        let seconds = self.scale.seconds.to_string();
        let before = stage.metrics()?;
        std::thread::scope(|scope| -> Result<()> {
            let bulk = scope
                .spawn(|| stage.load(&["--duration-seconds", &seconds, "--connections", "8", "--recipients", "100"]));
            std::thread::sleep(Duration::from_secs(1));
            let codes = (self.scale.seconds - 2).max(2).to_string();
            stage.load(&[
                "--rate",
                "100",
                "--duration-seconds",
                &codes,
                "--priority-share",
                "1",
                "--connections",
                "64",
            ])?;
            bulk.join().map_err(|_| anyhow::anyhow!("the bulk load broke"))??;
            Ok(())
        })?;
        let after = stage.metrics()?;
        let quantile = |q| priority_quantile(&before, &after, q);
        let (p50, p99) = (quantile(0.5)?, quantile(0.99)?);
        self.add(Figure::plain("priority: request until submit_sm written, bulk saturating, p50 (bucket)", p50, "ms"));
        self.add(Figure::at_most(
            "priority: request until submit_sm written, bulk saturating, p99 (bucket)",
            p99,
            10.0,
            "ms",
        ));
        Ok(())
    }

    /// A backlog on a slow route: priority past it, memory, and a start after kill -9.
    pub fn backlog(&mut self) -> Result<()> {
        let mut stage = self.stage("backlog", 100)?;
        let fill = |stage: &Stage, messages: u64| -> Result<()> {
            let count = (messages / 1_000).to_string();
            stage.load(&[
                "--recipients",
                "1000",
                "--count",
                &count,
                "--connections",
                "4",
                "--answer-timeout-ms",
                "60000",
            ])?;
            Ok(())
        };
        fill(&stage, 1_000_000)?;
        let before = stage.metrics()?;
        stage.load(&[
            "--rate",
            "5",
            "--duration-seconds",
            &(self.scale.seconds * 2).to_string(),
            "--priority-share",
            "1",
        ])?;
        std::thread::sleep(Duration::from_secs(1));
        let after = stage.metrics()?;
        let (p50, p99) = (priority_quantile(&before, &after, 0.5)?, priority_quantile(&before, &after, 0.99)?);
        self.add(Figure::at_most(
            "priority: request until submit_sm written, 1 M waiting at 100/s, p50 (bucket)",
            p50,
            15.0,
            "ms",
        ));
        self.add(Figure::at_most(
            "priority: request until submit_sm written, 1 M waiting at 100/s, p99 (bucket)",
            p99,
            50.0,
            "ms",
        ));
        stage.server.take().context("no server")?.kill()?;
        let ready = stage.start_server()?;
        self.add(Figure::at_most(
            "start after kill -9 with 1 M waiting, until messages are accepted",
            ready.as_secs_f64(),
            2.0,
            "s",
        ));
        fill(&stage, self.scale.waiting - 1_000_000)?;
        let resident = stage.server()?.resident_mib()?;
        let name = format!("memory with {} M messages waiting", self.scale.waiting / 1_000_000);
        self.add(Figure::at_most(&name, resident as f64, 512.0, "MiB"));
        Ok(())
    }

    pub fn history(&mut self) -> Result<()> {
        let stage = self.stage("history", 0)?;
        let mut stored = 0;
        for wanted in self.scale.histories {
            if *wanted > stored {
                let count = ((wanted - stored) / 1_000).to_string();
                self.end_to_end(
                    &stage,
                    &["--recipients", "1000", "--count", &count, "--connections", "4", "--answer-timeout-ms", "60000"],
                )?;
                stored = *wanted;
            }
            let seconds = self.scale.seconds.to_string();
            let (_, cpu) = self.end_to_end(&stage, &["--duration-seconds", &seconds, "--connections", "128"])?;
            let name = format!("CPU per message with {} M messages of history", *wanted as f64 / 1e6);
            self.add(Figure::at_most(&name, cpu, 60.0, "µs"));
        }
        Ok(())
    }
}

/// Milliseconds from request to written in the Priority lane: the bound of the bucket that holds the quantile.
fn priority_quantile(before: &str, after: &str, q: f64) -> Result<f64> {
    let seconds =
        histogram::quantile(before, after, "posthorn_queue_duration_seconds_bucket{", "lane=\"priority\"", "le", q);
    Ok(seconds.context("no priority messages were counted")? * 1000.0)
}
