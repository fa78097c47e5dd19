//! `orch keys hotkey`.

use std::path::Path;

use serde_json::json;

use super::Context;
use crate::config;
use crate::exit::Failure;

/// Shows the address of a hotkey's file that can be used.
pub(super) fn run(context: &Context, file: &Path) -> Result<(), Failure> {
    let hotkey = config::read_hotkey(file)?;
    if context.output.json {
        context.output.document(&json!({ "file": file.display().to_string(), "address": hotkey.address() }));
        return Ok(());
    }
    context.output.data(hotkey.address());
    context.output.note("calls of axons are signed by it where orchestra.toml names it: hotkey = \"FILE\"");
    Ok(())
}
