//! Rhai's parser and what is needed to read its tree: closures, places, the patterns of a `switch`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rhai::{AST, ASTNode, Engine, OptimizationLevel, Position, Stmt};

use super::limits;
use super::value::Value;

/// A closure: its parameters, captured names first, and its body.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Captured names, then its own.
    pub params: Vec<String>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A parsed expression.
pub struct Tree {
    /// The statement that holds it.
    pub root: Option<Stmt>,
    /// The closures in it, by the name that Rhai gave them.
    pub closures: HashMap<String, Arc<Closure>>,
}

/// A text that does not parse: what is wrong, and the byte.
#[derive(Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub at: usize,
}

/// The one engine, of which the parser alone is used.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine.set_optimization_level(OptimizationLevel::None);
        engine.set_max_expr_depths(limits::DEPTH.0, limits::DEPTH.1);
        engine.set_max_string_size(limits::SOURCE_BYTES);
        engine
    })
}

/// Parses one expression.
pub fn parse(text: &str) -> Result<Tree, SyntaxError> {
    if text.len() > limits::SOURCE_BYTES {
        return Err(SyntaxError { message: format!("the expression is longer than {} bytes", limits::SOURCE_BYTES), at: 0 });
    }
    let ast = engine().compile_expression(text).map_err(|e| {
        let message = e.err_type().to_string();
        SyntaxError { message, at: byte_of(text, e.position()) }
    })?;
    let one = ast.iter_functions().nth(1).is_none();
    let closures = ast
        .iter_functions()
        .map(|f| {
            let body = if one {
                statements(&ast, ast.statements().len())
            } else {
                // `clone_functions_only_filtered` of this version keeps them all.
                let mut only = ast.clone_functions_only();
                only.retain_functions(|_, _, name, _| name == f.name);
                statements(&only, 0)
            };
            (f.name.to_owned(), Arc::new(Closure { params: f.params.iter().map(|p| (*p).to_owned()).collect(), body }))
        })
        .collect();
    Ok(Tree { root: ast.statements().first().cloned(), closures })
}

/// The outermost statements of a tree, those of its closures last, without the first few.
fn statements(ast: &AST, without: usize) -> Vec<Stmt> {
    let mut all = Vec::new();
    let mut left = without;
    ast.walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(s)] = path {
            match left.checked_sub(1) {
                Some(less) => left = less,
                None => all.push((*s).clone()),
            }
        }
        true
    });
    all
}

/// The byte of a position; the end of the text where Rhai gives none.
pub fn byte_of(text: &str, at: Position) -> usize {
    let Some(line) = at.line() else { return text.len() };
    let start = match line {
        0 | 1 => 0,
        n => text.match_indices('\n').nth(n.saturating_sub(2)).map_or(text.len(), |(at, _)| at.saturating_add(1)),
    };
    let column = at.position().unwrap_or(1).saturating_sub(1);
    text.get(start..).and_then(|rest| rest.char_indices().nth(column)).map_or(text.len(), |(n, _)| start.saturating_add(n))
}

/// The end of the word, number, text or sign that begins at a byte.
pub fn token_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or("");
    let mut chars = rest.char_indices();
    let Some((_, first)) = chars.next() else { return text.len() };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let len = if word(first) {
        let whole = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        // A fraction belongs to its number; two dots are a range.
        let fraction =
            rest.get(whole..).and_then(|r| r.strip_prefix('.')).filter(|r| first.is_ascii_digit() && r.starts_with(|c: char| c.is_ascii_digit()));
        fraction.map_or(whole, |r| whole.saturating_add(1).saturating_add(r.find(|c: char| !word(c)).unwrap_or(r.len())))
    } else if first == '`' {
        backtick_end(rest)
    } else if matches!(first, '"' | '`' | '\'') {
        let mut escaped = false;
        chars
            .find(|(_, c)| {
                let end = *c == first && !escaped;
                escaped = *c == '\\' && !escaped;
                end
            })
            .map_or(rest.len(), |(n, c)| n.saturating_add(c.len_utf8()))
    } else {
        let two = rest.get(..2).unwrap_or("");
        if matches!(two, "==" | "!=" | "<=" | ">=" | "&&" | "||" | "??" | "?." | "..") { 2 } else { first.len_utf8() }
    };
    start.saturating_add(len)
}

/// The end of the text between backticks with which `rest` begins; an expression in `${…}` may hold such texts itself.
fn backtick_end(rest: &str) -> usize {
    let mut at = 1usize;
    loop {
        let Some(tail) = rest.get(at..) else { return rest.len() };
        let Some(n) = tail.find(['`', '$']) else { return rest.len() };
        at = at.saturating_add(n);
        if tail.get(n..).is_some_and(|t| t.starts_with('`')) {
            at = at.saturating_add(1);
            // A doubled backtick stands for one.
            if rest.get(at..).is_some_and(|t| t.starts_with('`')) {
                at = at.saturating_add(1);
                continue;
            }
            return at;
        }
        at = at.saturating_add(1);
        if rest.get(at..).is_some_and(|t| t.starts_with('{')) {
            at = interpolation_end(rest, at);
        }
    }
}

/// The expressions that a text between backticks holds.
pub fn held(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut at = 0usize;
    while let Some(n) = text.get(at..).and_then(|t| t.find("${")) {
        let open = at.saturating_add(n).saturating_add(1);
        at = interpolation_end(text, open);
        all.extend(text.get(open.saturating_add(1)..at.saturating_sub(1)));
    }
    all
}

/// One past the `}` that closes the `{` at a byte.
fn interpolation_end(text: &str, start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while let Some(from) = skip_blanks(text, at) {
        at = token_end(text, from);
        match text.get(from..at) {
            Some("{") => depth = depth.saturating_add(1),
            Some("}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The first byte from `at` on that is neither blank nor in a remark (`//…` or `/*…*/`, which nests).
pub fn skip_blanks(text: &str, at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let rest = text.get(at..)?;
        at = at.saturating_add(rest.find(|c: char| !c.is_whitespace())?);
        let rest = text.get(at..)?;
        if rest.starts_with("//") {
            at = at.saturating_add(rest.find('\n')?);
        } else if rest.starts_with("/*") {
            let (mut depth, mut inner) = (0usize, rest);
            loop {
                let step = if inner.starts_with("/*") {
                    depth = depth.saturating_add(1);
                    2
                } else if inner.starts_with("*/") {
                    depth = depth.saturating_sub(1);
                    2
                } else {
                    inner.chars().next()?.len_utf8()
                };
                inner = inner.get(step..)?;
                if depth == 0 {
                    break;
                }
            }
            at = text.len().saturating_sub(inner.len());
        } else {
            return Some(at);
        }
    }
}

/// An arm of a `switch` as it is written, since Rhai's tree keeps hashes of the patterns only.
#[derive(Debug)]
pub struct ArmText {
    /// The patterns; `None` for `_`.
    pub values: Option<Vec<Value>>,
    /// Where the arm begins.
    pub at: usize,
}

/// Reads the patterns of the `switch` that begins at a byte. An error is the byte of a pattern that is no constant.
pub fn switch_arms(text: &str, start: usize) -> Result<Vec<ArmText>, usize> {
    let mut scan = Scanner { text, at: token_end(text, start) };
    scan.skip_to_block().ok_or(start)?;
    let mut arms = Vec::new();
    loop {
        let Some((at, mut word)) = scan.next() else { return Err(start) };
        if word == "}" {
            return Ok(arms);
        }
        let mut values = Some(Vec::new());
        let mut position = at;
        loop {
            match (word, &mut values) {
                ("_", v) => *v = None,
                (w, Some(all)) => all.push(scan.pattern(w).ok_or(position)?),
                _ => {}
            }
            let Some((n, next)) = scan.next() else { return Err(start) };
            if next != "|" {
                scan.at = n;
                break;
            }
            let Some((n, w)) = scan.next() else { return Err(start) };
            (position, word) = (n, w);
        }
        arms.push(ArmText { values, at });
        scan.skip_arm().ok_or(start)?;
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let start = skip_blanks(self.text, self.at)?;
        let end = token_end(self.text, start);
        self.at = end;
        Some((start, self.text.get(start..end)?))
    }

    /// A constant, a negative number or a range of numbers.
    fn pattern(&mut self, word: &str) -> Option<Value> {
        let number = |s: &mut Self, w: &str| -> Option<i64> {
            match w {
                "-" => s.next().and_then(|(_, w)| w.replace('_', "").parse::<i64>().ok()).and_then(i64::checked_neg),
                w => w.replace('_', "").parse().ok(),
            }
        };
        if let Some(from) = number(self, word) {
            let back = self.at;
            if let Some((_, "..")) = self.next() {
                let (_, mut next) = self.next()?;
                let closed = next == "=";
                if closed {
                    next = self.next()?.1;
                }
                return Some(Value::Range(from, number(self, next)?, closed));
            }
            self.at = back;
            return Some(Value::Int(from));
        }
        match word {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            w if w.starts_with('"') => Some(constant_text(w)?.into()),
            _ => None,
        }
    }

    fn skip_to_block(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.next()?.1 {
                "{" if depth == 0 => return Some(()),
                "(" | "[" | "{" => depth = depth.saturating_add(1),
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// To the pattern of the next arm, or the end of the block, which is left to be read.
    fn skip_arm(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            let (at, word) = self.next()?;
            match word {
                "(" | "[" | "{" => depth = depth.saturating_add(1),
                "}" if depth == 0 => {
                    self.at = at;
                    return Some(());
                }
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                "," if depth == 0 => return Some(()),
                _ => {}
            }
        }
    }
}

/// What a text between double quotes stands for.
fn constant_text(literal: &str) -> Option<String> {
    let tree = parse(literal).ok()?;
    match tree.root? {
        Stmt::Expr(e) => match *e {
            rhai::Expr::StringConstant(s, _) => Some(s.to_string()),
            _ => None,
        },
        _ => None,
    }
}
