//! Calls that leave cells alone.
//!
//! ```text
//! fn0 "fib" -> i64:                             fn0 "fib" -> i64:
//! b0(v0: i64):                                  b0(v0: i64):
//!     control.anchor exit [A]                       control.anchor exit [A]
//!     control.poll                                  guard.poll exit [A]
//!     ..                                     ->     ..
//!     v1: i64 = call.direct fn0 v0 exit [..]        v1: i64 = call.quiet fn0 v0 exit [..]
//!     guard.cell "fib" is fn0 exit [..]             guard.cell "fib" is fn0 exit [..]    (repeats)
//! ```
//!
//! Where all foreign code that a body can run is in the poll it begins with, in its callees likewise, a
//! caller need not test again behind the call what it knew before: a poll that ended a cell exits, the
//! generic version returns an object instead of a value, and that makes every waiting caller exit.
//! A body whose result is an object anyway has no such way to tell.

use rustc_hash::FxHashMap;

use crate::ir::{Effects, FuncId, Function, Imm, Inst, InstData, Op, Signature, Type, Unit};
use crate::passes::borrow;

/// Finds the quiet bodies of a unit, turns their polls into guards, and marks the calls of them.
pub fn mark_quiet_calls(unit: &mut Unit) {
    if unit.start.is_some() {
        // The bodies that a loop version calls are another unit's, which tests cells of its own.
        return;
    }
    let quiet = quiet_bodies(unit);
    for (number, function) in unit.functions.iter_mut().enumerate() {
        let Some(body) = &mut function.specialised else { continue };
        if quiet[number] {
            guard_poll(body);
        }
        for inst in all_insts(body) {
            if let (Op::CallDirect, Imm::Func(callee)) = (body.inst(inst).op, body.inst(inst).imm)
                && quiet[callee.index()]
            {
                body.inst_mut(inst).op = Op::CallQuiet;
            }
        }
    }
}

/// By function: whether its body runs foreign code only in its entry poll and in calls of quiet bodies.
/// Bodies that call each other are quiet unless something else stops one of them.
fn quiet_bodies(unit: &Unit) -> Vec<bool> {
    let mut quiet: Vec<bool> = unit
        .functions
        .iter()
        .map(|function| {
            Signature::machine(&function.signature.result) != Type::Obj
                && function.specialised.as_ref().is_some_and(is_quiet_but_for_calls)
        })
        .collect();
    let mut callers: FxHashMap<FuncId, Vec<usize>> = FxHashMap::default();
    let mut loud: Vec<usize> = (0..quiet.len()).filter(|&number| !quiet[number]).collect();
    for (number, function) in unit.functions.iter().enumerate() {
        let Some(body) = &function.specialised else { continue };
        for inst in all_insts(body) {
            if let (true, Imm::Func(callee)) = (body.inst(inst).op.calls_body(), body.inst(inst).imm) {
                callers.entry(callee).or_default().push(number);
            }
        }
    }
    while let Some(number) = loud.pop() {
        for &caller in callers.get(&FuncId::new(number)).into_iter().flatten() {
            if std::mem::replace(&mut quiet[caller], false) {
                loud.push(caller);
            }
        }
    }
    quiet
}

/// Takes back what was said of calls of bodies in which an object may die: its finaliser is foreign code. To be asked
/// when everything that can be borrowed is.
pub fn mark_deadly_calls(unit: &mut Unit) {
    let mut deadly: Vec<bool> =
        unit.functions.iter().map(|function| function.specialised.as_ref().is_some_and(kills)).collect();
    let is_quiet_call = |body: &Function, inst: Inst, deadly: &[bool]| match body.inst(inst) {
        InstData { op: Op::CallQuiet, imm: Imm::Func(callee), .. } => deadly[callee.index()],
        _ => false,
    };
    loop {
        let mut has_changed = false;
        for (number, function) in unit.functions.iter_mut().enumerate() {
            let Some(body) = &mut function.specialised else { continue };
            for inst in all_insts(body) {
                if is_quiet_call(body, inst, &deadly) {
                    body.inst_mut(inst).op = Op::CallDirect;
                    has_changed |= !std::mem::replace(&mut deadly[number], true);
                }
            }
        }
        if !has_changed {
            return;
        }
    }
}

fn kills(body: &Function) -> bool {
    let deaths = borrow::deaths(body);
    body.layout.iter().any(|&block| deaths.has_any(body, block))
}

fn is_quiet_but_for_calls(body: &Function) -> bool {
    let entry_poll = entry_poll(body).map(|(poll, _)| poll);
    all_insts(body).into_iter().all(|inst| {
        let op = body.inst(inst).op;
        match op {
            Op::Poll => entry_poll == Some(inst),
            // Nobody has looked into what else may be called.
            Op::CallDirect | Op::CallQuiet => true,
            _ => !op.effects().has(Effects::FOREIGN),
        }
    })
}

/// The poll that a body begins with, and what stands in front of it and can exit there.
fn entry_poll(body: &Function) -> Option<(Inst, Inst)> {
    let (&[first, second], _) = body.block(body.entry()).insts.split_first_chunk()?;
    let exits = matches!(body.inst(first).op, Op::Anchor | Op::GuardDepth);
    (exits && body.inst(second).op == Op::Poll).then_some((second, first))
}

fn guard_poll(body: &mut Function) {
    let Some((poll, first)) = entry_poll(body) else { return };
    let state = body.inst(first).exit.map(|exit| body.exit(exit).clone());
    let exit = state.map(|state| body.add_exit(state));
    let data = body.inst_mut(poll);
    data.op = Op::GuardPoll;
    data.exit = exit;
}

fn all_insts(body: &Function) -> Vec<Inst> {
    body.layout.iter().flat_map(|&block| body.block(block).insts.iter().copied()).collect()
}
