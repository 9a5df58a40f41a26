//! Writes a file in the canonical form.

use std::collections::BTreeSet;

use granit_parser::ScalarStyle;

use super::super::holds::Holds;
use super::super::keys;
use super::tree::{Body, Child, Group, Node, Note, Tree, Unsure};

/// Columns of a line, beyond which `{…}` and `[…]` are written one below the other.
pub(super) const WIDTH: usize = 120;
/// Blanks of a level.
const STEP: usize = 2;

/// The canonical form of a file.
pub(super) fn write(tree: &Tree<'_>) -> Result<String, Unsure> {
    let Body::Block(root) = &tree.root.body else { return Err(Unsure("it is no map")) };
    let mut w = Writer { tree, out: String::new(), kept: false };
    for note in tree.prologue.iter().flatten() {
        w.blank(note.blank);
        w.note(note, 0);
    }
    if tree.prologue.is_some() {
        w.out.push_str("---\n");
    }
    let first = root.children.first().and_then(|c| c.key.as_ref()).and_then(Node::text);
    w.group(root, 0, first.and_then(keys::file).map(|f| Holds::Map(f.keys)), false)?;
    Ok(w.out)
}

/// What the table of keys says of a value.
type Shape = Option<Holds>;

/// What stands below a key, or in an item.
fn below(shape: Shape, key: Option<&str>) -> Shape {
    match key {
        Some(key) => shape?.below(key),
        None => shape?.item(),
    }
}

/// A part of a file with things in it, which stands apart from the others.
fn section(shape: Shape) -> bool {
    matches!(shape, Some(Holds::Map(_) | Holds::MapOf(..) | Holds::ListOf(_)))
}

struct Writer<'t> {
    tree: &'t Tree<'t>,
    out: String,
    /// What was written last ends in empty lines that belong to it.
    kept: bool,
}

impl Writer<'_> {
    fn raw(&self, node: &Node) -> &str {
        self.tree.text.get(node.start..node.end).unwrap_or("")
    }

    fn indent(&mut self, n: usize) {
        self.out.extend(std::iter::repeat_n(' ', n));
    }

    /// An empty line, unless there is one or nothing is above.
    fn blank(&mut self, wanted: bool) {
        if wanted && !self.kept && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.kept = false;
    }

    /// A comment on a line of its own.
    fn note(&mut self, note: &Note, indent: usize) {
        self.indent(indent);
        self.out.push_str(&note.text);
        self.out.push('\n');
    }

    /// Ends a line, with the comment that stands behind it.
    fn end(&mut self, note: Option<&Note>) {
        if let Some(note) = note {
            self.indent(note.gap.max(1));
            self.out.push_str(&note.text);
        }
        self.out.push('\n');
    }

    /// How long the line is that is being written.
    fn used(&self) -> usize {
        self.out.rsplit('\n').next().unwrap_or("").chars().count()
    }

    /// Entries or items, one below the other; `inline`: the first one goes on with the line.
    fn group(&mut self, group: &Group, indent: usize, shape: Shape, inline: bool) -> Result<(), Unsure> {
        let whole = indent == 0 && shape.is_some();
        let mut before: Option<Shape> = None;
        for child in ordered(&group.children, shape) {
            let key = child.key.as_ref().and_then(Node::text);
            let below = below(shape, key);
            if !(inline && before.is_none()) {
                let apart = whole && before.is_some_and(|b| section(b) || section(below));
                self.above(child, indent, below, before.is_some(), apart);
                self.indent(indent);
            }
            if let Some(key) = &child.key {
                let raw = self.raw(key).to_owned();
                if raw.contains('\n') || raw.is_empty() {
                    return Err(Unsure("a key stands on several lines"));
                }
                self.out.push_str(&raw);
                self.out.push(':');
            } else {
                self.out.push('-');
            }
            self.value(child, indent, below)?;
            before = Some(below);
        }
        for note in &group.foot {
            self.blank(note.blank);
            self.note(note, indent);
        }
        Ok(())
    }

    /// The comments above something, and the empty lines between them.
    fn above(&mut self, child: &Child, indent: usize, shape: Shape, follows: bool, apart: bool) {
        let blank = child.lead.first().map_or(child.blank, |n| n.blank);
        self.blank(apart || follows && blank);
        for (n, note) in child.lead.iter().enumerate() {
            self.blank(n > 0 && note.blank);
            self.note(note, indent);
        }
        self.blank(child.blank && !child.lead.is_empty());
        for note in hoisted(child, shape) {
            self.note(note, indent);
        }
    }

    /// What stands behind a key or dash, to the end of its last line.
    fn value(&mut self, child: &Child, indent: usize, shape: Shape) -> Result<(), Unsure> {
        let (value, inner) = (&child.value, indent.saturating_add(STEP));
        match &value.body {
            Body::Null => {
                self.end(child.tail.as_ref());
                for note in &child.inner {
                    self.blank(note.blank);
                    self.note(note, inner);
                }
                Ok(())
            }
            Body::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, said) => self.block_scalar(child, said, indent),
            Body::Scalar(..) => self.scalar(child, inner, shape),
            Body::Block(group) => self.below(child, group, inner, shape),
            Body::Flow(group, noted) => {
                if !noted && let Some(flat) = flat(self.tree, value, shape) {
                    let room = WIDTH.saturating_sub(self.used()).saturating_sub(1);
                    if flat.chars().count() <= room || group.children.is_empty() {
                        self.out.push(' ');
                        self.out.push_str(&flat);
                        return self.ended(child);
                    }
                }
                let single = !self.raw(value).contains('\n');
                let remarked = child.key.is_none() && child.tail.is_some();
                if *noted || remarked || single && flat(self.tree, value, shape).is_none() {
                    self.as_it_is(child, indent);
                    return self.ended(child);
                }
                self.below(child, group, inner, shape)
            }
        }
    }

    /// Ends the line of a value; a comment behind the key goes there too.
    fn ended(&mut self, child: &Child) -> Result<(), Unsure> {
        match (&child.head, &child.tail) {
            (Some(_), Some(_)) => Err(Unsure("two comments stand behind one thing")),
            (head, tail) => {
                self.end(head.as_ref().or(tail.as_ref()));
                Ok(())
            }
        }
    }

    /// A group below its key, or going on behind its dash.
    fn below(&mut self, child: &Child, group: &Group, indent: usize, shape: Shape) -> Result<(), Unsure> {
        let inline = child.key.is_none();
        if inline {
            self.out.push(' ');
        } else {
            self.ended(child)?;
        }
        self.group(group, indent, shape, inline)
    }

    /// Text without or in quotes.
    fn scalar(&mut self, child: &Child, indent: usize, shape: Shape) -> Result<(), Unsure> {
        let text = quoted(self.tree, &child.value, shape);
        let lines: Vec<&str> = text.split('\n').collect();
        let same_line = child.key.as_ref().is_none_or(|k| self.tree.text.get(k.end..child.value.start).is_some_and(|t| !t.contains('\n')));
        let fits = self.used().saturating_add(text.chars().count()) < WIDTH;
        if same_line || lines.len() == 1 && fits {
            self.out.push(' ');
        } else {
            self.end(child.head.as_ref());
            self.indent(indent);
        }
        for (n, line) in lines.iter().enumerate() {
            let line = if n == 0 { line } else { line.trim_start() };
            let last = n.saturating_add(1) == lines.len();
            let line = if last || line.trim_end().ends_with('\\') { line } else { line.trim_end() };
            if n > 0 && !line.is_empty() {
                self.indent(indent);
            }
            self.out.push_str(line);
            if !last {
                self.out.push('\n');
            }
        }
        match (same_line || lines.len() == 1 && fits, &child.head) {
            (true, Some(_)) => self.ended(child)?,
            _ => self.end(child.tail.as_ref()),
        }
        Ok(())
    }

    /// `|` or `>`: the lines as they are, from the new column.
    fn block_scalar(&mut self, child: &Child, said: &str, indent: usize) -> Result<(), Unsure> {
        let odd = Unsure("a block of text begins in an unusual way");
        let from = child.key.as_ref().map_or(child.start, |k| k.end).saturating_add(1);
        let between = self.tree.text.get(from..child.value.start).ok_or(odd)?;
        let mark = between.find(['|', '>']).ok_or(odd)?;
        if between.get(..mark).is_some_and(|t| t.contains('#')) {
            return Err(odd);
        }
        let after = between.get(mark..).ok_or(odd)?;
        let header = after.split_whitespace().next().ok_or(odd)?;
        let begin = from.saturating_add(mark).saturating_add(self.line_length(from.saturating_add(mark)));
        let body = self.tree.text.get(begin..child.value.end.max(begin)).unwrap_or("").strip_prefix('\n').unwrap_or("");
        let digit = header.chars().find_map(|c| c.to_digit(10)).map(|d| d as usize);
        let old = match digit {
            Some(d) => self.tree.column(child.start).saturating_add(d),
            None => body.lines().find(|l| !l.trim().is_empty()).map_or(0, |l| l.len().saturating_sub(l.trim_start_matches(' ').len())),
        };
        let new = indent.saturating_add(digit.unwrap_or(STEP));
        let header = header.to_owned();
        let keep = header.contains('+');
        let mut lines: Vec<String> = body.lines().map(|l| l.get(old..).unwrap_or("").to_owned()).collect();
        // The text ends where the next token begins: what stands on that line is not part of it.
        if !body.ends_with('\n') && lines.last().is_some_and(|l| l.trim().is_empty()) {
            lines.pop();
        }
        if !keep {
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
        }
        if said.is_empty() && !keep {
            lines.clear();
        }
        self.out.push(' ');
        self.out.push_str(&header);
        self.end(child.head.as_ref());
        for line in &lines {
            if !line.is_empty() {
                self.indent(new);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
        self.kept = keep;
        Ok(())
    }

    fn line_length(&self, at: usize) -> usize {
        self.tree.text.get(at..).and_then(|t| t.find('\n')).unwrap_or(0)
    }

    /// `{…}` or `[…]` with comments inside: each line as it is, moved as far as its entry was moved.
    fn as_it_is(&mut self, child: &Child, indent: usize) {
        let old = self.tree.column(child.start);
        let raw = self.raw(&child.value).to_owned();
        self.out.push(' ');
        for (n, line) in raw.split('\n').enumerate() {
            if n > 0 {
                self.out.push('\n');
                let trimmed = line.trim();
                if !trimmed.is_empty() {
                    let had = line.len().saturating_sub(line.trim_start().len());
                    self.indent(had.saturating_add(indent).saturating_sub(old));
                    self.out.push_str(trimmed);
                }
            } else {
                self.out.push_str(line.trim_end());
            }
        }
    }
}

/// Comments of the first key of an item, which goes on behind the dash: they stand above the dash.
fn hoisted(child: &Child, shape: Shape) -> Vec<&Note> {
    let (None, Body::Block(group)) = (&child.key, &child.value.body) else { return Vec::new() };
    let Some(first) = ordered(&group.children, shape).first().copied() else { return Vec::new() };
    first.lead.iter().chain(hoisted(first, below(shape, None))).collect()
}

/// The children in the order of the table; as they are, where a key is unknown or stands twice.
fn ordered(children: &[Child], shape: Shape) -> Vec<&Child> {
    let mut all: Vec<&Child> = children.iter().collect();
    let Some(keys) = shape.and_then(Holds::keys) else { return all };
    let place = |c: &Child| {
        let name = c.key.as_ref()?.text()?;
        keys.iter().position(|k| k.name == name)
    };
    let places: Option<BTreeSet<usize>> = children.iter().map(place).collect();
    if places.is_some_and(|p| p.len() == children.len()) {
        all.sort_by_key(|c| place(c));
    }
    all
}

/// A scalar's text: expressions in double quotes get single ones where that needs no escape.
fn quoted(tree: &Tree<'_>, node: &Node, shape: Shape) -> String {
    let raw = tree.text.get(node.start..node.end).unwrap_or("");
    match &node.body {
        Body::Scalar(ScalarStyle::DoubleQuoted, said)
            if matches!(shape, Some(Holds::Expression | Holds::Test | Holds::Target))
                && !raw.contains('\n')
                && !said.contains(|c: char| c == '\'' || c.is_control() || crate::diag::human::hidden(c)) =>
        {
            format!("'{said}'")
        }
        _ => raw.to_owned(),
    }
}

/// A value on one line, if it can be.
fn flat(tree: &Tree<'_>, node: &Node, shape: Shape) -> Option<String> {
    match &node.body {
        Body::Null | Body::Block(_) | Body::Flow(_, true) => None,
        Body::Scalar(..) => Some(quoted(tree, node, shape)).filter(|t| !t.contains('\n')),
        Body::Flow(group, false) => {
            let mut parts = Vec::new();
            for child in ordered(&group.children, shape) {
                let key = child.key.as_ref().map(|k| flat(tree, k, None));
                let value = flat(tree, &child.value, below(shape, child.key.as_ref().and_then(Node::text)))?;
                parts.push(match key {
                    Some(key) => format!("{}: {value}", key?),
                    None => value,
                });
            }
            let inner = parts.join(", ");
            Some(match (group.list, inner.is_empty()) {
                (true, _) => format!("[{inner}]"),
                (false, true) => "{}".to_owned(),
                (false, false) => format!("{{ {inner} }}"),
            })
        }
    }
}
