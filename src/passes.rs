//! Passes: each changes one function. `driver` lists them in order; refcounts come last, so that no
//! other pass thinks of them.

pub mod borrow;
pub mod demand;
pub mod dissolve;
mod early;
pub mod fields;
pub mod guards;
pub mod inline;
pub mod late_tests;
pub mod moves;
pub mod nans;
pub mod open;
pub mod overflow;
pub mod quiet;
pub mod refcount;
pub mod rewrite;
pub mod rotate;
pub mod sabotage;
pub mod simplify;
pub mod specialise;
pub mod unboxed;

use crate::analysis::exits;
use crate::analysis::ownership;
use crate::ir::Function;
use crate::ir::Unit;
use crate::ir::verify;
use crate::ir::verify::VerifyError;
use crate::ir::verify::Version;

/// Whether the refcount pass went over a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Nothing counts references yet.
    Absent,
    /// Every reference is accounted for.
    Present,
}

/// Every check there is: the verifier's, completeness of exits, and balance of reference counts.
///
/// # Errors
/// All faults that were found.
pub fn verify(unit: &Unit, func: &Function, version: Version, counts: Counts) -> Result<(), VerifyError> {
    verify::verify(unit, func, version)?;
    let mut faults = exits::incomplete_exits(unit, func);
    if counts == Counts::Present {
        faults.append(&mut ownership::unbalanced(func, version));
    }
    if faults.is_empty() { Ok(()) } else { Err(VerifyError { faults, text: func.display(unit).to_string() }) }
}
