//! Clients that were not made by us: the stock Python gRPC packages without generated code, and an old
//! `grpcurl`.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::PathBuf;
use std::process::{Command, Output};

use e2e::service::{Served, development, use_samples};
use e2e::{python, root};
use samples::Samples;
use server::StoreLocation;

/// A served service with the sample subnets.
async fn served() -> (Served, Samples) {
    let samples = samples::start(samples::Options::default()).await.unwrap();
    let mut options = development(StoreLocation::Memory);
    use_samples(&mut options, &samples);
    (Served::start(options).await, samples)
}

fn client() -> PathBuf {
    python("ORCH_CLIENTS_PYTHON", "venv-clients")
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What `grpcurl` prints on standard output and standard error, and whether it succeeded.
async fn grpcurl(served: &Served, before: &[&str], after: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(client().with_file_name("grpcurl"));
    command.arg("-plaintext").args(before).arg(served.address.to_string()).args(after);
    let output = output(command).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn python_knows_everything_by_reflection_alone() {
    let (served, samples) = served().await;
    let mut command = Command::new(client());
    command
        .arg(root().join("tests/clients/grpc_checks.py"))
        .arg(served.address.to_string())
        .arg(root().join("tests/clients/links.orch"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = output(command).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() >= 32, "{said}");
    assert_eq!(
        samples.served().search,
        3,
        "of all those requests one made a run, two a call, and each of them one request"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcurl_lists_describes_calls_and_reads_errors() {
    let (served, _samples) = served().await;
    let (ok, listed, error) = grpcurl(&served, &[], &["list"]).await;
    assert!(ok, "{error}");
    for service in
        ["CallService", "CompilerService", "LedgerService", "PlanService", "RunService", "ToolService"]
    {
        assert!(listed.lines().any(|line| line == format!("orchestra.v1.{service}")), "{listed}");
    }
    let (ok, described, error) = grpcurl(&served, &[], &["describe", "orchestra.v1.RunService"]).await;
    assert!(ok, "{error}");
    assert!(described.contains("rpc WatchRun ( .orchestra.v1.WatchRunRequest )"), "{described}");
    assert!(described.contains("stream .orchestra.v1.WatchRunResponse"), "{described}");

    let get = "orchestra.v1.LedgerService/GetOperation";
    let (ok, answer, error) = grpcurl(&served, &["-d", r#"{"id": "sn22.web_search"}"#], &[get]).await;
    assert!(ok, "{error}");
    assert!(answer.contains(r#""id": "sn22.web_search""#) && answer.contains(r#""netuid": 22"#), "{answer}");

    let (ok, _, error) = grpcurl(&served, &["-d", r#"{"id": "sn22.web_serch"}"#], &[get]).await;
    assert!(!ok);
    for words in [
        "Code: NotFound",
        "did you mean `sn22.web_search`?",
        r#""reason":"E1201""#,
        "google.rpc.ResourceInfo",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains("not recognized"), "{error}");
    let create = "orchestra.v1.RunService/CreateRun";
    let broken = r#"{"source": {"text": "plan broken("}}"#;
    let (ok, _, error) = grpcurl(&served, &["-d", broken], &[create]).await;
    assert!(!ok && error.contains("google.rpc.BadRequest") && error.contains("source.text:1:"), "{error}");
}

#[test]
#[should_panic(expected = "run `cargo xtask test` once")]
fn a_missing_environment_is_told_with_the_command_that_installs_it() {
    let _ = python("ORCH_PYTHON_THAT_NOBODY_NAMES", "venv-that-nobody-installs");
}
