//! The keys of policies and where each applies.

/// Where a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Call,
    For,
    Plan,
}

impl Site {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Call => "a call",
            Self::For => "a `for`",
            Self::Plan => "a plan",
        }
    }
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Timeout,
    Retry,
    Hedge,
    Quorum,
    Accept,
    Fallback,
    Budget,
    Cache,
    MaxPrice,
    Prefer,
    Only,
    Ignore,
    Poll,
    Page,
    Concurrency,
    Tolerate,
    OnError,
    Deadline,
}

impl Key {
    pub(super) const ALL: [Self; 18] = [
        Self::Timeout,
        Self::Retry,
        Self::Hedge,
        Self::Quorum,
        Self::Accept,
        Self::Fallback,
        Self::Budget,
        Self::Cache,
        Self::MaxPrice,
        Self::Prefer,
        Self::Only,
        Self::Ignore,
        Self::Poll,
        Self::Page,
        Self::Concurrency,
        Self::Tolerate,
        Self::OnError,
        Self::Deadline,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
            Self::Quorum => "quorum",
            Self::Accept => "accept",
            Self::Fallback => "fallback",
            Self::Budget => "budget",
            Self::Cache => "cache",
            Self::MaxPrice => "max_price",
            Self::Prefer => "prefer",
            Self::Only => "only",
            Self::Ignore => "ignore",
            Self::Poll => "poll",
            Self::Page => "page",
            Self::Concurrency => "concurrency",
            Self::Tolerate => "tolerate",
            Self::OnError => "on_error",
            Self::Deadline => "deadline",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// What others call it.
    pub(super) fn known_elsewhere(name: &str) -> Option<Self> {
        Some(match name {
            "retries" | "attempts" | "max_retries" | "max_attempts" => Self::Retry,
            "cost" | "max_cost" | "price" => Self::MaxPrice,
            "parallel" | "parallelism" | "max_concurrency" => Self::Concurrency,
            "ttl" | "cache_for" => Self::Cache,
            "default" | "otherwise" => Self::Fallback,
            "exclude" | "except" => Self::Ignore,
            "vote" | "votes" | "voting" => Self::Quorum,
            _ => return None,
        })
    }

    /// Where it applies.
    pub(super) const fn sites(self) -> &'static [Site] {
        match self {
            Self::Budget => &[Site::Call, Site::For, Site::Plan],
            Self::Concurrency | Self::Tolerate | Self::OnError => &[Site::For],
            Self::Deadline => &[Site::Plan],
            _ => &[Site::Call],
        }
    }
}
