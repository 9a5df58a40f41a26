//! `engine run --watch`, as a person or a program sees it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live::Folder;
use crate::support::path;

const PLAYBOOK: &str = r#"playbook: watched.one
format: 1
version: 1.0.0
title: One
match: { entities: [user] }
bind:
  people: users
investigation:
  - { id: card, action: user.review_mfa, for: user in people, why: "{user} was there", priority: 40 }
"#;

/// The program, and the lines that it writes.
struct Watched {
    child: Child,
    out: Receiver<String>,
}

impl Watched {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        fs::create_dir_all(folder.0.join("playbooks")).unwrap();
        fs::write(folder.0.join("playbooks/one.yaml"), PLAYBOOK).unwrap();
        fs::copy(path("tests/data/incidents/example.json"), folder.0.join("incident.json")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
            .current_dir(&folder.0)
            .args(["run", "--incident", "incident.json", "--playbooks", "playbooks", "--watch"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, out) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|l| send.send(l)));
        Self { child, out }
    }

    fn line(&self) -> String {
        self.out.recv_timeout(Duration::from_secs(20)).expect("a line is written")
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Waits for its end.
    fn end(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_edit_is_one_event() {
    for poll in [&[][..], &["--poll"]] {
        let folder = Folder::new(&format!("watch-{}", poll.len()));
        let mut engine = Watched::start(&folder, &[&["--format", "ndjson"], poll].concat());
        let file = folder.0.join("playbooks/one.yaml");
        let first = engine.event();
        assert_eq!(first["schema"], "guided-response/1");
        fs::write(&file, PLAYBOOK.replace("priority: 40", "priority: 41")).unwrap();
        let event = engine.event();
        assert_eq!(
            (&event["schema"], &event["cause"], &event["problems"]),
            (&"guided-response/reload/1".into(), &"playbooks".into(), &Value::Array(vec![]))
        );
        let field = &event["incidents"][0]["changed"][0]["fields"][0];
        assert_eq!((&field["field"], &field["from"], &field["to"]), (&"priority".into(), &40.into(), &41.into()));
        assert!(event["took_ms"].as_u64().is_some_and(|ms| ms < 3000) && event["revision"] != first["playbooks"]["revision"], "{event}");
        fs::write(&file, PLAYBOOK.replace("in people", "in peple")).unwrap();
        let broken = engine.event();
        assert_eq!((&broken["revision"], &broken["incidents"]), (&event["revision"], &Value::Array(vec![])));
        assert_eq!((&broken["problems"][0]["line"], &broken["problems"][0]["column"]), (&9.into(), &55.into()), "{broken}");
        fs::write(&file, PLAYBOOK.replace("priority: 40", "priority: 41")).unwrap();
        let mended = engine.event();
        assert_eq!((&mended["revision"], &mended["problems"]), (&event["revision"], &Value::Array(vec![])));
        // The incident is followed too.
        let incident = folder.0.join("incident.json");
        let text = fs::read_to_string(&incident).unwrap();
        fs::write(&incident, text.replace("\"name\": \"Ada\"", "\"name\": \"Ada Marsh\"")).unwrap();
        let event = engine.event();
        assert_eq!(event["cause"], "incident");
        assert!(event["incidents"][0]["changed"].as_array().is_some_and(|c| !c.is_empty()), "{event}");
        // Ctrl-C.
        let told = Command::new("kill").args(["-INT", &engine.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(engine.end(), Some(0));
    }
}

#[test]
fn people_read_what_changed() {
    let folder = Folder::new("watch-text");
    let engine = Watched::start(&folder, &["--format", "text"]);
    while !engine.line().contains("revision") {}
    fs::remove_file(folder.0.join("playbooks/one.yaml")).unwrap();
    fs::write(folder.0.join("playbooks/two.yaml"), PLAYBOOK.replace("user.review_mfa", "user.list_signins").replace("watched.one", "watched.two"))
        .unwrap();
    let line = engine.line();
    assert!(line.starts_with("reloaded in ") && line.contains("card"), "{line}");
    let (mut added, mut removed) = (false, false);
    while !(added && removed) {
        let line = engine.line();
        added |= line.starts_with("  + ") || line.starts_with("  ~ ");
        removed |= line.starts_with("  - ") || line.starts_with("  ~ ");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let folder = Folder::new("watch-pipe");
    fs::write(folder.0.join("one.yaml"), PLAYBOOK).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_engine"))
        .current_dir(&folder.0)
        .args(["run", "--watch", "--format", "ndjson", "--incident"])
        .arg(path("tests/data/incidents/example.json"))
        .args(["--playbooks", "."])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut engine = Watched { child, out: channel().1 };
    let mut reader = BufReader::new(engine.child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert!(first.contains("guided-response/1"));
    drop(reader);
    fs::write(folder.0.join("one.yaml"), PLAYBOOK.replace("priority: 40", "priority: 41")).unwrap();
    assert_eq!(engine.end(), Some(0));
}

#[test]
fn formats_that_are_pages_are_refused() {
    let out = Command::new(env!("CARGO_BIN_EXE_engine"))
        .args(["run", "--watch", "--format", "html", "--incident"])
        .arg(path("tests/data/incidents/example.json"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("--watch writes text or ndjson"));
}
