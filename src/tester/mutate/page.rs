//! What mutation found, for people.

use std::collections::BTreeMap;

use super::{Fate, File, Mutant, Mutation, score};
use crate::source::Sources;
use crate::tester::coverage::Share;
use crate::tester::margin::{Line, draw, line_of};

/// The mutants of a file with what came of them.
pub(super) type Fates<'f> = Vec<(&'f Mutant, &'f Fate)>;

/// The files with their mutants.
pub(super) fn by_file<'f>(mutation: &'f Mutation<'_>, fates: &'f [Fate]) -> Vec<(&'f File, Fates<'f>)> {
    let mut all: Vec<(&File, Fates<'_>)> = mutation.files.iter().map(|f| (f, Vec::new())).collect();
    for (m, f) in mutation.mutants.iter().zip(fates) {
        if let Some((_, list)) = all.get_mut(m.file) {
            list.push((m, f));
        }
    }
    all
}

/// The shares of a file, or of all: changes of expressions, then entries of `match:`.
pub(super) fn shares<'f>(all: impl Iterator<Item = &'f (&'f Mutant, &'f Fate)> + Clone) -> (Share, Share) {
    let of = |matching: bool| score(all.clone().filter(|(m, _)| m.matching == matching).map(|(_, f)| *f));
    (of(false), of(true))
}

/// How many changes of expressions were noticed.
pub fn total(mutation: &Mutation<'_>, fates: &[Fate]) -> Share {
    score(mutation.mutants.iter().zip(fates).filter(|(m, _)| !m.matching).map(|(_, f)| f))
}

/// The words for a survivor: what was put in place of what.
fn shown(m: &Mutant, put: &str) -> String {
    let tidy = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
    match (m.matching, put.is_empty()) {
        (true, _) => format!("`{}` left out", tidy(&m.from)),
        (false, true) => format!("`{}` left out", tidy(&m.from)),
        // What is long is over the marks already.
        (false, false) if put.starts_with("!(") => "negated".to_owned(),
        (false, false) if m.from.len() > LONG => format!("\u{2192} `{}`", tidy(put)),
        (false, false) => format!("`{}` \u{2192} `{}`", tidy(&m.from), tidy(put)),
    }
}

/// From how many bytes on the text that stands there is not said again.
const LONG: usize = 24;
/// How many tests are named beside a survivor.
const NAMED: usize = 2;

/// The page.
pub fn human(mutation: &Mutation<'_>, fates: &[Fate], sources: &Sources, colour: bool) -> String {
    let files = by_file(mutation, fates);
    let name = |f: &File| if f.library { format!("library {}", f.name) } else { f.name.clone() };
    let width = files.iter().map(|(f, _)| name(f).chars().count()).max().unwrap_or(0);
    let mut out = String::from("\nchanges that the tests notice; entries of `match:` are told apart\n\n");
    let row = |name: &str, (own, matching): (Share, Share)| {
        let of_match = if matching.of == 0 { String::new() } else { format!("    match {} of {}", matching.seen, matching.of) };
        format!("  {name:width$}  {:>7}  {} of {}{of_match}\n", own.to_string(), own.seen, own.of)
    };
    for (file, all) in &files {
        out.push_str(&row(&name(file), shares(all.iter())));
    }
    let everything: Fates<'_> = files.iter().flat_map(|(_, all)| all.iter().copied()).collect();
    out.push_str(&row("all", shares(everything.iter())));
    for (file, all) in &files {
        let Some(source) = sources.get(file.id) else { continue };
        let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
        for (m, fate) in all {
            let Fate::Survived(put, asked) = fate else { continue };
            let who = match asked.split_at_checked(NAMED) {
                _ if m.matching => "no test needs it".to_owned(),
                None if asked.is_empty() => "no test asks it".to_owned(),
                None => format!("not noticed by {}", quoted(asked)),
                Some((first, [])) => format!("not noticed by {}", quoted(first)),
                Some((first, rest)) => format!("not noticed by {} and {} more", quoted(first), rest.len()),
            };
            lines.entry(line_of(source, m.span)).or_default().notes.push((m.span, format!("{}: {who}", shown(m, put))));
        }
        if !lines.is_empty() {
            draw(source, &lines, colour, &mut out);
        }
    }
    out
}

fn quoted(names: &[std::sync::Arc<str>]) -> String {
    names.iter().map(|n| format!("\u{201c}{n}\u{201d}")).collect::<Vec<_>>().join(", ")
}
