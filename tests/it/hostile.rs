//! Bad input: each is refused or read with a remark, in bounded time, and never makes the program panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use guided_response::diag::codes;
use guided_response::intake::{self, Read};
use guided_response::playbook::{Input, PlaybookSet, compile};
use guided_response::runtime::playbooks::shipped;
use serde_json::Value;

use crate::random::{Random, count};
use crate::support::{file, path};
use crate::whole::{answer, shipped_set, telling_incident};

/// What one bad input may take; far more than it does, so that a slow machine is no failure.
const GENEROUS: Duration = Duration::from_secs(20);

/// Reads and answers; how long that took. Nothing is said of the result but that there is one.
fn survives(what: &str, bytes: &[u8]) -> Result<Vec<Read>, &'static str> {
    let started = Instant::now();
    let out = match intake::read(bytes, None) {
        Ok(all) => {
            for one in &all {
                serde_json::to_string(&answer(shipped_set(), one)).unwrap();
            }
            Ok(all)
        }
        Err(refusal) => {
            assert!(!refusal.diagnostic.message.is_empty(), "{what}: refused without a sentence");
            Err(refusal.diagnostic.code)
        }
    };
    assert!(started.elapsed() < GENEROUS, "{what} took {:?}", started.elapsed());
    out
}

fn example() -> Vec<u8> {
    std::fs::read(path("tests/data/incidents/example.json")).unwrap()
}

#[test]
fn a_truncated_incident_is_refused_at_every_byte() {
    let whole = example();
    let end = whole.iter().rposition(|b| *b == b'}').unwrap();
    for n in 0..=end {
        assert!(survives(&format!("the first {n} bytes"), &whole[..n]).is_err(), "the first {n} bytes are read");
    }
    assert!(survives("the whole", &whole).is_ok());
}

#[test]
fn what_is_no_incident_is_refused_for_a_reason() {
    let invalid = [b"{\"schema\":\"guided-response/incident/1\",\"id\":\"".as_slice(), &[0xff, 0xfe, 0x80], b"\"}"].concat();
    for (what, bytes, code) in [
        ("nothing", b"".as_slice(), None),
        ("blanks", b" \n\t ", None),
        ("null", b"null", None),
        ("an empty list", b"[]", None),
        ("an empty object", b"{}", Some(codes::NOT_RECOGNISED)),
        ("a number", b"1e999999", None),
        ("no number", b"{\"a\": NaN}", Some(codes::NOT_JSON)),
        ("a text", b"\"incident\"", Some(codes::NOT_RECOGNISED)),
        ("a lone surrogate", b"\"\\ud800\"", None),
        ("zeros", &[0u8; 64], Some(codes::NOT_JSON)),
        ("bytes that are no text", &invalid, Some(codes::NOT_JSON)),
        ("a remark", b"// {}\n{}", None),
    ] {
        let got = survives(what, bytes).map(|all| all.len());
        match code {
            Some(code) => assert_eq!(got, Err(code), "{what}"),
            None => assert!(matches!(got, Err(_) | Ok(0)), "{what}: {got:?}"),
        }
    }
}

#[test]
fn deep_and_wide_input_stays_within_the_limits() {
    for n in [99usize, 101, 5_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("{}1{}", open.repeat(n), close.repeat(n));
            assert!(survives(&format!("{n} times {open}"), text.as_bytes()).is_err());
            assert!(survives(&format!("{n} times {open} and no end"), open.repeat(n).as_bytes()).is_err());
        }
        let held = format!("{{\"schema\":\"guided-response/incident/1\",\"id\":\"x\",\"extra\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        let got = survives(&format!("{n} lists in a field"), held.as_bytes());
        assert!(n < 101 || got.is_err(), "{n} lists in a field are read");
    }
    // A build without optimisation reads some thousand rows a millisecond less; there a tenth must do.
    let size = if cfg!(debug_assertions) { 1 << 20 } else { 10 << 20 };
    let rows = "{\"a\":1},".repeat(size / 8);
    for text in [rows.clone(), format!("[{rows}{{}}]"), rows.replace(',', "\n")] {
        assert!(survives("ten megabytes of rows", text.as_bytes()).is_err());
    }
    assert_eq!(survives("too large", &vec![b' '; intake::limits::BYTES + 1]).err(), Some(codes::INPUT_LIMIT));
    let many = format!("{{\"schema\":\"guided-response/incident/1\",\"id\":\"x\",\"alerts\":[{}]}}", vec!["{}"; 20_000].join(","));
    let all = survives("twenty thousand alerts", many.as_bytes());
    assert!(all.is_err() || all.unwrap()[0].incident.alerts.len() <= intake::limits::ALERTS);
    let long = format!("{{\"schema\":\"guided-response/incident/1\",\"id\":\"x\",\"title\":\"{}\"}}", "é".repeat(2_000_000));
    assert!(survives("a long title", long.as_bytes()).unwrap()[0].incident.title.len() <= intake::limits::TEXT + 32);
}

/// Lines of documents once took a time that grew with the square of their number: the end of each was looked for from the start.
#[test]
fn four_times_the_lines_take_about_four_times_as_long() {
    let took = |n: usize| {
        let text = "{\"a\":1}\n".repeat(n);
        let runs = (0..3).map(|_| {
            let started = Instant::now();
            assert!(intake::read(text.as_bytes(), None).is_err());
            started.elapsed()
        });
        runs.min().unwrap()
    };
    let (few, many) = (took(40_000), took(160_000));
    assert!(many < few * 9, "40,000 lines take {few:?} and 160,000 {many:?}");
}

#[test]
fn odd_values_in_the_right_places_are_read_or_told() {
    let base: Value = serde_json::from_slice(&example()).unwrap();
    let odd = [
        "null",
        "true",
        "-1",
        "1e308",
        "99999999999999999999999999",
        "\"\"",
        "\"\\u0000\\u202e\\ufeff\"",
        "[]",
        "{}",
        "[[[]]]",
        "[null]",
        "{\"\":{\"\":0}}",
        "\"0001-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59.9999999Z\"",
        "\"user:\"",
        "\"user:user:user:\"",
        "{\"$ref\":\"1\"}",
    ];
    let mut places = Vec::new();
    pointers(&base, String::new(), &mut places);
    assert!(places.len() > 60);
    for p in &places {
        for o in odd {
            let mut v = base.clone();
            *v.pointer_mut(p).unwrap() = serde_json::from_str(o).unwrap_or_else(|_| panic!("{o} is JSON"));
            let _ = survives(&format!("{o} at {p}"), v.to_string().as_bytes());
        }
    }
}

fn pointers(v: &Value, at: String, out: &mut Vec<String>) {
    out.push(at.clone());
    match v {
        Value::Object(all) => all.iter().for_each(|(k, v)| pointers(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out)),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| pointers(v, format!("{at}/{n}"), out)),
        _ => {}
    }
}

#[test]
fn keys_that_stand_twice_and_references_in_circles_end() {
    let twice = br#"{"schema":"guided-response/incident/1","id":"a","id":"b","title":"t","alerts":[],"alerts":[{"id":"x"}]}"#;
    let _ = survives("keys that stand twice", twice);
    let rows = |entities: &str| {
        let alert = serde_json::json!([{"SystemAlertId": "1", "AlertName": "n", "AlertSeverity": "High", "StartTime": "2026-01-01T00:00:00Z", "Entities": entities}]);
        alert.to_string()
    };
    for entities in [
        r#"[{"$id":"1","$ref":"1","Type":"account"}]"#,
        r#"[{"$id":"1","Type":"host","Account":{"$ref":"2"}},{"$id":"2","Type":"account","Host":{"$ref":"1"}}]"#,
        r#"[{"$id":"1","$ref":"2","Type":"account"},{"$id":"2","$ref":"1","Type":"account"}]"#,
        r#"[{"$ref":"9"}]"#,
        r#"[{"$id":"1","Type":"process","ParentProcess":{"$ref":"1"},"ImageFile":{"$ref":"1"}}]"#,
        "[[[[",
        "null",
    ] {
        let _ = survives(entities, rows(entities).as_bytes());
    }
    // Each reference doubles what it holds.
    let mut bomb = vec![r#"{"$id":"0","Type":"file","Name":"a"}"#.to_owned()];
    for n in 1..60 {
        bomb.push(format!(r#"{{"$id":"{n}","Type":"process","ImageFile":{{"$ref":"{0}"}},"ParentProcess":{{"$ref":"{0}"}}}}"#, n - 1));
    }
    let _ = survives("references that double", rows(&format!("[{}]", bomb.join(","))).as_bytes());
}

// ---------------------------------------------------------------- playbooks

const HEAD: &str = "playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\n";

fn compiled(what: &str, text: &str) -> PlaybookSet {
    let started = Instant::now();
    // A team's own file: what ships has its patterns compiled by the tests, and later.
    let set = compile(&[Input { layer: 1, ..file("p.yaml", text) }]);
    assert!(started.elapsed() < GENEROUS, "{what} took {:?}", started.elapsed());
    set
}

fn refused(what: &str, text: &str) {
    let set = compiled(what, text);
    assert!(set.playbooks.is_empty(), "{what} loads");
    assert!(!set.diagnostics.is_empty(), "{what} is refused without a word");
    assert!(!set.skipped.is_empty(), "{what} is not named among what is skipped");
}

#[test]
fn hostile_yaml_is_refused() {
    let lol: String = (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))).collect();
    refused("a billion aliases", &format!("{HEAD}a0: &a0 [lol]\n{lol}"));
    refused("an anchor", &format!("{HEAD}bind: {{ a: &x users.len() }}\n"));
    refused("an alias", &format!("{HEAD}bind: {{ a: &x users, b: *x }}\n"));
    refused("a tag", &format!("{HEAD}bind: {{ a: !risky users }}\n"));
    refused("a tag of a language", "playbook: !!python/object/apply:os.system ['true']\n");
    refused("a merge", &format!("{HEAD}<<: {{ title: x }}\n"));
    for sign in ["[", "{", "- ", "? ", "a: {"] {
        refused(&format!("many {sign}"), &format!("{HEAD}bind: {}", sign.repeat(60_000)));
    }
    refused("many brackets", &"[".repeat(100_000));
    refused("deep blocks", &(0..2_000).map(|n| format!("{}a:\n", " ".repeat(n % 400))).collect::<String>());
    refused("a huge scalar", &format!("{HEAD}bind:\n  a: \"{}\"\n", "x".repeat(1 << 20)));
    refused("a huge key", &format!("{HEAD}\"{}\": 1\n", "x".repeat(100_000)));
    refused("no end of a text", &format!("{HEAD}bind: {{ a: \"users"));
    refused("bytes", "\u{0}\u{1}\u{2}\u{feff}\u{202e}");
    refused("two documents", &format!("{HEAD}---\n{HEAD}"));
    refused("many keys", &(0..200_000).map(|n| format!("k{n}: 1\n")).collect::<String>());
    for text in [
        "",
        "\n",
        "# nothing",
        "---\n",
        "...\n",
        "null",
        "~",
        "[]",
        "1",
        "\t- a",
        "\"",
        "%YAML 9.9\n---\na: b",
        "? ? ? ?",
        "a: b: c",
        "*",
        "&",
        "!",
        "|",
        ">\n",
    ] {
        compiled(text, text);
    }
}

#[test]
fn hostile_expressions_are_refused_at_their_place() {
    let nest = |open: &str, close: &str, n: usize| format!("{}true{}", open.repeat(n), close.repeat(n));
    let closures: String = (0..100).map(|n| format!("users.some(|x{n}| ")).collect::<String>() + "true" + ")".repeat(100).as_str();
    for text in [
        "(".repeat(4096),
        "!".repeat(4096),
        ".a".repeat(2048),
        "[".repeat(4096),
        "-".repeat(4096),
        "{".repeat(2000),
        "#{".repeat(2000),
        "`${".repeat(1300),
        nest("(", ")", 2000),
        nest("!", "", 4000),
        nest("[", "]", 2000),
        format!("users{}", ".a".repeat(2000)),
        format!("users{}", "?.a".repeat(1300)),
        "1+".repeat(2000) + "1 == 2 ",
        "true&&".repeat(600) + "x",
        "x??".repeat(1000),
        closures,
        "a".repeat(5000),
        "eval(\"1\")".into(),
        "print(1)".into(),
        "debug(1)".into(),
        "while true { }".into(),
        "let x = 1".into(),
        "fn f() { 1 }".into(),
        "import \"a\" as b".into(),
        "throw 1".into(),
        "Fn(\"f\")".into(),
        "call(1)".into(),
        "users.call(1)".into(),
        "curry(1)".into(),
        "this".into(),
        "this.x".into(),
        "loop { break }".into(),
        "for x in users { x }".into(),
        "users = 1".into(),
        "users += 1".into(),
        "users.name = 1".into(),
        "return true".into(),
        "try { 1 } catch { 2 }".into(),
        "{ let x = 1; x == 1 }".into(),
        "users.some(|x| { return true })".into(),
        "users.some(|x| { throw 1 })".into(),
        "users.some(|x| x = 1)".into(),
        "users.some(|x, y| true)".into(),
        "users.some(|| true)".into(),
        "users.some(Fn(\"a\"))".into(),
        "(|x| x).call(1) == 1".into(),
        "type_of(1) == \"i64\"".into(),
        "is_def_var(\"x\")".into(),
        "sleep(1)".into(),
        "timestamp() == 1".into(),
        "'a' == 'b'".into(),
        "1 ** 1000000 > 1".into(),
        "1 << 70 > 1".into(),
        "\"a\".pad(1000000, \"\") == \"\"".into(),
        "\"a\" * 1000000 == \"\"".into(),
        "users.push(1)".into(),
        "1 == 0x".into(),
        "\"abc\".matches(\"(a{1000}){1000}\")".into(),
        "\"abc\".matches(\"(\")".into(),
        "\"a\".matches(\"\\\\p{L}{1,1000}\\\\p{L}{1,1000}\\\\p{L}{1,1000}\")".into(),
        "switch 1 { }".into(),
        "switch 1 { 1 => true }".into(),
        "switch users { _ => true }; true".into(),
        "if true { true }".into(),
        "true; true".into(),
        "/* ".into(),
        "\"".into(),
        "`".into(),
        "`${`".into(),
        "users.filter".into(),
        "users.len".into(),
        "global::x".into(),
        "a::b()".into(),
        "users!()".into(),
        "$x$".into(),
        "@".into(),
        "\\".into(),
        "\u{202e}true".into(),
        "users.some(|x| x.\u{0}name)".into(),
    ] {
        let yaml = format!("{HEAD}conditions:\n  c: {{ if: {} }}\n", serde_json::to_string(&text).unwrap());
        let shown: String = text.chars().take(60).collect();
        refused(&shown, &yaml);
        let set = compiled(&shown, &yaml);
        assert!(
            set.diagnostics.iter().all(|d| d.labels.first().is_some_and(|l| (l.span.end as usize) <= yaml.len() + 1)),
            "{shown}: a place outside the file"
        );
    }
}

#[test]
fn what_waits_for_itself_is_refused() {
    refused("a binding that uses itself", &format!("{HEAD}bind: {{ a: a }}\n"));
    refused("bindings in a circle", &format!("{HEAD}bind: {{ a: b, b: c.len(), c: \"users.filter(|u| a)\" }}\n"));
    refused("conditions in a circle", &format!("{HEAD}conditions:\n  a: {{ if: b }}\n  b: {{ if: a }}\n"));
    let long: String =
        (0..2_000).map(|n| format!("  b{n}: {}\n", if n == 0 { "users.len()".to_owned() } else { format!("b{} + b{}", n - 1, n - 1) })).collect();
    refused("bindings two thousand deep", &format!("{HEAD}bind:\n{long}"));
    let doubling: String =
        (0..300).map(|n| format!("  b{n}: {}\n", if n == 0 { "users".to_owned() } else { format!("b{} + b{}", n - 1, n - 1) })).collect();
    let set = compiled("bindings that double", &format!("{HEAD}bind:\n{doubling}"));
    assert!(set.playbooks.len() <= 1);
    let cyclic = compile(&[
        file("a.yaml", "overlay: a.b\nset: { title: x }\n"),
        file("b.yaml", "overlay: b.a\nbase: ^1\ndisable: [containment.x]\n"),
        file("c.yaml", &format!("{HEAD}use: [l]\n")),
        file("d.yaml", "library: l\nuse: [l]\nbind: { a: users }\n"),
    ]);
    assert!(!cyclic.diagnostics.is_empty());
}

#[test]
fn bindings_may_stand_in_any_order() {
    for later in
        ["`n ${b}`", "1 in 0..b", "1 in 0..=b", "1 /* \" */ + b", "`n ${`m ${b}`}`", "users.filter(|u| b > 1)", "\"}\" == `${\"}\" + \"\"}${b}`"]
    {
        let text = format!("{HEAD}bind:\n  a: {}\n  b: users.len()\n", serde_json::to_string(later).unwrap());
        let set = compiled(later, &text);
        assert_eq!(set.playbooks.len(), 1, "{later}: {:?}", set.diagnostics);
    }
}

#[test]
fn a_question_that_costs_too_much_is_left_out_alone() {
    let n = 5_000;
    let entities: Vec<Value> =
        (0..n).map(|i| serde_json::json!({"id": format!("user:u{i}@contoso.com"), "kind": "user", "name": format!("u{i}")})).collect();
    let json = serde_json::json!({"schema": "guided-response/incident/1", "id": "x", "title": "t", "severity": "high", "status": "active",
        "alerts": [{"id": "a", "title": "x", "entities": []}], "entities": entities});
    let one = intake::read(json.to_string().as_bytes(), None).unwrap().remove(0);
    assert_eq!(one.incident.entities.len(), n);
    let text = format!(
        r#"{HEAD}investigation:
  - {{ id: square, action: incident.test_note, when: "users.some(|a| users.some(|b| a.id == b.name))", why: w }}
  - {{ id: cube, action: incident.test_note, when: "users.all(|a| users.all(|b| users.all(|c| a.name != c.id || b.name != c.id)))", why: w }}
  - {{ id: grows, action: incident.test_note, when: "users.map(|a| users.map(|b| users)).flatten().flatten().len() > 1", why: w }}
  - {{ id: lists, action: incident.test_note, when: "users.map(|a| users.filter(|b| b.name != a.name)).len() > 1", why: w }}
  - {{ id: words, action: incident.test_note, when: "users.map(|a| users.map(|b| b.name).join(a.name)).join(\"\").len() > 1", why: w }}
  - {{ id: unlike, action: incident.test_note, when: "users.map(|a| a.name).unique().intersects(users.map(|a| a.id))", why: w }}
  - {{ id: cheap, action: incident.test_note, when: "users.len() == {n}", why: the cheap one }}
"#
    );
    let action = "actions:\n  incident.test_note: { title: Note, phase: investigation, kinds: [incident], impact: low, permissions: [] }\n";
    let set = compile(&[file("a.yaml", action), file("p.yaml", &text)]);
    assert!(set.skipped.is_empty(), "{:?}", set.diagnostics);
    let started = Instant::now();
    let v = serde_json::to_value(answer(&set, &one)).unwrap();
    let took = started.elapsed();
    assert!(took < 4 * GENEROUS, "{took:?}");
    let left_out: Vec<&str> =
        v["diagnostics"].as_array().unwrap().iter().filter(|d| d["code"] == codes::EVALUATION).filter_map(|d| d["card"].as_str()).collect();
    for id in ["square", "cube", "grows", "lists", "words"] {
        assert!(left_out.contains(&id), "`{id}` is not told to be left out: {left_out:?}");
    }
    let cards: Vec<&str> =
        v["cards"].as_array().unwrap().iter().flat_map(|c| c["sources"].as_array().unwrap()).filter_map(|s| s["card"].as_str()).collect();
    assert!(cards.contains(&"cheap"), "{cards:?} of {}", v["diagnostics"]);
    println!("{took:?} for seven questions about {n} users");
}

// ---------------------------------------------------------------- random changes

fn seeds() -> Vec<Vec<u8>> {
    fn walk(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
        for p in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if p.is_dir() {
                walk(&p, out);
            } else if p.extension().is_some_and(|e| e == "json") {
                out.push(p);
            }
        }
    }
    let mut all = Vec::new();
    walk(&path("tests/data/incidents"), &mut all);
    all.sort();
    let mut out: Vec<Vec<u8>> = all.iter().map(|p| std::fs::read(p).unwrap()).filter(|b| b.len() < 60_000).collect();
    out.extend((0..10).map(|n| telling_incident(&mut Random::new(n)).to_string().into_bytes()));
    out
}

const BITS: &[&str] = &[
    "\"$id\":\"1\"",
    "null",
    "\"\"",
    "{}",
    "[]",
    "-1",
    "1e309",
    "\"$ref\":\"1\"",
    "\"user:\"",
    "\\u0000",
    "\\ud800",
    "true",
    "\"9999-12-31T23:59:59Z\"",
    "{\"$ref\":\"0\"}",
    ",",
    "}",
    "]",
    "\"",
];

/// Changes some bytes.
fn bytes_changed(from: &[u8], other: &[u8], r: &mut Random) -> Vec<u8> {
    let mut out = from.to_vec();
    for _ in 0..1 + r.below(6) {
        let at = r.below(out.len() + 1);
        match r.below(7) {
            0 if at < out.len() => out[at] = r.next() as u8,
            1 if at < out.len() => out[at] ^= 1 << r.below(8),
            2 => out.truncate(at),
            3 => {
                let end = (at + r.below(40)).min(out.len());
                out.drain(at..end);
            }
            4 => {
                let end = (at + r.below(200)).min(out.len());
                let part = out[at..end].to_vec();
                let to = r.below(out.len() + 1);
                out.splice(to..to, part);
            }
            5 => {
                let bit = r.pick(BITS).bytes();
                out.splice(at..at, bit);
            }
            _ => {
                let start = r.below(other.len());
                let end = (start + r.below(120)).min(other.len());
                out.splice(at..at, other[start..end].iter().copied());
            }
        }
    }
    out
}

/// Changes some values of a tree: another value of it, an odd one, a key under another name, an item twice.
fn tree_changed(from: &[u8], other: &[u8], r: &mut Random) -> Option<Vec<u8>> {
    let mut v: Value = serde_json::from_slice(from).ok()?;
    let donor: Value = serde_json::from_slice(other).ok()?;
    let mut theirs = Vec::new();
    pointers(&donor, String::new(), &mut theirs);
    for _ in 0..1 + r.below(8) {
        let mut mine = Vec::new();
        pointers(&v, String::new(), &mut mine);
        let at = r.pick::<String>(&mine).clone();
        let taken = match r.below(4) {
            0 => v.pointer(r.pick::<String>(&mine)).cloned(),
            1 => donor.pointer(r.pick::<String>(&theirs)).cloned(),
            _ => serde_json::from_str(r.pick::<&str>(BITS)).ok(),
        }?;
        if taken.to_string().len() > 50_000 {
            continue;
        }
        let place = v.pointer_mut(&at)?;
        match (place, r.below(4)) {
            (Value::Object(all), 0) if !all.is_empty() => {
                let keys: Vec<String> = all.keys().cloned().collect();
                let (a, b) = (r.pick(&keys).clone(), r.pick(&keys).clone());
                let moved = all.remove(&a)?;
                all.insert(b, moved);
            }
            (Value::Object(all), 1) if !all.is_empty() => {
                let keys: Vec<String> = all.keys().cloned().collect();
                all.remove(r.pick::<String>(&keys));
            }
            (Value::Array(all), 0) if !all.is_empty() && all.len() < 200 => {
                let x = r.pick(all).clone();
                all.push(x);
            }
            (Value::String(s), 0) => {
                let n = s.chars().count();
                *s = s.chars().take(r.below(n + 1)).chain("\u{200b}é\u{0}".chars().take(r.below(4))).collect();
            }
            (place, _) => *place = taken,
        }
    }
    Some(v.to_string().into_bytes())
}

/// Runs something and says which input it was, if it panics.
fn guarded<T>(what: &str, seed: usize, input: &[u8], slowest: &mut Duration, run: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(v) => {
            let took = started.elapsed();
            if took > *slowest {
                *slowest = took;
            }
            assert!(took < GENEROUS, "{what} {seed} took {took:?}: {}", String::from_utf8_lossy(input));
            v
        }
        Err(_) => panic!("{what} {seed} panics: {}", String::from_utf8_lossy(input)),
    }
}

#[test]
fn fuzz_incidents() {
    let all = seeds();
    let total = count("ENGINE_FUZZ", 2_000);
    let (mut read, mut cards, mut slowest) = (0, 0, Duration::ZERO);
    shipped_set();
    let started = Instant::now();
    for n in 0..total {
        let mut r = Random::new(n as u64 + count("ENGINE_FUZZ_SEED", 0) as u64);
        let (from, other) = (r.pick(&all).clone(), r.pick(&all).clone());
        let input = if r.chance(60) { tree_changed(&from, &other, &mut r).unwrap_or(from) } else { bytes_changed(&from, &other, &mut r) };
        guarded("incident", n, &input, &mut slowest, || {
            for one in intake::read(&input, None).unwrap_or_default() {
                read += 1;
                let answer = answer(shipped_set(), &one);
                cards += answer.cards.len();
                serde_json::to_string(&answer).unwrap();
            }
        });
    }
    let took = started.elapsed();
    println!("{total} incidents in {took:?} ({:.0}/s), {read} read, {cards} cards, slowest {slowest:?}", total as f64 / took.as_secs_f64());
    assert!(read * 5 > total, "most changes leave an incident that can be read: {read} of {total}");
}

/// Changes a playbook: its lines, its words, its signs.
fn text_changed(from: &str, other: &str, steps: usize, r: &mut Random) -> String {
    const WORDS: &[&str] = &[
        "users",
        "&x",
        "*x",
        "!t ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\"",
        "'",
        "`",
        "|",
        ">",
        "#",
        "&&",
        "||",
        "!",
        "??",
        "?.",
        "..",
        "=>",
        "switch",
        "if",
        "(",
        ")",
        "|x| ",
        "{{",
        "}}",
        "${",
        "${`",
        "len()",
        "first()",
        ".filter(|u| ",
        "true",
        "0",
        "-1",
        "99999999999999999999",
        "\u{0}",
        "\u{feff}",
        "é",
        "\t",
        "---\n",
        "...\n",
        "~",
        "<<: ",
        "incident",
        "\\",
        "/*",
        "*/",
    ];
    let mut out = from.to_owned();
    let near = |s: &str, at: usize| (0..=at.min(s.len())).rev().find(|n| s.is_char_boundary(*n)).unwrap_or(0);
    for _ in 0..steps {
        let at = near(&out, r.below(out.len() + 1));
        match r.below(6) {
            0 => {
                let end = near(&out, at + r.below(30)).max(at);
                out.replace_range(at..end, "");
            }
            1 => out.insert_str(at, r.pick::<&str>(WORDS)),
            2 => {
                let end = near(&out, at + r.below(12)).max(at);
                out.replace_range(at..end, r.pick::<&str>(WORDS));
            }
            3 => {
                let mut lines: Vec<&str> = out.lines().collect();
                let (a, b) = (r.below(lines.len()), r.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                out = lines.join("\n") + "\n";
            }
            4 => {
                let lines: Vec<&str> = other.lines().collect();
                let line = r.pick(&lines);
                let line = format!("\n{line}\n");
                out.insert_str(at, &line);
            }
            _ => {
                let start = near(other, r.below(other.len() + 1));
                let end = near(other, start + r.below(60)).max(start);
                out.insert_str(at, &other[start..end]);
            }
        }
    }
    out
}

#[test]
fn fuzz_playbooks() {
    let files = shipped();
    let books: Vec<usize> = (0..files.len()).filter(|n| files[*n].text.contains("\nplaybook:") || files[*n].text.starts_with("playbook:")).collect();
    assert!(books.len() > 5);
    let rest: Vec<Input> = files.iter().enumerate().filter(|(n, _)| !books.contains(n)).map(|(_, f)| f.clone()).collect();
    let total = count("ENGINE_FUZZ_PLAYBOOKS", count("ENGINE_FUZZ", 2_000).min(2_000));
    let incidents: Vec<Read> =
        (0..8).map(|n| intake::read(telling_incident(&mut Random::new(n)).to_string().as_bytes(), None).unwrap().remove(0)).collect();
    let (mut loaded, mut cards, mut slowest) = (0, 0, Duration::ZERO);
    let started = Instant::now();
    for n in 0..total {
        let mut r = Random::new(n as u64 + 1_000_000 + count("ENGINE_FUZZ_SEED", 0) as u64);
        let other = r.pick(&files).text.clone();
        // Mostly one playbook without the rest, which is read quickly; now and then among the whole catalogue.
        let whole = n % 16 == 0;
        let chosen = if whole || r.chance(80) { *r.pick(&books) } else { r.below(files.len()) };
        let steps = if whole { 1 } else { 1 + r.below(5) };
        let text = text_changed(&files[chosen].text, &other, steps, &mut r);
        guarded("playbook", n, text.as_bytes(), &mut slowest, || {
            let mut inputs = if whole { rest.clone() } else { Vec::new() };
            inputs.push(file("changed.yaml", &text));
            let set = compile(&inputs);
            for d in &set.diagnostics {
                let wire = d.to_wire(&set.sources);
                assert!(
                    wire.line.is_none_or(|l| l <= text.lines().count() + 2 || wire.file.as_deref() != Some("changed.yaml")),
                    "line {:?} of {}",
                    wire.line,
                    wire.message
                );
            }
            if whole {
                loaded += set.playbooks.len();
                for i in &incidents {
                    let answer = answer(&set, i);
                    cards += answer.cards.len();
                    serde_json::to_string(&answer).unwrap();
                }
            }
        });
    }
    let took = started.elapsed();
    println!(
        "{total} playbooks in {took:?} ({:.0}/s), {loaded} of {} loaded, {cards} cards, slowest {slowest:?}",
        total as f64 / took.as_secs_f64(),
        total.div_ceil(16)
    );
    assert!(loaded > 0 && cards > 0, "{loaded} loaded, {cards} cards");
}

#[test]
fn patches_that_double_what_they_find_are_refused() {
    use guided_response::intake::patch::apply;
    let deep: Vec<Value> = std::iter::once(serde_json::json!({"op": "add", "path": "/extra", "value": {"a": {}}}))
        .chain((0..20).map(|n| {
            let path = format!("/extra{}", "/a".repeat(1 << n));
            serde_json::json!({"op": "copy", "from": "/extra", "path": path})
        }))
        .collect();
    let mut one = serde_json::json!({"schema": "guided-response/incident/1", "id": "x"});
    let before = one.clone();
    let why = apply(&mut one, &deep).expect_err("it would nest without end").join("; ");
    assert!(why.contains("deep") && one == before, "{why}");
    let long = "x".repeat(50_000);
    let wide: Vec<Value> = std::iter::once(serde_json::json!({"op": "add", "path": "/extra", "value": {"t": long}}))
        .chain((0..20).map(|n| serde_json::json!({"op": "copy", "from": "/extra", "path": format!("/extra/k{n}")})))
        .collect();
    let why = apply(&mut one, &wide).expect_err("it would grow without end").join("; ");
    assert!(why.contains("values") && one == before, "{why}");
}

#[cfg(unix)]
#[test]
fn folders_that_lead_back_to_themselves_are_read_once() {
    let folder = std::env::temp_dir().join(format!("circles-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("lists.yaml"), "lists:\n  board: { kind: user, values: [bo@contoso.com] }\n").unwrap();
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(".", folder.join(name)).unwrap();
    }
    let loaded = guided_response::runtime::playbooks::load(std::slice::from_ref(&folder), false);
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(loaded.files.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_test_reads_files_beside_its_playbook_and_nothing_else() {
    use guided_response::runtime::incidents::beside;
    for path in ["/etc/passwd", "-", "/dev/stdin", "../../../../../../../../dev/zero"] {
        assert!(beside("a.yaml", path).is_err(), "{path}");
    }
}
