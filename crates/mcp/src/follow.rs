//! Calls and runs from their start to their end: progress while they go on, cancelled when nobody wants them, settled
//! whatever happens.

use std::time::Duration;

use proto::v1;
use proto::v1::stream_response::Event;
use schema::amount::Amount;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::fault::Fault;
use crate::money;
use crate::request::Request;
use crate::service::Service;
use crate::spend::{Charge, Reservation, Unsure};

/// Code that the server gives to what its gRPC library refuses, which may have begun before.
const UNREADABLE: &str = "E1516";
/// What the metadata of an error call the number of requests without a published price.
const UNPRICED: &str = "unpriced_requests";
/// What they call the most that the other requests may cost.
const PRICED: &str = "priced_cost";
/// How often the service is asked with another number of requests: it may change with what is published in between.
const ADMISSIONS_MAX: u32 = 4;
/// Code of a call or run that was cancelled.
const CANCELLED: &str = "E1508";

/// Makes a call. When the client cancels it, the stream is let go, which makes the service cancel the call.
pub(crate) async fn call(
    request: &mut Request,
    mut call: v1::CallRequest,
    mut reserved: Reservation,
) -> Result<v1::CallResponse, Fault> {
    let mut admissions = 0;
    let mut stream = loop {
        admissions += 1;
        call.unpriced_requests_max = reserved.unpriced_max();
        let stream = v1::StreamRequest { call: Some(call.clone()), want_items: false };
        match request.service.calls().stream(stream).await {
            Ok(stream) => break stream.into_inner(),
            Err(status) => reserved = admitted_with_more(status, reserved, admissions)?,
        }
    };
    let mut run = String::new();
    loop {
        let event = tokio::select! {
            // Until its run has a name nobody could say what became of it; the name comes at once.
            () = request.unwanted.cancelled(), if !run.is_empty() => {
                drop(stream);
                settle_later(request.service.clone(), run.clone(), reserved);
                return Err(cancelled(&run));
            }
            event = stream.message() => event,
        };
        match event.map(|message| message.and_then(|message| message.event)) {
            Ok(Some(Event::Accepted(accepted))) => run = accepted.run,
            Ok(Some(Event::Attempt(event))) => request.progress.event(&event).await,
            Ok(Some(Event::Item(_))) => {}
            Ok(Some(Event::Completed(answer))) => {
                let charge = charge(answer.total.as_ref(), answer.total_certain, &answer.costs);
                reserved.charged(&answer.run, charge);
                return Ok(answer);
            }
            Ok(None) => {
                let ended = Status::unavailable("the call ended without an answer");
                return Err(refused(ended, reserved).of_run(&run));
            }
            Err(status) => return Err(refused(status, reserved).of_run(&run)),
        }
    }
}

/// Starts a run and follows it for up to `wait`; the run as it stands then. One that goes on is settled when it ends.
pub(crate) async fn run(
    request: &mut Request,
    mut create: v1::CreateRunRequest,
    mut reserved: Reservation,
    wait: Duration,
) -> Result<v1::Run, Fault> {
    let mut admissions = 0;
    let created = loop {
        admissions += 1;
        create.unpriced_requests_max = reserved.unpriced_max();
        match request.service.runs().create_run(create.clone()).await {
            Ok(created) => break created.into_inner().run.unwrap_or_default(),
            Err(status) => reserved = admitted_with_more(status, reserved, admissions)?,
        }
    };
    let name = created.name;
    let followed = tokio::select! {
        followed = watch(request, &name) => followed.map(|()| true),
        () = tokio::time::sleep(wait) => Ok(false),
    };
    let service = request.service.clone();
    match followed {
        Ok(true) => {}
        Ok(false) => {
            settle_later(service.clone(), name.clone(), reserved);
            return Ok(service.run(&name).await?);
        }
        Err(fault) => {
            settle_later(service, name, reserved);
            return Err(fault);
        }
    }
    let ended = service.run(&name).await?;
    reserved.charged(&name, charge_of(&ended));
    Ok(ended)
}

/// Tells the events of a run until it has ended, or cancels it where nobody wants it any more.
async fn watch(request: &mut Request, run: &str) -> Result<(), Fault> {
    let Request { service, progress, unwanted, .. } = request;
    let mut events = service.runs().watch_run(watching(run)).await?.into_inner();
    loop {
        let event = tokio::select! {
            () = unwanted.cancelled() => {
                let cancel = v1::CancelRunRequest { name: run.to_owned() };
                service.runs().cancel_run(cancel).await?;
                return Err(cancelled(run));
            }
            event = events.message() => event,
        };
        match event.map_err(|status| Fault::from(status).with("run", run))? {
            Some(message) => progress.event(&message.event.unwrap_or_default()).await,
            None => return Ok(()),
        }
    }
}

fn watching(run: &str) -> v1::WatchRunRequest {
    v1::WatchRunRequest { name: run.to_owned(), after_seq: 0 }
}

/// Settles a reservation when the run has ended. Where that cannot be learned it counts in full.
fn settle_later(service: Service, run: String, reserved: Reservation) {
    tokio::spawn(async move {
        let ended = async {
            let mut events = service.runs().watch_run(watching(&run)).await?.into_inner();
            while events.message().await?.is_some() {}
            service.run(&run).await
        };
        if let Ok(ended) = ended.await {
            reserved.charged(&run, charge_of(&ended));
        }
    });
}

/// What is set aside when the service has said how many requests without a price there may be, which are more than the
/// reservation is for: it is asked again with that. Any other refusal is an error, and so is one of more than can be asked
/// for, or after so many `admissions` that another would be no use.
fn admitted_with_more(status: Status, reserved: Reservation, admissions: u32) -> Result<Reservation, Fault> {
    let info = status.get_details_error_info();
    let said = |name: &str| info.as_ref().and_then(|info| info.metadata.get(name));
    let requests = said(UNPRICED).and_then(|text| text.parse::<u32>().ok());
    let priced = said(PRICED).and_then(|text| text.parse::<Amount>().ok());
    let admitted = reserved.unpriced_max();
    match requests {
        Some(requests)
            if admissions < ADMISSIONS_MAX && admitted.is_some_and(|admitted| requests > admitted) =>
        {
            reserved.for_unpriced(requests, priced)
        }
        _ => Err(refused(status, reserved)),
    }
}

fn charge_of(run: &v1::Run) -> Charge {
    charge(run.total.as_ref(), run.total_certain, &run.costs)
}

/// What something that ended was charged by its rows.
fn charge(total: Option<&v1::Amount>, certain: bool, rows: &[v1::CostRow]) -> Charge {
    let is_sure =
        |row: &&v1::CostRow| matches!(row.basis(), v1::PriceBasis::Known | v1::PriceBasis::Observed);
    let (mut requests, mut units) = (0_u64, 0_u64);
    for row in rows.iter().filter(|row| !is_sure(row)) {
        requests = requests.saturating_add(row.attempts.into());
        units = units.saturating_add(row.cost.map_or(0, |cost| cost.units));
    }
    let unsure = match certain {
        true => Unsure::Nothing,
        // A service that is unsure of no row is so of something that it does not name.
        false if requests == 0 => Unsure::All,
        false => Unsure::Requests { requests, units },
    };
    Charge { total: money::of_wire(total), unsure }
}

/// A call or run that gave no answer, with what it was charged settled.
fn refused(status: Status, reserved: Reservation) -> Fault {
    match status.get_details_error_info() {
        Some(info) => match info.metadata.get("run") {
            Some(run) => {
                let charged = info.metadata.get("charged").and_then(|text| text.parse::<Amount>().ok());
                let certain = info.metadata.get("certain").is_some_and(|text| text == "true");
                let unsure = if certain { Unsure::Nothing } else { Unsure::All };
                reserved.charged(run, Charge { total: charged, unsure });
            }
            None if info.reason != UNREADABLE => reserved.release(),
            None => drop(reserved),
        },
        // The way to the service broke; what was sent nobody knows.
        None => drop(reserved),
    }
    Fault::from(status)
}

fn cancelled(run: &str) -> Fault {
    let help = "get_run says what it cost when what was sent is settled";
    Fault::new(CANCELLED, "it was cancelled", help).with("run", run)
}

/// Why a run has no result, if it ended without one.
pub(crate) fn failure(run: &v1::Run) -> Option<Fault> {
    let cancelled = v1::RunError {
        code: CANCELLED.into(),
        message: "the run was cancelled".into(),
        ..v1::RunError::default()
    };
    let error = match run.state() {
        v1::RunState::Failed => run.error.as_ref().unwrap_or(&cancelled),
        v1::RunState::Cancelled => &cancelled,
        _ => return None,
    };
    let mut fault = Fault::new(&error.code, &error.message, "")
        .with("run", run.name.as_str())
        .with("charged", money::text(run.total.as_ref()))
        .with("certain", run.total_certain)
        .with("proof_id", run.proof_id.as_str());
    for (name, value) in [("node", &error.node), ("call_kind", &error.call_kind), ("path", &error.path)] {
        if !value.is_empty() {
            fault = fault.with(name, value.as_str());
        }
    }
    if let Some(span) = &error.span {
        fault = fault.with("line", span.line).with("column", span.column);
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::spend::Purse;

    fn refusal(requests: &str) -> Status {
        let metadata = [(UNPRICED, requests), (PRICED, "0.05 USD")];
        let metadata: HashMap<_, _> =
            metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let details = ErrorDetails::with_error_info("E1402", "orchestra", metadata);
        Status::with_error_details(Code::FailedPrecondition, "too many", details)
    }

    #[test]
    fn a_number_of_requests_that_fits_is_asked_for_and_any_other_refused() {
        let purse = Arc::new(Purse::new("1000000000USD".parse().unwrap(), None));
        let asked = |requests: &str, admissions| {
            let reserved = purse.reserve("0.051USD".parse().unwrap()).unwrap();
            let again = admitted_with_more(refusal(requests), reserved, admissions);
            again.map(|reserved| reserved.unpriced_max()).map_err(|fault| fault.code().to_owned())
        };
        assert_eq!(asked("5", 1), Ok(Some(5)));
        assert_eq!(asked("4294967295", 1), Ok(Some(u32::MAX)));
        for refused in ["0", "4294967296", "18446744073709551615", "18446744073709551616", "-1", "many", ""] {
            assert_eq!(asked(refused, 1), Err("E1402".into()), "{refused}");
        }
        assert_eq!(asked("5", ADMISSIONS_MAX - 1), Ok(Some(5)));
        assert_eq!(asked("5", ADMISSIONS_MAX), Err("E1402".into()));
    }

    #[test]
    fn what_the_others_may_cost_is_set_aside_too() {
        let purse = Arc::new(Purse::new("0.06USD".parse().unwrap(), None));
        let reserved = purse.reserve("0.051USD".parse().unwrap()).unwrap();
        let fault = admitted_with_more(refusal("5"), reserved, 1).unwrap_err();
        assert!(fault.message().contains("beside 0.05 USD for the others"), "{}", fault.message());
    }
}
