//! Statements.

use ruff_python_ast::ElifElseClause;
use ruff_python_ast::Expr;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtAnnAssign;
use ruff_python_ast::StmtAssert;
use ruff_python_ast::StmtIf;
use ruff_python_ast::StmtRaise;
use ruff_python_ast::StmtReturn;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::dialect::AssertionSite;
use crate::front::scope::Assertions;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::Promise;
use super::cond::last_comparison;

impl<'a> Builder<'a> {
    /// The function's body, with the `return None` at its end.
    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        self.suite(body);
        let range = body.last().map_or_else(TextRange::default, Ranged::range);
        let none = self.constant(Const::None, range);
        self.return_value(none, range);
    }

    pub(super) fn suite(&mut self, suite: &'a [Stmt]) {
        for stmt in suite {
            self.level(stmt.range(), |builder| builder.stmt(stmt));
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(node) => self.return_statement(node),
            Stmt::Delete(node) => node.targets.iter().for_each(|target| self.delete(target)),
            Stmt::Assign(node) => self.assignment(node),
            Stmt::AugAssign(node) => self.augmented_assignment(node),
            Stmt::AnnAssign(node) => self.annotated_assignment(node),
            Stmt::For(node) => self.for_loop(node),
            Stmt::While(node) => self.while_loop(node),
            Stmt::If(node) => self.if_statement(node),
            Stmt::Raise(node) => self.raise(node),
            Stmt::Assert(node) => self.assert(node),
            Stmt::Expr(node) => {
                if self.constant_of(&node.value).is_none() {
                    self.expr(&node.value);
                }
            }
            Stmt::Global(_) | Stmt::Nonlocal(_) | Stmt::Pass(_) => {}
            Stmt::FunctionDef(node) => self.nested_function(node),
            Stmt::ClassDef(node) => self.nested_class(node),
            Stmt::With(node) => self.with_statement(node),
            Stmt::Try(node) => self.try_statement(node),
            Stmt::Import(node) => self.import(node),
            Stmt::ImportFrom(node) => self.import_from(node),
            Stmt::Break(node) => self.break_loop(node),
            Stmt::Continue(node) => self.continue_loop(node),
            Stmt::Match(node) => self.match_statement(node),
            Stmt::TypeAlias(node) => self.type_alias(node),
            Stmt::IpyEscapeCommand(_) => self.refuse(stmt, Reason::UnsupportedStatement("this statement")),
        }
    }

    fn return_statement(&mut self, node: &'a StmtReturn) {
        let value = match &node.value {
            Some(value) => self.expr(value),
            None => self.constant(Const::None, node.range),
        };
        self.return_value(value, node.range);
    }

    /// Leaves the function: what is around ends, the innermost first, then the variables in their order.
    fn return_value(&mut self, value: Value, range: TextRange) {
        let around = self.unwind(0, range);
        if self.options.promise == Promise::Enforced {
            self.effect(Op::ObjCheckResult, vec![value], range);
        }
        let unbound = self.flow.constants().unbound;
        let leaving = self.emit(Op::ObjLeaveFrame, Imm::None, vec![self.frame()], &[], range);
        self.note_shown(leaving);
        let variables: Vec<Value> = self.flow.env.values[..self.scope.variables.len()]
            .iter()
            .copied()
            .filter(|&value| value != unbound)
            .collect();
        for held in variables {
            self.effect(Op::Release, vec![held], range);
        }
        self.leave(Op::Return, Imm::None, vec![value], range);
        self.around.extend(around);
    }

    fn annotated_assignment(&mut self, node: &'a StmtAnnAssign) {
        if let Some(value) = &node.value {
            let value = self.expr(value);
            self.assign(&node.target, value);
        }
        // The parts of a target that is no name are evaluated even where nothing is bound.
        match &*node.target {
            Expr::Attribute(target) if node.value.is_none() => {
                self.expr(&target.value);
            }
            Expr::Subscript(target) if node.value.is_none() => {
                self.expr(&target.value);
                self.expr(&target.slice);
            }
            _ => {}
        }
    }

    fn if_statement(&mut self, node: &'a StmtIf) {
        let end = self.label();
        self.clause(&node.test, &node.body, end);
        for ElifElseClause { test, body, .. } in &node.elif_else_clauses {
            match test {
                Some(test) => self.clause(test, body, end),
                None => self.suite(body),
            }
        }
        self.jump(end, node.range);
        self.enter(end);
    }

    /// One `if` or `elif`; goes on where its test is false.
    fn clause(&mut self, test: &'a Expr, body: &'a [Stmt], end: super::flow::Label) {
        let (yes, no) = (self.label(), self.label());
        self.branch(test, yes, no);
        self.enter(yes);
        self.suite(body);
        self.jump(end, test.range());
        self.enter(no);
    }

    fn raise(&mut self, node: &'a StmtRaise) {
        let Some(exception) = &node.exc else {
            self.effect(Op::ObjReraiseHandled, vec![], node.range);
            return self.never(node.range);
        };
        let mut operands = vec![self.expr(exception)];
        if let Some(cause) = &node.cause {
            operands.push(self.expr(cause));
        }
        self.raise_value(operands, node.range);
    }

    fn assert(&mut self, node: &'a StmtAssert) {
        if self.options.assertions == Assertions::Stripped {
            return;
        }
        let (holds, fails) = (self.label(), self.cold_label());
        self.branch(&node.test, holds, fails);
        self.enter(fails);
        let mut exception = self.constant(Const::AssertionError, node.range);
        if let Some(message) = &node.msg {
            let message = self.expr(message);
            exception = self.call_value(vec![exception, message], Const::None, node.range);
        }
        let site = match self.options.dialect.assertion {
            AssertionSite::LastComparison => last_comparison(&node.test).unwrap_or(node.range),
            AssertionSite::Statement => node.range,
            AssertionSite::Test => node.test.range(),
        };
        self.raise_value(vec![exception], site);
        self.enter(holds);
    }
}
