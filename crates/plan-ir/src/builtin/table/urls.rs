//! Functions of URLs, by the WHATWG standard that `Url` values are checked by.

use crate::builtin::Receiver::Url;
use crate::builtin::Signature;

pub(crate) const SCHEME: Signature = Signature::of(
    "scheme",
    &[Url],
    "String",
    "The scheme in lower case.",
    &[("(\"HTTPS://a.example\" as Url).scheme()", "\"https\"")],
);

pub(crate) const HOST: Signature = Signature::of(
    "host",
    &[Url],
    "String(1..253)?",
    "The host in lower case, a name in its ASCII form; `null` where there is none or one longer than 253.",
    &[
        ("(\"https://Docs.A.example:8443/x\" as Url).host()", "\"docs.a.example\""),
        ("(\"https://bücher.example\" as Url).host()", "\"xn--bcher-kva.example\""),
        ("(\"mailto:a@b.example\" as Url).host()", "null"),
    ],
);

pub(crate) const PATH: Signature = Signature::of(
    "path",
    &[Url],
    "String",
    "The path, percent-encoded, without query and fragment.",
    &[("(\"https://a.example/x/y?q=1#top\" as Url).path()", "\"/x/y\"")],
);

pub(crate) const QUERY: Signature = Signature::of(
    "query",
    &[Url],
    "String?",
    "The first value of that name in the query, decoded; `null` where there is none.",
    &[
        ("(\"https://a.example/?q=a+b%21&n=1\" as Url).query(\"q\")", "\"a b!\""),
        ("(\"https://a.example/?q=a\" as Url).query(\"n\")", "null"),
    ],
)
.taking(&[("name", "String")]);

pub(crate) const RESOLVE: Signature = Signature::of(
    "resolve",
    &[Url],
    "Url?",
    "Where a link on the page with this URL leads; `null` where that is no URL.",
    &[("(\"https://a.example/x/y\" as Url).resolve(\"../z\")", "\"https://a.example/z\" as Url")],
)
.taking(&[("link", "String")]);
