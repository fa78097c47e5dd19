//! Tools of the project's own catalogue.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use schema::operation::OperationDescriptor;
use schema::tool::{Form, Tool};

fn operations() -> Vec<OperationDescriptor> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/operations");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |file: std::path::PathBuf| -> Vec<OperationDescriptor> {
        let mut document: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        serde_json::from_value(document.get_mut("operations").unwrap().take()).unwrap()
    };
    files.flat_map(read).collect()
}

fn tool(id: &str) -> Tool {
    Tool::of(operations().iter().find(|operation| operation.id == id).unwrap()).unwrap()
}

fn shown(tool: &Tool, form: Form) -> String {
    let definition = tool.definition(form);
    format!("{:#}\nunsaid: {:#?}\n", definition.json, definition.unsaid)
}

#[test]
fn a_search_in_all_forms() {
    let tool = tool("sn22.web_search");
    for form in [Form::JsonSchema, Form::OpenAi, Form::Anthropic, Form::Mcp] {
        insta::assert_snapshot!(format!("web_search_{form:?}"), shown(&tool, form));
    }
}

#[test]
fn a_chat_in_strict_mode() {
    insta::assert_snapshot!(shown(&tool("sn64.chat_completions"), Form::OpenAi));
}

#[test]
fn most_of_the_catalogue_has_a_strict_form_and_all_names_differ() {
    let operations = operations();
    let mut names = BTreeSet::new();
    let mut loose = Vec::new();
    let mut typed = 0;
    for operation in &operations {
        let Ok(tool) = Tool::of(operation) else { continue };
        typed += 1;
        assert!(names.insert(tool.name()), "{}", tool.name());
        let definition = tool.definition(Form::OpenAi);
        if definition.json["function"]["strict"] != true {
            loose.push(format!("{}: {}", operation.id, definition.unsaid.first().unwrap()));
        }
    }
    println!(
        "{} operations, {typed} typed, {} without a strict form: {loose:#?}",
        operations.len(),
        loose.len()
    );
    assert!(loose.len() * 10 <= typed, "{loose:#?}");
}
