//! Calls of library functions by the type they give.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{Expr, ExprId, Lambda};
use schema::types::Type;
use schema::value::Value;

use super::programs::{Generator, Locals, list_of};

/// A call: what it is called on, the types of its arguments, and of its lambda the parameter and result.
struct Call {
    op: Builtin,
    on: Type,
    args: Vec<Type>,
    lambda: Option<(Type, Type)>,
}

fn call(op: Builtin, on: Type, args: &[Type]) -> Call {
    Call { op, on, args: args.to_vec(), lambda: None }
}

fn per_element(op: Builtin, element: &Type, gives: Type) -> Call {
    Call { lambda: Some((element.clone(), gives)), ..call(op, list_of(element.clone()), &[]) }
}

fn map_of(value: Type) -> Type {
    Type::Map(Box::new(value))
}

const ORDERED: [Type; 6] = [Type::INT, Type::FLOAT, Type::STRING, Type::Time, Type::Duration, Type::Amount];

impl Generator {
    /// A call that gives a `ty`, if there is one.
    pub(super) fn library(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> Option<ExprId> {
        let mut calls = match ty {
            Type::Bool => vec![
                call(Builtin::Contains, map_of(Type::INT), &[Type::STRING]),
                call(Builtin::IsEmpty, list_of(Type::INT), &[]),
            ],
            Type::Int(_) => self.numbers(),
            Type::Float(_) => vec![
                call(Builtin::Sqrt, Type::FLOAT, &[]),
                call(Builtin::ToFloat, Type::INT, &[]),
                call(Builtin::ToSeconds, Type::Duration, &[]),
            ],
            Type::String(_) => texts(),
            Type::Amount => vec![
                call(Builtin::PercentUp, Type::Amount, &[Type::INT]),
                call(Builtin::PercentDown, Type::Amount, &[Type::INT]),
            ],
            Type::Json => vec![
                call(Builtin::Get, Type::Json, &[Type::INT]),
                call(Builtin::Get, Type::Json, &[Type::STRING]),
            ],
            Type::List(inner, _) => self.lists(ty, inner),
            Type::Optional(inner) => self.optionals(inner),
            Type::Map(inner) => self.maps(ty, inner),
            _ => Vec::new(),
        };
        if matches!(ty, Type::Int(_) | Type::Float(_) | Type::Duration) {
            calls.push(call(Builtin::Abs, ty.clone(), &[]));
        }
        if matches!(ty, Type::Int(_) | Type::Float(_) | Type::Duration | Type::Amount) {
            calls.push(call(Builtin::Sum, list_of(ty.clone()), &[]));
        }
        if matches!(ty, Type::Int(_) | Type::Float(_) | Type::Duration | Type::Amount | Type::Time) {
            calls.push(call(Builtin::Lesser, ty.clone(), std::slice::from_ref(ty)));
            calls.push(call(Builtin::Greater, ty.clone(), std::slice::from_ref(ty)));
            calls.push(call(Builtin::Clamp, ty.clone(), &[ty.clone(), ty.clone()]));
        }
        let chosen = self.choices.below(calls.len() as u32) as usize;
        let chosen = calls.into_iter().nth(chosen)?;
        Some(self.make(chosen, ty, locals, depth))
    }

    fn make(&mut self, call: Call, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        let mut args = vec![match &call.on {
            Type::Url => self.url(),
            Type::Optional(inner) if **inner == Type::Url => {
                let args = vec![self.url(), self.expr(&Type::STRING, locals, depth + 1)];
                self.push(Expr::Builtin { op: Builtin::Resolve, args, lambda: None }, &call.on)
            }
            Type::List(inner, _) if **inner == Type::Named(self.entry) => {
                let map = self.expr(&map_of(Type::INT), locals, depth + 1);
                self.push(Expr::Builtin { op: Builtin::Entries, args: vec![map], lambda: None }, &call.on)
            }
            Type::List(inner, _) if **inner == Type::Named(self.pair) => {
                let numbers = list_of(Type::INT);
                let args =
                    vec![self.expr(&numbers, locals, depth + 1), self.expr(&numbers, locals, depth + 1)];
                self.push(Expr::Builtin { op: Builtin::Zip, args, lambda: None }, &call.on)
            }
            on => self.expr(on, locals, depth + 1),
        }];
        for arg in &call.args {
            args.push(self.expr(arg, locals, depth + 1));
        }
        let lambda = call.lambda.map(|(element, gives)| {
            let param = self.local();
            locals.push((param, element));
            let body = self.expr(&gives, locals, depth + 1);
            locals.pop();
            Lambda { params: vec![param], body }
        });
        self.push(Expr::Builtin { op: call.op, args, lambda }, ty)
    }

    fn url(&mut self) -> ExprId {
        let text = *self.choices.one_of(&[
            "https://A.example:81/x/y?q=a+b&n=1#t",
            "mailto:a@b.example",
            "https://bücher.example",
        ]);
        self.push(Expr::Const(Value::string(text)), &Type::Url)
    }

    fn key(&mut self) -> Type {
        self.choices.one_of(&ORDERED).clone()
    }

    fn numbers(&mut self) -> Vec<Call> {
        let element = self.ty(1);
        vec![
            per_element(Builtin::Count, &element, Type::Bool),
            call(Builtin::Floor, Type::FLOAT, &[]),
            call(Builtin::Ceil, Type::FLOAT, &[]),
            call(Builtin::Round, Type::FLOAT, &[]),
            call(Builtin::ToUnix, Type::Time, &[]),
            call(Builtin::Year, Type::Time, &[]),
            call(Builtin::Month, Type::Time, &[]),
            call(Builtin::Day, Type::Time, &[]),
            call(Builtin::Len, list_of(Type::Named(self.pair)), &[]),
            call(Builtin::Len, list_of(Type::Named(self.entry)), &[]),
        ]
    }

    fn lists(&mut self, ty: &Type, inner: &Type) -> Vec<Call> {
        let key = self.key();
        let any = self.ty(1);
        let mut calls = vec![
            call(Builtin::Reverse, ty.clone(), &[]),
            call(Builtin::Distinct, ty.clone(), &[]),
            call(Builtin::Concat, ty.clone(), std::slice::from_ref(ty)),
            call(Builtin::Values, map_of(inner.clone()), &[]),
            call(Builtin::DecodeList, list_of(Type::Json), &[]),
            call(Builtin::Errors, list_of(Type::Result(Box::new(Type::INT), Box::new(inner.clone()))), &[]),
            per_element(Builtin::SortBy, inner, key.clone()),
            per_element(Builtin::DistinctBy, inner, any),
            Call { args: vec![Type::INT], ..per_element(Builtin::Top, inner, key) },
        ];
        if ORDERED.contains(inner) {
            calls.push(call(Builtin::Sort, ty.clone(), &[]));
        }
        match inner {
            Type::Int(_) => calls.push(call(Builtin::To, Type::INT, &[Type::INT])),
            Type::String(_) => calls.extend([
                call(Builtin::Split, Type::STRING, &[Type::STRING]),
                call(Builtin::Lines, Type::STRING, &[]),
                call(Builtin::Words, Type::STRING, &[]),
                call(Builtin::Keys, map_of(Type::INT), &[]),
                call(Builtin::Keys, Type::Json, &[]),
            ]),
            Type::List(..) => calls.push(call(Builtin::Chunks, inner.clone(), &[Type::INT])),
            _ => {}
        }
        if !matches!(inner, Type::Optional(_) | Type::Json) {
            calls.push(call(Builtin::Present, list_of(inner.clone().optional()), &[]));
        }
        calls
    }

    fn optionals(&mut self, inner: &Type) -> Vec<Call> {
        let list = list_of(inner.clone());
        let key = self.key();
        let mut calls = vec![
            call(Builtin::Get, list.clone(), &[Type::INT]),
            call(Builtin::Get, map_of(inner.clone()), &[Type::STRING]),
            per_element(Builtin::Find, inner, Type::Bool),
            per_element(Builtin::MinBy, inner, key.clone()),
            per_element(Builtin::MaxBy, inner, key),
        ];
        if ORDERED.contains(inner) {
            calls.extend([call(Builtin::Min, list.clone(), &[]), call(Builtin::Max, list, &[])]);
        }
        let any = self.ty(1);
        match inner {
            Type::Int(_) => calls.extend([
                per_element(Builtin::Position, &any, Type::Bool),
                call(Builtin::IndexOf, list_of(any.clone()), &[any]),
                call(Builtin::IndexOf, Type::STRING, &[Type::STRING]),
                call(Builtin::ToInt, Type::STRING, &[]),
            ]),
            Type::Float(_) => calls.extend([
                call(Builtin::Average, list_of(Type::INT), &[]),
                call(Builtin::Average, list_of(Type::FLOAT), &[]),
                call(Builtin::ToFloat, Type::STRING, &[]),
            ]),
            Type::Time => calls.push(call(Builtin::ToTime, Type::INT, &[])),
            Type::String(_) => calls.extend([
                call(Builtin::Host, Type::Url, &[]),
                call(Builtin::Query, Type::Url, &[Type::STRING]),
            ]),
            _ => {}
        }
        calls
    }

    fn maps(&mut self, ty: &Type, inner: &Type) -> Vec<Call> {
        let of = self.ty(1);
        let mut calls = vec![
            per_element(Builtin::KeyBy, inner, Type::STRING),
            call(Builtin::Merge, ty.clone(), std::slice::from_ref(ty)),
            Call {
                op: Builtin::MapValues,
                on: map_of(of.clone()),
                args: Vec::new(),
                lambda: Some((of, inner.clone())),
            },
        ];
        if let Type::List(element, _) = inner {
            calls.push(per_element(Builtin::GroupBy, element, Type::STRING));
        }
        calls
    }
}

fn texts() -> Vec<Call> {
    vec![
        call(Builtin::Upper, Type::STRING, &[]),
        call(Builtin::UrlEncoded, Type::STRING, &[]),
        call(Builtin::Replace, Type::STRING, &[Type::STRING, Type::STRING]),
        call(Builtin::ToFixed, Type::FLOAT, &[Type::INT]),
        call(Builtin::Date, Type::Time, &[]),
        call(Builtin::Kind, Type::Json, &[]),
        call(Builtin::Scheme, Type::Url, &[]),
        call(Builtin::Path, Type::Url, &[]),
        call(Builtin::ToJson, Type::Url.optional(), &[]),
    ]
}
