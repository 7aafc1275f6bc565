//! Objects of sealed classes: a guard finds out once what an object is, and from then on its fields stand at known
//! places. Nobody can take that back: neither the class nor an object's class ever changes.

use std::rc::Rc;

use crate::ir::{ClassId, Imm, Inst, Op, Value};
use crate::types::Type;

use super::{Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// The object that a generic value is, with its sealed class. Where it probably is one, a guard exits at the
    /// current point if not. None where nothing is known.
    pub(super) fn instance(&mut self, value: Value) -> Option<(S::V, ClassId)> {
        let (object, name, is_certain) = match self.env.get(&value)? {
            Repr::Instance(object, ty) => (*object, ty.sealed()?, matches!(**ty, Type::Sealed(_))),
            Repr::Likely(object, ty) => (*object, ty.sealed()?, false),
            _ => return None,
        };
        let class = self.sink.unit().sealed_class(name)?;
        if !is_certain {
            let known = Repr::Instance(object, Rc::new(Type::Sealed(name.into())));
            self.none(Op::SealedGuard, Imm::Sealed(class), &[object]);
            self.env.insert(value, known);
        }
        Some((object, class))
    }

    /// An attribute that is a field of a sealed class; false where it is none.
    pub(super) fn field(&mut self, inst: Inst) -> Result<bool, Left> {
        let data = self.cx.generic.inst(inst);
        let Imm::Const(name) = data.imm else { return Ok(false) };
        let name = self.name(name.index());
        if !self.has_field(data.args[0], &name) {
            return Ok(false);
        }
        let Some((object, class)) = self.instance(data.args[0]) else { return Ok(false) };
        let field = &self.sink.unit().classes[class.index()];
        let Some(number) = field.field(&name) else { return Ok(false) };
        let ty = field.fields[number].ty.clone();
        let result = self.read_field(inst, object, (class, number), &ty);
        self.define(inst, result);
        Ok(true)
    }

    /// Whether the value is or probably is an object of a sealed class that has such a field.
    fn has_field(&self, value: Value, name: &str) -> bool {
        let ty = match self.env.get(&value) {
            Some(Repr::Instance(_, ty) | Repr::Likely(_, ty)) => ty,
            _ => return false,
        };
        let unit = self.sink.unit();
        let class = ty.sealed().and_then(|class| unit.sealed_class(class));
        class.is_some_and(|class| unit.classes[class.index()].field(name).is_some())
    }

    fn read_field(
        &mut self,
        inst: Inst,
        object: S::V,
        (class, number): (ClassId, usize),
        ty: &Type,
    ) -> Repr<S::V> {
        let imm = Imm::Field(class, u32::try_from(number).expect("classes have few fields"));
        match ty {
            Type::Int => Repr::Int(self.one(Op::SealedFieldInt, imm, &[object]), None),
            Type::Float => Repr::Float(self.one(Op::SealedFieldFloat, imm, &[object])),
            Type::Bool => Repr::Bool(self.one(Op::SealedFieldBool, imm, &[object]), None),
            ty => {
                let value = self.one(Op::SealedField, imm, &[object]);
                self.unbox_result(inst, value, ty)
            }
        }
    }
}
