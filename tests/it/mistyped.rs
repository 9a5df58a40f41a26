//! What is mistyped is refused. Random well-typed expressions are taken from the generator of the oracle; then one leaf in
//! them, however deep, is put out of type, and nothing of it may reach the evaluator.

use guided_response::diag::{Severity, codes};
use guided_response::model::kind::{PROPS, RELATIONS};
use guided_response::model::{Kind, Kinds};
use guided_response::script::expr::{Expr, Node};
use guided_response::script::fields::{self, Field};
use guided_response::script::functions::Pat;
use guided_response::script::{Questions, Ty, Value};

use crate::oracle::random_expression;
use crate::random::{Random, count};
use crate::support::{Names, example_set};

/// A change of the text: bytes, and what is put there.
#[derive(Clone, Debug)]
struct Break {
    start: usize,
    end: usize,
    with: String,
    why: &'static str,
}

/// A value, as it is written, that can never stand where one of this type belongs.
fn unlike(ty: &Ty, r: &mut Random) -> Option<&'static str> {
    let all: &[(&str, Ty)] = &[
        ("true", Ty::Bool),
        ("17", Ty::Int),
        ("incident", Ty::Incident),
        ("alerts", Ty::list(Ty::Alert)),
        ("users", Ty::list(Ty::entity(Kind::User))),
        ("\"zz\"", Ty::Text),
    ];
    // A text beside a level, time or duration is read as one, and refused as such: that is not what is tried here.
    let fits = |other: &Ty| match ty {
        Ty::Level | Ty::Time | Ty::Duration => *other == Ty::Text,
        Ty::Unknown | Ty::Map(_) | Ty::Named => true,
        Ty::List(_) => matches!(other, Ty::List(_)),
        _ => other.alike(ty),
    };
    let unlike: Vec<&str> = all.iter().filter(|(_, t)| !fits(t)).map(|(text, _)| *text).collect();
    if unlike.is_empty() { None } else { Some(*r.pick(&unlike)) }
}

/// Whether an expression is one token, so that its span is all of it.
fn leaf(e: &Expr) -> bool {
    matches!(e.node, Node::Const(_) | Node::Local(_) | Node::Incident | Node::Alerts | Node::Collection(_))
}

/// Every way to put one leaf out of type, by what stands around it.
fn breaks(e: &Expr, text: &str, r: &mut Random, out: &mut Vec<Break>) {
    let whole = |x: &Expr| (x.span.start as usize, x.span.end as usize);
    let mut replace = |x: &Expr, wanted: &Ty, why: &'static str, r: &mut Random| {
        // A number and its sign are one constant, wherever the sign stands.
        let signed = text.get(x.span.start as usize..).is_some_and(|t| t.starts_with('-'));
        if leaf(x)
            && !signed
            && let Some(with) = unlike(wanted, r)
        {
            let (start, end) = whole(x);
            out.push(Break { start, end, with: with.to_owned(), why });
        }
    };
    match &e.node {
        Node::And(all) | Node::Or(all) => all.iter().for_each(|x| replace(x, &Ty::Bool, "a side that is not true or false", r)),
        Node::Not(x) => replace(x, &Ty::Bool, "what is negated is not true or false", r),
        Node::If(test, ..) => replace(test, &Ty::Bool, "a condition that is not true or false", r),
        Node::Compare(_, a, b) => {
            // Beside a text, a level or time might be read; both sides alone decide then.
            let read = |t: &Ty| matches!(t, Ty::Level | Ty::Time | Ty::Duration | Ty::Text);
            if !read(&a.ty) && !read(&b.ty) {
                replace(b, &a.ty, "an operand of an unlike type", r);
                replace(a, &b.ty, "an operand of an unlike type", r);
            }
        }
        Node::Index(_, at) => replace(at, &Ty::Int, "a position that is no number", r),
        Node::Range(a, b, _) => [a, b].into_iter().for_each(|x| replace(x, &Ty::Int, "an end of a range that is no number", r)),
        Node::Call(f, args) => {
            let given = if f.on == Pat::Free { args.as_slice() } else { args.get(1..).unwrap_or_default() };
            for (x, (_, pat)) in given.iter().zip(f.params) {
                match pat {
                    Pat::Int => replace(x, &Ty::Int, "a wrong argument", r),
                    Pat::Text => replace(x, &Ty::Text, "a wrong argument", r),
                    Pat::Entity => replace(x, &Ty::Entity(Kinds::ANY), "a wrong argument", r),
                    _ => {}
                }
            }
            // A relation that cannot leave, or arrive at, what it is asked of.
            if let (Some(Ty::Entity(kinds)), "out" | "into") = (args.first().map(|x| &x.ty), f.name)
                && let Some(x @ Expr { node: Node::Const(Value::Rel(_)), .. }) = args.get(1)
            {
                let impossible: Vec<&str> = RELATIONS
                    .iter()
                    .filter(|s| if f.name == "out" { s.from.and(*kinds).is_none() } else { s.to.and(*kinds).is_none() })
                    .map(|s| s.name)
                    .collect();
                if !impossible.is_empty() {
                    let (start, end) = whole(x);
                    out.push(Break { start, end, with: format!("\"{}\"", r.pick(&impossible)), why: "a relation that cannot exist" });
                }
            }
        }
        Node::Field(of, Field::Prop(p)) => {
            // A property that only other kinds have; its name ends the expression's span.
            let name = p.spec().name;
            let end = e.span.end as usize;
            if let Ty::Entity(kinds) = &of.ty
                && text.get(end.saturating_sub(name.len())..end) == Some(name)
            {
                let others: Vec<&str> =
                    PROPS.iter().filter(|o| o.kinds.and(*kinds).is_none() && fields::field(&of.ty, o.name).is_none()).map(|o| o.name).collect();
                if !others.is_empty() {
                    out.push(Break { start: end - name.len(), end, with: (*r.pick(&others)).to_owned(), why: "a property of another kind" });
                }
            }
        }
        _ => {}
    }
    e.parts(&mut |x| breaks(x, text, r, out));
}

#[test]
fn whatever_is_put_out_of_type_is_refused_within_the_expression() {
    let set = example_set();
    let names = Names::of(&set);
    let mut r = Random::new(4_711);
    let mut tried: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    let (wanted, mut done, mut seed) = (count("ENGINE_MISTYPED", 2_000), 0, 0u64);
    while done < wanted {
        seed += 1;
        let text = random_expression(seed);
        let Ok(expr) = names.compile(&text, &mut Questions::default()) else { panic!("seed {seed} is well typed: {text}") };
        let mut all = Vec::new();
        breaks(&expr, &text, &mut r, &mut all);
        if all.is_empty() {
            assert!(seed < 100 + 50 * wanted as u64, "expressions with something to break are found");
            continue;
        }
        let b = r.pick(&all).clone();
        let mut bad = text.clone();
        bad.replace_range(b.start..b.end, &b.with);
        done += 1;
        *tried.entry(b.why).or_default() += 1;
        let said = match names.compile(&bad, &mut Questions::default()) {
            Ok(_) => "it compiles".to_owned(),
            Err(d) => {
                let inside = d.iter().any(|d| {
                    d.severity == Severity::Error && d.labels.first().is_some_and(|l| (l.span.end as usize) <= bad.len() && l.span.start < l.span.end)
                });
                // What can be no flag, or no position, is refused by the parser itself.
                let syntax =
                    d.iter().any(|d| d.code == codes::SYNTAX && !["expecting a boolean", " index, not "].iter().any(|m| d.message.contains(m)));
                if inside && !syntax {
                    continue;
                }
                format!("{d:?}")
            }
        };
        wrong.push(format!("seed {seed}, {} `{}` for `{}`\n  {text}\n  {bad}\n  {said}", b.why, b.with, &text[b.start..b.end]));
    }
    println!("{tried:?}");
    assert!(wrong.is_empty(), "{} of {done}\n{}", wrong.len(), wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n"));
    assert!(tried.len() >= 8, "every kind of break is tried: {tried:?}");
}
