//! What a piece of AST mentions: the functions it applies, the plans it runs, what it calls, the policies it uses.

use plan_lang::ast::{
    Arg, Block, Expr, ExprKind, Ident, Path, Plan, PolicyDecl, PolicyField, PolicyUse, PolicyValueKind, Stmt,
    TemplatePart,
};

/// The names of all functions applied in `expr`, in source order.
pub(crate) fn applied(expr: &Expr) -> Vec<&Ident> {
    let mut found = Mentions::default();
    found.expr(expr);
    found.applied
}

/// The names of all plans that `plan` runs, in source order, and those behind every `with` in it.
pub(crate) fn run_and_with(plan: &Plan) -> (Vec<&Ident>, Vec<&Path>) {
    let mut found = Mentions::default();
    found.block(&plan.body);
    let run = std::mem::take(&mut found.run).into_iter().filter_map(Path::as_ident).collect();
    found.policy(plan.policy.as_ref());
    (run, found.policies)
}

/// The names behind every `with` in `policy`.
pub(crate) fn with_of_policy(policy: &PolicyDecl) -> Vec<&Path> {
    let mut found = Mentions::default();
    found.fields(&policy.fields);
    found.policies
}

/// What `plan` calls itself, and the plans that it runs.
pub(crate) fn called_by(plan: &Plan) -> (Vec<&Path>, Vec<&Path>) {
    let mut found = Mentions::default();
    found.policy(plan.policy.as_ref());
    found.block(&plan.body);
    (found.called, found.run)
}

/// What `policies` call in the place of a call that failed.
pub(crate) fn called_by_policies<'a>(policies: impl Iterator<Item = &'a PolicyDecl>) -> Vec<&'a Path> {
    let mut found = Mentions::default();
    policies.for_each(|policy| found.fields(&policy.fields));
    found.called
}

#[derive(Default)]
struct Mentions<'a> {
    applied: Vec<&'a Ident>,
    run: Vec<&'a Path>,
    called: Vec<&'a Path>,
    policies: Vec<&'a Path>,
}

impl<'a> Mentions<'a> {
    fn block(&mut self, block: &'a Block) {
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let(stmt) => self.expr(&stmt.value),
                Stmt::Ensure(stmt) => {
                    self.expr(&stmt.cond);
                    self.parts(&stmt.message.parts);
                }
                Stmt::Expr(expr) => self.expr(expr),
            }
        }
        if let Some(value) = &block.value {
            self.expr(value);
        }
    }

    fn parts(&mut self, parts: &'a [TemplatePart]) {
        for part in parts {
            if let TemplatePart::Expr(expr) = part {
                self.expr(expr);
            }
        }
    }

    fn args(&mut self, args: &'a [Arg]) {
        args.iter().for_each(|arg| self.expr(&arg.value));
    }

    fn policy(&mut self, policy: Option<&'a PolicyUse>) {
        if let Some(policy) = policy {
            self.policies.extend(&policy.base);
            self.fields(&policy.fields);
        }
    }

    fn fields(&mut self, fields: &'a [PolicyField]) {
        for field in fields {
            match &field.value.kind {
                PolicyValueKind::Fields(fields) => self.fields(fields),
                PolicyValueKind::Expr(expr) => self.expr(expr),
                PolicyValueKind::Percent(_) => {}
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Error | ExprKind::Literal(_) | ExprKind::Name(_) => {}
            ExprKind::Template(template) => self.parts(&template.parts),
            ExprKind::Variant { payload, .. } => payload.iter().for_each(|payload| self.expr(payload)),
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Record { fields, .. } | ExprKind::Anonymous(fields) => {
                fields.iter().for_each(|field| self.expr(&field.value));
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Call(call) => {
                self.called.push(&call.target);
                self.args(&call.args);
                self.policy(call.policy.as_ref());
            }
            ExprKind::Run(run) => {
                self.run.push(&run.plan);
                self.args(&run.args);
            }
            ExprKind::For(node) => {
                self.expr(&node.list);
                self.policy(node.policy.as_ref());
                self.block(&node.body);
            }
            ExprKind::If(node) => {
                for branch in &node.branches {
                    self.expr(&branch.cond);
                    self.block(&branch.then);
                }
                node.otherwise.iter().for_each(|block| self.block(block));
            }
            ExprKind::Match(node) => {
                self.expr(&node.value);
                node.arms.iter().for_each(|arm| self.expr(&arm.body));
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Apply { function, args } => {
                self.applied.push(function);
                self.args(args);
            }
            ExprKind::Method { receiver, args, .. } => {
                self.expr(receiver);
                self.args(args);
            }
            ExprKind::Index { base, index } => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::Try(inner)
            | ExprKind::Lambda { body: inner, .. }
            | ExprKind::Unary { operand: inner, .. }
            | ExprKind::Field { base: inner, .. }
            | ExprKind::Cast { value: inner, .. }
            | ExprKind::Decode { value: inner, .. } => self.expr(inner),
        }
    }
}
