//! Which callable stands for which compiled function, and what happens when the function changes.
//!
//! On CPython 3.12 and later the callable is the function itself, with its vectorcall replaced, and a
//! function watcher tells of changes. On 3.11 it is a native callable, which tells by calling
//! [`stop_betting`] and [`callable_died`].
//!
//! - A new `__code__` ends the compiled function: the plain vectorcall is put back.
//! - New `__defaults__` or `__kwdefaults__` leave the entry in place, since `call_slow` reads both live;
//!   direct calls pass every parameter and bake nothing, but a caller's *specialised* code may have
//!   filled in a default of that time, so cells that bet on the function never hold again. What
//!   is written into the `__kwdefaults__` dict is seen by `call_slow` alone: no direct call may fill in
//!   a keyword-only default.

use std::ffi::c_int;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use rustc_hash::FxHashMap;

use crate::cpython::object::type_of;
use crate::cpython::running;

use super::cells;
use super::unit::LoadedUnit;

/// Function events, by CPython's numbers.
const CREATED: c_int = 0;
const DESTROYED: c_int = 1;
const CODE_CHANGED: c_int = 2;
const DEFAULTS_CHANGED: c_int = 3;
const KWDEFAULTS_CHANGED: c_int = 4;

/// How a native callable leads to the Python function it stands for (borrowed).
pub type FunctionAccessor = unsafe fn(*mut PyObject) -> *mut PyObject;

static ACCESSOR: OnceLock<FunctionAccessor> = OnceLock::new();
/// Who is shown functions that are made: modules being imported and built modules.
static CREATION: [OnceLock<unsafe fn(*mut PyObject)>; 2] = [const { OnceLock::new() }; 2];
/// Whether functions are made that are nobody's.
static UNSEEN: AtomicBool = AtomicBool::new(false);
static WATCHER: OnceLock<bool> = OnceLock::new();
static INSTALLED: Mutex<Option<FxHashMap<usize, Installed>>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Installed {
    unit: *const LoadedUnit,
    number: usize,
    /// Whether the callable still runs the compiled function.
    runs: bool,
}

// SAFETY: the address is used only by attached threads, while the unit is loaded.
unsafe impl Send for Installed {}

fn with<R>(use_table: impl FnOnce(&mut FxHashMap<usize, Installed>) -> R) -> R {
    use_table(INSTALLED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Has each function that is made shown to this too, before it has defaults or cells. It must not run Python.
///
/// # Panics
/// Where more ask for it than there are places.
pub fn watch_creation(created: unsafe fn(*mut PyObject)) {
    let is_known = CREATION.iter().any(|place| std::ptr::fn_addr_eq(*place.get_or_init(|| created), created));
    assert!(is_known, "there is a place for each of the two who ask");
}

/// Makes functions that stand in frames and are called by nobody, so that none of them is taken for one that a `def`
/// has made. The thread is attached meanwhile, and runs no Python.
pub fn make_unseen<R>(make: impl FnOnce() -> R) -> R {
    let before = UNSEEN.swap(true, Ordering::Relaxed);
    let made = make();
    UNSEEN.store(before, Ordering::Relaxed);
    made
}

/// Tells how native callables lead to their functions; the first answer stays.
pub fn set_function_accessor(accessor: FunctionAccessor) {
    ACCESSOR.get_or_init(|| accessor);
}

/// The Python function that a callable is or stands for, borrowed.
///
/// # Safety
/// The callable is a Python function, or of the native type whose accessor was set.
#[must_use]
pub unsafe fn function_of(callable: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if type_of(callable) as usize == running().function_type {
            return callable;
        }
        match ACCESSOR.get() {
            Some(accessor) => accessor(callable),
            None => callable,
        }
    }
}

/// Makes the compiled function what the function object runs (CPython 3.12 and later).
///
/// # Errors
/// When no function watcher is left, so that a change of the function would not be seen.
///
/// # Safety
/// - The unit is loaded and is never dropped while the function lives.
/// - `function` is a Python function whose code is that of the unit's function of this number.
pub unsafe fn install(unit: *const LoadedUnit, number: usize, function: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(watchers) = running().symbols.watchers.filter(|_| is_watching()) else {
        return Err(PyRuntimeError::new_err("functions of this interpreter can't be watched"));
    };
    // SAFETY: a live function and the entry that was compiled for it.
    unsafe {
        register(unit, number, function.as_ptr());
        (watchers.set_vectorcall)(function.as_ptr(), (*unit).entry(number));
    }
    Ok(())
}

/// Puts a function's plain vectorcall back and lets no cell bet on it any more.
///
/// # Safety
/// `function` is a live Python function.
pub unsafe fn uninstall(function: *mut PyObject) {
    stop_betting(function);
    let did_run = with(|installed| {
        let found = installed.get_mut(&(function as usize));
        found.is_some_and(|found| std::mem::replace(&mut found.runs, false))
    });
    if let (true, Some(watchers)) = (did_run, running().symbols.watchers) {
        // SAFETY: the caller's contract.
        unsafe { (watchers.set_vectorcall)(function, running().plain_vectorcall) };
    }
}

/// Records that this callable stands for the function from now on.
///
/// # Safety
/// - The unit is loaded and is never dropped while the callable lives.
/// - The death of the callable is told: by the function watcher, or by [`callable_died`].
pub unsafe fn register(unit: *const LoadedUnit, number: usize, callable: *mut PyObject) {
    stop_betting(callable);
    let made = Installed { unit, number, runs: true };
    let before = with(|installed| installed.insert(callable as usize, made));
    if let Some(before) = before
        && !std::ptr::eq(before.unit, unit)
    {
        // SAFETY: the unit outlives the callable. Nobody tells it any more when that dies.
        unsafe { (&*before.unit).functions()[before.number].object.set(std::ptr::null_mut()) };
    }
    // SAFETY: the unit is loaded.
    unsafe {
        let loaded = &(&*unit).functions()[number];
        loaded.callable.set(callable);
        cells::set_callable(unit, number, callable);
        loaded.object.set(callable);
    }
}

/// The unit and function number that a callable stands for.
#[must_use]
pub fn installed(callable: *mut PyObject) -> Option<(*const LoadedUnit, usize)> {
    let found = with(|installed| installed.get(&(callable as usize)).copied())?;
    found.runs.then_some((found.unit, found.number))
}

/// A native callable is being deallocated.
pub fn callable_died(callable: *mut PyObject) {
    stop_betting(callable);
    let Some(dead) = with(|installed| installed.remove(&(callable as usize))) else { return };
    // SAFETY: the unit outlives the callable.
    let loaded = unsafe { &(&*dead.unit).functions()[dead.number] };
    if loaded.object.get() == callable {
        loaded.object.set(std::ptr::null_mut());
    }
}

/// Lets no cell bet on the callable any more: it got new defaults or another code, or is compiled anew.
pub fn stop_betting(callable: *mut PyObject) {
    let Some((unit, number)) = installed(callable) else { return };
    // SAFETY: the unit outlives the callable.
    let loaded = unsafe { &(&*unit).functions()[number] };
    if loaded.callable.get() == callable {
        loaded.callable.set(std::ptr::null_mut());
        cells::set_callable(unit, number, std::ptr::null_mut());
        cells::clear_function(unit, number);
    }
}

/// Starts the function watcher; false where the process has no more of them.
#[must_use]
pub fn is_watching() -> bool {
    *WATCHER.get_or_init(|| {
        let Some(watchers) = running().symbols.watchers else { return false };
        // SAFETY: the callback is static; a failure leaves an exception, which is dropped.
        unsafe {
            let is_added = (watchers.function_add)(on_event) >= 0;
            if !is_added {
                ffi::PyErr_Clear();
            }
            is_added
        }
    })
}

unsafe extern "C" fn on_event(event: c_int, function: *mut PyObject, _value: *mut PyObject) -> c_int {
    match event {
        CREATED if UNSEEN.load(Ordering::Relaxed) => {}
        CREATED => {
            for created in CREATION.iter().filter_map(OnceLock::get) {
                // SAFETY: the event is about a live function.
                unsafe { created(function) };
            }
        }
        DESTROYED => callable_died(function),
        // SAFETY: the event is about a live function.
        CODE_CHANGED => unsafe { uninstall(function) },
        DEFAULTS_CHANGED | KWDEFAULTS_CHANGED => stop_betting(function),
        _ => {}
    }
    0
}
