//! Messages as they stand on the wire: a header with the length, then JSON.

use std::io::{BufRead, Read, Write};

use serde_json::{Value, json};

use super::protocol::{Error, INVALID_REQUEST, PARSE_ERROR};

/// Bytes of one message; a longer one is refused and its bytes are thrown away.
pub const MESSAGE_BYTES: u64 = 32 << 20;
/// Bytes of one line of a header.
const HEADER_BYTES: u64 = 4096;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// Something that wants an answer: its id, method and parameters.
    Request(Value, String, Value),
    /// Something that wants none.
    Notification(String, Value),
    /// The answer to something that the server asked.
    Response,
    /// Something that is no message.
    Malformed(Error),
}

/// Reads the next message; nothing at the end of the stream.
pub fn read(from: &mut impl BufRead) -> std::io::Result<Option<Incoming>> {
    let Some(length) = header(from)? else { return Ok(None) };
    let length = match length {
        Ok(n) => n,
        Err(e) => return Ok(Some(Incoming::Malformed(e))),
    };
    if length > MESSAGE_BYTES {
        std::io::copy(&mut from.take(length), &mut std::io::sink())?;
        let message = format!("the message is longer than {} MiB", MESSAGE_BYTES >> 20);
        return Ok(Some(Incoming::Malformed(Error::new(INVALID_REQUEST, message))));
    }
    let mut body = Vec::new();
    from.take(length).read_to_end(&mut body)?;
    if u64::try_from(body.len()).unwrap_or(0) < length {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(value) => message(value),
        Err(e) => Incoming::Malformed(Error::new(PARSE_ERROR, format!("this is not JSON: {e}"))),
    }))
}

/// The length that a header says; a header without one is an error that is told to the client.
fn header(from: &mut impl BufRead) -> std::io::Result<Option<Result<u64, Error>>> {
    let mut length = None;
    let mut seen = false;
    loop {
        let mut line = Vec::new();
        if from.take(HEADER_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            match length {
                Some(n) => return Ok(Some(Ok(n))),
                // A blank line between messages is no header.
                None if !seen => continue,
                None => return Ok(Some(Err(Error::new(PARSE_ERROR, "a message begins with `Content-Length: `, and this one does not")))),
            }
        }
        seen = true;
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

/// What a JSON value is as a message.
fn message(mut value: Value) -> Incoming {
    let Some(map) = value.as_object_mut() else {
        return Incoming::Malformed(Error::new(INVALID_REQUEST, "a message is one JSON object"));
    };
    let params = map.remove("params").unwrap_or(Value::Null);
    match (map.remove("id"), map.remove("method")) {
        (Some(id @ (Value::Number(_) | Value::String(_))), Some(Value::String(method))) => Incoming::Request(id, method, params),
        (None, Some(Value::String(method))) => Incoming::Notification(method, params),
        (Some(_), None) if map.contains_key("result") || map.contains_key("error") => Incoming::Response,
        _ => Incoming::Malformed(Error::new(
            INVALID_REQUEST,
            "a message has a `method`, and an `id` that is a number or text where it wants an answer",
        )),
    }
}

/// Writes a message.
pub fn write(to: &mut impl Write, value: &Value) -> std::io::Result<()> {
    let text = value.to_string();
    write!(to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    to.flush()
}

/// The answer to a request.
pub fn answer(id: &Value, result: Result<Value, Error>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(e) => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": e.code, "message": e.message } }),
    }
}

/// A message that wants no answer.
pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn all(bytes: &str) -> Vec<String> {
        let mut from = std::io::BufReader::new(bytes.as_bytes());
        let mut out = Vec::new();
        while let Some(m) = read(&mut from).unwrap() {
            out.push(match m {
                Incoming::Request(id, method, _) => format!("{method}#{id}"),
                Incoming::Notification(method, _) => method,
                Incoming::Response => "response".into(),
                Incoming::Malformed(e) => e.code.to_string(),
            });
        }
        out
    }

    #[test]
    fn what_is_no_message_is_told_and_the_next_one_is_read() {
        let framed = |t: &str| format!("Content-Length: {}\r\n\r\n{t}", t.len());
        let text = [
            framed(r#"{"id":1,"method":"a"}"#),
            framed("{nonsense"),
            framed("[]"),
            framed(r#"{"id":null,"method":"x"}"#),
            "Content-Type: x\r\n\r\n".to_owned(),
            framed(r#"{"method":"b","params":[]}"#),
            framed(r#"{"id":"s","result":null}"#),
            "Content-Length: 99\r\n\r\n{".to_owned(),
        ];
        assert_eq!(all(&text.concat()), ["a#1", "-32700", "-32600", "-32600", "-32700", "b", "response"]);
    }
}
