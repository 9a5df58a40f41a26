//! What several tests need: the fixtures, compiling one expression, a value as the documentation writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guided_response::diag::Diagnostic;
use guided_response::model::Incident;
use guided_response::playbook::{Input, PlaybookSet, compile};
use guided_response::script::{Condition, Env, Expr, Facts, Lowering, Questions, Value};
use guided_response::source::{FileId, Scalar, Snippet};

/// A path in the crate's folder.
pub fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// A playbook file for [`compile`].
pub fn file(name: &str, text: &str) -> Input {
    Input { path: name.to_owned(), text: text.to_owned(), layer: 0 }
}

/// The one incident in some JSON.
pub fn incident(json: &[u8]) -> Incident {
    let mut all = guided_response::intake::read(json, None).expect("the incident is read");
    assert_eq!(all.len(), 1, "one incident is read");
    all.remove(0).incident
}

/// The incident that the examples of the table of functions speak of.
pub fn example() -> Incident {
    incident(&std::fs::read(path("tests/data/incidents/example.json")).expect("the example is there"))
}

/// The signals and lists that those examples speak of.
pub const EXAMPLE_SET: &str = r#"signals:
  url_clicked:
    title: Someone followed a malicious link
    any: [{ titles: ["malicious url was clicked"] }]
    says: { relations: ["user clicked url"] }
  foreign_sign_in:
    title: Someone signed in from an address that is new
    any: [{ titles: ["sign-in from an address*"] }]
"#;

/// As [`EXAMPLE_SET`].
pub const EXAMPLE_LISTS: &str = r#"lists:
  board: { kind: user, values: [bo@contoso.com] }
  partner_networks: { kind: ip, values: [203.0.113.0/24], tag: partner }
  bad_domains: { kind: domain, values: [bad.example] }
"#;

/// The set of the examples.
pub fn example_set() -> PlaybookSet {
    let set = compile(&[file("signals.yaml", EXAMPLE_SET), file("lists.yaml", EXAMPLE_LISTS)]);
    assert!(set.diagnostics.is_empty(), "{:?}", set.diagnostics);
    set
}

/// What expressions may speak of, apart from the incident.
#[derive(Default)]
pub struct Names {
    pub bindings: BTreeMap<Arc<str>, Arc<Expr>>,
    pub clauses: BTreeMap<Arc<str>, Arc<Condition>>,
    pub lists: BTreeMap<Arc<str>, u32>,
    pub signals: BTreeSet<Arc<str>>,
    pub known: BTreeMap<Arc<str>, String>,
}

impl Names {
    /// The lists and signals of a set.
    pub fn of(set: &PlaybookSet) -> Self {
        Self {
            lists: (0u32..).zip(&set.lists).map(|(n, l)| (l.id.clone(), n)).collect(),
            signals: set.signals.iter().map(|s| s.id.clone()).collect(),
            ..Self::default()
        }
    }

    /// The surroundings of an expression with these parameters.
    pub fn env(&self, locals: Vec<(Arc<str>, guided_response::script::Ty)>) -> Env<'_> {
        Env {
            locals,
            bindings: &self.bindings,
            clauses: &self.clauses,
            lists: &self.lists,
            signals: &self.signals,
            known: &self.known,
            deciding_signals: false,
        }
    }

    /// Compiles one expression; what is wrong with it otherwise.
    pub fn compile(&self, text: &str, questions: &mut Questions) -> Result<Expr, Vec<Diagnostic>> {
        let scalar = Scalar::plain(FileId(0), text, 0);
        let mut out = Vec::new();
        Lowering::compile(Snippet::whole(&scalar), self.env(Vec::new()), questions, &mut out).ok_or(out)
    }
}

/// A value as the table of functions writes it: texts quoted, lists in brackets, entities by id.
pub fn shown(facts: &Facts<'_>, v: &Value) -> String {
    match v {
        Value::Text(t) => format!("{t:?}"),
        Value::Bool(b) => b.to_string(),
        Value::List(all) => format!("[{}]", all.iter().map(|x| shown(facts, x)).collect::<Vec<_>>().join(", ")),
        Value::Entity(e) => facts.entity(*e).map_or_else(String::new, |e| e.id.to_string()),
        Value::Alert(a) => facts.incident.alert(*a).map_or_else(String::new, |a| format!("alert:{}", a.id)),
        Value::Absent => "absent".to_owned(),
        other => guided_response::script::eval::display(facts, other),
    }
}

/// Compares pages with those that are written in a folder; `UPDATE_WRITTEN=1` writes them anew.
pub fn written(folder: &str, pages: &[(&str, String)]) {
    let mut stale = Vec::new();
    for (name, text) in pages {
        let file = path(folder).join(name);
        if std::env::var_os("UPDATE_WRITTEN").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        }
        if std::fs::read_to_string(&file).ok().as_deref() != Some(text.as_str()) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "{stale:?} differ from what is written; read the difference, then run with UPDATE_WRITTEN=1");
}
