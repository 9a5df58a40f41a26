//! The built program over incidents as they come, with everything that ships, beside `jq . FILE`: start to end of the process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::workload::measure::{Table, median, quick, ratio, time};

const FILES: &[&str] = &["graph-phishing-clicked.json", "graph-ransomware.json", "defender-xdr-web-shell.json", "graph-every-evidence.json"];

pub fn run() {
    let rounds = if quick() { 3 } else { 21 };
    if Command::new("jq").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("jq is not there: nothing to compare with.\n");
        return;
    }
    println!("`engine run --incident FILE` with everything that ships, beside `jq . FILE`; medians of {rounds} interleaved runs by the clock.\n");
    let mut table = Table::new(&["incident", "KB", "jq", "engine", "÷ jq"]);
    for name in FILES {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/incidents").join(name);
        let mut jq = Command::new("jq");
        jq.arg(".").arg(&file);
        let mut engine = Command::new(env!("CARGO_BIN_EXE_engine"));
        engine.args(["run", "--format", "json", "--incident"]).arg(&file);
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for (n, command) in [&mut jq, &mut engine].into_iter().enumerate() {
                let begun = Instant::now();
                let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                let took = begun.elapsed().as_nanos() as f64;
                assert!(status.success(), "{command:?}");
                // The first run reads the program from the disk.
                if round > 0 {
                    times[n].push(took);
                }
            }
        }
        let [jq, engine] = times.map(median);
        let size = std::fs::metadata(&file).unwrap().len() as f64 / 1e3;
        table.row(vec![(*name).into(), format!("{size:.1}"), time(jq), time(engine), ratio(engine, jq)]);
    }
    table.print();
}
