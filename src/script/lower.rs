//! From Rhai's tree to the typed form: every name, type and constant is settled here, with its place.

use std::collections::HashMap;
use std::sync::Arc;

use rhai::{ASTFlags, Expr as RExpr, FnCallExpr, Position, Stmt};

use super::env::Env;
use super::expr::{Arith, Arm, Compare, Condition, Each, Expr, Key, Node, key};
use super::fields;
use super::functions::{self, Function, Pat};
use super::limits;
use super::literal::{self, Wrong};
use super::parse::{self, Closure};
use super::plan;
use super::questions::Questions;
use super::ty::Ty;
use super::value::Value;
use crate::diag::{Diagnostic, codes, nearest};
use crate::model::{Kind, Kinds};
use crate::source::{Snippet, Span};

/// Words that Rhai keeps for itself: they cannot be ids that expressions use.
pub const RESERVED: &[&str] = &[
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
    "each",
    "then_",
    "var_",
];

/// Words that begin what only programs have.
const STATEMENTS: &[&str] =
    &["let", "const", "while", "loop", "do", "until", "for", "fn", "import", "export", "return", "throw", "try", "break", "continue"];

/// Whether a word can be an id that expressions use: snake case, not reserved.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&word)
}

/// Names that every playbook expression has.
pub fn global_names() -> impl Iterator<Item = &'static str> {
    ["incident", "alerts", "lists"].into_iter().chain(Kind::ALL.iter().map(|k| k.collection()))
}

/// Turns one text into the typed form.
pub struct Lowering<'e, 'd> {
    env: Env<'e>,
    snippet: Snippet<'e>,
    closures: HashMap<String, Arc<Closure>>,
    questions: &'d mut Questions,
    out: &'d mut Vec<Diagnostic>,
    failed: bool,
    /// What `known(…)` was asked of further left in the same `&&`.
    asked: Vec<Key>,
}

impl<'e, 'd> Lowering<'e, 'd> {
    /// Compiles an expression; what is wrong is reported, and then there is none.
    pub fn compile(snippet: Snippet<'e>, env: Env<'e>, questions: &'d mut Questions, out: &'d mut Vec<Diagnostic>) -> Option<Expr> {
        if snippet.text().trim().is_empty() {
            out.push(Diagnostic::error(codes::SYNTAX, snippet.span(), "an expression is missing here"));
            return None;
        }
        let tree = match parse::parse(snippet.text()) {
            Ok(tree) => tree,
            Err(e) => {
                let end = parse::token_end(snippet.text(), e.at);
                let before = snippet.text().get(..e.at).unwrap_or("");
                // A duration without quotes is read as a number and a word.
                let number = before.len().saturating_sub(before.trim_end_matches(|c: char| c.is_ascii_digit()).len());
                let number = if matches!(snippet.text().get(e.at..end), Some("s" | "m" | "h" | "d" | "w")) { number } else { 0 };
                let start = e.at.saturating_sub(number);
                let span = snippet.place(start, end.max(e.at));
                let mut d = Diagnostic::error(codes::SYNTAX, span, format!("the expression does not parse: {}", lower_first(&e.message)));
                let word = snippet.text().get(start..end).unwrap_or("");
                let negated = before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).next() == Some("not");
                if let Some(help) = if negated { syntax_help("not", "") } else { syntax_help(word, &e.message) } {
                    d = d.help(help);
                }
                out.push(d);
                return None;
            }
        };
        let root = tree.root?;
        let mut this = Self { env, snippet, closures: tree.closures, questions, out, failed: false, asked: Vec::new() };
        let expr = this.stmt(&root);
        if expr.height > limits::HEIGHT && !this.failed {
            let span = expr.span;
            this.error(codes::LIMIT, span, format!("the expression and what it uses nest more than {} deep", limits::HEIGHT));
        }
        (!this.failed).then_some(expr)
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Expr {
        self.wrong(Diagnostic::error(code, span, message))
    }

    fn wrong(&mut self, d: Diagnostic) -> Expr {
        let span = d.labels.first().map_or_else(|| self.snippet.span(), |l| l.span);
        self.failed = true;
        self.out.push(d);
        Expr { node: Node::Const(Value::Absent), ty: Ty::Unknown, maybe: false, span, key: [0; 16], memo: None, free: 0, height: 1, plan: None }
    }

    fn refuse(&mut self, at: Position, what: &str, help: &str) -> Expr {
        let span = self.token(at);
        self.wrong(Diagnostic::error(codes::UNSUPPORTED, span, format!("{what} cannot be used in a playbook")).help(help))
    }

    /// The place of the token at a position.
    fn token(&self, at: Position) -> Span {
        let text = self.snippet.text();
        let start = parse::byte_of(text, at);
        self.snippet.place(start, parse::token_end(text, start))
    }

    /// A node from its parts: its key, what it needs from outside, where its answer is kept.
    fn make(&mut self, node: Node, ty: Ty, maybe: bool, span: Span, word: &str, below: &[&Expr]) -> Expr {
        let keys: Vec<Key> = below.iter().map(|e| e.key).collect();
        let free = below.iter().fold(0, |bits, e| bits | e.free);
        let height = below.iter().map(|e| e.height).max().unwrap_or(0).saturating_add(1);
        self.finish(node, ty, maybe, span, key(word, &keys), free, height)
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of the node, each computed by the caller")]
    fn finish(&mut self, node: Node, ty: Ty, maybe: bool, span: Span, key: Key, free: u64, height: u32) -> Expr {
        // Bindings and clauses hand on to their bodies, which have the same key.
        let shared = free == 0
            && matches!(
                node,
                Node::Call(..)
                    | Node::Each(..)
                    | Node::And(..)
                    | Node::Or(..)
                    | Node::Compare(..)
                    | Node::In(..)
                    | Node::Switch(..)
                    | Node::If(..)
                    | Node::Coalesce(..)
            );
        let memo = shared.then(|| self.questions.id(key));
        let plan = plan::of(&node, &ty, self.env.locals.len()).map(|p| match memo {
            Some(id) => p.shared(id),
            None => p,
        });
        Expr { node, ty, maybe, span, key, memo, free, height, plan }
    }

    fn constant(&mut self, v: Value, ty: Ty, span: Span) -> Expr {
        let word = format!("const {v:?}");
        let v = match v {
            Value::Text(t) => Value::Text(self.questions.text(t)),
            other => other,
        };
        self.make(Node::Const(v), ty, false, span, &word, &[])
    }

    fn stmt(&mut self, s: &Stmt) -> Expr {
        match s {
            Stmt::Expr(e) => self.expr(e),
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::If(flow, at) => {
                let at = self.token(*at);
                let test = self.boolean(&flow.expr, "the condition of `if`");
                let yes = self.block(flow.body.iter(), at);
                if flow.branch.is_empty() {
                    return self.wrong(Diagnostic::error(codes::UNSUPPORTED, at, "an `if` without `else` has no value").help("add `else { … }`"));
                }
                let no = self.block(flow.branch.iter(), at);
                let yes = if read_like(&no.ty) { self.coerce(yes, &no.ty.clone()) } else { yes };
                let no = if read_like(&yes.ty) { self.coerce(no, &yes.ty.clone()) } else { no };
                let Some(ty) = yes.ty.join(&no.ty) else { return self.unlike("the branches of `if`", &yes, &no) };
                let (maybe, span) = (yes.maybe || no.maybe, at.to(no.span));
                let below = [test.clone(), yes.clone(), no.clone()];
                self.make(Node::If(Box::new(test), Box::new(yes), Box::new(no)), ty, maybe, span, "if", &below.iter().collect::<Vec<_>>())
            }
            Stmt::Switch(parts, at) => self.switch(&parts.0, &parts.1, *at),
            Stmt::Block(block) => {
                let at = self.token(block.position());
                self.block(block.iter(), at)
            }
            other => {
                let what = match other {
                    Stmt::Return(..) => "`return` or `throw`",
                    Stmt::Var(..) => "`let` or `const`",
                    Stmt::Assignment(..) => "an assignment",
                    Stmt::While(..) | Stmt::Do(..) | Stmt::For(..) => "a loop",
                    Stmt::BreakLoop(..) => "`break` or `continue`",
                    Stmt::TryCatch(..) => "`try`",
                    _ => "a statement",
                };
                self.refuse(other.position(), what, "an expression says what is so; name parts of it in `bind:` or `conditions:`")
            }
        }
    }

    fn block<'s>(&mut self, all: impl Iterator<Item = &'s Stmt>, at: Span) -> Expr {
        // A closure's captures appear as a statement of their own, which says nothing here.
        let all: Vec<&Stmt> = all.filter(|s| !matches!(s, Stmt::Share(_) | Stmt::Noop(_))).collect();
        match all.as_slice() {
            [one] => self.stmt(one),
            [] => self.error(codes::UNSUPPORTED, at, "an empty block has no value"),
            _ => self.wrong(Diagnostic::error(codes::UNSUPPORTED, at, "a block holds one expression").help("name the parts in `bind:`")),
        }
    }

    fn expr(&mut self, e: &RExpr) -> Expr {
        match e {
            RExpr::BoolConstant(b, at) => {
                let span = self.token(*at);
                self.constant((*b).into(), Ty::Bool, span)
            }
            RExpr::IntegerConstant(n, at) => {
                let span = self.token(*at);
                self.constant(Value::Int(*n), Ty::Int, span)
            }
            RExpr::FloatConstant(x, at) => {
                let span = self.token(*at);
                self.constant(Value::Float(**x), Ty::Float, span)
            }
            RExpr::StringConstant(s, at) => {
                let span = self.token(*at);
                self.constant(s.as_str().into(), Ty::Text, span)
            }
            RExpr::CharConstant(c, at) => {
                let help = format!("write it as text: \"{c}\"");
                self.refuse(*at, "a single character", &help)
            }
            RExpr::Unit(at) => self.refuse(*at, "`()`", "`known(x)` asks whether something is recorded"),
            RExpr::ThisPtr(at) => self.refuse(*at, "`this`", "give the closure a parameter: `|x| …`"),
            RExpr::DynamicConstant(_, at) => {
                self.refuse(*at, "a closure", "closures belong in `filter`, `map`, `some`, `any`, `all`, `count` and `first`")
            }
            RExpr::InterpolatedString(parts, at) => {
                let parts: Vec<Expr> = parts.iter().map(|p| self.expr(p)).collect();
                let span = self.token(*at);
                let below = parts.clone();
                self.make(Node::Interpolate(parts), Ty::Text, false, span, "text", &below.iter().collect::<Vec<_>>())
            }
            RExpr::Array(items, at) => self.array(items, *at),
            RExpr::Map(parts, at) => {
                let mut all: Vec<(Arc<str>, Expr)> = parts.0.iter().map(|(k, v)| (k.name.as_str().into(), self.expr(v))).collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                let ty = Ty::Map(all.iter().map(|(k, v)| (k.clone(), v.ty.clone())).collect());
                let word = format!("map {:?}", all.iter().map(|(k, _)| k).collect::<Vec<_>>());
                let span = self.token(*at);
                let below: Vec<Expr> = all.iter().map(|(_, v)| v.clone()).collect();
                self.make(Node::Map(all), ty, false, span, &word, &below.iter().collect::<Vec<_>>())
            }
            RExpr::Variable(v, _, at) => self.name(&v.1, *at),
            RExpr::FnCall(call, at) => self.call(call, *at),
            RExpr::And(all, at) => self.junction(all, *at, true),
            RExpr::Or(all, at) => self.junction(all, *at, false),
            RExpr::Coalesce(all, _) => {
                let parts: Vec<Expr> = all.iter().map(|x| self.expr(x)).collect();
                // A word beside a level, duration or time is one: `user.risk ?? "low"`.
                let beside = parts.iter().map(|p| p.ty.clone()).find(read_like);
                let parts: Vec<Expr> = match &beside {
                    Some(ty) => parts.into_iter().map(|p| self.coerce(p, ty)).collect(),
                    None => parts,
                };
                let ty = match common(&parts) {
                    Ok(ty) => ty,
                    Err((a, b)) => return self.unlike("the sides of `??`", a, b),
                };
                let parts: Vec<Expr> = parts.into_iter().map(|p| self.coerce(p, &ty)).collect();
                let maybe = parts.iter().all(|p| p.maybe);
                let span = cover(&parts);
                let below = parts.clone();
                self.make(Node::Coalesce(parts), ty, maybe, span.unwrap_or_else(|| self.snippet.span()), "??", &below.iter().collect::<Vec<_>>())
            }
            RExpr::Dot(pair, _, _) => {
                if self.is_lists(&pair.lhs) {
                    return self.named_list(&pair.rhs);
                }
                let base = self.expr(&pair.lhs);
                self.chain(base, &pair.rhs)
            }
            RExpr::Index(pair, flags, _) => {
                let base = self.expr(&pair.lhs);
                self.index(base, &pair.rhs, *flags)
            }
            RExpr::Stmt(block) => {
                let at = self.token(block.position());
                self.block(block.iter(), at)
            }
            RExpr::Property(p, at) => self.refuse(*at, &format!("`{}` without what it belongs to", p.2), "put the thing before the dot"),
            RExpr::MethodCall(_, at) => self.refuse(*at, "a method without what it belongs to", "put the thing before the dot"),
            other => self.refuse(other.position(), "this", "see docs/language.md for what expressions can say"),
        }
    }

    fn array(&mut self, items: &[RExpr], at: Position) -> Expr {
        let mut parts: Vec<Expr> = items.iter().map(|x| self.expr(x)).collect();
        let ty = match common(&parts) {
            Ok(ty) => ty,
            Err((a, b)) => return self.unlike("the items of a list", a, b),
        };
        parts.retain(|p| !matches!(p.node, Node::Const(Value::Absent)) || p.ty != Ty::Unknown);
        let span = self.token(at);
        let span = cover(&parts).map_or(span, |s| span.to(s));
        let below = parts.clone();
        self.make(Node::Array(parts), Ty::list(ty), false, span, "array", &below.iter().collect::<Vec<_>>())
    }

    fn junction(&mut self, all: &[RExpr], at: Position, and: bool) -> Expr {
        let sign = if and { "&&" } else { "||" };
        let before = self.asked.len();
        let mut parts: Vec<Expr> = Vec::new();
        for x in all {
            let part = self.boolean(x, &format!("a side of `{sign}`"));
            // What follows `known(x) &&` knows it; what follows `!known(x) ||` does too.
            let asked = match (and, &part.node) {
                (true, Node::Call(f, args)) if f.name == "known" => args.first(),
                (false, Node::Not(inner)) => match &inner.node {
                    Node::Call(f, args) if f.name == "known" => args.first(),
                    _ => None,
                },
                _ => None,
            };
            self.asked.extend(asked.map(|a| a.key));
            parts.push(part);
        }
        self.asked.truncate(before);
        let span = cover(&parts).unwrap_or_else(|| self.token(at));
        let below = parts.clone();
        let node = if and { Node::And(parts) } else { Node::Or(parts) };
        self.make(node, Ty::Bool, false, span, sign, &below.iter().collect::<Vec<_>>())
    }

    fn boolean(&mut self, e: &RExpr, what: &str) -> Expr {
        let x = self.expr(e);
        self.want_bool(x, what)
    }

    fn want_bool(&mut self, x: Expr, what: &str) -> Expr {
        if matches!(x.ty, Ty::Bool | Ty::Unknown) {
            return x;
        }
        let help = match x.ty {
            Ty::List(_) => "ask `.len() > 0` or `.some(…)`",
            _ => "compare it with something, or ask `known(…)`",
        };
        self.wrong(Diagnostic::error(codes::TYPE, x.span, format!("{what} is {}, not true or false", x.ty)).help(help))
    }

    fn unlike(&mut self, what: &str, a: &Expr, b: &Expr) -> Expr {
        let d = Diagnostic::error(codes::UNLIKE, b.span, format!("{what} are unlike: {} and {}", a.ty, b.ty)).at(a.span, "");
        self.wrong(d)
    }

    fn local(&mut self, n: usize, ty: Ty, span: Span) -> Expr {
        // Counted from the innermost, so that equal questions are equal wherever they stand.
        let distance = self.env.locals.len().saturating_sub(n);
        let bit = 1u64.checked_shl(u32::try_from(n).unwrap_or(63)).unwrap_or(0);
        let k = key(&format!("local {distance} {ty}"), &[]);
        let maybe = false;
        self.finish(Node::Local(n), ty, maybe, span, k, bit, 1)
    }

    fn name(&mut self, name: &str, at: Position) -> Expr {
        let span = self.token(at);
        if let Some(n) = self.env.locals.iter().rposition(|(l, _)| &**l == name) {
            let ty = self.env.locals.get(n).map_or(Ty::Unknown, |l| l.1.clone());
            return self.local(n, ty, span);
        }
        if let Some((known, bound)) = self.env.bindings.get_key_value(name) {
            let (ty, maybe, k, height) = (bound.ty.clone(), bound.maybe, bound.key, bound.height.saturating_add(1));
            let node = Node::Binding(known.clone(), bound.clone());
            return self.finish(node, ty, maybe, span, k, 0, height);
        }
        if let Some(clause) = self.env.clauses.get(name).cloned() {
            if !clause.params.is_empty() {
                let params: Vec<&str> = clause.params.iter().map(|(n, _)| &**n).collect();
                let help = format!("write `{name}({})`", params.join(", "));
                return self.wrong(Diagnostic::error(codes::TYPE, span, format!("the condition `{name}` takes {}", params.join(", "))).help(help));
            }
            let (k, height) = (clause.body.key, clause.body.height.saturating_add(1));
            return self.finish(Node::Clause(clause, Vec::new()), Ty::Bool, false, span, k, 0, height);
        }
        match name {
            "incident" => return self.make(Node::Incident, Ty::Incident, false, span, "incident", &[]),
            "alerts" => return self.make(Node::Alerts, Ty::list(Ty::Alert), false, span, "alerts", &[]),
            "lists" => {
                return self.wrong(Diagnostic::error(codes::TYPE, span, "`lists` is not a value").help("name one of them: `lists.own_networks`"));
            }
            _ => {}
        }
        if let Some(kind) = Kind::of_collection(name) {
            return self.make(Node::Collection(kind), Ty::list(Ty::entity(kind)), false, span, name, &[]);
        }
        if let Some(why) = self.env.known.get(name) {
            if why.is_empty() {
                // Its own error was reported where it is declared.
                self.failed = true;
                return Expr {
                    node: Node::Const(Value::Absent),
                    ty: Ty::Unknown,
                    maybe: false,
                    span,
                    key: [0; 16],
                    memo: None,
                    free: 0,
                    height: 1,
                    plan: None,
                };
            }
            let why = why.clone();
            return self.error(codes::UNKNOWN_NAME, span, why);
        }
        let known: Vec<String> = self
            .env
            .locals
            .iter()
            .map(|(n, _)| n.to_string())
            .chain(self.env.bindings.keys().chain(self.env.clauses.keys()).map(ToString::to_string))
            .chain(global_names().map(str::to_owned))
            .collect();
        let mut d = Diagnostic::error(codes::UNKNOWN_NAME, span, format!("nothing is called `{name}` here"));
        if let Some(k) = nearest(name, known.iter().map(String::as_str)) {
            d = d.did_you_mean(span, Some(k), "");
        } else if Kind::ALL.iter().any(|k| k.word() == name) {
            d = d.help("a kind alone is not a value; its collection is written in the plural");
        }
        self.wrong(d)
    }

    fn is_lists(&self, e: &RExpr) -> bool {
        matches!(e, RExpr::Variable(v, _, _) if v.1 == "lists") && !self.env.locals.iter().any(|(l, _)| &**l == "lists")
    }

    fn named_list(&mut self, link: &RExpr) -> Expr {
        let (name, at, rest) = match link {
            RExpr::Property(p, at) => (p.2.clone(), *at, None),
            RExpr::Dot(pair, _, _) => match &pair.lhs {
                RExpr::Property(p, at) => (p.2.clone(), *at, Some(&pair.rhs)),
                other => return self.refuse(other.position(), "this", "name one of the lists: `lists.own_networks`"),
            },
            other => return self.refuse(other.position(), "this", "name one of the lists: `lists.own_networks`"),
        };
        let span = self.token(at);
        match literal::read_param(Pat::ListId, &name, &self.env, self.questions) {
            Ok(v) => {
                let base = self.constant(v, Ty::Named, span);
                match rest {
                    Some(rest) => self.chain(base, rest),
                    None => base,
                }
            }
            Err(w) => self.bad_literal(w, span, span),
        }
    }

    /// A constant that cannot be read; `word` is where it stands without its quotes.
    fn bad_literal(&mut self, w: Wrong, span: Span, word: Span) -> Expr {
        self.wrong(Diagnostic::error(w.code, span, w.message).did_you_mean(word, w.near.as_deref(), w.help))
    }

    /// A text constant that cannot be read.
    fn bad_text(&mut self, w: Wrong, span: Span) -> Expr {
        self.bad_literal(w, span, self.snippet.scalar.within(span))
    }

    /// What stands behind a dot, and what follows that.
    fn chain(&mut self, base: Expr, link: &RExpr) -> Expr {
        match link {
            RExpr::Property(p, at) => self.field(base, &p.2, *at),
            RExpr::MethodCall(call, at) => self.method(base, call, *at),
            RExpr::Dot(pair, _, _) => {
                let base = self.chain(base, &pair.lhs);
                self.chain(base, &pair.rhs)
            }
            RExpr::Index(pair, flags, _) => {
                let base = self.chain(base, &pair.lhs);
                self.index(base, &pair.rhs, *flags)
            }
            other => self.refuse(other.position(), "this after a dot", "a property or a function belongs there"),
        }
    }

    fn index(&mut self, base: Expr, link: &RExpr, flags: ASTFlags) -> Expr {
        if !flags.contains(ASTFlags::BREAK) {
            match link {
                RExpr::Dot(pair, _, _) => {
                    let base = self.item(base, &pair.lhs);
                    return self.chain(base, &pair.rhs);
                }
                RExpr::Index(pair, inner, _) => {
                    let base = self.item(base, &pair.lhs);
                    return self.index(base, &pair.rhs, *inner);
                }
                _ => {}
            }
        }
        self.item(base, link)
    }

    fn item(&mut self, base: Expr, at: &RExpr) -> Expr {
        let at = self.expr(at);
        let ty = match (&base.ty, &at.ty) {
            (Ty::Unknown, _) | (_, Ty::Unknown) => Ty::Unknown,
            (Ty::List(of), Ty::Int) => (**of).clone(),
            (Ty::List(_), _) => {
                let (span, ty) = (at.span, at.ty.clone());
                return self.error(codes::TYPE, span, format!("a position is a number, not {ty}"));
            }
            (Ty::Map(_), _) => {
                let span = at.span;
                return self.wrong(Diagnostic::error(codes::TYPE, span, "a map is read by its keys").help("write `map.key`"));
            }
            (other, _) => {
                let message = format!("only a list has positions; this is {other}");
                let span = base.span;
                return self.error(codes::TYPE, span, message);
            }
        };
        let span = base.span.to(at.span);
        let maybe = ty.can_be_absent() && base.maybe;
        let below = [base.clone(), at.clone()];
        self.make(Node::Index(Box::new(base), Box::new(at)), ty, maybe, span, "[]", &below.iter().collect::<Vec<_>>())
    }

    fn field(&mut self, base: Expr, name: &str, at: Position) -> Expr {
        let own = self.token(at);
        let span = base.span.to(own);
        if base.ty == Ty::Unknown {
            self.failed = true;
            return base;
        }
        if let Ty::Map(keys) = &base.ty {
            let Some((known, ty)) = keys.iter().find(|(k, _)| &**k == name).cloned() else {
                let known = keys.iter().map(|(k, _)| k.to_string()).collect::<Vec<_>>();
                let d = Diagnostic::error(codes::UNKNOWN_PROPERTY, own, format!("the map has no key `{name}`"));
                return self.wrong(d.did_you_mean(own, nearest(name, known.iter().map(String::as_str)), ""));
            };
            let maybe = ty.can_be_absent();
            let below = [base.clone()];
            return self.make(Node::Key(Box::new(base), known), ty, maybe, span, &format!("key {name}"), &below.iter().collect::<Vec<_>>());
        }
        let Some((field, ty, maybe)) = fields::field(&base.ty, name) else { return self.no_field(&base.ty.clone(), name, own) };
        if self.env.deciding_signals && fields::is_of_signals(field) {
            return self.error(codes::UNKNOWN_PROPERTY, own, format!("`{name}` is not known yet: signals are decided from the source's data alone"));
        }
        let maybe = ty.can_be_absent() && (maybe || base.maybe);
        let below = [base.clone()];
        self.make(Node::Field(Box::new(base), field), ty, maybe, span, &format!("field {field:?}"), &below.iter().collect::<Vec<_>>())
    }

    fn no_field(&mut self, ty: &Ty, name: &str, span: Span) -> Expr {
        let d = Diagnostic::error(codes::UNKNOWN_PROPERTY, span, format!("{ty} has no property `{name}`"));
        let is_function = functions::all().any(|f| f.name == name) || functions::CLOSURES.iter().any(|c| c.0 == name);
        let d = if is_function {
            d.help(format!("`{name}` is a function: write `{name}(…)`"))
        } else if let Some(k) = nearest(name, fields::field_names(ty)) {
            d.did_you_mean(span, Some(k), "")
        } else if let Some(p) = crate::model::Prop::named(name) {
            d.help(format!("`{name}` belongs to {}", p.spec().kinds))
        } else if crate::model::Rel::named(name).is_some() {
            d.help(format!("`{name}` is a relation: write `out(\"{name}\")` or `edges(\"{name}\")`"))
        } else {
            d
        };
        self.wrong(d)
    }

    fn method(&mut self, base: Expr, call: &FnCallExpr, at: Position) -> Expr {
        let name = call.name.as_str();
        let own = self.token(at);
        if base.ty == Ty::Unknown {
            self.failed = true;
            return base;
        }
        let each = match name {
            "filter" => Some(Each::Filter),
            "map" => Some(Each::Map),
            "some" | "any" => Some(Each::Some),
            "all" => Some(Each::All),
            "count" => Some(Each::Count),
            "first" if !call.args.is_empty() => Some(Each::First),
            _ => None,
        };
        if let Some(op) = each {
            return self.each(op, base, call, own);
        }
        self.apply(name, Some(base), &call.args, own)
    }

    fn each(&mut self, op: Each, base: Expr, call: &FnCallExpr, own: Span) -> Expr {
        let name = call.name.as_str().to_owned();
        let Ty::List(item) = base.ty.clone() else {
            let message = format!("`{name}` is called on a list; this is {}", base.ty);
            return self.error(codes::UNKNOWN_FUNCTION, own, message);
        };
        let closure = match call.args.as_slice() {
            [arg] => closure_name(arg).and_then(|(n, captured)| self.closures.get(&n).cloned().map(|c| (c, captured))),
            _ => None,
        };
        let Some((closure, captured)) = closure else {
            return self.wrong(Diagnostic::error(codes::TYPE, own, format!("`{name}` takes a closure")).help(format!("write `{name}(|x| …)`")));
        };
        let params: Vec<&String> = closure.params.iter().skip(captured).collect();
        let [param] = params.as_slice() else {
            return self.error(codes::TYPE, own, format!("the closure of `{name}` takes one parameter"));
        };
        if self.env.locals.len() >= limits::LOCALS {
            return self.error(codes::LIMIT, own, format!("more than {} closures are open here", limits::LOCALS));
        }
        let depth = self.env.locals.len();
        self.env.locals.push((param.as_str().into(), *item));
        let body = self.block(closure.body.iter(), own);
        self.env.locals.pop();
        let body = if op == Each::Map { body } else { self.want_bool(body, &format!("what the closure of `{name}` says")) };
        let ty = match op {
            Each::Filter => base.ty.clone(),
            Each::Map => Ty::list(body.ty.clone()),
            Each::Some | Each::All => Ty::Bool,
            Each::Count => Ty::Int,
            Each::First => match &base.ty {
                Ty::List(of) => (**of).clone(),
                _ => Ty::Unknown,
            },
        };
        let bit = 1u64.checked_shl(u32::try_from(depth).unwrap_or(63)).unwrap_or(0);
        let free = base.free | (body.free & !bit);
        let height = base.height.max(body.height).saturating_add(1);
        let span = base.span.to(own).to(body.span);
        let k = key(&format!("{op:?}"), &[base.key, body.key]);
        self.finish(Node::Each(op, Box::new(base), Box::new(body)), ty, op == Each::First, span, k, free, height)
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) -> Expr {
        let name = call.name.as_str();
        let own = self.token(at);
        match (name, call.args.as_slice()) {
            ("contains", [of, item]) => return self.membership(item, of),
            ("!", [x]) if call.op_token.is_some() => {
                let x = self.boolean(x, "what `!` turns round");
                if self.rests_on_absence(&x) {
                    self.warn_absence(own.to(x.span), "what is asked about");
                }
                let span = own.to(x.span);
                let below = [x.clone()];
                return self.make(Node::Not(Box::new(x)), Ty::Bool, false, span, "!", &below.iter().collect::<Vec<_>>());
            }
            ("-", [x]) if call.op_token.is_some() => {
                let x = self.expr(x);
                if !matches!(x.ty, Ty::Int | Ty::Float | Ty::Duration | Ty::Unknown) {
                    let message = format!("{} cannot be negative", x.ty);
                    return self.error(codes::TYPE, x.span, message);
                }
                let (ty, maybe, span) = (x.ty.clone(), x.maybe, own.to(x.span));
                let below = [x.clone()];
                return self.make(Node::Negate(Box::new(x)), ty, maybe, span, "-", &below.iter().collect::<Vec<_>>());
            }
            (op, [a, b]) if call.op_token.is_some() => return self.operator(op, a, b, own),
            _ => {}
        }
        if let Some(clause) = self.env.clauses.get(name).cloned() {
            return self.clause(clause, &call.args, own);
        }
        if let Some(why) = self.env.known.get(name) {
            if why.is_empty() {
                self.failed = true;
                return Expr {
                    node: Node::Const(Value::Absent),
                    ty: Ty::Unknown,
                    maybe: false,
                    span: own,
                    key: [0; 16],
                    memo: None,
                    free: 0,
                    height: 1,
                    plan: None,
                };
            }
            let why = why.clone();
            return self.error(codes::UNKNOWN_NAME, own, why);
        }
        if matches!(
            name,
            "eval" | "print" | "debug" | "Fn" | "call" | "curry" | "type_of" | "is_def_var" | "is_def_fn" | "is_shared" | "sleep" | "timestamp"
        ) {
            return self.refuse(at, &format!("`{name}`"), "expressions only look at the incident; see docs/functions.md");
        }
        self.apply(name, None, &call.args, own)
    }

    fn clause(&mut self, clause: Arc<Condition>, args: &[RExpr], own: Span) -> Expr {
        if clause.params.len() != args.len() {
            let params: Vec<&str> = clause.params.iter().map(|(n, _)| &**n).collect();
            let message =
                format!("the condition `{}` takes {} and is given {}", clause.name, crate::diag::human::counted(params.len(), "value"), args.len());
            return self.wrong(Diagnostic::error(codes::TYPE, own, message).help(format!("write `{}({})`", clause.name, params.join(", "))));
        }
        let mut given = Vec::new();
        for (arg, (param, kind)) in args.iter().zip(&clause.params) {
            let x = self.expr(arg);
            let fits = match &x.ty {
                Ty::Entity(kinds) => kinds.within(Kinds::one(*kind)),
                Ty::Unknown => true,
                _ => false,
            };
            if !fits {
                let (span, ty) = (x.span, x.ty.clone());
                let d = Diagnostic::error(codes::WRONG_KIND, span, format!("`{param}` of `{}` is a {kind}; this is {ty}", clause.name));
                return self.wrong(d.help(format!("give it one of `{}`", kind.collection())));
            }
            given.push(x);
        }
        let keys: Vec<Key> = std::iter::once(clause.body.key).chain(given.iter().map(|g| g.key)).collect();
        let free = given.iter().fold(0, |bits, g| bits | g.free);
        let height = given.iter().map(|g| g.height).chain([clause.body.height]).max().unwrap_or(0).saturating_add(1);
        let span = cover(&given).map_or(own, |s| own.to(s));
        self.finish(Node::Clause(clause, given), Ty::Bool, false, span, key("clause", &keys), free, height)
    }

    fn membership(&mut self, item: &RExpr, of: &RExpr) -> Expr {
        let of = self.expr(of);
        let item = self.expr(item);
        let (item, of) = match (&item.ty, &of.ty) {
            (Ty::Unknown, _) | (_, Ty::Unknown) => (item, of),
            (t, Ty::List(x)) => {
                if !(t.alike(x) || matches!(**x, Ty::Text) && read_like(t)) {
                    let d = Diagnostic::error(codes::UNLIKE, item.span, format!("{t} cannot be in a list of {x}"));
                    let help = if matches!(**x, Ty::Entity(_)) {
                        "ask about a property of them: `.some(|x| x.name == …)`"
                    } else {
                        "write a value of that type"
                    };
                    return self.wrong(d.help(help));
                }
                let t = t.clone();
                let of = if read_like(&t) { self.coerce_items(of, &t) } else { of };
                let want = match &of.ty {
                    Ty::List(x) => (**x).clone(),
                    _ => Ty::Unknown,
                };
                (self.coerce(item, &want), of)
            }
            (Ty::Text | Ty::Entity(_), Ty::Named) | (Ty::Text, Ty::Text | Ty::Map(_)) | (Ty::Int, Ty::Range) => (item, of),
            (t, o) => {
                let message = format!("`in` cannot ask whether {t} is in {o}");
                let span = item.span.to(of.span);
                return self.error(codes::UNLIKE, span, message);
            }
        };
        let span = item.span.to(of.span);
        let below = [item.clone(), of.clone()];
        self.make(Node::In(Box::new(item), Box::new(of)), Ty::Bool, false, span, "in", &below.iter().collect::<Vec<_>>())
    }

    fn operator(&mut self, op: &str, a: &RExpr, b: &RExpr, own: Span) -> Expr {
        let (a, b) = (self.expr(a), self.expr(b));
        let compare = match op {
            "==" => Some(Compare::Eq),
            "!=" => Some(Compare::Ne),
            "<" => Some(Compare::Lt),
            "<=" => Some(Compare::Le),
            ">" => Some(Compare::Gt),
            ">=" => Some(Compare::Ge),
            _ => None,
        };
        if let Some(c) = compare {
            return self.compare(c, a, b, own);
        }
        let arith = match op {
            "+" => Arith::Add,
            "-" => Arith::Sub,
            "*" => Arith::Mul,
            "/" => Arith::Div,
            "%" => Arith::Rem,
            ".." | "..=" => {
                for x in [&a, &b] {
                    if !matches!(x.ty, Ty::Int | Ty::Unknown) {
                        let (span, message) = (x.span, format!("a range is between numbers; this is {}", x.ty));
                        return self.error(codes::TYPE, span, message);
                    }
                }
                let span = a.span.to(b.span);
                let below = [a.clone(), b.clone()];
                return self.make(Node::Range(Box::new(a), Box::new(b), op == "..="), Ty::Range, false, span, op, &below.iter().collect::<Vec<_>>());
            }
            _ => {
                let d = Diagnostic::error(codes::UNSUPPORTED, own, format!("`{op}` cannot be used in a playbook"));
                return self.wrong(match op {
                    "&" | "|" => d.help(format!("write `{op}{op}`")),
                    _ => d,
                });
            }
        };
        // A text beside a time or duration is a duration.
        let (a, b) = match (&a.ty, &b.ty) {
            (Ty::Time | Ty::Duration, Ty::Text) => (a, self.coerce(b, &Ty::Duration)),
            (Ty::Text, Ty::Duration) => (self.coerce(a, &Ty::Duration), b),
            _ => (a, b),
        };
        let ty = match (arith, &a.ty, &b.ty) {
            (_, Ty::Unknown, _) | (_, _, Ty::Unknown) => Ty::Unknown,
            (_, Ty::Int, Ty::Int) => Ty::Int,
            (_, Ty::Int | Ty::Float, Ty::Int | Ty::Float) => Ty::Float,
            (Arith::Add, Ty::Text, Ty::Text) => Ty::Text,
            (Arith::Add | Arith::Sub, Ty::Time, Ty::Duration) => Ty::Time,
            (Arith::Sub, Ty::Time, Ty::Time) => Ty::Duration,
            (Arith::Add | Arith::Sub, Ty::Duration, Ty::Duration) => Ty::Duration,
            (Arith::Add, Ty::List(x), Ty::List(y)) => match x.join(y) {
                Some(t) => Ty::list(t),
                None => return self.unlike("the two lists", &a, &b),
            },
            (_, x, y) => {
                let message = format!("`{op}` cannot work on {x} and {y}");
                let span = a.span.to(b.span);
                return self.error(codes::TYPE, span, message);
            }
        };
        let (maybe, span) = (ty.can_be_absent() && (a.maybe || b.maybe), a.span.to(b.span));
        let below = [a.clone(), b.clone()];
        self.make(Node::Arith(arith, Box::new(a), Box::new(b)), ty, maybe, span, op, &below.iter().collect::<Vec<_>>())
    }

    fn compare(&mut self, op: Compare, a: Expr, b: Expr, own: Span) -> Expr {
        let (ta, tb) = (a.ty.clone(), b.ty.clone());
        let a = if read_like(&tb) { self.coerce(a, &tb) } else { a };
        let b = if read_like(&ta) { self.coerce(b, &ta) } else { b };
        let span = a.span.to(b.span);
        if !a.ty.alike(&b.ty) {
            let d = Diagnostic::error(codes::UNLIKE, own, format!("{} is compared with {}", a.ty, b.ty))
                .at(a.span, a.ty.to_string())
                .at(b.span, b.ty.to_string());
            let d = match (&a.ty, &b.ty) {
                (Ty::Entity(_), Ty::Text) | (Ty::Text, Ty::Entity(_)) => {
                    d.help("compare one of its properties, as in `user.upn == \"…\"`, or ask `in lists.…`")
                }
                (Ty::Level, _) | (_, Ty::Level) => {
                    d.help("levels are words in quotes: \"informational\", \"low\", \"medium\", \"high\", \"critical\"")
                }
                (Ty::Time | Ty::Duration, _) | (_, Ty::Time | Ty::Duration) => {
                    d.help("a time is written as in \"2026-01-31T09:30:00Z\", a duration as in \"2h\"")
                }
                (Ty::Text, Ty::Int | Ty::Float) => d.help("put the number in quotes, or ask for a property that is a number"),
                (Ty::List(_), Ty::Int | Ty::Float) => d.help("compare `.len()`"),
                (Ty::List(_), _) => d.help("ask `.contains(…)` or `.some(|x| …)`"),
                _ => d,
            };
            return self.wrong(d);
        }
        if !(matches!(op, Compare::Eq | Compare::Ne) || a.ty.ordered() && b.ty.ordered()) {
            let message = format!("{} has no order", a.ty);
            return self.error(codes::TYPE, own, message);
        }
        if op == Compare::Ne && (self.may_be_absent(&a) || self.may_be_absent(&b)) {
            self.warn_absence(span, "one side");
        }
        let below = [a.clone(), b.clone()];
        self.make(Node::Compare(op, Box::new(a), Box::new(b)), Ty::Bool, false, span, &format!("{op:?}"), &below.iter().collect::<Vec<_>>())
    }

    /// Whether a value may be absent, as far as was asked.
    fn may_be_absent(&self, e: &Expr) -> bool {
        if !e.maybe || self.asked.contains(&e.key) {
            return false;
        }
        // What was made of something known is known, unless making it may fail.
        match &e.node {
            Node::Call(f, args) if !f.maybe => args.iter().any(|a| self.may_be_absent(a)),
            _ => true,
        }
    }

    /// Whether the negation of a test also holds when something is not recorded.
    fn rests_on_absence(&self, x: &Expr) -> bool {
        match &x.node {
            Node::Compare(op, a, b) => *op != Compare::Ne && (self.may_be_absent(a) || self.may_be_absent(b)),
            Node::In(item, _) => self.may_be_absent(item),
            Node::Call(f, args) => f.name != "known" && args.iter().any(|a| self.may_be_absent(a)),
            _ => false,
        }
    }

    fn warn_absence(&mut self, span: Span, what: &str) {
        self.out.push(
            Diagnostic::warning(codes::ABSENCE, span, format!("this also holds when {what} is not recorded: absence is no evidence"))
                .help("add `known(…) &&`, or ask for the values that are meant"),
        );
    }

    /// A text constant where a level, duration or time belongs becomes one; other things stay.
    fn coerce(&mut self, x: Expr, want: &Ty) -> Expr {
        let Node::Const(Value::Text(t)) = &x.node else { return x };
        match literal::read_as(want, t) {
            Some(Ok(v)) => self.constant(v, want.clone(), x.span),
            Some(Err(w)) => self.bad_text(w, x.span),
            None => x,
        }
    }

    fn coerce_items(&mut self, of: Expr, want: &Ty) -> Expr {
        let Node::Array(items) = of.node.clone() else { return of };
        let items: Vec<Expr> = items.into_iter().map(|x| self.coerce(x, want)).collect();
        let below = items.clone();
        self.make(Node::Array(items), Ty::list(want.clone()), false, of.span, "array", &below.iter().collect::<Vec<_>>())
    }

    /// A function of the table.
    fn apply(&mut self, name: &str, base: Option<Expr>, args: &[RExpr], own: Span) -> Expr {
        let on = base.as_ref().map(|b| b.ty.clone());
        let fits = |f: &&'static Function| match &on {
            Some(ty) => f.on.takes(ty, ty),
            None => f.on == Pat::Free,
        };
        let named: Vec<&'static Function> = functions::all().filter(|f| f.name == name).collect();
        let candidates: Vec<&'static Function> = named.iter().copied().filter(fits).collect();
        let Some(function) = candidates.iter().copied().find(|f| f.params.len() == args.len()).or_else(|| candidates.first().copied()) else {
            return self.no_function(name, on.as_ref(), &named, own);
        };
        if self.env.deciding_signals && matches!(name, "has_signal" | "having") {
            let d = Diagnostic::error(
                codes::UNKNOWN_FUNCTION,
                own,
                format!("`{name}` is not known yet: signals are decided from the source's data alone"),
            );
            return self.wrong(
                d.help("ask for what the source says: `alert.title`, `alert.detector`, `alert.has_technique(…)`, entities and their properties"),
            );
        }
        if function.params.len() != args.len() {
            let message = format!("`{name}` takes {} and is given {}", crate::diag::human::counted(function.params.len(), "value"), args.len());
            return self.wrong(Diagnostic::error(codes::TYPE, own, message).help(format!("it is written {}", function.signature())));
        }
        let receiver = on.clone().unwrap_or(Ty::Unknown);
        let mut given: Vec<Expr> = Vec::new();
        for (arg, (param, pat)) in args.iter().zip(function.params) {
            let x = self.expr(arg);
            let x = self.argument(x, *pat, name, param, &receiver);
            given.push(x);
        }
        if self.failed {
            return Expr {
                node: Node::Const(Value::Absent),
                ty: Ty::Unknown,
                maybe: false,
                span: own,
                key: [0; 16],
                memo: None,
                free: 0,
                height: 1,
                plan: None,
            };
        }
        if let Some(wrong) = self.impossible(function, &on, &given, own) {
            return self.wrong(wrong);
        }
        let constants: Vec<Option<&Value>> = given.iter().map(|g| if let Node::Const(v) = &g.node { Some(v) } else { None }).collect();
        let ty = function.result(&receiver, &constants);
        let all: Vec<Expr> = base.into_iter().chain(given).collect();
        let any_maybe = function.name != "known" && all.iter().any(|x| x.maybe);
        let maybe = ty.can_be_absent() && (function.maybe || any_maybe);
        let span = cover(&all).map_or(own, |s| own.to(s));
        let word = format!("{} {:?} {}", function.name, function.on, function.params.len());
        let below = all.clone();
        self.make(Node::Call(function, all), ty, maybe, span, &word, &below.iter().collect::<Vec<_>>())
    }

    /// A relation that cannot exist between these kinds.
    fn impossible(&self, function: &Function, on: &Option<Ty>, given: &[Expr], own: Span) -> Option<Diagnostic> {
        let Some(Ty::Entity(kinds)) = on else { return None };
        for (x, (_, pat)) in given.iter().zip(function.params) {
            let (Pat::Relation, Node::Const(Value::Rel(r))) = (pat, &x.node) else { continue };
            let spec = r.spec();
            let (from, to) = (!spec.from.and(*kinds).is_none(), !spec.to.and(*kinds).is_none());
            let fits = match function.name {
                "into" => to,
                "edges" | "possible" => from || to,
                _ => from,
            };
            if !fits {
                let message = format!("`{}` cannot {} a {kinds}", spec.name, if function.name == "into" { "arrive at" } else { "leave" });
                let mut d = Diagnostic::error(codes::UNKNOWN_RELATION, x.span, message).help(format!("it leads from {} to {}", spec.from, spec.to));
                if d.labels.is_empty() {
                    d = d.at(own, "");
                }
                return Some(d);
            }
        }
        None
    }

    fn argument(&mut self, x: Expr, pat: Pat, name: &str, param: &str, receiver: &Ty) -> Expr {
        if pat.literal() {
            return match &x.node {
                Node::Const(Value::Text(t)) => match literal::read_param(pat, t, &self.env, self.questions) {
                    Ok(v) => {
                        let ty = if pat == Pat::LevelWord { Ty::Level } else { Ty::Unknown };
                        let word = format!("const {t}");
                        let span = x.span;
                        self.make(Node::Const(v), ty, false, span, &word, &[])
                    }
                    Err(w) => self.bad_text(w, x.span),
                },
                _ => {
                    let message = format!("`{param}` of `{name}` must be {}: it is read when the playbook loads", pat.describe());
                    let span = x.span;
                    self.error(codes::TYPE, span, message)
                }
            };
        }
        let x = match pat {
            Pat::Duration => self.coerce(x, &Ty::Duration),
            Pat::Item => match receiver {
                Ty::List(of) => self.coerce(x, of),
                _ => x,
            },
            _ => x,
        };
        if pat.takes(&x.ty, receiver) {
            return x;
        }
        let d = Diagnostic::error(codes::TYPE, x.span, format!("`{param}` of `{name}` is {}; this is {}", pat.describe(), x.ty));
        self.wrong(match functions::all().find(|f| f.name == name && f.params.iter().any(|p| p.0 == param && p.1 == pat)) {
            Some(f) => d.help(format!("it is written {}", f.signature())),
            None => d,
        })
    }

    fn no_function(&mut self, name: &str, on: Option<&Ty>, named: &[&'static Function], own: Span) -> Expr {
        let what = on.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let d = match on {
            Some(ty) => Diagnostic::error(codes::UNKNOWN_FUNCTION, own, format!("{ty} has no function `{name}`")),
            None => Diagnostic::error(codes::UNKNOWN_FUNCTION, own, format!("there is no function `{name}`")),
        };
        if let Some(f) = named.first() {
            let places: Vec<&str> = named.iter().map(|f| f.on.describe()).collect();
            let help = if f.on == Pat::Free {
                format!("it is written {}", f.signature())
            } else {
                format!("it is called on {}, not on {what}", places.join(" or "))
            };
            return self.wrong(d.help(help));
        }
        let fitting = functions::all().filter(|f| match on {
            Some(ty) => f.on.takes(ty, ty),
            None => f.on == Pat::Free,
        });
        let mut known: Vec<&str> = fitting.map(|f| f.name).collect();
        if matches!(on, Some(Ty::List(_))) {
            known.extend(functions::CLOSURES.iter().map(|c| c.0));
        }
        let clauses: Vec<String> = self.env.clauses.keys().map(ToString::to_string).collect();
        if on.is_none() {
            known.extend(clauses.iter().map(String::as_str));
        }
        let is_field = on.is_some_and(|ty| fields::field(ty, name).is_some());
        let d = if is_field {
            d.help(format!("`{name}` is a property: write it without parentheses"))
        } else {
            d.did_you_mean(own, nearest(name, known), "")
        };
        self.wrong(d)
    }

    fn switch(&mut self, of: &RExpr, cases: &rhai::SwitchCasesCollection, at: Position) -> Expr {
        let own = self.token(at);
        let of = self.expr(of);
        let text = self.snippet.text();
        let start = parse::byte_of(text, at);
        let arms = match parse::switch_arms(text, start) {
            Ok(arms) => arms,
            Err(n) => {
                let span = self.snippet.place(n, parse::token_end(text, n));
                return self.wrong(
                    Diagnostic::error(codes::UNSUPPORTED, span, "the patterns of a `switch` are texts, numbers, ranges, `true`, `false` and `_`")
                        .help("use `if … else` for other tests"),
                );
            }
        };
        let mut made = Vec::new();
        let mut rest = None;
        let mut ty = Ty::Unknown;
        for (n, arm) in arms.iter().enumerate() {
            let Some(case) = cases.expressions.get(n) else { return self.refuse(at, "this `switch`", "use `if … else`") };
            let place = self.snippet.place(arm.at, parse::token_end(text, arm.at));
            let then = self.expr(&case.rhs);
            match ty.join(&then.ty) {
                Some(t) => ty = t,
                None => {
                    let message = format!("the arms of `switch` are unlike: {ty} and {}", then.ty);
                    let span = then.span;
                    return self.error(codes::UNLIKE, span, message);
                }
            }
            let guard = match &case.lhs {
                RExpr::BoolConstant(true, _) => None,
                g => Some(self.boolean(g, "the guard of an arm")),
            };
            match &arm.values {
                None => rest = Some(then),
                Some(values) => {
                    let mut kept = Vec::new();
                    for v in values {
                        let v = match (v, literal::read_as(&of.ty, v.as_text().unwrap_or(""))) {
                            (Value::Text(_), Some(Ok(v))) => v,
                            (Value::Text(_), Some(Err(w))) => return self.bad_text(w, place),
                            (v, _) => v.clone(),
                        };
                        let fits = matches!(
                            (&v, &of.ty),
                            (_, Ty::Unknown)
                                | (Value::Text(_), Ty::Text)
                                | (Value::Int(_) | Value::Range(..), Ty::Int)
                                | (Value::Bool(_), Ty::Bool)
                                | (Value::Level(_), Ty::Level)
                        );
                        if !fits {
                            let message = format!("this arm can never fit {}", of.ty);
                            return self.error(codes::UNLIKE, place, message);
                        }
                        kept.push(v);
                    }
                    made.push(Arm { values: kept, guard, then });
                }
            }
        }
        let Some(rest) = rest else {
            return self.wrong(Diagnostic::error(codes::UNSUPPORTED, own, "a `switch` without `_` has no value for the rest").help("add `_ => …`"));
        };
        let mut below = vec![of.clone(), rest.clone()];
        let mut word = String::from("switch");
        for a in &made {
            word.push_str(&format!(" {:?} {}", a.values, a.guard.is_some()));
            below.extend(a.guard.clone());
            below.push(a.then.clone());
        }
        let maybe = ty.can_be_absent() && below.iter().skip(1).any(|x| x.maybe);
        let span = cover(&below).map_or(own, |s| own.to(s));
        self.make(Node::Switch(Box::new(of), made, Box::new(rest)), ty, maybe, span, &word, &below.iter().collect::<Vec<_>>())
    }
}

/// Whether a text beside a value of this type is read as one.
fn read_like(ty: &Ty) -> bool {
    matches!(ty, Ty::Level | Ty::Time | Ty::Duration)
}

/// The name of the closure that an argument is, and how many names it captures.
fn closure_name(arg: &RExpr) -> Option<(String, usize)> {
    match arg {
        RExpr::DynamicConstant(v, _) => v.read_lock::<rhai::FnPtr>().map(|f| (f.fn_name().to_owned(), 0)),
        RExpr::FnCall(call, _) if call.name == "curry" => {
            let (first, captured) = call.args.split_first()?;
            closure_name(first).map(|(n, _)| (n, captured.len()))
        }
        RExpr::Stmt(block) => block.iter().find_map(|s| match s {
            Stmt::Expr(e) => closure_name(e),
            Stmt::FnCall(call, at) => closure_name(&RExpr::FnCall(call.clone(), *at)),
            _ => None,
        }),
        _ => None,
    }
}

/// The one type that all of them have, or the first and the one that it does not go with.
fn common(parts: &[Expr]) -> Result<Ty, (&Expr, &Expr)> {
    let mut ty = Ty::Unknown;
    for p in parts {
        match ty.join(&p.ty) {
            Some(t) => ty = t,
            None => return Err((parts.first().unwrap_or(p), p)),
        }
    }
    Ok(ty)
}

/// The place from the first to the last of some expressions.
fn cover(all: &[Expr]) -> Option<Span> {
    all.iter().map(|e| e.span).reduce(Span::to)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

fn syntax_help(word: &str, message: &str) -> Option<String> {
    if message.contains(" index") {
        return Some("a position is a number, as in `users[0]`".into());
    }
    if STATEMENTS.contains(&word) {
        return Some(format!("an expression says what is so, without `{word}`: name parts of it in `bind:` or `conditions:`"));
    }
    if RESERVED.contains(&word) {
        return Some(format!("`{word}` is a word that Rhai keeps for itself"));
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['s', 'm', 'h', 'd', 'w']) {
        return Some(format!("durations are texts: \"{word}\""));
    }
    match word {
        "=" => Some("`==` compares".into()),
        "and" => Some("write `&&`".into()),
        "or" => Some("write `||`".into()),
        "not" => Some("write `!` in place of `not`".into()),
        _ if word.starts_with('\'') => Some("texts stand between double quotes".into()),
        _ if message.contains("xpecting") => {
            Some("every `(`, `[`, `{` and `\"` wants its partner, and things that follow one another a comma".into())
        }
        _ => None,
    }
}
