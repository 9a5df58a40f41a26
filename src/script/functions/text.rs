//! Texts.

use super::{items, table, text};
use crate::script::value::Value;

table! { "Texts":
    Text.contains(part: Text) -> Bool, "Whether the part is in it; case counts.", r#""abc".contains("b")"# => "true", |_, a| Ok(text(a, 0).contains(text(a, 1)).into());
    Text.starts_with(part: Text) -> Bool, "Whether it begins so; case counts.", r#""abc".starts_with("a")"# => "true", |_, a| Ok(text(a, 0).starts_with(text(a, 1)).into());
    Text.ends_with(part: Text) -> Bool, "Whether it ends so; case counts.", r#""abc".ends_with("c")"# => "true", |_, a| Ok(text(a, 0).ends_with(text(a, 1)).into());
    Text.like(other: Text) -> Bool, "Whether the two are equal but for case and surrounding blanks.", r#""ABC ".like("abc")"# => "true", |_, a| {
        Ok((text(a, 0).trim().to_lowercase() == text(a, 1).trim().to_lowercase()).into())
    };
    Text.has_any(parts: Texts) -> Bool, "Whether any of the parts is in it, blind to case.", r#""Mimikatz.exe".has_any(["mimikatz", "rubeus"])"# => "true", |cx, a| {
        let lower = text(a, 0).to_lowercase();
        cx.work(lower.len().saturating_mul(items(a, 1).len()).saturating_div(64))?;
        Ok(items(a, 1).iter().filter_map(Value::as_text).any(|p| lower.contains(&p.to_lowercase())).into())
    };
    Text.matches(pattern: Regex) -> Bool, "Whether the regular expression is found in it. Compiled when the playbook loads; linear time.", r#""T1566.002".matches("^T\\d{4}")"# => "true", |cx, a| {
        cx.work(text(a, 0).len().saturating_div(64))?;
        Ok(matches!(a.get(1), Some(Value::Pattern(r)) if r.is_match(text(a, 0))).into())
    };
    Text.glob(pattern: Glob) -> Bool, "Whether the whole text fits the glob (`*`, `?`), blind to case.", r#""Invoice.PDF".glob("*.pdf")"# => "true", |cx, a| {
        cx.work(text(a, 0).len().saturating_div(64))?;
        Ok(matches!(a.get(1), Some(Value::Glob(r)) if r.fits(&text(a, 0).to_lowercase())).into())
    };
    Text.len() -> Int, "How many characters it has.", r#""né".len()"# => "2", |_, a| Ok(Value::Int(i64::try_from(text(a, 0).chars().count()).unwrap_or(i64::MAX)));
    Text.is_blank() -> Bool, "Whether it has nothing but blanks.", r#""  ".is_blank()"# => "true", |_, a| Ok(text(a, 0).trim().is_empty().into());
    Text.lower() -> Text, "In lower case.", r#""AbC".lower()"# => "\"abc\"", |_, a| Ok(text(a, 0).to_lowercase().into());
    Text.upper() -> Text, "In upper case.", r#""AbC".upper()"# => "\"ABC\"", |_, a| Ok(text(a, 0).to_uppercase().into());
    Text.trim() -> Text, "Without blanks at its ends.", r#"" a ".trim()"# => "\"a\"", |_, a| Ok(text(a, 0).trim().into());
    Text.split(at: Text) -> Texts, "The parts between the separators.", r#""a;b".split(";")"# => r#"["a", "b"]"#, |cx, a| {
        let parts: Vec<Value> = if text(a, 1).is_empty() { vec![text(a, 0).into()] } else { text(a, 0).split(text(a, 1)).map(Value::text).collect() };
        cx.made(parts.len())?;
        Ok(Value::list(parts))
    };
    Free.known(value: Any) -> Bool, "Whether something is recorded. The only question that absence answers.", "known(users.first().department)" => "true", |_, a| {
        Ok((!a.first().is_none_or(Value::is_absent)).into())
    };
    Free.level(word: LevelWord) -> Level, "The level of this name. A word beside a level is read so anyway.", r#"level("high") > level("low")"# => "true", |_, a| Ok(a.first().cloned().unwrap_or(Value::Absent));
}
