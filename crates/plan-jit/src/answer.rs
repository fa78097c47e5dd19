//! Answers straight into the layout: JSON text is read by type into cells, without a tree in between.
//!
//! It accepts what [`schema::decode::decode`] accepts and gives the same value: both are written against
//! [`serde::Deserializer`], and a differential test holds them together. What is wrong with an answer is not
//! worked out here: an answer that is refused is read again by that function, which says where and why.

use std::sync::Arc;

use schema::decode::{DecodeError, decode};
use schema::limits::CALL_BODY_BYTES_MAX;
use schema::types::{FloatRange, IntRange, LengthRange, RecordDef, Type, TypeDef, TypeDefs};
use schema::value::{Json, Value};

use crate::flat::{Flat, Shape};
use crate::layout::{Layouts, Repr, ReprId};

mod room;
mod seed;

use room::Room;
use seed::Seed;

/// Reads answers of one type.
#[derive(Clone, Debug)]
pub struct AnswerReader {
    shape: Shape,
    root: Part,
    ty: Type,
    defs: Arc<TypeDefs>,
}

/// An answer that was read.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Laid out.
    Flat(Flat),
    /// As a value: laid out it would take more than [`crate::ARENA_BYTES_MAX`].
    Value(Value),
}

/// How a part of an answer is read.
#[derive(Clone, Debug)]
enum Part {
    Bool,
    Int(IntRange),
    Float(FloatRange),
    Text(LengthRange),
    Url,
    Time,
    Duration,
    Amount,
    /// A part that may be `null`.
    Optional(Box<Part>),
    List {
        element: Box<Part>,
        range: LengthRange,
        cells: usize,
    },
    Record(Arc<Fields>),
    /// What has no layout of its own, or is seldom: read as a value, then laid out.
    Value {
        ty: Type,
        repr: ReprId,
    },
}

/// The fields of a record.
#[derive(Debug)]
struct Fields {
    fields: Vec<Field>,
    /// Cells of the record.
    cells: usize,
    /// Whether the record is referred to, and lies elsewhere.
    boxed: bool,
}

#[derive(Debug)]
struct Field {
    name: Box<str>,
    part: Part,
    /// Its first cell.
    cell: usize,
    /// What stands for it when it is absent.
    absent: Absent,
}

#[derive(Clone, Copy, Debug)]
enum Absent {
    /// The answer is refused.
    No,
    /// An optional without a value.
    Null,
    /// What has no layout of its own.
    Value(&'static Value),
}

impl AnswerReader {
    /// A reader of answers of type `ty`, laid out as `shape` says. `None` where that is the shape of another
    /// type.
    #[must_use]
    pub fn new(ty: &Type, defs: &Arc<TypeDefs>, shape: Shape) -> Option<Self> {
        let mut own = Layouts::new();
        let repr = own.of(ty, defs);
        if !shape.layouts.same(shape.repr, &own, repr) {
            return None;
        }
        let root = part(ty, shape.repr, defs, &shape.layouts);
        Some(Self { shape, root, ty: ty.clone(), defs: Arc::clone(defs) })
    }

    /// The value that the JSON document `body` holds.
    ///
    /// # Errors
    /// As [`schema::decode::decode`].
    pub fn read(&self, body: &[u8]) -> Result<Answer, DecodeError> {
        match self.laid_out(body) {
            Some(flat) => Ok(Answer::Flat(flat)),
            None => decode(body, &self.ty, &self.defs).map(Answer::Value),
        }
    }

    /// The value, unless the document is to be refused.
    fn laid_out(&self, body: &[u8]) -> Option<Flat> {
        if body.len() > CALL_BODY_BYTES_MAX {
            return None;
        }
        // Texts without escapes are referred to where they stand, in a copy that stays.
        let body: Arc<str> = std::str::from_utf8(body).ok()?.into();
        let mut room = Room::new(&self.shape, &self.defs);
        let mut source = serde_json::Deserializer::from_str(&body);
        let cells = self.shape.layouts.cells(self.shape.repr) as usize;
        let start = room.push(cells);
        Seed::new(&mut room, &self.root, start).read(&mut source).ok()?;
        source.end().ok()?;
        room.into_flat(body)
    }
}

/// Fields of a record up to which it is read field by field.
const FIELDS_MAX: usize = 64;

/// How values of `ty`, laid out as `repr`, are read.
fn part(ty: &Type, repr: ReprId, defs: &TypeDefs, layouts: &Layouts) -> Part {
    let value = || Part::Value { ty: ty.clone(), repr };
    match (ty, layouts.get(repr)) {
        (Type::Bool, _) => Part::Bool,
        (Type::Int(range), _) => Part::Int(*range),
        (Type::Float(range), _) => Part::Float(*range),
        (Type::String(range), _) => Part::Text(*range),
        (Type::Url, _) => Part::Url,
        (Type::Time, _) => Part::Time,
        (Type::Duration, _) => Part::Duration,
        (Type::Amount, _) => Part::Amount,
        (Type::Optional(inner), Repr::Optional(held)) => match part(inner, *held, defs, layouts) {
            Part::Value { .. } | Part::Optional(_) => value(),
            inner => Part::Optional(Box::new(inner)),
        },
        (Type::List(element, range), Repr::List(of)) => Part::List {
            element: Box::new(part(element, *of, defs, layouts)),
            range: *range,
            cells: layouts.cells(*of) as usize,
        },
        (Type::Named(id), _) => match (defs.get(*id), layouts.get(layouts.unboxed(repr))) {
            (Some(TypeDef::Record(def)), Repr::Record(_)) if def.fields.len() <= FIELDS_MAX => {
                Part::Record(Arc::new(fields(def, repr, defs, layouts)))
            }
            _ => value(),
        },
        _ => value(),
    }
}

fn fields(def: &RecordDef, repr: ReprId, defs: &TypeDefs, layouts: &Layouts) -> Fields {
    static NULL: Value = Value::Null;
    static JSON_NULL: Value = Value::Json(Json::Null);
    let record = layouts.unboxed(repr);
    let fields = def.fields.iter().zip(0..).filter_map(|(field, index)| {
        let (of, cell) = layouts.field(record, index)?;
        let absent = match &field.ty {
            Type::Optional(_) if layouts.present(of).is_some() => Absent::Null,
            Type::Optional(_) => Absent::Value(&NULL),
            Type::Json => Absent::Value(&JSON_NULL),
            _ => Absent::No,
        };
        let part = part(&field.ty, of, defs, layouts);
        Some(Field { name: field.name.as_str().into(), part, cell: cell as usize, absent })
    });
    Fields { fields: fields.collect(), cells: layouts.cells(record) as usize, boxed: record != repr }
}

#[cfg(test)]
mod tests;
