//! Forms of other languages that end where the grammar of this one breaks, and what to write instead. They come before
//! any guess of what is missing: a comma or a bracket put there would only break the text further.

use super::{Source, foreign};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::lower::is_reserved;
use crate::syntax::SyntaxKind::{
    self, AdapterMember, Args, Arm, Block, Field, Fn, For, Index, Init, Let, List, Param, Paren, Plan,
    PolicyField, PolicyFields, Refine, TestBlock, Use, Variant,
};
use crate::text::Span;

/// A form: in which part of a text (any, if none is named), its tokens around the place `^` where the grammar
/// breaks, and the right form in words. `_` is any word, `T` one in upper case and `0` a number.
type Form = (&'static [SyntaxKind], &'static [&'static str], &'static str);

/// The first that fits counts.
const FORMS: &[Form] = &[
    // Types.
    (&[Field, Param], &["^ ? T", "^ ? ["], "a type whose value may be missing is written `T?`"),
    (&[Field], &["^ ? :"], "an optional field is written `name: T?`"),
    (&[Param], &["^ ? :"], "an optional parameter is written `name: T? = null`"),
    (&[], &["T ^ ? ?"], "a type is optional once: `T?`"),
    (&[], &["T ^ [", "list ^ [", "array ^ [", "vec ^ ["], "a list type is written `[T]`"),
    (&[], &["dict ^ [", "map ^ ["], "a map type is written `{String: T}`"),
    (
        &[],
        &["T ^ | null", "T ^ | None", "T ^ | undefined"],
        "a type whose value may be missing is written `T?`",
    ),
    (
        &[Param, Field, Fn, Plan, Let],
        &["T ^ | T"],
        "there are no union types: declare an `enum` with a variant for each",
    ),
    (&[Refine], &["^ ="], "a range includes its upper end: `(0..9)`"),
    (&[Param, Field, Fn, Plan, Let], &["T ^ ("], "a range is written `(0..9)`, `(0..)` or `(..9)`"),
    (
        &[Field],
        &["T ^ =", "] ^ =", ") ^ =", "? ^ ="],
        "a field has no default: give the value where the record is made",
    ),
    (&[Variant], &["^ ="], "a variant has no value: give it one by a `fn` with a `match`"),
    (
        &[Variant],
        &["^ {", "^ :", "T ^ ,"],
        "a variant carries one value without a name: write `Name(T)`, with a record as `T` for more",
    ),
    // Patterns.
    (&[Arm], &["case ^ _", "when ^ _"], "an arm is written `pattern => value`, without a word before it"),
    (&[Arm], &["^ .."], "a pattern holds no range: bind the value, and look at it by `if`"),
    (&[Arm], &["^ {"], "a pattern looks into no record: bind it, and read its fields"),
    (&[Use], &["^ : :"], "an operation is imported by its name in braces: `use sn22 { name }`"),
    (&[], &["^ : :"], "a variant is written `Enum.Variant`"),
    // Parts of expressions.
    (&[Args, List], &["^ .. ."], "there is no spread: lists are joined by `.concat(..)`"),
    (&[PolicyFields], &["^ .. ."], "a policy builds on a named one by `with name { .. }`"),
    (&[Index], &["^ ..", "^ :"], "a part of a list or text is taken by `.skip(1).take(2)`"),
    (&[], &["0 ^ .. _", "_ ^ .. _", ") ^ .. _"], "whole numbers in a row are written `1.to(9)`"),
    (
        &[List],
        &["^ for"],
        "a list is made of another by `.map(x => ..)` and `.filter(x => ..)`, or by `for x in xs { .. }`",
    ),
    (
        &[Args, Let, PolicyField, AdapterMember],
        &["^ | _ |", "^ | _ ,", "^ || _"],
        "a lambda is written `x => x + 1`",
    ),
    (&[], &["lambda ^ _"], "a lambda is written `x => x + 1`"),
    (&[Paren], &["^ : T"], "a lambda is written `(a, b) => value`, without types"),
    (&[Args], &["^ =>"], "a lambda is written `x => x + 1`, without types"),
    (&[], &["f ^ \"", "$ ^ \""], "every text may hold values: `\"abc {x}\"`"),
    (&[], &["^ `"], "texts stand in `\"`, and values in them in `{x}`"),
    (
        &[],
        &["await ^ _", "async ^ _"],
        "there is no `await`: calls that do not need one another run together",
    ),
    (&[], &["new ^ T"], "a record is written `Name { field: value }`"),
    (&[Let], &["^ with"], "`with` stands behind the call: `let x = call search(..) with { .. }`"),
    (
        &[Block, TestBlock, Args, Init, List],
        &[") ^ with"],
        "`with` follows a `call`: `call name(..) with { .. }`",
    ),
    (
        &[Let],
        &["mut ^ _", "const ^ _", "var ^ _"],
        "a binding is written `let name = value`, and never changes",
    ),
    (
        &[For],
        &["for ^ (", "_ ^ , _"],
        "a loop is written `for x in list { .. }`: one name, no parentheses; `map.entries()` is the list of a map",
    ),
    // Operators.
    (&[], &["= ^ ="], "equality is written `==`, and difference `!=`"),
    (&[], &["< ^ >"], "difference is written `!=`"),
    (
        &[],
        &["+ ^ =", "- ^ =", "* ^ =", "/ ^ =", "% ^ =", "+ ^ +"],
        "a name is bound once and never changes: bind another by `let`",
    ),
    (&[], &["* ^ *", "^ ^"], "there is no operator for powers: multiply, `x * x`"),
    (&[], &["^ | >"], "there is no pipe: write `x.name(..)` for a method, `name(x)` for a function"),
    (
        &[],
        &["< ^ <", "> ^ >", "^ & _", "^ ~"],
        "there are no operators on bits; two conditions are joined by `&&`",
    ),
    (&[], &["^ / *", "/ ^ *", "^ #"], "a comment starts with `//`, and ends with its line"),
    (&[], &["^ and _"], "two conditions are joined by `&&`"),
    (&[], &["^ or _"], "two conditions are joined by `||`"),
    (&[], &["^ is _"], "equality is written `==`"),
    (&[], &["not ^ _"], "negation is written `!`"),
    (&[], &["_ ^ !", ") ^ !", "] ^ !"], "what stands in for `null` is written `x ?? value`"),
    (
        &[],
        &["_ ^ ?", ") ^ ?", "] ^ ?", "\" ^ ?"],
        "`?` is no operator: write `if a { b } else { c }`, or `x ?? value` for what may be `null`",
    ),
];

/// The form that breaks off at `at`, in a part of this kind.
pub(super) fn message(within: SyntaxKind, at: u32, source: Source<'_>) -> Option<Diagnostic> {
    let known = blank_before_unit(within, at, source)
        .or_else(|| arrow_before_member(within, at, source))
        .or_else(|| cast(at, source))
        .or_else(|| grouped_bound(at, source));
    if known.is_some() {
        return known;
    }
    let before = source.before(at);
    let mut ahead = [source.next_on_line(at); 3];
    for place in 1..ahead.len() {
        let end = ahead.get(place - 1).map_or(at, |(_, span)| span.end);
        let next = source.next_on_line(end);
        ahead.get_mut(place).into_iter().for_each(|token| *token = next);
    }
    let (right, span) = FORMS
        .iter()
        .filter(|(kinds, ..)| kinds.is_empty() || kinds.contains(&within))
        .find_map(|(_, shapes, right)| {
            let span = shapes.iter().find_map(|shape| fits(shape, before, &ahead))?;
            Some((*right, span))
        })?;
    Some(Diagnostic::error(codes::FOREIGN_FORM, right).primary(span, ""))
}

/// What of the text has this shape.
fn fits(shape: &str, before: (&str, Span), ahead: &[(&str, Span)]) -> Option<Span> {
    let mut tokens = shape.split(' ').peekable();
    let first = tokens.next_if(|token| *token != "^");
    let mut whole = first.map(|_| before.1);
    if first.is_some_and(|first| !is(first, before.0)) {
        return None;
    }
    let mut ahead = ahead.iter();
    for token in tokens.skip(1) {
        let (found, span) = ahead.next()?;
        if !is(token, found) {
            return None;
        }
        whole = Some(Span::new(whole.map_or(span.start, |whole| whole.start), span.end));
    }
    whole
}

fn is(token: &str, found: &str) -> bool {
    match token {
        "_" => found.starts_with(|c: char| c == '_' || c.is_alphanumeric()),
        "T" => found.starts_with(char::is_uppercase),
        "0" => found.starts_with(|c: char| c.is_ascii_digit()),
        token => token == found,
    }
}

/// The units of numbers.
pub(super) const UNITS: [&str; 8] = ["ms", "s", "m", "h", "d", "TAO", "rao", "USD"];

/// `0.1 USD`, `1 ussd`; in a policy, where nothing but a unit is written behind a number, `3 months` as well.
fn blank_before_unit(within: SyntaxKind, at: u32, source: Source<'_>) -> Option<Diagnostic> {
    let (unit, span) = source.next_on_line(at);
    let (number, digits) = source.before(at);
    let is_apart = digits.end < span.start && !Span::new(digits.end, at).text(source.text).contains('\n');
    if !is_apart || !is("0", number) || !number.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let whole = Span::new(digits.start, span.end);
    let found = Diagnostic::error(codes::FOREIGN_FORM, "a number and its unit are written without a blank")
        .primary(whole, "");
    let joined = Span::new(digits.end, span.end);
    if UNITS.contains(&unit) {
        let blank = Span::new(digits.end, span.start);
        return Some(found.fix(Fix::safe("remove the blank").delete(blank)));
    }
    if let Some(right) = foreign::unit(unit) {
        return Some(found.fix(Fix::safe(format!("write `{right}`")).replace(joined, right)));
    }
    // Shorter ones are names as often as units.
    let near = if unit.len() < 3 { Vec::new() } else { foreign::near_units(unit) };
    if let [right] = near.as_slice() {
        return Some(found.fix(Fix::maybe(format!("write `{right}`")).replace(joined, *right)));
    }
    let is_unit = within == PolicyField && is("_", unit) && matches!(source.next(span.end).0, "," | "}");
    is_unit.then(|| {
        Diagnostic::error(codes::BAD_NUMBER, format!("`{unit}` is no unit"))
            .primary(span, "")
            .help(foreign::unit_help(unit))
    })
}

/// `hit->link`, without blanks around. `h->h.link` is a lambda, and in an arm a pattern stands before.
fn arrow_before_member(within: SyntaxKind, at: u32, source: Source<'_>) -> Option<Diagnostic> {
    let (arrow, span) = source.next_on_line(at);
    let (value, value_span) = source.before(at);
    let (member, member_span) = source.next_on_line(span.end);
    let is_name = |word: &str| word.starts_with(|c: char| c.is_lowercase() || c == '_') && !is_reserved(word);
    let is_close = value_span.end == span.start && span.end == member_span.start;
    let is_pattern = within == Arm && matches!(source.before(value_span.start).0, "{" | ",");
    let fits =
        arrow == "->" && is_close && is_name(value) && is_name(member) && value != member && !is_pattern;
    fits.then(|| {
        Diagnostic::error(codes::FOREIGN_FORM, "a field is read by `.`")
            .primary(span, "expected `.`")
            .fix(Fix::safe("write `.`").replace(span, "."))
    })
}

/// `x as! T`, `(T) x`.
fn cast(at: u32, source: Source<'_>) -> Option<Diagnostic> {
    const RIGHT: &str = "what is checked to be of a type is written `x as T`";
    let (before, span) = source.before(at);
    let (next, next_span) = source.next_on_line(at);
    if before == "as" && matches!(next, "!" | "?") && span.end == next_span.start {
        let mark = Span::new(span.start, next_span.end);
        let found = Diagnostic::error(codes::FOREIGN_FORM, RIGHT).primary(mark, "expected `as`");
        return Some(found.fix(Fix::maybe("write `as`").replace(mark, "as")));
    }
    let (ty, ty_span) = source.before(span.start);
    let (open, open_span) = source.before(ty_span.start);
    // Behind a name, parentheses hold what it is called with.
    let is_apart = !source.before(open_span.start).0.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        || source.before(open_span.start).1.end < open_span.start;
    let is_cast = before == ")" && is("T", ty) && open == "(" && is_apart && (is("_", next) || next == "\"");
    is_cast.then(|| {
        let found = Diagnostic::error(codes::FOREIGN_FORM, RIGHT);
        found
            .primary(Span::new(open_span.start, span.end), "")
            .help(format!("write `{next} as {ty}`, the type behind the whole value"))
    })
}

/// `String(..2_000)`, `Int(1_000..2_000)`.
fn grouped_bound(at: u32, source: Source<'_>) -> Option<Diagnostic> {
    // Of the range it breaks before a bound, or before all of it.
    let (mut next, mut place) = source.next_on_line(at);
    let mut grouped: Vec<(Span, String)> = Vec::new();
    while matches!(next, "(" | "..") || is("0", next) {
        let plain = next.replace('_', "");
        if plain.len() < next.len() && plain.chars().all(|c| c.is_ascii_digit()) {
            grouped.push((place, plain));
        }
        (next, place) = source.next_on_line(place.end);
    }
    let (first, plain) = grouped.first().filter(|_| next == ")")?;
    let what =
        if grouped.len() == 1 { format!("write `{plain}`") } else { "write the digits in a row".to_owned() };
    let fix = Fix::safe(what);
    let fix = grouped.iter().fold(fix, |fix, (place, plain)| fix.replace(*place, plain.as_str()));
    let message = format!("`{}` is no number", first.text(source.text));
    Some(
        Diagnostic::error(codes::BAD_NUMBER, message)
            .primary(*first, "")
            .note("digits are not grouped")
            .fix(fix),
    )
}
