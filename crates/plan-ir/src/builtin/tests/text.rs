//! Functions of text and of URLs.

use super::*;

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|text| Value::string(*text)))
}

fn on_text(op: Builtin, text: &str, args: &[&str]) -> Result<Value, TrapKind> {
    let args = std::iter::once(text).chain(args.iter().copied()).map(Literal::from).collect();
    call(op, args, Type::list(Type::STRING))
}

#[test]
fn texts_are_taken_apart() {
    for (text, separator, parts) in [
        ("a,b", ",", &["a", "b"][..]),
        (",a,,", ",", &["", "a", "", ""]),
        ("", ",", &[""]),
        ("aXXb", "XX", &["a", "b"]),
        ("né😀", "", &["n", "é", "😀"]),
        ("", "", &[]),
    ] {
        assert_eq!(on_text(Builtin::Split, text, &[separator]), Ok(texts(parts)), "{text} {separator}");
    }
    for (text, lines) in [
        ("", &[][..]),
        ("a", &["a"]),
        ("a\n", &["a"]),
        ("\n\n", &["", ""]),
        ("a\r\nb\rc\n\nd", &["a", "b\rc", "", "d"]),
        ("a\u{2028}b", &["a\u{2028}b"]),
    ] {
        assert_eq!(on_text(Builtin::Lines, text, &[]), Ok(texts(lines)), "{text}");
    }
    for (text, words) in [
        ("", &[][..]),
        (" \u{a0}\n", &[]),
        (" to\u{3000}be ", &["to", "be"]),
        ("a\u{200b}b", &["a\u{200b}b"]),
    ] {
        assert_eq!(on_text(Builtin::Words, text, &[]), Ok(texts(words)), "{text}");
    }
    let full = on_text(Builtin::Split, &"x".repeat(100_000), &[""]);
    assert_eq!(full.unwrap().as_list().map(<[Value]>::len), Some(100_000));
    let over = on_text(Builtin::Split, &",".repeat(100_000), &[","]);
    assert_eq!(over, Err(TrapKind::Quota(Quota::Elements)));
}

#[test]
fn parts_are_found_and_replaced() {
    let place = |text: &str, part: &str| on_text(Builtin::IndexOf, text, &[part]);
    assert_eq!(place("naïve", "v"), Ok(Value::Int(3)));
    assert_eq!(place("naïve", ""), Ok(Value::Int(0)));
    assert_eq!(place("naïve", "x"), Ok(Value::Null));
    for (text, part, by, result) in [
        ("aaa", "aa", "b", "ba"),
        ("a-b", "-", "", "ab"),
        ("ab", "", "x", "ab"),
        ("", "a", "b", ""),
        ("é", "é", "e\u{301}", "e\u{301}"),
    ] {
        assert_eq!(on_text(Builtin::Replace, text, &[part, by]), Ok(Value::string(result)), "{text}");
    }
    // Refused before it is built: 10,000 times 10,000 bytes.
    let over = on_text(Builtin::Replace, &"x".repeat(10_000), &["x", &"y".repeat(10_000)]);
    assert_eq!(over, Err(TrapKind::Quota(Quota::Bytes)));
}

#[test]
fn numbers_are_read_strictly() {
    for (text, number) in [
        ("0", Some(0)),
        ("-42", Some(-42)),
        ("+42", Some(42)),
        ("007", Some(7)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("", None),
        ("-", None),
        ("--1", None),
        (" 1", None),
        ("1.0", None),
        ("1_000", None),
        ("٣", None),
    ] {
        let expected = number.map_or(Value::Null, Value::Int);
        assert_eq!(on_text(Builtin::ToInt, text, &[]), Ok(expected), "{text}");
    }
    for (text, number) in [
        ("0", Some(0.0)),
        ("-0", Some(0.0)),
        ("1.5", Some(1.5)),
        ("-1.5e3", Some(-1500.0)),
        ("+2E-2", Some(0.02)),
        ("1e999", None),
        ("1e-999", Some(0.0)),
        (".5", None),
        ("5.", None),
        ("1e", None),
        ("1e+", None),
        ("inf", None),
        ("NaN", None),
        ("infinity", None),
        ("", None),
        ("1,5", None),
        ("0x10", None),
        (" 1", None),
    ] {
        let expected = number.map_or(Value::Null, Value::Float);
        assert_eq!(on_text(Builtin::ToFloat, text, &[]), Ok(expected), "{text}");
    }
}

#[test]
fn upper_case_is_full() {
    for (text, upper) in [
        ("", ""),
        ("abc XYZ 1", "ABC XYZ 1"),
        ("straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("日本ｅ", "日本Ｅ"),
    ] {
        assert_eq!(on_text(Builtin::Upper, text, &[]), Ok(Value::string(upper)), "{text}");
    }
}

#[test]
fn only_unreserved_characters_stay_in_a_url() {
    let encoded = on_text(Builtin::UrlEncoded, "aZ09-._~ &=+/?%é😀", &[]);
    assert_eq!(encoded, Ok(Value::string("aZ09-._~%20%26%3D%2B%2F%3F%25%C3%A9%F0%9F%98%80")));
}

#[test]
fn urls_have_parts() {
    for (url, scheme, host, path) in [
        ("https://A.Example:8443/x/y?q=1#top", "https", Some("a.example"), "/x/y"),
        ("HTTP://user:pw@a.example", "http", Some("a.example"), "/"),
        ("https://[::1]/", "https", Some("[::1]"), "/"),
        ("https://0x7f.1/", "https", Some("127.0.0.1"), "/"),
        ("https://good.example\\@bad.example/", "https", Some("good.example"), "/@bad.example/"),
        ("mailto:a@b.example", "mailto", None, "a@b.example"),
        ("file:///etc/hosts", "file", None, "/etc/hosts"),
        ("https://bücher.example/é", "https", Some("xn--bcher-kva.example"), "/%C3%A9"),
    ] {
        assert_eq!(on_text(Builtin::Scheme, url, &[]), Ok(Value::string(scheme)), "{url}");
        assert_eq!(on_text(Builtin::Host, url, &[]), Ok(host.map_or(Value::Null, Value::string)), "{url}");
        assert_eq!(on_text(Builtin::Path, url, &[]), Ok(Value::string(path)), "{url}");
    }
    let long = |label: usize| format!("https://{}.example/", "a.".repeat(label / 2));
    assert_eq!(on_text(Builtin::Host, &long(300), &[]), Ok(Value::Null));
    let query = |url: &str, name: &str| on_text(Builtin::Query, url, &[name]);
    let url = "https://a.example/?q=a+b%21&empty=&q=second&n%C3%A9=1&bad=%FF#x=1";
    assert_eq!(query(url, "q"), Ok(Value::string("a b!")));
    assert_eq!(query(url, "empty"), Ok(Value::string("")));
    assert_eq!(query(url, "né"), Ok(Value::string("1")));
    assert_eq!(query(url, "bad"), Ok(Value::string("\u{fffd}")));
    assert_eq!(query(url, "x"), Ok(Value::Null));
    assert_eq!(query("https://a.example/", "q"), Ok(Value::Null));
}

#[test]
fn links_are_resolved_to_what_may_be_a_value() {
    let resolve = |link: &str| on_text(Builtin::Resolve, "https://a.example/x/y?q", &[link]);
    for (link, leads_to) in [
        ("z", Some("https://a.example/x/z")),
        ("../z?n=1#t", Some("https://a.example/z?n=1#t")),
        ("//b.example", Some("https://b.example/")),
        ("https://c.example/ d", Some("https://c.example/%20d")),
        ("", Some("https://a.example/x/y?q")),
        ("https://[", None),
    ] {
        assert_eq!(resolve(link), Ok(leads_to.map_or(Value::Null, Value::string)), "{link}");
    }
    // The page's folder is 20 characters, a URL at most 2,048.
    assert!(matches!(resolve(&"z".repeat(2_028)), Ok(Value::String(_))));
    assert_eq!(resolve(&"z".repeat(2_029)), Ok(Value::Null));
    assert_eq!(resolve(&"z".repeat(2_049)), Ok(Value::Null));
    // What is no URL never comes here from a checked plan.
    assert!(matches!(on_text(Builtin::Host, "no url", &[]), Err(TrapKind::Malformed(_))));
}
