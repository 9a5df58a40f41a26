//! JUnit XML, as continuous integration reads it.

use super::{Suite, Totals, Verdict};
use crate::diag::human;
use crate::diag::{Diagnostic, Severity};
use crate::source::Sources;

/// The results as one XML document.
pub fn junit(suites: &[Suite], sources: &Sources) -> String {
    let t = Totals::of(suites);
    let tests = |s: &Suite| s.cases.len().saturating_add(s.errors());
    let all: usize = suites.iter().map(tests).fold(0, usize::saturating_add);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites name=\"engine test\" tests=\"{all}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
        t.failed, t.errors, t.todo
    ));
    for s in suites {
        out.push_str(&format!(
            "  <testsuite name=\"{}\" file=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
            escaped(&s.playbook),
            escaped(&s.file),
            tests(s),
            s.count(Verdict::Failed),
            s.errors(),
            s.count(Verdict::Todo)
        ));
        for d in s.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
            let line = d.labels.first().map_or(1, |l| sources.place(l.span).line);
            out.push_str(&format!("    <testcase classname=\"{}\" name=\"tests, line {line}\">\n", escaped(&s.playbook)));
            out.push_str(&told("error", std::slice::from_ref(d), sources));
            out.push_str("    </testcase>\n");
        }
        for c in &s.cases {
            let line = sources.place(c.test.span).line;
            let head = format!("    <testcase classname=\"{}\" name=\"{}\" line=\"{line}\"", escaped(&s.playbook), escaped(&c.test.name));
            match c.verdict() {
                Verdict::Passed | Verdict::Done => out.push_str(&format!("{head}/>\n")),
                Verdict::Todo => {
                    let why = c.test.todo.as_deref().filter(|t| !t.is_empty()).unwrap_or("to do");
                    out.push_str(&format!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(why)));
                }
                Verdict::Failed => {
                    let failures: Vec<Diagnostic> = c.outcome.failures.iter().map(|f| f.diagnostic.clone()).collect();
                    out.push_str(&format!("{head}>\n{}    </testcase>\n", told("failure", &failures, sources)));
                }
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn told(what: &str, all: &[Diagnostic], sources: &Sources) -> String {
    let message: Vec<&str> = all.iter().map(|d| d.message.as_str()).collect();
    let code = all.first().map_or("", |d| d.code);
    format!(
        "      <{what} type=\"{code}\" message=\"{}\">{}</{what}>\n",
        escaped(&message.join("; ")),
        escaped(human::render(all, sources, false).trim_end())
    )
}

/// Text for XML. What XML 1.0 cannot hold is written as the code that it has.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c if human::hidden(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_hold_is_written_out() {
        assert_eq!(escaped("a<b>&\"'\u{1b}[0m\u{0}\u{ffff}\u{202e}é"), "a&lt;b&gt;&amp;&quot;&#39;\\u{1b}[0m\\u{0}\\u{ffff}\\u{202e}é");
    }
}
