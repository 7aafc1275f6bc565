//! Loops: a header that every turn passes, one back edge with a poll, an `else` that a `break` skips.
//!
//! ```text
//!     jump header
//! header:  test or next item; branch body, finished
//! body:    …; jump latch                 `continue` goes to the latch, `break` to the end
//! latch:   poll; jump header
//! finished: else; jump end
//! end:
//! ```

use ruff_python_ast::Stmt;
use ruff_python_ast::StmtFor;
use ruff_python_ast::StmtWhile;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::dialect::IterationSite;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::flow::Header;
use super::flow::Label;
use super::syntax_error;
use super::tries::Around;

/// A loop around the current point.
#[derive(Clone, Copy)]
pub(super) struct Loop {
    latch: Label,
    end: Label,
    /// The iterator that the loop holds; it dies when the loop is left.
    pub(super) iterator: Option<Value>,
}

impl<'a> Builder<'a> {
    pub(super) fn while_loop(&mut self, node: &'a StmtWhile) {
        let assigned = self.scope.assigned_in(Some(&node.test), None, &node.body);
        let header = self.enter_header(&assigned, node.test.range());
        let (body, finished) = (self.label(), self.label());
        self.branch(&node.test, body, finished);
        self.enter(body);
        let end = self.turns(&header, None, &node.body, node.test.range());
        self.enter(finished);
        self.after_loop(&node.orelse, end, node.test.range());
    }

    pub(super) fn for_loop(&mut self, node: &'a StmtFor) {
        if node.is_async {
            self.refuse(&*node.iter, Reason::Await);
        }
        let range = match self.options.dialect.iteration {
            IterationSite::Loop => node.range,
            IterationSite::Iterable => node.iter.range(),
        };
        let iterable = self.expr(&node.iter);
        let iterator = self.value(Op::ObjIter, Imm::None, vec![iterable], range);
        let assigned = self.scope.assigned_in(None, Some(&node.target), &node.body);
        let header = self.enter_header(&assigned, range);
        let next = self.emit(Op::ObjNext, Imm::None, vec![iterator], Op::ObjNext.row().results, range);
        let (item, has_item) = {
            let results = &self.function.inst(next).results;
            (results[0], results[1])
        };
        let (body, finished) = (self.label(), self.label());
        self.branch_on(has_item, (body, None), (finished, None), range);
        self.enter(body);
        self.assign(&node.target, item);
        let end = self.turns(&header, Some(iterator), &node.body, range);
        self.enter(finished);
        self.effect(Op::Release, vec![iterator], range);
        self.after_loop(&node.orelse, end, range);
    }

    /// The body and the way back to the header; gives the label where a `break` goes.
    fn turns(
        &mut self,
        header: &Header,
        iterator: Option<Value>,
        body: &'a [Stmt],
        range: TextRange,
    ) -> Label {
        let (latch, end) = (self.label(), self.label());
        self.around.push(Around::Loop(Loop { latch, end, iterator }));
        self.suite(body);
        self.around.pop();
        self.jump(latch, range);
        self.enter(latch);
        self.effect(Op::Poll, vec![], range);
        self.jump_back(header, range);
        end
    }

    fn after_loop(&mut self, orelse: &'a [Stmt], end: Label, range: TextRange) {
        self.suite(orelse);
        self.jump(end, range);
        self.enter(end);
    }

    /// `break`: what is inside the loop ends, then the loop itself.
    pub(super) fn break_loop(&mut self, node: impl Ranged) {
        let Some((place, around)) = self.innermost_loop() else {
            return self.refuse(node, syntax_error("`break` outside a loop"));
        };
        let inside = self.unwind(place, node.range());
        self.leave_to(around.end, node.range());
        self.around.extend(inside);
    }

    /// `continue`: what is inside the loop ends.
    pub(super) fn continue_loop(&mut self, node: impl Ranged) {
        let Some((place, around)) = self.innermost_loop() else {
            return self.refuse(node, syntax_error("`continue` outside a loop"));
        };
        let inside = self.unwind(place + 1, node.range());
        self.leave_to(around.latch, node.range());
        self.around.extend(inside);
    }

    fn innermost_loop(&self) -> Option<(usize, Loop)> {
        self.around.iter().enumerate().rev().find_map(|(place, around)| match around {
            Around::Loop(around) => Some((place, *around)),
            _ => None,
        })
    }

    fn leave_to(&mut self, label: Label, range: TextRange) {
        self.jump(label, range);
        let unreachable = self.label();
        self.enter(unreachable);
    }
}
