//! The entry of a callable: the vectorcall function that the interpreter calls.
//!
//! On CPython 3.12 and later it is a field of the function itself; on 3.11, whose interpreter ignores
//! that field, of the native callable around it.

use pyo3::ffi;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;

use crate::cpython::object::field;
use crate::cpython::running;

use super::callable;

/// Whether the running interpreter calls the entry of a plain function.
pub(super) fn functions_have_entries() -> bool {
    running().symbols.watchers.is_some()
}

/// Replaces the entry of a callable.
///
/// # Safety
/// - The thread is attached; the object's memory is that of a function or a native callable.
/// - The entry stays valid until it is replaced or the callable is dead.
pub(super) unsafe fn put(callable: *mut ffi::PyObject, entry: vectorcallfunc) {
    // SAFETY: the caller's promise.
    unsafe {
        if callable::is_native(callable) {
            callable::set_entry(callable, entry);
        } else if let Some(watchers) = &running().symbols.watchers {
            (watchers.set_vectorcall)(callable, entry);
        }
    }
}

/// Makes the callable run its bytecode again.
///
/// # Safety
/// The thread is attached; the object's memory is that of a function or a native callable.
pub(super) unsafe fn put_plain(callable: *mut ffi::PyObject) {
    // SAFETY: the caller's promise; plain entries are always valid.
    unsafe {
        let plain =
            if callable::is_native(callable) { callable::call_function } else { running().plain_vectorcall };
        put(callable, plain);
    }
}

/// The entry of a callable now.
///
/// # Safety
/// The thread is attached and the object is a live function or native callable.
pub(super) unsafe fn get(callable: *mut ffi::PyObject) -> vectorcallfunc {
    // SAFETY: the caller's promise; both kinds always have an entry.
    unsafe {
        if callable::is_native(callable) {
            callable::entry(callable)
        } else {
            field(callable, running().layout.function.vectorcall)
        }
    }
}

/// The plain function behind a callable: itself, or what a native callable wraps.
pub(super) fn function_of<'py>(callable: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    callable::wrapped(callable).unwrap_or_else(|| callable.clone())
}
