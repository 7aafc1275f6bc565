//! Ranges and their iterators as counters.

use std::rc::Rc;

use crate::ir::{Cmp, Imm, Inst, Op, Type};
use crate::passes::specialise::repr::Step;
use crate::types;

use super::{Form, Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// `range(…)` of exact ints.
    pub(super) fn range(&mut self, inst: Inst, args: &[Repr<S::V>]) -> Form<S::V> {
        let result = self.cx.generic.inst(inst).results[0];
        if !self.cx.uses(result).only_range || !self.is_counted(inst) {
            return Err(None);
        }
        let (start, stop, step) = match args {
            [stop] => (self.int(0), stop.clone(), self.int(1)),
            [start, stop] => (start.clone(), stop.clone(), self.int(1)),
            [start, stop, step] => (start.clone(), stop.clone(), step.clone()),
            _ => return Err(None),
        };
        let (Repr::Int(start, _), Repr::Int(stop, _), Repr::Int(step, known)) = (start, stop, step) else {
            return Err(None);
        };
        match known {
            Some(0) => return Err(None),
            Some(_) => {}
            None => {
                let zero = self.int_constant(0);
                let valid = self.one(Op::IntCompare, Imm::Cmp(Cmp::Ne), &[step, zero]);
                self.none(Op::GuardTrue, Imm::None, &[valid]);
            }
        }
        Ok(Repr::Range { start, stop, step, by: Step::of(known) })
    }

    /// `iter(range)`. An iterator changes, so it must have one name only.
    pub(super) fn iterator(&mut self, inst: Inst, iterable: &Repr<S::V>) -> Form<S::V> {
        let result = self.cx.generic.inst(inst).results[0];
        if !self.cx.uses(result).only_iterator {
            return Err(None);
        }
        self.iterated(iterable).ok_or(None)
    }

    /// The next item of an iterator, and whether there was one.
    pub(super) fn next_item(&mut self, inst: Inst) -> Result<(), Left> {
        let data = self.cx.generic.inst(inst);
        let iterator = self.read(data.args[0])?;
        let (item, more) = if iterator.is_counter() {
            let (item, more, behind) = self.advanced(&iterator)?;
            self.env.insert(data.args[0], behind);
            (item, more)
        } else {
            let object = self.object(&iterator)?;
            let results = self.many(Op::ObjNext, Imm::None, &[object], &[Type::Obj, Type::Bool]);
            (Repr::Object(results[0]), results[1])
        };
        self.env.insert(data.results[0], item);
        self.env.insert(data.results[1], Repr::Bool(more, None));
        Ok(())
    }

    /// The item of a list at an index, and whether there is one. The inference will not be told that the items are
    /// anything before it knows of one: an iterator that it takes for an object stays one.
    pub(super) fn next_of_list(
        &mut self,
        list: S::V,
        next: S::V,
        item: &types::Type,
    ) -> Result<(Repr<S::V>, S::V), Left> {
        let args = [list, next];
        let mut read = |op: Op, imm: Imm| {
            let results = self.many(op, imm, &args, op.row().results);
            (results[0], results[1])
        };
        Ok(match (item, item.class()) {
            (types::Type::Never, _) => return Err(Left),
            (types::Type::Int, _) => {
                let (item, more) = read(Op::ListNextInt, Imm::None);
                (Repr::Int(item, None), more)
            }
            (types::Type::Float, _) => {
                let (item, more) = read(Op::ListNextFloat, Imm::None);
                (Repr::Float(item), more)
            }
            (ty, Some(class)) => {
                let (item, more) = read(Op::ListNextOf, Imm::Class(class));
                (Repr::Exact(item, Rc::new(ty.clone())), more)
            }
            (types::Type::Tuple(_) | types::Type::Sealed(_) | types::Type::Optional(_), None) => {
                let (object, more) = read(Op::ListNext, Imm::None);
                (Repr::Likely(object, Rc::new(item.clone())), more)
            }
            _ => {
                let (object, more) = read(Op::ListNext, Imm::None);
                (Repr::Object(object), more)
            }
        })
    }

    /// Whether the iterator has another item, and what it is after giving it: nonsense if it had none,
    /// but then nobody asks again.
    pub(super) fn advance(&mut self, next: S::V, end: S::V, step: S::V, by: Step) -> (S::V, Repr<S::V>) {
        let (more, end) = match by {
            Step::Up => (self.one(Op::IntCompare, Imm::Cmp(Cmp::Lt), &[next, end]), end),
            Step::Down => (self.one(Op::IntCompare, Imm::Cmp(Cmp::Gt), &[next, end]), end),
            Step::Any => {
                let zero = self.int_constant(0);
                let one = self.int_constant(1);
                let more = self.one(Op::IntCompare, Imm::Cmp(Cmp::Gt), &[end, zero]);
                (more, self.one(Op::IntSub, Imm::None, &[end, one]))
            }
        };
        let following = self.one(Op::IntAdd, Imm::None, &[next, step]);
        (more, Repr::RangeIter { next: following, end, step, by })
    }

    /// `len(range)`.
    pub(super) fn range_len(&mut self, start: S::V, stop: S::V, step: S::V) -> Repr<S::V> {
        Repr::Int(self.one(Op::IntRangeLen, Imm::None, &[start, stop, step]), None)
    }

    /// `sum(range)`: `n * start + step * (n * (n - 1) / 2)`; exits where a part is not an i64.
    pub(super) fn range_sum(&mut self, start: S::V, stop: S::V, step: S::V) -> Repr<S::V> {
        let count = self.one(Op::IntRangeLen, Imm::None, &[start, stop, step]);
        let one = self.int_constant(1);
        let less = self.one(Op::IntSubChecked, Imm::None, &[count, one]);
        let double = self.one(Op::IntMulChecked, Imm::None, &[count, less]);
        let pairs = self.one(Op::IntShr, Imm::None, &[double, one]);
        let steps = self.one(Op::IntMulChecked, Imm::None, &[pairs, step]);
        let starts = self.one(Op::IntMulChecked, Imm::None, &[count, start]);
        Repr::Int(self.one(Op::IntAddChecked, Imm::None, &[starts, steps]), None)
    }
}
