//! Operations of the catalogue whose answers come as a task or as a stream, on servers that answer in the documented form.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::documents::{Answer, Documents, Request};
use crate::orch::{Ended, Folder, ended};

const KEY: &str = "a-key-of-this-test-0123456789";

/// A folder whose calls of the subnet go to `path` of the server, with a key.
fn folder(subnet: &str, service: &Documents, path: &str) -> Folder {
    let folder = Folder::empty();
    folder.write(
        "orchestra.toml",
        format!(
            "[development]\nallow_loopback = true\n[endpoints]\n{subnet} = \"{0}{path}\"\n\
             [secrets.{subnet}]\norigin = \"{0}\"\nenv = \"KEY_OF_THE_TEST\"\n",
            service.origin
        ),
    );
    folder
}

fn run(folder: &Folder, args: &[&str]) -> Ended {
    let mut command: Command = folder.command(args);
    ended(command.env("KEY_OF_THE_TEST", KEY))
}

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

const TRAIN: &str = r#"edition 2026
use sn56 { train_instruct }

/// Where the trained model is.
plan train(dataset: String) -> String? with { budget: 5USD, deadline: 60s } {
  let task = call train_instruct(
    account_id: "550e8400-e29b-41d4-a716-446655440000",
    hours_to_complete: 1.0,
    field_instruction: "instruction",
    ds_repo: dataset,
    model_repo: "Qwen/Qwen2.5-Coder-32B-Instruct",
  ) with { timeout: 50s, poll: { every: 100ms, max: 20 }, max_price: 4USD }
  return task.trained_model_repository
}
"#;

/// A trainer whose task passes through `states`.
fn trainer(states: &'static [&'static str]) -> Documents {
    let asked = AtomicUsize::new(0);
    Documents::serve(move |request: &Request| match request.line.as_str() {
        "POST /v1/tasks/create HTTP/1.1" => Answer::ok(
            json!({ "success": true, "task_id": ID, "created_at": "2026-01-02T03:04:05Z", "account_id": ID })
                .to_string(),
        ),
        line if line == format!("GET /v1/tasks/{ID} HTTP/1.1") => {
            let at = asked.fetch_add(1, Ordering::SeqCst).min(states.len() - 1);
            let repository = (states[at] == "success").then_some("gradients-io/tuned");
            Answer::ok(
                json!({ "id": ID, "account_id": ID, "status": states[at], "started_at": null, "finished_at": null,
                    "created_at": "2026-01-02T03:04:05Z", "hours_to_complete": 1.0,
                    "trained_model_repository": repository, "task_type": "InstructTextTask" })
                .to_string(),
            )
        }
        _ => Answer::status(404),
    })
}

#[test]
fn a_training_is_one_call_that_waits_for_its_result() {
    let service = trainer(&["pending", "preparing_data", "delayed", "training", "evaluating", "success"]);
    let folder = folder("sn56", &service, "");
    folder.write("train.orch", TRAIN);
    run(&folder, &["lock", "update"]).succeeds();
    let done =
        run(&folder, &["run", "train.orch", "--input", "dataset=yahma/alpaca-cleaned", "--json"]).succeeds();
    assert_eq!(done.json()["result"], "gradients-io/tuned");
    let seen = service.seen();
    let lines: Vec<&str> = seen.iter().map(|request| request.line.split(' ').next().unwrap()).collect();
    assert_eq!(lines, ["POST", "GET", "GET", "GET", "GET", "GET", "GET"]);
    assert!(seen.iter().all(|request| request.has(&format!("authorization: Bearer {KEY}"))), "{seen:?}");
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent["ds_repo"], "yahma/alpaca-cleaned");
}

#[test]
fn a_training_that_fails_says_in_which_state() {
    for state in [
        &["pending", "prep_task_failure"],
        &["looking_for_nodes", "failure_finding_nodes"],
        &["training", "failure"],
    ] {
        let service = trainer(state);
        let folder = folder("sn56", &service, "");
        folder.write("train.orch", TRAIN);
        run(&folder, &["lock", "update"]).succeeds();
        let failed = run(&folder, &["run", "train.orch", "--input", "dataset=a/b"]).exits(1);
        assert!(
            failed.err.contains(&format!("the task ended in the state `{}`", state[1])),
            "{}",
            failed.err
        );
    }
}

/// Server-sent events by their names.
fn events(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

fn message_events() -> Vec<Value> {
    let delta = |text: &str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
    vec![
        json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message", "role": "assistant",
            "content": [], "model": "m", "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 9, "output_tokens": 1 } } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        delta("Hel"),
        delta("lo"),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
            "usage": { "output_tokens": 12 } }),
        json!({ "type": "message_stop" }),
    ]
}

/// A chat that streams where it is asked to; `events` in place of a whole stream.
fn chat(said: String) -> Documents {
    Documents::serve(move |request: &Request| {
        let asked: Value = serde_json::from_str(&request.body).unwrap();
        if request.path() != "/v1/messages" {
            return Answer::status(404);
        }
        if asked["stream"] == true {
            return Answer::ok(said.clone()).with("content-type", "text/event-stream; charset=utf-8");
        }
        Answer::ok(
            json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                "stop_sequence": null, "content": [{ "type": "text", "text": "Hello" }],
                "usage": { "input_tokens": 9, "output_tokens": 12 } })
            .to_string(),
        )
        .with("content-type", "application/json")
    })
}

const ASK: [&str; 8] = [
    "call",
    "sn28.messages",
    "model=m",
    "max_tokens=20",
    "messages:=[{\"role\":\"user\",\"content\":\"Hi\"}]",
    "--max-cost",
    "0.01USD",
    "--json",
];

#[test]
fn a_stream_of_messages_events_is_the_message() {
    let service = chat(events(&message_events()));
    let folder = folder("sn28", &service, "/v1");
    let whole = run(&folder, &ASK).succeeds().json()["result"].clone();
    assert!(service.seen()[0].body.contains("\"stream\":false"));
    let streamed = run(&folder, &[&ASK[..], &["--stream"]].concat()).succeeds();
    assert!(service.seen()[0].body.contains("\"stream\":true"));
    let last = streamed.out.lines().last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", streamed.out));
    let streamed_result = last.get("result").unwrap_or(&last);
    assert_eq!(streamed_result, &whole, "either way it is the same message");
    assert_eq!((&whole["usage"]["input_tokens"], &whole["usage"]["output_tokens"]), (&json!(9), &json!(12)));
    assert!(streamed.out.contains("text_delta") && !streamed.out.contains("ping"), "{}", streamed.out);
}

#[test]
fn half_a_message_and_an_error_event_are_no_message() {
    let whole = message_events();
    let overloaded =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let mut broken = whole[..4].to_vec();
    broken.push(overloaded);
    for (said, words) in [(events(&whole[..7]), "broke off"), (events(&broken), "Overloaded")] {
        let service = chat(said);
        let folder = folder("sn28", &service, "/v1");
        let failed = run(&folder, &[&ASK[..], &["--stream"]].concat()).exits(1);
        let all = format!("{}{}", failed.out, failed.err);
        assert!(all.contains(words) && all.contains("unavailable"), "{all}");
    }
}
