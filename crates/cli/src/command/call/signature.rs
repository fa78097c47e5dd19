//! What an operation takes and answers, for people.

use plan_compiler::Signature;
use plan_ir::plan::Param;
use schema::price::PriceRule;
use schema::types::{Type, TypeDefs};

use super::Callee;

/// Characters of a line of documentation.
const DOC_WIDTH: usize = 72;

/// The arguments of an operation, a line each, under a line that says so.
pub(super) fn listing(callee: &Callee, signature: &Signature) -> String {
    let params = &signature.params;
    if params.is_empty() {
        return format!("{} takes no arguments", callee.id);
    }
    let types: Vec<String> = params.iter().map(|param| signature.types.show(&param.ty)).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = width(&mut params.iter().map(|param| param.name.chars().count()));
    let shown = width(&mut types.iter().map(|ty| ty.chars().count().min(DOC_WIDTH / 2)));
    let rows = params.iter().zip(&types).map(|(param, ty)| {
        let needed = if is_needed(param) { "required" } else { "        " };
        let what = [values(&param.ty, &signature.types), doc(&param.doc)].into_iter().flatten();
        let what = what.collect::<Vec<_>>().join("; ");
        let row = format!("  {:names$}  {ty:shown$}  {needed}  {what}", param.name);
        row.trim_end().to_owned()
    });
    std::iter::once(format!("{} takes", callee.id)).chain(rows).collect::<Vec<_>>().join("\n")
}

/// Everything one needs to know to call it.
pub(super) fn page(callee: &Callee, signature: &Signature) -> String {
    let needed = signature.params.iter().filter(|param| is_needed(param));
    let usage: String = needed.map(|param| format!(" {}=..", param.name)).collect();
    let limit = match &callee.price {
        None => "answered by whatever operation can be called, the cheapest first; --max-cost limits all attempts \
                 together"
            .to_owned(),
        Some(PriceRule::PerCall { amount }) => format!("costs {amount} a call"),
        Some(PriceRule::Free) => "costs nothing".to_owned(),
        Some(_) => "its price is not known: --max-cost says the most it may cost".to_owned(),
    };
    format!(
        "{id} {version}\n{summary}\n\nUsage: orch call {id}{usage}\n\n{arguments}\n\nanswers {answer}; {limit}",
        id = callee.id,
        version = callee.version,
        summary = callee.summary,
        arguments = listing(callee, signature),
        answer = signature.types.show(&signature.output),
    )
}

/// Whether a call needs a value for it.
pub(super) fn is_needed(param: &Param) -> bool {
    param.default.is_none() && !matches!(param.ty, Type::Optional(_))
}

/// The values that a type admits, if it is one of words or numbers.
fn values(ty: &Type, types: &TypeDefs) -> Option<String> {
    let ty = if let Type::Optional(inner) = ty { inner } else { ty };
    let Type::Named(id) = ty else { return None };
    let literals = types.enumeration(*id)?.literals().map(|literal| literal.trim_matches('"'));
    let literals = literals.collect::<Vec<_>>().join(", ");
    (!literals.is_empty()).then(|| cut(&literals))
}

/// The first line of a documentation.
fn doc(text: &str) -> Option<String> {
    text.lines().next().map(cut)
}

fn cut(line: &str) -> String {
    if line.chars().count() <= DOC_WIDTH {
        return line.to_owned();
    }
    let cut: String = line.chars().take(DOC_WIDTH - 1).collect();
    format!("{}…", cut.trim_end())
}
