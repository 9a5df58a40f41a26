//! Diagnostics for people, drawn as rustc does.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::source::{SourceFile, Sources};

/// Draws the diagnostics one after another; `colour` adds terminal colours.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for d in diagnostics {
        let level = match d.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let message = visible(&d.message);
        let mut group = Group::with_title(level.primary_title(message.as_str()).id(d.code));
        let labels: Vec<(usize, &SourceFile, std::ops::Range<usize>, String)> = d
            .labels
            .iter()
            .enumerate()
            .filter_map(|(n, l)| {
                sources.get(l.span.file).map(|f| (n, f, clamp(&f.text, l.span.start as usize, l.span.end as usize), visible(&l.text)))
            })
            .collect();
        // The labels of one file are drawn in one piece.
        let mut files: Vec<&SourceFile> = Vec::new();
        for (_, file, _, _) in &labels {
            if !files.iter().any(|f| std::ptr::eq(*f, *file)) {
                files.push(file);
            }
        }
        for file in files {
            let mut snippet = Snippet::source(&*file.text).path(one_line(&file.path));
            for (n, _, range, text) in labels.iter().filter(|(_, f, _, _)| std::ptr::eq(*f, file)) {
                let kind = if *n == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let annotation = kind.span(range.clone());
                snippet = snippet.annotation(if text.is_empty() { annotation } else { annotation.label(text.as_str()) });
            }
            group = group.element(snippet);
        }
        let path = d.path.as_deref().map(|p| format!("at {}", visible(p)));
        if let Some(path) = &path {
            group = group.element(Level::NOTE.message(path.as_str()));
        }
        // What to do is told once: above the change where there is one, else as a remark.
        let help = d.help.as_deref().or(d.fix.as_ref().map(|f| f.title.as_str())).map(visible);
        let source = d.fix.as_ref().and_then(|f| f.edits.first()).and_then(|(s, _)| sources.get(s.file));
        let mut groups = match (&help, &d.fix, source) {
            (Some(help), Some(fix), Some(source)) => {
                let mut snippet = Snippet::source(&*source.text).path(&*source.path);
                for (span, new) in &fix.edits {
                    snippet = snippet.patch(Patch::new(clamp(&source.text, span.start as usize, span.end as usize), new.as_str()));
                }
                vec![group, Level::HELP.secondary_title(help.as_str()).element(snippet)]
            }
            (Some(help), ..) => vec![group.element(Level::HELP.message(help.as_str()))],
            _ => vec![group],
        };
        groups.retain(|g| !g.is_empty());
        out.push_str(&renderer.render(&groups));
        out.push_str("\n\n");
    }
    out
}

/// `1 test`, `2 tests`.
pub fn counted(n: impl std::fmt::Display, what: &str) -> String {
    let n = n.to_string();
    let s = if n == "1" { "" } else { "s" };
    format!("{n} {what}{s}")
}

/// Text of a user or incident with control characters made visible, so that it cannot steer a terminal.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            '\t' => out.push(' '),
            c if hidden(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// The same on one line: for paths, which would else begin a line of their own in a terminal or a build log.
pub fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// Characters that a reader cannot see or that reorder what they see: controls, zero-width, bidirectional marks.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A range inside the text, on character boundaries.
fn clamp(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let snap = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    };
    let start = snap(start);
    start..snap(end).max(start)
}
