//! One request of a client: on whose behalf, from which purse, and whether it is still wanted.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::service::RequestContext;
use schema::amount::Amount;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::progress::Progress;
use crate::service::Service;
use crate::spend::{Purse, Reservation};

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) progress: Progress,
    /// Cancelled when the client no longer wants the answer, or has gone.
    pub(crate) unwanted: CancellationToken,
    purse: Option<Arc<Purse>>,
}

impl Request {
    pub(crate) fn new(
        service: Service,
        purse: Option<&Arc<Purse>>,
        context: &RequestContext<RoleServer>,
    ) -> Self {
        Self { service, progress: Progress::of(context), unwanted: context.ct.clone(), purse: purse.cloned() }
    }

    /// Puts `amount` aside in the purse of the session, where it has one.
    pub(crate) fn reserve(&self, amount: Amount) -> Result<Reservation, Fault> {
        self.purse.as_ref().map_or_else(|| Ok(Reservation::unlimited(amount)), |purse| purse.reserve(amount))
    }
}
