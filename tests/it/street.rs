//! The rooms import one way only, and those before `runtime` touch nothing but values.

use std::path::Path;

use crate::support::path;

/// The rooms in order; each may import those before it.
const STREET: &[&str] = &["source", "diag", "model", "intake", "script", "playbook", "eval", "card", "tester", "runtime", "lsp", "cli"];
/// The first room that may touch the machine.
const FIRST_DOOR: &str = "runtime";
/// What a pure room must not name.
const IMPURE: &[&str] =
    &["std::fs", "std::net::Tcp", "std::net::Udp", "std::env", "std::time", "std::thread", "std::process", "std::io", "println!", "eprintln!"];

fn place(room: &str) -> usize {
    STREET.iter().position(|r| *r == room).unwrap_or(usize::MAX)
}

/// The text without comments: what is said there binds nobody. Texts are left alone; none in the crate holds `//` and `crate::`.
fn code(text: &str) -> String {
    text.lines().map(|l| if l.trim_start().starts_with("//") { "" } else { l }).collect::<Vec<_>>().join("\n")
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The rooms that stand after `crate::` or after enough `super::` to reach the top.
fn named(text: &str, depth: usize) -> Vec<String> {
    let mut all = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => all.push(word(rest).to_owned()),
            Some(group) => {
                let (mut level, mut fresh) = (0usize, true);
                for (n, c) in group.char_indices() {
                    match c {
                        '{' => level += 1,
                        '}' if level == 0 => break,
                        '}' => level -= 1,
                        ',' if level == 0 => fresh = true,
                        c if c.is_alphabetic() && fresh => {
                            all.push(word(&group[n..]).to_owned());
                            fresh = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    let top = "super::".repeat(depth);
    for (at, _) in text.match_indices(&top) {
        let next = word(&text[at + top.len()..]);
        if !text[..at].ends_with("super::") && place(next) != usize::MAX {
            all.push(next.to_owned());
        }
    }
    all
}

/// What a file does that its room may not.
fn offences(room: &str, depth: usize, text: &str) -> Vec<String> {
    let text = code(text);
    let mut all: Vec<String> = named(&text, depth)
        .into_iter()
        .filter(|other| place(other) != usize::MAX && place(other) > place(room))
        .map(|other| format!("`{room}` imports `{other}`, which is further down the street"))
        .collect();
    if place(room) < place(FIRST_DOOR) {
        all.extend(IMPURE.iter().filter(|i| text.contains(*i)).map(|i| format!("`{room}` is pure and names `{i}`")));
    }
    for (package, owner) in [("petgraph", "model"), ("rhai", "script")] {
        if room != owner && (text.contains(&format!("{package}::")) || text.contains(&format!("use {package};"))) {
            all.push(format!("only `{owner}` may name `{package}`, and `{room}` does"));
        }
    }
    all
}

fn files(folder: &Path, depth: usize, out: &mut Vec<(std::path::PathBuf, usize)>) {
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    for p in all {
        if p.is_dir() {
            files(&p, depth + 1, out);
        } else if p.extension().is_some_and(|e| e == "rs") && p.file_name().is_none_or(|n| n != "tests.rs") {
            // Unit tests may read files and print. `mod.rs` is its folder's module; any other file is one below.
            let own = if p.file_name().is_some_and(|n| n == "mod.rs") { depth } else { depth + 1 };
            out.push((p, own));
        }
    }
}

#[test]
fn every_room_imports_only_rooms_before_it() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for room in STREET {
        let mut all = Vec::new();
        let folder = path("src").join(room);
        if folder.is_dir() {
            files(&folder, 1, &mut all);
        }
        let single = path("src").join(format!("{room}.rs"));
        if single.is_file() {
            all.push((single, 1));
        }
        assert!(!all.is_empty(), "the room `{room}` has no file: is the list of rooms current?");
        for (file, depth) in all {
            seen += 1;
            let text = std::fs::read_to_string(&file).unwrap();
            // Tests of a room may read files and say what they did.
            let tests = file.file_name().is_some_and(|n| n == "tests.rs");
            let all = offences(room, depth, &text).into_iter().filter(|o| !tests || !o.contains("is pure and names"));
            wrong.extend(all.map(|o| format!("{}: {o}", file.display())));
        }
    }
    assert!(seen > 60, "only {seen} files were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let extra: Vec<String> = std::fs::read_dir(path("src"))
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| place(n) == usize::MAX)
        .collect();
    assert!(extra.is_empty(), "not on the street: {extra:?}");
}

#[test]
fn a_wrong_import_would_be_seen() {
    assert_eq!(offences("model", 1, "use crate::script::Ty;").len(), 1);
    assert_eq!(offences("model", 1, "use crate::{diag::{Diagnostic, codes}, eval, source};").len(), 1);
    assert_eq!(offences("script", 2, "fn f() { super::super::card::respond() }").len(), 1);
    assert_eq!(offences("intake", 1, "let t = std::time::Instant::now(); println!(\"x\");").len(), 2);
    assert_eq!(offences("eval", 1, "use petgraph::graph::DiGraph;\nuse rhai::Engine;").len(), 2);
    assert_eq!(offences("cli", 1, "use crate::{card, runtime};\nprintln!(\"x\");").len(), 0);
    assert_eq!(offences("model", 1, "/// As [`crate::card`] shows it.\nuse crate::diag::codes;").len(), 0);
}
