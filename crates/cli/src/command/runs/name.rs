//! Which run is meant: an id, or the beginning of one.

use proto::v1;

use super::time;
use crate::exit::Failure;
use crate::service::Connection;

/// What stands before the id of a run.
const PREFIX: &str = "runs/";
/// Characters of an id.
const ID_CHARS: usize = 36;
/// Fewest characters that are taken as the beginning of one.
const BEGINNING_CHARS_MIN: usize = 4;
/// Runs of one page of a list.
const PAGE_SIZE: u32 = 500;
/// Most runs that are named where several are meant.
const NAMED_MAX: usize = 5;

/// The whole name of the run that `typed` means, with or without `runs/`. What is no beginning of an id is left for the service to
/// refuse.
pub(super) async fn whole(connection: &Connection, typed: &str) -> Result<String, Failure> {
    let id = typed.strip_prefix(PREFIX).unwrap_or(typed);
    let is_of_id = (BEGINNING_CHARS_MIN..=ID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !is_of_id {
        return Ok(format!("{PREFIX}{id}"));
    }
    let name = format!("{PREFIX}{}", id.to_ascii_lowercase());
    if id.len() == ID_CHARS {
        return Ok(name);
    }
    let mut found = beginning_with(connection, &name).await?;
    match found.len() {
        0 => {
            let message = format!("there is no run whose id begins with `{id}`");
            Err(Failure::new("E1164", message, ""))
        }
        1 => Ok(found.swap_remove(0).name),
        _ => Err(several(id, &found)),
    }
}

/// The newest runs of which the name begins like this: all of them, or one more than are named.
async fn beginning_with(connection: &Connection, name: &str) -> Result<Vec<v1::Run>, Failure> {
    let mut request = v1::ListRunsRequest { page_size: PAGE_SIZE, ..v1::ListRunsRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = connection.runs().list_runs(request.clone()).await;
        let page = page.map_err(|status| connection.refused(&status))?.into_inner();
        // Ids begin with the time of their run, so that a list from the newest on is one of falling ids.
        let is_over =
            page.next_page_token.is_empty() || page.runs.last().is_some_and(|run| run.name.as_str() < name);
        found.extend(page.runs.into_iter().filter(|run| run.name.starts_with(name)));
        if is_over || found.len() > NAMED_MAX {
            found.truncate(NAMED_MAX + 1);
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

fn several(id: &str, found: &[v1::Run]) -> Failure {
    let row = |run: &v1::Run| {
        let began = time(run.create_time.as_ref()).unwrap_or_default();
        format!("{}, {}, began {began}", run.name, run.plan)
    };
    let mut rows: Vec<String> = found.iter().take(NAMED_MAX).map(row).collect();
    if found.len() > NAMED_MAX {
        rows.push("and others".to_owned());
    }
    let message = format!("the ids of several runs begin with `{id}`:\n  {}", rows.join("\n  "));
    Failure::new("E1523", message, "add characters until only one is left")
}
