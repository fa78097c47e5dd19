//! Small changes of schemas.

use crate::model::Model;

/// A draw of small numbers from a seed.
pub(crate) struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % limit
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

pub(crate) fn draw(seed: u64) -> Draw {
    Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
}

/// The model with a change or two, or none.
pub(crate) fn vary(model: &Model, draw: &mut Draw) -> Model {
    if draw.one_in(25) {
        return Model::Nullable(Box::new(model.clone()), usize::try_from(draw.below(3)).unwrap());
    }
    if draw.one_in(40) {
        return Model::Anything;
    }
    let fields = |fields: &Vec<(Model, bool)>, draw: &mut Draw| {
        let mut fields: Vec<(Model, bool)> = fields
            .iter()
            .map(|(model, required)| (vary(model, draw), *required != draw.one_in(12)))
            .collect();
        match draw.below(8) {
            0 => drop(fields.pop()),
            1 if fields.len() < 4 => fields.push((Model::Bool, false)),
            2 if fields.len() < 4 => fields.push((Model::Capitals, draw.one_in(2))),
            _ => {}
        }
        fields
    };
    match model {
        Model::Nullable(inner, _) if draw.one_in(6) => vary(inner, draw),
        Model::Nullable(inner, spelled) => Model::Nullable(Box::new(vary(inner, draw)), *spelled),
        Model::Int { min, max, exclusive } => match draw.below(6) {
            0 => Model::Int { min: min - 1, max: *max, exclusive: !exclusive },
            1 => Model::Int { min: *min, max: max + 2, exclusive: *exclusive },
            2 => Model::Number { min: -20, max: 30 },
            3 => Model::Steps { step: 1 },
            _ => model.clone(),
        },
        Model::Number { min, max } if draw.one_in(3) => Model::Number { min: *min, max: max + 1 },
        Model::Steps { step } => Model::Steps { step: if draw.one_in(3) { step + 1 } else { *step } },
        Model::Text { min, max } => match draw.below(5) {
            0 => Model::Text { min: *min, max: max + 1 },
            1 => Model::Text { min: 0, max: *max },
            2 => Model::Capitals,
            _ => model.clone(),
        },
        Model::Capitals if draw.one_in(3) => Model::Text { min: 0, max: 9 },
        Model::Formatted(at) if draw.one_in(3) => Model::Formatted((at + 1) % 7),
        Model::Words { words, open, spelled } => match draw.below(6) {
            0 => Model::Words { words: vec![0, 1, 2, 3], open: *open, spelled: *spelled },
            1 => Model::Words {
                words: words.iter().take(1).copied().collect(),
                open: *open,
                spelled: *spelled,
            },
            2 => Model::Words { words: words.clone(), open: !open, spelled: 1 },
            3 => Model::Text { min: 0, max: 3 },
            _ => model.clone(),
        },
        Model::List { item, min, max, unique } => {
            let item = Box::new(vary(item, draw));
            match draw.below(6) {
                0 => Model::List { item, min: 0, max: *max, unique: false },
                1 => {
                    Model::List { item, min: *min, max: max.map(|max| max + 1), unique: *unique && *min == 0 }
                }
                2 => Model::List { item, min: *min, max: None, unique: false },
                _ => Model::List { item, min: *min, max: *max, unique: *unique && draw.one_in(2) },
            }
        }
        Model::Tuple { places, rest, old } => {
            let places = places.iter().map(|place| vary(place, draw)).collect();
            Model::Tuple { places, rest: rest.clone(), old: *old != draw.one_in(4) }
        }
        Model::Record { fields: of, closed, split } => Model::Record {
            fields: fields(of, draw),
            closed: *closed != draw.one_in(5),
            split: *split != draw.one_in(9),
        },
        Model::Map { value, spelled } => Model::Map { value: Box::new(vary(value, draw)), spelled: *spelled },
        Model::Union { members, one } => {
            let mut members: Vec<Model> = members.iter().map(|member| vary(member, draw)).collect();
            if members.len() > 1 && draw.one_in(5) {
                members.pop();
            }
            Model::Union { members, one: *one != draw.one_in(4) }
        }
        Model::Either(members) => Model::Either(members.iter().map(|member| fields(member, draw)).collect()),
        Model::Tagged(members, declared) => {
            let mut members: Vec<_> = members.iter().map(|member| fields(member, draw)).collect();
            if members.len() > 2 && draw.one_in(4) {
                members.pop();
            } else if members.len() < 4 && draw.one_in(6) {
                members.push(Vec::new());
            }
            Model::Tagged(members, *declared)
        }
        other => other.clone(),
    }
}
