//! Random expressions of every type, for the bodies of the functions in a chain.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{Arm, BinaryOp, Expr, ExprId, FnId, LocalId, Pattern, UnaryOp, Widening};
use schema::amount::{Amount, Currency};
use schema::types::{IntRange, Type};
use schema::value::Value;

use super::generator::{Generator, MOOD, NOTE, PRICE, RANK, SCORE, TAGS, TITLE};

impl Generator {
    pub(super) fn int(&mut self, depth: u32) -> ExprId {
        let ty = &Type::INT;
        let choice = if depth == 0 { self.choices.below(3) } else { self.choices.below(14) };
        let found = match choice {
            0 => self.field(SCORE, ty),
            1 => self.read(ty),
            3 | 4 => {
                use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
                let op = *self.choices.one_of(&[Add, Subtract, Multiply, Divide, Remainder]);
                let (left, right) = (self.int(depth - 1), self.int(depth - 1));
                Some(self.binary(op, left, right, ty))
            }
            5 => {
                let (condition, then) = (self.test(depth - 1), self.int(depth - 1));
                let otherwise = self.int(depth - 1);
                Some(self.push(Expr::If { condition, then, otherwise }, ty))
            }
            6 => {
                let text = self.text(depth - 1);
                Some(self.call(Builtin::Len, vec![text], ty))
            }
            7 => self
                .field(TAGS, &Type::list(Type::STRING))
                .map(|tags| self.call(Builtin::Len, vec![tags], ty)),
            8 => {
                let inner = self.int(depth - 1);
                let narrow = Type::Int(IntRange { min: 0, max: 100 });
                Some(self.push(Expr::Cast(inner), &narrow))
            }
            9 => self.matched(depth),
            10 => {
                let value = self.int(depth - 1);
                let local = LocalId(self.locals);
                self.locals += 1;
                self.scope.push((local, ty.clone()));
                let body = self.int(depth - 1);
                self.scope.pop();
                Some(self.push(Expr::Let { local, value, body }, ty))
            }
            11 if !self.body.functions.is_empty() => {
                let arg = self.int(depth - 1);
                let function = FnId(self.choices.below(self.body.functions.len() as u32));
                Some(self.push(Expr::Apply(function, vec![arg]), ty))
            }
            12 => {
                let inner = self.int(depth - 1);
                Some(self.push(Expr::Unary(UnaryOp::Negate, inner), ty))
            }
            13 => {
                // A loop in the loop.
                let tags = self.field(TAGS, &Type::list(Type::STRING));
                tags.map(|tags| {
                    let lambda = self.lambda(&Type::STRING, |this| this.int(depth - 1));
                    let list = Type::list(Type::INT);
                    let mapped = Expr::Builtin { op: Builtin::Map, args: vec![tags], lambda: Some(lambda) };
                    let mapped = self.push(mapped, &list);
                    self.call(Builtin::Sum, vec![mapped], &Type::INT)
                })
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&[2, 0, 1, 7, -1, 100]);
            self.constant(Value::Int(value), ty)
        })
    }

    fn matched(&mut self, depth: u32) -> Option<ExprId> {
        let scrutinee = self.field(MOOD, &Type::Named(self.mood))?;
        let first = self.int(depth - 1);
        let local = LocalId(self.locals);
        self.locals += 1;
        self.scope.push((local, Type::INT));
        let second = self.int(depth - 1);
        self.scope.pop();
        let third = self.int(depth - 1);
        let arms = vec![
            Arm { pattern: Pattern::Variant(0, None), body: first },
            Arm { pattern: Pattern::Variant(1, Some(Box::new(Pattern::Bind(local)))), body: second },
            Arm {
                pattern: Pattern::Variant(2, Some(Box::new(Pattern::Literal(Value::string("a"))))),
                body: third,
            },
            Arm { pattern: Pattern::Any, body: first },
        ];
        Some(self.push(Expr::Match { scrutinee, arms }, &Type::INT))
    }

    fn float(&mut self, depth: u32) -> ExprId {
        let ty = &Type::FLOAT;
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(5) };
        let found = match choice {
            0 => self.field(RANK, ty),
            1 => self.read(ty),
            2 | 3 => {
                use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
                let op = *self.choices.one_of(&[Add, Subtract, Multiply, Divide, Remainder]);
                let (left, right) = (self.float(depth - 1), self.float(depth - 1));
                Some(self.binary(op, left, right, ty))
            }
            _ => {
                let int = self.int(depth - 1);
                Some(self.push(Expr::Widen(int, Widening::IntToFloat), ty))
            }
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&[1.5, 0.0, -2.0, 1e300]);
            self.constant(Value::Float(value), ty)
        })
    }

    pub(super) fn text(&mut self, depth: u32) -> ExprId {
        let ty = &Type::STRING;
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(8) };
        let found = match choice {
            0 => self.field(TITLE, ty),
            1 => self.read(ty),
            2 => {
                let (text, number) = (self.text(depth - 1), self.int(depth - 1));
                Some(self.push(Expr::Template(vec![text, number]), ty))
            }
            3 => {
                let (note, otherwise) = (self.field(NOTE, &ty.clone().optional()), self.text(depth - 1));
                note.map(|note| self.binary(BinaryOp::Coalesce, note, otherwise, ty))
            }
            4 => {
                let text = self.text(depth - 1);
                let op = *self.choices.one_of(&[
                    Builtin::Normalize,
                    Builtin::Trim,
                    Builtin::Folded,
                    Builtin::Upper,
                ]);
                Some(self.call(op, vec![text], ty))
            }
            5 => {
                let tags = self.field(TAGS, &Type::list(Type::STRING));
                let index = self.int(depth - 1);
                tags.map(|list| self.push(Expr::Index { list, index }, ty))
            }
            6 => {
                let price = self.field(PRICE, &Type::Amount);
                price.map(|price| self.push(Expr::Template(vec![price]), ty))
            }
            _ => {
                let (text, n) = (self.text(depth - 1), self.int(depth - 1));
                Some(self.call(Builtin::Take, vec![text, n], ty))
            }
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&["a", "", "Straße"]);
            self.constant(Value::string(value), ty)
        })
    }

    pub(super) fn test(&mut self, depth: u32) -> ExprId {
        use BinaryOp::{And, Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual, Or};
        let ty = &Type::Bool;
        let choice = if depth == 0 { 0 } else { self.choices.below(9) };
        match choice {
            0 | 1 => {
                let op = *self.choices.one_of(&[Greater, Less, LessEqual, GreaterEqual, Equal, NotEqual]);
                let (left, right) = (self.int(depth.saturating_sub(1)), self.int(depth.saturating_sub(1)));
                self.binary(op, left, right, ty)
            }
            2 => {
                let op = *self.choices.one_of(&[Greater, Less, Equal, NotEqual]);
                let (left, right) = (self.text(depth - 1), self.text(depth - 1));
                self.binary(op, left, right, ty)
            }
            3 => {
                let op = *self.choices.one_of(&[And, Or]);
                let (left, right) = (self.test(depth - 1), self.test(depth - 1));
                self.binary(op, left, right, ty)
            }
            4 => {
                let op = *self.choices.one_of(&[Greater, LessEqual, Equal]);
                let (left, right) = (self.float(depth - 1), self.float(depth - 1));
                self.binary(op, left, right, ty)
            }
            5 => match self.field(TAGS, &Type::list(Type::STRING)) {
                Some(tags) => {
                    let op = *self.choices.one_of(&[Builtin::Any, Builtin::All]);
                    let lambda = self.lambda(&Type::STRING, |this| this.test(depth - 1));
                    self.push(Expr::Builtin { op, args: vec![tags], lambda: Some(lambda) }, ty)
                }
                None => self.test(depth - 1),
            },
            6 => match self.field(NOTE, &Type::STRING.optional()) {
                Some(note) => {
                    let op = *self.choices.one_of(&[NotEqual, Equal]);
                    let other = match self.choices.below(3) {
                        0 => self.constant(Value::Null, &Type::Bool.optional()),
                        1 => self.text(depth - 1),
                        _ => self.note(depth - 1),
                    };
                    self.binary(op, note, other, ty)
                }
                None => self.test(depth - 1),
            },
            7 => {
                let (text, part) = (self.text(depth - 1), self.text(depth - 1));
                self.call(Builtin::Contains, vec![text, part], ty)
            }
            _ => {
                let inner = self.test(depth - 1);
                self.push(Expr::Unary(UnaryOp::Not, inner), ty)
            }
        }
    }

    /// A text that may be `null`.
    fn note(&mut self, depth: u32) -> ExprId {
        let ty = &Type::STRING.optional();
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(4) };
        let found = match choice {
            0 => self.field(NOTE, ty),
            2 => {
                let text = self.text(depth - 1);
                Some(self.push(Expr::Widen(text, Widening::Identity), ty))
            }
            3 => {
                let (condition, then) = (self.test(depth - 1), self.note(depth - 1));
                let otherwise = self.note(depth - 1);
                Some(self.push(Expr::If { condition, then, otherwise }, ty))
            }
            _ => None,
        };
        found.unwrap_or_else(|| self.constant(Value::Null, ty))
    }

    /// A record that comes from no value.
    fn made(&mut self, depth: u32) -> ExprId {
        let (tags, mood) = (Type::list(Type::STRING), Type::Named(self.mood));
        let fields = vec![
            self.text(depth),
            self.int(depth),
            self.float(depth),
            self.field(TAGS, &tags).unwrap_or_else(|| self.constant(Value::list([]), &tags)),
            self.note(depth),
            self.field(MOOD, &mood).unwrap_or_else(|| self.constant(Value::Variant(0, None), &mood)),
            self.constant(Value::Amount(Amount::new(1, Currency::Rao)), &Type::Amount),
        ];
        self.push(Expr::Record(self.item, fields), &Type::Named(self.item))
    }

    pub(super) fn of(&mut self, ty: &Type, depth: u32) -> ExprId {
        match ty {
            Type::Int(_) => self.int(depth),
            Type::Float(_) => self.float(depth),
            Type::String(_) => self.text(depth),
            Type::Bool => self.test(depth),
            _ if depth > 0 && self.choices.below(2) == 1 => self.made(depth - 1),
            other => match self.read(other) {
                Some(read) => read,
                None => {
                    let item = self.item_value();
                    self.constant(item, other)
                }
            },
        }
    }
}
