//! The ways to serve a call: from its arguments to an operation's input, and from the answer back.

use plan_ir::expr::{Expr, ExprId, Fragment, LocalId};
use plan_ir::plan::{CallSpec, Candidate, Fallback};
use plan_lang::Span;
use schema::decode::parse_json;
use schema::json_schema::to_json_schema;
use schema::types::Type;
use schema::value::Json;

use super::Lowerer;
use super::call::is_absent;
use super::fragment::Operand;
use crate::check::not_admissible;
use crate::hir;

impl Lowerer<'_, '_> {
    /// An operation that is called by its own name.
    pub(super) fn direct(&mut self, operation: usize, call: &hir::Call) -> Option<Candidate> {
        let found = self.program.operations.get(operation)?;
        let (input, answer) = (found.input, found.output.clone());
        let passed =
            u32::try_from(call.args.iter().filter(|arg| !is_absent(arg)).count()).unwrap_or(u32::MAX);
        let span = Span::default();
        let (request, _) = self.fragment(passed, |this| {
            let mut next = 0;
            let mut fields = Vec::new();
            for arg in &call.args {
                fields.push(if is_absent(arg) {
                    this.emit(arg)
                } else {
                    next += 1;
                    this.push(Expr::Local(LocalId(next - 1)), &arg.ty, span)
                });
            }
            let record = this.types.def(input);
            this.push(Expr::Record(record, fields), &Type::Named(input), span)
        });
        let (response, _) = self.fragment(passed.saturating_add(1), |this| {
            let read = this.push(Expr::Local(LocalId(passed)), &answer, span);
            if answer == call.output { read } else { this.push(Expr::Cast(read), &call.output, span) }
        });
        Some(Candidate { operation: self.operation(operation), request, response })
    }

    /// The adapters that may serve a capability, in order of preference.
    pub(super) fn adapted(&mut self, capability: usize, call: &hir::Call) -> Vec<Candidate> {
        let program = self.program;
        let is_mocked = self.mocked.contains(&capability);
        let Some(capability) = program.capabilities.get(capability) else { return Vec::new() };
        let wanted = capability.output.is_none().then(|| call.output.clone());
        let mut candidates = Vec::new();
        for known in &capability.adapters {
            let operation = program.operations.get(known.operation);
            if operation.is_some_and(|op| not_admissible(op.descriptor(), &call.policy).is_none()) {
                let candidate = self.candidate(known.adapter, wanted.as_ref());
                candidates.extend(candidate.map(|candidate| match is_mocked {
                    true => Candidate { response: self.given(capability.params.len(), call), ..candidate },
                    false => candidate,
                }));
            }
        }
        candidates
    }

    fn candidate(&mut self, at: usize, wanted: Option<&Type>) -> Option<Candidate> {
        // Where nothing is wanted, one key serves all calls.
        let key = wanted.cloned().unwrap_or(Type::Error);
        let known = self.candidates.iter().find(|(adapter, ty, _)| *adapter == at && *ty == key);
        if let Some((_, _, candidate)) = known {
            return Some(candidate.clone());
        }
        let (adapter, body) = self.program.adapters.get(at).zip(self.checked.adapters.get(at))?;
        let answer = self.program.operations.get(adapter.operation)?.output.clone();
        let outer = std::mem::replace(&mut self.wanted, wanted.cloned());
        let candidate = self.in_body(adapter.source, |this| {
            let params = u32::try_from(body.params.len()).unwrap_or(u32::MAX);
            let (request, _) = this.fragment(params, |this| {
                this.bind_locals(body);
                this.emit(&body.request)
            });
            let (response, _) = this.fragment(params.saturating_add(1), |this| {
                this.bind_locals(body);
                this.bind(body.answer, Operand::Local(LocalId(params)), answer);
                let value = this.emit(&body.response);
                match wanted {
                    Some(wanted) => this.decoded(value, &body.response, wanted),
                    None => value,
                }
            });
            Candidate { operation: this.operation(adapter.operation), request, response }
        });
        self.wanted = outer;
        self.candidates.push((at, key, candidate.clone()));
        Some(candidate)
    }

    /// The answer as it comes.
    fn given(&mut self, params: usize, call: &hir::Call) -> Fragment {
        let params = u32::try_from(params).unwrap_or(u32::MAX);
        let read = |this: &mut Self| this.push(Expr::Local(LocalId(params)), &call.output, Span::default());
        self.fragment(params.saturating_add(1), read).0
    }

    fn bind_locals(&mut self, body: &hir::AdapterBody) {
        for (index, var) in (0_u32..).zip(&body.params) {
            self.bind(*var, Operand::Local(LocalId(index)), Type::Error);
        }
    }

    /// The answer of a generic capability as what its caller wants.
    fn decoded(&mut self, value: ExprId, response: &hir::Expr, wanted: &Type) -> ExprId {
        let span = response.span;
        match &response.ty {
            Type::Json if *wanted == Type::Json => value,
            Type::Json => self.push(Expr::Cast(value), wanted, span),
            Type::Optional(inner) => {
                // No answer where one is wanted does not fit.
                let present = self.push(Expr::Cast(value), inner, span);
                self.push(Expr::DecodeText(present), wanted, span)
            }
            _ => self.push(Expr::DecodeText(value), wanted, span),
        }
    }

    /// The JSON Schema of the wanted type; `null` where plain text is wanted.
    pub(super) fn wanted_schema(&self) -> Json {
        match &self.wanted {
            None | Some(Type::String(_)) => Json::Null,
            Some(wanted) => {
                let schema = to_json_schema(wanted, &self.checked.types);
                parse_json(schema.to_string().as_bytes()).unwrap_or(Json::Null)
            }
        }
    }

    /// The number of an operation in this plan.
    fn operation(&mut self, at: usize) -> u32 {
        let place = self.operations.iter().position(|known| *known == at).unwrap_or_else(|| {
            self.operations.push(at);
            self.operations.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

/// Points the candidates of a call and of its fallbacks at operations by their final numbers.
pub(super) fn renumber(spec: &mut CallSpec, moved: &[u32]) {
    for candidate in &mut spec.candidates {
        if let Some(new) = moved.get(candidate.operation as usize) {
            candidate.operation = *new;
        }
    }
    if let Some(Fallback::Call(call)) = &mut spec.fallback {
        renumber(call, moved);
    }
}
