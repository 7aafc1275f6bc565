//! `try` and `with`: which handler an exception goes to, and what ends when the code leaves from their inside.
//!
//! A `finally` suite is written once for each way that leads through it, as CPython's compiler does it:
//! at the end of the `try`, for exceptions, and in front of each `return`, `break` and `continue`.
//!
//! ```text
//!     body, each op that raises with a way to the handler
//!     else; jump end
//! handler: exception, previous = object.catch
//!     clauses, each op that raises with a way to cleanup; object.end_catch previous; jump end
//! cleanup: error, frame = object.take_error frame; object.end_catch previous; object.reraise error
//! end:
//! ```

use ruff_python_ast::ExceptHandler;
use ruff_python_ast::Identifier;
use ruff_python_ast::Stmt;
use ruff_python_ast::StmtTry;
use ruff_python_ast::StmtWith;
use ruff_python_ast::WithItem;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::scope::Meaning;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::flow::Bound;
use super::flow::Label;
use super::loops::Loop;

/// What is around the current point, and ends where the code leaves it.
#[derive(Clone, Copy)]
pub(super) enum Around<'a> {
    /// A loop.
    Loop(Loop),
    /// A suite whose exceptions go there, nothing else.
    Guarded { handler: Label },
    /// The suites in front of a `finally`.
    Finally { handler: Label, body: &'a [Stmt] },
    /// What handles an exception: before it there was another one; in an `except` clause, with its name.
    Handling { cleanup: Option<Label>, previous: Value, name: Option<&'a Identifier> },
    /// The body of a `with`, and its manager's `__exit__`.
    With { handler: Label, exit: Value, range: TextRange },
}

impl Around<'_> {
    fn handler(&self) -> Option<Label> {
        match *self {
            Around::Loop(_) => None,
            Around::Guarded { handler } | Around::Finally { handler, .. } | Around::With { handler, .. } => {
                Some(handler)
            }
            Around::Handling { cleanup, .. } => cleanup,
        }
    }
}

impl<'a> Builder<'a> {
    /// Where an exception goes that is raised here; none when it leaves the function.
    pub(super) fn handler(&self) -> Option<Label> {
        self.around.iter().rev().find_map(Around::handler)
    }

    /// Ends what is around the current point, the innermost first, but for the outermost so many. What ended is
    /// given back: it is still around what follows in the text.
    pub(super) fn unwind(&mut self, keep: usize, range: TextRange) -> Vec<Around<'a>> {
        let mut ended = Vec::new();
        while self.around.len() > keep {
            let Some(around) = self.around.pop() else { break };
            ended.push(around);
            match around {
                Around::Loop(Loop { iterator, .. }) => {
                    if let Some(iterator) = iterator {
                        self.effect(Op::Release, vec![iterator], range);
                    }
                }
                Around::Guarded { .. } => {}
                Around::Finally { body, .. } => self.suite(body),
                Around::Handling { previous, name, .. } => {
                    self.effect(Op::ObjEndCatch, vec![previous], range);
                    if let Some(name) = name {
                        self.unset(name);
                    }
                }
                Around::With { exit, range, .. } => self.exit_normally(exit, range),
            }
        }
        ended.reverse();
        ended
    }

    /// Never comes here: what stands in front of it raises.
    pub(super) fn never(&mut self, range: TextRange) {
        self.leave(Op::Unreachable, Imm::None, vec![], range);
    }

    /// Raises the first operand, from the second if there is one.
    pub(super) fn raise_value(&mut self, operands: Vec<Value>, range: TextRange) {
        if self.handler().is_none() {
            return self.leave(Op::Raise, Imm::None, operands, range);
        }
        self.effect(Op::ObjThrow, operands, range);
        self.never(range);
    }

    pub(super) fn reraise(&mut self, exception: Value, range: TextRange) {
        self.effect(Op::ObjReraise, vec![exception], range);
        self.never(range);
    }

    /// The exception that led here, which is handled from now on, and the one that was before. Its traceback has a frame
    /// of the activation.
    fn catch(&mut self, range: TextRange) -> (Value, Value) {
        let inst = self.emit(Op::ObjCatch, Imm::None, vec![], Op::ObjCatch.row().results, range);
        let (exception, previous) = {
            let results = &self.function.inst(inst).results;
            (results[0], results[1])
        };
        let caught = vec![exception, self.frame()];
        let frame = self.value(Op::ObjCaughtFrame, Imm::None, caught, range);
        self.set_frame(frame);
        (exception, previous)
    }

    /// The exception that led here, which is not handled.
    pub(super) fn take_error(&mut self, range: TextRange) -> Value {
        let known = vec![self.frame()];
        let inst = self.emit(Op::ObjTakeError, Imm::None, known, Op::ObjTakeError.row().results, range);
        let (error, frame) = {
            let results = &self.function.inst(inst).results;
            (results[0], results[1])
        };
        self.set_frame(frame);
        error
    }

    /// An exception in a handler: the one that was handled before is handled again.
    fn leave_handler(&mut self, previous: Value, range: TextRange) {
        let error = self.take_error(range);
        self.effect(Op::ObjEndCatch, vec![previous], range);
        self.reraise(error, range);
    }

    pub(super) fn try_statement(&mut self, node: &'a StmtTry) {
        if node.finalbody.is_empty() {
            return self.try_except(node);
        }
        let (handler, end) = (self.label(), self.label());
        self.around.push(Around::Finally { handler, body: &node.finalbody });
        if node.handlers.is_empty() {
            self.suite(&node.body);
        } else {
            self.try_except(node);
        }
        self.around.pop();
        self.suite(&node.finalbody);
        let range = node.finalbody.last().map_or(node.range, Ranged::range);
        self.jump(end, range);
        self.enter(handler);
        let (exception, previous) = self.catch(range);
        let cleanup = self.label();
        self.around.push(Around::Handling { cleanup: Some(cleanup), previous, name: None });
        self.suite(&node.finalbody);
        self.reraise(exception, range);
        self.around.pop();
        self.enter(cleanup);
        self.leave_handler(previous, range);
        self.enter(end);
    }

    fn try_except(&mut self, node: &'a StmtTry) {
        let (handler, end) = (self.label(), self.label());
        self.around.push(Around::Guarded { handler });
        self.suite(&node.body);
        self.around.pop();
        self.suite(&node.orelse);
        self.jump(end, node.range);
        self.enter(handler);
        let (exception, previous) = self.catch(node.range);
        let cleanup = self.label();
        self.around.push(Around::Guarded { handler: cleanup });
        if node.is_star {
            self.clauses_of_groups(node, exception, previous, end);
            self.around.pop();
            self.enter(cleanup);
            self.leave_handler(previous, node.range);
            return self.enter(end);
        }
        for clause in &node.handlers {
            self.clause_of_try(clause, exception, previous, end);
        }
        self.reraise(exception, node.range);
        self.around.pop();
        self.enter(cleanup);
        self.leave_handler(previous, node.range);
        self.enter(end);
    }

    /// One `except` clause; goes on where it does not take the exception.
    fn clause_of_try(&mut self, clause: &'a ExceptHandler, exception: Value, previous: Value, end: Label) {
        let ExceptHandler::ExceptHandler(clause) = clause;
        let next = self.label();
        if let Some(class) = &clause.type_ {
            let range = class.range();
            let class = self.expr(class);
            let takes = self.value(Op::ObjMatches, Imm::None, vec![exception, class], range);
            let body = self.label();
            self.branch_on(takes, (body, None), (next, None), range);
            self.enter(body);
        }
        let name = clause.name.as_ref();
        let failed = name.map(|_| self.label());
        if let Some(name) = name {
            self.assign_name(name, exception, clause.range);
        }
        self.around.push(Around::Handling { cleanup: failed, previous, name });
        self.suite(&clause.body);
        self.unwind(self.around.len() - 1, clause.range);
        self.jump(end, clause.range);
        if let (Some(failed), Some(name)) = (failed, name) {
            self.enter(failed);
            let error = self.take_error(clause.range);
            self.unset(name);
            self.reraise(error, clause.range);
        }
        self.enter(next);
    }

    /// The end of an `except` clause: `name = None; del name`.
    pub(super) fn unset(&mut self, name: &'a Identifier) {
        let none = self.constant(Const::None, name.range);
        self.assign_name(name, none, name.range);
        match self.meaning(name).1 {
            Meaning::Local(variable) => {
                let unbound = self.flow.constants().unbound;
                self.rebind(variable, unbound, Bound::No, name.range);
            }
            Meaning::Cell(variable) | Meaning::Free(variable) => self.clear_cell(variable, name.range),
            Meaning::Global => self.delete_name(name, name.range),
        }
    }

    pub(super) fn with_statement(&mut self, node: &'a StmtWith) {
        if node.is_async {
            self.refuse(node, Reason::Await);
        }
        self.with_items(&node.items, &node.body);
    }

    fn with_items(&mut self, items: &'a [WithItem], body: &'a [Stmt]) {
        let Some((item, others)) = items.split_first() else { return self.suite(body) };
        let range = item.context_expr.range();
        let manager = self.expr(&item.context_expr);
        let results = Op::ObjEnterContext.row().results;
        let inst = self.emit(Op::ObjEnterContext, Imm::None, vec![manager], results, range);
        let (exit, entered) = {
            let results = &self.function.inst(inst).results;
            (results[0], results[1])
        };
        let (handler, end) = (self.label(), self.label());
        self.around.push(Around::With { handler, exit, range });
        if let Some(target) = &item.optional_vars {
            self.assign(target, entered);
        }
        self.level(range, |builder| builder.with_items(others, body));
        self.around.pop();
        self.exit_normally(exit, range);
        self.jump(end, range);
        self.enter(handler);
        self.exit_by_exception(exit, end, range);
        self.enter(end);
    }

    fn exit_normally(&mut self, exit: Value, range: TextRange) {
        let none = self.constant(Const::None, range);
        self.call_value(vec![exit, none, none, none], Const::None, range);
    }

    /// Asks `__exit__` what to do with the exception.
    fn exit_by_exception(&mut self, exit: Value, end: Label, range: TextRange) {
        let (exception, previous) = self.catch(range);
        let (cleanup, suppressed, again) = (self.label(), self.label(), self.label());
        self.around.push(Around::Guarded { handler: cleanup });
        let answer = self.value(Op::ObjExitContext, Imm::None, vec![exit, exception], range);
        let truth = self.value(Op::ObjTruth, Imm::None, vec![answer], range);
        self.branch_on(truth, (suppressed, None), (again, None), range);
        self.enter(again);
        self.reraise(exception, range);
        self.around.pop();
        self.enter(suppressed);
        self.effect(Op::ObjEndCatch, vec![previous], range);
        self.jump(end, range);
        self.enter(cleanup);
        self.leave_handler(previous, range);
    }
}
