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
            Stmt::Nonlocal(node) => {
                for name in &node.names {
                    self.refuse(name, Reason::Closure(name.to_string()));
                }
            }
            Stmt::Expr(node) => {
                if self.constant_of(&node.value).is_none() {
                    self.expr(&node.value);
                }
            }
            Stmt::Global(_) | Stmt::Pass(_) => {}
            Stmt::Import(node) => self.import(node),
            Stmt::ImportFrom(node) => self.import_from(node),
            Stmt::Break(node) => self.break_loop(node),
            Stmt::Continue(node) => self.continue_loop(node),
            Stmt::FunctionDef(_)
            | Stmt::ClassDef(_)
            | Stmt::TypeAlias(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
            | Stmt::IpyEscapeCommand(_) => self.refuse_statement(stmt),
        }
    }

    /// Refuses a compound statement and what its suites hold besides.
    fn refuse_statement(&mut self, stmt: &'a Stmt) {
        let (what, keyword) = match stmt {
            Stmt::FunctionDef(node) => ("a nested function", node.name.range()),
            Stmt::ClassDef(node) => ("a nested class", node.name.range()),
            Stmt::With(node) if node.is_async => return self.refuse(stmt, Reason::Await),
            Stmt::With(_) => ("a `with` statement", stmt.range()),
            Stmt::Match(_) => ("a `match` statement", stmt.range()),
            Stmt::Try(_) => ("a `try` statement", stmt.range()),
            _ => ("this statement", stmt.range()),
        };
        self.refuse(keyword, Reason::UnsupportedStatement(what));
        match stmt {
            Stmt::With(node) => self.suite(&node.body),
            Stmt::Match(node) => node.cases.iter().for_each(|case| self.suite(&case.body)),
            Stmt::Try(node) => {
                self.suite(&node.body);
                for handler in &node.handlers {
                    let ruff_python_ast::ExceptHandler::ExceptHandler(handler) = handler;
                    self.suite(&handler.body);
                }
                self.suite(&node.orelse);
                self.suite(&node.finalbody);
            }
            _ => {}
        }
    }

    fn return_statement(&mut self, node: &'a StmtReturn) {
        let value = match &node.value {
            Some(value) => self.expr(value),
            None => self.constant(Const::None, node.range),
        };
        self.return_value(value, node.range);
    }

    /// Leaves the function: drops the iterators of the loops around, then the variables in their order.
    fn return_value(&mut self, value: Value, range: TextRange) {
        if self.options.promise == Promise::Enforced {
            self.effect(Op::ObjCheckResult, vec![value], range);
        }
        let iterators: Vec<Value> = self.loops.iter().rev().filter_map(|around| around.iterator).collect();
        let unbound = self.flow.constants().unbound;
        let variables: Vec<Value> =
            self.flow.env.values.iter().copied().filter(|&value| value != unbound).collect();
        for held in iterators.into_iter().chain(variables) {
            self.effect(Op::Release, vec![held], range);
        }
        self.leave(Op::Return, Imm::None, vec![value], range);
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
            return self.refuse(node, Reason::UnsupportedStatement("a `raise` without an exception"));
        };
        let mut operands = vec![self.expr(exception)];
        if let Some(cause) = &node.cause {
            operands.push(self.expr(cause));
        }
        self.leave(Op::Raise, Imm::None, operands, node.range);
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
        self.leave(Op::Raise, Imm::None, vec![exception], site);
        self.enter(holds);
    }
}
