//! What measuring and cutting cost, in nanoseconds: `cargo run --release -p text --example cost`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use text::{Reference, ReferenceWidth, measure, segment};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_millis(300);
/// Calls between two looks at the clock.
const BATCH: u32 = 1_000;

fn cost_ns(mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut calls = 0_u32;
    while started.elapsed() < SPAN {
        for _ in 0..BATCH {
            call();
        }
        calls += BATCH;
    }
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn main() {
    let texts = [
        ("160 ASCII", "a".repeat(160)),
        ("160 septets with letters beyond ASCII", "zéà§ abc".repeat(20)),
        ("70 Polish", "zażółć ".repeat(10)),
        ("306 ASCII, two parts", "a".repeat(306)),
        ("1377 ASCII, nine parts", "a".repeat(1377)),
        ("1360 with extension characters", "abcdef€".repeat(170)),
        ("603 Polish, nine parts", "ł".repeat(603)),
        ("550 of joined emoji", "👩‍👩‍👧‍👦".repeat(50)),
    ];
    println!("{:<40}{:>12}{:>12}", "text", "measure ns", "segment ns");
    for (name, text) in &texts {
        let measuring_ns = cost_ns(|| {
            black_box(measure(black_box(text), ReferenceWidth::Bits8));
        });
        let cutting_ns = cost_ns(|| {
            let _ = black_box(segment(black_box(text), Reference::Bits8(1), 9));
        });
        println!("{name:<40}{measuring_ns:>12.0}{cutting_ns:>12.0}");
    }
}
