//! The disk fills up: new messages are refused in the envelope, receipts are still stored, and it recovers by itself.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::load::LoadOptions;
use harness::small_disk::SmallDisk;
use harness::stage::{Between, Stage};
use harness::wait;

const DISK_MIB: u32 = 96;
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_full() -> Result<()> {
    let disk = SmallDisk::mount(DISK_MIB)?;
    let between =
        Between { data: Some(disk.path().join("data")), store_keys: "disk_reserve_mib = 16", ..Between::default() };
    let mut stage = Stage::set("disk_full", between).await?;
    stage.operator.behave(|behaviour| behaviour.receipts = false);
    let load = stage.load(&LoadOptions { connections: 4, ..LoadOptions::default() });
    wait::until("1000 messages kept", Duration::from_secs(20), || stage.ledger.kept_count() >= 1_000).await?;
    load.stop().await?;
    wait::until("receipts due", Duration::from_secs(10), || stage.operator.receipts_waiting() >= 1_000).await?;

    let mut client = stage.connect().await?;
    let mut phone = 480_700_000_000_u64;
    let mut next = || {
        phone += 4;
        (format!("acme-{phone}"), phone.to_string().replacen("480", "48", 1))
    };
    disk.fill()?;
    let full_since = Instant::now();
    loop {
        let (id, phone) = next();
        let answer = stage.ask(&mut client, 0, &id, &phone).await?;
        if answer.status == 503 {
            assert_eq!(answer.envelope_faults(), Vec::<String>::new());
            assert_eq!(answer.json()?["errors"][0]["code"], "E-9-003");
            assert!(answer.header("retry-after").is_some(), "503 without Retry-After");
            break;
        }
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        assert!(full_since.elapsed() < REFUSED_WITHIN, "messages are still accepted on a full disk");
    }

    stage.operator.behave(|behaviour| behaviour.receipts = true);
    let due = stage.operator.books().submitted_count();
    let all_stored = || stage.operator.books().acknowledged_count() >= due;
    wait::until("every receipt is stored on the full disk", Duration::from_secs(20), all_stored).await?;

    disk.free()?;
    let recovered = wait::until_asked("accepting again", RECOVERED_WITHIN, async || {
        let (id, phone) = next();
        stage.ask(&mut client, 0, &id, &phone).await.is_ok_and(|answer| answer.status == 200)
    });
    println!("accepting again after {:?}", recovered.await?);
    drop(client);
    stage.judged().await?;
    Ok(())
}
