//! `orch ledger crawl`: fetches the documents that the Ledger knows of, and files what changed.
//!
//! Politely: one request at a time to a host, a few hosts side by side, `robots.txt` first, unchanged documents by a
//! conditional request, and a limit for everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openapi::{Document, Origin};
use proto::v1;
use serde_json::{Value, json};
use subnet::egress::{Egress, FetchError, Fetched, Validators};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::filing::{Counts, Filing, Outcome, changes, operation_json, refusals, sound, summary};
use super::{Context, PAGE_SIZE, connect, fetch};
use crate::args::Crawl;
use crate::exit::{Exit, Failure};
use crate::output::table::{aligned, text};
use crate::service::Connection;

mod robots;
mod seen;

use robots::Robots;
use seen::{Memory, Seen};

/// Hosts that are asked side by side.
const HOSTS_AT_ONCE: usize = 8;
/// Documents of one host.
const DOCUMENTS_PER_HOST_MAX: usize = 16;
/// Longest time for all of it.
const CRAWL_TIME: Duration = Duration::from_secs(300);

/// A document that the Ledger knows of.
#[derive(Clone, Debug)]
struct Address {
    netuid: u16,
    url: String,
    known: Option<Seen>,
}

/// What became of one document.
struct Visit {
    address: Address,
    found: Found,
}

enum Found {
    /// As it was when it was filed.
    Same,
    Read {
        title: String,
        outcomes: Vec<Outcome>,
    },
    Failed(Failure),
}

/// Fetches and files.
pub(super) async fn run(context: &Context, args: &Crawl) -> Result<(), Failure> {
    let config = context.config()?;
    let egress = fetch::egress(&config)?;
    let connection = connect(context, &args.source, !args.dry_run).await?;
    let mut memory = Memory::load(&config);
    let ledger = args.source.server.clone().unwrap_or_default();
    let addresses = addresses(context, &connection, args).await?.into_iter().map(|(netuid, url)| {
        let known = memory.get(&ledger, &url).cloned();
        Address { netuid, url, known }
    });
    let mut fetched = fetch_all(&egress, addresses.collect());
    let filing = Filing { connection: &connection, egress: &egress, replace: false, dry_run: args.dry_run };
    let mut visits = Vec::new();
    while let Some((address, fetched)) = fetched.recv().await {
        let found = match fetched {
            Err(failure) => Found::Failed(failure),
            Ok(Fetched::NotModified) => Found::Same,
            Ok(Fetched::Document { bytes, validators }) => match file(&filing, &address, &bytes).await? {
                (Some(digest), found) => {
                    memory.put(&ledger, &address.url, Seen::new(&digest, validators));
                    found
                }
                (None, found) => found,
            },
        };
        visits.push(Visit { address, found });
    }
    if !args.dry_run {
        memory.save()?;
    }
    visits.sort_by(|a, b| (a.address.netuid, &a.address.url).cmp(&(b.address.netuid, &b.address.url)));
    show(context, args, &visits);
    let failed = |visit: &Visit| matches!(visit.found, Found::Failed(_));
    if !visits.is_empty() && visits.iter().all(failed) { Err(Failure::said(Exit::Failed)) } else { Ok(()) }
}

/// Netuid and address of every document that is wanted.
async fn addresses(
    context: &Context,
    connection: &Connection,
    args: &Crawl,
) -> Result<Vec<(u16, String)>, Failure> {
    let mut found = Vec::new();
    let mut doubtful = 0_usize;
    let mut request = v1::ListSubnetsRequest { page_size: PAGE_SIZE, ..v1::ListSubnetsRequest::default() };
    loop {
        let response = connection.ledger().list_subnets(request.clone()).await;
        let page = response.map_err(|status| connection.refused(&status))?.into_inner();
        for subnet in page.subnets {
            let netuid = u16::try_from(subnet.netuid).unwrap_or(u16::MAX);
            let is_named = args.only.contains(&netuid);
            if !args.only.is_empty() && !is_named {
                continue;
            }
            // Its hosts may belong to a former tenant, so somebody has to want it.
            if subnet.stale_risk && !is_named {
                doubtful += subnet.openapi_urls.len();
                continue;
            }
            found.extend(subnet.openapi_urls.into_iter().map(|url| (netuid, url)));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if doubtful > 0 {
        context.output.note(&format!(
            "{doubtful} documents left out: the facts on their subnets are doubtful; `--only snN` fetches them all the same"
        ));
    }
    if found.is_empty() {
        let help = "`orch ledger add URL --netuid N` adds a document by its address";
        return Err(Failure::new("E1542", "the Ledger knows of no document there", help));
    }
    Ok(found)
}

/// Fetches every document; each comes as it is there.
fn fetch_all(
    egress: &Egress,
    addresses: Vec<Address>,
) -> mpsc::Receiver<(Address, Result<Fetched, Failure>)> {
    let deadline = Instant::now() + CRAWL_TIME;
    let mut hosts: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for address in addresses {
        hosts.entry(host_of(&address.url).0).or_default().push(address);
    }
    // Documents may be large, and few are held at a time.
    let (sender, receiver) = mpsc::channel(1);
    let turn = Arc::new(Semaphore::new(HOSTS_AT_ONCE));
    for (host, addresses) in hosts {
        let (egress, sender, turn) = (egress.clone(), sender.clone(), Arc::clone(&turn));
        tokio::spawn(async move {
            let _turn = turn.acquire_owned().await;
            let mut robots = None;
            for (place, address) in addresses.into_iter().enumerate() {
                let fetched = if place < DOCUMENTS_PER_HOST_MAX {
                    fetch_one(&egress, &host, &address, &mut robots, deadline).await
                } else {
                    let message =
                        format!("{}: its host has more than {DOCUMENTS_PER_HOST_MAX} documents", address.url);
                    Err(Failure::new("E1540", message, "add it by `orch ledger add`"))
                };
                // Nobody listens any more where filing failed.
                if sender.send((address, fetched)).await.is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

async fn fetch_one(
    egress: &Egress,
    host: &str,
    address: &Address,
    robots: &mut Option<Robots>,
    deadline: Instant,
) -> Result<Fetched, Failure> {
    let limit = || {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = || {
            let message = format!("{}: the time of the whole crawl was over", address.url);
            Failure::new("E1540", message, "crawl again: what was filed is not fetched again")
        };
        if left.is_zero() { Err(late()) } else { Ok(left.min(fetch::FETCH_TIME)) }
    };
    let rules = match robots {
        Some(rules) => rules,
        None => robots.insert(rules_of(egress, host, limit()?).await?),
    };
    if !rules.allows(&host_of(&address.url).1) {
        let message = format!("{}: the host's robots.txt asks programs to leave it alone", address.url);
        return Err(Failure::new("E1541", message, "`orch ledger add URL` fetches it for you, once"));
    }
    let known = address.known.as_ref().map(Seen::validators).unwrap_or_default();
    let fetched = egress.fetch(&address.url, &known, limit()?).await;
    fetched.map_err(|error| fetch::failure(&address.url, &error))
}

/// The rules of a host. One that has none allows everything; one that fails to say is left alone.
async fn rules_of(egress: &Egress, host: &str, limit: Duration) -> Result<Robots, Failure> {
    let url = format!("{host}/robots.txt");
    match egress.fetch(&url, &Validators::default(), limit).await {
        Ok(Fetched::Document { bytes, .. }) => Ok(Robots::parse(&String::from_utf8_lossy(&bytes))),
        Ok(Fetched::NotModified) => Ok(Robots::default()),
        Err(FetchError::Status { status, .. }) if status.is_server_error() => {
            let message = format!("{url}: it answers with status {status}, so the host is left alone");
            Err(Failure::new("E1541", message, "try again later"))
        }
        Err(FetchError::Status { .. }) => Ok(Robots::default()),
        Err(error) => Err(fetch::failure(&url, &error)),
    }
}

/// Scheme with host, and path with query.
fn host_of(url: &str) -> (String, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    (format!("{scheme}://{host}"), format!("/{path}"))
}

/// Files a document; with its hash, where it need not be read again as long as it is the same.
async fn file(
    filing: &Filing<'_>,
    address: &Address,
    bytes: &[u8],
) -> Result<(Option<String>, Found), Failure> {
    let failed = |error: openapi::Error| {
        let message = format!("{}: {}, at {}", address.url, error.message, error.at);
        (None, Found::Failed(Failure::new(error.code, message, "")))
    };
    let origin = Origin { netuid: address.netuid, reference: address.url.clone(), ..Origin::default() };
    let document = match Document::read(bytes) {
        Ok(document) => document,
        Err(error) => return Ok(failed(error)),
    };
    let digest = document.digest().to_owned();
    if address.known.as_ref().is_some_and(|known| known.blake3 == digest) {
        return Ok((Some(digest), Found::Same));
    }
    let import = match document.import(&origin) {
        Ok(import) => import,
        Err(error) => return Ok(failed(error)),
    };
    if let Err(failure) = sound(&address.url, &import) {
        return Ok((None, Found::Failed(failure)));
    }
    let title = import.title.clone();
    let outcomes = filing.file(import).await?;
    // A conflict is told until somebody has settled it.
    let settled = Counts::of(&outcomes).conflicts == 0;
    Ok((settled.then_some(digest), Found::Read { title, outcomes }))
}

fn show(context: &Context, args: &Crawl, visits: &[Visit]) {
    let outcomes = || {
        visits.iter().flat_map(|visit| match &visit.found {
            Found::Read { outcomes, .. } => outcomes.as_slice(),
            _ => &[],
        })
    };
    let counts = Counts::of(outcomes());
    if context.output.json {
        let Counts { new, raised, unchanged, conflicts, refused } = counts;
        return context.output.document(&json!({
            "dry_run": args.dry_run,
            "new": new, "raised": raised, "unchanged": unchanged, "conflicts": conflicts, "refused": refused,
            "documents": visits.iter().map(document_json).collect::<Value>(),
        }));
    }
    let columns = [text("SUBNET"), text("DOCUMENT"), text("FOUND")];
    let row = |visit: &Visit| {
        let found = match &visit.found {
            Found::Same => "unchanged".to_owned(),
            Found::Read { outcomes, .. } => summary(Counts::of(outcomes), args.dry_run),
            Found::Failed(failure) => format!("not read [{}]", failure.code),
        };
        vec![format!("sn{}", visit.address.netuid), visit.address.url.clone(), found]
    };
    let rows: Vec<Vec<String>> = visits.iter().map(row).collect();
    let mut out = aligned(&columns, &rows, usize::MAX);
    for visit in visits {
        match &visit.found {
            Found::Read { outcomes, .. } => {
                out.push_str(&changes(outcomes));
                out.push_str(&refusals(outcomes));
            }
            Found::Failed(failure) => {
                out.push_str(&format!(
                    "\n[{}] {}\n  help: {}\n",
                    failure.code, failure.message, failure.help
                ));
            }
            Found::Same => {}
        }
    }
    context.output.data(&format!("{out}\n{}", summary(counts, args.dry_run)));
}

fn document_json(visit: &Visit) -> Value {
    let (found, title, outcomes, error) = match &visit.found {
        Found::Same => ("unchanged", "", [].as_slice(), Value::Null),
        Found::Read { title, outcomes } => ("read", title.as_str(), outcomes.as_slice(), Value::Null),
        Found::Failed(failure) => ("failed", "", [].as_slice(), failure.parts()),
    };
    json!({
        "netuid": visit.address.netuid,
        "url": visit.address.url,
        "found": found,
        "title": title,
        "operations": outcomes.iter().map(operation_json).collect::<Value>(),
        "error": error,
    })
}
