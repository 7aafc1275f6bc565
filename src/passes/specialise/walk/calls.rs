//! Calls: of the unit's functions directly, of builtins and `math` as ops.

use crate::ir::{Const, ConstId, FuncId, GlobalFact, Imm, Inst, Op, Point, Signature, Type, UnitFunction};
use crate::passes::specialise::has_body;
use crate::types;

use super::{Form, Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// A call, whose result is the instruction's; `names` is the constant with the names of arguments.
    pub(super) fn call(
        &mut self,
        inst: Inst,
        names: ConstId,
        callee: &Repr<S::V>,
        args: &[Repr<S::V>],
    ) -> Result<Form<S::V>, Left> {
        if let Repr::Class(object, class) = callee {
            return self.construct(inst, names, (*object, *class), args);
        }
        let Repr::Known(known) = callee else { return Ok(Err(None)) };
        let unit = self.sink.unit();
        let named = match (&unit.consts[names.index()], &known.fact) {
            (Const::None, _) => None,
            (Const::Tuple(names), GlobalFact::Function(callee) | GlobalFact::Method(callee)) => {
                let Some(order) = in_order(unit.function(*callee), names, args.len()) else {
                    return Ok(Err(None));
                };
                Some(order.into_iter().map(|place| args[place].clone()).collect::<Vec<_>>())
            }
            _ => return Ok(Err(None)),
        };
        let args = named.as_deref().unwrap_or(args);
        match &known.fact {
            GlobalFact::Builtin(builtin) => self.builtin(inst, *builtin, args),
            GlobalFact::Math(name) => Ok(self.math(name, args)),
            GlobalFact::Function(callee) | GlobalFact::Method(callee)
                if named.is_some() || self.sink.unit().function(*callee).keyword_only == 0 =>
            {
                self.direct(inst, *callee, args)
            }
            GlobalFact::Function(_) | GlobalFact::Method(_) => Ok(Err(None)),
            GlobalFact::Value(_)
            | GlobalFact::MathModule
            | GlobalFact::Class(_)
            | GlobalFact::Callees(_)
            | GlobalFact::Likely(_)
            | GlobalFact::Unknown => Ok(Err(None)),
        }
    }

    /// What the call makes if it is a list comprehension's.
    pub(super) fn made_by_comprehension(&self, inst: Inst) -> Option<types::Type> {
        let generic = self.cx.generic;
        let made = generic.def_inst(generic.inst(inst).args[0])?;
        let (Op::ObjMakeFunction, Imm::Count(number)) = (made.op, made.imm) else { return None };
        let nested = &self.sink.unit().function(self.cx.id).nested;
        Some(nested.get(number as usize)?.makes.clone()).filter(|made| *made != types::Type::Object)
    }

    /// A call of another function's body, which must find its promises kept.
    pub(super) fn direct(
        &mut self,
        inst: Inst,
        callee: FuncId,
        args: &[Repr<S::V>],
    ) -> Result<Form<S::V>, Left> {
        if !self.takes(callee, args) {
            return Ok(Err(None));
        }
        let function = self.sink.unit().function(callee);
        let Signature { params, result } = function.signature.clone();
        let promised = function.promised;
        let values = self.passed(args, &params)?;
        // The mark that `passes::inline` looks for: where the call can be made again.
        self.none(Op::GuardDepth, Imm::Count(0), &[]);
        self.point = Point::After(inst);
        let value = self.many(Op::CallDirect, Imm::Func(callee), &values, &[Signature::machine(&result)])[0];
        self.stand_before(inst);
        Ok(Ok(match result {
            types::Type::Int => Repr::Int(value, None),
            types::Type::Float => Repr::Float(value),
            types::Type::Bool => Repr::Bool(value, None),
            types::Type::None if promised => Repr::None,
            types::Type::Tuple(_) => Repr::Likely(value, result.into()),
            types::Type::List(_) | types::Type::Str | types::Type::Bytes | types::Type::ByteArray => {
                return Ok(Ok(self.unbox_result(inst, value, &result)));
            }
            types::Type::Sealed(_) | types::Type::Optional(_) => Repr::Likely(value, result.into()),
            types::Type::None | types::Type::Never | types::Type::Object => Repr::Object(value),
        }))
    }
}

impl<S: Sink> Walker<'_, S> {
    /// Whether the function's body can be called with these arguments, whose classes may still have to be tested.
    pub(super) fn takes(&self, callee: FuncId, args: &[Repr<S::V>]) -> bool {
        let unit = self.sink.unit();
        let function = unit.function(callee);
        let params = &function.signature.params;
        let checked = |index: usize| function.checked_first || function.checked_classes.contains(&index);
        let mut pairs = args.iter().zip(params).enumerate();
        let keeps = |(index, (arg, param))| {
            keeps_promise(arg, param, function.promised && checked(index)) || probably_keeps(arg, param)
        };
        params.len() == args.len() && has_body(unit, callee) && pairs.all(keeps)
    }

    /// What a body is passed for arguments that it takes.
    pub(super) fn passed(&mut self, args: &[Repr<S::V>], params: &[types::Type]) -> Result<Vec<S::V>, Left> {
        let mut values = Vec::with_capacity(args.len());
        for (arg, param) in args.iter().zip(params) {
            values.push(match (Signature::machine(param), arg) {
                (Type::I64, Repr::Int(value, _)) | (Type::F64, Repr::Float(value)) => *value,
                (Type::Bool, Repr::Bool(value, _)) => *value,
                (Type::Obj, arg) if probably_keeps(arg, param) => self.kept_instance(arg, param)?,
                (Type::I64, Repr::Wide(low, high)) => self.one(Op::IntWideNarrow, Imm::None, &[*low, *high]),
                _ => self.object(arg)?,
            });
        }
        Ok(values)
    }
}

/// For each parameter of the callee which of `count` arguments, the last of which are passed by these
/// names, it gets. None where a parameter gets none or two, or a name fits no parameter.
fn in_order(callee: &UnitFunction, names: &[Const], count: usize) -> Option<Vec<usize>> {
    let by_position = count.checked_sub(names.len())?;
    let positions = callee.names.len().checked_sub(callee.keyword_only)?;
    if count != callee.names.len() || by_position > positions {
        return None;
    }
    let by_name = callee.names[by_position..].iter().map(|parameter| {
        let parameter = parameter.as_deref()?;
        let is_it = |name: &Const| matches!(name, Const::Str(name) if name == parameter);
        names.iter().position(is_it).map(|place| by_position + place)
    });
    (0..by_position).map(Some).chain(by_name).collect()
}

/// Whether a test of its class will probably show that the argument is what the parameter's annotation wants.
pub(super) fn probably_keeps<V: Copy>(arg: &Repr<V>, param: &types::Type) -> bool {
    param.sealed().is_some()
        && match arg {
            Repr::Likely(_, ty) => ty.sealed() == param.sealed(),
            Repr::Instance(_, ty) => ty.sealed() == param.sealed() && !arg.keeps(param),
            _ => false,
        }
}

/// Whether the argument is exactly what the parameter's annotation wants. What check stands behind
/// [`types::Type::Object`] is not known here, but whether any does.
fn keeps_promise<V: Copy>(arg: &Repr<V>, param: &types::Type, checked: bool) -> bool {
    match (param, arg) {
        (types::Type::Object | types::Type::Never, _) => !checked,
        (_, arg) => arg.keeps(param),
    }
}
