//! Floats out of lists of which nobody asks whether they are a NaN: sums, products and comparisons take any.
//!
//! ```text
//! v2 = list.item_float v0, v1 exit [..]            v2 = list.item_float_any v0, v1 exit [..]
//! v3 = float.mul v2, v2                    ->      v3 = float.mul v2, v2
//! ```
//!
//! A NaN exits where it is read because its identity can be observed. Where arithmetic is all that reads it, and no
//! exit and no traceback shows it, nobody observes it: what arithmetic makes of a NaN is a new object anyway.

use crate::ir::Function;
use crate::ir::Op;

/// Lets NaNs pass where nothing but arithmetic reads them.
pub fn let_nans_pass(func: &mut Function) {
    let mut is_seen = vec![false; func.values.len()];
    let mut reads = Vec::new();
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            if data.op == Op::ListItemFloat {
                reads.push(inst);
            }
            if !takes_any(data.op) {
                func.visit_uses(inst, |value| is_seen[value.index()] = true);
            }
        }
    }
    for inst in reads {
        let data = func.inst_mut(inst);
        if !is_seen[data.results[0].index()] {
            data.op = Op::ListItemFloatAny;
        }
    }
}

/// Whether the op reads floats as numbers only.
fn takes_any(op: Op) -> bool {
    matches!(
        op,
        Op::FloatAdd
            | Op::FloatSub
            | Op::FloatMul
            | Op::FloatDiv
            | Op::FloatNeg
            | Op::FloatAbs
            | Op::FloatCompare
    )
}
