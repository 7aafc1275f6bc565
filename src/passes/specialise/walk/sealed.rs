//! Objects of sealed classes: a guard finds out once what an object is, and from then on its fields stand at known
//! places. Nobody can take that back: neither the class nor an object's class ever changes.

use std::rc::Rc;

use crate::ir::{
    Binary, ClassId, Const, FuncId, GlobalFact, Imm, InPlace, Inst, Op, Point, Signature, Value,
};
use crate::passes::specialise::repr::Known;
use crate::types::{Held, Type};

use super::calls::probably_keeps;
use super::{Left, Repr, Reprs, Sink, Walker};

/// A call of a method that subclasses replace.
struct Dispatching<V> {
    /// The object, as a generic value.
    receiver: Value,
    /// The method.
    imm: Imm,
    /// The arguments behind the object.
    args: Vec<Repr<V>>,
    /// What the bodies want of them.
    wanted: Vec<Type>,
    /// What the bodies give.
    result: Type,
}

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
        let Some(class) = self.class_of(data.args[0]) else { return Ok(false) };
        let class = &self.sink.unit().classes[class.index()];
        let Some(number) = class.field(&name) else { return Ok(false) };
        let ty = class.fields[number].ty.clone();
        if !can_hold(class.fields[number].held, &ty) {
            return Ok(false);
        }
        let Some((object, class)) = self.instance(data.args[0]) else { return Ok(false) };
        let result = self.read_field(inst, object, (class, number), &ty);
        self.define(inst, result);
        Ok(true)
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

    /// Whether the function's body takes an object of the class that it wants, and these arguments behind it.
    fn takes_behind(&self, function: FuncId, object: S::V, args: &[Repr<S::V>]) -> bool {
        let first = match self.sink.unit().function(function).signature.params.first() {
            Some(ty @ Type::Sealed(_)) => Repr::Instance(object, Rc::new(ty.clone())),
            _ => Repr::Object(object),
        };
        let all: Vec<Repr<S::V>> = [first].into_iter().chain(args.iter().cloned()).collect();
        self.takes(function, &all)
    }

    /// `a.b = c`, where `b` is a field that takes `c` unchecked; false where it is none.
    pub(super) fn store_field(&mut self, inst: Inst) -> Result<bool, Left> {
        let data = self.cx.generic.inst(inst);
        let Imm::Const(name) = data.imm else { return Ok(false) };
        let name = self.name(name.index());
        let value = self.read(data.args[1])?;
        let Some(class) = self.class_of(data.args[0]) else { return Ok(false) };
        let class = &self.sink.unit().classes[class.index()];
        let Some(number) = class.field(&name) else { return Ok(false) };
        let field = &class.fields[number];
        let ty = field.ty.clone();
        let is_wide = matches!((&value, &ty), (Repr::Wide(..), Type::Int));
        let is_likely = probably_keeps(&value, &ty);
        if !field.is_stored || !can_hold(field.held, &ty) || !(value.keeps(&ty) || is_wide || is_likely) {
            return Ok(false);
        }
        let is_number = matches!(value, Repr::Float(_) | Repr::Int(..));
        if field.held != Held::Object && !is_number {
            return Ok(false);
        }
        if is_likely {
            self.kept_instance(&value, &ty)?;
        }
        let Some((object, class)) = self.instance(data.args[0]) else { return Ok(false) };
        let imm = Imm::Field(class, u32::try_from(number).expect("classes have few fields"));
        match &value {
            Repr::Float(value) => self.none(Op::SealedSetFloat, imm, &[object, *value]),
            Repr::Int(value, _) => self.none(Op::SealedSetInt, imm, &[object, *value]),
            value => {
                let value = self.object(value)?;
                self.none(Op::SealedSet, imm, &[object, value]);
            }
        }
        Ok(true)
    }

    /// The sealed class that a generic value is or probably is an object of.
    fn class_of(&self, value: Value) -> Option<ClassId> {
        match self.env.get(&value)? {
            Repr::Instance(_, ty) | Repr::Likely(_, ty) => self.sink.unit().sealed_class(ty.sealed()?),
            _ => None,
        }
    }

    /// The function of the unit that is this method of the value's class.
    fn method_of(&self, value: Value, name: &str) -> Option<FuncId> {
        self.sink.unit().classes[self.class_of(value)?.index()].method(name)
    }

    /// A method that is looked up to be called; false where it is none of a sealed class.
    pub(super) fn sealed_method(&mut self, inst: Inst) -> Result<bool, Left> {
        let data = self.cx.generic.inst(inst);
        let Imm::Const(name) = data.imm else { return Ok(false) };
        let name = self.name(name.index());
        let Some(function) = self.method_of(data.args[0], &name) else { return Ok(false) };
        let Some((_, class)) = self.instance(data.args[0]) else { return Ok(false) };
        let path = format!("{}.{name}", self.sink.unit().classes[class.index()].name);
        let known = Repr::Known(Rc::new(Known { path, fact: GlobalFact::Method(function) }));
        let object = self.read(data.args[0])?;
        self.env.extend(data.results.iter().copied().zip([known, object]));
        Ok(true)
    }

    /// Whether the next instruction calls the method that this one would look up, by the exact class.
    pub(super) fn is_dispatched_next(&self, inst: Inst) -> bool {
        let generic = self.cx.generic;
        let (call, results) = (generic.inst(self.next), &generic.inst(inst).results);
        call.op == Op::ObjCallMethod
            && !call.catches()
            && call.args[..2] == results[..]
            && self.dispatch_of(self.next).is_some()
    }

    /// What a call of a method that subclasses replace may lead to, where the bodies take the arguments.
    fn dispatch_of(&self, inst: Inst) -> Option<Dispatching<S::V>> {
        let call = self.cx.generic.inst(inst);
        let found = self.cx.generic.def_inst(call.args[0]).filter(|def| def.op == Op::ObjMethod)?;
        let (Imm::Const(name), Imm::Const(names)) = (found.imm, call.imm) else { return None };
        let (name, receiver) = (self.name(name.index()), found.args[0]);
        let unit = self.sink.unit();
        let class = self.class_of(receiver).filter(|_| unit.consts[names.index()] == Const::None)?;
        let number = unit.classes[class.index()].dispatch.iter().position(|found| found.name == name)?;
        let targets = unit.classes[class.index()].dispatch[number].targets.clone();
        let signatures: Vec<&Signature> =
            targets.iter().map(|&(_, function)| &unit.function(function).signature).collect();
        let wanted = signatures.first()?.params.get(1..)?.to_vec();
        let name_of = |class: ClassId| Type::Sealed(unit.classes[class.index()].name.as_str().into());
        // Each body gets an object of its own class, which the test of that class is about.
        let is_own = |own: ClassId, ty: &Type| [Type::Object, name_of(own), name_of(class)].contains(ty);
        let is_same = |(&(own, _), signature): (&(ClassId, FuncId), &&Signature)| {
            signature.params.get(1..) == Some(&wanted[..])
                && signature.params.first().is_some_and(|first| is_own(own, first))
                && Signature::machine(&signature.result) == crate::ir::Type::Obj
        };
        let (Repr::Instance(object, _) | Repr::Likely(object, _)) = self.env.get(&receiver)? else {
            return None;
        };
        let args: Vec<Repr<S::V>> =
            call.args[2..].iter().map(|&arg| self.read(arg).ok()).collect::<Option<_>>()?;
        let takes = targets.iter().all(|&(_, function)| self.takes_behind(function, *object, &args));
        if !takes || !targets.iter().zip(&signatures).all(is_same) {
            return None;
        }
        let result = signatures.iter().fold(Type::Never, |result, signature| result.join(&signature.result));
        let imm = Imm::Dispatch(class, u32::try_from(number).expect("classes have few methods"));
        Some(Dispatching { receiver, imm, args, wanted, result })
    }

    /// A call of a method that subclasses replace: of the body that goes with the exact class.
    pub(super) fn dispatched(&mut self, inst: Inst) -> Result<Option<Repr<S::V>>, Left> {
        let Some(call) = self.dispatch_of(inst) else { return Ok(None) };
        let Some((object, _)) = self.instance(call.receiver) else { return Ok(None) };
        let which = self.one(Op::SealedWhich, call.imm, &[object]);
        let mut values = vec![which, object];
        values.extend(self.passed(&call.args, &call.wanted)?);
        self.point = Point::After(inst);
        let value = self.many(Op::CallOneOf, call.imm, &values, &[crate::ir::Type::Obj])[0];
        self.stand_before(inst);
        Ok(Some(match call.result {
            ty @ (Type::Sealed(_) | Type::Optional(_)) => Repr::Likely(value, Rc::new(ty)),
            _ => Repr::Object(value),
        }))
    }

    /// The operands of a call, with the method as an object where it is known by its class alone.
    pub(super) fn with_method(&mut self, mut operands: Reprs<S>) -> Result<Reprs<S>, Left> {
        if let Some(Repr::Known(known)) = operands.first()
            && matches!(known.fact, GlobalFact::Method(_))
        {
            let name = known.path.rsplit('.').next().unwrap_or_default().to_owned();
            let name = self.sink.constant(Const::Str(name));
            let object = self.object(&operands[1])?;
            let found = self.many(Op::ObjMethod, name, &[object], Op::ObjMethod.row().results);
            operands[0] = Repr::Object(found[0]);
            operands[1] = Repr::Object(found[1]);
        }
        Ok(operands)
    }

    /// A binary operator between two objects of one sealed class, or of one and a number: a call of its method. Not
    /// where there are subclasses: those may have reflected operators, and what TypeError says names the exact ones.
    pub(super) fn operator(
        &mut self,
        inst: Inst,
        binary: Binary,
        in_place: InPlace,
    ) -> Result<Option<Repr<S::V>>, Left> {
        let args = &self.cx.generic.inst(inst).args;
        let (left, right) = (args[0], args[1]);
        let Some(class) = self.class_of(left) else { return Ok(None) };
        let Some(function) = self.method_of(left, binary.method()) else { return Ok(None) };
        let unit = self.sink.unit();
        let signature = &unit.function(function).signature;
        let is_object = Signature::machine(&signature.result) == crate::ir::Type::Obj;
        let is_same = self.class_of(right) == Some(class);
        let is_number = matches!(self.env.get(&right), Some(Repr::Int(..) | Repr::Float(_) | Repr::Bool(..)));
        let is_open = unit.classes[class.index()].has_subclasses;
        let augments = in_place == InPlace::Yes && unit.classes[class.index()].augments;
        let fits = match &signature.params[..] {
            [Type::Sealed(_), Type::Sealed(_)] => is_same,
            [Type::Sealed(_), Type::Int | Type::Float | Type::Bool] => is_number,
            _ => false,
        };
        if is_open || augments || !fits || !is_object {
            return Ok(None);
        }
        let text = unit.declined(binary, in_place, function);
        if self.instance(left).is_none() || is_same && self.instance(right).is_none() {
            return Ok(None);
        }
        let operands = [self.read(left)?, self.read(right)?];
        let Ok(result) = self.direct(inst, function, &operands)? else { return Ok(None) };
        let object = self.object(&result)?;
        let text = self.sink.constant(Const::Str(text));
        self.none(Op::SealedAccepted, text, &[object]);
        Ok(Some(result))
    }

    /// The result, known to be what the annotation wants; exits where a test of its class does not show that.
    pub(super) fn kept_result(&mut self, value: &Repr<S::V>) -> Result<Repr<S::V>, Left> {
        let ty = self.cx.signature.result.clone();
        Ok(Repr::Instance(self.kept_instance(value, &ty)?, Rc::new(ty)))
    }

    /// The argument as an object that is what the parameter's annotation wants; exits where it is not.
    pub(super) fn kept_instance(&mut self, arg: &Repr<S::V>, param: &Type) -> Result<S::V, Left> {
        let object = self.object(arg)?;
        let class = param.sealed().and_then(|name| self.sink.unit().sealed_class(name)).ok_or(Left)?;
        let op = if matches!(param, Type::Sealed(_)) { Op::SealedGuard } else { Op::SealedGuardOptional };
        self.none(op, Imm::Sealed(class), &[object]);
        Ok(object)
    }
}

/// Whether ops on a field of this type know what stands in it: a field that a subclass declares anew stays what it was.
fn can_hold(held: Held, ty: &Type) -> bool {
    held == Held::Object || held == Held::unboxed(ty)
}
