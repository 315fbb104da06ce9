//! What this machine and these tools could do at most: figures of the platform are read beside it.

use std::process::Command;

use anyhow::{Context, Result};

use super::figure::{Budget, Figure};
use super::load::Load;
use super::options::Options;
use super::rig::Tools;

/// The ceilings that other figures are set beside.
#[derive(Clone, Copy, Default)]
pub struct Ceilings {
    /// Requests per second of the load tool against a bare answer.
    pub requests: Option<f64>,
    /// Submits per second of a bare client against the operator, receipts included.
    pub submits: Option<f64>,
}

/// The load tool against a server that only answers.
pub fn http(tools: &Tools, options: &Options) -> Result<Figure> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let listen = format!("127.0.0.1:{port}");
    // It says nothing when it is ready, so it is asked until it answers.
    let mut bare =
        Command::new(&tools.loadgen).args(["bare", "--listen", &listen]).stdout(std::process::Stdio::null()).spawn()?;
    let load = against(tools, options, &listen);
    bare.kill()?;
    bare.wait()?;
    Ok(Figure::new("ceiling: load tool against a bare HTTP answer", load?.requests_rate(), "requests/s", Budget::None))
}

fn against(tools: &Tools, options: &Options, listen: &str) -> Result<Load> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(listen).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let seconds = options.seconds().to_string();
    let words = ["--url", &format!("http://{listen}"), "--duration-seconds", &seconds].map(str::to_owned);
    Load::run(&tools.loadgen, &words)
}

/// A bare SMPP client against the operator.
pub fn smpp(tools: &Tools, options: &Options) -> Result<Figure> {
    let output = Command::new(&tools.ceiling).arg(options.seconds().to_string()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().last().context("the ceiling of the operator says nothing")?;
    let submits: f64 = line.split(' ').next().unwrap_or_default().parse().with_context(|| line.to_owned())?;
    Ok(Figure::new("ceiling: bare SMPP client against the operator", submits, "submits/s", Budget::None)
        .noting("every submit with its receipt"))
}

/// The disk: what one small synced append costs.
pub fn sync(tools: &Tools) -> Result<Figure> {
    use std::io::Write;
    let path = tools.folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let mut took_ms = Vec::new();
    for _ in 0..1_000 {
        let started = std::time::Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    std::fs::remove_file(path)?;
    took_ms.sort_by(f64::total_cmp);
    let note = format!("p99 {:.2} ms", took_ms[990]);
    Ok(Figure::new("ceiling: append of 4 KiB with fdatasync, p50", took_ms[500], "ms", Budget::None).noting(note))
}
