//! `orch ledger show --as`: an operation, capability or published plan as a tool of a language model.

use proto::v1;
use serde_json::{Value, json};

use super::{Context, LedgerSource, of_subnet};
use crate::args::ToolForm;
use crate::exit::Failure;
use crate::service::Connection;

/// Prints the definition, ready to be pasted; what its form cannot say goes to standard error.
pub(super) async fn run(
    context: &Context,
    source: &LedgerSource,
    target: &str,
    form: ToolForm,
) -> Result<(), Failure> {
    let connection = Connection::for_looking(&context.config()?, source.server.as_deref()).await?;
    let format = match form {
        ToolForm::JsonSchema => v1::ToolFormat::JsonSchema,
        ToolForm::Openai => v1::ToolFormat::Openai,
        ToolForm::Anthropic => v1::ToolFormat::Anthropic,
        ToolForm::Mcp => v1::ToolFormat::Mcp,
    };
    let request = v1::GetToolSchemaRequest { target: target.to_owned(), format: format.into() };
    let answer = match connection.tools().get_tool_schema(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(of_subnet(&connection, target, connection.refused(&status)).await),
    };
    connection.close().await;
    let definition: Value = serde_json::from_slice(&answer.definition_json).unwrap_or_default();
    if context.output.json {
        let document =
            json!({ "tool_name": answer.tool_name, "definition": definition, "unsaid": answer.unsaid });
        context.output.document(&document);
        return Ok(());
    }
    context.output.data(&format!("{definition:#}"));
    for unsaid in &answer.unsaid {
        context.output.note(&format!("not said by the schema: {unsaid}"));
    }
    Ok(())
}
