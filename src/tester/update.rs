//! `--update`: what came, written into the expectations that failed. What stands around them stays as it is.

use super::report::{Case, Verdict};
use super::test::{Came, Failure, Got};
use crate::playbook::set::Playbook;
use crate::playbook::yaml::{self, Node, Yaml, whole};
use crate::source::{FileId, SourceFile, Sources, Span};

/// The changes of a playbook's file after which its tests expect what came; they do not overlap.
pub fn edits(sources: &Sources, playbook: &Playbook, cases: &[Case]) -> Vec<(Span, String)> {
    let id = playbook.span.file;
    let Some(file) = sources.get(id) else { return Vec::new() };
    let Some(tree) = yaml::parse(id, file, &mut Vec::new()) else { return Vec::new() };
    let nodes = tree.get("tests").map(Node::items).unwrap_or_default();
    let mut all = Vec::new();
    for case in cases.iter().filter(|c| c.verdict() == Verdict::Failed) {
        let node = nodes.iter().find(|n| n.get("name").is_some_and(|n| n.span == case.test.span));
        let Some((expect, got)) = node.and_then(|n| n.get("expect")).zip(case.outcome.got.as_ref()) else { continue };
        one(&Writer { file, id }, case, expect, got, &mut all);
    }
    all.sort();
    all
}

/// The changes of one test.
fn one(w: &Writer<'_>, case: &Case, expect: &Node, got: &Got, out: &mut Vec<(Span, String)>) {
    let failed: Vec<&Failure> = case.outcome.failures.iter().collect();
    let of = |key: &str| -> Vec<Span> {
        let of_key = failed.iter().filter(|f| f.key == key);
        of_key.filter_map(|f| f.diagnostic.labels.first()).map(|l| l.span).collect()
    };
    if !got.matched && expect.get("matched").is_some() && !of("matched").is_empty() {
        // Beside `matched: false` there is nothing else to expect.
        out.push((whole(w.file, expect), "{ matched: false }".to_owned()));
        return;
    }
    let mut scalar = |key: &str, text: String| {
        if let (false, Some(n)) = (of(key).is_empty(), expect.get(key)) {
            out.push((n.span, text));
        }
    };
    scalar("matched", got.matched.to_string());
    scalar("triage", plain(&got.triage));
    scalar("confidence", got.confidence.to_string());
    let x = &case.test.expect;
    for (key, wanted, fits) in [
        ("cards", &x.cards, (|_| true) as fn(&Came) -> bool),
        ("completed", &x.completed, |c| c.completed),
        ("unavailable", &x.unavailable, |c| !c.available),
    ] {
        let Some(n) = expect.get(key) else { continue };
        let gone = of(key);
        // A card that came for others in place of those that were expected.
        let mut new: Vec<String> = Vec::new();
        for wanted in wanted.iter().filter(|w| gone.contains(&w.span)) {
            let came = got.cards.iter().filter(|c| *c.card == *wanted.card && fits(c)).map(ToString::to_string);
            new.extend(came.filter(|c| !texts(n).contains(c)));
        }
        new.dedup();
        w.list(n, &gone, &new, out);
    }
    if let Some(n) = expect.get("only_cards") {
        let new: Vec<String> = failed.iter().filter_map(|f| f.came.clone()).collect();
        let gone: Vec<Span> = of("only_cards").into_iter().filter(|s| x.only_cards.as_ref().is_none_or(|o| o.span != *s)).collect();
        w.list(n, &gone, &new, out);
    }
    for key in ["no_cards", "hunts", "diagnostics"] {
        if let Some(n) = expect.get(key) {
            w.list(n, &of(key), &[], out);
        }
    }
    if let Some(n) = expect.get("failed") {
        let gone = of("failed");
        w.entries(n, &gone, out);
    }
}

/// The texts that a list holds already.
fn texts(n: &Node) -> Vec<String> {
    n.scalar().into_iter().chain(n.items().iter().filter_map(Node::scalar)).map(|s| s.text.to_string()).collect()
}

/// Writes changes of one file.
struct Writer<'w> {
    file: &'w SourceFile,
    id: FileId,
}

impl Writer<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    fn is_flow(&self, n: &Node) -> bool {
        self.file.text.get(n.span.start as usize..).is_some_and(|t| t.starts_with(['[', '{']))
    }

    /// Takes some items out of a list and puts others in.
    fn list(&self, n: &Node, gone: &[Span], new: &[String], out: &mut Vec<(Span, String)>) {
        if gone.is_empty() && new.is_empty() {
            return;
        }
        let new: Vec<String> = new.iter().map(|t| plain(t)).collect();
        let items = match &n.yaml {
            Yaml::List(items) if !items.is_empty() => items,
            // One text alone, or nothing.
            _ => {
                let kept = n.scalar().filter(|_| gone.is_empty()).map(|s| plain(&s.text));
                let all: Vec<String> = kept.into_iter().chain(new).collect();
                out.push((whole(self.file, n), format!("[{}]", all.join(", "))));
                return;
            }
        };
        let spans: Vec<Span> = items.iter().map(|i| whole(self.file, i)).collect();
        let lost: Vec<bool> = spans.iter().map(|s| gone.contains(s)).collect();
        if new.is_empty() {
            return self.cut(n, &spans, &lost, "[]", out);
        }
        let separator = if self.is_flow(n) { ", ".to_owned() } else { format!("\n{}- ", " ".repeat(self.column(n.span.start as usize))) };
        // The new ones stand in the place of the first that is gone, or at the end.
        let Some(first) = lost.iter().position(|l| *l) else {
            let Some(last) = spans.last() else { return };
            let end = self.span(last.end as usize, last.end as usize);
            out.push((end, format!("{separator}{}", new.join(&separator))));
            return;
        };
        let Some(at) = spans.get(first) else { return };
        out.push((*at, new.join(&separator)));
        let rest: Vec<bool> = lost.iter().enumerate().map(|(n, l)| *l && n != first).collect();
        if rest.contains(&true) {
            self.cut(n, &spans, &rest, "[]", out);
        }
    }

    /// Takes entries out of `failed:`: a card that is there, a clause that does not fail.
    fn entries(&self, n: &Node, gone: &[Span], out: &mut Vec<(Span, String)>) {
        let entries = n.entries();
        let spans: Vec<Span> = entries.iter().map(|(k, v)| k.span.to(whole(self.file, v))).collect();
        let lost: Vec<bool> = entries.iter().map(|(k, _)| gone.contains(&k.span)).collect();
        for ((_, v), lost) in entries.iter().zip(&lost) {
            let inner: Vec<Span> = gone.iter().copied().filter(|g| v.span.start <= g.start && g.end <= whole(self.file, v).end).collect();
            if !lost && !inner.is_empty() {
                self.list(v, &inner, &[], out);
            }
        }
        if lost.contains(&true) {
            self.cut(n, &spans, &lost, "{}", out);
        }
    }

    /// Takes parts of a list or map out, with what stands between them; `empty` is written where nothing is left.
    fn cut(&self, n: &Node, spans: &[Span], lost: &[bool], empty: &str, out: &mut Vec<(Span, String)>) {
        if lost.iter().all(|l| *l) {
            out.push((whole(self.file, n), empty.to_owned()));
            return;
        }
        for (i, (span, _)) in spans.iter().zip(lost).enumerate().filter(|(_, (_, lost))| **lost) {
            if !self.is_flow(n) {
                out.push((self.lines(*span), String::new()));
                continue;
            }
            // Up to the next one, or back to the last that stays.
            let stays = |k: &usize| lost.get(*k) == Some(&false);
            match spans.get(i.saturating_add(1)) {
                Some(next) if (i..spans.len()).any(|k| stays(&k)) => out.push((self.span(span.start as usize, next.start as usize), String::new())),
                _ => {
                    let before = (0..i).rev().find(stays).and_then(|k| spans.get(k));
                    let (Some(before), true) = (before, i == 0 || lost.get(i.saturating_sub(1)) == Some(&false)) else { continue };
                    let last = spans.last().map_or(span.end, |s| s.end);
                    out.push((self.span(before.end as usize, last as usize), String::new()));
                }
            }
        }
    }

    /// The whole lines of an item of a block, with its dash.
    fn lines(&self, span: Span) -> Span {
        let start = self.file.text.get(..span.start as usize).and_then(|t| t.rfind('\n')).map_or(0, |n| n.saturating_add(1));
        let end = span.end as usize;
        let end = self.file.text.get(end..).and_then(|t| t.find('\n')).map_or(self.file.text.len(), |n| end.saturating_add(n).saturating_add(1));
        self.span(start, end)
    }

    /// How far a byte is from the beginning of its line.
    fn column(&self, byte: usize) -> usize {
        let start = self.file.text.get(..byte).and_then(|t| t.rfind('\n')).map_or(0, |n| n.saturating_add(1));
        self.file.text.get(start..byte).map_or(0, |t| t.chars().count())
    }
}

/// A text as YAML takes it everywhere: plain where that is safe, in quotes otherwise.
fn plain(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '@' | ':' | '/' | '\\' | '=' | '+' | ';' | '~');
    let sound = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(safe) && !text.contains(": ") && !text.ends_with([':', ' ']);
    if sound { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

/// A text with changes made in it; `None` where two of them overlap.
pub fn applied(text: &str, edits: &[(Span, String)]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0usize;
    for (span, new) in edits {
        out.push_str(text.get(at..span.start as usize)?);
        out.push_str(new);
        at = span.end as usize;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}
