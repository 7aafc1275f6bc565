//! Assignment, unpacking and deletion of variables.

use ruff_python_ast::Expr;
use ruff_python_ast::ExprAttribute;
use ruff_python_ast::StmtAssign;
use ruff_python_ast::StmtAugAssign;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use crate::front::scope::Meaning;
use crate::front::scope::Variable;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::InPlace;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Value;

use super::Builder;
use super::flow::Bound;
use super::syntax_error;

/// Targets of one unpacking with a star; CPython takes 255 in front of it.
const MOST_AROUND_STAR: usize = 0xffff;

/// Unpackings of a tuple display of at most this size are swaps on CPython's stack.
const SWAPPED_TARGETS: usize = 3;

impl<'a> Builder<'a> {
    /// `a = b = value`: the value once, then the targets from left to right.
    pub(super) fn assignment(&mut self, node: &'a StmtAssign) {
        if let [target] = &*node.targets
            && let Some((targets, items)) = same_shape(target, &node.value)
        {
            return self.parallel_assignment(targets, items);
        }
        let value = self.expr(&node.value);
        for target in &node.targets {
            self.assign(target, value);
        }
    }

    /// `a, b = x, y`: no tuple is ever made. The targets are bound from left to right, but CPython's
    /// optimiser exchanges the first and the last store where nothing but the deaths of old values can tell.
    fn parallel_assignment(&mut self, targets: &'a [Expr], items: &'a [Expr]) {
        let is_constant = items.iter().all(|item| self.constant_of(item).is_some());
        let values = self.exprs(items);
        let mut pairs: Vec<(&Expr, Value)> = targets.iter().zip(values).collect();
        if !is_constant && pairs.len() <= SWAPPED_TARGETS && self.are_swappable(targets) {
            pairs.reverse();
        }
        for (target, value) in pairs {
            self.assign(target, value);
        }
    }

    fn are_swappable(&self, targets: &[Expr]) -> bool {
        let file = self.module.file();
        let mut names = FxHashSet::default();
        let line = targets.first().map(|target| file.line(target.start()));
        targets.iter().all(|target| match target {
            Expr::Name(name) => names.insert(&name.id) && Some(file.line(target.start())) == line,
            _ => false,
        })
    }

    /// Binds a target to a value.
    pub(super) fn assign(&mut self, target: &'a Expr, value: Value) {
        self.level(target.range(), |builder| builder.assign_here(target, value));
    }

    fn assign_here(&mut self, target: &'a Expr, value: Value) {
        match target {
            Expr::Name(node) => self.assign_name(&node.id, value, node.range),
            Expr::Tuple(node) => self.unpack(&node.elts, value, node.range),
            Expr::List(node) => self.unpack(&node.elts, value, node.range),
            Expr::Attribute(node) => {
                let object = self.expr(&node.value);
                self.set_attribute(object, node, value);
            }
            Expr::Subscript(node) => {
                let container = self.expr(&node.value);
                let key = self.expr(&node.slice);
                self.effect(Op::ObjSetItem, vec![container, key, value], node.range);
            }
            _ => self.refuse(target, syntax_error("nothing can be assigned to this")),
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Value, range: TextRange) {
        let count = |items: &[Expr]| u32::try_from(items.len()).expect("texts are shorter than 4 GiB");
        let results = vec![Type::Obj; targets.len()];
        let inst = match targets.iter().position(|target| matches!(target, Expr::Starred(_))) {
            None => self.emit(Op::ObjUnpack, Imm::Count(count(targets)), vec![value], &results, range),
            Some(star) if targets.len() <= MOST_AROUND_STAR => {
                let counts = count(&targets[..star]) | count(&targets[star + 1..]) << 16;
                self.emit(Op::ObjUnpackRest, Imm::Count(counts), vec![value], &results, range)
            }
            Some(_) => return self.refuse(range, syntax_error("too many expressions in star-unpacking")),
        };
        let items = self.function.inst(inst).results.clone();
        for (target, item) in targets.iter().zip(items) {
            let target = match target {
                Expr::Starred(starred) => &starred.value,
                target => target,
            };
            self.assign(target, item);
        }
    }

    fn set_attribute(&mut self, object: Value, node: &'a ExprAttribute, value: Value) {
        let name = self.attribute_name(node);
        let range = self.attribute_range(node.range, node);
        self.emit(Op::ObjSetAttr, name, vec![object, value], &[], range);
    }

    pub(super) fn assign_name(&mut self, name: &str, value: Value, range: TextRange) {
        let (name, meaning) = self.meaning(name);
        match meaning {
            Meaning::Local(variable) => self.rebind(variable, value, Bound::Yes, range),
            Meaning::Global => {
                let name = Imm::Const(self.constant_id(Const::Str(name)));
                self.emit(Op::ObjSetGlobal, name, vec![value], &[], range);
            }
            Meaning::Cell(variable) | Meaning::Free(variable) => self.store_cell(variable, value, range),
        }
    }

    /// Gives a variable a new value, then drops the old one.
    pub(super) fn rebind(&mut self, variable: Variable, value: Value, bound: Bound, range: TextRange) {
        let old = std::mem::replace(&mut self.flow.env.values[variable.0], value);
        self.flow.env.bound[variable.0] = bound;
        if old != self.flow.constants().unbound {
            self.effect(Op::Release, vec![old], range);
        }
    }

    /// `target += value`: the target's value is read first.
    pub(super) fn augmented_assignment(&mut self, node: &'a StmtAugAssign) {
        match &*node.target {
            Expr::Attribute(target) => {
                let object = self.expr(&target.value);
                let old = self.attribute_of(object, target);
                let new = self.augmented(node, old);
                self.set_attribute(object, target, new);
            }
            Expr::Subscript(target) => {
                let container = self.expr(&target.value);
                let key = self.expr(&target.slice);
                let old = self.value(Op::ObjItem, Imm::None, vec![container, key], target.range);
                let new = self.augmented(node, old);
                self.effect(Op::ObjSetItem, vec![container, key, new], target.range);
            }
            target => {
                let old = self.expr(target);
                let new = self.augmented(node, old);
                self.assign(target, new);
            }
        }
    }

    fn augmented(&mut self, node: &'a StmtAugAssign, old: Value) -> Value {
        let operand = self.expr(&node.value);
        self.binary(node.op, InPlace::Yes, old, operand, node.range)
    }

    /// `del target`
    pub(super) fn delete(&mut self, target: &'a Expr) {
        self.level(target.range(), |builder| match target {
            Expr::Name(node) => builder.delete_name(&node.id, node.range),
            Expr::Attribute(node) => {
                let object = builder.expr(&node.value);
                let name = builder.attribute_name(node);
                let range = builder.attribute_range(node.range, node);
                builder.emit(Op::ObjDelAttr, name, vec![object], &[], range);
            }
            Expr::Subscript(node) => {
                let container = builder.expr(&node.value);
                let key = builder.expr(&node.slice);
                builder.effect(Op::ObjDelItem, vec![container, key], node.range);
            }
            Expr::Tuple(node) => node.elts.iter().for_each(|target| builder.delete(target)),
            Expr::List(node) => node.elts.iter().for_each(|target| builder.delete(target)),
            _ => builder.refuse(target, syntax_error("this can't be deleted")),
        });
    }

    pub(super) fn delete_name(&mut self, name: &str, range: TextRange) {
        let (name, meaning) = self.meaning(name);
        match meaning {
            Meaning::Local(variable) => {
                self.variable(variable, range);
                let unbound = self.flow.constants().unbound;
                self.rebind(variable, unbound, Bound::No, range);
            }
            Meaning::Global => {
                let name = Imm::Const(self.constant_id(Const::Str(name)));
                self.emit(Op::ObjDelGlobal, name, vec![], &[], range);
            }
            Meaning::Cell(variable) => {
                self.load_cell(variable, Op::ObjLoadCell, range);
                self.clear_cell(variable, range);
            }
            Meaning::Free(variable) => {
                self.load_cell(variable, Op::ObjLoadFree, range);
                self.clear_cell(variable, range);
            }
        }
    }
}

/// The targets and items of `a, b = x, y`, where both sides are tuples of the same size without stars.
fn same_shape<'a>(target: &'a Expr, value: &'a Expr) -> Option<(&'a [Expr], &'a [Expr])> {
    let targets = match target {
        Expr::Tuple(node) => &node.elts,
        Expr::List(node) => &node.elts,
        _ => return None,
    };
    let Expr::Tuple(value) = value else { return None };
    let is_starred = targets.iter().chain(&value.elts).any(|item| matches!(item, Expr::Starred(_)));
    (targets.len() == value.elts.len() && !is_starred).then_some((&**targets, &*value.elts))
}
