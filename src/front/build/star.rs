//! `except*`: each clause takes its part of a group, what is left or raised anew is put together at the end.
//!
//! ```text
//! handler: exception, previous = object.catch; raised = []; rest = exception
//!     for each clause: rest, part = object.group_matches rest, classes
//!         where part is not None: the clause; what it raises goes into raised
//!     raised.append(rest); error = object.merge_groups exception, raised
//!     object.end_catch previous; where error is not None: object.reraise error
//! ```

use ruff_python_ast::ExceptHandler;
use ruff_python_ast::StmtTry;
use ruff_text_size::Ranged;

use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;
use super::flow::Label;
use super::tries::Around;

impl<'a> Builder<'a> {
    /// All clauses; ends at `end` or with an exception. Around it is the way to the cleanup.
    pub(super) fn clauses_of_groups(
        &mut self,
        node: &'a StmtTry,
        exception: Value,
        previous: Value,
        end: Label,
    ) {
        let range = node.range;
        let raised = self.value(Op::ObjList, Imm::None, vec![], range);
        let mut rest = exception;
        for clause in &node.handlers {
            rest = self.clause_of_group(clause, rest, raised);
        }
        self.effect(Op::ObjListAppend, vec![raised, rest], range);
        let error = self.value(Op::ObjMergeGroups, Imm::None, vec![exception, raised], range);
        let none = self.constant(Const::None, range);
        let is_handled = self.value(Op::ObjIs, Imm::None, vec![error, none], range);
        let (handled, again) = (self.label(), self.label());
        self.branch_on(is_handled, (handled, None), (again, None), range);
        self.enter(again);
        let cleanup = self.around.pop();
        self.effect(Op::ObjEndCatch, vec![previous], range);
        self.reraise(error, range);
        self.around.extend(cleanup);
        self.enter(handled);
        self.effect(Op::ObjEndCatch, vec![previous], range);
        self.jump(end, range);
    }

    /// One clause; gives what it leaves of the exception, or None.
    fn clause_of_group(&mut self, clause: &'a ExceptHandler, rest: Value, raised: Value) -> Value {
        let ExceptHandler::ExceptHandler(clause) = clause;
        let Some(classes) = &clause.type_ else { return rest };
        let range = classes.range();
        let classes = self.expr(classes);
        let row = Op::ObjGroupMatches.row();
        let inst = self.emit(Op::ObjGroupMatches, Imm::None, vec![rest, classes], row.results, range);
        let (rest, part) = {
            let results = &self.function.inst(inst).results;
            (results[0], results[1])
        };
        let (takes, failed, next) = (self.label(), self.label(), self.label());
        let none = self.constant(Const::None, range);
        let is_none = self.value(Op::ObjIs, Imm::None, vec![part, none], range);
        self.branch_on(is_none, (next, None), (takes, None), range);
        self.enter(takes);
        if let Some(name) = &clause.name {
            self.assign_name(name, part, clause.range);
        }
        self.around.push(Around::Guarded { handler: failed });
        self.suite(&clause.body);
        self.around.pop();
        clause.name.iter().for_each(|name| self.unset(name));
        self.jump(next, clause.range);
        self.enter(failed);
        let error = self.take_error(clause.range);
        clause.name.iter().for_each(|name| self.unset(name));
        self.effect(Op::ObjListAppend, vec![raised, error], clause.range);
        self.jump(next, clause.range);
        self.enter(next);
        rest
    }
}
