//! Functions of text.

use crate::builtin::Receiver::{Int, Text, Texts};
use crate::builtin::Signature;

pub(crate) const JOIN: Signature = Signature::of(
    "join",
    &[Texts],
    "String",
    "The texts with a separator between them.",
    &[("[\"a\", \"b\"].join(\", \")", "\"a, b\"")],
)
.taking(&[("separator", "String")]);

pub(crate) const FOLDED: Signature = Signature::of(
    "folded",
    &[Text],
    "String",
    "In lower case by full Unicode case folding, for comparison.",
    &[("\"STRASSE\".folded()", "\"strasse\""), ("\"straße\".folded()", "\"strasse\"")],
);

pub(crate) const NORMALIZE: Signature = Signature::of(
    "normalize",
    &[Text],
    "String",
    "Compatibility forms unified (NFKC), case folded, letters with their marks and digits only.",
    &[("\"It's 5!\".normalize()", "\"its5\"")],
);

pub(crate) const TRIM: Signature = Signature::of(
    "trim",
    &[Text],
    "String",
    "Without white space at both ends.",
    &[("\" a b \".trim()", "\"a b\"")],
);

pub(crate) const STARTS_WITH: Signature = Signature::of(
    "starts_with",
    &[Text],
    "Bool",
    "Whether the text starts with it.",
    &[("\"naïve\".starts_with(\"na\")", "true")],
)
.taking(&[("part", "String")]);

pub(crate) const ENDS_WITH: Signature = Signature::of(
    "ends_with",
    &[Text],
    "Bool",
    "Whether the text ends with it.",
    &[("\"naïve\".ends_with(\"ve\")", "true")],
)
.taking(&[("part", "String")]);

pub(crate) const SPLIT: Signature = Signature::of(
    "split",
    &[Text],
    "[String]",
    "The parts between separators, empty ones included. An empty separator splits into characters.",
    &[
        ("\"a,b,,c\".split(\",\")", "[\"a\", \"b\", \"\", \"c\"]"),
        ("\"\".split(\",\")", "[\"\"]"),
        ("\"né\".split(\"\")", "[\"n\", \"é\"]"),
    ],
)
.taking(&[("separator", "String")]);

pub(crate) const LINES: Signature = Signature::of(
    "lines",
    &[Text],
    "[String]",
    "The lines, without their ends `\\n` or `\\r\\n`. An end of the text ends its last line.",
    &[("\"a\\n\\nb\\n\".lines()", "[\"a\", \"\", \"b\"]")],
);

pub(crate) const WORDS: Signature = Signature::of(
    "words",
    &[Text],
    "[String(1..)]",
    "What stands between white space.",
    &[("\" to be  or\\n\".words()", "[\"to\", \"be\", \"or\"]"), ("\" \".words().len()", "0")],
);

pub(crate) const REPLACE: Signature = Signature::of(
    "replace",
    &[Text],
    "String",
    "With every occurrence of a part, from the left, replaced. As it is where `part` is empty.",
    &[("\"a-b-c\".replace(\"-\", \"+\")", "\"a+b+c\""), ("\"aaa\".replace(\"aa\", \"b\")", "\"ba\"")],
)
.taking(&[("part", "String"), ("by", "String")]);

pub(crate) const TO_INT: Signature = Signature::of(
    "to_int",
    &[Text],
    "Int?",
    "The number that decimal digits behind an optional sign stand for; `null` for any other text and outside of 64 bits.",
    &[("\"-42\".to_int()", "-42"), ("\"4.2\".to_int()", "null"), ("\" 42\".to_int()", "null")],
);

pub(crate) const TO_FLOAT: Signature = Signature::of(
    "to_float",
    &[Text, Int],
    "Float? | Float",
    "The nearest float. Of text, a decimal number such as `-1.5e3`; `null` for any other text and where it is too large.",
    &[("\"-1.5e3\".to_float()", "-1500.0"), ("\"1,5\".to_float()", "null"), ("3.to_float() / 2.0", "1.5")],
);

pub(crate) const UPPER: Signature = Signature::of(
    "upper",
    &[Text],
    "String",
    "In upper case by the full Unicode mapping, whatever the language.",
    &[("\"straße\".upper()", "\"STRASSE\"")],
);

pub(crate) const URL_ENCODED: Signature = Signature::of(
    "url_encoded",
    &[Text],
    "String",
    "As a part of a URL: every octet but letters, digits and `-._~` of ASCII as `%` and two digits.",
    &[("\"a b/é\".url_encoded()", "\"a%20b%2F%C3%A9\"")],
);
