//! How time is taken: contenders in turn, round after round, so that what else the machine does meets them all alike; the
//! processor's time of this thread; medians; ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What is told of a run: a quick one only shows that everything works.
pub fn quick() -> bool {
    std::env::args().any(|a| a == "--quick")
}

/// The time that this thread has had of a processor.
pub fn cpu() -> Duration {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

/// Something whose time is taken.
pub struct Contender<'a> {
    pub name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

/// A contender; what it gives is looked at by nobody, but it is made.
pub fn contender<'a, T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Contender<'a> {
    Contender { name, run: Box::new(move || drop(black_box(run()))) }
}

/// The nanoseconds that one run of each contender takes: the medians of `rounds`, in each of which every contender runs at
/// least `least` long.
pub fn interleaved(contenders: &mut [Contender<'_>], rounds: usize, least: Duration) -> Vec<f64> {
    let once = |c: &mut Contender<'_>, times: usize| {
        let begun = cpu();
        (0..times).for_each(|_| (c.run)());
        (cpu() - begun).as_nanos() as f64
    };
    // The first run warms up, the second says how often.
    let times: Vec<usize> = contenders
        .iter_mut()
        .map(|c| {
            once(c, 1);
            let one = once(c, 1).max(1.0);
            ((least.as_nanos() as f64 / one).ceil() as usize).clamp(1, 1_000_000)
        })
        .collect();
    let mut all: Vec<Vec<f64>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for n in 0..contenders.len() {
            // Nobody always follows the same one.
            let n = (n + round) % contenders.len();
            all[n].push(once(&mut contenders[n], times[n]) / times[n] as f64);
        }
    }
    all.into_iter().map(median).collect()
}

/// The middle one.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// By which power of `sizes` the times grow: the slope of the best line through the logarithms.
pub fn exponent(sizes: &[f64], times: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = sizes.iter().zip(times).map(|(a, b)| (a.ln(), b.ln())).collect();
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (top, bottom) = points.iter().fold((0.0, 0.0), |(t, b), p| (t + (p.0 - x) * (p.1 - y), b + (p.0 - x).powi(2)));
    top / bottom
}

/// Nanoseconds, to be read.
pub fn time(ns: f64) -> String {
    match ns {
        _ if ns < 1e4 => format!("{ns:.0} ns"),
        _ if ns < 1e7 => format!("{:.1} µs", ns / 1e3),
        _ if ns < 1e10 => format!("{:.1} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

/// How many times.
pub fn ratio(a: f64, b: f64) -> String {
    format!("{:.2}×", a / b)
}

/// A table whose columns are as wide as what is in them.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|s| (*s).to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| self.rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (n, row) in self.rows.iter().enumerate() {
            let pad = |(c, s): (usize, &String)| {
                let space = " ".repeat(widths[c] - s.chars().count());
                if c == 0 { format!("{s}{space}") } else { format!("{space}{s}") }
            };
            println!("{}", row.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ").trim_end());
            if n == 0 {
                println!("{}", widths.iter().map(|w| "─".repeat(*w)).collect::<Vec<_>>().join("──"));
            }
        }
        println!();
    }
}

/// Numbers of entities, to see how something grows; the first is what is usual.
pub const FAMILY: &[usize] = &[30, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/// The nanoseconds that something takes once: by the clock, and of the processor in all threads together. What it gives is
/// taken apart afterwards.
pub fn wall<T>(run: impl FnOnce() -> T) -> (f64, f64) {
    let all = || {
        let t = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
    };
    let (begun, spent) = (Instant::now(), all());
    let out = black_box(run());
    let took = (begun.elapsed().as_nanos() as f64, (all() - spent).as_nanos() as f64);
    drop(out);
    took
}
