//! Messages for missing names: of what is declared, called, imported.

use super::missing::Missing;
use super::separators::is_bound_before;
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::lower::is_reserved;
use crate::syntax::SyntaxKind;
use crate::text::Span;

impl Missing<'_> {
    pub(super) fn name(&self) -> Diagnostic {
        let lead = self.lead();
        let what = match self.parent.kind() {
            SyntaxKind::Member => "a field or method is missing after the dot".to_owned(),
            SyntaxKind::Use => "`use` does not say where to import from".to_owned(),
            SyntaxKind::Import => "the new name is missing after `as`".to_owned(),
            SyntaxKind::Call => "`call` does not say which operation".to_owned(),
            SyntaxKind::Run => "`run` does not say which plan".to_owned(),
            SyntaxKind::Mock => "`mock` does not say which operation".to_owned(),
            SyntaxKind::MockFails => "`fails` does not say how".to_owned(),
            SyntaxKind::For => "the name of the element is missing after `for`".to_owned(),
            SyntaxKind::Adapter if self.at > self.after_word("as") => {
                "the capability is missing after `as`".to_owned()
            }
            SyntaxKind::Adapter => "the operation is missing after `adapter`".to_owned(),
            _ => format!("a name is missing after `{lead}`"),
        };
        let found = Diagnostic::error(codes::MISSING_NAME, what);
        let (next, span) = self.source.next_on_line(self.at);
        // What comes after the missing name is no name that was chosen badly.
        let follows =
            matches!((self.parent.kind(), next), (SyntaxKind::For, "in") | (SyntaxKind::Adapter, "as" | "{"));
        if is_reserved(next) && !follows && self.parent.kind() != SyntaxKind::Member {
            if next == "_" {
                return found
                    .primary(span, "no name")
                    .help("what nothing reads has a name that starts with `_`: `_unused`")
                    .fix(Fix::maybe("write `_unused`").replace(span, "_unused"));
            }
            return found
                .primary(span, "this word is reserved")
                .note("reserved are: let, ensure, return, if, else, match, for, in, with, as, call, run, try, null, true, false");
        }
        let found = found.primary(self.here(), "expected a name");
        match self.parent.kind() {
            SyntaxKind::MockFails => found
                .help("write one of: timeout, unavailable, rate_limited, unauthorized, rejected, invalid"),
            SyntaxKind::Use => found.help("write `use sn22 { name }` or `use cap { name }`"),
            SyntaxKind::Let => found.help("write `let name = value`"),
            SyntaxKind::Member if self.is_behind_number() => found
                .help("a number ends with a digit: `5.0`")
                .fix(Fix::maybe("add `0`").insert(self.at, "0")),
            SyntaxKind::Call | SyntaxKind::Run if next == "(" => self.name_in_parens(found, &lead, span),
            _ => found,
        }
    }

    /// Whether it is behind the dot of `5.`, whose digits are no part of a name.
    fn is_behind_number(&self) -> bool {
        let before = self.source.text.get(..self.at as usize).and_then(|text| text.strip_suffix('.'));
        let digits = before.map(|text| text.trim_end_matches(|c: char| c.is_ascii_digit()));
        before.zip(digits).is_some_and(|(text, rest)| {
            rest.len() < text.len() && !rest.ends_with(|c: char| c == '_' || c == '.' || c.is_alphanumeric())
        })
    }

    /// `fn g😀()`: what follows the name is not missing, the name goes on with what no name has.
    pub(super) fn picture_in_name(&self) -> Option<Diagnostic> {
        let is_behind_name = matches!(
            self.node.kind(),
            SyntaxKind::MissingParams
                | SyntaxKind::MissingEq
                | SyntaxKind::MissingType
                | SyntaxKind::MissingBlock
        );
        let (before, rest) = self.source.text.split_at_checked(self.at as usize)?;
        if !is_behind_name || !before.ends_with(|c: char| c == '_' || c.is_alphanumeric()) {
            return None;
        }
        // One picture may be made of several characters, all of them outside of ASCII.
        let len = rest.find(|c: char| c.is_ascii() || c.is_alphanumeric()).unwrap_or(rest.len());
        let picture = rest.get(..len).filter(|text| text.starts_with(is_picture))?;
        let span = Span::new(self.at, self.at.saturating_add(u32::try_from(len).ok()?));
        let found = Diagnostic::error(codes::MISSING_NAME, format!("`{picture}` cannot stand in a name"));
        let found = found.primary(span, "").help("a name is letters, digits and `_`");
        Some(found.fix(Fix::maybe("remove it").delete(span)))
    }

    /// `call(search, query: q)`: the name stands before the parentheses.
    fn name_in_parens(&self, found: Diagnostic, lead: &str, paren: Span) -> Diagnostic {
        let (name, span) = self.source.next_on_line(paren.end);
        let (behind, after) = self.source.next_on_line(span.end);
        let is_value = is_bound_before(name, self.node);
        if is_value || !name.starts_with(char::is_lowercase) || is_reserved(name) {
            return found;
        }
        let replaced = match behind {
            ")" => Some((after.end, ")")),
            "," => Some((self.source.next(after.end).1.start, "")),
            _ => None,
        };
        let found = found.help(format!("the name stands before the parentheses: `{lead} {name}(..)`"));
        match replaced {
            Some((end, rest)) => found.fix(
                Fix::maybe(format!("write `{lead} {name}(..)`"))
                    .replace(Span::new(self.at, end), format!(" {name}({rest}")),
            ),
            None => found,
        }
    }

    /// Where `word` ends among the parent's keywords; the largest offset if it is not there.
    fn after_word(&self, word: &str) -> u32 {
        let token = self.parent.tokens().find(|token| token.text() == word);
        token.map_or(u32::MAX, |token| token.span().end.saturating_sub(1))
    }

    /// `use sn22.name`, `use sn22 name`.
    pub(super) fn without_braces(&self, found: Diagnostic) -> Diagnostic {
        let found = found.help("an operation is imported by its name in braces: `use sn22 { name }`");
        let path = self.parent.child(SyntaxKind::Path).map(|path| (path.text(), path.span()));
        let (next, span) = self.source.next_on_line(self.at);
        match path.as_ref().and_then(|(path, place)| Some((path.split_once('.')?, place))) {
            Some(((from, name), place)) => {
                let right = format!("{from} {{ {name} }}");
                found.fix(Fix::maybe(format!("write `use {right}`")).replace(*place, right))
            }
            None if next.starts_with(char::is_lowercase) && !is_reserved(next) => {
                found.fix(Fix::maybe(format!("write `{{ {next} }}`")).replace(span, format!("{{ {next} }}")))
            }
            None => found,
        }
    }
}

/// Whether `c` is drawn as a picture, and never a bracket or sign of another script.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}')
}
