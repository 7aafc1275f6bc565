//! The parts of sealed classes that are objects of their own: functions, the cells they close over, properties,
//! class methods and static methods. An audit hook refuses to change functions, [`refusals`](super::refusals)
//! the others.
//!
//! CPython raises the audit event `object.__setattr__` (or `object.__delattr__`) before it changes a function's
//! `__code__`, `__defaults__` or `__kwdefaults__`. The hook is installed with the first sealed class; it can't be taken
//! out again.

use std::cell::Cell;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::Once;
use std::sync::PoisonError;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use rustc_hash::FxHashMap;

use super::layout;

/// How many seals have the object, by its address; each keeps it alive.
static GUARDED: Mutex<Option<FxHashMap<usize, usize>>> = Mutex::new(None);
static INSTALLED: Once = Once::new();

thread_local! {
    /// Whether what happens is our own doing.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

fn guarded() -> MutexGuard<'static, Option<FxHashMap<usize, usize>>> {
    GUARDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guards the objects until [`release`].
pub(super) fn guard(py: Python<'_>, parts: Vec<Py<PyAny>>) -> PyResult<Vec<Py<PyAny>>> {
    let functions = layout::functions(py)?;
    let mut installed = Ok(());
    INSTALLED.call_once(|| {
        // SAFETY: the hook is a function of this library, which is never unloaded.
        if unsafe { (functions.add_audit_hook)(refuse, ptr::null_mut()) } < 0 {
            installed = Err(PyErr::fetch(py));
        }
    });
    installed?;
    super::refusals::install(py)?;
    let mut guarded = guarded();
    for part in &parts {
        *guarded.get_or_insert_default().entry(part.as_ptr().addr()).or_default() += 1;
    }
    Ok(parts)
}

/// Whether some sealed class has the object.
pub(super) fn is_guarded(object: *mut ffi::PyObject) -> bool {
    guarded().as_ref().is_some_and(|counts| counts.contains_key(&object.addr()))
}

/// Ends what [`guard`] began.
pub(super) fn release(parts: &[Py<PyAny>]) {
    let mut guarded = guarded();
    let Some(counts) = guarded.as_mut() else { return };
    for part in parts {
        let address = part.as_ptr().addr();
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}

/// Runs what changes a guarded function without changing what it does: checks go into its code.
pub(in crate::check) fn as_ours<R>(change: impl FnOnce() -> R) -> R {
    let before = OURS.replace(true);
    let result = change();
    OURS.set(before);
    result
}

/// The audit hook.
unsafe extern "C" fn refuse(event: *const c_char, args: *mut ffi::PyObject, _: *mut c_void) -> c_int {
    // SAFETY: the event is a C string.
    let event = unsafe { CStr::from_ptr(event) };
    if OURS.get() || args.is_null() || event != c"object.__setattr__" && event != c"object.__delattr__" {
        return 0;
    }
    // SAFETY: CPython raises these events attached, with a tuple of object, name and maybe value.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: as above.
    let args = unsafe { Bound::from_borrowed_ptr(py, args) };
    match refusal(&args) {
        Ok(None) => 0,
        Ok(Some(error)) | Err(error) => {
            error.restore(py);
            -1
        }
    }
}

fn refusal(args: &Bound<'_, PyAny>) -> PyResult<Option<PyErr>> {
    let function = args.get_item(0)?;
    if !is_guarded(function.as_ptr()) {
        return Ok(None);
    }
    let name: String = args.get_item(1)?.extract()?;
    if !["__code__", "__defaults__", "__kwdefaults__"].contains(&name.as_str()) {
        return Ok(None);
    }
    let method: String = function.getattr("__qualname__")?.extract()?;
    Ok(Some(PyTypeError::new_err(format!("{method}.{name} can't be set: its class is frozen"))))
}
