//! The editor's own reading of expressions, which also works on text that does not parse, agrees with the compiler's.

use std::collections::BTreeSet;

use guided_response::lsp::mentions::names;
use guided_response::playbook::holds::Of;
use guided_response::playbook::{compile, yaml};
use guided_response::script::expr::{Expr, Node};
use guided_response::source::{FileId, Span};

/// Every use of a binding or condition in an expression that stands in this file.
fn used(e: &Expr, file: FileId, out: &mut BTreeSet<Span>, sources: &guided_response::source::Sources) {
    e.each(&mut |x| {
        let name = match &x.node {
            Node::Binding(name, _) => name.clone(),
            Node::Clause(c, _) => c.name.clone(),
            _ => return,
        };
        if x.span.file == file {
            // The span of a call holds its arguments as well.
            let end = x.span.start + u32::try_from(name.len()).unwrap();
            let span = Span { end, ..x.span };
            assert_eq!(sources.text(span), &*name, "a use begins with its name");
            out.insert(span);
        }
    });
}

#[test]
fn names_that_are_seen_are_those_that_the_compiler_sees() {
    let set = compile(&guided_response::runtime::playbooks::shipped());
    let mut seen = 0;
    for p in &set.playbooks {
        let file = p.span.file;
        let tree = yaml::parse(file, set.sources.get(file).unwrap(), &mut Vec::new()).unwrap();
        let ours: BTreeSet<Span> = names(&tree).all.into_iter().filter(|m| m.of == Of::Binding && !m.declares).map(|m| m.span).collect();
        let mut theirs = BTreeSet::new();
        let mut take = |e: &Expr| used(e, file, &mut theirs, &set.sources);
        p.bindings.values().for_each(|e| take(e));
        p.conditions.values().for_each(|c| take(&c.body));
        let mut sentences = Vec::new();
        for c in p.conditions.values() {
            sentences.extend([c.pass.as_ref(), c.fail.as_ref()].into_iter().flatten());
        }
        for a in &p.triage {
            a.when.iter().for_each(&mut take);
            sentences.push(&a.why);
        }
        for c in &p.cards {
            c.when.iter().for_each(&mut take);
            sentences.push(&c.why);
            sentences.extend(&c.title);
            match &c.target {
                guided_response::playbook::set::Target::Each(_, e) | guided_response::playbook::set::Target::All(_, e) => take(e),
                guided_response::playbook::set::Target::Incident => {}
            }
        }
        for h in p.hunts.values() {
            sentences.push(&h.title);
            for part in &h.parts {
                if let guided_response::playbook::set::QueryPart::Literal(e, _) = part {
                    take(e);
                }
            }
        }
        for s in sentences {
            for part in &s.parts {
                if let guided_response::script::template::Part::Value(e) = part {
                    take(e);
                }
            }
        }
        // Tests name conditions too, which no expression does.
        let in_tests = |s: &Span| tree.get("tests").is_some_and(|t| s.start >= t.span.start);
        let ours: BTreeSet<Span> = ours.into_iter().filter(|s| !in_tests(s)).collect();
        let words = |all: BTreeSet<Span>| -> Vec<String> {
            all.into_iter().map(|s| format!("{} at {:?}", set.sources.text(s), set.sources.place(s))).collect()
        };
        seen += ours.len();
        assert_eq!(words(ours), words(theirs), "{}", p.id);
    }
    assert!(seen > 200, "only {seen} names were compared");
}
