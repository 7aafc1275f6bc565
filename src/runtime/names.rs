//! Names that helpers look attributes up by, interned: CPython's method cache keeps what it was last asked for, so that
//! a name made for each look-up would stay alive in it.

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A name that the runtime asks for.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Args,
    Derive,
    Exceptions,
    Get,
    /// Of a `NameError`.
    Missing,
    Notes,
    SetState,
    Split,
    TracebackFrame,
    TracebackNext,
}

/// In the order of [`Name`].
const TEXTS: [&str; 10] = [
    "args",
    "derive",
    "exceptions",
    "__get__",
    "name",
    "__notes__",
    "__setstate__",
    "split",
    "tb_frame",
    "tb_next",
];

/// Addresses of strings that live for ever.
static NAMES: OnceLock<[usize; TEXTS.len()]> = OnceLock::new();

/// Interns the names, before any code runs.
pub(super) fn find(py: Python<'_>) {
    NAMES.get_or_init(|| TEXTS.map(|text| PyString::intern(py, text).into_ptr() as usize));
}

impl Name {
    fn as_ptr(self) -> *mut PyObject {
        NAMES.get().expect("the runtime was started before any code runs")[self as usize] as *mut PyObject
    }

    /// The string.
    pub(super) fn text(self, py: Python<'_>) -> Borrowed<'_, '_, PyString> {
        // SAFETY: a string, which lives for ever.
        unsafe { Borrowed::from_ptr(py, self.as_ptr()).cast_unchecked() }
    }

    /// The object's attribute of this name, a new reference; null, with an exception, where it has none.
    ///
    /// # Safety
    /// The object is alive, the thread is attached.
    pub(super) unsafe fn of(self, object: *mut PyObject) -> *mut PyObject {
        // SAFETY: the caller's contract; the name lives for ever.
        unsafe { ffi::PyObject_GetAttr(object, self.as_ptr()) }
    }

    /// Calls the object's method of this name with one argument; null, with an exception, where that fails.
    ///
    /// # Safety
    /// Both objects are alive, the thread is attached.
    pub(super) unsafe fn call(self, object: *mut PyObject, arg: *mut PyObject) -> *mut PyObject {
        let end = std::ptr::null_mut::<PyObject>();
        // SAFETY: the caller's contract; the name lives for ever, and null ends the arguments.
        unsafe { ffi::PyObject_CallMethodObjArgs(object, self.as_ptr(), arg, end) }
    }

    /// Sets the object's attribute of this name; below zero, with an exception, where that fails.
    ///
    /// # Safety
    /// Both objects are alive, the thread is attached.
    pub(super) unsafe fn set(self, object: *mut PyObject, value: *mut PyObject) -> std::ffi::c_int {
        // SAFETY: the caller's contract; the name lives for ever.
        unsafe { ffi::PyObject_SetAttr(object, self.as_ptr(), value) }
    }
}
