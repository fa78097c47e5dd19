//! What one call came to.

use bytes::Bytes;
use proof::answers::Answer;
use schema::amount::Amount;
use schema::error::CallError;
use schema::value::Value;

use crate::egress::Timings;

/// The result of one call with everything a journal, a proof and a ledger of money need.
#[derive(Debug, Clone)]
pub struct CallOutcome {
    /// The decoded answer, or why there is none.
    pub result: Result<Value, CallError>,
    /// The request in canonical form, without secrets and signatures: what `request_commit` commits to. Of several
    /// exchanges all of them, one after the other with a line end between.
    pub redacted_request: Bytes,
    /// The body as received; empty where none was, or where it repeated the caller's key. Of several exchanges all
    /// of them, one after the other with a line end between.
    pub response_body: Bytes,
    /// HTTP status, where an answer began.
    pub status: Option<u16>,
    /// When things happened.
    pub timings: Timings,
    /// Requests that are charged: the pages that were asked for, 1 where the answer comes in one piece. One that the peer turned away
    /// is not among them, unless its entry says that it charges those.
    pub pages: u32,
    /// The charge that the peer stated, where the descriptor says where to read it.
    pub observed_cost: Option<Amount>,
    /// Why a charge that the peer stated cannot be read, for people.
    pub unread_charge: Option<String>,
    /// SS58 address of the hotkey the request was signed for: who was asked, not who answered.
    pub peer: Option<String>,
    /// What the bodies are of, in their order, where `peer` signed any of that: each answer with the signature over it that
    /// holds, if there is one. Neighbours without signatures may count as one.
    pub answers: Vec<Answer>,
    /// Whether the request may have left this process. Where not, the call costs nothing.
    pub sent: bool,
}

impl CallOutcome {
    /// A call that ended before anything was sent.
    pub(crate) fn unsent(error: CallError) -> Self {
        Self {
            result: Err(error),
            redacted_request: Bytes::new(),
            response_body: Bytes::new(),
            status: None,
            timings: Timings::default(),
            pages: 1,
            observed_cost: None,
            unread_charge: None,
            peer: None,
            answers: Vec::new(),
            sent: false,
        }
    }
}
