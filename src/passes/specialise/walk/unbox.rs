//! Objects of a likely type without their boxes, under guards.

use std::rc::Rc;

use crate::ir::{Imm, Inst, Op, Type};
use crate::passes::specialise::repr::MAX_TUPLE;
use crate::types;

use super::{Left, Repr, Reprs, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    pub(super) fn unpack(&mut self, inst: Inst) -> Result<Reprs<S>, Left> {
        let data = self.cx.generic.inst(inst);
        let tuple = self.read(data.args[0])?;
        match &tuple {
            Repr::Tuple(items) if items.len() == data.results.len() => return Ok(items.to_vec()),
            Repr::Likely(object, ty) => {
                if let types::Type::Tuple(items) = &**ty
                    && items.len() == data.results.len()
                {
                    return Ok(self.unbox_items(*object, items));
                }
            }
            _ => {}
        }
        let object = self.object(&tuple)?;
        let items = self.many(Op::ObjUnpack, data.imm, &[object], &vec![Type::Obj; data.results.len()]);
        Ok(items.into_iter().map(Repr::Object).collect())
    }

    /// An object of this type without its box; exits at the current point when it is of another.
    pub(super) fn unbox(&mut self, object: S::V, ty: &types::Type) -> Repr<S::V> {
        match ty {
            types::Type::Int => Repr::Int(self.one(Op::GuardInt, Imm::None, &[object]), None),
            types::Type::Float => Repr::Float(self.one(Op::GuardFloat, Imm::None, &[object])),
            types::Type::Bool => Repr::Bool(self.one(Op::GuardBool, Imm::None, &[object]), None),
            types::Type::None => {
                self.none(Op::GuardNone, Imm::None, &[object]);
                Repr::None
            }
            types::Type::Tuple(items) if fits_registers(items) => {
                Repr::Tuple(self.unbox_items(object, items).into())
            }
            types::Type::Tuple(_) => Repr::Likely(object, Rc::new(ty.clone())),
            types::Type::List(_) | types::Type::Str | types::Type::Bytes | types::Type::ByteArray => {
                let class = ty.class().expect("these types have a class");
                self.none(Op::GuardClass, Imm::Class(class), &[object]);
                Repr::Exact(object, Rc::new(ty.clone()))
            }
            // Who wants to know asks.
            types::Type::Sealed(_) | types::Type::Optional(_) => Repr::Likely(object, Rc::new(ty.clone())),
            types::Type::Never | types::Type::Object => Repr::Object(object),
        }
    }

    /// One item of a tuple that is probably one of these types; a tuple in it stays the one that it is.
    pub(super) fn tuple_item(&mut self, tuple: S::V, types: &[types::Type], place: usize) -> Repr<S::V> {
        let count = u32::try_from(types.len()).expect("a promised tuple is short");
        let items = self.many(Op::GuardTuple, Imm::Count(count), &[tuple], &vec![Type::Obj; types.len()]);
        match &types[place] {
            ty @ types::Type::Tuple(_) => Repr::Likely(items[place], Rc::new(ty.clone())),
            ty => self.unbox(items[place], ty),
        }
    }

    fn unbox_items(&mut self, tuple: S::V, types: &[types::Type]) -> Reprs<S> {
        let count = u32::try_from(types.len()).expect("a promised tuple is short");
        let items = self.many(Op::GuardTuple, Imm::Count(count), &[tuple], &vec![Type::Obj; types.len()]);
        items.into_iter().zip(types).map(|(item, ty)| self.unbox(item, ty)).collect()
    }
}

/// Whether a tuple of these types has an unboxed form.
fn fits_registers(items: &[types::Type]) -> bool {
    let scalar = |ty: &types::Type| {
        matches!(ty, types::Type::None | types::Type::Bool | types::Type::Int | types::Type::Float)
    };
    items.len() <= MAX_TUPLE && items.iter().all(scalar)
}
