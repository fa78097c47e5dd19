//! Messages for parts that the text does not have.

use super::{Source, brackets, misspelt, name_of, separators, unfit};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::lower::is_reserved;
use crate::syntax::{SyntaxKind, SyntaxNode};
use crate::text::Span;

/// The message for a `missing_*` node.
pub(super) fn message(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    let Some(parent) = node.parent() else {
        return Diagnostic::error(codes::NO_ITEM, "something is missing");
    };
    let missing = Missing { at: node.span().start, node, parent, source };
    if let Some(found) = missing.picture_in_name() {
        return found;
    }
    match node.kind() {
        SyntaxKind::MissingName => missing.name(),
        SyntaxKind::MissingEq => missing.eq(),
        SyntaxKind::MissingExpr => missing.expr(),
        SyntaxKind::MissingType => missing.ty(),
        SyntaxKind::MissingReturnType => missing.return_type(),
        SyntaxKind::MissingBlock => missing.block(),
        SyntaxKind::MissingPattern => missing.pattern(),
        SyntaxKind::MissingString => missing.string(),
        SyntaxKind::MissingValue => missing.value(),
        SyntaxKind::MissingParams | SyntaxKind::MissingArgs => missing.parens(),
        SyntaxKind::MissingCall => missing.call(),
        SyntaxKind::MissingPolicy => missing.policy(),
        SyntaxKind::MissingArrow => missing.arrow(),
        SyntaxKind::MissingElse => missing.ensure_else(),
        SyntaxKind::MissingIn => missing.word("in", "after the name of the element"),
        SyntaxKind::MissingAs => missing.word("as", "between operation and capability"),
        SyntaxKind::MissingFails => missing.fails(),
        SyntaxKind::MissingComma => missing.comma(),
        SyntaxKind::MissingNewline => missing.newline(),
        SyntaxKind::MissingParen => brackets::unclosed(&missing.parent, missing.at, "(", ")", source),
        SyntaxKind::MissingBracket => brackets::unclosed(&missing.parent, missing.at, "[", "]", source),
        _ => brackets::unclosed(&missing.parent, missing.at, "<", ">", source),
    }
}

/// A missing part and what is around it.
pub(super) struct Missing<'a> {
    pub(super) at: u32,
    pub(super) node: &'a SyntaxNode,
    pub(super) parent: SyntaxNode,
    pub(super) source: Source<'a>,
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

impl Missing<'_> {
    pub(super) fn here(&self) -> Span {
        Span::at(self.at)
    }

    /// `fails` is missing, or another form of the word stands there.
    fn fails(&self) -> Diagnostic {
        if let Some(condition) = self.compared() {
            let word = Span::new(self.parent.span().start, self.at);
            return Diagnostic::error(codes::FOREIGN_FORM, "what has to hold is written `assert condition`")
                .primary(condition, "this is no run that fails")
                .fix(Fix::maybe("write `assert`").replace(word, "assert"));
        }
        let found = self.word("fails", "after `expect`");
        match self.source.next_on_line(self.at) {
            (word @ ("fail" | "failure" | "failing" | "failed"), span) => {
                found.fix(Fix::safe(format!("write `fails` for `{word}`")).replace(span, "fails"))
            }
            _ => found,
        }
    }

    /// The rest of the line, if it compares values.
    fn compared(&self) -> Option<Span> {
        let (_, first) = self.source.next_on_line(self.at);
        let line = self.source.text.get(first.start as usize..)?.lines().next()?.trim_end();
        let compares = [" == ", " != ", " < ", " > ", " <= ", " >= "].iter().any(|sign| line.contains(sign));
        compares.then(|| Span::new(first.start, first.start + u32::try_from(line.len()).unwrap_or(0)))
    }

    /// The keyword that the declaration or statement around starts with.
    pub(super) fn lead(&self) -> String {
        let first = self.parent.tokens().find(|token| token.kind() == SyntaxKind::Keyword);
        first.map(|token| token.text().to_owned()).unwrap_or_default()
    }

    fn eq(&self) -> Diagnostic {
        let name = name_of(&self.parent).map(|name| format!(" {name}")).unwrap_or_default();
        let what = match self.parent.kind() {
            SyntaxKind::Fn => format!("`=` is missing before the body of `fn{name}`"),
            _ => format!("`=` is missing after `{}{name}`", self.lead()),
        };
        let found = Diagnostic::error(codes::MISSING_EQ, what);
        let (next, span) = self.source.next_on_line(self.at);
        if matches!(next, "==" | "=>" | ":") {
            return found.primary(span, "expected `=`").fix(Fix::safe("write `=`").replace(span, "="));
        }
        // `let a b = 1` has a name too many.
        let (behind, _) = self.source.next_on_line(span.end);
        let is_certain = starts_value(next) && !matches!(behind, "=" | ":");
        let fix = if is_certain { Fix::safe("add `=`") } else { Fix::maybe("add `=`") };
        found.primary(self.here(), "expected `=`").fix(fix.insert(self.at, " ="))
    }

    fn expr(&self) -> Diagnostic {
        let what = match self.parent.kind() {
            SyntaxKind::Let => "the value of the binding is missing".to_owned(),
            SyntaxKind::Ensure => "`ensure` has no condition".to_owned(),
            SyntaxKind::Return => "`return` has no value".to_owned(),
            SyntaxKind::Assert => "`assert` has no condition".to_owned(),
            SyntaxKind::Expr | SyntaxKind::Operand => match self.node.prev_significant() {
                Some(operator) => format!("a value is missing after `{operator}`"),
                None => "a value is missing".to_owned(),
            },
            SyntaxKind::Fn => "the body of the function is missing".to_owned(),
            SyntaxKind::Lambda | SyntaxKind::Arm | SyntaxKind::Mock => {
                "a value is missing after `=>`".to_owned()
            }
            SyntaxKind::MockAfter => "the answer is missing after the delay".to_owned(),
            SyntaxKind::Param
            | SyntaxKind::PolicyField
            | SyntaxKind::Init
            | SyntaxKind::Arg
            | SyntaxKind::AdapterMember => {
                format!("the value of `{}` is missing", name_of(&self.parent).unwrap_or_default())
            }
            SyntaxKind::Paren => "the parentheses are empty".to_owned(),
            SyntaxKind::Index => "the index is missing".to_owned(),
            SyntaxKind::For => "the list is missing after `in`".to_owned(),
            SyntaxKind::If | SyntaxKind::ElseIf => "`if` has no condition".to_owned(),
            SyntaxKind::Match => "`match` has nothing to look at".to_owned(),
            SyntaxKind::Interpolation => "`{}` in a text is empty".to_owned(),
            SyntaxKind::Expect => "`run` is missing after `expect fails`".to_owned(),
            _ => "a value is missing".to_owned(),
        };
        let (next, span) = self.source.next_on_line(self.at);
        let found = Diagnostic::error(codes::MISSING_EXPR, what);
        if let Some(help) = unfit::character_help(next) {
            let found = found.primary(span, "expected a value").help(help);
            return match self.closing_apostrophe(next, span) {
                Some(end) => found.fix(Fix::maybe("write `\"`").replace(span, "\"").replace(end, "\"")),
                None => found,
            };
        }
        if next == "." && self.source.text.get(span.end as usize..).is_some_and(starts_with_digit) {
            return found
                .primary(span, "expected a value")
                .help("a number starts with a digit: `0.5`")
                .fix(Fix::maybe("write `0.`").insert(span.start, "0"));
        }
        let found = found.primary(self.here(), "expected a value");
        let is_head = matches!(
            self.parent.kind(),
            SyntaxKind::If | SyntaxKind::ElseIf | SyntaxKind::For | SyntaxKind::Match | SyntaxKind::Expr
        );
        match (self.parent.kind(), next) {
            (_, "if" | "match" | "for") if is_head => found
                .secondary(span, format!("`{next}` cannot stand here without parentheses"))
                .help("bind it to a name by `let` before, or put it into parentheses"),
            (SyntaxKind::Interpolation, _) => found.help("write `\\{` and `\\}` for the characters"),
            (SyntaxKind::Expect, _) if let Some(run) = misspelt::at(self.at, &["run"], self.source) => {
                run.told(found)
            }
            (SyntaxKind::Expect, _) if self.source.next_on_line(span.end).0 == "(" && !is_reserved(next) => {
                found.fix(Fix::maybe("add `run`").insert(span.start, "run "))
            }
            (SyntaxKind::Expect, _) => found.help("write `expect fails run plan(..) with \"why\"`"),
            _ => found,
        }
    }

    /// The `'` that closes the one at `open`, on its line.
    fn closing_apostrophe(&self, next: &str, open: Span) -> Option<Span> {
        let line = self.source.text.get(open.end as usize..)?.lines().next()?;
        let len = u32::try_from(line.find('\'').filter(|_| next == "'")?).ok()?;
        Some(Span::new(open.end + len, open.end + len + 1))
    }

    fn ty(&self) -> Diagnostic {
        let name = name_of(&self.parent).unwrap_or_default();
        let has_colon = self.source.last_char(self.at) == Some(':');
        let (next, span) = self.source.next_on_line(self.at);
        let is_member = matches!(self.parent.kind(), SyntaxKind::Field | SyntaxKind::Param);
        let starts_type = next.starts_with(|c: char| c.is_uppercase() || c == '[' || c == '{');
        let (behind, _) = self.source.next(span.end);
        if is_member && !has_colon && starts_type && behind != ":" {
            return Diagnostic::error(codes::MISSING_TYPE, format!("`:` is missing after `{name}`"))
                .primary(self.here(), "expected `:`")
                .fix(Fix::safe("add `:`").insert(self.at, ":"));
        }
        let what = match self.parent.kind() {
            SyntaxKind::Field | SyntaxKind::Param => format!("the type of `{name}` is missing"),
            SyntaxKind::Cast => "a type is missing after `as`".to_owned(),
            SyntaxKind::ListType => "the type of the elements is missing".to_owned(),
            SyntaxKind::MapType if self.is_result() => "a type is missing after `->`".to_owned(),
            SyntaxKind::MapType => "a map is written `{String: T}`".to_owned(),
            SyntaxKind::Let => format!("the type of `{name}` is missing after `:`"),
            SyntaxKind::Fn | SyntaxKind::Plan | SyntaxKind::Capability => {
                "a type is missing after `->`".to_owned()
            }
            _ => "a type is missing".to_owned(),
        };
        let found = Diagnostic::error(codes::MISSING_TYPE, what).primary(self.here(), "expected a type");
        match (self.parent.kind(), next) {
            (SyntaxKind::Let, "=") => {
                let before = self.source.text.get(..self.at as usize).unwrap_or("");
                let colon = before.rfind(':').and_then(|at| u32::try_from(at).ok()).unwrap_or(self.at);
                found.fix(
                    Fix::maybe("remove `:` to have the type inferred").delete(Span::new(colon, colon + 1)),
                )
            }
            (SyntaxKind::Param, _) if name.starts_with(char::is_uppercase) => found.secondary(span, "").help(
                format!("the name comes first: `{}: {name}`", if next.is_empty() { "name" } else { next }),
            ),
            (SyntaxKind::Field | SyntaxKind::Param, _) => {
                found.help(format!("write `{name}: String` for instance"))
            }
            _ => found,
        }
    }

    /// Whether the type around is that after `->`.
    fn is_result(&self) -> bool {
        let around = self.parent.parent().and_then(|ty| ty.parent());
        around.is_some_and(|around| {
            matches!(around.kind(), SyntaxKind::Fn | SyntaxKind::Plan | SyntaxKind::Capability)
        })
    }

    fn return_type(&self) -> Diagnostic {
        let name = name_of(&self.parent).unwrap_or_default();
        let what = format!("`{} {name}` does not say what it returns", self.lead());
        let found = Diagnostic::error(codes::MISSING_RETURN_TYPE, what);
        let (next, span) = self.source.next(self.at);
        if matches!(next, ":" | "=>") {
            let fix = Fix::safe("write `->`").replace(Span::new(self.at, span.end), " ->");
            return found.primary(span, "expected `->`").fix(fix);
        }
        let policy = self.parent.child(SyntaxKind::Policy).map(|policy| policy.span());
        if let Some(arrow) = policy.map(|policy| self.source.next(policy.end)).filter(|next| next.0 == "->") {
            return Diagnostic::error(codes::MISSING_RETURN_TYPE, "what a plan returns stands before `with`")
                .primary(arrow.1, "too late")
                .help(format!("write `plan {name}(..) -> Type with {{ .. }}`"));
        }
        let found = found.primary(self.here(), "expected `->` and a type");
        if next.starts_with(|c: char| c.is_uppercase() || c == '[') {
            return found.fix(Fix::safe("add `->`").insert(self.at, " ->"));
        }
        found.help("write `-> Type` after the parameters")
    }

    fn block(&self) -> Diagnostic {
        let lead = self.lead();
        let what = match self.parent.kind() {
            SyntaxKind::Use => "the names to import are missing".to_owned(),
            SyntaxKind::Record => "the fields of the record are missing".to_owned(),
            SyntaxKind::Enum => "the variants of the enum are missing".to_owned(),
            SyntaxKind::PolicyDecl => "the keys of the policy are missing".to_owned(),
            SyntaxKind::Match => "the arms of the `match` are missing".to_owned(),
            SyntaxKind::If | SyntaxKind::ElseIf => "the block of the `if` is missing".to_owned(),
            SyntaxKind::Else => "the block of the `else` is missing".to_owned(),
            SyntaxKind::For => "the block of the `for` is missing".to_owned(),
            _ => format!("the body of the {lead} is missing"),
        };
        let (next, span) = self.source.next_on_line(self.at);
        if let Some(meant) = misspelt::beside(self.at, &[], self.source) {
            let what = format!("{what} before `{}`", meant.span.text(self.source.text));
            let found = Diagnostic::error(codes::MISSING_BLOCK, what);
            return meant.told(found.primary(meant.span, format!("expected `{}` or `{{`", meant.keyword)));
        }
        let found = Diagnostic::error(codes::MISSING_BLOCK, what);
        match (self.parent.kind(), next) {
            (SyntaxKind::Plan | SyntaxKind::Record | SyntaxKind::Enum, "=" | "=>") => {
                let block = self.source.next(span.end).1.start;
                found
                    .primary(span, "expected `{`")
                    .help("what follows stands in braces, without `=`")
                    .fix(Fix::safe(format!("remove `{next}`")).delete(Span::new(span.start, block)))
            }
            (SyntaxKind::If | SyntaxKind::ElseIf, "=") => separators::equality(span),
            (SyntaxKind::Use, _) => self.without_braces(found.primary(self.here(), "expected `{`")),
            (
                SyntaxKind::If | SyntaxKind::ElseIf | SyntaxKind::Else | SyntaxKind::For,
                "then" | ":" | "do",
            ) => found.primary(span, "expected `{`").help("a block stands in braces: `{ .. }`"),
            (SyntaxKind::If | SyntaxKind::ElseIf | SyntaxKind::Else | SyntaxKind::For, _) => {
                found.primary(self.here(), "expected `{`").help("a block stands in braces: `{ .. }`")
            }
            _ => found.primary(self.here(), "expected `{`"),
        }
    }

    fn pattern(&self) -> Diagnostic {
        Diagnostic::error(codes::MISSING_PATTERN, "a pattern is missing")
            .primary(self.here(), "expected a pattern")
            .help("write a name to bind the value, or `_` to ignore it")
    }

    fn string(&self) -> Diagnostic {
        let (what, help) = match self.parent.kind() {
            SyntaxKind::Ensure => {
                ("the reason is missing after `else`", "write the text that the plan fails with")
            }
            SyntaxKind::Test => ("the name of the test is missing", "write `test \"what holds\" { .. }`"),
            _ => {
                ("a text is missing after `with`", "write a part of the message that the run must fail with")
            }
        };
        let found = Diagnostic::error(codes::MISSING_TEXT, what);
        let (next, span) = self.source.next_on_line(self.at);
        if starts_word(next) && self.source.next_on_line(span.end).0 == "{" {
            return found
                .primary(span, "expected a text in `\"`")
                .fix(Fix::maybe(format!("write `\"{next}\"`")).replace(span, format!("\"{next}\"")));
        }
        found.primary(self.here(), "expected a text in `\"`").help(help)
    }

    fn value(&self) -> Diagnostic {
        let (what, help) = match self.parent.kind() {
            SyntaxKind::Edition => ("the year is missing after `edition`", "write `edition 2026`"),
            _ => ("the delay is missing after `after`", "write `after 5s`"),
        };
        Diagnostic::error(codes::MISSING_NUMBER, what).primary(self.here(), "expected a number").help(help)
    }

    fn parens(&self) -> Diagnostic {
        let (kind, name) = match self.parent.child(SyntaxKind::Path) {
            Some(path) => ("arguments", path.text()),
            None if self.node.kind() == SyntaxKind::MissingArgs => ("arguments", String::new()),
            None => ("parameters", name_of(&self.parent).unwrap_or_default()),
        };
        let what = format!("the {kind} of `{} {name}` are missing", self.lead());
        Diagnostic::error(codes::MISSING_PARENS, what)
            .primary(self.here(), "expected `(`")
            .fix(Fix::maybe("add `()`").insert(self.at, "()"))
    }

    fn call(&self) -> Diagnostic {
        let found = Diagnostic::error(codes::MISSING_CALL, "`try` stands only before `call` or `run`")
            .primary(self.here(), "expected `call` or `run`");
        let (next, span) = self.source.next_on_line(self.at);
        let (behind, _) = self.source.next_on_line(span.end);
        let meant = misspelt::at(self.at, &["call", "run"], self.source);
        if let Some(meant) = meant.filter(|_| behind.starts_with(char::is_alphanumeric)) {
            return meant.told(found);
        }
        if next.starts_with(|c: char| c.is_lowercase()) && !is_reserved(next) {
            return found.fix(Fix::maybe("add `call`").insert(span.start, "call "));
        }
        found.note("`try` makes a `Result` of an answer that may fail; only calls and runs can fail")
    }

    fn policy(&self) -> Diagnostic {
        Diagnostic::error(codes::MISSING_POLICY, "a policy is missing after `with`")
            .primary(self.here(), "expected a name or `{`")
            .help("write `with web`, `with { timeout: 4s }` or `with web { timeout: 4s }`")
    }
}

fn starts_word(token: &str) -> bool {
    token.starts_with(|c: char| c == '_' || c.is_alphabetic())
}

/// Whether a token can be the first of a value, so that only what is before it is missing.
pub(super) fn starts_value(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '(' | '[' | '{' | '!'))
}
