//! Where in a KQL query a literal may stand.

/// Where a query stands after some of its text: a literal belongs only outside texts and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// In the query itself.
    Query,
    /// In a text, with its quote; the flag says whether it is verbatim (`@"…"`).
    Text(char, bool),
    /// In a comment.
    Comment,
}

/// Where a query stands after a piece of its text.
pub fn inside(mut state: Inside, text: &str) -> Inside {
    let mut before = ' ';
    let mut escaped = false;
    for c in text.chars() {
        state = match (state, c) {
            (Inside::Comment, '\n') => Inside::Query,
            (Inside::Comment, _) => Inside::Comment,
            (Inside::Query, '"' | '\'') => Inside::Text(c, before == '@'),
            (Inside::Query, '/') if before == '/' => Inside::Comment,
            (Inside::Query, _) => Inside::Query,
            (Inside::Text(_, false), _) if escaped => {
                escaped = false;
                before = ' ';
                continue;
            }
            (Inside::Text(q, false), '\\') => {
                escaped = true;
                Inside::Text(q, false)
            }
            (Inside::Text(q, _), c) if c == q => Inside::Query,
            (Inside::Text(..), '\n') => Inside::Query,
            (same, _) => same,
        };
        before = c;
    }
    state
}

/// What is wrong with a literal at this place, if something is.
pub fn misplaced(state: Inside) -> Option<&'static str> {
    match state {
        Inside::Query => None,
        Inside::Text(..) => Some("a placeholder is a whole literal: it cannot stand between quotes"),
        Inside::Comment => Some("a placeholder cannot stand in a comment"),
    }
}
