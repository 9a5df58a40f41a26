//! What differs between two texts, as a unified diff that `patch` and people read.

use super::human::visible;

/// Lines of the same text that are shown around a change.
const CONTEXT: usize = 3;

/// Cells of the table in which common lines are looked for; a larger change is shown as one piece.
const CELLS: usize = 4 << 20;

/// A line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'t> {
    Same(&'t str),
    Gone(&'t str),
    New(&'t str),
}

/// The difference between two texts, three lines of context around each change; nothing if they are the same. Lines keep
/// their ends, so that a change of line ends alone is a change.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let lines = compare(&old.split_inclusive('\n').collect::<Vec<_>>(), &new.split_inclusive('\n').collect::<Vec<_>>());
    let path = visible(path).replace('\n', "\\n");
    let mut out = format!("--- {path}\n+++ {path}\n");
    for hunk in hunks(&lines) {
        let before = lines.get(..hunk.start).unwrap_or_default();
        let within = lines.get(hunk.clone()).unwrap_or_default();
        let of_old = |all: &[Line<'_>]| all.iter().filter(|l| !matches!(l, Line::New(_))).count();
        let of_new = |all: &[Line<'_>]| all.iter().filter(|l| !matches!(l, Line::Gone(_))).count();
        // A hunk without lines on one side names the line before it.
        let at = |before: usize, within: usize| format!("{},{within}", if within == 0 { before } else { before.saturating_add(1) });
        let (a, b) = (at(of_old(before), of_old(within)), at(of_new(before), of_new(within)));
        out.push_str(&format!("@@ -{a} +{b} @@\n"));
        for line in within {
            let (sign, text) = match line {
                Line::Same(t) => (' ', t),
                Line::Gone(t) => ('-', t),
                Line::New(t) => ('+', t),
            };
            out.push(sign);
            out.push_str(text);
            if !text.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// The ranges of lines to show: each change with its context, those that touch in one.
fn hunks(lines: &[Line<'_>]) -> Vec<std::ops::Range<usize>> {
    let mut all: Vec<std::ops::Range<usize>> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        if matches!(line, Line::Same(_)) {
            continue;
        }
        let (start, end) = (n.saturating_sub(CONTEXT), n.saturating_add(CONTEXT).saturating_add(1).min(lines.len()));
        match all.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => all.push(start..end),
        }
    }
    all
}

/// Both texts in one sequence of lines, with as many in common as can be found within the bound.
fn compare<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (head, old) = old.split_at(front);
    let new = new.get(front..).unwrap_or_default();
    let back = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, tail) = old.split_at(old.len().saturating_sub(back));
    let new = new.get(..new.len().saturating_sub(back)).unwrap_or_default();
    let mut lines: Vec<Line<'t>> = head.iter().map(|l| Line::Same(l)).collect();
    lines.extend(middle(old, new));
    lines.extend(tail.iter().map(|l| Line::Same(l)));
    lines
}

fn middle<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let (rows, columns) = (old.len().saturating_add(1), new.len().saturating_add(1));
    if rows.saturating_mul(columns) > CELLS {
        return old.iter().map(|l| Line::Gone(l)).chain(new.iter().map(|l| Line::New(l))).collect();
    }
    // How many lines the rests from (i, j) on have in common.
    let mut table = vec![0u32; rows.saturating_mul(columns)];
    let cell = |i: usize, j: usize| i.saturating_mul(columns).saturating_add(j);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let at = |i, j| table.get(cell(i, j)).copied().unwrap_or(0);
            let (down, right) = (i.saturating_add(1), j.saturating_add(1));
            let best = if a == b { at(down, right).saturating_add(1) } else { at(down, j).max(at(i, right)) };
            if let Some(slot) = table.get_mut(cell(i, j)) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j) = (0usize, 0usize);
    let mut lines = Vec::with_capacity(rows.saturating_add(columns));
    loop {
        let (down, right) = (i.saturating_add(1), j.saturating_add(1));
        let at = |i, j| table.get(cell(i, j)).copied().unwrap_or(0);
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                lines.push(Line::Same(a));
                (i, j) = (down, right);
            }
            (Some(a), Some(_)) if at(down, j) >= at(i, right) => {
                lines.push(Line::Gone(a));
                i = down;
            }
            (_, Some(b)) => {
                lines.push(Line::New(b));
                j = right;
            }
            (Some(a), None) => {
                lines.push(Line::Gone(a));
                i = down;
            }
            (None, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_three_lines_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        assert_eq!(unified("a.yaml", old, new), "--- a.yaml\n+++ a.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
        assert_eq!(unified("a.yaml", old, old), "");
    }

    #[test]
    fn far_changes_are_hunks_of_their_own_and_a_missing_last_line_end_is_told() {
        let old: String = (0..30).map(|n| format!("{n}\n")).collect();
        let new = old.replace("\n3\n", "\nthree\nand\n").trim_end().to_owned();
        let diff = unified("x", &old, &new);
        assert_eq!(diff.matches("@@ -").count(), 2);
        assert!(diff.contains("@@ -1,7 +1,8 @@\n 0\n 1\n 2\n-3\n+three\n+and\n 4\n 5\n 6\n@@ -27,4 +28,4 @@\n"), "{diff}");
        assert!(diff.ends_with("-29\n+29\n\\ No newline at end of file\n"), "{diff}");
        assert!(unified("x", "", "a\n").contains("@@ -0,0 +1,1 @@\n+a\n"));
        assert!(unified("x", "a\n", "").contains("@@ -1,1 +0,0 @@\n-a\n"));
    }

    /// What stands in the lines of a comparison is both texts, whatever they are.
    #[test]
    fn nothing_is_lost() {
        let mut seed = 7u32;
        let mut next = |n: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % n
        };
        for _ in 0..500 {
            let old: Vec<String> = (0..next(12)).map(|_| next(4).to_string()).collect();
            let new: Vec<String> = (0..next(12)).map(|_| next(4).to_string()).collect();
            let (old, new): (Vec<&str>, Vec<&str>) = (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
            let lines = compare(&old, &new);
            let side = |gone: bool| -> Vec<&str> {
                let of = |l: &Line<'_>| matches!((l, gone), (Line::Same(_), _) | (Line::Gone(_), true) | (Line::New(_), false));
                lines
                    .iter()
                    .filter(|l| of(l))
                    .map(|l| match *l {
                        Line::Same(t) | Line::Gone(t) | Line::New(t) => t,
                    })
                    .collect()
            };
            assert_eq!((side(true), side(false)), (old, new));
        }
    }
}
