//! The latest calls of each operation, and what they say.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use plan_compiler::DEFAULT_TIMEOUT_US;
use schema::amount::{Amount, Currency};
use schema::error::CallErrorKind;
use schema::operation::OperationId;
use schema::route::{CallSample, Route, RouteTable};

/// Calls of one operation that count: the latest.
const CALLS_MAX: usize = 200;
/// How long a call counts, microseconds.
const AGE_MAX_US: i64 = 3_600_000_000;
/// Latencies, and charges, from which on their median says more than what the entry of the operation says, or of one who called.
const MEDIAN_MIN: usize = 5;
/// Latencies from which on their 95th percentile is one.
const P95_MIN: usize = 100;
/// First byte of a row.
const ROW_VERSION: u8 = 2;
/// A call in a row: when it began, how many milliseconds it took, how it ended, and what it was charged in which currency.
const CALL_BYTES: usize = 8 + 4 + 1 + 8 + 1;

/// The calls of all operations.
#[derive(Debug, Default)]
pub(super) struct Calls {
    operations: BTreeMap<OperationId, VecDeque<Call>>,
    /// The operations whose rows are not what is known.
    changed: BTreeSet<OperationId>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Call {
    at_us: i64,
    ms: u32,
    ended: Ended,
    /// What its answer says that a request was charged.
    charged: Option<Amount>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    Answered = 0,
    /// Without an answer in time: it would have taken longer.
    Late = 1,
    Failed = 2,
}

impl Ended {
    /// `None` where the reason lies with who called, or nothing can be said.
    const fn of(error: Option<CallErrorKind>) -> Option<Self> {
        use CallErrorKind as Kind;
        match error {
            None => Some(Self::Answered),
            Some(Kind::Timeout) => Some(Self::Late),
            Some(Kind::Unavailable | Kind::RateLimited | Kind::Invalid) => Some(Self::Failed),
            Some(
                Kind::Unauthorized
                | Kind::Rejected
                | Kind::Unaccepted
                | Kind::NoQuorum
                | Kind::OverBudget
                | Kind::Interrupted
                | Kind::Cancelled,
            ) => None,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Answered),
            1 => Some(Self::Late),
            2 => Some(Self::Failed),
            _ => None,
        }
    }
}

impl Calls {
    pub(super) fn take(&mut self, sample: &CallSample) {
        let Some(ended) = Ended::of(sample.error) else { return };
        // Who waits for less than calls do unless they say so, or is told by a gateway at once, makes no operation fast.
        let least_us = if ended == Ended::Late { DEFAULT_TIMEOUT_US } else { 0 };
        let ms = u32::try_from(sample.duration_us.max(least_us).div_ceil(1_000)).unwrap_or(u32::MAX);
        let charged = sample.cost.filter(|_| ended == Ended::Answered);
        let call = Call { at_us: sample.started_at_us, ms, ended, charged };
        let calls = self.operations.entry(sample.operation.clone()).or_default();
        while calls.len() >= CALLS_MAX {
            calls.pop_front();
        }
        calls.push_back(call);
        self.changed.insert(sample.operation.clone());
    }

    /// What is known of each operation at this moment. Forgets what is too old.
    pub(super) fn routes(&mut self, now_us: i64) -> RouteTable {
        let oldest = now_us.saturating_sub(AGE_MAX_US);
        let changed = &mut self.changed;
        self.operations.retain(|operation, calls| {
            let before = calls.len();
            calls.retain_mut(|call| {
                // A clock that was set back, or is ahead of this one, makes no call count for longer.
                call.at_us = call.at_us.min(now_us);
                call.at_us >= oldest
            });
            if calls.len() < before {
                changed.insert(operation.clone());
            }
            !calls.is_empty()
        });
        let routes = self.operations.iter().map(|(operation, calls)| (operation.clone(), route(calls)));
        let charged = self
            .operations
            .iter()
            .filter_map(|(operation, calls)| Some((operation.clone(), charged(calls)?)));
        RouteTable { routes: routes.collect(), charged: charged.collect() }
    }

    /// The operations whose rows are not what is known.
    pub(super) fn changed(&self) -> Vec<OperationId> {
        self.changed.iter().cloned().collect()
    }

    pub(super) fn are_stored(&mut self, operations: &[OperationId]) {
        for operation in operations {
            self.changed.remove(operation);
        }
    }

    /// The row of an operation; `None` where nothing is known of it any more.
    pub(super) fn row(&self, operation: &str) -> Option<Vec<u8>> {
        let calls = self.operations.get(operation)?;
        let call = |call: &Call| {
            let (at, ms, ended) = (call.at_us.to_be_bytes(), call.ms.to_be_bytes(), [call.ended as u8]);
            let (units, currency) = match call.charged {
                None => (0, NOTHING_SAID),
                Some(amount) => (amount.units, byte_of(amount.currency)),
            };
            at.into_iter().chain(ms).chain(ended).chain(units.to_be_bytes()).chain([currency])
        };
        Some([ROW_VERSION].into_iter().chain(calls.iter().flat_map(call)).collect())
    }

    /// Reads a row. What is of another version or damaged counts for nothing, and is written anew.
    pub(super) fn read(&mut self, operation: OperationId, row: &[u8]) {
        let Some((&ROW_VERSION, row)) = row.split_first() else {
            self.changed.insert(operation);
            return;
        };
        let call = |bytes: &[u8; CALL_BYTES]| {
            let (at, rest) = bytes.split_first_chunk()?;
            let (ms, rest) = rest.split_first_chunk()?;
            let (ended, rest) = rest.split_first()?;
            let (units, currency) = rest.split_first_chunk()?;
            let (at_us, ms) = (i64::from_be_bytes(*at), u32::from_be_bytes(*ms));
            let charged = match *currency.first()? {
                NOTHING_SAID => None,
                byte => Some(Amount::new(u64::from_be_bytes(*units), currency_of(byte)?)),
            };
            Some(Call { at_us, ms, ended: Ended::of_byte(*ended)?, charged })
        };
        let (bytes, rest) = row.as_chunks();
        let calls: VecDeque<Call> = bytes.iter().filter_map(call).collect();
        if !rest.is_empty() || calls.len() < bytes.len() {
            self.changed.insert(operation.clone());
        }
        self.operations.insert(operation, calls);
    }
}

/// The currency of a call in a row whose answer did not say what it was charged.
const NOTHING_SAID: u8 = 0;

const fn byte_of(currency: Currency) -> u8 {
    match currency {
        Currency::Rao => 1,
        Currency::MicroUsd => 2,
    }
}

fn currency_of(byte: u8) -> Option<Currency> {
    [Currency::Rao, Currency::MicroUsd].into_iter().find(|currency| byte_of(*currency) == byte)
}

/// The median of the charges that answers of one operation state, in the currency of the latest.
fn charged(calls: &VecDeque<Call>) -> Option<Amount> {
    let charged = || calls.iter().filter_map(|call| call.charged);
    let currency = charged().next_back()?.currency;
    let mut units: Vec<u64> =
        charged().filter(|amount| amount.currency == currency).map(|amount| amount.units).collect();
    units.sort_unstable();
    percentile(&units, 50, MEDIAN_MIN).map(|units| Amount::new(units, currency))
}

/// The value that so many percent of `sorted`, less than 100, lie below; `None` of fewer than `least`.
fn percentile<T: Copy>(sorted: &[T], percent: usize, least: usize) -> Option<T> {
    sorted.get(sorted.len() * percent / 100).copied().filter(|_| sorted.len() >= least)
}

/// What the calls of one operation say.
fn route(calls: &VecDeque<Call>) -> Route {
    let timed = calls.iter().filter(|call| call.ended != Ended::Failed);
    let mut latencies: Vec<u32> = timed.map(|call| call.ms).collect();
    latencies.sort_unstable();
    let answered = calls.iter().filter(|call| call.ended == Ended::Answered).count();
    Route {
        calls: u32::try_from(calls.len()).unwrap_or(u32::MAX),
        latency_ms_p50: percentile(&latencies, 50, MEDIAN_MIN),
        latency_ms_p95: percentile(&latencies, 95, P95_MIN),
        success_share: Some(Route::success_share_of(answered, calls.len())),
        price: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 2 * AGE_MAX_US;

    fn sample(at_us: i64, ms: u64, error: Option<CallErrorKind>) -> CallSample {
        let (operation, duration_us) = ("sn1.a".to_owned(), ms * 1_000);
        CallSample { operation, started_at_us: at_us, duration_us, error, cost: None }
    }

    fn calls(samples: impl IntoIterator<Item = (u64, Option<CallErrorKind>)>) -> Calls {
        let mut calls = Calls::default();
        samples.into_iter().for_each(|(ms, error)| calls.take(&sample(NOW, ms, error)));
        calls
    }

    fn known(calls: &mut Calls, now_us: i64) -> Route {
        calls.routes(now_us).routes.remove("sn1.a").unwrap()
    }

    #[test]
    fn latencies_are_those_of_answers_and_of_what_came_too_late() {
        let of = |count| (1..=count).map(|ms| (ms, None));
        assert_eq!(known(&mut calls(of(4)), NOW).latency_ms_p50, None);
        let few = known(&mut calls(of(5).chain([(900, Some(CallErrorKind::Unavailable))])), NOW);
        assert_eq!((few.latency_ms_p50, few.latency_ms_p95), (Some(3), None));
        let late = |ms| (0..6).map(move |_| (ms, Some(CallErrorKind::Timeout)));
        assert_eq!(known(&mut calls(of(5).chain(late(40_000))), NOW).latency_ms_p50, Some(40_000));
        // However soon it was told that there would be no answer in time.
        assert_eq!(known(&mut calls(of(5).chain(late(1))), NOW).latency_ms_p50, Some(30_000));
        let many = known(&mut calls(of(100)), NOW);
        assert_eq!((many.latency_ms_p50, many.latency_ms_p95), (Some(51), Some(96)));
        // The latest count: those of 101 to 300.
        assert_eq!(known(&mut calls(of(300)), NOW).latency_ms_p50, Some(201));
    }

    #[test]
    fn what_lies_with_the_caller_says_nothing() {
        let told = |kind| calls([(1, Some(kind))]).routes(NOW).routes.len();
        let counted = CallErrorKind::ALL.into_iter().filter(|kind| told(*kind) == 1);
        let expected = [
            CallErrorKind::Timeout,
            CallErrorKind::Unavailable,
            CallErrorKind::RateLimited,
            CallErrorKind::Invalid,
        ];
        assert!(counted.eq(expected));
    }

    #[test]
    fn few_calls_say_little() {
        let share = |answered: usize, failed: usize| {
            let failures = (0..failed).map(|_| (1, Some(CallErrorKind::Unavailable)));
            let all = (0..answered).map(|_| (1, None)).chain(failures);
            known(&mut calls(all), NOW).success_share.unwrap()
        };
        assert!(share(0, 1) < 0.5 && share(1, 0) > 0.5 && share(1, 0) < share(9, 1));
        assert!((share(98, 2) - 0.97).abs() < 0.005);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut calls = calls([(1, None)]);
        calls.are_stored(&calls.changed());
        assert_eq!(calls.routes(NOW + AGE_MAX_US).routes.len(), 1);
        assert!(calls.changed().is_empty());
        assert!(calls.routes(NOW + AGE_MAX_US + 1).routes.is_empty());
        // So is what comes from a clock that is ahead, an hour after it was seen.
        calls.take(&sample(i64::MAX, 1, None));
        assert_eq!(calls.routes(NOW).routes.len(), 1);
        assert!(calls.routes(NOW + AGE_MAX_US + 1).routes.is_empty());
        // Its row, too.
        assert_eq!(calls.changed(), ["sn1.a"]);
        assert_eq!(calls.row("sn1.a"), None);
    }

    #[test]
    fn charges_are_those_that_answers_tell_in_the_currency_of_the_latest() {
        let mut calls = Calls::default();
        let mut told = |cost: Amount, error| {
            calls.take(&CallSample { cost: Some(cost), ..sample(NOW, 1, error) });
            calls.take(&sample(NOW, 1, None));
            calls.routes(NOW).charged.remove("sn1.a")
        };
        let usd = |units| Amount::new(units, Currency::MicroUsd);
        for kind in CallErrorKind::ALL {
            assert_eq!(told(usd(9), Some(kind)), None);
        }
        for units in [9_000, 1_000, 8_000, 2_000] {
            assert_eq!(told(usd(units), None), None);
        }
        assert_eq!(told(usd(3_000), None), Some(usd(3_000)));
        assert_eq!(told(usd(4_000), None), Some(usd(4_000)));
        let rao = Amount::new(7, Currency::Rao);
        for known in [None, None, None, None, Some(rao)] {
            assert_eq!(told(rao, None), known);
        }
    }

    #[test]
    fn rows_are_read_back() {
        let kinds = [None, Some(CallErrorKind::Timeout), Some(CallErrorKind::Invalid)];
        let mut calls = calls((0..17).zip(kinds.into_iter().cycle()));
        for (units, currency) in [(u64::MAX, Currency::Rao), (0, Currency::MicroUsd), (1, Currency::MicroUsd)]
        {
            calls.take(&CallSample { cost: Some(Amount::new(units, currency)), ..sample(NOW, 1, None) });
        }
        let row = calls.row("sn1.a").unwrap();
        let mut read = Calls::default();
        read.read("sn1.a".to_owned(), &row);
        assert_eq!(read.operations, calls.operations);
        let [other_currency, other_end] = [1, 10].map(|from_behind| {
            let mut row = row.clone();
            let at = row.len() - from_behind;
            *row.get_mut(at).unwrap() = 3;
            row
        });
        let earlier = [&[1][..], &[0; 13]].concat();
        for damaged in [&[][..], &earlier, row.get(..row.len() - 1).unwrap(), &other_currency, &other_end] {
            let mut read = Calls::default();
            read.read("sn1.b".to_owned(), damaged);
            let known = read.operations.get("sn1.b").map_or(0, VecDeque::len);
            assert_eq!(known, if damaged.len() < 20 { 0 } else { 19 });
            assert_eq!(read.changed(), ["sn1.b"]);
        }
    }
}
