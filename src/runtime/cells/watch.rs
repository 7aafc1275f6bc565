//! The one dict watcher: which cells depend on which name in which dict.
//!
//! The tables are touched by attached threads only, so their lock is never waited for; it is not held
//! while anything is dropped or Python runs.

use std::ffi::c_int;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use rustc_hash::FxHashMap;

use crate::cpython::running;

use crate::runtime::unit::LoadedUnit;

/// Dict events, by CPython's numbers.
const CLONED: c_int = 3;
const DEALLOCATED: c_int = 5;

/// The address of a loaded unit.
#[derive(Clone, Copy, PartialEq, Eq)]
struct UnitAddress(*const LoadedUnit);

// SAFETY: the address is used only by attached threads, while the unit is loaded.
unsafe impl Send for UnitAddress {}

/// A name of a watched dict and the cells that depend on it.
struct WatchedName {
    name: Py<PyAny>,
    hash: isize,
    cells: Vec<(UnitAddress, usize)>,
}

impl WatchedName {
    /// Gives the name back at once: PyO3, which compiled code does not tell that it runs, would keep it.
    fn drop_now(self) {
        // SAFETY: the thread is attached, as for every helper and wherever a unit or a dict dies.
        self.name.drop_ref(unsafe { Python::assume_attached() });
    }
}

#[derive(Default)]
struct Tables {
    units: Vec<UnitAddress>,
    dicts: FxHashMap<usize, Vec<WatchedName>>,
}

static TABLES: Mutex<Option<Tables>> = Mutex::new(None);
static WATCHER: OnceLock<Option<c_int>> = OnceLock::new();

fn tables() -> MutexGuard<'static, Option<Tables>> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with<R>(use_tables: impl FnOnce(&mut Tables) -> R) -> R {
    use_tables(tables().get_or_insert_default())
}

/// Adds a unit to the list of loaded ones.
pub fn add_unit(unit: &LoadedUnit) {
    with(|tables| tables.units.push(UnitAddress(unit)));
}

/// Removes a unit that is being dropped, with everything that points to it.
pub fn remove_unit(unit: &LoadedUnit) {
    let address = UnitAddress(unit);
    let names = with(|tables| {
        tables.units.retain(|known| *known != address);
        for names in tables.dicts.values_mut() {
            for name in names.iter_mut() {
                name.cells.retain(|(owner, _)| *owner != address);
            }
        }
        let mut unused = Vec::new();
        tables.dicts.retain(|_, names| {
            unused.extend(names.extract_if(.., |name| name.cells.is_empty()));
            !names.is_empty()
        });
        unused
    });
    names.into_iter().for_each(WatchedName::drop_now);
}

/// Calls `visit` with each loaded unit.
pub fn for_each_unit(visit: impl Fn(&LoadedUnit)) {
    let units = with(|tables| tables.units.clone());
    for UnitAddress(unit) in units {
        // SAFETY: units leave the list before they are dropped, and dropping needs the attached thread.
        visit(unsafe { &*unit });
    }
}

/// The id of the one watcher; none where the process has no more of them.
fn watcher() -> Option<c_int> {
    *WATCHER.get_or_init(|| {
        let watchers = running().symbols.watchers?;
        // SAFETY: the callback is static; a failure leaves an exception, which is dropped.
        unsafe {
            let id = (watchers.dict_add)(on_event);
            if id < 0 {
                ffi::PyErr_Clear();
                return None;
            }
            Some(id)
        }
    })
}

/// Whether there is a watcher.
pub(super) fn is_watching() -> bool {
    watcher().is_some()
}

/// Has the cell cleared when the name changes in the dict; false where that can't be had.
///
/// # Safety
/// The dict is alive, the thread is attached.
pub unsafe fn watch(unit: &LoadedUnit, number: usize, dict: *mut PyObject, name: &Bound<'_, PyAny>) -> bool {
    let (Some(watchers), Some(id)) = (running().symbols.watchers, watcher()) else { return false };
    let cell = (UnitAddress(unit), number);
    // SAFETY: an exact str has a hash.
    let hash = unsafe { ffi::PyObject_Hash(name.as_ptr()) };
    let is_new = with(|tables| {
        let is_new = !tables.dicts.contains_key(&(dict as usize));
        let names = tables.dicts.entry(dict as usize).or_default();
        match names.iter_mut().find(|known| known.name.as_ptr() == name.as_ptr()) {
            Some(known) if known.cells.contains(&cell) => {}
            Some(known) => known.cells.push(cell),
            None => names.push(WatchedName { name: name.clone().unbind(), hash, cells: vec![cell] }),
        }
        is_new
    });
    // SAFETY: a live dict; a failure leaves an exception, which is dropped.
    unsafe {
        if is_new && (watchers.dict_watch)(id, dict) < 0 {
            ffi::PyErr_Clear();
            return false;
        }
    }
    true
}

unsafe extern "C" fn on_event(
    event: c_int,
    dict: *mut PyObject,
    key: *mut PyObject,
    _value: *mut PyObject,
) -> c_int {
    let (changed, dead) = with(|tables| {
        let Some(names) = tables.dicts.get(&(dict as usize)) else { return (Vec::new(), None) };
        // SAFETY: the key of an event about one item is alive.
        let is_hit = |name: &WatchedName| event >= CLONED || unsafe { may_be(name, key) };
        let changed: Vec<_> =
            names.iter().filter(|name| is_hit(name)).flat_map(|name| name.cells.clone()).collect();
        let dead = if event == DEALLOCATED { tables.dicts.remove(&(dict as usize)) } else { None };
        (changed, dead)
    });
    for (UnitAddress(unit), number) in changed {
        // SAFETY: units leave the tables before they are dropped.
        super::clear(unsafe { &*unit }, number);
    }
    dead.into_iter().flatten().for_each(WatchedName::drop_now);
    0
}

/// Whether the key may be equal to the name; never runs code.
unsafe fn may_be(name: &WatchedName, key: *mut PyObject) -> bool {
    if name.name.as_ptr() == key {
        return true;
    }
    // SAFETY: the caller passes a live object; the hash of an exact str is a field or computed from its text.
    unsafe { ffi::PyUnicode_CheckExact(key) == 0 || ffi::PyObject_Hash(key) == name.hash }
}
