//! HTML that text cannot get into: what is not written by this program is always escaped, and an address is always a place
//! on the same page.

use crate::diag::human::visible;

/// A piece of HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// HTML that this program wrote.
    pub fn fixed(html: &'static str) -> Self {
        Self(html.to_owned())
    }

    /// Text from anywhere: escaped, with its controls made visible.
    pub fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for c in visible(text).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                '`' => out.push_str("&#96;"),
                c => out.push(c),
            }
        }
        Self(out)
    }

    /// Text from anywhere in which words between backticks are set as code; a backtick without its twin stays.
    pub fn prose(text: &str) -> Self {
        if text.contains("``") {
            return Self::text(text);
        }
        let parts: Vec<&str> = text.split('`').collect();
        let last = parts.len().saturating_sub(1);
        let set = |(n, part): (usize, &&str)| match (n % 2 == 1, n == last) {
            (true, false) => say("code", "", part),
            (true, true) => Self::text(&format!("`{part}")),
            (false, _) => Self::text(part),
        };
        Self::all(parts.iter().enumerate().map(set))
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// One after another.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(parts.into_iter().map(|h| h.0).collect())
    }

    /// One after another with something between.
    pub fn join(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        Self(parts.into_iter().map(|h| h.0).collect::<Vec<_>>().join(between))
    }

    /// The HTML.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// An element under construction.
#[derive(Debug)]
pub struct Tag {
    name: &'static str,
    attributes: String,
}

/// An element by its name.
pub fn tag(name: &'static str) -> Tag {
    Tag { name, attributes: String::new() }
}

/// An element with a class and what it holds.
pub fn el(name: &'static str, class: &'static str, parts: impl IntoIterator<Item = Html>) -> Html {
    tag(name).class(class).of(parts)
}

/// An element with a class and a text from anywhere.
pub fn say(name: &'static str, class: &'static str, text: &str) -> Html {
    el(name, class, [Html::text(text)])
}

impl Tag {
    fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push_str(&format!(" {name}=\"{}\"", Html::text(value).0));
        self
    }

    /// Its classes; nothing if empty.
    pub fn class(self, class: &'static str) -> Self {
        if class.is_empty() { self } else { self.attribute("class", class) }
    }

    /// Its place on the page.
    pub fn id(self, anchor: &str) -> Self {
        self.attribute("id", anchor)
    }

    /// A link to a place on the page; nowhere else.
    pub fn to(self, anchor: &str) -> Self {
        self.attribute("href", &format!("#{anchor}"))
    }

    /// Its name for those who do not see the page.
    pub fn label(self, text: &str) -> Self {
        self.attribute("aria-label", text)
    }

    /// Not for those who do not see the page.
    pub fn decoration(self) -> Self {
        self.attribute("aria-hidden", "true")
    }

    /// Its width in percent.
    pub fn share(self, percent: u8) -> Self {
        self.attribute("style", &format!("width:{}%", percent.min(100)))
    }

    /// The element with what it holds.
    pub fn of(self, parts: impl IntoIterator<Item = Html>) -> Html {
        Html(format!("<{0}{1}>{2}</{0}>", self.name, self.attributes, Html::all(parts).0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Html, say, tag};

    #[test]
    fn words_between_backticks_are_code() {
        assert_eq!(Html::prose("a `<b>` c").into_string(), "a <code>&lt;b&gt;</code> c");
        assert_eq!(Html::prose("one ` alone").into_string(), "one &#96; alone");
        assert_eq!(Html::prose("``` x ``").into_string(), "&#96;&#96;&#96; x &#96;&#96;");
        assert_eq!(Html::prose("`x` and `y").into_string(), "<code>x</code> and &#96;y");
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        assert_eq!(say("p", "", "\"><script>'`&").into_string(), "<p>&quot;&gt;&lt;script&gt;&#39;&#96;&amp;</p>");
        assert_eq!(tag("a").to("x\" onclick=\"y").of([Html::none()]).into_string(), "<a href=\"#x&quot; onclick=&quot;y\"></a>");
        assert_eq!(say("b", "k", "a\u{202e}\u{1b}").into_string(), "<b class=\"k\">a\\u{202e}\\u{1b}</b>");
    }
}
