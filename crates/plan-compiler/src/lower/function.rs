//! Functions: each is lowered once per plan that uses it.

use plan_ir::expr::{FnId, Fragment, LocalId};
use plan_ir::plan::Function;
use schema::types::Type;

use super::Lowerer;
use super::fragment::Operand;

impl Lowerer<'_, '_> {
    /// The plan's number of a function. Its body is lowered later, so that functions that call functions
    /// do not nest here.
    pub(super) fn function_id(&mut self, at: usize) -> FnId {
        if let Some(id) = self.function_ids.get(&at) {
            return *id;
        }
        let id = FnId(u32::try_from(self.functions.len()).unwrap_or(u32::MAX));
        let name = self.program.functions.get(at).map(|f| f.decl.name.name.clone()).unwrap_or_default();
        let empty = Fragment { params: 0, frame: 0, body: plan_ir::expr::ExprId(0) };
        self.functions.push(Function { name, fragment: empty });
        self.function_ids.insert(at, id);
        self.function_queue.push(at);
        id
    }

    /// Lowers the bodies of all functions that are used so far.
    pub(super) fn functions_of_queue(&mut self) {
        while let Some(at) = self.function_queue.pop() {
            let Some((function, body)) = self.program.functions.get(at).zip(self.checked.functions.get(at))
            else {
                continue;
            };
            let id = self.function_id(at);
            let fragment = self.in_body(function.source, |this| {
                let params = u32::try_from(body.params.len()).unwrap_or(u32::MAX);
                let (fragment, _) = this.fragment(params, |this| {
                    for (index, var) in (0_u32..).zip(&body.params) {
                        this.bind(*var, Operand::Local(LocalId(index)), Type::Error);
                    }
                    this.emit(&body.body)
                });
                fragment
            });
            if let Some(function) = self.functions.get_mut(id.0 as usize) {
                function.fragment = fragment;
            }
        }
    }
}
