//! Values of an incident as literals of a KQL query. There is no other way from an incident into a query.

use crate::script::Value;

/// The most bytes of one text in a query.
pub const TEXT_BYTES: usize = 1024;
/// The most items of one list in a query.
pub const LIST_ITEMS: usize = 100;

/// A literal, and whether the value was cut to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// As it stands in the query.
    pub text: String,
    /// Whether it was cut.
    pub cut: bool,
}

/// The literal of a value; nothing where the value is absent, empty, or of a type without literals.
pub fn literal(value: &Value) -> Option<Literal> {
    let whole = |text: String| Some(Literal { text, cut: false });
    match value {
        Value::Text(t) if t.trim().is_empty() => None,
        Value::Text(t) => {
            let (text, cut) = quoted(t);
            Some(Literal { text, cut })
        }
        Value::Level(l) => whole(quoted(l.word()).0),
        Value::Bool(b) => whole(b.to_string()),
        Value::Int(n) if *n < 0 => whole(format!("long({n})")),
        Value::Int(n) => whole(n.to_string()),
        Value::Time(t) => whole(format!("datetime({t})")),
        Value::Duration(d) => {
            let s = d.as_secs().unsigned_abs();
            let part = |size: u64, modulo: u64| s.checked_div(size).unwrap_or(0).checked_rem(modulo).unwrap_or(0);
            let sign = if d.is_negative() { "-" } else { "" };
            whole(format!("timespan({sign}{}.{:02}:{:02}:{:02})", part(86_400, u64::MAX), part(3_600, 24), part(60, 60), part(1, 60)))
        }
        Value::List(items) => {
            let mut parts = Vec::new();
            let mut cut = items.len() > LIST_ITEMS;
            for item in items.iter().take(LIST_ITEMS) {
                match item {
                    Value::Text(t) if !t.trim().is_empty() => {
                        let (text, short) = quoted(t);
                        cut |= short;
                        parts.push(text);
                    }
                    Value::Int(n) => parts.push(n.to_string()),
                    _ => {}
                }
            }
            (!parts.is_empty()).then(|| Literal { text: format!("dynamic([{}])", parts.join(", ")), cut })
        }
        _ => None,
    }
}

/// A text between quotes, as JSON escapes it, with all that cannot be printed as `\uXXXX`.
fn quoted(text: &str) -> (String, bool) {
    let mut out = String::from("\"");
    let mut used = 0usize;
    let mut cut = false;
    for c in text.chars() {
        used = used.saturating_add(c.len_utf8());
        if used > TEXT_BYTES {
            cut = true;
            break;
        }
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // The language's escapes reach the basic plane; what is hidden above it is left out.
            c if crate::diag::human::hidden(c) => {
                let code = c as u32;
                if code <= 0xffff {
                    out.push_str(&format!("\\u{code:04x}"));
                } else {
                    cut = true;
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    (out, cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::query::{Inside, inside};

    #[test]
    fn no_value_leaves_its_literal() {
        for hostile in ["\" or 1==1 //", "a\nb", "\\", "\\\"", "\u{2028}\u{202e}\u{0}", "'); drop", "{x}", "\u{feff}\"\""] {
            let text = literal(&Value::text(hostile)).map(|l| l.text).unwrap_or_default();
            assert!(text.starts_with('"') && text.ends_with('"'), "{text}");
            assert_eq!(inside(Inside::Query, &text), Inside::Query, "{text}");
            assert!(!text.chars().any(|c| c.is_control()), "{text}");
            // The same text read back as JSON is the value.
            assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some(hostile));
        }
    }

    #[test]
    fn absent_and_blank_values_have_no_literal() {
        assert_eq!(literal(&Value::Absent), None);
        assert_eq!(literal(&Value::text("  ")), None);
        assert_eq!(literal(&Value::list([])), None);
    }

    #[test]
    fn long_values_are_cut() {
        let l = literal(&Value::text(&"é".repeat(2000))).unwrap();
        assert!(l.cut && l.text.len() <= TEXT_BYTES + 2);
    }

    #[test]
    fn times_and_lists_are_typed() {
        let t = crate::model::time::time("2026-01-12T09:30:00Z").unwrap();
        assert_eq!(literal(&Value::Time(t)).unwrap().text, "datetime(2026-01-12T09:30:00Z)");
        assert_eq!(literal(&Value::list([Value::text("a"), Value::text("b\"")])).unwrap().text, r#"dynamic(["a", "b\""])"#);
        assert_eq!(literal(&Value::Duration(jiff::SignedDuration::from_secs(93_784))).unwrap().text, "timespan(1.02:03:04)");
    }
}
