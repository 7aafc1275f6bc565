//! Items of lists, tuples, bytes and bytearrays, read and written without a box where that is possible.
//!
//! What a list's items are is a bet, made anew at each read. A store needs none: its op looks at what it
//! overwrites.

use std::rc::Rc;

use crate::ir::{Imm, Inst, Op, Value};
use crate::types::Type;

use super::{Left, Repr, Sink, Walker};

/// The immediate of an op whose index may count from the end.
const ANY_SIGN: Imm = Imm::Bool(false);

impl<S: Sink> Walker<'_, S> {
    /// `container[index]`.
    pub(super) fn item(&mut self, inst: Inst) -> Result<(), Left> {
        let operands = self.operands(inst)?;
        let (container, index) = (&operands[0], &operands[1]);
        let result = match (container, index) {
            (Repr::Tuple(items), Repr::Int(_, Some(known))) if position(*known, items.len()).is_some() => {
                items[position(*known, items.len()).unwrap_or_default()].clone()
            }
            (Repr::Likely(object, ty), Repr::Int(_, Some(known))) => match &**ty {
                Type::Tuple(items) if position(*known, items.len()).is_some() => {
                    let place = position(*known, items.len()).unwrap_or_default();
                    self.tuple_item(*object, items, place)
                }
                _ => self.generic(inst, &operands, None)?,
            },
            (Repr::Exact(object, ty), index) if index.is_integral() => {
                let index = self.as_int(index).ok_or(Left)?;
                match &**ty {
                    Type::List(item) => self.list_item(inst, (*object, index), item),
                    Type::Bytes => Repr::Int(self.one(Op::BytesItem, ANY_SIGN, &[*object, index]), None),
                    Type::ByteArray => {
                        Repr::Int(self.one(Op::ByteArrayItem, ANY_SIGN, &[*object, index]), None)
                    }
                    Type::Str => Repr::Char(self.one(Op::StrItem, ANY_SIGN, &[*object, index])),
                    _ => self.generic(inst, &operands, None)?,
                }
            }
            (Repr::Exact(object, ty), Repr::Slice(parts)) if matches!(**ty, Type::List(_)) => {
                let [start, stop, step] = self.slice_parts(parts)?;
                let slice = self.one(Op::ListSlice, Imm::None, &[*object, start, stop, step]);
                Repr::Exact(slice, Rc::clone(ty))
            }
            (Repr::Exact(_, ty), _) if self.is_slice(inst) => self.generic(inst, &operands, Some(ty))?,
            _ => self.generic(inst, &operands, None)?,
        };
        self.define(inst, result);
        Ok(())
    }

    /// Whether the next instruction takes a slice of a list, and nothing else takes it: then it need not be an object.
    pub(super) fn is_slice_of_list(&self, inst: Inst) -> bool {
        let slice = self.cx.generic.inst(inst);
        let next = self.cx.generic.inst(self.next);
        let is_list = |value: &Value| {
            let repr = self.env.get(value);
            matches!(repr, Some(Repr::Exact(_, ty)) if matches!(**ty, Type::List(_)))
        };
        let is_taken = match (next.op, &next.args[..]) {
            (Op::ObjItem, [list, index]) => *index == slice.results[0] && is_list(list),
            (Op::ObjSetItem, [list, index, value]) => {
                *index == slice.results[0] && is_list(list) && is_list(value)
            }
            _ => false,
        };
        let is_part = |value: &Value| matches!(self.env.get(value), Some(Repr::None | Repr::Int(..)));
        let step = match self.env.get(&slice.args[2]) {
            Some(Repr::None) => Some(1),
            Some(Repr::Int(_, known)) => *known,
            _ => None,
        };
        is_taken
            && !next.catches()
            && slice.args[..2].iter().all(is_part)
            && step.is_some_and(|step| step == 1 || step != 0 && next.op == Op::ObjItem)
    }

    /// Start, stop and step of a slice as the ops on lists take them.
    fn slice_parts(&mut self, parts: &[Repr<S::V>]) -> Result<[S::V; 3], Left> {
        let [start, stop, step] = parts else { return Err(Left) };
        let by = match step {
            Repr::Int(_, Some(step)) => *step,
            _ => 1,
        };
        let (first, last) = if by < 0 { (i64::MAX, i64::MIN) } else { (0, i64::MAX) };
        let mut part = |part: &Repr<S::V>, otherwise: i64| match part {
            Repr::Int(value, _) => *value,
            _ => self.int_constant(otherwise),
        };
        Ok([part(start, first), part(stop, last), part(&Repr::None, by)])
    }

    /// Whether the index is a slice: the result has the class of the whole.
    fn is_slice(&self, inst: Inst) -> bool {
        let index = self.cx.generic.inst(inst).args[1];
        self.cx.generic.def_inst(index).is_some_and(|def| def.op == Op::ObjSlice)
    }

    fn list_item(&mut self, inst: Inst, (list, index): (S::V, S::V), item: &Type) -> Repr<S::V> {
        let args = [list, index];
        match item {
            Type::Int => Repr::Int(self.one(Op::ListItemInt, ANY_SIGN, &args), None),
            Type::Float => Repr::Float(self.one(Op::ListItemFloat, ANY_SIGN, &args)),
            Type::Bool => Repr::Bool(self.one(Op::ListItemBool, ANY_SIGN, &args), None),
            Type::Never | Type::None => Repr::Object(self.one(Op::ListItem, ANY_SIGN, &args)),
            other => {
                let object = self.one(Op::ListItem, ANY_SIGN, &args);
                self.unbox_result(inst, object, other)
            }
        }
    }

    /// `container[index] = value`.
    pub(super) fn set_item(&mut self, inst: Inst) -> Result<(), Left> {
        let data = self.cx.generic.inst(inst);
        let operands = self.operands(inst)?;
        let [container, index, value] = &operands[..] else { return Err(Left) };
        if let (Repr::Exact(object, _), Repr::Slice(parts), Repr::Exact(items, _)) = (container, index, value)
        {
            let [start, stop, _] = self.slice_parts(parts)?;
            self.none(Op::ListSetSlice, Imm::None, &[*object, start, stop, *items]);
            return Ok(());
        }
        if let Repr::Exact(object, ty) = container
            && index.is_integral()
        {
            let index = self.as_int(index).ok_or(Left)?;
            match (&**ty, value) {
                (Type::List(item), value) => {
                    self.set_list_item(*object, index, value)?;
                    let item = widened(item, value);
                    let list = Repr::Exact(*object, Rc::new(Type::List(Box::new(item))));
                    self.env.insert(data.args[0], list);
                    return Ok(());
                }
                (Type::ByteArray, Repr::Int(value, _)) => {
                    self.none(Op::ByteArraySet, ANY_SIGN, &[*object, index, *value]);
                    return Ok(());
                }
                _ => {}
            }
        }
        let args = self.objects(&operands)?;
        self.none(data.op, data.imm, &args);
        Ok(())
    }

    fn set_list_item(&mut self, list: S::V, index: S::V, value: &Repr<S::V>) -> Result<(), Left> {
        let (op, value) = match value {
            Repr::Int(value, _) => (Op::ListSetInt, *value),
            Repr::Float(value) => (Op::ListSetFloat, *value),
            Repr::Bool(value, _) => (Op::ListSetBool, *value),
            other => (Op::ListSet, self.object(other)?),
        };
        self.none(op, ANY_SIGN, &[list, index, value]);
        Ok(())
    }

    /// `[a, b]`: a new list is what it is.
    pub(super) fn list_display(&mut self, inst: Inst) -> Result<(), Left> {
        let operands = self.operands(inst)?;
        let args = self.objects(&operands)?;
        let list = self.one(Op::ObjList, Imm::None, &args);
        let item = operands.iter().fold(Type::Never, |item, operand| item.join(&operand.as_item()));
        self.define(inst, Repr::Exact(list, Rc::new(Type::List(Box::new(shallow(&item, DEEPEST_ITEM))))));
        Ok(())
    }
}

/// How deep lists in lists are known. A loop may nest one deeper in each turn (`x = [x]`), and inference must end.
const DEEPEST_ITEM: u8 = 4;

/// The type without what is known of lists that are nested deeper than this.
fn shallow(ty: &Type, depth: u8) -> Type {
    match ty {
        Type::List(_) if depth == 0 => Type::Object,
        Type::List(item) => Type::List(Box::new(shallow(item, depth - 1))),
        ty => ty.clone(),
    }
}

/// What the items of a list are taken to be after a value was put into it.
pub(super) fn widened<V: Copy>(item: &Type, value: &Repr<V>) -> Type {
    match (item, value.as_item()) {
        (Type::Never, value) => value,
        (Type::List(own), Type::List(new)) => shallow(&Type::List(Box::new(own.join(&new))), DEEPEST_ITEM),
        (item, _) => item.clone(),
    }
}

/// The position that an index of a tuple of this length means.
fn position(index: i64, length: usize) -> Option<usize> {
    let from_end = if index < 0 { i64::try_from(length).ok()? } else { 0 };
    usize::try_from(index + from_end).ok().filter(|&position| position < length)
}
