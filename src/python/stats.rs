//! `castiron.stats()`: what was compiled, and what its code has done.
//!
//! Counts of dead units are kept, so that every number only grows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyo3::ffi;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cpython::running;
use crate::driver::coverage::Coverage;
use crate::runtime::frames;
use crate::runtime::install;
use crate::runtime::loops::LoopCount;
use crate::runtime::unit::LoadedUnit;

use super::record;
use super::session;
use super::unit::Loaded;

/// Numbers that only grow.
#[derive(Clone, Default)]
struct Totals {
    functions: u64,
    took: Duration,
    code_bytes: u64,
    coverage: Coverage,
    calls: Calls,
}

/// What the code of units has done.
#[derive(Clone, Default)]
struct Calls {
    slow: u64,
    generic: u64,
    resumptions: u64,
    loops: LoopCount,
    generic_turns: u64,
    exits: BTreeMap<&'static str, u64>,
    entries: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Books {
    totals: Totals,
    units: Vec<Weak<Loaded>>,
}

static BOOKS: Mutex<Option<Books>> = Mutex::new(None);

fn books() -> MutexGuard<'static, Option<Books>> {
    BOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a unit that was just loaded.
pub(super) fn count_unit(loaded: &Arc<Loaded>) {
    let mut books = books();
    let books = books.get_or_insert_with(Books::default);
    books.units.retain(|unit| unit.strong_count() > 0);
    books.units.push(Arc::downgrade(loaded));
    let totals = &mut books.totals;
    totals.functions += loaded.own_functions();
    totals.took += loaded.origin.took;
    totals.code_bytes += loaded.code_bytes();
    totals.coverage.add(&loaded.origin.coverage);
}

/// The unit, together with its code, if it is one that was counted.
pub(super) fn find_unit(unit: &LoadedUnit) -> Option<Arc<Loaded>> {
    let books = books();
    let mut units = books.as_ref()?.units.iter().filter_map(Weak::upgrade);
    units.find(|loaded| std::ptr::eq(loaded.unit(), unit))
}

/// Keeps the counts of a unit that is being dropped.
pub(super) fn keep_counts(loaded: &Loaded) {
    books().get_or_insert_with(Books::default).totals.calls.add(loaded);
}

impl Calls {
    fn add(&mut self, loaded: &Loaded) {
        let unit = loaded.unit();
        self.generic_turns += unit.generic_turns();
        for function in unit.functions() {
            self.slow += function.slow_calls.get();
            self.generic += function.generic_calls.get();
        }
        for (_, known) in unit.loops() {
            let count = known.count();
            self.loops.entered += count.entered;
            self.loops.turns += count.turns;
            self.loops.given_up += count.given_up;
        }
        for (number, count) in unit.exits().iter().enumerate() {
            let taken = count.taken.get() + count.with_result.get();
            if taken == 0 {
                continue;
            }
            self.resumptions += taken;
            let op = loaded.origin.coverage.exits.get(number).copied().unwrap_or("unknown");
            *self.exits.entry(op).or_default() += taken;
            for kind in loaded.origin.coverage.entries.get(number).into_iter().flatten() {
                *self.entries.entry(kind.clone()).or_default() += taken;
            }
        }
    }
}

/// A dict of everything that is counted.
#[pyfunction]
pub(super) fn stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    // Copied first: making the dict may run the collector, and with it `keep_counts`.
    let (mut totals, units) = {
        let mut books = books();
        let books = books.get_or_insert_with(Books::default);
        (books.totals.clone(), books.units.iter().filter_map(Weak::upgrade).collect::<Vec<_>>())
    };
    units.iter().for_each(|unit| totals.calls.add(unit));
    let result = PyDict::new(py);
    result.set_item("compiled_functions", totals.functions)?;
    result.set_item("compile_seconds", totals.took.as_secs_f64())?;
    result.set_item("code_bytes", totals.code_bytes)?;
    result.set_item("ops", totals.coverage.specialised)?;
    result.set_item("generic_ops", totals.coverage.generic)?;
    result.set_item("native_calls", native_calls(py)?)?;
    result.set_item("slow_calls", totals.calls.slow)?;
    result.set_item("generic_calls", totals.calls.generic)?;
    result.set_item("resumptions", totals.calls.resumptions)?;
    result.set_item("loop_entries", totals.calls.loops.entered)?;
    result.set_item("loop_turns", totals.calls.loops.turns)?;
    result.set_item("generic_turns", totals.calls.generic_turns)?;
    result.set_item("given_up", totals.calls.loops.given_up)?;
    result.set_item("exits", totals.calls.exits)?;
    result.set_item("resume_points", totals.coverage.kinds)?;
    result.set_item("resume_entries", totals.calls.entries)?;
    Ok(result)
}

/// Calls from the interpreter into compiled code, by function. Counting them costs each call a lookup,
/// so it is done under strictness only.
fn native_calls(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let calls = PyDict::new(py);
    for (_, record) in record::all() {
        let count = record.calls.load(Ordering::Relaxed);
        if count > 0 {
            calls.set_item(&record.name, count)?;
        }
    }
    Ok(calls)
}

/// The entry to install for a function of a unit.
pub(super) fn entry_of(loaded: &Loaded, number: usize) -> vectorcallfunc {
    if session::is_strict() { counted_entry } else { loaded.unit().entry(number) }
}

/// Counts the call, then goes on to the entry.
///
/// # Safety
/// As every vectorcall function; the callable is one that this entry was installed for.
pub(super) unsafe extern "C" fn counted_entry(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Some((unit, number)) = install::installed(callable) else {
        // SAFETY: a callable with this entry is a function or stands for one; both are live.
        return unsafe {
            frames::show();
            (running().plain_vectorcall)(install::function_of(callable), args, nargsf, names)
        };
    };
    if let Some(record) = record::find(callable)
        && !crate::runtime::enter::is_switched_off()
    {
        record.calls.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the unit is kept as long as the callable, which is live while it is called.
    unsafe { ((*unit).entry(number))(callable, args, nargsf, names) }
}
