//! `ToolService`: definitions of tools.

use std::collections::BTreeSet;

use e2e::service::{Clients, code_of};
use e2e::{root, strict};
use proto::v1;
use proto::v1::ToolFormat;
use serde_json::{Value as Json, json};
use tonic::{Code, Status};

use super::{MANY, World, assert_not_found, assert_refused, bare};

async fn definition(
    clients: &Clients,
    target: &str,
    format: ToolFormat,
) -> Result<(Json, v1::GetToolSchemaResponse), Status> {
    let request = v1::GetToolSchemaRequest { target: target.into(), format: format.into() };
    let answer = clients.tools().get_tool_schema(request).await?.into_inner();
    Ok((serde_json::from_slice(&answer.definition_json).unwrap(), answer))
}

async fn publish(clients: &Clients, text: &str) -> v1::Plan {
    let source = v1::PlanSource { file_name: String::new(), text: text.into(), lock: None };
    let request = v1::PublishPlanRequest { source: Some(source), plan: String::new() };
    clients.plans().publish_plan(request).await.unwrap().into_inner().plan.unwrap()
}

/// The operations of the catalogue.
async fn catalogue(clients: &Clients) -> Vec<v1::Operation> {
    let mut operations = Vec::new();
    let mut request = v1::ListOperationsRequest { page_size: 500, ..Default::default() };
    loop {
        let page = clients.ledger().list_operations(request.clone()).await.unwrap().into_inner();
        operations.extend(page.operations);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return operations;
        }
    }
}

/// The plans of the example files, as requests to publish them.
async fn examples(clients: &Clients) -> Vec<v1::PublishPlanRequest> {
    let mut plans = Vec::new();
    for entry in std::fs::read_dir(root().join("examples/plans")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "orch") {
            let text = std::fs::read_to_string(&path).unwrap();
            let source = Some(v1::PlanSource { file_name: String::new(), text, lock: None });
            let checked =
                clients.compiler().check(v1::CheckRequest { source: source.clone() }).await.unwrap();
            let names = checked.into_inner().plans.into_iter().map(|plan| plan.name);
            plans.extend(names.map(|plan| v1::PublishPlanRequest { source: source.clone(), plan }));
        }
    }
    plans
}

/// Checks a definition of OpenAI's form; gives the name of the tool.
async fn check_strict(clients: &Clients, target: &str) -> String {
    let (definition, answer) = definition(clients, target, ToolFormat::Openai).await.unwrap();
    let function = &definition["function"];
    assert_eq!(definition["type"], "function");
    assert_eq!(function["name"], answer.tool_name.as_str());
    assert_eq!(function["strict"], true, "{target} has no strict form: {:?}", answer.unsaid);
    assert_eq!(strict::violations(&function["parameters"]), [""; 0], "{target}");
    assert!(answer.tool_name.len() <= 64);
    answer.tool_name
}

#[tokio::test(flavor = "multi_thread")]
async fn every_strict_definition_obeys_the_rules_of_strict_mode() {
    let (_served, clients) = bare().await;
    let operations = catalogue(&clients).await;
    let mut names = BTreeSet::new();
    for operation in &operations {
        assert!(names.insert(check_strict(&clients, &operation.id).await), "{}", operation.id);
    }
    for capability in ["cap.generate", "cap.social_posts", "cap.web_search"] {
        assert!(names.insert(check_strict(&clients, capability).await), "{capability}");
    }
    let mut plans = 0;
    for request in examples(&clients).await {
        // Sub-plans without limits of their own cannot be published.
        match clients.plans().publish_plan(request).await {
            Ok(published) => {
                let target = published.into_inner().plan.unwrap().name;
                assert!(!names.contains(&check_strict(&clients, &target).await), "{target}");
                plans += 1;
            }
            Err(refused) => assert_eq!(code_of(&refused), "E1405", "{refused:?}"),
        }
    }
    assert!(operations.len() >= 114 && plans >= 13, "{} operations, {plans} plans", operations.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_plan_has_all_forms() {
    let World { served: _served, clients, .. } = World::echoing().await;
    publish(&clients, MANY).await;
    let (plain, answer) = definition(&clients, "plans/many", ToolFormat::Unspecified).await.unwrap();
    assert_eq!((answer.tool_name.as_str(), answer.unsaid.len()), ("plan_many", 0));
    let words = json!({ "type": "array", "items": { "type": "string", "minLength": 1, "maxLength": 40 }, "maxItems": 64 });
    assert_eq!(plain["input"]["properties"]["words"], words);
    assert_eq!(plain["input"]["required"], json!(["words"]));
    assert_eq!(plain["output"]["type"], "array");

    let (tool, _) = definition(&clients, "plans/many", ToolFormat::Anthropic).await.unwrap();
    assert_eq!(
        (tool["name"].clone(), tool["description"].clone()),
        ("plan_many".into(), "Asks about each word.".into())
    );
    assert_eq!(tool["input_schema"], plain["input"]);

    let (tool, _) = definition(&clients, "plans/many", ToolFormat::Mcp).await.unwrap();
    assert_eq!(tool["inputSchema"], plain["input"]);
    assert_eq!(tool["outputSchema"]["properties"]["result"], plain["output"]);
    assert_eq!(tool["annotations"]["readOnlyHint"], true);

    let (tool, answer) = definition(&clients, "plans/many", ToolFormat::Openai).await.unwrap();
    assert_eq!(tool["function"]["strict"], true);
    assert_eq!(answer.unsaid, ["words[]: from 1 to 40 characters", "words: at most 64 elements"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_is_a_tool_without_a_subnet() {
    let (_served, clients) = bare().await;
    let (tool, answer) = definition(&clients, "cap.generate", ToolFormat::Mcp).await.unwrap();
    assert_eq!(answer.tool_name, "cap_generate");
    assert_eq!(tool["inputSchema"]["required"], json!(["prompt"]));
    assert_eq!(tool["inputSchema"]["properties"]["model"]["type"], json!(["string", "null"]));
    assert_eq!(tool["outputSchema"]["properties"]["result"]["type"], "string");
    assert_eq!(tool["annotations"]["readOnlyHint"], true);
    let (tool, _) = definition(&clients, "cap.social_posts", ToolFormat::JsonSchema).await.unwrap();
    assert_eq!(tool["output"]["items"]["title"], "Post");
    assert_not_found(definition(&clients, "cap.x", ToolFormat::Mcp).await, "E1202", "capability", "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_say_what_a_call_changes() {
    let (_served, clients) = bare().await;
    let hints = async |target: &str| {
        definition(&clients, target, ToolFormat::Mcp).await.unwrap().0["annotations"].clone()
    };
    assert_eq!(hints("sn22.web_search").await["readOnlyHint"], true);
    let mut writes = 0;
    for operation in catalogue(&clients).await {
        let id = operation.id;
        let whole = v1::GetOperationRequest { id: id.clone(), version: String::new() };
        let entry = clients.ledger().get_operation(whole).await.unwrap().into_inner().operation.unwrap();
        let entry: Json = serde_json::from_slice(&entry.entry_json).unwrap();
        let changes = matches!(entry["side_effects"].as_str().unwrap(), "writes" | "spends_money");
        let hints = hints(&id).await;
        assert_eq!(
            (hints["readOnlyHint"] == true, hints["destructiveHint"] == true),
            (!changes, changes),
            "{id}"
        );
        assert_eq!(hints["idempotentHint"], entry["repeat"]["safe"], "{id}");
        writes += u32::from(changes);
    }
    assert!(writes > 0, "the catalogue has operations that change something");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_gives_in_strict_form_is_accepted() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let mut operation = subnet.operation("ask", e2e::subnet::micro_usd(100), true);
    operation.version = schema::operation::Version { compatible: 1, ..schema::operation::Version::FIRST };
    operation.input["properties"]["limit"] = json!({ "type": "integer", "minimum": 1, "default": 3 });
    operation.input["properties"]["more"] = json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" }, "b": { "type": "string" } } });
    clients.publish(&operation).await;
    let (tool, _) = definition(&clients, "sn65020.ask", ToolFormat::Openai).await.unwrap();
    let properties = tool["function"]["parameters"]["properties"].as_object().unwrap();
    assert_eq!(properties["limit"]["type"], json!(["integer", "null"]));
    for arguments in [
        json!({ "q": "a", "limit": null, "more": null }),
        json!({ "q": "a", "limit": null, "more": { "a": "x", "b": null } }),
    ] {
        assert_eq!(arguments.as_object().unwrap().len(), properties.len());
        let request = v1::CallRequest {
            operation: "sn65020.ask".into(),
            arguments_json: arguments.to_string().into_bytes().into(),
            ..v1::CallRequest::default()
        };
        let answer = clients.calls().call(request).await.unwrap().into_inner();
        let answer: Json = serde_json::from_slice(&answer.result_json).unwrap();
        assert_eq!(answer["v"], "a");
    }
}

/// Anthropic's endpoint refuses a tool with any other name of an argument.
fn is_admitted(name: &str) -> bool {
    let admitted = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(admitted)
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_have_names_that_every_form_admits_and_calls_take_both() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let mut operation = subnet.operation("ask", e2e::subnet::micro_usd(100), true);
    operation.version = schema::operation::Version { compatible: 1, ..schema::operation::Version::FIRST };
    for name in ["$top", "ids[]", "_x", "$x", "größe", &"long".repeat(20)] {
        operation.input["properties"][name] = json!({ "type": "integer", "minimum": 1 });
    }
    clients.publish(&operation).await;
    let names = |tool: &Json, at: &str| -> Vec<String> {
        tool.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let (anthropic, _) = definition(&clients, "sn65020.ask", ToolFormat::Anthropic).await.unwrap();
    let (openai, _) = definition(&clients, "sn65020.ask", ToolFormat::Openai).await.unwrap();
    let (mcp, answer) = definition(&clients, "sn65020.ask", ToolFormat::Mcp).await.unwrap();
    let given = names(&anthropic, "/input_schema/properties");
    assert!(given.iter().all(|name| is_admitted(name)), "{given:?}");
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 7, "{given:?}");
    assert!(given.iter().any(|name| name == "_top") && given.iter().any(|name| name == "ids__"), "{given:?}");
    assert_eq!(given, names(&openai, "/function/parameters/properties"));
    assert_eq!(given, names(&mcp, "/inputSchema/properties"));
    assert!(answer.unsaid.contains(&"_top: sent as `$top`".to_owned()), "{:?}", answer.unsaid);
    let (plain, _) = definition(&clients, "sn65020.ask", ToolFormat::JsonSchema).await.unwrap();
    assert!(names(&plain, "/input/properties").contains(&"$top".to_owned()));

    let call = async |arguments: Json| {
        let request = v1::CallRequest {
            operation: "sn65020.ask".into(),
            arguments_json: arguments.to_string().into_bytes().into(),
            ..v1::CallRequest::default()
        };
        clients.calls().call(request).await
    };
    let all = |names: &[String]| -> Json {
        let one = |name: &String| (name.clone(), if name == "q" { json!("a") } else { json!(1) });
        names.iter().map(one).collect::<serde_json::Map<_, _>>().into()
    };
    call(all(&given)).await.unwrap();
    call(all(&names(&plain, "/input/properties"))).await.unwrap();
    // What has two names is checked by either, and given twice is given twice.
    call(json!({ "q": "a", "_top": 0 })).await.unwrap_err();
    call(json!({ "q": "a", "_top": 1, "$top": 2 })).await.unwrap_err();
    call(json!({ "q": "a", "_to": 1 })).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_with_what_was_meant() {
    let (_served, clients) = bare().await;
    let refused = definition(&clients, "sn22.web_serch", ToolFormat::Openai).await;
    assert!(refused.as_ref().unwrap_err().message().contains("sn22.web_search"));
    assert_not_found(refused, "E1201", "operation", "sn22.web_serch");
    assert_not_found(definition(&clients, "plans/x", ToolFormat::Mcp).await, "E1550", "plan", "plans/x");
    let refused = definition(&clients, "plans/..", ToolFormat::Mcp).await;
    assert_refused(refused, Code::InvalidArgument, "E1510", &["target"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_that_use_definitions_read_them() {
    let (_served, clients) = bare().await;
    let mut targets: Vec<String> =
        catalogue(&clients).await.into_iter().map(|operation| operation.id).collect();
    targets.extend(["cap.generate", "cap.social_posts", "cap.web_search"].map(str::to_owned));
    let mut lines = String::new();
    for target in &targets {
        let (openai, _) = definition(&clients, target, ToolFormat::Openai).await.unwrap();
        let (mcp, _) = definition(&clients, target, ToolFormat::Mcp).await.unwrap();
        let (plain, _) = definition(&clients, target, ToolFormat::JsonSchema).await.unwrap();
        let line = json!({
            "target": target, "openai": openai, "mcp": mcp, "input": plain["input"], "output": plain["output"],
        });
        lines.push_str(&format!("{line}\n"));
    }
    let output = tokio::task::spawn_blocking(move || python_reads("tool_checks.py", &lines)).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), format!("ok {}", targets.len()), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a script of `tests/clients` says to this input.
fn python_reads(script: &str, input: &str) -> std::process::Output {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new(e2e::python("ORCH_CLIENTS_PYTHON", "venv-clients"))
        .arg(root().join("tests/clients").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
