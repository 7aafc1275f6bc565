//! Methods of exact lists and strings: which function a name means is certain, and some have ops of their own.

use std::rc::Rc;

use crate::ir::Type as Machine;
use crate::ir::{Const, ConstId, FuncId, GlobalFact, Imm, Inst, Op, Point, Signature};
use crate::passes::specialise::has_body;
use crate::types::{Class, Type};

use super::items::widened;
use super::{Form, Left, Repr, Sink, Walker};

/// How many functions a call is compared with at most.
const MOST_CALLEES: usize = 6;

impl<S: Sink> Walker<'_, S> {
    /// A call of a method of an object of which nothing is known, where functions of the unit are methods of that
    /// name: probably of one of them. None where there are none whose bodies take the arguments.
    pub(super) fn guessed(
        &mut self,
        inst: Inst,
        names: ConstId,
        operands: &[Repr<S::V>],
    ) -> Result<Option<Repr<S::V>>, Left> {
        let generic = self.cx.generic;
        let call = generic.inst(inst);
        let looked_up = generic.def_inst(call.args[0]).filter(|def| def.op == Op::ObjMethod);
        let (Some(Imm::Const(name)), Const::None) =
            (looked_up.map(|def| def.imm), &self.sink.unit().consts[names.index()])
        else {
            return Ok(None);
        };
        let name = format!(".{}()", self.name(name.index()));
        let Some(GlobalFact::Callees(all)) = self.cx.facts.get(&name) else { return Ok(None) };
        let args = &operands[2..];
        let takes = |&&callee: &&FuncId| self.takes_behind_any(callee, args);
        let mut callees: Vec<FuncId> = all.iter().filter(takes).copied().collect();
        let Some(&first) = callees.first() else { return Ok(None) };
        // Those that want other machine types, or give another one, are called as objects.
        let unit = self.sink.unit();
        let machine = |callee: FuncId| {
            let Signature { params, result } = &unit.function(callee).signature;
            params.iter().chain([result]).map(Signature::machine).collect::<Vec<_>>()
        };
        let wanted = machine(first);
        callees.retain(|&callee| machine(callee) == wanted);
        if callees.len() > MOST_CALLEES {
            return Ok(None);
        }
        let params = unit.function(first).signature.params.clone();
        let mut values = vec![self.object(&operands[0])?, self.object(&operands[1])?];
        values.extend(self.passed(args, &params[1..])?);
        let imm = self.sink.guess(&callees);
        let result = wanted.last().copied().unwrap_or(Machine::Obj);
        if result == Machine::Obj {
            return Ok(Some(Repr::Object(self.one(Op::CallGuessed, imm, &values))));
        }
        self.point = Point::After(inst);
        let value = self.many(Op::CallGuessedNumber, imm, &values, &[result])[0];
        self.stand_before(inst);
        Ok(Some(match result {
            Machine::I64 => Repr::Int(value, None),
            Machine::F64 => Repr::Float(value),
            _ => Repr::Bool(value, None),
        }))
    }

    /// Whether the function's body takes any object, and these arguments behind it, without their classes being tested.
    fn takes_behind_any(&self, callee: FuncId, args: &[Repr<S::V>]) -> bool {
        let unit = self.sink.unit();
        let function = unit.function(callee);
        let params = &function.signature.params;
        let is_checked = |index: usize| {
            function.promised && (function.checked_first || function.checked_classes.contains(&index))
        };
        let takes = |(index, (param, arg)): (usize, (&Type, &Repr<S::V>))| {
            !is_checked(index + 1) && (*param == Type::Object || is_number(param) && arg.keeps(param))
        };
        params.len() == args.len() + 1
            && params[0] == Type::Object
            && !is_checked(0)
            && params[1..].iter().zip(args).enumerate().all(takes)
            && function.keyword_only == 0
            && has_body(unit, callee)
    }

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

/// Whether values of the type travel without their boxes.
fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Bool)
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
