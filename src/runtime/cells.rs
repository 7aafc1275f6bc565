//! Guard cells: whether a dotted global name still has the value it had when the unit was compiled.
//!
//! On CPython 3.12 and later a cell is 1 while nothing has written to the names it depends on
//! ([`watch`] clears it); on 3.11 it holds the version tags of the dicts. Either way [`cell_check`] looks
//! the name up again and makes the cell valid if the expected value is back. Where a namespace is not
//! an exact dict, or no dict watcher is left, there is no bet: the cell is never valid.

pub mod facts;
pub mod watch;

use std::ffi::c_int;
use std::sync::OnceLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;
use pyo3::prelude::*;

use crate::cpython::object::field;
use crate::cpython::running;
use crate::ir::GlobalFact;

use super::caches;
use super::data::WORD;
use super::object::word;
use super::sealed;
use super::table::position;
use super::unit::LoadedUnit;
use super::unit::Source;

/// Where a dotted name was found.
struct Found<'py> {
    value: *mut PyObject,
    /// The dicts that say so, each with the name looked up in it; the last one holds the value.
    dicts: Vec<(*mut PyObject, Bound<'py, PyAny>)>,
}

/// Makes the cells of a unit that is being loaded valid, as far as their names hold what they should.
///
/// # Errors
/// When there is no memory.
pub fn watch_all(unit: &LoadedUnit) -> PyResult<()> {
    for number in 0..unit.meta().cells.len() {
        clear(unit, number);
        revalidate(unit, number);
    }
    watch::add_unit(unit);
    Ok(())
}

/// Forgets the cells of a unit that is being dropped.
pub fn forget_unit(unit: &LoadedUnit) {
    watch::remove_unit(unit);
}

/// How often compiled code finds a cell lost before it is made anew.
const MOST_LOSSES: u32 = 64;

/// Told of a unit and a cell of it that is lost often: makes the unit's functions be compiled again. It
/// runs while compiled code of the unit does.
pub type OnUnsteady = fn(&LoadedUnit, usize);

static ON_UNSTEADY: OnceLock<OnUnsteady> = OnceLock::new();

/// Tells who makes the code of unsteady cells anew; the first answer stays.
pub fn set_on_unsteady(hook: OnUnsteady) {
    ON_UNSTEADY.get_or_init(|| hook);
}

/// Whether the assumption still holds; makes the cell valid again if so.
///
/// # Safety
/// The unit is loaded and has this cell; the thread is attached and no exception is set.
pub unsafe extern "C" fn cell_check(unit: *const LoadedUnit, number: i64) -> c_int {
    // SAFETY: the unit lives while its code runs.
    let unit = unsafe { &*unit };
    let number = position(number);
    let holds = revalidate(unit, number);
    if !holds
        && unit.count_loss(number) == MOST_LOSSES
        && let Some(hook) = ON_UNSTEADY.get()
    {
        hook(unit, number);
    }
    c_int::from(holds)
}

/// Whether the cell's assumption holds now; unlike [`cell_check`] this is nobody's use of it.
#[must_use]
pub fn holds(unit: &LoadedUnit, number: usize) -> bool {
    revalidate(unit, number)
}

/// Whether a write to a global name can be seen at all.
#[must_use]
pub fn can_watch() -> bool {
    running().layout.dict_version.is_some() || watch::is_watching()
}

/// Polls; 1 when a cell that held before does not any more, -1 with an exception.
///
/// # Safety
/// As [`super::enter::poll`]; the unit is loaded.
pub unsafe extern "C" fn poll_cells(state: *mut PyThreadState, unit: *const LoadedUnit) -> c_int {
    // SAFETY: the unit lives while its code runs.
    let unit = unsafe { &*unit };
    let held: Vec<usize> = (0..unit.meta().cells.len()).filter(|&number| revalidate(unit, number)).collect();
    // SAFETY: the caller's contract.
    if unsafe { super::enter::poll(state) } < 0 {
        return -1;
    }
    c_int::from(!held.into_iter().all(|number| revalidate(unit, number)))
}

/// Makes a cell valid if its name has the expected value now.
fn revalidate(unit: &LoadedUnit, number: usize) -> bool {
    // SAFETY: the thread is attached, as for every helper and while a unit is loaded.
    let py = unsafe { Python::assume_attached() };
    let spec = &unit.meta().cells[number];
    if matches!(spec.expected, GlobalFact::Method(_)) {
        return true;
    }
    let Some(found) = find(py, unit.globals(), unit.builtins(), &spec.path) else {
        // SAFETY: no exception was set before.
        unsafe { ffi::PyErr_Clear() };
        return false;
    };
    // SAFETY: the value is borrowed from a dict that nothing changes meanwhile.
    let value = unsafe { Bound::from_borrowed_ptr(py, found.value) };
    let holds = match &spec.expected {
        GlobalFact::Function(function) => stands_for(unit, function.index(), found.value),
        expected => facts::holds(&value, expected),
    };
    if !holds || !make_valid(unit, number, &found) {
        return false;
    }
    match spec.expected {
        // A unit that owned its own functions, or classes with its functions, would never die.
        GlobalFact::Function(_) => {}
        // SAFETY: the value is alive.
        GlobalFact::Class(identity) => unsafe { sealed::found(unit, identity, found.value) },
        _ => unit.expect(number, value),
    }
    true
}

/// The object that a cell expects, for an exit behind its guard.
///
/// # Errors
/// When there is no memory, or the cell never was valid.
pub(super) fn expected<'py>(
    py: Python<'py>,
    unit: &LoadedUnit,
    number: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if let GlobalFact::Function(function) | GlobalFact::Method(function) = unit.meta().cells[number].expected
    {
        let (owner, loaded) = unit.resolve(function.index());
        // SAFETY: the pointer is null once the callable is dead.
        let alive = unsafe { Bound::from_borrowed_ptr_or_opt(py, loaded.object.get()) };
        // Between guard and exit the name may have been rebound and the function have died; another
        // function of the same code does what it would have done.
        return alive.map_or_else(|| owner.new_function(py, loaded), Ok);
    }
    let known = unit.expected(py, number);
    known.ok_or_else(|| PyRuntimeError::new_err("an exit needs a cell that never was valid"))
}

/// Whether the object is the callable that now stands for the function.
fn stands_for(unit: &LoadedUnit, function: usize, value: *mut PyObject) -> bool {
    unit.resolve(function).1.callable.get() == value
}

/// A name as dicts hold it; none without memory.
fn interned<'py>(py: Python<'py>, name: &str) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the text is so many bytes of UTF-8; the function puts the one object of this name in the
    // place, or leaves what is there.
    unsafe {
        let mut text = ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len().cast_signed());
        if text.is_null() {
            return None;
        }
        ffi::PyUnicode_InternInPlace(&raw mut text);
        Bound::from_owned_ptr_or_opt(py, text)
    }
}

/// Looks a dotted name up as compiled code would; none when there is no such name or no plain namespace.
fn find<'py>(
    py: Python<'py>,
    globals: *mut PyObject,
    builtins: *mut PyObject,
    path: &str,
) -> Option<Found<'py>> {
    let (head, attribute) = match path.split_once('.') {
        Some((head, attribute)) => (head, Some(attribute)),
        None => (path, None),
    };
    let head = interned(py, head)?;
    let mut dicts = Vec::new();
    let mut value = std::ptr::null_mut();
    for namespace in [globals, builtins] {
        // SAFETY: both namespaces are alive; an exact dict answers for a str without running code.
        unsafe {
            if ffi::PyDict_CheckExact(namespace) == 0 {
                return None;
            }
            dicts.push((namespace, head.clone()));
            value = ffi::PyDict_GetItemWithError(namespace, head.as_ptr());
        }
        if !value.is_null() {
            break;
        }
    }
    if let (Some(attribute), false) = (attribute, value.is_null()) {
        let attribute = interned(py, attribute)?;
        // SAFETY: an exact module has a dict, which answers for a str without running code.
        unsafe {
            if ffi::PyModule_CheckExact(value) == 0 {
                return None;
            }
            let namespace = ffi::PyModule_GetDict(value);
            value = ffi::PyDict_GetItemWithError(namespace, attribute.as_ptr());
            dicts.push((namespace, attribute));
        }
    }
    (!value.is_null()).then_some(Found { value, dicts })
}

/// The value of a dotted global name, if compiled code could bet on it.
#[must_use]
pub fn lookup<'py>(
    globals: &Bound<'py, PyAny>,
    builtins: &Bound<'py, PyAny>,
    path: &str,
) -> Option<Bound<'py, PyAny>> {
    let py = globals.py();
    let found = find(py, globals.as_ptr(), builtins.as_ptr(), path);
    // SAFETY: borrowed from a dict that nothing changes meanwhile; a failed lookup leaves no exception.
    unsafe {
        if found.is_none() {
            ffi::PyErr_Clear();
        }
        found.map(|found| Bound::from_borrowed_ptr(py, found.value))
    }
}

/// Makes a cell valid; false where nothing would tell that a name changes.
fn make_valid(unit: &LoadedUnit, number: usize, found: &Found<'_>) -> bool {
    let offset = unit.layout().cell(number);
    let Some(tag) = running().layout.dict_version else {
        let watched = found.dicts.iter().all(|(dict, name)| is_watched(unit, number, *dict, name));
        if watched {
            unit.set_word(offset, 1);
        }
        return watched;
    };
    let pair = match found.dicts.as_slice() {
        [(only, _)] => [*only, *only],
        // Compiled code looks at one tag alone, which does not tell enough: it keeps asking.
        [_, _] if unit.meta().cells[number].watches_one_dict() => {
            clear(unit, number);
            return true;
        }
        [(first, _), (second, _)] => [*first, *second],
        _ => return false,
    };
    pair.into_iter().for_each(|dict| unit.pin(dict));
    set_tags(unit, offset, pair, tag);
    true
}

/// Lets a global's cache find the name's present value, if a change of it can be seen.
pub(super) fn learn_global(unit: &LoadedUnit, cache: usize, name: *mut PyObject) {
    // SAFETY: the thread is attached, as for every helper; the name is alive.
    let name = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), name) };
    let mut dicts = Vec::new();
    for namespace in [unit.globals(), unit.builtins()] {
        // SAFETY: both namespaces are alive; an exact dict answers for a str without running code.
        let value = unsafe {
            if ffi::PyDict_CheckExact(namespace) == 0 {
                return;
            }
            dicts.push((namespace, name.clone()));
            ffi::PyDict_GetItemWithError(namespace, name.as_ptr())
        };
        if !value.is_null() {
            return remember_global(unit, cache, &Found { value, dicts });
        }
    }
    // SAFETY: no exception was set before.
    unsafe { ffi::PyErr_Clear() };
}

fn remember_global(unit: &LoadedUnit, cache: usize, found: &Found<'_>) {
    let offset = unit.layout().cache(cache);
    let Some(tag) = running().layout.dict_version else {
        // Numbers behind those of the cells are caches to the watcher.
        let number = unit.meta().cells.len() + cache;
        if found.dicts.iter().all(|(dict, name)| is_watched(unit, number, *dict, name)) {
            unit.set_word(offset, word(found.value));
        }
        return;
    };
    let pair = match found.dicts.as_slice() {
        [(first, _), (second, _)] => [*first, *second],
        [(only, _)] => [*only, *only],
        _ => return,
    };
    set_tags(unit, offset, pair, tag);
    unit.set_word(offset + 4 * WORD, word(found.value));
}

/// Writes the addresses and values of the version tags of two dicts, which live as long as the words.
fn set_tags(unit: &LoadedUnit, offset: usize, pair: [*mut PyObject; 2], tag: i32) {
    for (place, dict) in pair.into_iter().enumerate() {
        // SAFETY: a live dict.
        let (address, version) = unsafe { (dict.byte_offset(tag as isize), field::<u64, _>(dict, tag)) };
        unit.set_word(offset + 2 * place * WORD, word(address));
        unit.set_word(offset + (2 * place + 1) * WORD, version);
    }
}

/// Has the cell cleared when the name changes in the dict.
fn is_watched(unit: &LoadedUnit, number: usize, dict: *mut PyObject, name: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the dict was found just now and is alive.
    unsafe { watch::watch(unit, number, dict, name) }
}

/// Makes a cell invalid until it is checked again; a number behind the cells' is that of a global's cache.
pub(super) fn clear(unit: &LoadedUnit, number: usize) {
    if let Some(cache) = number.checked_sub(unit.meta().cells.len()) {
        return caches::forget_global(unit, cache);
    }
    let offset = unit.layout().cell(number);
    let Some(tag) = running().layout.dict_version else {
        unit.set_word(offset, 0);
        return;
    };
    // A version tag is never 0, and the address must be one that can be read.
    let address = word(unit.globals().wrapping_byte_offset(tag as isize));
    for (place, value) in [address, 0, address, 0].into_iter().enumerate() {
        unit.set_word(offset + place * WORD, value);
    }
}

/// Tells all units that call a function which callable stands for it now; null for none.
pub(in crate::runtime) fn set_callable(owner: *const LoadedUnit, function: usize, callable: *mut PyObject) {
    watch::for_each_unit(|unit| {
        if std::ptr::eq(unit, owner) {
            unit.set_word(unit.layout().callable(function), word(callable));
        } else if unit.calls_others() {
            for number in 0..unit.functions().len() {
                let (home, there) = unit.home(number);
                if std::ptr::eq(home, owner) && there == function {
                    unit.set_word(unit.layout().callable(number), word(callable));
                }
            }
        }
    });
}

/// Clears every cell, in any unit, that bets on this function.
pub(in crate::runtime) fn clear_function(owner: *const LoadedUnit, function: usize) {
    watch::for_each_unit(|unit| {
        for (number, spec) in unit.meta().cells.iter().enumerate() {
            let GlobalFact::Function(id) = spec.expected else { continue };
            let is_same = match unit.functions()[id.index()].source {
                Source::Own { .. } | Source::Absent => std::ptr::eq(unit, owner) && id.index() == function,
                Source::Other { unit, number } => unit == owner && number == function,
            };
            if is_same {
                clear(unit, number);
            }
        }
    });
}
