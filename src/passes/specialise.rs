//! Specialisation: from the generic version, all objects, to one that works on unboxed values and bets.
//!
//! ```text
//! generic fn0 "double":                            specialised fn0 "double":
//! b0(v0: obj):                                     b0(v0: i64):
//!     i0: v1 = object.constant 2                       v1 = int.constant 2
//!     i1: v2 = object.binary mul v0, v1        ->      v2 = int.mul_checked v0, v1 exit [fn0@before i1 (v0)]
//!     i2: object.check_result v2                       control.ret v2
//!     i3: object.release v0
//!     i4: control.ret v2
//! ```
//!
//! [`infer`] finds out of which kind each value is, [`emit`] writes the new function; both walk over the
//! generic blocks with the same code ([`walk`]), which holds all that is known of ops on unboxed values.
//! Whatever has no unboxed form stays an op on objects. Whatever would raise exits, and the generic
//! version raises. The outcome wants [`super::simplify`].

mod context;
mod emit;
mod infer;
mod repr;
mod walk;

use crate::ir::{FuncId, Function, Signature, Type, Unit};

pub use context::Facts;

use context::Context;

/// Functions with more instructions in their generic version are not specialised.
const BUDGET: usize = 20_000;

/// Functions in which nothing is unboxed have a body only up to so many instructions: in longer ones what a call of the
/// body saves counts for nothing.
const SMALL: usize = 80;

/// Whether other functions may call a specialised body of this one: its signature says what it works on, or it is short
/// and has no loop.
#[must_use]
pub fn has_body(unit: &Unit, id: FuncId) -> bool {
    let function = unit.function(id);
    if !function.free.is_empty() {
        // A body would have to be told of the closure.
        return false;
    }
    match &function.generic {
        // Whoever names a function of another unit has seen its body.
        None => true,
        Some(generic) => {
            is_within_budget(generic)
                && (has_unboxed(&function.signature) || generic.insts.len() <= SMALL && !has_loop(generic))
        }
    }
}

/// The specialised version of a function, or none where nothing in it would be unboxed and it loops: the generic
/// version finds out what the loop works on. A body without loops is called with less to do than the generic version.
///
/// Functions for which [`has_body`] holds always have one.
#[must_use]
pub fn specialise(unit: &mut Unit, id: FuncId, facts: &Facts) -> Option<Function> {
    let begins_in_loop = unit.start.as_ref().is_some_and(|start| start.function == id);
    if !unit.function(id).free.is_empty() && !begins_in_loop {
        return None;
    }
    let generic = unit.functions[id.index()].generic.take()?;
    let specialised = is_within_budget(&generic).then(|| {
        let signature = unit.function(id).signature.clone();
        let wide = unit.start.iter().flat_map(|start| &start.wide);
        let wide = wide.filter(|(function, _)| *function == id).map(|&(_, inst)| inst).collect();
        let start = unit.start.take_if(|start| start.function == id);
        let cx = Context::of(id, signature, &generic, facts, (start, wide));
        let plan = infer::infer(&cx, unit);
        let specialised = emit::emit(&cx, unit, &plan);
        if let Some(start) = cx.start {
            unit.start = Some(start);
        }
        specialised
    });
    unit.functions[id.index()].generic = Some(generic);
    specialised.filter(|func| {
        func.values.iter().any(|value| is_number(value.ty)) || !func.begins_in_loop && has_body(unit, id)
    })
}

fn has_unboxed(signature: &Signature) -> bool {
    let mut types = signature.params.iter().chain([&signature.result]);
    types.any(|ty| Signature::machine(ty) != Type::Obj || ty.sealed().is_some())
}

/// Whether a jump leads back: blocks stand in the order in which they were begun.
fn has_loop(generic: &Function) -> bool {
    let mut place = vec![0; generic.blocks.len()];
    for (position, block) in generic.layout.iter().enumerate() {
        place[block.index()] = position;
    }
    generic.layout.iter().any(|&block| {
        let last = generic.inst(generic.terminator(block));
        last.targets.iter().any(|target| place[target.block.index()] <= place[block.index()])
    })
}

fn is_within_budget(generic: &Function) -> bool {
    generic.insts.len() <= BUDGET
}

fn is_number(ty: Type) -> bool {
    ty == Type::I64 || ty == Type::F64
}
