//! Types and values for property tests.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::amount::{Amount, Currency};
use crate::text_form::{TIME_US_MAX, TIME_US_MIN};
use crate::types::{
    EnumDef, EnumWire, FieldDef, FloatRange, IntRange, LengthRange, RecordDef, Type, TypeDef, TypeDefs,
    VariantDef,
};
use crate::value::{Json, Value};
use crate::wire::Kind;

/// A type before its records and enums have a place in a table.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Plain(Type),
    List(Box<Shape>, LengthRange),
    Map(Box<Shape>),
    Optional(Box<Shape>),
    Record(Vec<Shape>),
    Literals(Vec<Option<Shape>>),
    /// Some of three words, and with `true` any other text.
    Words([bool; 3], bool),
    Union(Box<Shape>),
    Tagged(Vec<Vec<Shape>>),
    Result(Box<Shape>, Box<Shape>),
}

/// A table and a type that refers to it.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) defs: TypeDefs,
    pub(crate) ty: Type,
}

fn length_range() -> impl Strategy<Value = LengthRange> {
    (0_u64..3, prop::option::of(0_u64..4))
        .prop_map(|(min, spare)| LengthRange { min, max: spare.map(|spare| min + spare) })
}

fn plain() -> BoxedStrategy<Type> {
    let bounds = prop_oneof![Just(i64::MIN), Just(i64::MAX), -20_i64..20, any::<i64>()];
    let int =
        (bounds.clone(), bounds).prop_map(|(a, b)| Type::Int(IntRange { min: a.min(b), max: a.max(b) }));
    let bounds = prop_oneof![Just(f64::NEG_INFINITY), Just(f64::INFINITY), -4.0..4.0, Just(0.0)];
    let float = (bounds.clone(), bounds).prop_filter_map("a finite number is admitted", |(a, b)| {
        let range = FloatRange { min: a.min(b) + 0.0, max: a.max(b) + 0.0 };
        (range.min < f64::INFINITY && range.max > f64::NEG_INFINITY).then_some(Type::Float(range))
    });
    prop_oneof![
        Just(Type::Bool),
        int,
        float,
        length_range().prop_map(Type::String),
        length_range().prop_map(Type::Bytes),
        Just(Type::Url),
        Just(Type::Time),
        Just(Type::Duration),
        Just(Type::Amount),
        Just(Type::Json),
    ]
    .boxed()
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    plain().prop_map(Shape::Plain).prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed.clone(), length_range()).prop_map(|(shape, range)| Shape::List(shape, range)),
            boxed.clone().prop_map(Shape::Map),
            boxed.clone().prop_map(Shape::Optional),
            vec(inner.clone(), 0..4).prop_map(Shape::Record),
            vec(prop::option::of(inner.clone()), 1..4).prop_map(Shape::Literals),
            (any::<[bool; 3]>(), any::<bool>()).prop_map(|(words, open)| Shape::Words(words, open)),
            boxed.clone().prop_map(Shape::Union),
            vec(vec(inner, 0..3), 2..4).prop_map(Shape::Tagged),
            (boxed.clone(), boxed).prop_map(|(ok, err)| Shape::Result(ok, err)),
        ]
    })
}

pub(crate) fn typed() -> impl Strategy<Value = Typed> {
    shape().prop_map(|shape| {
        let mut defs = TypeDefs::new();
        let ty = lower(&shape, &mut defs);
        Typed { defs, ty }
    })
}

/// A type with a value of it.
pub(crate) fn typed_value() -> impl Strategy<Value = (Typed, Value)> {
    typed().prop_flat_map(|typed| {
        let value = value_of(&typed.ty, &typed.defs);
        (Just(typed), value)
    })
}

fn field(name: &str, ty: Type) -> FieldDef {
    FieldDef { name: name.into(), ty, doc: String::new() }
}

fn variant(name: &str, wire: &str, payload: Option<Type>) -> VariantDef {
    VariantDef { name: name.into(), wire: wire.into(), payload, doc: String::new() }
}

fn push_enum(defs: &mut TypeDefs, wire: EnumWire, variants: Vec<VariantDef>) -> Type {
    let name = format!("Enum{}", defs.len());
    Type::Named(defs.push(TypeDef::Enum(EnumDef { name, variants, wire, doc: String::new() })))
}

fn push_record(defs: &mut TypeDefs, mut fields: Vec<FieldDef>) -> Type {
    // Required fields first, each half by name: the order a JSON Schema is mapped to.
    fields.sort_by_key(|field| field.ty.absent().is_some());
    let name = format!("Record{}", defs.len());
    Type::Named(defs.push(TypeDef::Record(RecordDef { name, fields, doc: String::new() })))
}

fn fields(shapes: &[Shape], defs: &mut TypeDefs) -> Vec<FieldDef> {
    let names = ["alpha", "beta", "gamma", "delta"];
    let mut fields: Vec<_> =
        shapes.iter().zip(names).map(|(shape, name)| field(name, lower(shape, defs))).collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    fields
}

fn kind_of(ty: &Type) -> Option<Kind> {
    match ty {
        Type::String(_) => Some(Kind::String),
        Type::Int(_) | Type::Float(_) => Some(Kind::Number),
        Type::Bool => Some(Kind::Bool),
        Type::List(..) => Some(Kind::Array),
        _ => None,
    }
}

/// Gives the shape's records and enums a place in `defs`.
pub(crate) fn lower(shape: &Shape, defs: &mut TypeDefs) -> Type {
    match shape {
        Shape::Plain(ty) => ty.clone(),
        Shape::List(element, range) => Type::List(Box::new(lower(element, defs)), *range),
        Shape::Map(element) => match lower(element, defs) {
            // A map to anything is an object of no known form.
            Type::Json => Type::Json,
            other => Type::Map(Box::new(other)),
        },
        Shape::Optional(inner) => lower(inner, defs).optional(),
        Shape::Record(shapes) if shapes.is_empty() => Type::Json,
        Shape::Record(shapes) => {
            let fields = fields(shapes, defs);
            push_record(defs, fields)
        }
        Shape::Literals(payloads) => {
            let names = ["One", "Two", "Three"];
            let variants = payloads.iter().zip(names).map(|(payload, name)| {
                // A union of one member is that member.
                let payload = payload.as_ref().filter(|_| payloads.len() > 1);
                let payload = payload.map(|shape| lower(shape, defs));
                // An optional payload would be an optional property in JSON Schema.
                let payload = payload.map(|ty| if let Type::Optional(inner) = ty { *inner } else { ty });
                variant(name, &format!("\"{}\"", name.to_lowercase()), payload)
            });
            let mut variants: Vec<_> = variants.collect();
            variants.sort_by_key(|variant| variant.payload.is_some());
            push_enum(defs, EnumWire::Literal, variants)
        }
        Shape::Words(words, open) => {
            let names = ["One", "Two", "Three"];
            let kept = words.iter().zip(names).filter(|(kept, _)| **kept);
            let mut variants: Vec<_> =
                kept.map(|(_, name)| variant(name, &format!("\"{}\"", name.to_lowercase()), None)).collect();
            // No word at all is no enum.
            if variants.is_empty() {
                return Type::STRING;
            }
            if *open {
                variants.push(variant("Other", "", Some(Type::STRING)));
            }
            push_enum(defs, EnumWire::Literal, variants)
        }
        Shape::Union(inner) => {
            let payload = lower(inner, defs);
            let Some(kind) = kind_of(&payload) else { return payload };
            let (other, ty) =
                if kind == Kind::Bool { (Kind::String, Type::STRING) } else { (Kind::Bool, Type::Bool) };
            let mut members = [(kind, payload), (other, ty)];
            members.sort_by_key(|(kind, _)| *kind);
            let variants = members.map(|(kind, ty)| variant(kind.variant(), kind.wire(), Some(ty))).into();
            push_enum(defs, EnumWire::Untagged, variants)
        }
        Shape::Tagged(members) => {
            let names = ["One", "Two", "Three"];
            let variants: Vec<_> = members
                .iter()
                .zip(names)
                .map(|(shapes, name)| {
                    let wire = format!("\"{}\"", name.to_lowercase());
                    let tag = push_enum(defs, EnumWire::Literal, vec![variant(name, &wire, None)]);
                    let mut fields = fields(shapes, defs);
                    fields.push(field("kind", tag));
                    fields.sort_by(|a, b| a.name.cmp(&b.name));
                    variant(name, &wire, Some(push_record(defs, fields)))
                })
                .collect();
            push_enum(defs, EnumWire::Discriminator("kind".into()), variants)
        }
        Shape::Result(ok, err) => Type::Result(Box::new(lower(ok, defs)), Box::new(lower(err, defs))),
    }
}

fn json() -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::Int),
        (-1e9..1e9).prop_map(Json::float),
        ".{0,6}".prop_map(|text| Json::String(text.into())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| Json::Array(items.into())),
            btree_map("[a-z]{0,3}", inner, 0..3).prop_map(|entries| {
                Json::Object(Arc::new(entries.into_iter().map(|(k, v)| (k.into(), v)).collect()))
            }),
        ]
    })
    .boxed()
}

fn lengths(range: LengthRange) -> std::ops::RangeInclusive<usize> {
    let min = usize::try_from(range.min).unwrap();
    let max = range.max.map_or(min + 3, |max| usize::try_from(max).unwrap());
    min..=max.min(min + 3)
}

/// Values of `ty`; every one of them, up to size.
pub(crate) fn value_of(ty: &Type, defs: &TypeDefs) -> BoxedStrategy<Value> {
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Int(range) => (i128::from(range.min)..=i128::from(range.max))
            .prop_map(|value| Value::Int(i64::try_from(value).unwrap()))
            .boxed(),
        Type::Float(range) => {
            let (low, high) = (range.min.max(-1e6), range.max.min(1e6));
            (0.0..1.0)
                .prop_map(move |share| {
                    let inner: f64 = low + share * (high - low);
                    Value::Float(inner.clamp(low, high) + 0.0)
                })
                .boxed()
        }
        Type::String(range) => {
            vec(any::<char>(), lengths(*range)).prop_map(|c| Value::string(String::from_iter(c))).boxed()
        }
        Type::Bytes(range) => {
            vec(any::<u8>(), lengths(*range)).prop_map(|bytes| Value::Bytes(bytes.into())).boxed()
        }
        Type::Url => "https://[a-z]{1,5}\\.example/[a-z?=#]{0,5}".prop_map(Value::string).boxed(),
        Type::Time => (TIME_US_MIN..=TIME_US_MAX).prop_map(Value::Time).boxed(),
        Type::Duration => (-1_i64 << 50..1_i64 << 50).prop_map(Value::Duration).boxed(),
        Type::Amount => (any::<u64>(), any::<bool>())
            .prop_map(|(units, tao)| {
                Value::Amount(Amount::new(units, if tao { Currency::Rao } else { Currency::MicroUsd }))
            })
            .boxed(),
        Type::Json => json().prop_map(Value::Json).boxed(),
        Type::List(element, range) => {
            vec(value_of(element, defs), lengths(*range)).prop_map(Value::list).boxed()
        }
        Type::Map(element) => btree_map("[a-z]{0,3}", value_of(element, defs), 0..3)
            .prop_map(|entries| {
                Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
            })
            .boxed(),
        Type::Optional(inner) => prop_oneof![Just(Value::Null), value_of(inner, defs)].boxed(),
        Type::Result(ok, err) => {
            prop_oneof![value_of(ok, defs).prop_map(Value::ok), value_of(err, defs).prop_map(Value::err)]
                .boxed()
        }
        Type::Named(id) => match defs.get(*id).unwrap() {
            TypeDef::Record(def) => def
                .fields
                .iter()
                .map(|field| value_of(&field.ty, defs))
                .collect::<Vec<_>>()
                .prop_map(Value::record)
                .boxed(),
            TypeDef::Enum(def) => {
                let variants = def.variants.iter().enumerate().map(|(place, variant)| {
                    let place = u32::try_from(place).unwrap();
                    match &variant.payload {
                        None => Just(Value::Variant(place, None)).boxed(),
                        Some(ty) => value_of(ty, defs)
                            .prop_map(move |value| Value::Variant(place, Some(Arc::new(value))))
                            .boxed(),
                    }
                });
                prop::strategy::Union::new(variants.collect::<Vec<_>>()).boxed()
            }
        },
        Type::Error => Just(Value::Null).boxed(),
    }
}
