//! What the Ledger knows of an operation beside its types.

use super::{Change, Level};
use crate::delivery::Delivery;
use crate::operation::OperationDescriptor;
use crate::price::PriceRule;

pub(super) fn compare(old: &OperationDescriptor, new: &OperationDescriptor, changes: &mut Vec<Change>) {
    let mut change = |level: Level, path: &str, reason: String| {
        changes.push(Change { level, path: path.into(), reason });
    };
    let recompile = Level::NeedsRecompile;
    if old.price != new.price {
        change(recompile, "price", format!("was {}, is {}", price(&old.price), price(&new.price)));
    }
    if old.observed_cost != new.observed_cost {
        change(recompile, "observed_cost", "what a call cost is read from another place".into());
    }
    if old.refusals != new.refusals {
        let are = if new.refusals.are_free() { "costs nothing" } else { "may be charged" };
        change(recompile, "refusals", format!("a request that is turned away {are}"));
    }
    if old.transport != new.transport {
        change(recompile, "transport", "is reached in another way".into());
    }
    if old.auth != new.auth {
        change(recompile, "auth", "wants its callers to identify themselves in another way".into());
    }
    if old.access != new.access {
        change(recompile, "access", format!("was {}, is {}", word(&old.access), word(&new.access)));
    }
    if old.side_effects != new.side_effects {
        let reason = format!("was {}, is {}", word(&old.side_effects), word(&new.side_effects));
        change(recompile, "side_effects", reason);
    }
    match (old.repeat.safe, new.repeat.safe) {
        // `retry` of it is an error now.
        (true, false) => change(Level::Breaking, "repeat.safe", "is not safe to repeat any more".into()),
        (false, true) => change(Level::Compatible, "repeat.safe", "is safe to repeat now".into()),
        _ => {}
    }
    if old.repeat.costs_again != new.repeat.costs_again {
        let reason =
            if new.repeat.costs_again { "is charged again now" } else { "is not charged again any more" };
        change(recompile, "repeat.costs_again", reason.into());
    }
    delivery(old, new, &mut change);
    if old.latency != new.latency {
        change(Level::Compatible, "latency", "has other figures".into());
    }
}

fn delivery(
    old: &OperationDescriptor,
    new: &OperationDescriptor,
    change: &mut impl FnMut(Level, &str, String),
) {
    let how = |delivery: &Option<Delivery>| match delivery {
        None => "at once",
        Some(Delivery::Pages(_)) => "in pages",
        Some(Delivery::Task(_)) => "by a task",
        Some(Delivery::Stream(_)) => "as a stream",
    };
    let (was, is) = (how(&old.delivery), how(&new.delivery));
    if was != is {
        // `page` or `poll` of it is an error now, unless it was there before.
        let level = if old.delivery.is_none() { Level::NeedsRecompile } else { Level::Breaking };
        change(level, "delivery", format!("its answer came {was}, and comes {is}"));
    } else if old.delivery != new.delivery {
        change(Level::NeedsRecompile, "delivery", "its answer is put together in another way".into());
    }
}

fn price(rule: &PriceRule) -> String {
    if let PriceRule::PerCall { amount } = rule {
        return format!("{amount} a call");
    }
    let json = serde_json::to_value(rule).unwrap_or_default();
    json.get("kind").map_or_else(|| json.to_string(), word)
}

/// A closed word as JSON has it.
fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
