//! `engine diff`: revisions and folders, three kinds of change told exactly, Markdown that nothing leaves.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::replay::{PLAYBOOK, document, engine, fresh, incident, playbooks};

fn git(folder: &Path, args: &[&str]) {
    let out = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A repository in which a threshold, then a card, then a text was changed; and an incident corpus beside it.
fn repository(name: &str) -> std::path::PathBuf {
    let folder = fresh(name);
    let rules = folder.join("playbooks");
    playbooks(&rules);
    let file = rules.join("spread.yaml");
    git(&folder, &["init", "-q"]);
    let commit = |text: &str, tag: &str| {
        std::fs::write(&file, text).unwrap();
        git(&folder, &["add", "playbooks"]);
        git(&folder, &["commit", "-q", "-m", tag]);
        git(&folder, &["tag", tag]);
    };
    commit(PLAYBOOK, "base");
    let threshold = PLAYBOOK.replace("hit.len() > 2", "hit.len() > 3").replace("version: 1.0.0", "version: 1.0.1");
    commit(&threshold, "threshold");
    let card: String = threshold.lines().filter(|l| !l.contains("id: look") && !l.starts_with("investigation")).map(|l| format!("{l}\n")).collect();
    commit(&card, "card");
    commit(&card.replace("why: it is hit", "why: '{device} is hit'"), "text");
    let lines: String = (0..5).map(|n| format!("{}\n", incident(&format!("i{n}"), 5, n, None))).collect();
    std::fs::write(folder.join("past.jsonl"), lines).unwrap();
    folder
}

fn diff(folder: &Path, args: &[&str]) -> Value {
    let mut all = vec!["diff"];
    all.extend(args);
    all.extend(["--no-shipped", "--incidents", "past.jsonl", "--format", "json"]);
    document(&engine(&all, b"", folder))
}

#[test]
fn three_changes_are_told_exactly() {
    let folder = repository("diff-three");

    // The threshold: one incident, with three machines hit, is no longer a true positive, and loses its three cards.
    let d = diff(&folder, &["base", "threshold"]);
    let a = &d["answers"];
    assert_eq!((a["incidents"].clone(), a["differ"].clone(), a["reclassified"].clone()), (json!(5), json!(1), json!(1)));
    // The containment cards stay; as the incident is called a false positive now, they want to be asked about first.
    assert_eq!(a["cards"], json!({"lost": 3, "gained": 0, "changed": 3}));
    assert_eq!(a["card_changes"][1]["why"], json!(["confirm_first"]));
    assert_eq!(a["card_changes"].as_array().unwrap().len(), 2);
    let clause = "condition `spreads`: `hit.len() > 2` -> `hit.len() > 3`";
    assert_eq!(
        a["card_changes"][0],
        json!({"how": "lost", "sources": ["test.spread/look"], "action": "device.collect_package", "why": [clause], "count": 3, "left": 0, "examples": [
            {"incident": "i3", "entities": ["device:m0"]}, {"incident": "i3", "entities": ["device:m1"]}, {"incident": "i3", "entities": ["device:m2"]}]})
    );
    assert_eq!(a["triage"][0]["from"]["classification"], "true_positive");
    assert_eq!(a["triage"][0]["to"]["classification"], "false_positive");
    assert_eq!(a["triage"][0]["why"], json!([clause]));
    assert!(a["matrix"].as_array().unwrap().contains(&json!({"old": "true_positive", "new": "false_positive", "incidents": 1})));
    let p = &d["playbooks"][0];
    assert_eq!(d["playbooks"].as_array().unwrap().len(), 1);
    assert_eq!(
        p["parts"],
        json!([{"part": "condition", "id": "spreads", "how": "changed", "bump": "minor",
                "fields": [{"key": "if", "from": "hit.len() > 2", "to": "hit.len() > 3"}]}])
    );
    assert_eq!((p["actual"].clone(), p["suggested"].clone()), (json!("patch"), json!("major")));
    assert_eq!(p["because"], json!(["3 cards were lost", "1 incident is classified otherwise"]));
    assert_eq!(d["shared"], json!([]));

    // The card: it is gone from the one incident that still had it.
    let d = diff(&folder, &["threshold", "card"]);
    let a = &d["answers"];
    assert_eq!(
        (a["differ"].clone(), a["reclassified"].clone(), a["cards"].clone()),
        (json!(1), json!(0), json!({"lost": 4, "gained": 0, "changed": 0}))
    );
    assert_eq!(a["card_changes"][0]["why"], json!(["card `look` is gone"]));
    assert_eq!(a["card_changes"][0]["examples"][0]["incident"], "i4");
    assert_eq!(d["playbooks"][0]["parts"], json!([{"part": "card", "id": "look", "how": "removed", "bump": "major", "fields": []}]));
    assert_eq!(d["playbooks"][0]["actual"], "none");

    // And back: it is gained, since it is new.
    let d = diff(&folder, &["card", "threshold"]);
    assert_eq!(d["answers"]["cards"], json!({"lost": 0, "gained": 4, "changed": 0}));
    assert_eq!(d["answers"]["card_changes"][0]["why"], json!(["card `look` is new"]));
    assert_eq!(d["playbooks"][0]["suggested"], "minor");

    // The text: ten cards say it in other words, and nothing else.
    let d = diff(&folder, &["card", "text"]);
    let a = &d["answers"];
    assert_eq!((a["differ"].clone(), a["cards"].clone()), (json!(4), json!({"lost": 0, "gained": 0, "changed": 10})));
    assert_eq!(a["card_changes"].as_array().unwrap().len(), 1);
    assert_eq!(a["card_changes"][0]["why"], json!(["why"]));
    assert_eq!(a["card_changes"][0]["examples"][0]["detail"], json!(["why \"it is hit\" -> \"device:m0 is hit\""]));
    assert_eq!(d["playbooks"][0]["parts"][0]["fields"], json!([{"key": "why", "from": "it is hit", "to": "{device} is hit"}]));
    assert_eq!(d["playbooks"][0]["suggested"], "patch");

    // Nothing: also when it is written otherwise.
    let same = diff(&folder, &["text", "text"]);
    assert_eq!((same["playbooks"].clone(), same["answers"]["differ"].clone()), (json!([]), json!(0)));
    let file = folder.join("playbooks/spread.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("hit.len() > 3", "( hit.len()  >  3 )") + "# a remark\n").unwrap();
    let same = diff(&folder, &["text", "playbooks"]);
    assert_eq!((same["playbooks"].clone(), same["answers"]["differ"].clone()), (json!([]), json!(0)));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn revisions_and_folders_agree() {
    let folder = repository("diff-agree");
    for (tag, name) in [("base", "a"), ("text", "b")] {
        git(&folder, &["worktree", "add", "-q", name, tag]);
    }
    let mut by_folder = diff(&folder, &["a/playbooks", "b/playbooks"]);
    let mut by_revision = diff(&folder, &["base", "text:playbooks"]);
    let mut by_root = diff(&folder, &["HEAD~3", "HEAD", "--path", "./playbooks/"]);
    let sub = folder.join("playbooks");
    let mut from_below = document(&engine(&["diff", "base", "text", "--no-shipped", "--incidents", "../past.jsonl", "--format", "json"], b"", &sub));
    for d in [&mut by_folder, &mut by_revision, &mut by_root, &mut from_below] {
        d["old"]["name"] = Value::Null;
        d["new"]["name"] = Value::Null;
    }
    assert_eq!(by_folder, by_revision);
    assert_eq!(by_folder, by_root);
    assert_eq!(by_folder, from_below);

    let fails = |args: &[&str]| {
        let mut all = vec!["diff"];
        all.extend(args);
        all.extend(["--no-shipped"]);
        let out = engine(&all, b"", &folder);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, said) = fails(&["base", "treshold"]);
    assert!(code == Some(3) && said.contains("did you mean `threshold`?"), "{said}");
    let (code, said) = fails(&["base", "base:nowhere"]);
    assert!(code == Some(3) && said.contains("`base` has no `nowhere`"), "{said}");
    let (code, said) = fails(&["base", "base:../other"]);
    assert!(code == Some(3) && said.contains("leaves the repository"), "{said}");
    let (code, said) = fails(&["--", "base", "--upload-pack=x"]);
    assert!(code == Some(3), "{said}");
    let (code, said) = fails(&["base", "text", "--fail-on", "lost"]);
    assert!(code == Some(3) && said.contains("--incidents"), "{said}");
    assert_eq!(fails(&["base", "text", "--incidents", "past.jsonl", "--fail-on", "gained,changed"]).0, Some(1));
    assert_eq!(fails(&["base", "text", "--incidents", "past.jsonl", "--fail-on", "gained"]).0, Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn markdown_is_fit_for_a_pull_request() {
    let folder = repository("diff-markdown");
    let page = |corpus: &str| {
        let out = engine(&["diff", "base", "text", "--no-shipped", "--incidents", corpus, "--format", "markdown", "--examples", "2"], b"", &folder);
        String::from_utf8(out.stdout).unwrap()
    };
    let md = page("past.jsonl");
    let wanted = crate::support::path("tests/data/diff/three.md");
    if std::env::var_os("ENGINE_UPDATE").is_some() {
        std::fs::create_dir_all(wanted.parent().unwrap()).unwrap();
        std::fs::write(&wanted, &md).unwrap();
    }
    assert_eq!(md, std::fs::read_to_string(&wanted).unwrap(), "ENGINE_UPDATE=1 writes it");

    // What an attacker names an incident, a machine or a title does not leave its place.
    let hostile = "</details>\n# heading | x ``` <script>alert(1)</script> @team [a](javascript:b) \u{1b}[2J\u{202e}";
    let mut v = incident("x", 5, 4, None);
    v["id"] = hostile.into();
    v["title"] = hostile.into();
    v["alerts"][0]["title"] = hostile.into();
    v["entities"][0]["name"] = hostile.into();
    v["entities"][0]["id"] = format!("device:{hostile}").into();
    v["alerts"][0]["entities"][0]["ref"] = format!("device:{hostile}").into();
    std::fs::write(folder.join("hostile.jsonl"), format!("{v}\n{}\n", v.to_string().replacen('{', "{ \"x", 1))).unwrap();
    let md = page("hostile.jsonl");
    assert!(md.contains("/script"), "the attacker's text is shown: {md}");
    assert!(!md.chars().any(|c| c != '\n' && guided_response::diag::human::hidden(c)), "{md:?}");
    let mut outside = String::new();
    for line in md.lines() {
        assert!(!line.starts_with("# "), "{line}");
        // What stands in code spans is text.
        let mut code: Option<usize> = None;
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let run = rest.chars().take_while(|c| *c == '`').count();
            match code {
                None if c == '\\' => {
                    rest = rest.get(2..).unwrap_or("");
                    continue;
                }
                _ if run == 0 => {
                    if code.is_none() {
                        outside.push(c);
                    }
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
                None => code = Some(run),
                Some(n) if n == run => code = None,
                Some(_) => {}
            }
            rest = &rest[run..];
        }
        outside.push('\n');
    }
    assert_eq!(outside.matches("<details>").count(), outside.matches("</details>").count(), "{outside}");
    assert!(!outside.contains("<script") && !outside.contains("](") && !outside.contains("@team"), "{outside}");
    std::fs::remove_dir_all(&folder).unwrap();
}
