//! The fields of a Python function.

use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;

use super::layout::Layout;
use super::object::field;

/// The fields of a function, borrowed; null where Python says None.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// `__code__`
    pub code: *mut PyObject,
    /// `__globals__`
    pub globals: *mut PyObject,
    /// `__builtins__`
    pub builtins: *mut PyObject,
    /// `__defaults__`
    pub defaults: *mut PyObject,
    /// `__kwdefaults__`
    pub kwdefaults: *mut PyObject,
    /// `__closure__`
    pub closure: *mut PyObject,
}

/// Reads a function's fields.
///
/// # Safety
/// The object is a Python function (`types.FunctionType`) laid out as told.
#[must_use]
pub unsafe fn fields(layout: &Layout, function: *mut PyObject) -> Fields {
    let places = &layout.function;
    // SAFETY: the fields stand there in every function.
    unsafe {
        Fields {
            code: field(function, places.code),
            globals: field(function, places.globals),
            builtins: field(function, places.builtins),
            defaults: field(function, places.defaults),
            kwdefaults: field(function, places.kwdefaults),
            closure: field(function, places.closure),
        }
    }
}

/// The vectorcall function of a function.
///
/// # Safety
/// As [`fields`].
#[must_use]
pub unsafe fn vectorcall(layout: &Layout, function: *mut PyObject) -> Option<vectorcallfunc> {
    // SAFETY: the pointer stands there in every function, null or a vectorcall function.
    unsafe { field(function, layout.function.vectorcall) }
}
