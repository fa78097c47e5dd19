//! Functions of text.

use crate::builtin::Receiver::{Text, Texts};
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
