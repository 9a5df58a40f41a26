//! The part of a file that answers are made from. `build.rs` reads this file too.

/// The text before `tests:`, if that is the last key of the file.
pub fn before_tests(text: &str) -> Option<&str> {
    let at = text.find("\ntests:")?.saturating_add(1);
    let (front, section) = text.split_at_checked(at)?;
    let inside =
        |line: &str| line.is_empty() || line.starts_with([' ', '#', '\r']) || line == "-" || line.starts_with("- ") || line.starts_with("-\r");
    let key = section.strip_prefix("tests:").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r']));
    (key && section.lines().skip(1).all(inside)).then_some(front)
}
