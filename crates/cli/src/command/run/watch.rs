//! One run from its request to its proof.

use std::time::Duration;

use proto::v1;
use tonic::Status;

use super::Interrupts;
use crate::exit::{Exit, Failure};
use crate::progress::View;
use crate::service::{Connection, again};

/// Silence after which a watch counts as broken; a living one tells a heartbeat every 10 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Between two redraws of a live view.
const REDRAW: Duration = Duration::from_millis(100);

/// A run that ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// As it ended.
    pub(crate) run: v1::Run,
    /// Its proof, or why there is none.
    pub(crate) proof: Result<Vec<u8>, Failure>,
    /// Whether it was cancelled by Ctrl-C.
    pub(crate) interrupted: bool,
}

/// Starts the run, shows its events, and fetches the run and its proof when it has ended. Ctrl-C cancels
/// the run and waits for it to settle; a second one leaves at once.
pub(crate) async fn execute(
    connection: &Connection,
    request: v1::CreateRunRequest,
    mut view: View,
    interrupts: &mut Interrupts,
) -> Result<Finished, Failure> {
    let created = tokio::select! {
        created = create(connection, request) => created?,
        () = interrupts.next() => {
            let message = "stopped before the run was known to have started";
            return Err(Failure::new("E1508", message, "if the server did start it, it stays within its budget"));
        }
    };
    let name = created.run.unwrap_or_default().name;
    let mut after_seq = 0;
    let interrupted = tokio::select! {
        watched = watch(connection, &name, &mut after_seq, &mut view) => { watched?; false }
        () = interrupts.next() => true,
    };
    if interrupted {
        view.say("cancelling the run; Ctrl-C again leaves at once");
        let cancel = connection.runs().cancel_run(v1::CancelRunRequest { name: name.clone() }).await;
        cancel.map_err(|status| connection.refused(&status))?;
        tokio::select! {
            watched = watch(connection, &name, &mut after_seq, &mut view) => watched?,
            () = interrupts.next() => return Err(Failure::said(Exit::Interrupted)),
        }
    }
    // What is live leaves the terminal before anything else is printed.
    drop(view);
    let run = connection.runs().get_run(v1::GetRunRequest { name: name.clone() }).await;
    let run = run.map_err(|status| connection.refused(&status))?.into_inner().run.unwrap_or_default();
    let proof = read_proof(connection, &name).await.map_err(|status| connection.refused(&status));
    Ok(Finished { run, proof, interrupted })
}

/// Asks for the run. The request has an id of its own, so that asking again starts nothing twice.
async fn create(
    connection: &Connection,
    request: v1::CreateRunRequest,
) -> Result<v1::CreateRunResponse, Failure> {
    let mut broken = 0;
    loop {
        match connection.runs().create_run(request.clone()).await {
            Ok(created) => return Ok(created.into_inner()),
            Err(status) if again(connection, &status, &mut broken).await => {}
            Err(status) => return Err(with_advice(connection.refused(&status))),
        }
    }
}

/// Shows events until the run has ended, over as many connections as it takes.
pub(super) async fn watch(
    connection: &Connection,
    name: &str,
    after_seq: &mut u64,
    view: &mut View,
) -> Result<(), Failure> {
    let mut broken = 0;
    loop {
        let before = *after_seq;
        let Err(status) = follow(connection, name, after_seq, view).await else { return Ok(()) };
        if *after_seq > before {
            broken = 0;
        }
        if !again(connection, &status, &mut broken).await {
            let mut failure = connection.refused(&status);
            if failure.exit == Exit::Unreachable {
                failure.help = format!(
                    "{}\n{name} goes on there, within its budget and deadline: `orch runs show {name}{}` says what \
                     became of it",
                    failure.help,
                    connection.option()
                );
            }
            return Err(failure);
        }
        if broken == 1 {
            view.say("the connection broke; connecting again");
        }
    }
}

/// Shows events from `after_seq` on until the stream ends, which it does after the run's last event.
async fn follow(
    connection: &Connection,
    name: &str,
    after_seq: &mut u64,
    view: &mut View,
) -> Result<(), Status> {
    let request = v1::WatchRunRequest { name: name.to_owned(), after_seq: *after_seq };
    let mut events = connection.runs().watch_run(request).await?.into_inner();
    let mut redraw = tokio::time::interval(REDRAW);
    let silence = tokio::time::sleep(SILENCE_MAX);
    tokio::pin!(silence);
    loop {
        tokio::select! {
            message = events.message() => {
                let Some(response) = message? else { return Ok(()) };
                silence.as_mut().reset(tokio::time::Instant::now() + SILENCE_MAX);
                if let Some(event) = response.event {
                    *after_seq = event.seq;
                    view.event(&event);
                }
            }
            _ = redraw.tick() => view.redraw(),
            () = &mut silence => return Err(Status::unavailable("nothing was heard for 30 seconds")),
        }
    }
}

/// The bundle of a run that ended.
pub(crate) async fn read_proof(connection: &Connection, name: &str) -> Result<Vec<u8>, Status> {
    let request = v1::ReadProofRequest { name: name.to_owned() };
    let mut chunks = connection.runs().read_proof(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.chunk);
    }
    Ok(bytes)
}

/// What to do about a run that was not admitted, in terms of this command line.
pub(crate) fn with_advice(failure: Failure) -> Failure {
    let advice = match failure.code.as_str() {
        "E1105" => &store_key(&failure.message),
        "E1101" => {
            "`allow_loopback = true` under [development] in orchestra.toml admits this machine, `allow_private = true` \
             its network"
        }
        "E1402" => "`orch explain FILE` shows what costs most; raise the limit, or let the plan do less",
        "E1403" => "give --max-cost in the currency of the plan's prices and budget",
        "E0608" => "run `orch lock update`, with --server if the run is to be there",
        _ => return failure,
    };
    let help = if failure.help.is_empty() { advice.to_owned() } else { failure.help.clone() };
    Failure { help, ..failure }
}

/// How to store a missing key: under the name of the subnet, for the origin and for whom the message says.
fn store_key(message: &str) -> String {
    let said = message.rsplit_once("or `").and_then(|(_, rest)| rest.split_once("` for "));
    let (name, rest) = said.unwrap_or(("snN", "ORIGIN"));
    let origin = rest.split([' ', ',']).next().unwrap_or(rest);
    let tenant = rest.split_once("the tenant `").and_then(|(_, rest)| rest.split_once('`'));
    let of_tenant = tenant.map(|(tenant, _)| format!(" --tenant {tenant}")).unwrap_or_default();
    let add = format!("`orch keys add {name}{of_tenant}` asks for the key and keeps it encrypted");
    match tenant {
        Some(_) => add,
        None => {
            let variable = name.to_ascii_uppercase();
            format!("{add}\nor in the environment: ORCHESTRA_SECRET_{variable}=\"{origin} KEY\"")
        }
    }
}
