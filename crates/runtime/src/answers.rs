//! Answers that later runs may use, by what was asked: the operation's entry, where it is served, and its input.
//!
//! They are stored when the run that paid for them ends, since only then has it a proof they can point to.

use plan_ir::graph::NodeId;
use schema::hash::{Context, Hash};
use schema::types::Type;
use schema::value::Value;
use serde::{Deserialize, Serialize};
use store::{Append, Log, ViewScan};

use crate::core::{Hit, Lookup, Prepared};
use crate::driver::Services;
use crate::journal::{Body, decode, encode, unversioned, versioned};

/// Answers by `<tenant>/<hash of what was asked>`.
const ANSWERS: &str = "answers";
/// Their keys by the time they were stored.
const BY_TIME: &str = "answers.by_time";
/// How long an answer is kept at most, microseconds: the longest that a plan may ask for.
const KEPT_US: u64 = 7 * 24 * 3_600 * 1_000_000;
/// Answers that one run keeps; of more, the first.
pub(crate) const ANSWERS_MAX: usize = 1_000;
/// Outdated answers that are removed for each one that is added, so that they cannot pile up.
const REMOVED_PER_ADDED: usize = 2;

/// An answer in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    at_us: u64,
    answer: Body,
    origin: Hash,
}

/// An accepted answer of a run under way.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) node: NodeId,
    pub(crate) iteration: Vec<u32>,
    pub(crate) operation: u32,
    pub(crate) request: Value,
    pub(crate) pages: u32,
    pub(crate) answer: Value,
}

/// The newest answer that a call may use, of the first of its requests that has one.
pub(crate) async fn find(
    services: &Services,
    plan: &Prepared,
    tenant: &str,
    lookup: &Lookup,
    now_us: u64,
) -> Result<Option<Hit>, store::Error> {
    let log = &*services.log;
    for (index, (operation, request)) in (0_u32..).zip(&lookup.requests) {
        let Some(key) = key(services, plan, tenant, *operation, (request, lookup.pages)) else { continue };
        let Some(row) = log.view_get(ANSWERS, &key).await? else { continue };
        // What an older version of this program stored is no answer.
        let Ok(stored) = unversioned::<Stored>(&row) else { continue };
        if now_us.saturating_sub(stored.at_us) > lookup.age_us {
            continue;
        }
        let Ok(bytes) = stored.answer.fetch(log).await else { continue };
        let Ok(answer) = decode(&bytes) else { continue };
        return Ok(Some(Hit { request: index, answer, origin: stored.origin }));
    }
    Ok(None)
}

/// Adds `answers`, each with the lock of its leaf, to an append, and removes some that are outdated.
pub(crate) async fn keep(
    mut append: Append,
    services: &Services,
    plan: &Prepared,
    tenant: &str,
    answers: Vec<(Answered, Hash)>,
    now_us: u64,
) -> Append {
    let mut removable = 0;
    for (answered, origin) in answers {
        let asked = (&answered.request, answered.pages);
        let Some(key) = key(services, plan, tenant, answered.operation, asked) else { continue };
        let answer = Body::new(encode(&answered.answer).into(), &mut append.blobs);
        let stored = versioned(&Stored { at_us: now_us, answer, origin });
        append = append.view(BY_TIME, time_key(now_us, &key), key.clone()).view(ANSWERS, key, stored);
        removable += REMOVED_PER_ADDED;
    }
    if removable == 0 {
        return append;
    }
    // Keeping too much for a while does no harm, so a failure to look is none of the run's.
    let oldest = services.log.view_scan(ViewScan::of(BY_TIME, removable)).await.unwrap_or_default();
    for row in oldest {
        let at_us = row.key.split_once('-').and_then(|(at, _)| at.parse::<u64>().ok()).unwrap_or(0);
        if now_us.saturating_sub(at_us) <= KEPT_US {
            break;
        }
        let key = String::from_utf8_lossy(&row.value).into_owned();
        if is_of(&*services.log, &key, at_us).await {
            append = append.drop_view(ANSWERS, key);
        }
        append = append.drop_view(BY_TIME, row.key);
    }
    append
}

/// Whether the answer under `key` is still the one that was stored then.
async fn is_of(log: &dyn Log, key: &str, at_us: u64) -> bool {
    let row = log.view_get(ANSWERS, key).await.ok().flatten();
    row.and_then(|row| unversioned::<Stored>(&row).ok()).is_some_and(|stored| stored.at_us == at_us)
}

/// Sorts by time.
fn time_key(at_us: u64, key: &str) -> String {
    format!("{at_us:020}-{key}")
}

fn key(
    services: &Services,
    plan: &Prepared,
    tenant: &str,
    operation: u32,
    (request, pages): (&Value, u32),
) -> Option<String> {
    let facts = plan.operation(operation);
    let input = plan.plan.body.operations.get(operation as usize)?.input;
    let request = schema::encode::canonical(request, &Type::Named(input), &plan.types).ok()?;
    let descriptor = &facts.descriptor;
    let endpoint = services.endpoint(&descriptor.id, descriptor.netuid).unwrap_or_default();
    let pages = pages.to_be_bytes();
    let hash = Context::Body.hash(&[b"answer", &facts.entry.0, endpoint.as_bytes(), b"\0", &pages, &request]);
    Some(format!("{tenant}/{}", hash.to_hex()))
}
