//! Schemas to types and back; the helpers show types as text.

mod mapping;
mod refusals;
mod round_trip;

use serde_json::json;

use super::*;
use crate::types::{EnumWire, TypeDef};

/// All definitions and the type, as text.
fn show(schema: &Json) -> String {
    match from_json_schema(schema, "Op") {
        Ok((defs, ty)) => dump(&defs, &ty),
        Err(error) => format!("{} {} {}", error.code, error.pointer, error.message),
    }
}

fn dump(defs: &TypeDefs, ty: &Type) -> String {
    let mut text = String::new();
    for (_, def) in defs.iter() {
        let parts: Vec<String> = match def {
            TypeDef::Record(def) => {
                def.fields.iter().map(|field| format!("{}: {}", field.name, defs.show(&field.ty))).collect()
            }
            TypeDef::Enum(def) => {
                let variant = |v: &crate::types::VariantDef| {
                    let payload = v.payload.as_ref().map(|ty| format!("({})", defs.show(ty)));
                    format!("{}{} = {}", v.name, payload.unwrap_or_default(), v.wire)
                };
                def.variants.iter().map(variant).collect()
            }
        };
        let kind = match def {
            TypeDef::Record(_) => "record".into(),
            TypeDef::Enum(def) => match &def.wire {
                EnumWire::Literal => "enum".into(),
                EnumWire::Untagged => "union".into(),
                EnumWire::Discriminator(property) => format!("union by {property}"),
            },
        };
        text.push_str(&format!("{kind} {} {{ {} }}\n", def.name(), parts.join(", ")));
    }
    text + &defs.show(ty)
}

fn code(schema: Json) -> String {
    match from_json_schema(&schema, "Op") {
        Ok((defs, ty)) => dump(&defs, &ty),
        Err(error) => format!("{} {}", error.code, error.pointer),
    }
}
