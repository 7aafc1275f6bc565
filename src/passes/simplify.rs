//! Simplification of a specialised version: folding, value numbering, dead code, needless control flow.
//!
//! ```text
//! b0(v0: i64):                                          b0(v0: i64):
//!     v1 = int.constant 0                                   v2 = int.add_checked v0, v0 exit [..]
//!     v2 = int.add_checked v0, v0 exit [..]                 control.ret v2
//!     v3 = int.add_checked v0, v0 exit [..]
//!     v4 = int.compare lt v1, v1                    ->
//!     control.branch v4 -> b1, b2(v3)
//! b1:
//!     control.jump -> b2(v1)
//! b2(v5: i64):
//!     control.ret v5
//! ```
//!
//! Floats fold only where IEEE 754 leaves one answer. An exiting op whose equal dominates it goes away:
//! had it wanted to exit, the first would have. What would raise in Python never goes away unseen.

mod aliases;
pub(super) mod dead;
mod fold;
mod graph;
mod numbering;
pub(super) mod params;

use crate::ir::Function;

/// No function needs more rounds than this to come out well; more are left undone.
const MAX_ROUNDS: usize = 8;

/// Whether arithmetic that may exit goes when nobody uses its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeadChecks {
    /// It goes: that it exits is no effect.
    Go,
    /// It stays: what comes after it was simplified in the knowledge that it did not exit.
    Stay,
}

/// Simplifies the function until nothing changes any more; for functions whose ranges nobody has used yet.
pub fn simplify(func: &mut Function) {
    until_stable(func, DeadChecks::Go);
}

/// The same after [`super::overflow::eliminate_overflow_checks`], which relies on the checks that are left.
pub fn simplify_after_ranges(func: &mut Function) {
    until_stable(func, DeadChecks::Stay);
}

fn until_stable(func: &mut Function, checks: DeadChecks) {
    for _ in 0..MAX_ROUNDS {
        let mut changed = numbering::number_values(func);
        changed |= graph::remove_unreachable(func);
        changed |= params::remove_needless_params(func);
        changed |= graph::thread_jumps(func);
        changed |= graph::merge_blocks(func);
        changed |= dead::remove_dead_code(func, checks);
        if !changed {
            break;
        }
    }
}
