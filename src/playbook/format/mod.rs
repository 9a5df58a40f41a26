//! Playbook files in one canonical form: order of keys, indentation, empty lines, spacing. Comments stay with what they
//! speak of, texts stay as they are. What was written is read again, and handed out only if it says the same.

mod tree;
mod write;

use super::holds::{Holds, Key};
use super::keys;
use super::yaml::{self, Node, Yaml};
use crate::diag::{Diagnostic, Severity, codes};
use crate::source::{FileId, SourceFile, Sources, Span};
use tree::Unsure;
pub(super) use tree::dash;

/// Why a file is left as it is.
#[derive(Debug)]
pub struct Refused {
    /// The file, under the id 0.
    pub sources: Sources,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// The canonical form of a file. Formatting it again changes nothing.
///
/// # Errors
/// What is no YAML, what is no playbook file, and what cannot be laid out anew without doubt (aliases, directives, keys on
/// several lines), with the reason.
pub fn format(path: &str, text: &str) -> Result<String, Box<Refused>> {
    let plain = normal(text);
    let mut sources = Sources::default();
    let id = sources.add(path, &plain);
    let mut out = Vec::new();
    let tree = sources.get(id).and_then(|f| yaml::parse(id, f, &mut out));
    let Some(before) = tree else {
        if out.is_empty() {
            // Nothing but comments: nothing to lay out.
            return Ok(plain);
        }
        return Err(Box::new(Refused { sources, diagnostics: out }));
    };
    settled(&before, &plain, path).map_err(|unsure| {
        let d = Diagnostic::new(codes::FORMAT, Severity::Warning, format!("the file is left as it is: {}", unsure.0)).at(Span::top(id), "");
        Box::new(Refused { sources, diagnostics: vec![d] })
    })
}

/// Without a mark at the start, lines that end in one way, and the last one ended.
fn normal(text: &str) -> String {
    let mut plain = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    if !plain.is_empty() && !plain.ends_with('\n') {
        plain.push('\n');
    }
    plain
}

/// Writes until nothing changes any more, and proves what was written.
fn settled(before: &Node, text: &str, path: &str) -> Result<String, Unsure> {
    if text.contains('\r') {
        return Err(Unsure("it has line ends that are neither LF nor CRLF"));
    }
    let known = shape(before).ok_or(Unsure("its first key does not say what it is"))?;
    let first = tree::read(text)?;
    let mut made = write::write(&first)?;
    for _ in 0..3 {
        let again = tree::read(&made).map_err(|_| Unsure("what would be written cannot be read"))?;
        if again.comments != first.comments {
            return Err(Unsure("a comment would be lost"));
        }
        let next = write::write(&again)?;
        if next == made {
            let after = reread(path, &made).ok_or(Unsure("what would be written cannot be read"))?;
            return if same(before, &after, Some(Holds::Map(known))) { Ok(made) } else { Err(Unsure("what would be written says something else")) };
        }
        made = next;
    }
    Err(Unsure("its layout does not settle"))
}

fn reread(path: &str, text: &str) -> Option<Node> {
    yaml::parse(FileId(0), &SourceFile::new(path, text), &mut Vec::new())
}

/// What the table of keys says of a file, as far as order goes.
fn shape(tree: &Node) -> Option<&'static [Key]> {
    tree.entries().first().and_then(|(k, _)| k.scalar()).and_then(|k| keys::file(&k.text)).map(|f| f.keys)
}

/// Whether two trees hold the same: the same texts, written as plain, quoted or block, in the same order, but for the
/// order of known keys.
fn same(a: &Node, b: &Node, holds: Option<Holds>) -> bool {
    match (&a.yaml, &b.yaml) {
        (Yaml::Scalar(x, how), Yaml::Scalar(y, now)) => x.text == y.text && how == now && a.odd.is_some() == b.odd.is_some(),
        (Yaml::List(x), Yaml::List(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y, holds.and_then(|h| h.item()))),
        (Yaml::Map(x), Yaml::Map(y)) => {
            let below = |k: &Node| k.scalar().and_then(|s| holds.and_then(|h| h.below(&s.text)));
            let any_order = holds.and_then(|h| h.keys()).is_some();
            let pair = |(k, v): &(Node, Node), (l, w): &(Node, Node)| same(k, l, None) && same(v, w, below(k));
            x.len() == y.len() && if any_order { x.iter().all(|e| y.iter().any(|f| pair(e, f))) } else { x.iter().zip(y).all(|(e, f)| pair(e, f)) }
        }
        _ => false,
    }
}
