//! `orch tokens`: who may use `orch serve`, and what they may spend.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, expiry};
use crate::args::Tokens as Args;
use crate::exit::Failure;
use crate::output::table::{aligned, tabbed, text};
use crate::tokens::{Token, Tokens, check_name, new_token, spend_cap};

/// Runs one of the subcommands.
pub(crate) fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    let (path, _) = context.config()?.tokens_file();
    // The first token makes the file, wherever it is to be.
    let mut tokens = Tokens::read(&path, false)?;
    match args {
        Args::List => list(context, &tokens),
        Args::Remove { name } => {
            let removed = tokens.0.remove(name).ok_or_else(|| unknown(&tokens, name))?;
            tokens.write(&path)?;
            said(context, &format!("removed {name}"), document(name, &removed));
            at_next_start(context);
            if tokens.0.is_empty() {
                context
                    .output
                    .note("there are no tokens any more: the server will serve everybody who reaches it");
            }
        }
        Args::Add { name, spend_max, no_spend_max, unpriced_min, publish, own_keys, expires, replace } => {
            let wrong = |why: String| Failure::new("E1507", format!("there can be no token {why}"), "");
            check_name(name).map_err(wrong)?;
            if !no_spend_max {
                spend_cap(spend_max, unpriced_min.as_deref()).map_err(wrong)?;
            }
            if tokens.0.contains_key(name) && !replace {
                let help = "choose another name, or add --replace to make a new one in its place";
                return Err(Failure::new("E1507", format!("there is a token `{name}` already"), help));
            }
            let (token, sha256) = new_token()?;
            let row = Token {
                sha256,
                spend_max: (!no_spend_max).then(|| spend_max.clone()),
                unpriced_min: unpriced_min.clone(),
                publish: *publish,
                own_keys: *own_keys,
                expires: expires.as_deref().map(expiry::at).transpose()?,
                created: Timestamp::now(),
            };
            let mut shown = document(name, &row);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("token".to_owned(), json!(token));
            }
            tokens.0.insert(name.clone(), row);
            tokens.write(&path)?;
            said(context, &token, shown);
            context.output.note("that is the token, and it is kept nowhere: copy it now");
            if *own_keys {
                let tenant = format!("`orch keys add SUBNET --tenant {name}` gives it a key");
                context.output.note(&format!("it calls with keys of its own only: {tenant}"));
            }
            at_next_start(context);
        }
    }
    Ok(())
}

fn list(context: &Context, tokens: &Tokens) {
    if context.output.json {
        let rows: Vec<Value> = tokens.0.iter().map(|(name, token)| document(name, token)).collect();
        context.output.document(&json!({ "tokens": rows }));
        return;
    }
    if tokens.0.is_empty() {
        context.output.note(
            "no tokens: `orch serve` serves everybody who reaches it; `orch tokens add NAME` makes one",
        );
        return;
    }
    let rows: Vec<Vec<String>> = tokens.0.iter().map(|(name, token)| row(name, token)).collect();
    if context.output.stdout_is_terminal() {
        let columns = ["NAME", "MAY SPEND", "MAY PUBLISH", "KEYS", "EXPIRES"].map(text);
        let width = usize::from(console::Term::stdout().size().1);
        context.output.data(&aligned(&columns, &rows, width));
    } else {
        context.output.data(&tabbed(&rows));
    }
}

fn row(name: &str, token: &Token) -> Vec<String> {
    let limit = token.spend_max.as_ref().map_or_else(|| "no limit".to_owned(), |amounts| amounts.join(", "));
    let publish = if token.publish { "yes" } else { "-" };
    let expires = token.expires.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let keys = if token.own_keys { "own" } else { "server's" };
    vec![name.to_owned(), limit, publish.to_owned(), keys.to_owned(), expires]
}

/// A token for a program, without its hash.
fn document(name: &str, token: &Token) -> Value {
    json!({
        "name": name,
        "spend_max": token.spend_max,
        "unpriced_min": token.unpriced_min,
        "publish": token.publish,
        "own_keys": token.own_keys,
        "expires_at": token.expires.map(|at| at.to_string()),
        "created_at": token.created.to_string(),
    })
}

/// What was done, for people and for programs.
fn said(context: &Context, line: &str, document: Value) {
    if context.output.json {
        context.output.document(&document);
    } else {
        context.output.data(line);
    }
}

fn at_next_start(context: &Context) {
    context.output.note("a server that runs heeds it from its next start on");
}

fn unknown(tokens: &Tokens, name: &str) -> Failure {
    let near = plan_lang::suggest(name, tokens.0.keys().map(String::as_str));
    let help =
        near.map_or_else(|| "`orch tokens list` shows them".into(), |near| format!("did you mean `{near}`?"));
    Failure::new("E1507", format!("there is no token `{name}`"), help)
}
