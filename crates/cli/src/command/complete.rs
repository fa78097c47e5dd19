//! `orch completions` and `orch complete`: what a shell needs to finish a word. The script of a shell only asks; what
//! fits is found here, as it depends on the operations of the project's Ledger.

use clap::{Arg, Command, CommandFactory as _};
use ledger_service::{Callability, Snapshot};
use plan_compiler::{CAPABILITY_PREFIX, Signature};

use super::Context;
use crate::args::{self, Cli};
use crate::exit::Failure;
use crate::service::local::Local;

/// The script of a shell.
pub(crate) fn script(context: &Context, args: &args::Completions) {
    context.output.data(match args.shell {
        args::Shell::Bash => include_str!("complete/orch.bash"),
        args::Shell::Zsh => include_str!("complete/orch.zsh"),
        args::Shell::Fish => include_str!("complete/orch.fish"),
    });
}

/// Prints what the last of the words may become, one to a line. A shell in the middle of a word wants no errors: where
/// nothing fits, or something is wrong, nothing is printed.
pub(crate) async fn run(context: &Context, args: &args::Complete) -> Result<(), Failure> {
    let (current, before) =
        args.words.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
    let mut root = Cli::command();
    root.build();
    let place = Place::of(&root, before);
    let mut found = place.static_words(current);
    if found.is_empty() && place.takes_operations() {
        found = match ledger(context).await {
            Some(local) => place.operation_words(&local.service.ledger().snapshot()),
            None => Vec::new(),
        };
    }
    found.retain(|word| word.starts_with(current));
    found.sort();
    if !found.is_empty() {
        context.output.data(&found.join("\n"));
    }
    Ok(())
}

/// The project's Ledger; that of every binary where it cannot be read.
async fn ledger(context: &Context) -> Option<Local> {
    let own = match context.config() {
        Ok(config) => Local::for_reading(&config).await.ok(),
        Err(_) => None,
    };
    match own {
        Some(own) => Some(own),
        None => Local::for_catalogue().await.ok(),
    }
}

/// Where on the command line a word stands.
struct Place<'a> {
    command: &'a Command,
    /// Names of the commands down to `command`, without the first.
    path: Vec<&'a str>,
    /// Words of `command` that are no switches.
    operands: Vec<&'a str>,
    /// The switch whose value the word is.
    switch: Option<&'a Arg>,
}

impl<'a> Place<'a> {
    fn of(root: &'a Command, before: &'a [String]) -> Self {
        let mut place = Self { command: root, path: Vec::new(), operands: Vec::new(), switch: None };
        for word in before {
            if place.switch.take().is_some() {
                continue;
            }
            if word.starts_with('-') {
                place.switch = place.switches().find(|arg| {
                    let named = arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long));
                    named && arg.get_num_args().is_some_and(|count| count.min_values() > 0)
                });
            } else if let Some(inner) =
                place.command.find_subcommand(word).filter(|_| place.operands.is_empty())
            {
                place.command = inner;
                place.path.push(inner.get_name());
            } else {
                place.operands.push(word);
            }
        }
        place
    }

    fn switches(&self) -> impl Iterator<Item = &'a Arg> + use<'a> {
        self.command.get_arguments().filter(|arg| arg.get_long().is_some())
    }

    /// What the command line itself says: values, switches, commands.
    fn static_words(&self, current: &str) -> Vec<String> {
        if let Some(switch) = self.switch {
            let values = switch.get_possible_values();
            return values.iter().map(|value| value.get_name().to_owned()).collect();
        }
        if current.starts_with('-') {
            let shown = self.switches().filter(|arg| !arg.is_hide_set());
            return shown.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        }
        let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        match self.operands.is_empty() {
            true => commands.map(|command| command.get_name().to_owned()).collect(),
            false => Vec::new(),
        }
    }

    fn takes_operations(&self) -> bool {
        self.switch.is_none() && matches!(self.path.as_slice(), ["call"] | ["ledger", "show"])
    }

    /// Operations, then of one that is called the arguments that were not given yet.
    fn operation_words(&self, ledger: &Snapshot) -> Vec<String> {
        let Some((id, given)) = self.operands.split_first() else {
            let ids = ledger.operations().map(|operation| operation.descriptor.id.as_str());
            let callable = |id: &&str| !matches!(ledger.callability(id), Ok(Callability::No(_)));
            let only_callable = self.path.as_slice() == ["call"];
            let capabilities = ledger.capabilities().filter(|_| only_callable);
            let capabilities =
                capabilities.map(|known| format!("{CAPABILITY_PREFIX}{}", known.descriptor.name));
            let ids = ids.filter(|id| !only_callable || callable(id)).map(str::to_owned);
            return ids.chain(capabilities).collect();
        };
        let signature =
            Some(id).filter(|_| self.path.as_slice() == ["call"]).and_then(|id| signature(ledger, id));
        // Shells may take a word apart at its `=`.
        let is_given = |name: &str| given.iter().any(|word| word.split(['=', ':']).next() == Some(name));
        let params = signature.map(|signature| signature.params).unwrap_or_default();
        let open = params.iter().filter(|param| !is_given(&param.name));
        open.map(|param| format!("{}=", param.name)).collect()
    }
}

fn signature(ledger: &Snapshot, id: &str) -> Option<Signature> {
    match id.strip_prefix(CAPABILITY_PREFIX) {
        Some(name) => Signature::of_capability(&ledger.capability(name).ok()?.descriptor).ok(),
        None => Signature::of(&ledger.operation(id).ok()?.descriptor).ok(),
    }
}
