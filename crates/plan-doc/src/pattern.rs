//! When the arms of a branch are taken, in the words of the plan.

use plan_ir::expr::Pattern;
use plan_ir::plan::{CompiledPlan, NodeBody};
use schema::types::{Type, TypeDefs};
use schema::value::Value;

/// Longest text of a literal, in characters.
const LITERAL_CHARS_MAX: usize = 24;

/// One text per arm; empty for a node that has none.
pub(crate) fn arms(plan: &CompiledPlan, body: &NodeBody) -> Vec<String> {
    let NodeBody::Branch { scrutinee, patterns } = body else { return Vec::new() };
    let ty = plan.body.exprs.ty(scrutinee.body);
    patterns.iter().map(|pattern| arm(&plan.body.types, ty, pattern)).collect()
}

fn arm(defs: &TypeDefs, ty: Option<&Type>, pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => "otherwise".to_owned(),
        Pattern::Literal(Value::Bool(value)) => format!("if {value}"),
        Pattern::Present(inner) if is_open(inner) => "if not null".to_owned(),
        pattern => format!("if {}", text(defs, ty, pattern)),
    }
}

fn text(defs: &TypeDefs, ty: Option<&Type>, pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => "_".to_owned(),
        Pattern::Literal(value) => literal(value),
        Pattern::Present(inner) => match ty {
            Some(Type::Optional(of)) => text(defs, Some(of), inner),
            _ => text(defs, None, inner),
        },
        Pattern::Variant(index, payload) => {
            let (name, of) = variant(defs, ty, *index);
            match payload.as_deref() {
                None => name,
                Some(payload) if is_open(payload) => format!("{name}(..)"),
                Some(payload) => format!("{name}({})", text(defs, of.as_ref(), payload)),
            }
        }
    }
}

fn is_open(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::Any | Pattern::Bind(_))
}

/// Name and payload of a variant; its number where the type does not tell.
fn variant(defs: &TypeDefs, ty: Option<&Type>, index: u32) -> (String, Option<Type>) {
    match ty {
        Some(Type::Result(ok, _)) if index == 0 => ("Ok".to_owned(), Some((**ok).clone())),
        Some(Type::Result(_, err)) => ("Err".to_owned(), Some((**err).clone())),
        Some(Type::Optional(of)) => variant(defs, Some(of), index),
        Some(Type::Named(id)) => {
            let known = defs.enumeration(*id).and_then(|def| def.variants.get(index as usize));
            known.map_or_else(
                || (format!("variant {index}"), None),
                |known| (known.name.clone(), known.payload.clone()),
            )
        }
        _ => (format!("variant {index}"), None),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(value) => {
            let short: String = value.chars().take(LITERAL_CHARS_MAX).collect();
            let more = if short.len() < value.len() { "…" } else { "" };
            format!("\"{short}{more}\"")
        }
        _ => "a literal".to_owned(),
    }
}
