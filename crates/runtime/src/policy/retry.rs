//! When a failed attempt is repeated, and how long to wait before it.

use plan_ir::plan::Retry;
use schema::error::CallErrorKind;

/// Whether a call whose `used` retries are spent repeats after a failure of `kind`.
pub(crate) fn repeats(retry: &Retry, used: u32, kind: CallErrorKind) -> bool {
    used < retry.max && retry.on.contains(&kind)
}

/// Microseconds before retry `k` (from 1): `backoff * 2^(k-1)` plus jitter in `[0, backoff]`. The jitter
/// depends on the run's seed and the attempt alone, so that a replay waits as long.
pub(crate) fn delay_us(retry: &Retry, k: u32, seed: u64, attempt: u32) -> u64 {
    let doubled = 1_u64.checked_shl(k.saturating_sub(1)).unwrap_or(u64::MAX);
    let jitter = mix(seed ^ mix(u64::from(attempt))) % retry.backoff_us.saturating_add(1).max(1);
    retry.backoff_us.saturating_mul(doubled).saturating_add(jitter)
}

/// The finaliser of splitmix64: every bit of the input reaches every bit of the output.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_jitter_stays_within_one_backoff() {
        let retry = Retry { max: 4, backoff_us: 1_000, on: vec![] };
        let mut seen = std::collections::BTreeSet::new();
        for attempt in 0..200 {
            for (k, base) in [(1, 1_000), (2, 2_000), (3, 4_000)] {
                let delay = delay_us(&retry, k, 7, attempt);
                assert!((base..=base + 1_000).contains(&delay), "{delay}");
                seen.insert(delay - base);
            }
        }
        assert!(seen.len() > 100, "jitter spreads: {}", seen.len());
        assert_eq!(delay_us(&retry, 2, 7, 3), delay_us(&retry, 2, 7, 3));
        let none = Retry { max: 1, backoff_us: 0, on: vec![] };
        assert_eq!(delay_us(&none, 1, 7, 1), 0);
        assert_eq!(delay_us(&Retry { backoff_us: u64::MAX, ..retry }, 90, 7, 1), u64::MAX);
    }

    #[test]
    fn only_listed_kinds_are_repeated_and_only_so_often() {
        let retry = Retry { max: 2, backoff_us: 0, on: vec![CallErrorKind::Timeout] };
        assert!(repeats(&retry, 0, CallErrorKind::Timeout) && repeats(&retry, 1, CallErrorKind::Timeout));
        assert!(!repeats(&retry, 2, CallErrorKind::Timeout));
        assert!(!repeats(&retry, 0, CallErrorKind::Rejected));
    }
}
