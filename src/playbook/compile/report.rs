//! What is told of a set: the diagnostics by place, and the files that do not load.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Severity, codes};
use crate::playbook::limits;
use crate::playbook::set::PlaybookSet;
use crate::source::{FileId, Span};

/// Sorts and bounds the diagnostics, and names the files that do not load, each with its first error.
pub(super) fn finish(set: &mut PlaybookSet) {
    crate::diag::sort_in(&mut set.diagnostics, &set.sources);
    cap(set);
    let mut last = None;
    for d in set.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        let Some(span) = d.labels.first().map(|l| l.span) else { continue };
        // The diagnostics of a file stand together.
        if last.replace(span.file) == Some(span.file) {
            continue;
        }
        if let Some(file) = set.sources.get(span.file) {
            let (line, column) = file.line_column(span.start);
            set.skipped.push((file.path.to_string(), format!("{}:{line}:{column}: {}", d.code, d.message)));
        }
    }
}

/// Keeps a hundred diagnostics of each file and counts the rest.
fn cap(set: &mut PlaybookSet) {
    let mut count: BTreeMap<FileId, usize> = BTreeMap::new();
    set.diagnostics.retain(|d| {
        let Some(l) = d.labels.first() else { return true };
        let n = count.entry(l.span.file).or_default();
        *n = n.saturating_add(1);
        *n <= limits::FILE_DIAGNOSTICS
    });
    let mut over: Vec<(FileId, usize)> =
        count.into_iter().filter_map(|(file, n)| Some((file, n.checked_sub(limits::FILE_DIAGNOSTICS).filter(|n| *n > 0)?))).collect();
    over.sort_by_key(|(file, _)| set.sources.rank(*file));
    for (file, n) in over {
        let message = format!("{n} more in this file are not shown");
        set.diagnostics.push(Diagnostic::new(codes::LIMIT, Severity::Note, message).at(Span::top(file), ""));
    }
}
