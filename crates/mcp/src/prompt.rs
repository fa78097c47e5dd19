//! The prompt `write_plan`: how a model gets from a wish to a plan that compiles.

use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value as Json;

use crate::GUIDE;
use crate::fault::{ARGUMENTS, Fault};

const NAME: &str = "write_plan";
const DESCRIPTION: &str = "Write a plan for a task, and check it until it compiles.";

/// All prompts.
pub(crate) fn list() -> Vec<Prompt> {
    let argument = |name: &str, description: &str| PromptArgument::new(name).with_description(description);
    let arguments = vec![
        argument("task", "What the plan is to do.").with_required(true),
        argument("budget", "The most a run may cost, such as \"0.10 USD\".").with_required(false),
    ];
    vec![Prompt::new(NAME, Some(DESCRIPTION), Some(arguments))]
}

/// A prompt with its arguments filled in.
pub(crate) fn get(name: &str, arguments: Option<&JsonObject>) -> Result<GetPromptResult, Fault> {
    if name != NAME {
        return Err(Fault::new(
            ARGUMENTS,
            format!("there is no prompt `{name}`"),
            format!("there is `{NAME}`"),
        ));
    }
    let given = |name: &str| arguments.and_then(|all| all.get(name)).and_then(Json::as_str);
    let task = given("task").ok_or_else(|| {
        Fault::new(ARGUMENTS, "the argument `task` is missing", "say what the plan is to do")
            .with("path", "task")
    })?;
    let budget = given("budget").unwrap_or("0.10 USD");
    let text = format!(
        "Write a plan in the .orch language for this task:\n\n{task}\n\nIts budget is {budget}.\n\n\
         1. Find the operations it needs with search_subnets, and read what they take and answer with get_operation.\n\
         2. Write the plan, and check it with check_plan. Mend what it finds, by its fixes where it has some, until `ok` \
         is true.\n\
         3. Show what it will do and cost with explain_plan, and ask before you run it with run_plan.\n\n{GUIDE}"
    );
    let mut result = GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]);
    result.description = Some(DESCRIPTION.to_owned());
    Ok(result)
}
