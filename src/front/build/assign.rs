//! Assignment, unpacking and deletion of variables.

use ruff_python_ast::Expr;
use ruff_python_ast::StmtAssign;
use ruff_python_ast::StmtAugAssign;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use crate::front::scope::Meaning;
use crate::front::scope::Variable;
use crate::ir::Imm;
use crate::ir::InPlace;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::flow::Bound;

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
            Expr::Attribute(_) => {
                self.refuse(target, Reason::UnsupportedStatement("an assignment to an attribute"))
            }
            Expr::Subscript(_) => {
                self.refuse(target, Reason::UnsupportedStatement("an assignment to an item"))
            }
            Expr::Starred(_) => self.refuse(target, Reason::UnsupportedStatement("unpacking with a star")),
            _ => self.refuse(target, super::syntax_error("nothing can be assigned to this")),
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Value, range: TextRange) {
        let count = u32::try_from(targets.len()).expect("texts are shorter than 4 GiB");
        let results = vec![Type::Obj; targets.len()];
        let inst = self.emit(Op::ObjUnpack, Imm::Count(count), vec![value], &results, range);
        let items = self.function.inst(inst).results.clone();
        for (target, item) in targets.iter().zip(items) {
            self.assign(target, item);
        }
    }

    fn assign_name(&mut self, name: &str, value: Value, range: TextRange) {
        if let Some(variable) = self.own_variable(name, range) {
            self.rebind(variable, value, Bound::Yes, range);
        }
    }

    /// The variable of this name; a diagnostic when it is not the function's own.
    fn own_variable(&mut self, name: &str, range: TextRange) -> Option<Variable> {
        let (name, meaning) = self.meaning(name);
        match meaning {
            Meaning::Local(variable) => return Some(variable),
            Meaning::Global => self.refuse(range, Reason::GlobalAssignment(name)),
            Meaning::Free => self.refuse(range, Reason::Closure(name)),
        }
        None
    }

    /// Gives a variable a new value, then drops the old one.
    fn rebind(&mut self, variable: Variable, value: Value, bound: Bound, range: TextRange) {
        let old = std::mem::replace(&mut self.flow.env.values[variable.0], value);
        self.flow.env.bound[variable.0] = bound;
        if old != self.flow.constants().unbound {
            self.effect(Op::Release, vec![old], range);
        }
    }

    /// `target += value`: the target's value is read first.
    pub(super) fn augmented_assignment(&mut self, node: &'a StmtAugAssign) {
        match &*node.target {
            Expr::Name(_) => {}
            Expr::Attribute(_) => {
                return self.refuse(node, Reason::UnsupportedStatement("an assignment to an attribute"));
            }
            _ => return self.refuse(node, Reason::UnsupportedStatement("an assignment to an item")),
        }
        let old = self.expr(&node.target);
        let operand = self.expr(&node.value);
        let new = self.binary(node.op, InPlace::Yes, old, operand, node.range);
        self.assign(&node.target, new);
    }

    /// `del target`
    pub(super) fn delete(&mut self, target: &'a Expr) {
        self.level(target.range(), |builder| match target {
            Expr::Name(node) => {
                let Some(variable) = builder.own_variable(&node.id, node.range) else { return };
                builder.variable(variable, node.range);
                let unbound = builder.flow.constants().unbound;
                builder.rebind(variable, unbound, Bound::No, node.range);
            }
            Expr::Tuple(node) => node.elts.iter().for_each(|target| builder.delete(target)),
            Expr::List(node) => node.elts.iter().for_each(|target| builder.delete(target)),
            _ => {
                builder.refuse(target, Reason::UnsupportedStatement("a deletion of anything but a variable"))
            }
        });
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
