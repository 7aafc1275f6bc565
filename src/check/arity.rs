//! With how many positional arguments a Python function can be called, read from its code.

use std::ptr;

use pyo3::ffi;

use crate::cpython;
use crate::cpython::object;

const CO_VARARGS: u32 = 4;

/// What `Callable[[...], ...]` asks of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// How many positional arguments it is called with; none where the annotation does not say.
    pub count: Option<u32>,
    /// Whether there may be more.
    pub more: bool,
}

impl Arity {
    /// Whether the value is a Python function, or a method of one, that can be called so; false where that
    /// is not seen at once.
    ///
    /// # Safety
    /// The value is alive, and the thread is attached.
    pub(super) unsafe fn fits(self, value: *mut ffi::PyObject) -> bool {
        let running = cpython::running();
        // SAFETY: the value is alive, and the type tells what it is.
        unsafe {
            let class = ffi::Py_TYPE(value) as usize;
            if class == running.function_type {
                return self.fits_function(value, 0);
            }
            if class == &raw mut ffi::PyCFunction_Type as usize {
                return self.fits_builtin(value);
            }
            if class != running.method_type {
                return self.count.is_none() && ffi::PyCallable_Check(value) != 0;
            }
            let function: *mut ffi::PyObject = object::field(value, running.layout.method_function);
            ffi::Py_TYPE(function) as usize == running.function_type && self.fits_function(function, 1)
        }
    }

    /// Whether the calling convention alone says that a built-in function fits.
    ///
    /// # Safety
    /// The object is a built-in function or a bound method of a built-in class.
    unsafe fn fits_builtin(self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        let flags = unsafe { ffi::PyCFunction_GetFlags(value) };
        match self.count {
            None => true,
            Some(0) => flags & ffi::METH_NOARGS != 0,
            Some(1) => flags & ffi::METH_O != 0,
            Some(_) => false,
        }
    }

    /// # Safety
    /// The object is a Python function; `bound` arguments come before those of the call.
    unsafe fn fits_function(self, function: *mut ffi::PyObject, bound: u32) -> bool {
        let Some(count) = self.count else { return true };
        let layout = cpython::running().layout;
        // SAFETY: a function has a code object and defaults, a tuple or null.
        unsafe {
            let code: *mut ffi::PyObject = object::field(function, layout.function.code);
            let flags: u32 = object::field(code, layout.code.flags);
            let positional: u32 = object::field(code, layout.code.positional);
            let keyword_only: u32 = object::field(code, layout.code.keyword_only);
            let defaults: *mut ffi::PyObject = object::field(function, layout.function.defaults);
            let optional = if ptr::eq(defaults, ptr::null()) || ffi::PyTuple_CheckExact(defaults) == 0 {
                0
            } else {
                object::tuple_items(layout, defaults).len()
            };
            let given = count + bound;
            let enough = self.more || given as usize + optional >= positional as usize;
            let few = flags & CO_VARARGS != 0 || given <= positional;
            enough && few && (keyword_only == 0 || self.more)
        }
    }
}
