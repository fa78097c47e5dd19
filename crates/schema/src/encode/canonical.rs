//! Canonical bytes of values, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{EncodeError, is_absent, misfit};
use crate::amount::{Amount, Currency};
use crate::ocb::{Item, Profile, TextKey};
use crate::types::{EnumDef, RecordDef, Type, TypeDef, TypeDefs};
use crate::value::{Json, Value};

/// The OCB1-V bytes of `value` of type `ty`: what commits and cache keys hash.
///
/// # Errors
/// [`EncodeError::Misfit`] where the value is not of the type, [`EncodeError::Canonical`] where it nests
/// deeper than the profile allows or holds NaN.
pub fn canonical(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<Vec<u8>, EncodeError> {
    Ok(to_item(value, ty, defs)?.encode(Profile::Value)?)
}

/// The value of type `ty` whose canonical bytes are `bytes`.
///
/// # Errors
/// [`EncodeError::Canonical`] where the bytes are not OCB1-V, [`EncodeError::Misfit`] where they are not
/// the canonical bytes of a value of the type. Refinements are the affair of [`crate::decode::check`].
pub fn from_canonical(bytes: &[u8], ty: &Type, defs: &TypeDefs) -> Result<Value, EncodeError> {
    from_item(&Item::decode(bytes, Profile::Value)?, ty, defs)
}

/// The item that [`canonical`] encodes.
///
/// # Errors
/// [`EncodeError::Misfit`].
pub fn to_item(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<Item, EncodeError> {
    Ok(match (value, ty) {
        (Value::Null, Type::Optional(_)) => Item::Null,
        (_, Type::Optional(inner)) => to_item(value, inner, defs)?,
        (Value::Bool(value), Type::Bool) => Item::Bool(*value),
        (Value::Int(value), Type::Int(_))
        | (Value::Time(value), Type::Time)
        | (Value::Duration(value), Type::Duration) => Item::int(*value),
        (Value::Float(value), Type::Float(_)) => Item::Float(*value),
        (Value::String(text), Type::String(_) | Type::Url) => Item::Text((**text).into()),
        (Value::Bytes(bytes), Type::Bytes(_)) => Item::Bytes((**bytes).into()),
        (Value::Amount(amount), Type::Amount) => named(unit(amount.currency), Item::Uint(amount.units)),
        (Value::Json(json), Type::Json) => json_item(json),
        (Value::List(items), Type::List(element, _)) => {
            Item::Array(items.iter().map(|item| to_item(item, element, defs)).collect::<Result<_, _>>()?)
        }
        (Value::Map(entries), Type::Map(element)) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, item)| Ok((key.to_string(), to_item(item, element, defs)?)));
            Item::text_map(entries.collect::<Result<Vec<_>, EncodeError>>()?)
        }
        (Value::Variant(0, Some(payload)), Type::Result(ok, _)) => named("Ok", to_item(payload, ok, defs)?),
        (Value::Variant(1, Some(payload)), Type::Result(_, err)) => {
            named("Err", to_item(payload, err, defs)?)
        }
        (Value::Record(fields), Type::Named(id)) => {
            let def = defs.record(*id).filter(|def| def.fields.len() == fields.len());
            let def = def.ok_or_else(|| misfit(ty, defs))?;
            let present = fields.iter().zip(&def.fields).filter(|(value, _)| !is_absent(value));
            let entries =
                present.map(|(value, field)| Ok((field.name.clone(), to_item(value, &field.ty, defs)?)));
            Item::text_map(entries.collect::<Result<Vec<_>, EncodeError>>()?)
        }
        (Value::Variant(place, payload), Type::Named(id)) => {
            let variant = defs.enumeration(*id).and_then(|def| def.variants.get(*place as usize));
            match (variant.map(|v| (&v.name, &v.payload)), payload) {
                (Some((name, None)), None) => Item::Text(name.clone()),
                (Some((name, Some(ty))), Some(payload)) => named(name, to_item(payload, ty, defs)?),
                _ => return Err(misfit(ty, defs)),
            }
        }
        _ => return Err(misfit(ty, defs)),
    })
}

/// The value of type `ty` that `item` stands for.
///
/// # Errors
/// [`EncodeError::Misfit`].
pub fn from_item(item: &Item, ty: &Type, defs: &TypeDefs) -> Result<Value, EncodeError> {
    let wrong = || misfit(ty, defs);
    let whole = || item.as_int().ok_or_else(wrong);
    Ok(match (ty, item) {
        (Type::Optional(_), Item::Null) => Value::Null,
        (Type::Optional(inner), _) => from_item(item, inner, defs)?,
        (Type::Bool, Item::Bool(value)) => Value::Bool(*value),
        (Type::Int(_), _) => Value::Int(whole()?),
        (Type::Time, _) => Value::Time(whole()?),
        (Type::Duration, _) => Value::Duration(whole()?),
        (Type::Float(_), Item::Float(value)) => Value::Float(*value),
        (Type::String(_) | Type::Url, Item::Text(text)) => Value::string(text.as_str()),
        (Type::Bytes(_), Item::Bytes(bytes)) => Value::Bytes(bytes.as_slice().into()),
        (Type::Amount, Item::TextMap(entries)) => amount(entries).ok_or_else(wrong)?,
        (Type::Json, _) => Value::Json(item_json(item).ok_or_else(wrong)?),
        (Type::List(element, _), Item::Array(items)) => {
            Value::List(items.iter().map(|item| from_item(item, element, defs)).collect::<Result<_, _>>()?)
        }
        (Type::Map(element), Item::TextMap(entries)) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, item)| Ok((key.0.as_str().into(), from_item(item, element, defs)?)));
            Value::Map(Arc::new(entries.collect::<Result<_, EncodeError>>()?))
        }
        (Type::Result(ok, err), Item::TextMap(entries)) => match single(entries).ok_or_else(wrong)? {
            ("Ok", item) => Value::ok(from_item(item, ok, defs)?),
            ("Err", item) => Value::err(from_item(item, err, defs)?),
            _ => return Err(wrong()),
        },
        (Type::Named(id), _) => match (defs.get(*id), item) {
            (Some(TypeDef::Record(def)), Item::TextMap(entries)) => {
                record(entries, def, defs)?.ok_or_else(wrong)?
            }
            (Some(TypeDef::Enum(def)), _) => variant(item, def, defs)?.ok_or_else(wrong)?,
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    })
}

fn named(name: &str, item: Item) -> Item {
    Item::text_map([(name.to_owned(), item)])
}

const fn unit(currency: Currency) -> &'static str {
    match currency {
        Currency::Rao => "rao",
        Currency::MicroUsd => "micro_usd",
    }
}

fn amount(entries: &BTreeMap<TextKey, Item>) -> Option<Value> {
    let (name, Item::Uint(units)) = single(entries)? else { return None };
    let currency = [Currency::Rao, Currency::MicroUsd].into_iter().find(|c| unit(*c) == name)?;
    Some(Value::Amount(Amount::new(*units, currency)))
}

fn single(entries: &BTreeMap<TextKey, Item>) -> Option<(&str, &Item)> {
    let mut entries = entries.iter();
    let (key, item) = entries.next()?;
    entries.next().is_none().then_some((key.0.as_str(), item))
}

/// `None` where a field is missing, unknown, or present though it stands for an absent one.
fn record(
    entries: &BTreeMap<TextKey, Item>,
    def: &RecordDef,
    defs: &TypeDefs,
) -> Result<Option<Value>, EncodeError> {
    let mut known = 0;
    let mut fields = Vec::with_capacity(def.fields.len());
    for field in &def.fields {
        let value = match entries.get(&TextKey(field.name.clone())) {
            Some(item) => {
                known += 1;
                Some(from_item(item, &field.ty, defs)?).filter(|value| !is_absent(value))
            }
            None => field.ty.absent(),
        };
        match value {
            Some(value) => fields.push(value),
            None => return Ok(None),
        }
    }
    Ok((known == entries.len()).then(|| Value::Record(fields.into())))
}

fn variant(item: &Item, def: &EnumDef, defs: &TypeDefs) -> Result<Option<Value>, EncodeError> {
    let (name, payload) = match item {
        Item::Text(name) => (name.as_str(), None),
        Item::TextMap(entries) => match single(entries) {
            Some((name, payload)) => (name, Some(payload)),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let Some((place, variant)) = def.variant(name) else { return Ok(None) };
    let payload = match (payload, &variant.payload) {
        (None, None) => None,
        (Some(item), Some(ty)) => Some(Arc::new(from_item(item, ty, defs)?)),
        _ => return Ok(None),
    };
    Ok(u32::try_from(place).ok().map(|place| Value::Variant(place, payload)))
}

fn json_item(json: &Json) -> Item {
    match json {
        Json::Null => Item::Null,
        Json::Bool(value) => Item::Bool(*value),
        Json::Int(value) => Item::int(*value),
        Json::Float(value) => Item::Float(*value),
        Json::String(text) => Item::Text((**text).into()),
        Json::Array(items) => Item::Array(items.iter().map(json_item).collect()),
        Json::Object(entries) => {
            Item::text_map(entries.iter().map(|(key, value)| (key.to_string(), json_item(value))))
        }
    }
}

fn item_json(item: &Item) -> Option<Json> {
    Some(match item {
        Item::Null => Json::Null,
        Item::Bool(value) => Json::Bool(*value),
        Item::Uint(_) | Item::Nint(_) => Json::Int(item.as_int()?),
        Item::Float(value) => Json::Float(*value),
        Item::Text(text) => Json::String(text.as_str().into()),
        Item::Array(items) => Json::Array(items.iter().map(item_json).collect::<Option<_>>()?),
        Item::TextMap(entries) => Json::Object(Arc::new(
            entries
                .iter()
                .map(|(key, item)| Some((key.0.as_str().into(), item_json(item)?)))
                .collect::<Option<_>>()?,
        )),
        Item::Bytes(_) | Item::Map(_) => return None,
    })
}
