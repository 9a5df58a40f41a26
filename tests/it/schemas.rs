//! The JSON Schemas are current, accept every file that ships, every fixture that loads and every answer, and refuse what
//! the parser refuses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use guided_response::card::{Context, graph, respond};
use guided_response::diag::Severity;
use guided_response::eval;
use guided_response::intake;
use guided_response::playbook::{Input, compile};
use guided_response::runtime::playbooks::shipped;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::path;
use crate::whole::{fixtures, real};

/// Every schema by name, as the program writes it.
pub fn schemas() -> &'static BTreeMap<String, Value> {
    static ALL: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    ALL.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("engine-schemas-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let out = Command::new(env!("CARGO_BIN_EXE_engine")).args(["schema", "--out"]).arg(&dir).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        std::fs::read_dir(&dir)
            .unwrap()
            .map(|e| e.unwrap())
            .map(|e| {
                let name = e.file_name().to_string_lossy().trim_end_matches(".schema.json").to_owned();
                (name, serde_json::from_slice(&std::fs::read(e.path()).unwrap()).unwrap())
            })
            .collect()
    })
}

/// No key beyond those that are described.
pub fn closed(mut schema: Value) -> Value {
    fn close(v: &mut Value) {
        match v {
            Value::Object(all) => {
                all.values_mut().for_each(close);
                if all.contains_key("properties") && !all.contains_key("additionalProperties") {
                    all.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            Value::Array(all) => all.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

pub fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

fn wrong(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).take(5).collect()
}

#[test]
fn the_schemas_in_the_repository_are_those_that_the_program_writes() {
    let folder = path("schemas");
    if std::env::var_os("UPDATE_WRITTEN").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, schema) in schemas() {
            std::fs::write(folder.join(format!("{name}.schema.json")), format!("{schema:#}\n")).unwrap();
        }
        return;
    }
    let mut there: Vec<String> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    there.sort();
    let mut wanted: Vec<String> = schemas().keys().map(|n| format!("{n}.schema.json")).collect();
    wanted.sort();
    assert_eq!(there, wanted, "UPDATE_WRITTEN=1 writes them");
    for (name, schema) in schemas() {
        let text = std::fs::read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
        assert!(text == format!("{schema:#}\n"), "schemas/{name}.schema.json is not current: UPDATE_WRITTEN=1 writes it");
        assert!(jsonschema::meta::is_valid(schema), "{name} is no schema");
    }
}

/// Playbook files below a folder.
fn files() -> Vec<PathBuf> {
    fn walk(folder: &std::path::Path, out: &mut Vec<PathBuf>) {
        for p in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if p.is_dir() {
                walk(&p, out);
            } else if p.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                out.push(p);
            }
        }
    }
    let mut all = Vec::new();
    walk(&path("playbooks"), &mut all);
    walk(&path("tests/data"), &mut all);
    all.sort();
    all
}

/// The schema of a file, by its first key, and the one for any file.
fn of(text: &str) -> Option<[&'static Value; 2]> {
    let first = text.lines().find(|l| l.starts_with(|c: char| c.is_ascii_lowercase()))?.split(':').next()?;
    Some([schemas().get(first)?, &schemas()["playbook-file"]])
}

#[test]
fn every_playbook_file_that_loads_is_valid() {
    let validators: BTreeMap<String, Validator> = schemas().iter().map(|(n, s)| (n.clone(), validator(s))).collect();
    let (mut seen, mut all_shipped) = (0, 0);
    for p in files() {
        let Ok(text) = std::fs::read_to_string(&p) else { continue };
        let own = p.starts_with(path("playbooks"));
        if !own {
            let mut set = shipped();
            set.push(Input { path: "x.yaml".to_owned(), text: text.clone(), layer: 1 });
            let set = compile(&set);
            let books = set.playbooks.iter().filter(|p| set.sources.get(p.span.file).is_some_and(|f| &*f.path == "x.yaml"));
            let said = set.diagnostics.iter().cloned().chain(books.flat_map(|p| guided_response::playbook::tests(&set.sources, p).1));
            if said.into_iter().any(|d| d.severity == Severity::Error) {
                continue;
            }
        }
        let Ok(value) = serde_yaml::from_str::<Value>(&text) else { continue };
        let Some(first) = text.lines().find(|l| l.starts_with(|c: char| c.is_ascii_lowercase())).and_then(|l| l.split(':').next()) else { continue };
        for name in [first, "playbook-file"] {
            let errors = wrong(&validators[name], &value);
            assert!(errors.is_empty(), "{} against {name}: {}", p.display(), errors.join("\n"));
        }
        seen += 1;
        all_shipped += usize::from(own);
    }
    println!("{seen} files");
    assert!(all_shipped >= 40, "{all_shipped}");
}

#[test]
fn what_the_parser_refuses_the_schema_refuses() {
    let book = "playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\n";
    let card = "investigation: [{ id: c, action: user.contact, for: user in users, why: w }]\n";
    let right = [
        format!("{book}{card}"),
        format!("{book}status:\nbind:\nconditions:\nremediation: []\n"),
        "signals:\n  s: { title: t, any: [{ titles: x }] }\n".to_owned(),
        "lists:\n  l: { kind: ip, values: [] }\n".to_owned(),
    ];
    let wrong_files = [
        format!("{book}colour: red\n"),
        "playbook: a.b\nformat: 1\ntitle: t\n".to_owned(),
        format!("{book}match: [user]\n"),
        format!("{book}status: done\n"),
        format!("{}{card}", book.replace("format: 1", "format: 2")),
        book.replace("1.0.0", "one"),
        book.replace("a.b", "A B"),
        format!("{book}{}", card.replace("why: w", "because: w")),
        format!("{book}{}", card.replace("why: w", "why: w, priority: 200")),
        format!("{book}{}", card.replace("user in users", "users")),
        format!("{book}{}", card.replace("why: w", "why: w, for_all: u in users")),
        format!("{book}conditions: {{ c: {{ pass: x }} }}\n"),
        format!("{book}conditions: {{ c: {{ if: [a] }} }}\n"),
        format!("{book}match: {{ entities: [usr] }}\n"),
        format!("{book}triage: [{{ classify: true_positive, confidence: high, why: w }}]\n"),
        format!("{book}tests: [{{ name: n, expect: {{ matched: false }} }}]\n"),
        "signals:\n  s: { title: t, any: [{}] }\n".to_owned(),
        "lists:\n  l: { kind: ips, values: [] }\n".to_owned(),
        "actions:\n  user.x: { title: t, phase: later, kinds: [user] }\n".to_owned(),
        "incident_types:\n  t: { title: t, any: [{ weight: 10 }] }\n".to_owned(),
        "overlay: [a]\n".to_owned(),
        "nothing: known\n".to_owned(),
    ];
    let errors = |text: &str| {
        let mut set = shipped();
        set.push(Input { path: "x.yaml".to_owned(), text: text.to_owned(), layer: 1 });
        let set = compile(&set);
        let mut all: Vec<_> = set.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        for p in set.playbooks.iter().filter(|p| &*p.id == "a.b") {
            all.extend(guided_response::playbook::tests(&set.sources, p).1.into_iter().filter(|d| d.severity == Severity::Error));
        }
        all
    };
    for text in &right {
        assert!(errors(text).is_empty(), "{:?}\n{text}", errors(text));
        for schema in of(text).unwrap() {
            let e = wrong(&validator(schema), &serde_yaml::from_str(text).unwrap());
            assert!(e.is_empty(), "{e:?}\n{text}");
        }
    }
    for text in &wrong_files {
        assert!(!errors(text).is_empty(), "the parser takes\n{text}");
        let value: Value = serde_yaml::from_str(text).unwrap();
        for schema in of(text).map_or_else(|| vec![&schemas()["playbook-file"]], |s| s.to_vec()) {
            assert!(!validator(schema).is_valid(&value), "the schema takes\n{text}");
        }
    }
}

#[test]
fn every_answer_is_valid() {
    let set = compile(&shipped());
    let [answer, document, own] = ["response", "incident-graph", "incident"].map(|n| schemas()[n].clone());
    let validators = [validator(&answer), validator(&closed(answer)), validator(&document), validator(&closed(document))];
    let own = validator(&own);
    let mut seen = 0;
    for p in fixtures().into_iter().chain(real()) {
        let bytes = std::fs::read(&p).unwrap();
        let Ok(all) = intake::read(&bytes, None) else { continue };
        for r in all {
            let today = r.incident.created.unwrap_or(guided_response::model::Time::UNIX_EPOCH);
            let response = respond(&set, &r.incident, &Context { now: None, today, actor: None, input: r.diagnostics, only: None });
            let (facts, _) = eval::facts(&set, &r.incident, None);
            let (response, graph) = (serde_json::to_value(&response).unwrap(), serde_json::to_value(graph::document(&facts)).unwrap());
            for (value, of) in [(&response, &validators[..2]), (&graph, &validators[2..])] {
                for v in of {
                    let errors = wrong(v, value);
                    assert!(errors.is_empty(), "{}: {}", p.display(), errors.join("\n"));
                }
            }
            let written = intake::native::write(&r.incident);
            let errors = wrong(&own, &written);
            assert!(errors.is_empty(), "{}: {}", p.display(), errors.join("\n"));
            seen += 1;
        }
    }
    println!("{seen} answers");
    assert!(seen > 8);
}

#[test]
fn incidents_in_our_own_format_are_valid_and_slips_in_them_are_not() {
    let v = validator(&schemas()["incident"]);
    for p in fixtures() {
        let value: Value = serde_json::from_slice(&std::fs::read(&p).unwrap()).unwrap();
        if value["schema"] == "guided-response/incident/1" {
            assert!(v.is_valid(&value), "{}: {:?}", p.display(), wrong(&v, &value));
        }
    }
    for value in [
        json!({ "title": "no schema" }),
        json!({ "schema": "guided-response/incident/1", "alerts": {} }),
        json!({ "schema": "guided-response/incident/1", "entities": [{ "kind": "user" }] }),
        json!({ "schema": "guided-response/incident/1", "relations": [{ "from": "user:a", "relation": "likes", "to": "user:b" }] }),
    ] {
        assert!(!v.is_valid(&value), "{value}");
    }
}

#[test]
fn the_command_lists_prints_and_refuses() {
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_engine")).arg("schema").args(args).output().unwrap();
    let list = String::from_utf8(run(&["--list"]).stdout).unwrap();
    for name in schemas().keys() {
        assert!(list.lines().any(|l| l.split_whitespace().next() == Some(name)), "{name}\n{list}");
    }
    let one: Value = serde_json::from_slice(&run(&["response"]).stdout).unwrap();
    assert_eq!(one, schemas()["response"]);
    let none = run(&["respnse"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&none.stderr).contains("did you mean `response`?"));
}

#[test]
fn what_commands_write_is_valid() {
    let dir = std::env::temp_dir().join(format!("engine-outputs-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let book = "playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\nmatch: { entities: [user] }\nbind: { unused: users }\ninvestigation: [{ id: c, action: user.contact, for: user in users, why: w }]\ntests: [{ name: n, given: { id: x, entities: [{ id: \"user:a@example.com\" }] }, expect: { no_cards: [c] } }]\n";
    std::fs::write(dir.join("a.yaml"), book).unwrap();
    std::fs::write(dir.join("b.yaml"), "lists: { l: { kind: ipp, values: [x] } }\n").unwrap();
    let corpus = path("tests/data/incidents");
    let corpus = corpus.to_str().unwrap();
    let folder = dir.to_str().unwrap();
    for (name, args) in [
        ("check", vec!["check", folder, "--format", "json"]),
        ("test", vec!["test", folder, "--format", "json"]),
        ("diff", vec!["diff", folder, "playbooks", "--incidents", corpus, "--format", "json"]),
        ("replay", vec!["replay", "--playbooks", folder, "--incidents", corpus, "--format", "json"]),
    ] {
        let out = Command::new(env!("CARGO_BIN_EXE_engine")).args(&args).current_dir(path("")).output().unwrap();
        let value: Value = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{args:?}: {e}\n{}\n{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)));
        let errors = wrong(&validator(&schemas()[name]), &value);
        assert!(errors.is_empty(), "{name}: {}\n{value:#}", errors.join("\n"));
    }
}
