//! `test` blocks: this version does not run them, but what they mock and run must be there.

use plan_lang::ast::{ExprKind as Ast, Item, Path, Stmt, TestStmt};

use super::Checker;
use super::scope::Body;

impl<'a> Checker<'a, '_> {
    /// The names in the tests of the plan's file.
    pub(super) fn test_names(&mut self, items: &'a [Item]) {
        self.body = Body::new(0, 0);
        for item in items {
            let Item::Test(test) = item else { continue };
            for stmt in &test.body {
                match stmt {
                    TestStmt::Mock(mock) => {
                        self.call_target(&mock.target);
                    }
                    TestStmt::ExpectFails(expect) => self.plan_named(&expect.run.plan),
                    TestStmt::Stmt(Stmt::Let(stmt)) => {
                        if let Ast::Run(run) = &stmt.value.kind {
                            self.plan_named(&run.plan);
                        }
                    }
                    TestStmt::Assert(_) | TestStmt::Stmt(_) => {}
                }
            }
        }
    }

    fn plan_named(&mut self, path: &Path) {
        let found = path.as_ident().is_some_and(|name| {
            self.module().is_some_and(|module| module.plans.contains_key(name.name.as_str()))
        });
        if !found && !path.is_missing() {
            let report = self.unknown_plan(path);
            self.report(report);
        }
    }
}
