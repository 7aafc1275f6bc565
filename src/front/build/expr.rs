//! Expressions, as values.

use std::cmp::Ordering;

use ruff_python_ast::BoolOp;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprAttribute;
use ruff_python_ast::ExprBoolOp;
use ruff_python_ast::ExprIf;
use ruff_python_ast::ExprName;
use ruff_python_ast::ExprNamed;
use ruff_python_ast::ExprSlice;
use ruff_python_ast::ExprUnaryOp;
use ruff_python_ast::Operator;
use ruff_python_ast::UnaryOp;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::dialect::NestedTruth;
use crate::front::scope::Assertions;
use crate::front::scope::Meaning;
use crate::front::scope::Variable;
use crate::ir::Binary;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::InPlace;
use crate::ir::Op;
use crate::ir::Unary;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::display::Display;
use super::flow::Bound;
use super::flow::Label;

/// Builtins that look at the variables of the frame that calls them.
const FRAME_READERS: &[&str] = &["breakpoint", "dir", "eval", "exec", "locals", "super", "vars"];

/// Attributes that hand out frames (`sys._getframe`, `inspect.currentframe`).
const FRAME_ATTRIBUTES: &[&str] = &["_getframe", "currentframe"];

impl<'a> Builder<'a> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Value {
        let value = self.level(expr.range(), |builder| builder.expr_here(expr));
        value.unwrap_or_else(|| self.nothing())
    }

    fn expr_here(&mut self, expr: &'a Expr) -> Value {
        if let Some(constant) = self.constant_of(expr) {
            return self.constant(constant, expr.range());
        }
        match expr {
            Expr::Name(node) => self.name(node),
            Expr::BinOp(node) => {
                let left = self.expr(&node.left);
                let right = self.expr(&node.right);
                self.binary(node.op, InPlace::No, left, right, node.range)
            }
            Expr::UnaryOp(node) => self.unary(node),
            Expr::BoolOp(node) => self.bool_op(node),
            Expr::Compare(node) => self.compare(node),
            Expr::If(node) => self.conditional(node),
            Expr::Named(node) => self.walrus(node),
            Expr::Call(node) => self.call(node),
            Expr::Attribute(node) => self.attribute(node),
            Expr::Tuple(node) => self.display(Display::Tuple, &node.elts, node.range),
            Expr::List(node) => self.display(Display::List, &node.elts, node.range),
            Expr::Set(node) => self.display(Display::Set, &node.elts, node.range),
            Expr::Dict(node) => self.dict(node),
            Expr::Lambda(node) => self.lambda(node),
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehension(expr, None)
            }
            Expr::FString(node) => self.fstring(node),
            Expr::Subscript(node) => {
                let container = self.expr(&node.value);
                let key = self.expr(&node.slice);
                self.value(Op::ObjItem, Imm::None, vec![container, key], node.range)
            }
            Expr::Slice(node) => self.slice(node),
            _ => {
                self.refuse(expr, unsupported(expr));
                self.nothing()
            }
        }
    }

    fn name(&mut self, node: &ExprName) -> Value {
        if node.id == "__debug__" {
            let kept = self.options.assertions == Assertions::Kept;
            return self.constant(Const::Bool(kept), node.range);
        }
        let (name, meaning) = self.meaning(&node.id);
        match meaning {
            Meaning::Local(variable) => self.variable(variable, node.range),
            Meaning::Global => {
                if let Some(reader) = FRAME_READERS.iter().find(|&&reader| reader == name) {
                    self.refuse(node, Reason::FrameInspection(reader));
                }
                self.global(name, node.range)
            }
            Meaning::Cell(variable) => self.load_cell(variable, Op::ObjLoadCell, node.range),
            Meaning::Free(variable) => self.load_cell(variable, Op::ObjLoadFree, node.range),
        }
    }

    /// The value of a global or builtin name.
    pub(super) fn global(&mut self, name: String, range: TextRange) -> Value {
        self.note_name(name.clone());
        let id = self.constant_id(Const::Str(name));
        self.value(Op::ObjGlobal, Imm::Const(id), vec![], range)
    }

    /// The value of a variable; raises when it is unbound.
    pub(super) fn variable(&mut self, variable: Variable, range: TextRange) -> Value {
        match self.flow.env.bound[variable.0] {
            Bound::Yes => {}
            Bound::No => self.raise_unbound(variable, range),
            Bound::Maybe(flag) => {
                let (bound, unbound) = (self.label(), self.cold_label());
                self.branch_on(flag, (bound, None), (unbound, None), range);
                self.enter(unbound);
                self.raise_unbound(variable, range);
                self.enter(bound);
            }
        }
        self.flow.env.bound[variable.0] = Bound::Yes;
        self.flow.env.values[variable.0]
    }

    fn raise_unbound(&mut self, variable: Variable, range: TextRange) {
        let name = self.scope.variables[variable.0].clone();
        let id = self.constant_id(Const::Str(name));
        if self.handler().is_some() {
            self.emit(Op::ObjThrowUnbound, Imm::Const(id), vec![], &[], range);
            return self.never(range);
        }
        self.leave(Op::RaiseUnbound, Imm::Const(id), vec![], range);
    }

    /// A binary operation.
    pub(super) fn binary(
        &mut self,
        op: Operator,
        in_place: InPlace,
        left: Value,
        right: Value,
        range: TextRange,
    ) -> Value {
        self.value(Op::ObjBinary, Imm::Binary(binary_of(op), in_place), vec![left, right], range)
    }

    fn unary(&mut self, node: &'a ExprUnaryOp) -> Value {
        let op = match node.op {
            UnaryOp::Not => {
                let truth = self.truth_of(&node.operand, node.range);
                let truth = self.value(Op::BoolNot, Imm::None, vec![truth], node.range);
                return self.value(Op::BoolBox, Imm::None, vec![truth], node.range);
            }
            UnaryOp::Invert => Unary::Invert,
            UnaryOp::UAdd => Unary::Pos,
            UnaryOp::USub => Unary::Neg,
        };
        let operand = self.expr(&node.operand);
        self.value(Op::ObjUnary, Imm::Unary(op), vec![operand], node.range)
    }

    fn bool_op(&mut self, node: &'a ExprBoolOp) -> Value {
        let done = self.label();
        if let Some((last, others)) = node.values.split_last() {
            for operand in others {
                self.short_circuit(node, operand, done);
            }
            let value = self.expr(last);
            self.jump_with(done, value, node.range);
        }
        self.enter_with_value(done)
    }

    /// Evaluates an operand of `and`/`or` that is not the last: goes to `done` with it when it decides,
    /// else goes on behind it.
    fn short_circuit(&mut self, node: &'a ExprBoolOp, operand: &'a Expr, done: Label) {
        let next = self.label();
        let (if_true, if_false) = match node.op {
            BoolOp::And => (next, done),
            BoolOp::Or => (done, next),
        };
        self.value_and_truth(operand, if_true, if_false, node.range);
        // The value is dropped here when it does not decide: the label takes it and nobody reads it.
        self.enter_with_value(next);
    }

    /// Goes to one of the labels with the operand's value, as its truth says.
    fn value_and_truth(&mut self, operand: &'a Expr, if_true: Label, if_false: Label, range: TextRange) {
        let inner = match operand {
            Expr::BoolOp(inner) if self.options.dialect.nested_truth == NestedTruth::Known => inner,
            _ => {
                let value = self.expr(operand);
                let truth = self.value(Op::ObjTruth, Imm::None, vec![value], range);
                self.branch_on(truth, (if_true, Some(value)), (if_false, Some(value)), range);
                return;
            }
        };
        let Some((last, others)) = inner.values.split_last() else { return };
        for operand in others {
            let next = self.label();
            let (if_true, if_false) = match inner.op {
                BoolOp::And => (next, if_false),
                BoolOp::Or => (if_true, next),
            };
            self.level(operand.range(), |builder| {
                builder.value_and_truth(operand, if_true, if_false, inner.range)
            });
            self.enter_with_value(next);
        }
        self.level(last.range(), |builder| builder.value_and_truth(last, if_true, if_false, range));
    }

    fn conditional(&mut self, node: &'a ExprIf) -> Value {
        let (yes, no, done) = (self.label(), self.label(), self.label());
        self.branch(&node.test, yes, no);
        self.enter(yes);
        let value = self.expr(&node.body);
        self.jump_with(done, value, node.range);
        self.enter(no);
        let value = self.expr(&node.orelse);
        self.jump_with(done, value, node.range);
        self.enter_with_value(done)
    }

    fn walrus(&mut self, node: &'a ExprNamed) -> Value {
        let value = self.expr(&node.value);
        self.assign(&node.target, value);
        value
    }

    fn attribute(&mut self, node: &'a ExprAttribute) -> Value {
        let object = self.expr(&node.value);
        self.attribute_of(object, node)
    }

    /// An attribute of an object that is known already.
    pub(super) fn attribute_of(&mut self, object: Value, node: &'a ExprAttribute) -> Value {
        self.note_attribute(node);
        let name = self.attribute_name(node);
        self.value(Op::ObjAttr, name, vec![object], self.attribute_range(node.range, node))
    }

    /// Notes what is read as a name that a bet can be about; refuses what hands out frames.
    pub(super) fn note_attribute(&mut self, node: &'a ExprAttribute) {
        if let Some(reader) = FRAME_ATTRIBUTES.iter().find(|&&reader| node.attr.as_str() == reader) {
            self.refuse(node, Reason::FrameInspection(reader));
        }
        if let Expr::Name(base) = &*node.value
            && let (base, Meaning::Global) = self.meaning(&base.id)
        {
            self.note_name(format!("{base}.{}", self.scope.mangled(&node.attr)));
        }
    }

    pub(super) fn attribute_name(&mut self, node: &ExprAttribute) -> Imm {
        let name = self.scope.mangled(&node.attr).into_owned();
        Imm::Const(self.constant_id(Const::Str(name)))
    }

    /// What a traceback names for an attribute read or the method call around it: where the attribute's name
    /// stands on a later line than the beginning, from there on.
    pub(super) fn attribute_range(&self, whole: TextRange, node: &ExprAttribute) -> TextRange {
        let file = self.module.file();
        match file.line(whole.start()).cmp(&file.line(node.range.end())) {
            Ordering::Equal => whole,
            Ordering::Less | Ordering::Greater => TextRange::new(node.attr.start(), whole.end()),
        }
    }

    fn slice(&mut self, node: &'a ExprSlice) -> Value {
        let parts = [&node.lower, &node.upper, &node.step].map(|part| match part {
            Some(part) => self.expr(part),
            None => self.constant(Const::None, node.range),
        });
        self.value(Op::ObjSlice, Imm::None, parts.to_vec(), node.range)
    }

    /// The values of expressions, in order.
    pub(super) fn exprs(&mut self, exprs: &'a [Expr]) -> Vec<Value> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }
}

fn binary_of(op: Operator) -> Binary {
    match op {
        Operator::Add => Binary::Add,
        Operator::Sub => Binary::Sub,
        Operator::Mult => Binary::Mul,
        Operator::MatMult => Binary::MatMul,
        Operator::Div => Binary::TrueDiv,
        Operator::Mod => Binary::Mod,
        Operator::Pow => Binary::Pow,
        Operator::LShift => Binary::Shl,
        Operator::RShift => Binary::Shr,
        Operator::BitOr => Binary::Or,
        Operator::BitXor => Binary::Xor,
        Operator::BitAnd => Binary::And,
        Operator::FloorDiv => Binary::FloorDiv,
    }
}

/// Why the compiler does not take this kind of expression.
fn unsupported(expr: &Expr) -> Reason {
    Reason::UnsupportedExpression(match expr {
        Expr::Yield(_) | Expr::YieldFrom(_) => return Reason::Yield,
        Expr::Await(_) => return Reason::Await,
        Expr::TString(_) => "a t-string",
        Expr::Starred(_) => "unpacking with a star",
        _ => "this expression",
    })
}
