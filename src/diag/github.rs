//! Diagnostics as workflow commands of GitHub Actions, which show them at their lines in a pull request.

use super::json::Range;
use super::{Diagnostic, Severity};
use crate::source::Sources;

/// One command a diagnostic.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let command = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(l) = d.labels.first() {
            let r = Range::of(l.span, sources);
            properties.push(format!("file={}", property(relative(&r.file))));
            properties.push(format!("line={},endLine={}", r.line, r.end_line));
            // Columns are for places on one line only.
            if r.line == r.end_line {
                properties.push(format!("col={},endColumn={}", r.column, r.end_column));
            }
        }
        properties.push(format!("title={}", property(d.code)));
        let mut text = d.message.clone();
        if let Some(help) = &d.help {
            text.push_str("\nhelp: ");
            text.push_str(help);
        }
        out.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&text)));
    }
    out
}

/// A path as it stands in a repository.
pub(super) fn relative(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// Text of a command: one line, whatever it holds.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command: `:` and `,` would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;
    use crate::source::Span;

    #[test]
    fn nothing_in_a_message_or_path_ends_the_command() {
        let mut sources = Sources::default();
        let file = sources.add("./a,b:c%.yaml", "x: ä\ny: é b\n");
        let d = Diagnostic::error(codes::TYPE, Span::new(file, 12, 13), "50% of\r\n::error::`x`").help("a\nb");
        assert_eq!(
            render(&[d], &sources),
            "::error file=a%2Cb%3Ac%25.yaml,line=2,endLine=2,col=6,endColumn=7,title=GR206::50%25 of%0D%0A::error::`x`%0Ahelp: a%0Ab\n"
        );
        let whole = Diagnostic::warning(codes::TYPE, Span::new(file, 0, 9), "x");
        assert_eq!(render(&[whole], &sources), "::warning file=a%2Cb%3Ac%25.yaml,line=1,endLine=2,title=GR206::x\n");
    }
}
