//! Messages for text that fits nowhere.

use super::missing::starts_value;
use super::{Source, foreign, forms, misspelt, shown};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix, suggest};
use crate::syntax::{SyntaxKind, SyntaxNode, SyntaxToken};
use crate::text::Span;

/// The message for text between declarations.
pub(super) fn item(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    // Docs before it are not what is wrong, unless nothing comes after them.
    let kinds =
        node.elements().find(|element| !element.kind().is_trivia() && element.kind() != SyntaxKind::Doc);
    let Some(first) = kinds else { return docs(node, "no declaration follows", source) };
    let (word, span) = source.next(first.span().start);
    if matches!(word, ")" | "]" | "}") {
        return closer(word, span);
    }
    if let Some(form) = forms::message(SyntaxKind::File, span.start, source) {
        return form;
    }
    let (last, last_span) = source.before(span.start);
    let between = Span::new(last_span.end, span.start).text(source.text);
    let is_apart = last.is_empty() || between.contains('\n');
    if !is_apart && let Some(meant) = misspelt::beside(span.start, &foreign::EXPRESSION_WORDS, source) {
        let message = format!("the declaration ends before {}", shown(word));
        return meant.told(Diagnostic::error(codes::NO_ITEM, message).primary(span, ""));
    }
    if !is_apart
        && !foreign::ITEM_WORDS.contains(&word)
        && let Some(help) = foreign::statement_help(word)
    {
        let message = format!("the declaration ends before {}", shown(word));
        return Diagnostic::error(codes::NO_ITEM, message).primary(span, "").help(help);
    }
    let found =
        Diagnostic::error(codes::NO_ITEM, format!("{} starts no declaration", shown(word))).primary(span, "");
    let list = foreign::ITEM_WORDS.map(|word| format!("`{word}`")).join(", ");
    if foreign::ITEM_WORDS.contains(&word) {
        return found.help(match word {
            "edition" => "write `edition 2026`",
            "use" => "write `use sn22 { name }`",
            "record" => "write `record Name { field: Type }`",
            "enum" => "write `enum Name { Variant }`",
            "policy" => "write `policy name = { timeout: 4s }`",
            "capability" => "write `capability name(x: Int) -> Int`",
            "adapter" => "write `adapter sn22.operation as capability { request = .. response = .. }`",
            "fn" => "write `fn name(x: Int) -> Int = x`",
            "plan" => "write `plan name(x: Int) -> Int { .. }`",
            _ => "write `test \"what holds\" { .. }`",
        });
    }
    let found = match foreign::item_help(word).or_else(|| character_help(word)) {
        Some(help) => found.help(help),
        None => {
            let is_lead =
                source.next_on_line(span.end).0.starts_with(|c: char| c == '"' || c.is_alphabetic());
            let short = misspelt::at(span.start, &["use", "fn"], source).filter(|_| is_lead);
            match short {
                Some(meant) => meant.told(found),
                None => {
                    let found = found.did_you_mean(word, span, foreign::ITEM_WORDS);
                    if found.fix.is_some() {
                        found
                    } else {
                        found.note(format!("declarations start with {list}"))
                    }
                }
            }
        }
    };
    match before(node) {
        Some(brace) if starts_statement(word) || !source.indent(brace.start).0.is_empty() => {
            found.secondary(brace, "the declaration before ended here")
        }
        _ => found,
    }
}

/// The message for an `error_*` node inside a declaration.
pub(super) fn message(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    match node.kind() {
        SyntaxKind::ErrorStmt => statement(node, source),
        SyntaxKind::ErrorMember => member(node, source),
        SyntaxKind::ErrorParam => param(node, source),
        SyntaxKind::ErrorInterpolation => interpolation(node),
        SyntaxKind::ErrorRefine => refine(node),
        _ => item(node, source),
    }
}

/// The message for a token that is none.
pub(super) fn token(token: &SyntaxToken) -> Diagnostic {
    let (text, span) = (token.text(), token.span());
    if token.kind() == SyntaxKind::BadNumber {
        return number(text, span);
    }
    character(text, span)
}

fn character(text: &str, span: Span) -> Diagnostic {
    let found = Diagnostic::error(codes::NO_STATEMENT, format!("`{text}` is no part of the language"))
        .primary(span, "");
    match character_help(text) {
        Some(help) => found.help(help),
        None => found,
    }
}

/// What to write instead of a character of another language.
pub(super) fn character_help(text: &str) -> Option<&'static str> {
    Some(match text {
        "'" | "`" | "\u{2018}" | "\u{2019}" | "\u{201C}" | "\u{201D}" => "texts stand in `\"`",
        "\u{a0}" => "this is a blank that does not break a line; write a plain one",
        "#" => "comments start with `//`",
        "$" => "amounts are written `0.02USD`, parts of a text `{name}`",
        "@" => "there are no annotations: policies follow `with`",
        "&" => "write `&&`",
        "|" => "write `||`",
        _ => return None,
    })
}

fn number(text: &str, span: Span) -> Diagnostic {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let found = Diagnostic::error(codes::BAD_NUMBER, format!("`{text}` is no number")).primary(span, "");
    if let Some(unit) = foreign::unit(rest) {
        let right = format!("{value}{unit}");
        return found.fix(Fix::safe(format!("write `{right}`")).replace(span, right));
    }
    if plain.len() < text.len() && plain.chars().all(|c| c.is_ascii_digit()) {
        return found
            .note("digits are not grouped")
            .fix(Fix::safe(format!("write `{plain}`")).replace(span, plain));
    }
    let near: Vec<String> =
        foreign::near_units(rest).into_iter().map(|unit| format!("{value}{unit}")).collect();
    match rest.chars().next() {
        _ if !near.is_empty() => {
            let found = found.help(format!("did you mean `{}`?", near.join("` or `")));
            match near.as_slice() {
                [right] => found.fix(Fix::maybe(format!("write `{right}`")).replace(span, right)),
                _ => found,
            }
        }
        Some('e' | 'E' | 'x' | 'X') if rest.chars().skip(1).all(|c| c.is_ascii_hexdigit()) => {
            found.help("numbers are written in plain digits: `0.5`, `1000000`")
        }
        _ => found.help(foreign::unit_help(rest)),
    }
}

fn statement(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    let (word, span) = source.next(node.span().start);
    match word {
        "///" => return docs(node, "a statement has no docs", source),
        ")" | "]" => return closer(word, span),
        _ => {}
    }
    if let Some(unknown) =
        node.tokens().find(|token| token.kind() == SyntaxKind::Unknown).filter(|token| token.span() == span)
    {
        return character(unknown.text(), span);
    }
    let found = Diagnostic::error(codes::NO_STATEMENT, format!("{} starts no statement", shown(word)))
        .primary(span, "");
    let in_adapter = node.parent().is_some_and(|parent| parent.kind() == SyntaxKind::AdapterBody);
    match word {
        _ if in_adapter && source.next_on_line(span.end).0 == ":" => {
            let (_, colon) = source.next_on_line(span.end);
            Diagnostic::error(codes::NO_STATEMENT, format!("a member of an adapter is written `{word} = ..`"))
                .primary(colon, "expected `=`")
                .fix(Fix::safe("write `=`").replace(Span::new(span.end, colon.end), " ="))
        }
        _ if in_adapter => {
            found.help("an adapter has `request = ..` and `response = ..`, each on its own line")
        }
        "{" => found.help("bind a record to a name by `let`; a block belongs to an `if`, `for` or `=>`"),
        "else" => found.help("`else` stands behind the `}` of an `if`"),
        "let" | "ensure" | "return" => found,
        "with" => found.help("`with` stands behind the call, `for` or plan that it is about"),
        _ => {
            let found = statement_word(found, word, span, source.next_on_line(span.end).0);
            match found.help {
                Some(_) => found,
                None => found.note("statements start with `let`, `ensure`, `return` or a value"),
            }
        }
    }
}

/// What was meant by a word that starts no statement, as help, where that is known. `next` stands behind it.
pub(super) fn statement_word(found: Diagnostic, word: &str, span: Span, next: &str) -> Diagnostic {
    match foreign::statement_help(word) {
        Some(help) => found.help(help),
        None if starts_value(next) => found.did_you_mean(word, span, foreign::STATEMENT_WORDS),
        None => found,
    }
}

fn member(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    let (word, span) = source.next(node.span().start);
    let parent = node.parent().map_or(SyntaxKind::File, |parent| parent.kind());
    let (what, shape) = match parent {
        SyntaxKind::Imports => ("an import", "`name` or `name as other`"),
        SyntaxKind::Fields => ("a field", "`name: Type`"),
        SyntaxKind::Variants => ("a variant", "`Name` or `Name(Type)`"),
        SyntaxKind::PolicyFields => ("a key of a policy", "`timeout: 4s`"),
        SyntaxKind::Arms => ("an arm", "`pattern => value`"),
        _ => ("a field", "`name: value` or `name`"),
    };
    match word {
        "///" => return docs(node, "nothing here can be documented", source),
        ")" | "]" => return closer(word, span),
        ";" => {
            return Diagnostic::error(codes::NO_MEMBER, "members are separated by `,`")
                .primary(span, "")
                .fix(Fix::maybe("write `,`").replace(span, ","));
        }
        "," => {
            // After a comma nothing is missing but a blank; at the beginning, a member may be.
            let is_double = source.before(span.start).0 == ",";
            let fix = if is_double { Fix::safe("remove it") } else { Fix::maybe("remove it") };
            return Diagnostic::error(codes::NO_MEMBER, format!("{what} is missing before `,`"))
                .primary(span, "")
                .fix(fix.delete(span));
        }
        _ => {}
    }
    let (next, next_span) = source.next_on_line(span.end);
    if parent == SyntaxKind::Arms && matches!(word, "else" | "default") && next == "=>" {
        return Diagnostic::error(codes::NO_MEMBER, "the arm for all that is left is written `_ => ..`")
            .primary(span, "")
            .fix(Fix::safe("write `_`").replace(span, "_"));
    }
    if parent == SyntaxKind::Arms && word == "." && next.starts_with(char::is_uppercase) {
        let dotted = Span::new(span.start, next_span.end);
        return Diagnostic::error(
            codes::NO_MEMBER,
            format!("a variant is written `{next}` or `Enum.{next}`"),
        )
        .primary(dotted, "")
        .fix(Fix::maybe(format!("write `{next}`")).replace(dotted, next));
    }
    let is_word = word.starts_with(|c: char| c == '_' || c.is_alphabetic());
    let is_equation = next == "=" && starts_value(source.next(next_span.end).0);
    if is_word && parent == SyntaxKind::PolicyFields && is_equation {
        return Diagnostic::error(codes::NO_MEMBER, format!("a key of a policy is written `{word}: value`"))
            .primary(next_span, "expected `:`")
            .fix(Fix::safe("write `:`").replace(Span::new(span.end, next_span.end), ":"));
    }
    if is_word && parent == SyntaxKind::PolicyFields && starts_value(next) {
        return Diagnostic::error(codes::NO_MEMBER, format!("a key of a policy is written `{word}: value`"))
            .primary(Span::at(span.end), "expected `:`")
            .fix(Fix::maybe("add `:`").insert(span.end, ":"));
    }
    if is_word && parent == SyntaxKind::PolicyFields {
        let found = Diagnostic::error(codes::MISSING_EXPR, format!("the value of `{word}` is missing"))
            .primary(span, "expected `:` and a value");
        return named_policy(found, node, (word, span), source);
    }
    let found =
        Diagnostic::error(codes::NO_MEMBER, format!("{} is not {what}", shown(word))).primary(span, "");
    if word == "." || word == ".." {
        return found.help("records have no spread: write each field");
    }
    found.help(format!("{what} is written {shape}"))
}

/// `with { web, .. }`, where a policy `web` is declared: its name stands before the braces.
fn named_policy(
    found: Diagnostic,
    node: &SyntaxNode,
    (name, span): (&str, Span),
    source: Source<'_>,
) -> Diagnostic {
    let brace = node.parent().and_then(|fields| fields.first_token()).map(|token| token.span());
    let declared = ["policy", name].join(" ");
    let is_declared = source.text.match_indices(&declared).any(|(at, _)| {
        let behind = source.text.get(at + declared.len()..).unwrap_or("");
        behind.starts_with([' ', '='])
    });
    let Some(brace) = brace.filter(|_| is_declared) else { return found };
    let found = found.help(format!("a named policy stands before the braces: `with {name} {{ .. }}`"));
    if source.before(brace.start).0 != "with" {
        return found;
    }
    let (behind, after) = source.next(span.end);
    let message = format!("write `with {name}`");
    match behind {
        "}" if brace.end <= span.start && source.next(brace.end).1 == span => {
            found.fix(Fix::maybe(message).replace(Span::new(brace.start, after.end), name))
        }
        "," => {
            let rest = source.next(after.end).1.start;
            let fix = Fix::maybe(message).insert(brace.start, format!("{name} "));
            found.fix(fix.delete(Span::new(span.start, rest)))
        }
        _ => found,
    }
}

fn param(node: &SyntaxNode, source: Source<'_>) -> Diagnostic {
    let (word, span) = source.next(node.span().start);
    if word == "///" {
        return docs(node, "no parameter follows", source);
    }
    Diagnostic::error(codes::NO_PARAM, format!("{} is not a parameter", shown(word)))
        .primary(span, "")
        .help("a parameter is written `name: Type` or `name: Type = value`")
}

fn interpolation(node: &SyntaxNode) -> Diagnostic {
    if node.span().is_empty() {
        let open = node.parent().map_or(node.span(), |parent| parent.span()).start;
        return Diagnostic::error(codes::NO_INTERPOLATION, "`{` in a text is not closed")
            .primary(node.span(), "expected `}`")
            .secondary(Span::new(open, open + 1), "opened here")
            .help("write `\\{` for a brace that is part of the text")
            .fix(Fix::maybe("add `}`").insert(node.span().start, "}"));
    }
    let part = node.parent().map_or(node.span(), |parent| parent.span());
    Diagnostic::error(codes::NO_INTERPOLATION, "`{..}` in a text holds one expression")
        .primary(node.span(), "this does not belong to it")
        .secondary(Span::new(part.start, part.start + 1), "opened here")
        .help("write `\\{` for a brace that is part of the text")
}

fn refine(node: &SyntaxNode) -> Diagnostic {
    let span = node.span();
    let number = node.token(SyntaxKind::Number);
    let text = number.as_ref().map(|number| number.text().to_owned()).unwrap_or_default();
    let at = number.map_or(span.start + 1, |number| number.span().start);
    Diagnostic::error(codes::BAD_RANGE, "a range needs `..`")
        .primary(span, "")
        .note(format!("`(..{text})` is at most {text}, `({text}..)` at least, `({text}..{text})` exactly"))
        .fix(Fix::maybe(format!("write `(..{text})`")).insert(at, ".."))
}

fn docs(node: &SyntaxNode, why: &str, source: Source<'_>) -> Diagnostic {
    let (_, span) = source.next(node.span().start);
    Diagnostic::error(codes::DOCS_PLACE, format!("`///` documents nothing: {why}"))
        .primary(span, "")
        .note("docs stand before a declaration, a field, a variant or a parameter")
        .fix(Fix::safe("make it a comment").replace(span, "//"))
}

fn closer(word: &str, span: Span) -> Diagnostic {
    Diagnostic::error(codes::STRAY_CLOSER, format!("`{word}` closes nothing"))
        .primary(span, "")
        .fix(Fix::maybe("remove it").delete(span))
}

/// The closing brace of the declaration before.
fn before(node: &SyntaxNode) -> Option<Span> {
    let mut token = node.first_token()?.prev_token();
    while let Some(found) = token {
        if !found.kind().is_trivia() {
            return (found.text() == "}").then(|| found.span());
        }
        token = found.prev_token();
    }
    None
}

fn starts_statement(word: &str) -> bool {
    const WORDS: [&str; 9] = ["let", "ensure", "return", "call", "run", "for", "if", "match", "else"];
    WORDS.contains(&word) || suggest(word, WORDS).is_some()
}
