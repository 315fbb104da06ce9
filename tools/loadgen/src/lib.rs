//! Open-loop and closed-loop load with latency histograms.
