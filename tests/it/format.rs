//! The canonical form: what it is, that it settles at once, and that nothing is lost on the way to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use granit_parser::{Event, Parser};
use guided_response::playbook::format::format;
use serde_json::Value;

use crate::random::{Random, count};
use crate::support::path;

/// Every YAML file below a folder.
fn yaml(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    all.sort();
    for p in all {
        if p.is_dir() {
            yaml(&p, out);
        } else if p.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            out.push(p);
        }
    }
}

fn texts() -> Vec<(String, String)> {
    let mut all = Vec::new();
    yaml(&path("playbooks"), &mut all);
    assert!(all.len() > 30);
    yaml(&path("tests/data"), &mut all);
    all.into_iter().filter_map(|p| Some((p.display().to_string(), std::fs::read_to_string(&p).ok()?))).collect()
}

/// The comments of a file, sorted: by another way than the formatter's.
fn comments(text: &str) -> Vec<String> {
    let options = granit_parser::options! { emit_unresolved_aliases: true };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut all = Vec::new();
    while let Some(Ok((event, _))) = parser.next_event() {
        match event {
            Event::Comment(text, _) => all.push(text.trim_end().to_owned()),
            Event::StreamEnd => break,
            _ => {}
        }
    }
    all.sort();
    all
}

/// What a file says, read by another package; the last line of a block of text may lack its end.
fn data(text: &str) -> Option<Value> {
    serde_yaml::from_str(&format!("{}\n", text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']))).ok()
}

/// Formats, and checks all that must hold of whatever comes out. Whether something was written.
fn proved(name: &str, text: &str) -> bool {
    let Ok(made) = format(name, text) else { return false };
    match format(name, &made) {
        Ok(again) => assert!(again == made, "{name}: it does not settle\n--- first\n{made}\n--- then\n{again}\n--- of\n{text}"),
        Err(e) => panic!("{name}: what was written is refused: {:?}\n{made}\n--- of\n{text}", e.diagnostics),
    }
    assert_eq!(comments(&text.replace("\r\n", "\n")), comments(&made), "{name}: comments\n{made}\n--- of\n{text}");
    if let (Some(before), Some(after)) = (data(text), data(&made)) {
        assert!(before == after, "{name}: it says something else\n{made}\n--- of\n{text}");
    }
    assert!(made.is_empty() || made.ends_with('\n'), "{name}: no line end at the end");
    assert!(!made.contains('\r'), "{name}: CR");
    true
}

#[test]
fn files_that_ship_and_fixtures_keep_what_they_say() {
    let mut done = 0;
    for (name, text) in texts() {
        done += usize::from(proved(&name, &text));
        if name.contains("/playbooks/") {
            assert!(format(&name, &text).is_ok(), "{name} is refused");
        }
    }
    println!("{done} files formatted");
    assert!(done > 35);
}

/// Another layout of the same file, or nearly; sometimes something that is no YAML any more.
fn mutated(text: &str, r: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..1 + r.below(6) {
        let at = r.below(lines.len().max(1));
        let Some(line) = lines.get(at).cloned() else { break };
        let indent = line.len() - line.trim_start().len();
        match r.below(13) {
            0 => lines.iter_mut().for_each(|l| *l = format!("{}{l}", " ".repeat(l.len() - l.trim_start().len()))),
            1 => lines.insert(at, format!("{}# own {}", " ".repeat(r.below(8)), r.below(100))),
            2 | 3 => lines.insert(at, format!("{}# beside {}", " ".repeat(indent), r.below(100))),
            4 => lines[at] = format!("{line} # behind {}", r.below(100)),
            5 => lines.insert(at, String::new()),
            6 => lines[at] = line.replacen('\'', "\"", 2),
            7 => lines[at] = format!("{line}   "),
            8 => {
                // Two keys of the same map change places.
                if let Some(other) = lines.get(at + 1).cloned()
                    && other.len() - other.trim_start().len() == indent
                {
                    lines.swap(at, at + 1);
                }
            }
            9 => {
                if let (Some(from), true) = (line.find(": ["), line.ends_with(']')) {
                    let items: Vec<&str> = line[from + 3..line.len() - 1].split(", ").collect();
                    let mut made = vec![format!("{}:", &line[..from])];
                    made.extend(items.iter().map(|i| format!("{}- {i}", " ".repeat(indent + 2 * r.below(3) + 2))));
                    let same = made[1].len() - made[1].trim_start().len();
                    made[1..].iter_mut().for_each(|l| *l = format!("{}{}", " ".repeat(same), l.trim_start()));
                    lines.splice(at..=at, made);
                }
            }
            10 => lines[at] = line.replacen(", ", ",\n          ", 1),
            11 => {
                lines.remove(at);
            }
            _ => {
                // Whole sections change places, the first one stays.
                let starts: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].starts_with(|c: char| c.is_ascii_lowercase())).collect();
                if starts.len() > 3 {
                    let mut parts: Vec<Vec<String>> =
                        starts.iter().zip(starts[1..].iter().chain([&lines.len()])).map(|(a, b)| lines[*a..*b].to_vec()).collect();
                    let head = lines[..starts[0]].to_vec();
                    let first = parts.remove(0);
                    r.shuffle(&mut parts);
                    lines = head.into_iter().chain(first).chain(parts.into_iter().flatten()).collect();
                }
            }
        }
    }
    let end = if r.chance(20) { "\r\n" } else { "\n" };
    let mut all = lines.join("\n").replace('\n', end);
    if r.chance(80) {
        all.push_str(end);
    }
    if r.chance(3) {
        all.insert(0, '\u{feff}');
    }
    all
}

#[test]
fn other_layouts_of_them_settle_and_keep_what_they_say() {
    let all = texts();
    let (mut written, mut readable) = (0, 0);
    for seed in 0..count("ENGINE_FORMAT", 400) as u64 {
        let mut r = Random::new(seed);
        let (name, text) = r.pick(&all);
        // Long files take long, and say nothing that their parts do not say.
        let text: String = if text.len() > 6000 { text.lines().take(80).map(|l| format!("{l}\n")).collect() } else { text.clone() };
        let text = mutated(&text, &mut r);
        let done = proved(&format!("{name}, seed {seed}"), &text);
        written += usize::from(done);
        readable += usize::from(data(&text).is_some());
    }
    println!("{written} written of {readable} that are YAML");
    assert!(written * 10 > readable * 8, "only {written} of {readable} readable files were written");
}

#[test]
fn no_text_makes_it_panic() {
    let all = texts();
    for seed in 0..count("ENGINE_FORMAT", 400) as u64 {
        let mut r = Random::new(seed ^ 0x5eed);
        let (name, text) = r.pick(&all);
        let mut chars: Vec<char> = text.chars().take(1500).collect();
        for _ in 0..1 + r.below(8) {
            let at = r.below(chars.len());
            let c = *r.pick(&[
                '\n', ' ', '#', ':', '-', '[', '{', '}', ']', '\'', '"', '|', '>', '?', '!', '&', '*', '\t', '\r', '\u{2028}', 'é', ',', '%',
                '\u{feff}', '+', '2',
            ]);
            match r.below(3) {
                0 => chars[at] = c,
                1 => chars.insert(at, c),
                _ => {
                    chars.remove(at);
                }
            }
        }
        let text: String = chars.into_iter().collect();
        proved(&format!("{name}, seed {seed}"), &text);
    }
}

#[track_caller]
fn becomes(before: &str, after: &str) {
    match format("x.yaml", before) {
        Ok(made) => assert_eq!(made, after),
        Err(e) => panic!("{:?}", e.diagnostics),
    }
    proved("x.yaml", before);
}

#[test]
fn keys_come_in_the_order_of_the_table_with_their_comments() {
    becomes(
        "\
# The head.
library: l
conditions:
    c:
        # Holds for whom.
        fail: \"no\"   # why not
        if: \"true\"
        with: user
        # The end.
bind:
    b: 1
    # What it is.
    a: 2
title: T
",
        "\
# The head.
library: l
title: T

bind:
  b: 1
  # What it is.
  a: 2

conditions:
  c:
    with: user
    if: 'true'
    # Holds for whom.
    fail: \"no\"   # why not
    # The end.
",
    );
}

#[test]
fn lists_are_indented_and_flow_stays_where_it_fits() {
    becomes(
        "\
signals:
  s:
    any:
    # One.
    - {titles: [a,b], products: c}

    -   if: >-
           x
             y

           z
        categories: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccc, ddddddd]
    title:   T
",
        "\
signals:
  s:
    title: T
    any:
      # One.
      - { titles: [a, b], products: c }

      - categories:
          - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
          - bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
          - cccccccccccccccccccccccc
          - ddddddd
        if: >-
          x
            y

          z
",
    );
}

#[test]
fn a_comment_above_what_becomes_the_first_key_of_an_item_stands_above_the_item() {
    becomes(
        "playbook: p\nformat: 1\nversion: 1.0.0\ntitle: t\ninvestigation:\n- why: w\n  # About it.\n  id: i\n  action: user.contact\n",
        "playbook: p\nformat: 1\nversion: 1.0.0\ntitle: t\n\ninvestigation:\n  # About it.\n  - id: i\n    action: user.contact\n    why: w\n",
    );
}

#[test]
fn what_is_not_certain_is_left_alone() {
    for text in [
        "playbook: &a x\n",
        "playbook: x\ntitle: *a\n",
        "%YAML 1.2\n---\nplaybook: x\n",
        "playbook: x\n...\n",
        "playbook: [\n",
        "compose: x\n",
        "- a\n",
        "a: b: c\n",
    ] {
        assert!(format("x.yaml", text).is_err(), "{text}");
    }
    // Unknown and repeated keys are told by `check`; here their order is left as it is.
    for text in ["lists:\n  l:\n    values: [a]\n    kind: ip\n    knd: x\n", "lists:\n  l:\n    values: [a]\n    kind: ip\n    kind: ip\n"] {
        assert_eq!(format("x.yaml", text).unwrap(), text);
    }
    assert_eq!(format("x.yaml", "").unwrap(), "");
    assert_eq!(format("x.yaml", "# only this").unwrap(), "# only this\n");
}

fn engine(args: &[&str], dir: &Path, input: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
        .args(args)
        .current_dir(dir)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may have ended before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn the_command_writes_names_and_shows_what_changes() {
    let dir = std::env::temp_dir().join(format!("engine-fmt-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let (ugly, tidy) = ("lists:\n    l: {values: [a],   kind: name}\n", "lists:\n  l: { kind: name, values: [a] }\n");
    std::fs::write(dir.join("a.yaml"), ugly).unwrap();
    std::fs::write(dir.join("b.yaml"), tidy.replace("l:", "m:")).unwrap();
    let out = engine(&["fmt", "--check"], &dir, "");
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stdout).as_ref()), (Some(1), "./a.yaml\n"));
    let out = engine(&["fmt", ".", "--diff"], &dir, "");
    let shown = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.code() == Some(1) && shown.contains("-    l: {values: [a],   kind: name}") && shown.contains("+  l: { kind: name, values: [a] }"),
        "{shown}"
    );
    assert_eq!(std::fs::read_to_string(dir.join("a.yaml")).unwrap(), ugly, "nothing is written");
    assert_eq!(engine(&["fmt", "."], &dir, "").status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(dir.join("a.yaml")).unwrap(), tidy);
    assert_eq!(engine(&["fmt", ".", "--check"], &dir, "").status.code(), Some(0));

    let out = engine(&["fmt", "-"], &dir, ugly);
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stdout).as_ref()), (Some(0), tidy));
    assert_eq!(engine(&["fmt", "-", "--check"], &dir, ugly).status.code(), Some(1));

    // What does not parse is left as it is, and said; the others are written.
    std::fs::write(dir.join("a.yaml"), ugly).unwrap();
    std::fs::write(dir.join("c.yaml"), "lists: [\n").unwrap();
    let out = engine(&["fmt", "."], &dir, "");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("c.yaml"), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(std::fs::read_to_string(dir.join("c.yaml")).unwrap(), "lists: [\n");
    assert_eq!(std::fs::read_to_string(dir.join("a.yaml")).unwrap(), tidy);
}
