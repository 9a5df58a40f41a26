//! What there is to say about a code, for a terminal and for `docs/codes.md`.

use super::codes::{ALL, Code};

/// The page of a code for a terminal: its examples stand further in, under what they are.
pub fn page(code: &Code) -> String {
    let mut out = format!("{}: {}\n\n", code.id, code.means);
    let mut inside = false;
    for line in code.page.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(kind) => {
                inside = true;
                let what = kind.rsplit(' ').next().unwrap_or("");
                out.push_str(if what.is_empty() { "example" } else { what });
                out.push_str(":\n\n");
            }
            None if inside && !line.is_empty() => {
                out.push_str("    ");
                out.push_str(line);
                out.push('\n');
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// All codes with what they mean, one a line.
pub fn list() -> String {
    let mut out: String = ALL.iter().map(|c| format!("{}  {}\n", c.id, c.means)).collect();
    out.push_str("\n`engine check --explain CODE` prints the page of a code.\n");
    out
}

/// The first paragraph of a page, in one line.
pub fn summary(code: &Code) -> String {
    code.page.lines().take_while(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Where a code's page stands in the documentation.
pub fn address(id: &str) -> String {
    format!("docs/codes.md#{}", id.to_lowercase())
}

/// The text of `docs/codes.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "# Codes\n\nEvery diagnostic has a permanent code. `engine check --explain CODE` prints the same pages. This page is written from the\n\
         program's own: change `src/diag/pages/`, then run `UPDATE_WRITTEN=1 cargo test --test it the_page_of_codes`.\n\n\
         | codes | about |\n|---|---|\n",
    );
    for (from, about) in GROUPS {
        let of: Vec<&str> = ALL.iter().map(|c| c.id).filter(|id| id.starts_with(from)).collect();
        let links: Vec<String> = of.iter().map(|id| format!("[{id}](#{})", id.to_lowercase())).collect();
        if !links.is_empty() {
            out.push_str(&format!("| {} | {about} |\n", links.join(" ")));
        }
    }
    for code in ALL {
        out.push_str(&format!("\n## {}\n\n{}", code.id, markdown(code)));
    }
    out
}

/// The page of a code as other pages show it: its examples are marked in words.
pub fn markdown(code: &Code) -> String {
    let mut out = format!("**{}**\n\n", code.means);
    for line in code.page.lines() {
        match line.strip_prefix("```").and_then(|kind| kind.split_once(' ')) {
            Some((language, what)) => out.push_str(&format!("{what}:\n\n```{language}\n")),
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// What the first digit of a code says.
pub const GROUPS: &[(&str, &str)] = &[
    ("GR1", "files: YAML, keys, ids, shapes, limits"),
    ("GR2", "expressions: syntax, names, types, absence, patterns"),
    ("GR3", "references: relations, ids that do not exist, kinds, circles, overrides"),
    ("GR4", "parameters, placeholders, queries"),
    ("GR5", "what is probably not meant: unused, unreachable, always or never true, unknown tables and columns"),
    ("GR7", "exceptions"),
    ("GR8", "on an incident: an expression failed, a hunt was not written, a test expected something else"),
    ("GR9", "input: not recognised, not JSON, too large, not modelled, not readable, conflicts, absent alerts"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_belongs_to_a_group_and_has_a_page() {
        for code in ALL {
            assert!(GROUPS.iter().any(|(from, _)| code.id.starts_with(from)), "{}", code.id);
            assert!(code.means.ends_with('.') && code.page.ends_with('\n') && !summary(code).is_empty(), "{}", code.id);
            assert!(code.page.lines().all(|l| l.len() <= 170), "{}: a line is too long for a terminal", code.id);
            assert!(page(code).contains(code.means));
        }
        assert_eq!(page(super::super::codes::find("gr110").unwrap()).matches("\nwrong:\n\n    title:").count(), 1);
    }
}
