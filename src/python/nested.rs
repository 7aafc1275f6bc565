//! Functions that a `def` inside another function makes again and again: all of them share the code that
//! was compiled for one.
//!
//! What is kept is bounded: the most recent records, whether their functions are alive or not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::prelude::*;

use crate::check::FunctionPlan;
use crate::cpython::function::fields;
use crate::cpython::running;

use super::record::Record;
use super::record::State;

/// How many records are kept.
const KEPT: usize = 128;

static RECENT: Mutex<VecDeque<Arc<Record>>> = Mutex::new(VecDeque::new());

/// Keeps the record of a nested function for the functions to come.
pub(super) fn keep(record: &Arc<Record>) {
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.push_back(Arc::clone(record));
    let oldest = if recent.len() > KEPT { recent.pop_front() } else { None };
    // Dropping a record may run Python, which may come back here.
    drop(recent);
    drop(oldest);
}

/// The record of an earlier function with the same code, namespace and promises that was compiled.
pub(super) fn find(
    function: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
    plan: Option<&Bound<'_, FunctionPlan>>,
) -> PyResult<Option<Arc<Record>>> {
    let candidates: Vec<Arc<Record>> = {
        let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().filter(|record| record.is_of_code(code)).cloned().collect()
    };
    // SAFETY: `jit` passes functions only.
    let own = unsafe { fields(running().layout, function.as_ptr()) };
    for record in candidates {
        let State::Native(loaded, _) = record.state() else { continue };
        let unit = loaded.unit();
        let same_names = unit.globals() == own.globals && unit.builtins() == own.builtins;
        let same_promises = match (&record.plan, plan) {
            (Some(known), Some(plan)) => same_names && known.get().same(plan)?,
            (known, plan) => known.is_none() && plan.is_none(),
        };
        if same_names && same_promises {
            return Ok(Some(record));
        }
    }
    Ok(None)
}
