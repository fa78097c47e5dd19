//! `examples/diy`: one task by hand and through Orchestra, on peers of this machine, and the table of `docs/why.md`, which is
//! what becomes of both while a subnet fails.
use std::env;
use std::fs;
use std::process::Command;

use e2e::peer::Peer;
use e2e::process::{Orch, serve_command};
use e2e::{python, root};

/// What a run of both programs through every failure prints is what the page shows.
#[test]
fn the_table_of_failures_is_what_happens() {
    let web = Peer::start("ORCH_PACKAGE_PYTHON", "venv-package", "unruly_server", &[]);
    let posts = Peer::start("ORCH_PEER_V11_PYTHON", "venv-v11", "grpc_server", &[]);
    let folder = e2e::folder();
    let secret = |subnet: &str, peer: &Peer| {
        format!(
            "[secrets.{subnet}]\norigin = \"{}\"\nenv = \"KEY_OF_{}\"\n",
            peer.origin,
            subnet.to_uppercase()
        )
    };
    let config = format!(
        "[development]\nallow_loopback = true\n[endpoints]\nsn13 = \"{}\"\nsn22 = \"{}\"\nsn64 = \"{}\"\n{}{}{}",
        posts.origin,
        web.origin,
        web.origin,
        secret("sn13", &posts),
        secret("sn22", &web),
        secret("sn64", &web)
    );
    fs::write(folder.path().join("orchestra.toml"), config).unwrap();
    let mut serve = serve_command(folder.path());
    serve
        .env("KEY_OF_SN13", posts.said("key"))
        .env("KEY_OF_SN22", web.said("key"))
        .env("KEY_OF_SN64", web.said("key"));
    let orch = Orch::start(serve);
    let modules = [root().join("clients/python/src"), root().join("catalog/protos")];
    let output = Command::new(python("ORCH_PACKAGE_PYTHON", "venv-package"))
        .arg(root().join("examples/diy/failures.py"))
        .env("PYTHONPATH", env::join_paths(modules).unwrap())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ORCHESTRA_SERVER", format!("http://{}", orch.address))
        .env_remove("ORCHESTRA_TOKEN")
        .env("SEARCH_URL", &web.origin)
        .env("SEARCH_KEY", web.said("key"))
        .env("CHAT_URL", &web.origin)
        .env("CHAT_KEY", web.said("key"))
        .env("POSTS_TARGET", posts.origin.strip_prefix("http://").unwrap())
        .output()
        .unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{made}\n{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(root().join("docs/why.md")).unwrap();
    let shown: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(shown, made.lines().collect::<Vec<_>>(), "docs/why.md shows another table than this:\n{made}");
}
