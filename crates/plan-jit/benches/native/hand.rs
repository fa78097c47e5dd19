//! The cases as one would write them in Rust by hand, with the rules of the language: checked integers,
//! floats that stay finite, order by key with equal keys in their order.

use std::collections::HashMap;

use plan_ir::builtin::strings::normalize;

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) score: i64,
    pub(crate) rank: f64,
    pub(crate) lang: Option<String>,
    pub(crate) votes: i64,
}

pub(crate) fn guard(records: &[Record]) -> bool {
    records.first().is_some_and(|r| r.score > 40 && r.lang.as_deref() == Some("en"))
}

pub(crate) fn filter(records: &[Record]) -> Vec<&Record> {
    records.iter().filter(|r| r.score > 40 && r.lang.as_deref() == Some("en")).collect()
}

/// As [`filter`], of a list that is the caller's own, as the result of a plan is.
pub(crate) fn filter_copies(records: &[Record]) -> Vec<Record> {
    filter(records).into_iter().cloned().collect()
}

pub(crate) fn map(records: &[Record]) -> Option<Vec<f64>> {
    records
        .iter()
        .map(|r| {
            let weight = r.rank * 2.0 + 1.0;
            weight.is_finite().then_some(weight)
        })
        .collect()
}

pub(crate) fn top(records: &[Record]) -> Vec<&Record> {
    largest(&records.iter().collect::<Vec<_>>())
}

pub(crate) fn top_copies(records: &[Record]) -> Vec<Record> {
    top(records).into_iter().cloned().collect()
}

/// The ten with the largest rank.
fn largest<'r>(records: &[&'r Record]) -> Vec<&'r Record> {
    let mut places: Vec<(f64, usize)> = records.iter().enumerate().map(|(at, r)| (r.rank, at)).collect();
    let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if places.len() > 10 {
        places.select_nth_unstable_by(9, order);
        places.truncate(10);
    }
    places.sort_unstable_by(order);
    places.iter().filter_map(|(_, at)| records.get(*at).copied()).collect()
}

pub(crate) fn sum(records: &[Record]) -> Option<i64> {
    records.iter().try_fold(0_i64, |sum, r| r.votes.checked_mul(3).and_then(|votes| sum.checked_add(votes)))
}

/// Filter, map, top ten and sum together.
pub(crate) fn list_work(records: &[Record]) -> Option<f64> {
    let kept = filter(records);
    let best: f64 = largest(&kept).iter().map(|r| r.rank).sum();
    let rest: f64 = kept.iter().map(|r| r.rank * 0.5).sum();
    let total = best + rest;
    total.is_finite().then_some(total)
}

pub(crate) fn join(texts: &[String]) -> String {
    let length = texts.iter().map(|text| text.len() + 2).sum::<usize>() + texts.len().saturating_sub(1);
    let mut joined = String::with_capacity(length);
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            joined.push('\n');
        }
        joined.push_str("- ");
        joined.push_str(text);
    }
    joined
}

/// The answer that most agree on; of several, the one whose normal form comes first.
pub(crate) fn vote(texts: &[String]) -> Option<&String> {
    let mut groups: HashMap<String, (usize, usize)> = HashMap::new();
    for (at, text) in texts.iter().enumerate() {
        groups.entry(normalize(text)).or_insert((0, at)).0 += 1;
    }
    let best = groups.iter().max_by(|(a_key, (a, _)), (b_key, (b, _))| a.cmp(b).then(b_key.cmp(a_key)));
    best.and_then(|(_, (_, at))| texts.get(*at))
}
