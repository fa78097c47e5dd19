//! What a plan's policies mean, one file per policy.

pub(crate) mod budget;
pub(crate) mod quorum;
pub(crate) mod retry;
pub(crate) mod route;
