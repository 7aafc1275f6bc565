//! Walks by `enumerate`, `zip` and `reversed`, and over strings: iterators as counters, whose tuples nobody makes.
//!
//! CPython's `enumerate` and `zip` hold on to the tuple that they gave last, and so to its items. Only items whose death
//! nobody can observe are walked over so.

use std::rc::Rc;

use crate::ir::{Builtin, Const, Imm, Inst, Op, Value};
use crate::passes::specialise::repr::Step;
use crate::types::Type;

use super::{Form, Left, Repr, Sink, Walker};

/// An item, whether there is one, and the iterator behind it.
type Advanced<V> = (Repr<V>, V, Repr<V>);

impl<S: Sink> Walker<'_, S> {
    /// `enumerate(…)`, `zip(…)` or `reversed(…)`, where a `for` takes it at once.
    pub(super) fn walk_over(&mut self, inst: Inst, builtin: Builtin, args: &[Repr<S::V>]) -> Form<S::V> {
        if !self.is_walked(inst) {
            return Err(None);
        }
        let walk = match (builtin, args) {
            (Builtin::Reversed, [of]) => self.reversed(of),
            (Builtin::Enumerate, [of]) => {
                self.iterated(of).map(|of| (self.int_constant(0), of)).and_then(enumerated)
            }
            (Builtin::Enumerate, [of, Repr::Int(start, _)]) => {
                self.iterated(of).map(|of| (*start, of)).and_then(enumerated)
            }
            (Builtin::Zip, [_, ..]) => {
                let parts: Option<Vec<_>> = args.iter().map(|arg| self.iterated(arg)).collect();
                parts.filter(|parts| parts.iter().all(keeps_nothing)).map(|parts| Repr::Zip(parts.into()))
            }
            _ => None,
        };
        walk.ok_or(None)
    }

    /// `iter(…)` of what can be walked over by counters.
    pub(super) fn iterated(&mut self, iterable: &Repr<S::V>) -> Option<Repr<S::V>> {
        Some(match iterable {
            Repr::Exact(list, ty) => {
                let list = *list;
                let next = self.int_constant(0);
                match &**ty {
                    Type::List(item) => Repr::ListIter { list, next, item: Rc::new((**item).clone()) },
                    Type::Str => Repr::StrIter { text: list, next },
                    _ => return None,
                }
            }
            &Repr::Range { start, stop, step, by } => {
                let end = match by {
                    Step::Up | Step::Down => stop,
                    Step::Any => self.one(Op::IntRangeLen, Imm::None, &[start, stop, step]),
                };
                Repr::RangeIter { next: start, end, step, by }
            }
            iterator if iterator.is_counter() => iterator.clone(),
            _ => return None,
        })
    }

    fn reversed(&mut self, of: &Repr<S::V>) -> Option<Repr<S::V>> {
        let one = self.int_constant(1);
        match of {
            Repr::Exact(list, ty) => {
                let Type::List(item) = &**ty else { return None };
                let length = self.length(*list, ty)?;
                let next = self.one(Op::IntSub, Imm::None, &[length, one]);
                Some(Repr::ReverseIter { list: *list, next, item: Rc::new((**item).clone()) })
            }
            &Repr::Range { start, stop, step, by: Step::Up } => {
                let next = self.one(Op::IntSubChecked, Imm::None, &[stop, step]);
                let end = self.one(Op::IntSubChecked, Imm::None, &[start, step]);
                let step = self.int_constant(-1);
                Some(Repr::RangeIter { next, end, step, by: Step::Down })
            }
            _ => None,
        }
    }

    /// The next item of an iterator, whether there is one, and the iterator behind it.
    pub(super) fn advanced(&mut self, iterator: &Repr<S::V>) -> Result<Advanced<S::V>, Left> {
        let one = self.int_constant(1);
        Ok(match iterator {
            Repr::ListIter { list, next, item } => {
                let (found, more) = self.next_of_list(*list, *next, item)?;
                let next = self.one(Op::IntAdd, Imm::None, &[*next, one]);
                (found, more, Repr::ListIter { list: *list, next, item: Rc::clone(item) })
            }
            Repr::ReverseIter { list, next, item } => {
                let (found, more) = self.next_of_list(*list, *next, item)?;
                let next = self.one(Op::IntSub, Imm::None, &[*next, one]);
                (found, more, Repr::ReverseIter { list: *list, next, item: Rc::clone(item) })
            }
            &Repr::StrIter { text, next } => {
                let results = self.many(Op::StrNext, Imm::None, &[text, next], Op::StrNext.row().results);
                let next = self.one(Op::IntAdd, Imm::None, &[next, one]);
                (Repr::Char(results[0]), results[1], Repr::StrIter { text, next })
            }
            &Repr::RangeIter { next, end, step, by } => {
                let (more, behind) = self.advance(next, end, step, by);
                (Repr::Int(next, None), more, behind)
            }
            Repr::Enumerate { count, of } => {
                let (item, more, of) = self.advanced(of)?;
                let following = self.one(Op::IntAddChecked, Imm::None, &[*count, one]);
                let pair = Repr::Tuple([Repr::Int(*count, None), item].into());
                (pair, more, Repr::Enumerate { count: following, of: of.into() })
            }
            Repr::Zip(parts) => {
                let steps = parts.iter().map(|part| self.advanced(part)).collect::<Result<Vec<_>, _>>()?;
                let mut all = steps[0].1;
                for (_, more, _) in &steps[1..] {
                    all = self.one(Op::BoolAnd, Imm::None, &[all, *more]);
                }
                let items = steps.iter().map(|(item, ..)| item.clone()).collect();
                (Repr::Tuple(items), all, Repr::Zip(steps.into_iter().map(|(.., part)| part).collect()))
            }
            _ => return Err(Left),
        })
    }

    /// Drops what an iterator keeps, in the order in which it does: nothing but what it walks over.
    pub(super) fn release_iterator(&mut self, iterator: &Repr<S::V>) {
        match iterator {
            Repr::ListIter { list, .. } | Repr::ReverseIter { list, .. } => {
                self.none(Op::Release, Imm::None, &[*list]);
            }
            Repr::Enumerate { of, .. } => self.release_iterator(of),
            Repr::Zip(parts) => parts.iter().rev().for_each(|part| self.release_iterator(part)),
            _ => {}
        }
    }

    /// Whether the instruction's result is asked for its items by one loop, which takes tuples apart at once, if that is
    /// what the items are.
    fn is_walked(&self, inst: Inst) -> bool {
        match self.callee(inst) {
            Some(Builtin::Reversed) => self.item_of(inst).is_some(),
            Some(Builtin::Enumerate | Builtin::Zip) => {
                self.item_of(inst).is_some_and(|item| self.unpacked(inst, item).is_some())
            }
            _ => false,
        }
    }

    /// The generic value that the instruction's items are, where one loop asks for them.
    fn item_of(&self, inst: Inst) -> Option<Value> {
        let generic = self.cx.generic;
        let reader = self.cx.only_reader(generic.inst(inst).results[0])?;
        let data = generic.inst(reader);
        match data.op {
            Op::ObjIter if self.cx.uses(data.results[0]).only_iterator => {
                let next = self.cx.only_reader(data.results[0])?;
                Some(generic.inst(next).results[0])
            }
            Op::ObjCall if self.callee(reader) == Some(Builtin::Enumerate) && self.is_counting(reader) => {
                let pair = self.item_of(reader)?;
                self.unpacked(reader, pair).map(|parts| parts[1])
            }
            _ => None,
        }
    }

    /// Whether what the call of `enumerate` begins with is certain to be an int.
    fn is_counting(&self, inst: Inst) -> bool {
        let generic = self.cx.generic;
        let is_int = |arg: &Value| match generic.def_inst(*arg).map(|def| (def.op, def.imm)) {
            Some((Op::ObjConst, Imm::Const(id))) => {
                matches!(self.sink.unit().consts[id.index()], Const::Int(_))
            }
            _ => false,
        };
        generic.inst(inst).args[2..].iter().all(is_int)
    }

    /// What the item is taken apart into, where nothing else becomes of it.
    fn unpacked(&self, inst: Inst, item: Value) -> Option<&[Value]> {
        let generic = self.cx.generic;
        let count = match self.callee(inst)? {
            Builtin::Zip => generic.inst(inst).args.len() - 1,
            _ => 2,
        };
        let data = generic.inst(self.cx.only_reader(item)?);
        (data.op == Op::ObjUnpack && data.results.len() == count).then_some(&data.results[..])
    }

    /// Which builtin the instruction probably calls, without names of arguments.
    fn callee(&self, inst: Inst) -> Option<Builtin> {
        let data = self.cx.generic.inst(inst);
        let (Op::ObjCall, Imm::Const(names)) = (data.op, data.imm) else { return None };
        let Imm::Const(name) =
            self.cx.generic.def_inst(data.args[0]).filter(|def| def.op == Op::ObjGlobal)?.imm
        else {
            return None;
        };
        let is_plain = self.sink.unit().consts[names.index()] == Const::None;
        let name = self.name(name.index());
        let builtin = Builtin::ALL.iter().copied().find(|builtin| builtin.name() == name);
        builtin.filter(|_| is_plain)
    }

    /// Whether the object that the instruction makes, a range, may be no object: everybody who reads it can do without.
    pub(super) fn is_counted(&self, inst: Inst) -> bool {
        let generic = self.cx.generic;
        let takes = |reader: Inst| {
            let data = generic.inst(reader);
            match data.op {
                Op::ObjIter => self.cx.uses(data.results[0]).only_iterator,
                Op::ObjCall if data.args.len() == 2 => match self.callee(reader) {
                    Some(Builtin::Enumerate | Builtin::Reversed) => self.is_walked(reader),
                    Some(Builtin::Len | Builtin::List | Builtin::Sum) => true,
                    _ => false,
                },
                _ => false,
            }
        };
        self.cx.readers(generic.inst(inst).results[0]).all(takes)
    }
}

fn enumerated<V: Copy>((count, of): (V, Repr<V>)) -> Option<Repr<V>> {
    keeps_nothing(&of).then(|| Repr::Enumerate { count, of: of.into() })
}

/// Whether the death of the iterator's last item can't be observed. Of a list of which nothing is known yet that is not said
/// either: the inference will find out.
fn keeps_nothing<V: Copy>(iterator: &Repr<V>) -> bool {
    match iterator {
        Repr::ListIter { item, .. } | Repr::ReverseIter { item, .. } => {
            matches!(**item, Type::Never | Type::Int | Type::Float)
                || item.class().is_some() && item.dies_silently()
        }
        Repr::Enumerate { of, .. } => keeps_nothing(of),
        Repr::Zip(parts) => parts.iter().all(keeps_nothing),
        _ => true,
    }
}
