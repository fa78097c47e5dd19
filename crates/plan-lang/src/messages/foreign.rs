//! Words of other languages, and what to write instead.

use super::forms::UNITS;
use crate::diagnostic::suggest;

/// Words that start a declaration here.
pub(super) const ITEM_WORDS: [&str; 10] =
    ["edition", "use", "record", "enum", "policy", "capability", "adapter", "fn", "plan", "test"];

/// Words that start a statement or an expression here.
pub(super) const STATEMENT_WORDS: [&str; 12] =
    ["let", "ensure", "return", "if", "match", "for", "call", "run", "try", "mock", "assert", "expect"];

/// Words that an expression starts with and that another word follows.
pub(super) const EXPRESSION_WORDS: [&str; 6] = ["if", "match", "for", "call", "run", "try"];

/// Words that start statements of tests only.
pub(super) const TEST_WORDS: [&str; 3] = ["mock", "assert", "expect"];

/// Words that stand before the answer of a mock.
pub(super) const MOCK_WORDS: [&str; 3] = ["fails", "after", "sequence"];

/// What to write instead of a declaration of another language.
pub(super) fn item_help(word: &str) -> Option<&'static str> {
    Some(match word {
        "import" | "from" | "require" | "include" | "using" => "imports are written `use sn22 { name }`",
        "function" | "def" | "func" | "fun" | "sub" => "a function is written `fn name(x: Int) -> Int = x`",
        "struct" | "type" | "interface" | "class" | "message" | "data" => {
            "a record is written `record Name { field: Type }`"
        }
        "workflow" | "task" | "job" | "pipeline" | "flow" | "async" => {
            "a plan is written `plan name(x: Int) -> Int { .. }`"
        }
        "const" | "var" | "let" | "static" => {
            "there are no global values: pass them as inputs, or write a `fn`"
        }
        "call" | "run" | "for" | "if" | "match" | "return" | "ensure" | "try" => {
            "statements stand in a plan: `plan name() -> T { .. }`"
        }
        _ => return None,
    })
}

/// What to write instead of a statement that starts with a word of another language.
pub(super) fn statement_help(word: &str) -> Option<&'static str> {
    Some(match word {
        "var" | "const" | "val" | "auto" | "mut" => {
            "a binding is written `let name = value`, and never changes"
        }
        "await" | "async" | "yield" | "spawn" | "parallel" => {
            "there is no `await`: calls that do not need one another run together"
        }
        "throw" | "raise" | "panic" | "fail" | "abort" => "to fail, write `ensure condition else \"why\"`",
        "assert" => "in a plan, what has to hold is written `ensure condition else \"why\"`",
        "expect" | "mock" => "`mock`, `assert` and `expect` stand in a `test \"..\" { .. }`",
        "catch" | "except" | "finally" => {
            "failures are values: `match try call f() { Ok(v) => .., Err(e) => .. }`"
        }
        "switch" | "case" | "when" => "a choice is written `match value { pattern => result }`",
        "elif" | "elsif" | "elseif" => "write `else if`",
        "then" => "the block of an `if` starts with `{`",
        "break" | "continue" => "a `for` visits every element: use `.filter(..)` or `.take(n)` before it",
        "print" | "println" | "log" | "console" => "a plan prints nothing: what it computes is its result",
        "not" => "negation is written `!`",
        "and" => "write `&&`",
        "or" => "write `||`",
        "is" => "equality is written `==`",
        "new" => "a record is written `Name { field: value }`",
        "import" | "function" | "def" | "struct" | "type" | "class" | "interface" => return item_help(word),
        _ => return loop_help(word),
    })
}

/// What to write instead of a loop that goes on until something holds.
pub(crate) fn loop_help(word: &str) -> Option<&'static str> {
    matches!(word, "while" | "loop" | "do" | "until")
        .then_some("there are no open-ended loops: write `for x in list { .. }`")
}

/// The unit that one of another language stands for.
pub(super) fn unit(written: &str) -> Option<&'static str> {
    Some(match written.to_lowercase().as_str() {
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "tao" => "TAO",
        "rao" => "rao",
        "usd" | "dollar" | "dollars" => "USD",
        _ => return None,
    })
}

/// What to write instead of a unit that is not known here.
pub(super) fn unit_help(written: &str) -> &'static str {
    match written.to_lowercase().as_str() {
        "w" | "wk" | "week" | "weeks" => "a week is `7d`",
        "mo" | "month" | "months" | "y" | "yr" | "year" | "years" => "no unit of time is longer than `d`",
        "us" | "ns" | "micros" | "nanos" => "no unit of time is shorter than `ms`",
        _ if written.len() == 3 && written.chars().all(|c| c.is_ascii_uppercase()) => {
            "currencies are `TAO`, `rao` and `USD`"
        }
        _ => "units are `ms`, `s`, `m`, `h`, `d`, `TAO`, `rao` and `USD`",
    }
}

/// The units that are one slip away from a misspelt one of two to five letters, or whose name is near. Of one letter,
/// any could be meant.
pub(super) fn near_units(written: &str) -> Vec<&'static str> {
    const NAMES: [&str; 6] = ["milliseconds", "seconds", "minutes", "hours", "days", "dollars"];
    let named = suggest(written, NAMES).filter(|_| written.len() > 3).and_then(unit);
    if let Some(unit) = named {
        return vec![unit];
    }
    if !(2..=5).contains(&written.chars().count()) {
        return Vec::new();
    }
    let written = written.to_lowercase();
    let near = |unit: &&str| strsim::damerau_levenshtein(&written, &unit.to_lowercase()) == 1;
    UNITS.into_iter().filter(near).collect()
}
