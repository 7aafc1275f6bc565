//! Calls of sealed classes that do no more than to give fields their values: the object is made where the call stands.
//!
//! Arguments are bound here. What the annotations of the fields let pass is known of each value, or a guard finds it
//! out; where it is not, or where the call would raise, it stays a call.

use std::rc::Rc;

use crate::ir::{ClassId, Const, ConstId, Constructor, Imm, Inst, Op, SealedField};
use crate::types::Type;

use super::{Form, Left, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    /// A call of a sealed class; `names` is the constant with the names of arguments.
    pub(super) fn construct(
        &mut self,
        inst: Inst,
        names: ConstId,
        (object, id): (S::V, ClassId),
        args: &[Repr<S::V>],
    ) -> Result<Form<S::V>, Left> {
        let unit = self.sink.unit();
        let class = unit.classes[id.index()].clone();
        let names: &[Const] = match &unit.consts[names.index()] {
            Const::Tuple(names) => names,
            _ => &[],
        };
        let Some(constructor) = &class.constructor else { return Ok(Err(None)) };
        let Some(bound) = bind(constructor, args.len(), names) else { return Ok(Err(None)) };
        let first = self.cx.generic.inst(inst).args.len() - args.len();
        let mut values = Vec::with_capacity(bound.len());
        for (field, source) in class.fields.iter().zip(bound) {
            let value = match source {
                Source::Argument(number) => {
                    let value = self.cx.generic.inst(inst).args[first + number];
                    self.fitting(value, &args[number], field)
                }
                Source::Default(constant) => Some(self.constant(&constant)),
            };
            let Some(value) = value else { return Ok(Err(None)) };
            values.push(value);
        }
        let mut operands = vec![object];
        operands.extend(self.objects(&values)?);
        let object = self.one(Op::SealedNew, Imm::Sealed(id), &operands);
        Ok(Ok(Repr::Instance(object, Rc::new(Type::Sealed(class.name.into())))))
    }

    /// The argument, if it passes the field's check.
    fn fitting(
        &mut self,
        value: crate::ir::Value,
        arg: &Repr<S::V>,
        field: &SealedField,
    ) -> Option<Repr<S::V>> {
        let name = field.ty.sealed();
        match (&field.ty, arg) {
            _ if field.takes_all => Some(arg.clone()),
            (Type::Object | Type::Never, _) => None,
            (Type::Optional(_), Repr::None) => Some(Repr::None),
            (_, Repr::Instance(_, ty)) if name.is_some() && ty.sealed() == name => {
                let may_be_none = matches!(**ty, Type::Optional(_));
                (!may_be_none || matches!(field.ty, Type::Optional(_))).then(|| arg.clone())
            }
            (_, Repr::Likely(object, ty)) if name.is_some() && ty.sealed() == name => {
                let object = *object;
                self.instance(value)?;
                Some(Repr::Instance(object, Rc::new(Type::Sealed(name?.into()))))
            }
            (ty, arg) => arg.keeps(ty).then(|| arg.clone()),
        }
    }
}

/// Where a field's value comes from in one call.
enum Source {
    /// The argument of this number.
    Argument(usize),
    /// Its default.
    Default(Const),
}

/// For each field its value's source in a call with `count` arguments, the last of which are passed by these names.
/// None where the call is wrong, or a value is not known here.
fn bind(constructor: &Constructor, count: usize, names: &[Const]) -> Option<Vec<Source>> {
    let by_position = count.checked_sub(names.len())?;
    if by_position > constructor.positional {
        return None;
    }
    let mut bound: Vec<Option<usize>> = vec![None; constructor.parameters.len()];
    (0..by_position).for_each(|number| bound[number] = Some(number));
    for (number, name) in names.iter().enumerate() {
        let Const::Str(name) = name else { return None };
        let place = constructor.parameters.iter().position(|parameter| parameter == name)?;
        if bound[place].replace(by_position + number).is_some() {
            return None;
        }
    }
    let sources = constructor.sources.iter().map(|source| {
        let given = source.parameter.and_then(|parameter| bound[parameter]);
        given.map(Source::Argument).or_else(|| source.default.clone().map(Source::Default))
    });
    sources.collect()
}
