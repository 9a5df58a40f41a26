//! `engine check`, driven as people and machines drive it; and the pages of the codes, held to what they say.

use std::path::{Path, PathBuf};
use std::process::Command;

use guided_response::card::{Context, respond};
use guided_response::diag::{Diagnostic, codes, explain};
use guided_response::playbook::{Input, compile, findings};
use guided_response::runtime::{playbooks::shipped, replace};
use serde_json::Value;

use crate::support::{example, path};

/// How a run of the program ended: exit code, standard output, standard error.
struct Ran {
    code: i32,
    out: String,
    told: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.told))
    }
}

fn engine(folder: &Path, args: &[&str]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_engine")).current_dir(folder).args(args).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), told: text(done.stderr) }
}

/// A fresh folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

/// The codes of a JSON report with their places.
fn found(report: &Value) -> Vec<(String, u64, u64)> {
    let all = report["diagnostics"].as_array().unwrap().iter();
    all.map(|d| (d["code"].as_str().unwrap().to_owned(), d["line"].as_u64().unwrap_or(0), d["column"].as_u64().unwrap_or(0))).collect()
}

const TWO_MISTAKES: &str = "library: acme_people
bind:
  admins: 'users.filter(|u| u.departmnt == \"finance\")'
conditions:
  on_board: { if: 'users.some(|u| u.department != \"sales\")' }
";

/// A book in which everything can be mended unseen.
const MENDABLE: &str = "# Ours.
title: Ünïted
playbook: acme.mendable   # the id
version: 1.0.0
match: { signals: [url_clicked], types: [phishing], signals: [url_clicked] }
bind:
  admins: 'users.filter(|u| u.has_tag(\"admin\"))'
  board: 'users.filter(|u| u.has_tag(\"vip\"))'
  admins: 'users.filter(|u| u.has_tag(\"admin\"))'
conditions:
  hit: { if: 'admins.some(|u| u in board)', pas: 'é' }   # kept
  calm:
    if: !hit
  many: { if: !hit && calm, pass: x }
  some:
    if: users.len() > 0 # anybody
  odd:
    if: board.some(|u| u.name == \"a #b\")
containment:
  - id: ask
    action: user.contact
    for: user in admins
    wen: hit && calm && many && some && odd
    why: '{user} was hit'
";

const MENDED: &str = "# Ours.
playbook: acme.mendable   # the id
format: 1
title: Ünïted
version: 1.0.0
match: { signals: [url_clicked], types: [phishing] }
bind:
  admins: 'users.filter(|u| u.has_tag(\"admin\"))'
  board: 'users.filter(|u| u.has_tag(\"vip\"))'
conditions:
  hit: { if: 'admins.some(|u| u in board)', pass: 'é' }   # kept
  calm:
    if: '!hit'
  many: { if: '!hit && calm', pass: x }
  some:
    if: 'users.len() > 0' # anybody
  odd:
    if: 'board.some(|u| u.name == \"a #b\")'
containment:
  - id: ask
    action: user.contact
    for: user in admins
    when: hit && calm && many && some && odd
    why: '{user} was hit'
";

#[test]
fn a_report_in_json_says_where_everything_is() {
    let at = folder("json", &[("a/x.yaml", TWO_MISTAKES), ("b.yaml", "library: other\nbind:\n  é: users\n")]);
    let ran = engine(&at, &["check", "--no-shipped", "--format", "json", ".", "nowhere"]);
    let report = ran.json();
    assert_eq!(report["schema"], "guided-response/check/1");
    assert_eq!(found(&report)[0], ("GR112".into(), 0, 0), "what cannot be read is in the same report");
    assert!(found(&report).contains(&("GR205".into(), 3, 31)) && found(&report).contains(&("GR107".into(), 3, 3)), "{report:#}");
    let d = report["diagnostics"].as_array().unwrap().iter().find(|d| d["code"] == "GR205").unwrap();
    assert_eq!((d["file"].as_str(), d["end_line"].as_u64(), d["end_column"].as_u64()), (Some("./a/x.yaml"), Some(3), Some(40)));
    assert_eq!((d["severity"].as_str(), d["help"].as_str()), (Some("error"), Some("did you mean `department`?")));
    assert_eq!(d["page"], "docs/codes.md#gr205");
    let edit = &d["fix"]["edits"][0];
    assert_eq!((edit["text"].as_str(), edit["column"].as_u64(), edit["end_column"].as_u64()), (Some("department"), Some(31), Some(40)));
    assert_eq!(d["fix"]["safe"], false);
    let count = |s: &str| report["diagnostics"].as_array().unwrap().iter().filter(|d| d["severity"] == s).count() as u64;
    assert_eq!((report["errors"].as_u64(), report["warnings"].as_u64()), (Some(count("error")), Some(count("warning"))));
    assert_eq!(ran.code, 2);
    // In a pipe, JSON is what is written if nothing else is asked for.
    assert_eq!(engine(&at, &["check", "--no-shipped", ".", "nowhere"]).out, ran.out);
    // A file alone can be asked about as well.
    assert_eq!(engine(&at, &["check", "--no-shipped", "b.yaml"]).json()["diagnostics"][0]["file"], "b.yaml");
}

#[test]
fn columns_count_characters_in_every_kind_of_scalar() {
    let text = "library: acme\nbind:\n  a: 'users.filter(|u| u.name == \"ÄÖ😀\" && u.uppn == \"x\")'\n  b: \"users.filter(|u| u.name == \\\"ä\\\" && u.uppn == \\\"x\\\")\"\n  c: |\n    users.filter(|u|\n      u.name == \"é\" && u.uppn == \"x\")\n  d: >-\n    users.filter(|u| u.name == \"é\"\n    && u.out(\"clickd\").len() > 0)\n";
    let at = folder("columns", &[("x.yaml", text)]);
    let report = engine(&at, &["check", "--no-shipped", "--format", "json", "x.yaml"]).json();
    let places: Vec<(u64, u64)> = found(&report).into_iter().filter(|f| f.0 == "GR205" || f.0 == "GR301").map(|f| (f.1, f.2)).collect();
    let lines: Vec<&str> = text.lines().collect();
    let column = |line: usize, what: &str| (line as u64, lines[line - 1].split(what).next().unwrap().chars().count() as u64 + 1);
    assert_eq!(places, [column(3, "uppn"), column(4, "uppn"), column(7, "uppn"), column(10, "\"clickd")]);
    // Each fix, put in place as it says, gives the word that is meant and nothing else.
    for d in report["diagnostics"].as_array().unwrap().iter().filter(|d| d["code"] == "GR205" || d["code"] == "GR301") {
        let e = &d["fix"]["edits"][0];
        let line: Vec<char> = lines[e["line"].as_u64().unwrap() as usize - 1].chars().collect();
        let (from, to) = (e["column"].as_u64().unwrap() as usize - 1, e["end_column"].as_u64().unwrap() as usize - 1);
        let old: String = line[from..to].iter().collect();
        assert!(old == "uppn" || old == "clickd", "{old}");
    }
}

#[test]
fn a_report_in_sarif_is_one() {
    let at = folder("sarif", &[("a ü.yaml", TWO_MISTAKES), ("b.yaml", MENDABLE), ("c.yaml", "library: acme_people\n")]);
    let ran = engine(&at, &["check", "--format", "sarif", ".", "nowhere"]);
    let log = ran.json();
    let schema: Value = serde_json::from_slice(&std::fs::read(path("tests/data/check/sarif.json")).unwrap()).unwrap();
    let wrong: Vec<String> = jsonschema::validator_for(&schema).unwrap().iter_errors(&log).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{log:#}");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let results = run["results"].as_array().unwrap();
    for r in results {
        assert_eq!(run["tool"]["driver"]["rules"][r["ruleIndex"].as_u64().unwrap() as usize]["id"], r["ruleId"]);
        let region = &r["locations"][0]["physicalLocation"]["region"];
        let at = |a: &str| region[a].as_u64().unwrap();
        assert!((at("startLine"), at("startColumn")) <= (at("endLine"), at("endColumn")), "{r}");
    }
    let property = results.iter().find(|r| r["ruleId"] == "GR205").unwrap();
    assert_eq!(property["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20%C3%BC.yaml");
    assert_eq!(property["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "department");
    let twice = results.iter().find(|r| r["ruleId"] == "GR108").unwrap();
    assert_eq!(twice["relatedLocations"][0]["message"]["text"], "first here");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"], "GR112");
    let clean = folder("sarif-clean", &[("c.yaml", "lists:\n  acme_tools: { kind: name, values: [putty.exe] }\n")]);
    let log = engine(&clean, &["check", "--no-shipped", "--format", "sarif", "."]).json();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn a_report_for_github_is_a_command_a_line() {
    let at = folder("github", &[("x.yaml", TWO_MISTAKES)]);
    let ran = engine(&at, &["check", "--no-shipped", "--format", "github", "x.yaml"]);
    assert!(ran.out.lines().all(|l| l.starts_with("::error file=x.yaml,line=") || l.starts_with("::warning file=x.yaml,line=")), "{}", ran.out);
    let wanted =
        "::error file=x.yaml,line=3,endLine=3,col=31,endColumn=40,title=GR205::user has no property `departmnt`%0Ahelp: did you mean `department`?";
    assert!(ran.out.lines().any(|l| l == wanted), "{}", ran.out);
}

#[test]
fn people_see_a_change_once_and_where_it_belongs() {
    let at = folder("human", &[("x.yaml", TWO_MISTAKES)]);
    let ran = engine(&at, &["check", "--no-shipped", "--format", "human", "x.yaml"]);
    assert_eq!(ran.out.matches("did you mean `department`?").count(), 1, "{}", ran.out);
    assert!(ran.out.contains("3 |   admins: 'users.filter(|u| u.department == \"finance\")'"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "no colour in a pipe");
    assert!(ran.told.contains("--explain"), "{}", ran.told);
}

#[test]
fn exit_codes_say_what_was_found_and_what_is_denied() {
    let warning = "library: acme\nbind:\n  x: 'users.filter(|u| u.department != \"sales\")'\nconditions:\n  y: { if: 'x.len() > 0' }\n";
    let at = folder(
        "exit",
        &[("w/x.yaml", warning), ("e/x.yaml", TWO_MISTAKES), ("f/x.yaml", "lists:\n  acme_tools: { kind: name, values: [putty.exe] }\n")],
    );
    let code = |args: &[&str]| engine(&at, &[&["check", "--no-shipped"], args].concat()).code;
    assert_eq!(code(&["f"]), 0);
    assert_eq!(code(&["w"]), 1);
    assert_eq!(code(&["e"]), 2);
    assert_eq!(code(&["nowhere"]), 2);
    let denied = engine(&at, &["check", "--no-shipped", "--deny", "gr208", "--format", "json", "w"]);
    assert_eq!(denied.code, 1, "a denied warning keeps nothing from loading");
    assert!(denied.json()["diagnostics"].as_array().unwrap().iter().any(|d| d["code"] == "GR208" && d["severity"] == "error"));
    assert!(denied.json()["errors"].as_u64().unwrap() > 0);
    assert_eq!(engine(&at, &["check", "--no-shipped", "--deny", "warnings", "--format", "json", "w"]).json()["warnings"], 0);
    for (wrong, near) in [("GR2O8", "GR208"), ("warning", "warnings")] {
        let ran = engine(&at, &["check", "--deny", wrong, "w"]);
        assert_eq!(ran.code, 3);
        assert!(ran.told.contains(&format!("did you mean `{near}`?")), "{}", ran.told);
    }
    assert_eq!(code(&["--dry-run", "w"]), 3, "a dry run of nothing");
}

#[test]
fn safe_fixes_change_what_they_say_and_not_a_byte_more() {
    let at = folder("fix", &[("x.yaml", MENDABLE), ("untouched.yaml", TWO_MISTAKES)]);
    let diff = engine(&at, &["check", "--fix", "--dry-run", "."]);
    assert_eq!(std::fs::read_to_string(at.join("x.yaml")).unwrap(), MENDABLE, "a dry run writes nothing");
    assert!(
        diff.out.starts_with("--- ./x.yaml\n+++ ./x.yaml\n@@ -1,")
            && diff.out.contains("\n-    if: !hit\n")
            && diff.out.contains("\n+    if: '!hit'\n"),
        "{}",
        diff.out
    );
    let ran = engine(&at, &["check", "--fix", "--format", "json", "."]);
    assert_eq!(std::fs::read_to_string(at.join("x.yaml")).unwrap(), MENDED, "{}", ran.told);
    assert_eq!(std::fs::read_to_string(at.join("untouched.yaml")).unwrap(), TWO_MISTAKES, "a guess is offered, not applied");
    let report = ran.json();
    let fixed: Vec<&str> = report["fixed"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    for code in ["GR110", "GR104", "GR103", "GR102", "GR106"] {
        assert!(fixed.contains(&code), "{fixed:?}");
    }
    let left: Vec<_> = report["diagnostics"].as_array().unwrap().iter().filter(|d| d["file"] == "./x.yaml" && d["severity"] == "error").collect();
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(ran.told.lines().filter(|l| l.starts_with("mended GR")).count(), fixed.len());
    // Once more changes nothing.
    let again = engine(&at, &["check", "--fix", "--format", "json", "."]);
    assert_eq!(again.json()["fixed"], Value::Array(Vec::new()));
    assert_eq!(std::fs::read_to_string(at.join("x.yaml")).unwrap(), MENDED);
    let names: Vec<_> = std::fs::read_dir(&at).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");
}

#[test]
fn line_ends_marks_and_given_paths_survive_a_fix() {
    let windows = MENDABLE.replace('\n', "\r\n");
    let marked = format!("\u{feff}{}", MENDABLE.replace("acme.mendable", "acme.marked"));
    let bare = "{ library: acme_flow, bind: { a: users, a: users }, conditions: { b: { if: 'a.len() > 0', fial: x } } }";
    let at = folder("ends", &[("w.yaml", &windows), ("m.yaml", &marked), ("sub/b.yaml", bare)]);
    let ran = engine(&at, &["check", "--fix", "--format", "json", ".", "./sub/b.yaml"]);
    let read = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    assert_eq!(read("w.yaml"), MENDED.replace('\n', "\r\n"), "{}", ran.told);
    assert_eq!(read("m.yaml"), format!("\u{feff}{}", MENDED.replace("acme.mendable", "acme.marked")));
    assert_eq!(read("sub/b.yaml"), "{ library: acme_flow, bind: { a: users }, conditions: { b: { if: 'a.len() > 0', fail: x } } }");
}

#[test]
fn what_only_its_author_can_decide_is_never_written() {
    // Different values, a word that is there already, two near words, tags that may be meant, a value that goes on.
    let text = "playbook: acme.open
format: 1
version: 1.0.0
title: x
titel: y
bind:
  a: users
  a: devices
conditions:
  b: { if: !!str users.len() > 0 }
  c:
    if: !risky(user)
      && true
  d: { if: users.len() > 0 # either way
  }
  e:
    if: &x users.len() > 0
";
    let at = folder("open", &[("x.yaml", text), ("broken.yaml", "library: x\nbind: {a: [b\n")]);
    let ran = engine(&at, &["check", "--no-shipped", "--fix", "--format", "json", "."]);
    let now = std::fs::read_to_string(at.join("x.yaml")).unwrap();
    assert_eq!(now, text, "{}", ran.told);
    assert_eq!(std::fs::read_to_string(at.join("broken.yaml")).unwrap(), "library: x\nbind: {a: [b\n");
    assert_eq!(ran.code, 2);
    // What ships is not anybody's to mend, and nothing is asked to be.
    assert_eq!(engine(&at, &["check", "--fix", "--format", "json"]).json()["fixed"], Value::Array(Vec::new()));
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_whole_with_its_permissions_through_its_link_and_never_over_another_change() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let at = folder("replace", &[("real/x.yaml", MENDABLE), ("links/y.yaml", "library: y\n")]);
    std::fs::set_permissions(at.join("real/x.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../real/x.yaml", at.join("links/x.yaml")).unwrap();
    engine(&at, &["check", "--fix", "links"]);
    assert_eq!(std::fs::read_to_string(at.join("real/x.yaml")).unwrap(), MENDED);
    assert!(std::fs::symlink_metadata(at.join("links/x.yaml")).unwrap().is_symlink(), "the link stays a link");
    assert_eq!(std::fs::metadata(at.join("real/x.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
    let file = at.join("links/x.yaml");
    let why = replace(&file, b"what was read", b"new").unwrap_err();
    assert!(why.contains("changed by somebody else"), "{why}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), MENDED);
    // A file that must not be written is told, and the exit code says so.
    std::fs::write(at.join("real/x.yaml"), MENDABLE).unwrap();
    std::fs::set_permissions(at.join("real/x.yaml"), std::fs::Permissions::from_mode(0o440)).unwrap();
    let ran = engine(&at, &["check", "--fix", "--format", "json", "real"]);
    assert_eq!((ran.code, ran.json()["fixed"].as_array().unwrap().len()), (3, 0), "{}", ran.told);
    assert_eq!(std::fs::read_to_string(at.join("real/x.yaml")).unwrap(), MENDABLE);
}

/// Whatever of a file is cut away or doubled: what is written back is YAML if it was, and mending again finds nothing.
#[test]
fn no_fix_breaks_a_file() {
    let lines: Vec<&str> = MENDABLE.lines().collect();
    let mut files: Vec<(String, String)> = Vec::new();
    for n in 1..lines.len() {
        let less: Vec<&str> = lines.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, l)| *l).collect();
        files.push((format!("less/{n:02}.yaml"), less.join("\n").replace("acme.mendable", &format!("acme.less_{n}"))));
        let mut more = lines.clone();
        more.insert(n, lines[n]);
        files.push((format!("more/{n:02}.yaml"), more.join("\n").replace("acme.mendable", &format!("acme.more_{n}"))));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let at = folder("breaks", &files);
    let broken = |report: &Value| -> Vec<String> {
        let all = report["diagnostics"].as_array().unwrap().iter().filter(|d| d["code"] == "GR101");
        all.map(|d| d["file"].as_str().unwrap().to_owned()).collect()
    };
    let before = broken(&engine(&at, &["check", "--no-shipped", "--format", "json", "."]).json());
    let first = engine(&at, &["check", "--no-shipped", "--fix", "--format", "json", "."]).json();
    assert!(first["fixed"].as_array().unwrap().len() > 100);
    assert_eq!(broken(&first), before);
    assert_eq!(engine(&at, &["check", "--no-shipped", "--fix", "--format", "json", "."]).json()["fixed"], Value::Array(Vec::new()));
}

#[test]
fn a_code_is_explained_in_a_terminal() {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let ran = engine(at, &["check", "--explain", "gr203"]);
    assert!(ran.code == 0 && ran.out.starts_with("GR203: ") && ran.out.contains("\nwrong:\n\n    library:"), "{}", ran.out);
    let list = engine(at, &["check", "--explain"]);
    assert!(list.code == 0 && codes::ALL.iter().all(|c| list.out.contains(&format!("{}  {}\n", c.id, c.means))), "{}", list.out);
    let wrong = engine(at, &["check", "--explain", "GR23"]);
    assert!(wrong.code == 3 && wrong.told.contains("did you mean `GR"), "{}", wrong.told);
}

/// The fenced blocks of a page: language, `wrong` or `right`, text.
fn blocks(page: &str) -> Vec<(&str, &str, String)> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let (language, what) = kind.split_once(' ').unwrap_or((kind, ""));
            all.push((language, what, lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect()));
        }
    }
    all
}

/// The codes that an example gives, errors marked: of a playbook file on top of what ships, and on the example incident
/// where the code is about one; of an incident when it is read.
fn given(code: &str, language: &str, text: &str) -> Vec<(String, bool)> {
    let of = |all: &[Diagnostic]| -> Vec<(String, bool)> {
        all.iter().map(|d| (d.code.to_owned(), d.severity == guided_response::diag::Severity::Error)).collect()
    };
    if language == "json" {
        return match guided_response::intake::read(text.as_bytes(), None) {
            Ok(all) => all.iter().flat_map(|r| of(&r.diagnostics)).collect(),
            Err(refusal) => of(std::slice::from_ref(&refusal.diagnostic)),
        };
    }
    let mut files: Vec<Input> = shipped();
    files.push(Input { path: "example.yaml".into(), text: text.into(), layer: 1 });
    let set = compile(&files);
    let today = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut all = of(&findings(&set, today));
    for playbook in set.playbooks.iter().filter(|p| code == "GR803" && p.span.file == set.sources.iter().last().unwrap().0) {
        for test in guided_response::playbook::tests(&set.sources, playbook).0 {
            let done =
                guided_response::tester::test::run(&set, playbook, &test, &|_, _| Ok(Vec::new()), guided_response::tester::test::Wish::Verdict);
            all.extend(done.failures.iter().map(|f| (f.diagnostic.code.to_owned(), true)));
        }
    }
    if code.starts_with("GR8") {
        let answer = respond(&set, &example(), &Context { now: None, today, actor: None, input: Vec::new(), only: None });
        all.extend(answer.diagnostics.iter().map(|d| (d.code.to_owned(), false)));
    }
    all
}

#[test]
fn every_page_tells_the_truth() {
    let wrong = std::sync::Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(code) = codes::ALL.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    for (language, what, text) in blocks(code.page) {
                        let all = given(code.id, language, &text);
                        let there = all.iter().any(|(c, _)| c == code.id);
                        let fault = match what {
                            "wrong" => (!there).then_some("does not give it"),
                            "right" if there => Some("gives it"),
                            "right" => all.iter().any(|(_, error)| *error).then_some("is an error"),
                            _ => Some("is marked neither `wrong` nor `right`"),
                        };
                        if let Some(fault) = fault {
                            wrong.lock().unwrap().push(format!("{}: the {what} example {fault}: {all:?}", code.id));
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_that_a_file_can_show_has_both_examples() {
    // Limits, machines, sources and the formatter cannot be shown in ten lines.
    let without = ["GR111", "GR112", "GR113", "GR702", "GR903", "GR907", "GR908"];
    for code in codes::ALL {
        let kinds: Vec<&str> = blocks(code.page).iter().map(|b| b.1).collect();
        let shown = !without.contains(&code.id);
        // No day stays within a year.
        assert_eq!((kinds.contains(&"wrong"), kinds.contains(&"right")), (shown, shown && code.id != "GR703"), "{}", code.id);
    }
}

#[test]
fn the_page_of_codes_is_current() {
    let (file, page) = (path("docs/codes.md"), explain::reference());
    if std::env::var_os("UPDATE_WRITTEN").is_some_and(|v| v == "1") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/codes.md is out of date: run `UPDATE_WRITTEN=1 cargo test --test it the_page_of_codes`");
}
