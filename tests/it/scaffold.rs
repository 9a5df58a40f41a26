//! What `engine new` writes loads, passes its own tests, is in canonical form, and takes the place of nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::path;

/// An empty folder that is this test's alone.
fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("engine-new-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn engine(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_engine")).args(args).current_dir(dir).output().unwrap()
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[track_caller]
fn fine(args: &[&str], dir: &Path) -> String {
    let out = engine(args, dir);
    assert_eq!(out.status.code(), Some(0), "{args:?}: {}", said(&out));
    said(&out)
}

#[track_caller]
fn refused(args: &[&str], dir: &Path, with: &str) {
    let out = engine(args, dir);
    assert_eq!(out.status.code(), Some(3), "{args:?}: {}", said(&out));
    assert!(said(&out).contains(with), "{args:?}: {}", said(&out));
}

/// Loads without a warning, passes its tests, and `engine fmt` would change nothing.
#[track_caller]
fn sound(dir: &Path) {
    fine(&["check", "."], dir);
    fine(&["test", ".", "--fail-on-missing"], dir);
    fine(&["fmt", ".", "--check"], dir);
}

#[test]
fn a_new_playbook_passes_check_and_test_and_is_not_written_over() {
    let dir = folder("playbook");
    let told = fine(&["new", "playbook", "acme.first"], &dir);
    assert!(told.contains("written: ./acme.first.yaml") && told.contains("engine test"), "{told}");
    sound(&dir);
    let text = std::fs::read_to_string(dir.join("acme.first.yaml")).unwrap();
    for part in
        ["match:", "bind:", "pass:", "fail:", "triage:", "containment:", "investigation:", "remediation:", "hunts:", "tests:", "failed:", "# "]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    refused(&["new", "playbook", "acme.first"], &dir, "is there already");
    assert_eq!(std::fs::read_to_string(dir.join("acme.first.yaml")).unwrap(), text);
    refused(&["new", "playbook", "email.credential_phishing"], &dir, "there is a playbook `email.credential_phishing` already");
    refused(&["new", "playbook", "Acme First"], &dir, "cannot be an id");
    refused(&["new", "playbook", "../acme"], &dir, "cannot be an id");
}

#[test]
fn a_new_playbook_on_an_incident_asks_for_what_is_in_it() {
    for file in [
        "graph-phishing-clicked",
        "graph-ransomware",
        "sentinel-arm-incident",
        "graph-kubernetes-miner",
        "native-token-theft",
        "ocsf-incident",
        "graph-every-evidence",
    ] {
        let dir = folder(file);
        let incident = path(&format!("tests/data/incidents/{file}.json"));
        fine(&["new", "playbook", "acme.seen", "--incident", incident.to_str().unwrap(), "--out", "books"], &dir);
        sound(&dir);
        let text = std::fs::read_to_string(dir.join("books/acme.seen.yaml")).unwrap();
        assert!(text.contains("matched: false") && text.contains("triage:"), "{file}:\n{text}");
        fine(&["new", "test", "books/acme.seen.yaml", "--incident", incident.to_str().unwrap(), "--name", "once more: with 'quotes'"], &dir);
        sound(&dir);
    }
}

#[test]
fn a_new_test_is_added_to_those_that_are_there() {
    let dir = folder("test");
    fine(&["new", "playbook", "acme.first"], &dir);
    let file = dir.join("acme.first.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    fine(&["new", "test", "acme.first.yaml"], &dir);
    fine(&["new", "test", "acme.first.yaml"], &dir);
    sound(&dir);
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(after.starts_with(before.trim_end()), "what was there stays as it was");
    assert!(after.contains("- name: an example\n") && after.contains("- name: an example (2)\n"), "{after}");
    refused(&["new", "test", "acme.first.yaml", "--name", "an example"], &dir, "there is a test `an example` already");
    refused(&["new", "test", "absent.yaml"], &dir, "is not among the playbook files");

    // Wherever the section stands, and however it begins.
    let head = "playbook: acme.other\nformat: 1\nversion: 1.0.0\ntitle: Other\nmatch: { entities: [user] }\n";
    let cards = "\n# What to look at.\ninvestigation:\n  - { id: look, action: user.contact, for: user in users, why: look }\n";
    for (n, tests) in [
        "",
        "tests:\n",
        "tests:   # none yet\n  # to come\n",
        "tests: []\n",
        "tests:\n- { name: none, given: { id: x }, expect: { matched: false } }\n",
    ]
    .into_iter()
    .enumerate()
    {
        for text in [format!("{head}{tests}{cards}"), format!("{head}{cards}{tests}"), format!("{head}{cards}{tests}").replace('\n', "\r\n")] {
            std::fs::write(&file, &text).unwrap();
            fine(&["new", "test", "acme.first.yaml"], &dir);
            let out = engine(&["test", ".", "-k", "an example", "--format", "json"], &dir);
            assert_eq!(out.status.code(), Some(0), "{n}: {}{}", said(&out), std::fs::read_to_string(&file).unwrap());
            let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!(json["passed"], 1, "{n}: {json}\n{}", std::fs::read_to_string(&file).unwrap());
            let written = std::fs::read_to_string(&file).unwrap();
            assert_eq!(written.contains("\r\n"), text.contains("\r\n"));
            assert!(!written.replace("\r\n", "").contains('\n') || !text.contains("\r\n"), "line ends are mixed:\n{written:?}");
            for line in text.lines().filter(|l| !l.starts_with("tests:")) {
                assert!(written.lines().any(|l| l == line), "`{line}` is gone:\n{written}");
            }
        }
    }
}

#[test]
fn a_new_action_loads_and_its_name_is_checked() {
    let dir = folder("action");
    for id in ["user.lock_badge", "cloud_resource.set_on_fire", "incident.tell_press"] {
        fine(&["new", "action", id, "--out", "actions"], &dir);
    }
    fine(&["check", "."], &dir);
    fine(&["fmt", ".", "--check"], &dir);
    refused(&["new", "action", "usr.lock_badge"], &dir, "did you mean `user.lock_badge`?");
    refused(&["new", "action", "user.disable"], &dir, "there is an action `user.disable` already");
    refused(&["new", "action", "user"], &dir, "names no verb");
}

#[test]
fn completions_are_written_for_every_shell() {
    let dir = folder("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = engine(&["completions", shell], &dir);
        assert_eq!(out.status.code(), Some(0));
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains("incident") && text.contains("completions"), "{shell}");
        if shell == "bash" {
            std::fs::write(dir.join("engine.bash"), &text).unwrap();
            match Command::new("bash").arg("-n").arg(dir.join("engine.bash")).output() {
                Ok(out) => assert!(out.status.success(), "{}", said(&out)),
                Err(e) => println!("skipped: bash cannot be run: {e}"),
            }
        }
    }
}
