//! `RunService.ListRuns`.

use e2e::service::{Clients, request};
use e2e::subnet::Reply;
use proto::v1;
use serde_json::json;
use tonic::{Code, Status};

use super::{MANY, World, assert_refused};

async fn list(clients: &Clients, request: v1::ListRunsRequest) -> Result<v1::ListRunsResponse, Status> {
    clients.runs().list_runs(request).await.map(tonic::Response::into_inner)
}

/// Names of all pages, and the pages' sizes.
async fn all(clients: &Clients, mut request: v1::ListRunsRequest) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = list(clients, request.clone()).await.unwrap();
        sizes.push(page.runs.len());
        names.extend(page.runs.into_iter().map(|run| run.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (names, sizes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_newest_first_by_pages_and_filters() {
    let World { served: _served, clients, subnet } = World::start(|question| match question {
        "bad" => Reply::Status(404, "text/plain", "no".into()),
        "held" => Reply::Silence,
        other => Reply::echo(other),
    })
    .await;
    let other = MANY.replace("plan many", "plan other");
    let mut names = Vec::new();
    for (text, word) in [(MANY, "a"), (MANY, "bad"), (&other, "b"), (MANY, "c"), (&other, "bad"), (MANY, "d")]
    {
        names.push(clients.run(text, &json!({"words": [word]})).await.name);
    }
    let held = clients.start(MANY, &json!({"words": ["held"]})).await.unwrap().name;
    subnet.arrived(7).await;
    names.push(held.clone());
    names.reverse();
    let picked = |indices: &[usize]| indices.iter().map(|&index| names[index].clone()).collect::<Vec<_>>();

    let everything = |page_size| v1::ListRunsRequest { page_size, ..Default::default() };
    assert_eq!(all(&clients, everything(0)).await.0, names);
    let (found, sizes) = all(&clients, everything(3)).await;
    assert_eq!(found, names);
    assert_eq!(sizes[..2], [3, 3], "{sizes:?}");
    assert_eq!(all(&clients, everything(u32::MAX)).await.0, names);

    let of = |state: v1::RunState, plan: &str| v1::ListRunsRequest {
        page_size: 1,
        state: state.into(),
        plan: plan.into(),
        ..Default::default()
    };
    let failed = of(v1::RunState::Failed, "");
    assert_eq!(all(&clients, failed.clone()).await.0, picked(&[2, 5]));
    assert_eq!(all(&clients, of(v1::RunState::Failed, "other")).await.0, picked(&[2]));
    assert_eq!(all(&clients, of(v1::RunState::Succeeded, "many")).await.0, picked(&[1, 3, 6]));
    assert_eq!(all(&clients, of(v1::RunState::Unspecified, "other")).await.0, picked(&[2, 4]));
    assert_eq!(all(&clients, of(v1::RunState::Running, "")).await.0, vec![held.clone()]);
    assert!(all(&clients, of(v1::RunState::Unspecified, "nobody's")).await.0.is_empty());

    let page = list(&clients, failed.clone()).await.unwrap();
    assert!(page.runs.iter().all(|run| run.costs.is_empty() && run.result_json.is_empty()));
    let token = page.next_page_token;
    assert!(!token.is_empty());
    for foreign in [
        v1::ListRunsRequest { page_token: token.clone(), ..of(v1::RunState::Succeeded, "") },
        v1::ListRunsRequest { page_token: token, ..of(v1::RunState::Failed, "many") },
        v1::ListRunsRequest { page_token: "bogus".into(), ..failed.clone() },
    ] {
        let refused = list(&clients, foreign).await;
        let status = refused.as_ref().unwrap_err();
        let code = e2e::service::code_of(status);
        assert_refused(refused, Code::InvalidArgument, &code, &["page_token"]);
    }
    let cancelled = v1::CancelRunRequest { name: held.clone() };
    clients.runs().cancel_run(cancelled).await.unwrap();
    assert_eq!(all(&clients, of(v1::RunState::Cancelled, "")).await.0, vec![held]);
    // Runs that begin between two pages do not shift the second.
    let first = list(&clients, everything(4)).await.unwrap();
    clients.runs().create_run(request(MANY, &json!({"words": []}))).await.unwrap();
    let page_token = first.next_page_token.clone();
    let second = list(&clients, v1::ListRunsRequest { page_token, ..everything(4) }).await.unwrap();
    let names_of =
        |page: &v1::ListRunsResponse| page.runs.iter().map(|run| run.name.clone()).collect::<Vec<_>>();
    assert_eq!([names_of(&first), names_of(&second)].concat(), names);
}
