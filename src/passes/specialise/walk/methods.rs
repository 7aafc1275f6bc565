//! Methods of exact lists and strings: which function a name means is certain, and some have ops of their own.

use std::rc::Rc;

use crate::ir::{Const, ConstId, Imm, Inst, Op};
use crate::types::{Class, Type};

use super::items::widened;
use super::{Form, Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// The method of a builtin class that the instruction looks up, where the object is exactly of that class.
    pub(super) fn class_method(&mut self, inst: Inst, object: &Repr<S::V>) -> Option<Repr<S::V>> {
        let Repr::Exact(_, ty) = object else { return None };
        let Imm::Const(name) = self.cx.generic.inst(inst).imm else { return None };
        let (class, name) = (ty.class()?, self.name(name.index()));
        result_of(ty, &name)?;
        let method = self.object_constant(Const::Method(class, name.clone()));
        Some(Repr::Method(method, class, name.into()))
    }

    /// A call of such a method; the operands begin with it and the object.
    pub(super) fn call_method(
        &mut self,
        inst: Inst,
        names: ConstId,
        (class, name): (Class, &str),
        operands: &[Repr<S::V>],
    ) -> Result<Form<S::V>, Left> {
        let (Repr::Exact(object, ty), Const::None) = (&operands[1], &self.sink.unit().consts[names.index()])
        else {
            return Ok(Err(None));
        };
        match (class, name, &operands[2..]) {
            (Class::List, "append", [item]) => {
                let value = self.object(item)?;
                self.none(Op::ListAppend, Imm::None, &[*object, value]);
                self.note_item(inst, item);
                Ok(Ok(Repr::None))
            }
            (Class::List, "pop", []) => {
                let item = self.one(Op::ListPop, Imm::None, &[*object]);
                let Type::List(ty) = &**ty else { return Ok(Ok(Repr::Object(item))) };
                Ok(Ok(self.unbox_result(inst, item, ty)))
            }
            _ => Ok(Err(result_of(ty, name).flatten())),
        }
    }

    /// What is known of the items of the list whose method the instruction calls, now that it has this one.
    fn note_item(&mut self, inst: Inst, item: &Repr<S::V>) {
        let list = self.cx.generic.inst(inst).args[1];
        let looked_up = self.cx.generic.def_inst(list).filter(|def| def.op == Op::ObjMethod);
        for value in [Some(list), looked_up.map(|def| def.args[0])].into_iter().flatten() {
            if let Some(Repr::Exact(object, ty)) = self.env.get(&value)
                && let Type::List(own) = &**ty
            {
                let ty = Type::List(Box::new(widened(own, item)));
                let list = Repr::Exact(*object, Rc::new(ty));
                self.env.insert(value, list);
            }
        }
    }
}

/// Which type the result of a method is sure to have, or none; nothing for names that the class may not have.
fn result_of(ty: &Type, name: &str) -> Option<Option<Type>> {
    Some(match (ty, name) {
        (Type::List(_), "append" | "clear" | "extend" | "insert" | "pop" | "remove" | "reverse" | "sort") => {
            None
        }
        (Type::List(_), "copy") => Some(ty.clone()),
        (Type::List(_) | Type::Str, "count" | "index") | (Type::Str, "find" | "rfind" | "rindex") => {
            Some(Type::Int)
        }
        (Type::Str, "split" | "rsplit" | "splitlines") => Some(Type::List(Box::new(Type::Str))),
        (
            Type::Str,
            "capitalize" | "casefold" | "center" | "expandtabs" | "join" | "ljust" | "lower" | "lstrip"
            | "removeprefix" | "removesuffix" | "replace" | "rjust" | "rstrip" | "strip" | "swapcase"
            | "title" | "upper" | "zfill",
        ) => Some(Type::Str),
        (
            Type::Str,
            "endswith" | "isalnum" | "isalpha" | "isascii" | "isdecimal" | "isdigit" | "isidentifier"
            | "islower" | "isnumeric" | "isprintable" | "isspace" | "istitle" | "isupper" | "startswith",
        ) => Some(Type::Bool),
        (Type::Str, "encode") => Some(Type::Bytes),
        (Type::Str, "format" | "partition" | "rpartition") => None,
        _ => return None,
    })
}
