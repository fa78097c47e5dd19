//! A small web of pages that compare companies and of pages that tell the size of markets, made up from their names.
//! The hosts are `.example` names, which nobody can own.

use sha2::{Digest as _, Sha256};

use crate::serve::decoded;

/// Results on one page of a search.
const PAGE: usize = 10;

/// One search result.
pub(crate) struct Hit {
    pub(crate) title: String,
    pub(crate) snippet: String,
    pub(crate) link: String,
}

/// What two companies are compared by.
struct Aspect {
    name: &'static str,
    host: &'static str,
    unit: &'static str,
    low: u64,
    span: u64,
    less_is_better: bool,
    method: &'static str,
}

const ASPECTS: [Aspect; 5] = [
    Aspect {
        name: "price",
        host: "pricewatch.example",
        unit: "USD per seat and month",
        low: 19,
        span: 60,
        less_is_better: true,
        method: "List prices of October, without discounts, for fifty seats.",
    },
    Aspect {
        name: "speed",
        host: "bench.example",
        unit: "ms for a median request",
        low: 40,
        span: 160,
        less_is_better: true,
        method: "Measured from three regions over one week, with the same ten thousand requests.",
    },
    Aspect {
        name: "reliability",
        host: "status.example",
        unit: "hours without an incident in a month",
        low: 690,
        span: 40,
        less_is_better: false,
        method: "From the public status pages of both, incidents of every severity counted.",
    },
    Aspect {
        name: "support",
        host: "reviews.example",
        unit: "minutes until a person answers",
        low: 8,
        span: 110,
        less_is_better: true,
        method: "Two hundred tickets by two hundred customers, on weekdays and at night.",
    },
    Aspect {
        name: "integrations",
        host: "catalogue.example",
        unit: "data sources connected out of the box",
        low: 25,
        span: 150,
        less_is_better: false,
        method: "Counted in the documentation; sources that need a partner were left out.",
    },
];

/// Who publishes the size of markets, and by which factor its figures differ from those of the others, in percent.
const PUBLISHERS: [(&str, &str, u64); 6] = [
    ("Statbook", "statbook.example", 100),
    ("the Ledger Post", "ledgerpost.example", 92),
    ("Tradewire", "tradewire.example", 108),
    ("Analysts United", "analysts.example", 117),
    ("the Chamber of Trade", "chamber.example", 97),
    // Some want to sell a report.
    ("Moonshot Research", "moonshot.example", 940),
];

/// The year that all of them write about.
const YEAR: u32 = 2026;

/// Results for a query such as `Halcyon versus Meridian` or `garden robots market size`, best first, from number
/// `start` on.
pub(crate) fn search(query: &str, start: usize) -> Vec<Hit> {
    let hits = match (pair_in(query), market_in(query)) {
        (Some((company, rival)), _) => comparisons(company, rival),
        (None, Some(market)) => market_reports(market),
        (None, None) => vec![Hit {
            title: format!("{query}: an overview"),
            snippet: format!("What is known about {query}, with sources."),
            link: format!("https://encyclopedia.example/wiki/{}", segment(query)),
        }],
    };
    hits.into_iter().skip(start).take(PAGE).collect()
}

fn market_reports(market: &str) -> Vec<Hit> {
    let reports = PUBLISHERS.iter().map(|(name, host, _)| Hit {
        title: format!("The market for {market}, by {name}"),
        snippet: format!("How much is spent on {market}, and who spends it."),
        link: format!("https://{host}/markets/{}", segment(market)),
    });
    reports.collect()
}

fn comparisons(company: &str, rival: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = ASPECTS
        .iter()
        .map(|aspect| Hit {
            title: format!("{company} or {rival}? {} compared", capitalised(aspect.name)),
            snippet: format!("We looked at the {} of {company} and {rival}.", aspect.name),
            link: format!(
                "https://{}/{}/vs/{}/{}",
                aspect.host,
                segment(company),
                segment(rival),
                aspect.name
            ),
        })
        .collect();
    // Searches bring up noise, and plans are expected to filter it.
    hits.insert(
        1,
        Hit {
            title: "Ten tips for choosing a vendor".into(),
            snippet: "Start with what you need, not with what they offer.".into(),
            link: "https://tips.example/vendors".into(),
        },
    );
    hits
}

/// The text of a page that a search found; `None` for an address that is not of this web.
pub(crate) fn crawl(url: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let parts: Vec<String> = path.split('/').map(name_of).collect();
    match (host, parts.as_slice()) {
        ("encyclopedia.example", [wiki, topic]) if wiki == "wiki" => Some(format!(
            "{topic}\n{url}\n\n{topic} has been written about for years. This page sums up what is agreed on.\n"
        )),
        (_, [markets, market]) if markets == "markets" => {
            let (name, _, percent) = PUBLISHERS.iter().find(|(_, publisher, _)| *publisher == host)?;
            let millions = (35 + number_of(&market.to_lowercase()) % 600) * percent;
            Some(format!(
                "The market for {market}\n{url}\n\n\
                 The market for {market} is worth {millions} million USD in {YEAR}, says {name}. \
                 Most of it is spent by companies with fewer than fifty people.\n"
            ))
        }
        ("tips.example", _) => Some(format!("Ten tips for choosing a vendor\n{url}\n\nAsk for a trial.\n")),
        (_, [company, versus, rival, name]) if versus == "vs" => {
            let aspect = ASPECTS.iter().find(|aspect| aspect.host == host && aspect.name == name)?;
            Some(comparison(aspect, company, rival, url))
        }
        _ => None,
    }
}

fn comparison(aspect: &Aspect, company: &str, rival: &str, url: &str) -> String {
    let (own, other) = (figure(aspect, company), figure(aspect, rival));
    let verdict = match own.cmp(&other) {
        std::cmp::Ordering::Equal => "is level with",
        order if order.is_lt() == aspect.less_is_better => "is ahead of",
        _ => "is behind",
    };
    let Aspect { name, unit, method, .. } = aspect;
    format!(
        "{} of {company} and {rival}\n{url}\n\n\
         On {name}, {company} {verdict} {rival}: {own} against {other} {unit}. {method}\n",
        capitalised(name)
    )
}

/// A number for a company that is the same wherever it is asked for.
fn figure(aspect: &Aspect, company: &str) -> u64 {
    aspect.low + number_of(&format!("{}|{}", aspect.name, company.to_lowercase())) % aspect.span
}

/// A number that depends on `text` alone.
pub(crate) fn number_of(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn pair_in(query: &str) -> Option<(&str, &str)> {
    let (company, rival) = [" versus ", " vs. ", " vs "].iter().find_map(|word| query.split_once(word))?;
    let (company, rival) = (company.trim(), rival.trim());
    (!company.is_empty() && !rival.is_empty()).then_some((company, rival))
}

/// The market in "garden robots market size".
fn market_in(query: &str) -> Option<&str> {
    let (market, _) = query.split_once(" market")?;
    (!market.trim().is_empty()).then(|| market.trim())
}

/// A name as a path segment, readable for plain names.
fn segment(name: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b' ' => out.push('_'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn name_of(segment: &str) -> String {
    decoded(&segment.replace('_', " ").replace('+', "%2B"))
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
