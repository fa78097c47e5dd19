//! Plans from their text: what the compiler lays out, the scheduler runs as the language says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use runtime::core::{End, Send};
use schema::error::CallErrorKind;
use schema::price::PriceBasis;
use support::simulator::Answer;
use support::source::{MS, fine, json, question, run};
use support::usd;

#[test]
fn lets_without_a_path_between_them_overlap() {
    let text = r#"
plan main(who: String(1..20)) -> String with { budget: 1USD, deadline: 60s } {
  let a = call echo(q: "a {who}") with quick
  let b = call echo(q: "b {who}") with quick
  let c = call echo(q: "{a.v} then {b.v}") with quick
  return "{a.v} {b.v} {c.v}"
}"#;
    let mut asked = vec![];
    let done = run(text, r#"{"who":"Ann"}"#, |send| {
        asked.push(question(send).to_owned());
        fine(send)
    });
    assert_eq!(json(&done), r#""fine fine fine""#);
    assert_eq!(asked, ["a Ann", "b Ann", "fine then fine"]);
    assert_eq!((done.elapsed_us(), done.finished.as_ref().unwrap().total), (20 * MS, usd(300)));
}

#[test]
fn failed_elements_are_kept_with_their_reason() {
    let text = r#"
record Out { good: [String](..3), bad: [Int](..3), why: [String](..3) }
plan main(items: [String(1..10)](1..3)) -> Out with { budget: 1USD, deadline: 60s } {
  let rows = for item in items with { on_error: keep, concurrency: 2 } {
    let r = call once(q: item) with { timeout: 1s }
    r.v
  }
  return Out {
    good: rows.ok(), bad: rows.errors().map(e => e.index), why: rows.errors().map(e => e.error.code),
  }
}"#;
    let done = run(text, r#"{"items":["x","y","z"]}"#, |send| match question(send) {
        "y" => Some((MS, Err(CallErrorKind::Rejected), None)),
        _ => fine(send),
    });
    assert_eq!(json(&done), r#"{"good":["fine","fine"],"bad":[1],"why":["E1199"]}"#);
}

#[test]
fn branches_sub_plans_and_fallbacks() {
    let text = r#"
plan main(word: String(1..20)) -> String with { budget: 1USD, deadline: 60s } {
  let first = call echo(q: word) with quick
  let text = if first.v == "again" { run second(first.v) } else { "enough: {first.v}" }
  return text
}
plan second(word: String) -> String with { budget: 0.0011USD } {
  let r = call once(q: word) with { timeout: 1s, fallback: OnceOutput { v: "nothing" } }
  let more = call echo(q: r.v) with { timeout: 2s }
  return "second: {more.v}"
}"#;
    let enough = run(text, r#"{"word":"a"}"#, fine);
    assert_eq!(json(&enough), r#""enough: fine""#);
    // What the dear call was reserved for, and may have cost, leaves room for the cheap one, just.
    let fell_back = run(text, r#"{"word":"a"}"#, |send| match question(send) {
        "a" => Some((MS, Ok("again"), None)),
        "again" => Some((MS, Err(CallErrorKind::Rejected), None)),
        _ => fine(send),
    });
    assert_eq!(json(&fell_back), r#""second: fine""#);
    let finished = fell_back.finished.as_ref().unwrap();
    let bases: Vec<_> = finished.costs.iter().map(|row| (row.cost, row.basis)).collect();
    assert_eq!(
        bases,
        [(usd(100), PriceBasis::Known), (usd(1_000), PriceBasis::Assumed), (usd(100), PriceBasis::Known),]
    );
}

#[test]
fn accept_refuses_until_the_answer_is_good_enough() {
    let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let r = call echo(q: "how long?") with quick { accept: r => r.v.len() > 3 }
  return r.v
}"#;
    let mut answers = ["no", "long enough"].into_iter();
    let done = run(text, "", |_| Some((MS, Ok(answers.next().unwrap()), None)));
    assert_eq!((json(&done), done.sent.len()), (r#""long enough""#.into(), 2));
    let never = run(text, "", |_| Some((MS, Ok("no"), None)));
    assert_eq!(never.error().call.unwrap().kind, CallErrorKind::Unaccepted);
    assert!(never.error().span.is_some());
}

#[test]
fn a_failed_ensure_stops_the_purchases_behind_it() {
    let text = r#"
plan main(items: [String(1..10)](0..3)) -> String with { budget: 1USD, deadline: 60s } {
  let found = for item in items with { tolerate: 3 } {
    let r = call echo(q: item) with { timeout: 1s }
    r.v
  }
  ensure found.len() > 0 else "nothing found among {items.len()}"
  let sum = call once(q: found.join(",")) with { timeout: 1s }
  return sum.v
}"#;
    let rejected = |_: &Send| -> Answer { Some((MS, Err(CallErrorKind::Rejected), None)) };
    let done = run(text, r#"{"items":["a","b"]}"#, rejected);
    let error = done.error();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("E1150", "nothing found among 2"));
    assert_eq!(done.sent.len(), 2, "the summary was never bought");
    let done = run(text, r#"{"items":["a"]}"#, fine);
    assert!(matches!(done.finished.unwrap().end, End::Succeeded(_)));
}

#[test]
fn a_decode_that_does_not_fit_fails_its_node() {
    let text = r#"
plan main() -> Url with { budget: 1USD, deadline: 60s } {
  let r = call echo(q: "where?") with quick
  let url = r.v as Url
  return url
}"#;
    let done = run(text, "", |_| Some((MS, Ok("not a url"), None)));
    let error = done.error();
    assert!(error.call.is_none() && error.span.is_some(), "{error:?}");
    let done = run(text, "", |_| Some((MS, Ok("https://a.example/"), None)));
    assert_eq!(json(&done), r#""https://a.example/""#);
}
