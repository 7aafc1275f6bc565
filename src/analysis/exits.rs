//! Completeness of exit states: one slot for each value that is live at the resume point, of a fitting type.

use rustc_hash::FxHashMap;

use crate::ir::{ExitFrame, FuncId, Function, Point, Slot, Type, Unit};

use super::liveness::Liveness;

/// What is wrong with the exit states of a function, one line for each fault. A frame whose generic
/// version the unit does not have can't be checked.
#[must_use]
pub fn incomplete_exits(unit: &Unit, func: &Function) -> Vec<String> {
    let mut known: FxHashMap<FuncId, Liveness> = FxHashMap::default();
    let mut faults = Vec::new();
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            let Some(exit) = func.inst(inst).exit else { continue };
            for frame in &func.exit(exit).frames {
                let Some(generic) = &unit.function(frame.func).generic else { continue };
                let liveness = known.entry(frame.func).or_insert_with(|| Liveness::of(generic));
                if let Err(fault) = check_frame(func, generic, liveness, frame) {
                    faults.push(format!("{}: {inst}: {} {}: {fault}", func.id, frame.func, frame.point));
                }
            }
        }
    }
    faults
}

fn check_frame(
    func: &Function,
    generic: &Function,
    liveness: &Liveness,
    frame: &ExitFrame,
) -> Result<(), String> {
    if let Point::Before(inst) | Point::After(inst) = frame.point
        && !liveness.has(inst)
    {
        return Err("the generic version has no such instruction".to_owned());
    }
    let live = liveness.resume_slots(generic, frame.point);
    if live.len() != frame.slots.len() {
        return Err(format!("{} slots for {live:?}", frame.slots.len()));
    }
    for (slot, &value) in frame.slots.iter().zip(&live) {
        let fits = match (generic.ty(value), slot) {
            (Type::Bool, Slot::Value(truth)) => func.ty(*truth) == Type::Bool,
            (Type::Bool, slot) => matches!(slot, Slot::Bool(_)),
            _ => true,
        };
        if !fits {
            return Err(format!("{slot:?} does not fit {value}"));
        }
    }
    Ok(())
}
