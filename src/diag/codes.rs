//! The permanent codes, each with its page. A code is never used again for something else.
//!
//! A new code is a line here and a page in `pages/`: what it means and why it matters, a wrong example and the right one
//! (fenced blocks marked `yaml wrong` and `yaml right`, whole files on top of what ships), how to mend it. The tests hold
//! the examples to what they say.

/// A code and what there is to say about it.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `GR…`
    pub id: &'static str,
    /// What it means, in a sentence.
    pub means: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal $doc:literal;)+) => {
        $(#[doc = $doc] pub const $name: &str = $code;)+
        /// Every code.
        pub const ALL: &[Code] = &[$(Code { id: $code, means: $doc, page: include_str!(concat!("pages/", $code, ".md")) },)+];
    };
}

/// The code of this name, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().find(|c| c.id.eq_ignore_ascii_case(id))
}

codes! {
    YAML = "GR101" "The file is not YAML that can be read.";
    UNKNOWN_KEY = "GR102" "A key that this kind of file does not have.";
    DUPLICATE_KEY = "GR103" "A key that stands twice.";
    MISSING_KEY = "GR104" "A key that must be there.";
    WRONG_SHAPE = "GR105" "A value of the wrong shape: a list where one value belongs, a number out of its range.";
    NOT_PLAIN = "GR106" "A tag, an anchor, an alias, an empty value or a cut-off scalar where text belongs.";
    BAD_ID = "GR107" "An id that cannot be one.";
    DUPLICATE_ID = "GR108" "Two things of one kind with the same id.";
    UNKNOWN_WORD = "GR109" "A word outside its vocabulary.";
    FILE_KIND = "GR110" "The first key does not say what the file is.";
    LIMIT = "GR111" "A documented limit is passed.";
    UNREADABLE = "GR112" "A file or folder cannot be read.";
    FORMAT = "GR113" "A file that the formatter leaves as it is.";
    SYNTAX = "GR201" "An expression that does not parse.";
    UNSUPPORTED = "GR202" "Rhai that playbooks do not have.";
    UNKNOWN_NAME = "GR203" "A name that is not known here.";
    UNKNOWN_FUNCTION = "GR204" "A function that is not known for this type.";
    UNKNOWN_PROPERTY = "GR205" "A property that this type does not have.";
    TYPE = "GR206" "A value of the wrong type.";
    UNLIKE = "GR207" "A comparison of unlike types.";
    ABSENCE = "GR208" "Absence is taken for evidence.";
    PATTERN = "GR209" "A regular expression, glob, duration, network or date that cannot be read.";
    UNKNOWN_RELATION = "GR301" "A relation that is not known, or that cannot exist between these kinds.";
    UNKNOWN_REF = "GR302" "A signal, action, list, library, card, hunt, playbook or incident type that does not exist.";
    WRONG_KIND = "GR303" "An entity of a kind that does not belong here.";
    CYCLE = "GR304" "Things that wait for one another.";
    OVERRIDE = "GR305" "A definition that silently replaces another one.";
    PARAMS = "GR401" "Parameters that the action does not take.";
    TEMPLATE = "GR402" "A placeholder that cannot be rendered.";
    UNUSED = "GR501" "A binding, condition or hunt that nothing uses.";
    UNREACHABLE = "GR502" "A triage arm that is never reached.";
    NEVER = "GR503" "A question that can never hold.";
    ALWAYS = "GR504" "A question that always holds.";
    TWICE = "GR505" "The same question or value twice.";
    OUTSIDE = "GR506" "A comparison with a word that the value cannot be.";
    NO_MATCH = "GR507" "A text, glob or regular expression that is never found.";
    IMPACT = "GR508" "A high-impact action with nothing to hold it back.";
    SAME_CARD = "GR509" "Two cards of a playbook that are the same.";
    NO_EFFECT = "GR510" "A change of an overlay that changes nothing.";
    SENTENCE = "GR511" "A placeholder that says nothing to people.";
    TABLE = "GR512" "A table that hunting does not know.";
    COLUMN = "GR513" "A column that is not there at this place of a query.";
    UNTESTED = "GR514" "A stable playbook without a test for both outcomes.";
    DEPRECATED = "GR515" "A deprecated playbook that still runs.";
    PERMISSION = "GR516" "A permission that no role has.";
    EXCEPTION = "GR701" "An exception that has expired, or cannot apply.";
    EXPIRING = "GR702" "An exception that ends within thirty days.";
    LONG_EXCEPTION = "GR703" "An exception that lasts longer than a year, or for which nobody answers.";
    EVALUATION = "GR801" "An expression failed on this incident; the card or rule that holds it is left out.";
    HUNT = "GR802" "A hunt was not written, because the incident lacks a value that it needs.";
    EXPECTED = "GR803" "A test of a playbook expected something else.";
    NOT_RECOGNISED = "GR901" "The input is not a format that is known.";
    NOT_JSON = "GR902" "The input is not JSON that can be read.";
    INPUT_LIMIT = "GR903" "The input is larger than a documented limit.";
    UNMODELLED = "GR904" "An evidence type that is not modelled; kept as `other`.";
    UNREAD = "GR905" "A part of the input that could not be read.";
    CONFLICT = "GR906" "Strong ids that conflict; the entities stay apart.";
    ABSENT_ALERT = "GR907" "An alert that the incident names and the input does not hold.";
    REDIRECTED = "GR908" "The incident was merged into another one.";
    PSEUDO_TECHNIQUE = "GR909" "A technique that the ATT&CK matrix does not have; kept as the source wrote it.";
}
