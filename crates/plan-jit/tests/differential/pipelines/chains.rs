//! Random chains of list functions, and what they end in.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{Expr, ExprId, Fragment, LocalId};
use plan_ir::plan::Function;
use schema::types::Type;
use schema::value::Value;

use super::Chain;
use super::generator::Generator;

impl Generator {
    /// A chain of list functions that ends anywhere.
    fn chain(&mut self) -> (ExprId, Type) {
        let mut element = Type::Named(self.item);
        let mut list = self.push(Expr::Param(0), &Type::list(element.clone()));
        for _ in 0..=self.choices.below(4) {
            let ty = Type::list(element.clone());
            match self.choices.below(7) {
                0..=2 => {
                    let lambda = self.lambda(&element, |this| this.test(3));
                    list = self.push(
                        Expr::Builtin { op: Builtin::Filter, args: vec![list], lambda: Some(lambda) },
                        &ty,
                    );
                }
                3 | 4 => {
                    let item = Type::Named(self.item);
                    let made = self.choices.one_of(&[Type::INT, Type::STRING, Type::FLOAT, item]).clone();
                    let lambda = self.lambda(&element, |this| this.of(&made, 3));
                    element = made;
                    let ty = Type::list(element.clone());
                    list = self.push(
                        Expr::Builtin { op: Builtin::Map, args: vec![list], lambda: Some(lambda) },
                        &ty,
                    );
                }
                5 => {
                    let n = i64::from(self.choices.below(6)) - 1;
                    let n = self.constant(Value::Int(n), &Type::INT);
                    let op = *self.choices.one_of(&[Builtin::Take, Builtin::Take, Builtin::Skip]);
                    list = self.call(op, vec![list, n], &ty);
                }
                _ => {
                    let key = self.choices.one_of(&[Type::INT, Type::STRING, Type::FLOAT]).clone();
                    let lambda = self.lambda(&element, |this| this.of(&key, 2));
                    let (op, mut args) = (*self.choices.one_of(&[Builtin::SortBy, Builtin::Top]), vec![list]);
                    if op == Builtin::Top {
                        args.push(self.int(1));
                    }
                    list = self.push(Expr::Builtin { op, args, lambda: Some(lambda) }, &ty);
                }
            }
        }
        self.end(list, element)
    }

    fn end(&mut self, list: ExprId, element: Type) -> (ExprId, Type) {
        let ty = Type::list(element.clone());
        let sink = |this: &mut Self, op, depth| {
            let lambda = this.lambda(&element, |this| this.test(depth));
            Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }
        };
        match self.choices.below(12) {
            0 => (self.call(Builtin::Len, vec![list], &Type::INT), Type::INT),
            1 | 2 => {
                let op = *self.choices.one_of(&[Builtin::All, Builtin::Any]);
                let expr = sink(self, op, 3);
                (self.push(expr, &Type::Bool), Type::Bool)
            }
            3 => {
                let expr = sink(self, Builtin::Count, 3);
                (self.push(expr, &Type::INT), Type::INT)
            }
            4 => {
                let expr = sink(self, Builtin::Find, 3);
                let ty = element.optional();
                (self.push(expr, &ty), ty)
            }
            5 => {
                let expr = sink(self, Builtin::Position, 3);
                let ty = Type::INT.optional();
                (self.push(expr, &ty), ty)
            }
            6 if element == Type::STRING => {
                let separator = self.constant(Value::string(", "), &Type::STRING);
                (self.call(Builtin::Join, vec![list, separator], &Type::STRING), Type::STRING)
            }
            6 | 7 if matches!(element, Type::Int(_) | Type::Float(_)) => {
                let op = *self.choices.one_of(&[Builtin::Sum, Builtin::Min, Builtin::Max, Builtin::Average]);
                let ty = match op {
                    Builtin::Sum => element,
                    Builtin::Average => Type::FLOAT.optional(),
                    _ => element.optional(),
                };
                (self.call(op, vec![list], &ty), ty)
            }
            8 => {
                let op = *self.choices.one_of(&[Builtin::MinBy, Builtin::MaxBy]);
                let key = self.choices.one_of(&[Type::INT, Type::FLOAT, Type::STRING]).clone();
                let lambda = self.lambda(&element, |this| this.of(&key, 2));
                let ty = element.optional();
                (self.push(Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }, &ty), ty)
            }
            9 => {
                let op = *self.choices.one_of(&[Builtin::GroupBy, Builtin::KeyBy]);
                let lambda = self.lambda(&element, |this| this.text(2));
                let ty = Type::Map(Box::new(if op == Builtin::GroupBy { ty } else { element }));
                (self.push(Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }, &ty), ty)
            }
            10 => {
                let op = *self.choices.one_of(&[Builtin::First, Builtin::Last]);
                let ty = element.optional();
                (self.call(op, vec![list], &ty), ty)
            }
            _ => (list, ty),
        }
    }

    fn function(&mut self) {
        self.locals = 1;
        self.scope = vec![(LocalId(0), Type::INT)];
        let depth = 1 + self.choices.below(4);
        let body = self.int(depth);
        self.scope.clear();
        let fragment = Fragment { params: 1, frame: self.locals, body };
        self.body.functions.push(Function { name: "f".into(), fragment });
    }
}

pub(super) fn chain(numbers: Vec<u32>) -> Chain {
    let mut make = Generator::new(numbers);
    let items = make.items();
    for _ in 0..make.choices.below(3) {
        make.function();
    }
    make.locals = 0;
    // A local that lambdas capture.
    let captured = LocalId(0);
    make.locals = 1;
    let value = make.int(0);
    make.scope = vec![(captured, Type::INT)];
    let (body, ty) = make.chain();
    let body = make.push(Expr::Let { local: captured, value, body }, &ty);
    let fragment = Fragment { params: 0, frame: make.locals, body };
    Chain { body: make.body, fragment, items }
}
