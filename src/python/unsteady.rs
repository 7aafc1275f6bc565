//! Names that don't stay what they were: the code that bet on one is made anew.
//!
//! A guard cell that compiled code finds lost often tells of itself here. All functions of its unit then
//! wait for code again, which their next calls make: at first with another bet on what the name stands
//! for by then, and when that is lost too without one. The old code is kept, since it runs right now.

use pyo3::ffi;

use crate::ir::GlobalFact;
use crate::runtime::cells;
use crate::runtime::install;
use crate::runtime::unit::LoadedUnit;

use super::entry;
use super::jit::lazy_entry;
use super::record;
use super::record::State;

/// How many bets on the value of one name may be lost before there is none: a constant that was set once
/// is worth a second bet.
const MOST_VALUES: u32 = 2;

/// The same for functions, modules and builtins, which tests replace and put back.
const MOST_OBJECTS: u32 = 5;

/// Has the runtime tell.
pub(super) fn start() {
    cells::set_on_unsteady(make_anew);
}

/// Sends the functions of the unit back to wait for code.
fn make_anew(unit: &LoadedUnit, cell: usize) {
    let path = &unit.meta().cells[cell].path;
    for (address, record) in record::all() {
        let callable = address as *mut ffi::PyObject;
        let is_of_unit =
            matches!(record.state(), State::Native(loaded, _) if std::ptr::eq(loaded.unit(), unit));
        if !is_of_unit || install::installed(callable).is_none() || !record.lose(path) {
            continue;
        }
        install::stop_betting(callable);
        record.become_state(State::Waiting);
        // SAFETY: the callable of a record is alive while nothing runs Python; the lazy entry is always valid.
        unsafe { entry::put(callable, lazy_entry) };
    }
}

/// What is left of a fact about a name on which so many bets were lost.
pub(super) fn steady(fact: GlobalFact, losses: u32) -> GlobalFact {
    match fact {
        GlobalFact::Value(constant) if losses >= MOST_VALUES => GlobalFact::likely(&constant),
        _ if losses >= MOST_OBJECTS => GlobalFact::Unknown,
        fact => fact,
    }
}
