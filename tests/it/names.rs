//! Names that playbooks use can be written in Rhai, and words that Rhai keeps cannot be ids.

use std::collections::BTreeSet;

use guided_response::diag::codes;
use guided_response::model::Kind;
use guided_response::model::kind::PROPS;
use guided_response::playbook::compile;
use guided_response::script::fields::{AlertField, EdgeField, EntityField, IncidentField, PairField};
use guided_response::script::functions::{self, CLOSURES};
use guided_response::script::lower::{RESERVED, global_names, is_name};

use crate::support::file;

fn engine() -> rhai::Engine {
    let mut engine = rhai::Engine::new_raw();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine
}

fn parses(text: &str) -> Result<(), String> {
    engine().compile_expression(text).map(|_| ()).map_err(|e| format!("`{text}`: {e}"))
}

#[test]
fn every_name_that_is_offered_can_be_written() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut try_it = |text: String| {
        count += 1;
        wrong.extend(parses(&text).err());
    };
    for f in functions::all() {
        let args = vec!["1"; f.params.len()].join(", ");
        try_it(if f.on == functions::Pat::Free { format!("{}({args})", f.name) } else { format!("x.{}({args})", f.name) });
    }
    for c in CLOSURES {
        try_it(format!("x.{}(|y| y)", c.0));
    }
    let fields = EntityField::all().iter().map(|f| f.1).collect::<Vec<_>>().into_iter();
    let fields = fields
        .chain(AlertField::all().iter().map(|f| f.1).collect::<Vec<_>>())
        .chain(IncidentField::all().iter().map(|f| f.1).collect::<Vec<_>>())
        .chain(EdgeField::all().iter().map(|f| f.1).collect::<Vec<_>>())
        .chain(PairField::all().iter().map(|f| f.1).collect::<Vec<_>>())
        .chain(PROPS.iter().map(|p| p.name));
    for name in fields {
        try_it(format!("x.{name}"));
        try_it(format!("x?.{name}.{name}"));
    }
    for name in global_names().chain(Kind::ALL.iter().map(|k| k.word())).chain(["target", "params", "alert"]) {
        try_it(format!("{name}.x"));
        // A loop variable or parameter is usually called as its kind.
        try_it(format!("x.some(|{name}| {name}.y == 1)"));
        assert!(is_name(name), "`{name}` is offered and cannot be an id");
    }
    assert!(count > 400, "{count} names");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_names_of_one_type_are_unlike() {
    for (what, names) in [
        ("an alert", AlertField::all().iter().map(|f| f.1).collect::<Vec<_>>()),
        ("the incident", IncidentField::all().iter().map(|f| f.1).collect()),
        ("an edge", EdgeField::all().iter().map(|f| f.1).collect()),
        ("an entity", EntityField::all().iter().map(|f| f.1).chain(PROPS.iter().map(|p| p.name)).collect()),
        ("the collections", Kind::ALL.iter().map(|k| k.collection()).chain(["incident", "alerts", "lists"]).collect()),
    ] {
        let unlike: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(unlike.len(), names.len(), "{what} has a name twice");
    }
}

/// Every word that Rhai 1.27 reserves or that means something of its own to it.
const KEPT_BY_RHAI: &[&str] = &[
    "with",
    "in",
    "is",
    "match",
    "new",
    "use",
    "void",
    "null",
    "nil",
    "shared",
    "sync",
    "async",
    "await",
    "yield",
    "go",
    "spawn",
    "thread",
    "static",
    "case",
    "default",
    "public",
    "private",
    "protected",
    "super",
    "package",
    "module",
    "goto",
    "exit",
    "let",
    "const",
    "if",
    "else",
    "switch",
    "do",
    "while",
    "until",
    "loop",
    "for",
    "continue",
    "break",
    "return",
    "throw",
    "try",
    "catch",
    "import",
    "export",
    "as",
    "fn",
    "this",
    "global",
    "true",
    "false",
    "print",
    "debug",
    "type_of",
    "eval",
    "Fn",
    "call",
    "curry",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "var",
];

#[test]
fn no_word_that_rhai_keeps_can_be_an_id() {
    for word in KEPT_BY_RHAI {
        assert!(!is_name(word), "`{word}` is kept by Rhai and would be taken for an id");
    }
    // What may be an id can be written as a name and as a function.
    for word in ["then", "from", "to", "first", "last", "kind", "file", "process", "group", "container", "edges", "out", "into", "type", "each_one"] {
        assert!(is_name(word), "`{word}`");
        parses(word).unwrap();
        parses(&format!("{word}(x)")).unwrap();
    }
}

fn codes_of(text: &str) -> Vec<&'static str> {
    compile(&[file("p.yaml", text)]).diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn reserved_words_are_refused_as_ids() {
    for word in RESERVED {
        let as_binding = format!("playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\nbind:\n  \"{word}\": users.len()\n");
        assert!(codes_of(&as_binding).contains(&codes::BAD_ID), "bind `{word}`: {:?}", codes_of(&as_binding));
        let as_condition = format!("playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\nconditions:\n  \"{word}\": {{ if: users.len() > 0 }}\n");
        assert!(codes_of(&as_condition).contains(&codes::BAD_ID), "condition `{word}`: {:?}", codes_of(&as_condition));
        let as_list = format!("lists:\n  \"{word}\": {{ kind: text, values: [a] }}\n");
        assert!(codes_of(&as_list).contains(&codes::BAD_ID), "list `{word}`: {:?}", codes_of(&as_list));
        let as_signal = format!("signals:\n  \"{word}\": {{ title: t, any: [{{ titles: [a] }}] }}\n");
        assert!(codes_of(&as_signal).contains(&codes::BAD_ID), "signal `{word}`: {:?}", codes_of(&as_signal));
    }
    let fine = "playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: t\nbind:\n  clickers: users\n";
    assert!(!codes_of(fine).contains(&codes::BAD_ID), "{:?}", codes_of(fine));
}
