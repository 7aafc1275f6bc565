//! Functions that builtin types and modules lead to, replaced by ones that may refuse.
//!
//! CPython's descriptors and builtin functions lead to the C function they run through a pointer in a table.
//! Whoever reaches the function from Python goes through the pointer, so changing it is enough: the
//! interpreter's own calls of the C function are not touched. The structs are the same in CPython 3.11, 3.12 and 3.13.

use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;

/// The header, and what all descriptors have: type, name, qualified name.
const COMMON: usize = size_of::<PyObject>() + 3 * size_of::<*mut c_void>();

/// `initproc`: self, arguments, keywords or null.
pub type Init = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> c_int;
/// `setter`: self, value or null, closure.
pub type Setter = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void) -> c_int;
/// `wrapperfunc`: self, arguments, the slot's function.
pub type Wrapper = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void) -> *mut PyObject;
/// `_PyCFunctionFast`: module, arguments, their number.
pub type Fast = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;

const METH_FASTCALL: c_int = 0x80;

/// `PyWrapperDescrObject`, behind what all descriptors have.
#[repr(C)]
struct Wrapped {
    base: *mut WrapperBase,
    function: *mut c_void,
}

/// `struct wrapperbase`, as far as it is read.
#[repr(C)]
struct WrapperBase {
    name: *const c_char,
    offset: c_int,
    function: *mut c_void,
    wrapper: Wrapper,
}

fn unknown(what: &str) -> PyErr {
    PySystemError::new_err(format!("{what} of this interpreter is not laid out as known"))
}

/// What follows the common part of a descriptor of this type.
fn behind<T>(descriptor: &Bound<'_, PyAny>, kind: &str) -> PyResult<*mut T> {
    if descriptor.get_type().name()? != kind {
        return Err(unknown(kind));
    }
    // SAFETY: descriptors of both kinds are larger than the common part, which ends on a word.
    Ok(unsafe { descriptor.as_ptr().cast::<u8>().add(COMMON).cast::<T>() })
}

fn wrapped(descriptor: &Bound<'_, PyAny>, name: &CStr) -> PyResult<*mut Wrapped> {
    let found = behind::<Wrapped>(descriptor, "wrapper_descriptor")?;
    // SAFETY: a live wrapper descriptor, whose base says its name.
    let right = unsafe { CStr::from_ptr((*(*found).base).name) == name };
    if right { Ok(found) } else { Err(unknown("wrapper_descriptor")) }
}

/// A pointer to a function, in memory of CPython that is never freed and may be written.
pub struct Pointer<F>(*mut F);

// SAFETY: the place belongs to a builtin type or module; it is read and written by attached threads only.
unsafe impl<F: Send> Send for Pointer<F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for Pointer<F> {}

impl<F: Copy> Pointer<F> {
    /// The function that it leads to at present.
    #[must_use]
    pub fn get(&self) -> F {
        // SAFETY: the place is live.
        unsafe { self.0.read() }
    }

    /// Has it lead to another function.
    ///
    /// # Safety
    /// The function keeps the promises of the one before, and the thread is attached.
    pub unsafe fn set(&self, function: F) {
        // SAFETY: the place is live and may be written; whoever reads it is attached.
        unsafe { self.0.write(function) };
    }
}

/// What the `__init__` of a builtin type calls, as it is found in the type's namespace.
///
/// # Errors
/// When the descriptor is not laid out as known.
pub fn initialiser(descriptor: &Bound<'_, PyAny>) -> PyResult<Pointer<Init>> {
    let found = wrapped(descriptor, c"__init__")?;
    // SAFETY: a wrapper of `__init__` holds an `initproc`.
    Ok(Pointer(unsafe { (&raw mut (*found).function).cast() }))
}

/// What every wrapper of a slot of this name (`__setattr__`) calls.
///
/// # Errors
/// When the descriptor is not laid out as known.
pub fn wrapper(descriptor: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Pointer<Wrapper>> {
    let found = wrapped(descriptor, name)?;
    // SAFETY: the base is an element of CPython's table of slots.
    Ok(Pointer(unsafe { &raw mut (*(*found).base).wrapper }))
}

/// What a descriptor with a getter and a setter calls to set.
///
/// # Errors
/// When the descriptor is not laid out as known or has no setter.
pub fn setter(descriptor: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Pointer<Setter>> {
    let found = behind::<*mut ffi::PyGetSetDef>(descriptor, "getset_descriptor")?;
    // SAFETY: a live getset descriptor points to its definition, an element of a table of CPython.
    unsafe {
        let definition = *found;
        if (*definition).set.is_none() || CStr::from_ptr((*definition).name) != name {
            return Err(unknown("getset_descriptor"));
        }
        Ok(Pointer((&raw mut (*definition).set).cast()))
    }
}

/// What a builtin function that takes its arguments as an array calls.
///
/// # Errors
/// When the function is not laid out as known.
pub fn builtin(function: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Pointer<Fast>> {
    if function.get_type().name()? != "builtin_function_or_method" {
        return Err(unknown("builtin function"));
    }
    // SAFETY: the definition, an element of a table of the module, is the first field of a builtin function.
    unsafe {
        let place = function.as_ptr().cast::<u8>().add(size_of::<PyObject>()).cast::<*mut ffi::PyMethodDef>();
        let definition = place.read();
        if CStr::from_ptr((*definition).ml_name) != name || (*definition).ml_flags != METH_FASTCALL {
            return Err(unknown("builtin function"));
        }
        Ok(Pointer((&raw mut (*definition).ml_meth).cast()))
    }
}

/// What a descriptor of a slot (`object.__setattr__`) says the slot is.
///
/// # Safety
/// The object is a live `wrapper_descriptor`.
#[must_use]
pub unsafe fn wrapper_base(descriptor: *mut PyObject) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { (*descriptor.cast::<u8>().add(COMMON).cast::<Wrapped>()).base.cast() }
}
