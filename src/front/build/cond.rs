//! Truth values, comparisons and conditions: the same operations as CPython's jumps, no truth value asked twice.

use ruff_python_ast::BoolOp;
use ruff_python_ast::CmpOp;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprCompare;
use ruff_python_ast::UnaryOp;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::scope::Assertions;
use crate::ir::Cmp;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;
use super::flow::Label;

/// What a comparison gives.
#[derive(Clone, Copy)]
enum Compared {
    Object(Value),
    Truth(Value),
}

impl<'a> Builder<'a> {
    /// Ends the current block: goes to one of the labels, as the expression is true or false.
    pub(super) fn branch(&mut self, test: &'a Expr, yes: Label, no: Label) {
        self.level(test.range(), |builder| builder.branch_here(test, yes, no));
    }

    fn branch_here(&mut self, test: &'a Expr, yes: Label, no: Label) {
        if let Some(truth) = self.constant_truth(test) {
            return self.jump(if truth { yes } else { no }, test.range());
        }
        match test {
            Expr::UnaryOp(node) if node.op == UnaryOp::Not => self.branch(&node.operand, no, yes),
            Expr::BoolOp(node) => {
                let Some((last, others)) = node.values.split_last() else { return };
                for operand in others {
                    let next = self.label();
                    match node.op {
                        BoolOp::And => self.branch(operand, next, no),
                        BoolOp::Or => self.branch(operand, yes, next),
                    }
                    self.enter(next);
                }
                self.branch(last, yes, no);
            }
            Expr::If(node) => {
                let (body, orelse) = (self.label(), self.label());
                self.branch(&node.test, body, orelse);
                self.enter(body);
                self.branch(&node.body, yes, no);
                self.enter(orelse);
                self.branch(&node.orelse, yes, no);
            }
            Expr::Compare(node) if node.ops.len() > 1 => self.branch_on_chain(node, yes, no),
            _ => {
                let truth = self.truth_of(test, test.range());
                self.branch_on(truth, (yes, None), (no, None), test.range());
            }
        }
    }

    fn branch_on_chain(&mut self, node: &'a ExprCompare, yes: Label, no: Label) {
        let mut left = self.expr(&node.left);
        for (position, (&op, right)) in node.ops.iter().zip(&node.comparators).enumerate() {
            let right = self.expr(right);
            let compared = self.compare_values(op, left, right, node.range);
            let truth = self.truth_of_compared(compared, node.range);
            if position + 1 == node.ops.len() {
                self.branch_on(truth, (yes, None), (no, None), node.range);
                return;
            }
            let next = self.label();
            self.branch_on(truth, (next, None), (no, None), node.range);
            self.enter(next);
            left = right;
        }
    }

    /// The truth of an expression's value; `range` is what a traceback names when asking for it fails.
    pub(super) fn truth_of(&mut self, expr: &'a Expr, range: TextRange) -> Value {
        if let Expr::Compare(node) = expr
            && let ([op @ (CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn)], [right]) =
                (&*node.ops, &*node.comparators)
        {
            let left = self.expr(&node.left);
            let right = self.expr(right);
            let compared = self.compare_values(*op, left, right, node.range);
            return self.truth_of_compared(compared, range);
        }
        let value = self.expr(expr);
        self.value(Op::ObjTruth, Imm::None, vec![value], range)
    }

    /// The value of a comparison: of a chain, that of the first link that is false or of the last.
    pub(super) fn compare(&mut self, node: &'a ExprCompare) -> Value {
        let done = self.label();
        let mut left = self.expr(&node.left);
        for (position, (&op, right)) in node.ops.iter().zip(&node.comparators).enumerate() {
            let right = self.expr(right);
            let compared = self.compare_values(op, left, right, node.range);
            let value = match compared {
                Compared::Object(value) => value,
                Compared::Truth(truth) => self.value(Op::BoolBox, Imm::None, vec![truth], node.range),
            };
            if position + 1 == node.ops.len() {
                self.jump_with(done, value, node.range);
                break;
            }
            let truth = self.truth_of_compared(compared, node.range);
            let next = self.label();
            self.branch_on(truth, (next, None), (done, Some(value)), node.range);
            self.enter(next);
            left = right;
        }
        self.enter_with_value(done)
    }

    fn compare_values(&mut self, op: CmpOp, left: Value, right: Value, range: TextRange) -> Compared {
        let cmp = match op {
            CmpOp::Lt => Cmp::Lt,
            CmpOp::LtE => Cmp::Le,
            CmpOp::Eq => Cmp::Eq,
            CmpOp::NotEq => Cmp::Ne,
            CmpOp::Gt => Cmp::Gt,
            CmpOp::GtE => Cmp::Ge,
            CmpOp::Is => return Compared::Truth(self.value(Op::ObjIs, Imm::None, vec![left, right], range)),
            CmpOp::IsNot => {
                let same = self.value(Op::ObjIs, Imm::None, vec![left, right], range);
                return Compared::Truth(self.value(Op::BoolNot, Imm::None, vec![same], range));
            }
            CmpOp::In => return Compared::Truth(self.contains(left, right, range)),
            CmpOp::NotIn => {
                let found = self.contains(left, right, range);
                return Compared::Truth(self.value(Op::BoolNot, Imm::None, vec![found], range));
            }
        };
        Compared::Object(self.value(Op::ObjCompare, Imm::Cmp(cmp), vec![left, right], range))
    }

    fn contains(&mut self, item: Value, container: Value, range: TextRange) -> Value {
        self.value(Op::ObjContains, Imm::None, vec![container, item], range)
    }

    fn truth_of_compared(&mut self, compared: Compared, range: TextRange) -> Value {
        match compared {
            Compared::Truth(truth) => truth,
            Compared::Object(value) => self.value(Op::ObjTruth, Imm::None, vec![value], range),
        }
    }

    /// The truth of a test that is known without running it.
    fn constant_truth(&self, test: &Expr) -> Option<bool> {
        match test {
            Expr::BooleanLiteral(node) => Some(node.value),
            Expr::NoneLiteral(_) => Some(false),
            Expr::EllipsisLiteral(_) => Some(true),
            Expr::NumberLiteral(node) => Some(match &node.value {
                ruff_python_ast::Number::Int(value) => *value != 0,
                ruff_python_ast::Number::Float(value) => *value != 0.0,
                ruff_python_ast::Number::Complex { real, imag } => *real != 0.0 || *imag != 0.0,
            }),
            Expr::StringLiteral(node) => Some(!node.value.is_empty()),
            Expr::Name(node) if node.id == "__debug__" => Some(self.options.assertions == Assertions::Kept),
            _ => None,
        }
    }
}

/// The last comparison that CPython's jumps for this test pass, where there is one.
pub(super) fn last_comparison(test: &Expr) -> Option<TextRange> {
    match test {
        Expr::UnaryOp(node) if node.op == UnaryOp::Not => last_comparison(&node.operand),
        Expr::BoolOp(node) => node.values.iter().rev().find_map(last_comparison),
        Expr::If(node) => {
            [&node.orelse, &node.body, &node.test].into_iter().find_map(|part| last_comparison(part))
        }
        Expr::Compare(node) => Some(node.range),
        _ => None,
    }
}
