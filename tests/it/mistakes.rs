//! Seeded mistakes: each file in `tests/data/mistakes` has one, and says in its first lines what must be reported, where, and
//! nothing else. And what ships has none.

use guided_response::diag::{Diagnostic, human};
use guided_response::model::Time;
use guided_response::playbook::{Compiler, Input, PlaybookSet, compile, lint, tests};
use guided_response::runtime::playbooks::shipped;
use guided_response::source::Sources;

use crate::support::{file, path};

/// The day against which exceptions are held.
fn today() -> Time {
    "2026-01-15T00:00:00Z".parse().expect("a day")
}

/// All that can be said of a set.
fn all(set: &PlaybookSet) -> Vec<Diagnostic> {
    let mut out = set.diagnostics.clone();
    for p in &set.playbooks {
        out.extend(tests(&set.sources, p).1);
    }
    out.extend(lint(set, today()));
    guided_response::diag::sort_in(&mut out, &set.sources);
    out
}

/// Code, line, column, and a part of the message or help.
#[derive(Debug)]
struct Expected {
    code: String,
    line: usize,
    column: usize,
    part: String,
}

/// `# expect: GR203 12:17 did you mean `x`?`, in the first lines.
fn expected(text: &str) -> Vec<Expected> {
    text.lines()
        .take_while(|l| l.starts_with('#'))
        .filter_map(|l| l.strip_prefix("# expect: "))
        .map(|l| {
            let mut words = l.trim_end().splitn(3, ' ');
            let code = words.next().unwrap_or_default().to_owned();
            let (line, column) = words.next().and_then(|p| p.split_once(':')).unwrap_or_else(|| panic!("`{l}` names no place"));
            Expected { code, line: line.parse().unwrap(), column: column.parse().unwrap(), part: words.next().unwrap_or_default().to_owned() }
        })
        .collect()
}

fn says(d: &Diagnostic, part: &str) -> bool {
    d.message.contains(part) || d.help.as_deref().is_some_and(|h| h.contains(part))
}

fn check(name: &str, diagnostics: &[Diagnostic], sources: &Sources, wanted: &[Expected]) -> Result<(), String> {
    let told = |d: &Diagnostic| {
        let at = d.labels.first().map(|l| sources.place(l.span)).filter(|p| &*p.file == name);
        (d.code, at.map_or((0, 0), |p| (p.line, p.column)))
    };
    let right = diagnostics.len() == wanted.len()
        && wanted.iter().all(|w| diagnostics.iter().any(|d| told(d) == (&*w.code, (w.line, w.column)) && says(d, &w.part)));
    if right {
        return Ok(());
    }
    let there: Vec<_> = diagnostics.iter().map(told).collect();
    Err(format!("{name}\n  wanted {wanted:?}\n  there is {there:?}\n{}", human::render(diagnostics, sources, false)))
}

#[test]
fn every_seeded_mistake_is_reported_where_it_is_and_nothing_else() {
    let mut files: Vec<_> = std::fs::read_dir(path("tests/data/mistakes")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    // What ships is compiled once.
    let base = shipped();
    let mut compiler = Compiler::default();
    let mut wrong = Vec::new();
    for f in &files {
        let name = f.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(f).unwrap();
        let wanted = expected(&text);
        assert!(!wanted.is_empty(), "{name} says what is expected");
        assert!(wanted.iter().all(|w| !w.part.is_empty()), "{name} says what the message or help holds");
        let mut inputs = base.clone();
        inputs.push(Input { path: name.clone(), text: text.clone(), layer: 1 });
        let set = compiler.compile(&inputs);
        let diagnostics = all(&set);
        if let Err(e) = check(&name, &diagnostics, &set.sources, &wanted) {
            wrong.push(e);
        }
        // Whoever reads it alone is told what to do.
        if let Some(d) = diagnostics.iter().find(|d| d.help.is_none()) {
            wrong.push(format!("{name}: no help with {} {}", d.code, d.message));
        }
    }
    println!("{} files", files.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), files.len(), wrong.join("\n"));
    assert!(files.len() >= 70, "{} files", files.len());
}

#[test]
fn what_ships_is_clean() {
    let set = compile(&shipped());
    let wrong = all(&set);
    assert!(wrong.is_empty(), "{}", human::render(&wrong, &set.sources, false));
}

#[test]
fn what_ships_is_left_alone_where_an_author_checks_a_file_of_their_own() {
    // A playbook that takes the place of the only one that uses something of a library.
    let mut inputs = shipped();
    let kept: Vec<Input> = inputs.iter().filter(|i| i.path.contains("/email/")).cloned().collect();
    assert!(!kept.is_empty());
    for k in kept {
        let id = k.text.lines().next().unwrap().to_owned();
        inputs.push(Input {
            path: format!("mine/{}", k.path.rsplit('/').next().unwrap()),
            text: format!("{id}\nformat: 1\nversion: 1.0.0\ntitle: Mine\n"),
            layer: 1,
        });
    }
    let set = compile(&inputs);
    let found = lint(&set, today());
    assert!(found.is_empty(), "{}", human::render(&found, &set.sources, false));
}

/// Takes out, with `fix`, what a file says is unused; what is left has nothing more to say.
#[test]
fn a_safe_fix_leaves_a_file_that_loads_and_is_clean() {
    let text = "playbook: acme.x\nformat: 1\nversion: 1.0.0\ntitle: X\nbind:\n  used: 'users.filter(|u| u.malicious)'\n  # Said above.\n  idle: >\n    users.filter(|u|\n      u.suspicious)\n\n  idle_too: 'idle.len()'\nconditions:\n  never_asked:\n    if: 'used.len() > 2'\n    pass: yes\ntriage:\n  - { classify: true_positive, confidence: 80, when: 'used.len() > 0', why: '{used}' }\n";
    let set = compile(&[file("x.yaml", text)]);
    let mut edits: Vec<_> = lint(&set, today()).into_iter().filter_map(|d| d.fix).filter(|f| f.safe).flat_map(|f| f.edits).collect();
    assert_eq!(edits.len(), 3);
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut mended = text.to_owned();
    for (span, with) in edits {
        mended.replace_range(span.start as usize..span.end as usize, &with);
    }
    let set = compile(&[file("x.yaml", &mended)]);
    assert!(all(&set).is_empty(), "{mended}\n{:?}", all(&set));
    assert!(!mended.contains("Said above") && mended.contains("used:"), "{mended}");
}
