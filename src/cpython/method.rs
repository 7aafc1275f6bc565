//! Methods of builtin classes, read straight from their descriptors. The structs are the same in CPython 3.11, 3.12 and
//! 3.13.

use std::ffi::CStr;
use std::ptr;

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::ffi::PyMethodDef;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyList;

use super::object::field;
use super::object::type_of;
use super::running;

/// `PyMethodDescrObject`, as far as it is read.
#[repr(C)]
struct Descriptor {
    header: PyObject,
    class: *mut PyTypeObject,
    name: *mut PyObject,
    qualname: *mut PyObject,
    definition: *const PyMethodDef,
}

/// Whether methods of the running interpreter are laid out as told.
pub(super) fn is_as_told(py: Python<'_>) -> PyResult<bool> {
    let class = py.get_type::<PyList>();
    let named = |name: &str| class.getattr(name);
    let (one, array) = (named("append")?, named("insert")?);
    let mut told = true;
    for (descriptor, name) in [(&one, c"append"), (&array, c"insert")] {
        // SAFETY: methods of `list` stay its own for ever; the class is compared before the rest is read.
        told &= unsafe {
            let found = descriptor.as_ptr().cast::<Descriptor>();
            (*found).class.cast() == class.as_ptr() && CStr::from_ptr((*(*found).definition).ml_name) == name
        };
    }
    if !told {
        return Ok(false);
    }
    // SAFETY: as told above.
    let functions = unsafe { [function_of(one.as_ptr(), 1), function_of(array.as_ptr(), 2)] };
    Ok(matches!(functions, [Some(Function::One(_)), Some(Function::Array(_))]))
}

/// The function and the object of a bound method, borrowed; none for any other object.
///
/// # Safety
/// The object is alive.
#[inline]
pub unsafe fn bound(object: *mut PyObject) -> Option<(*mut PyObject, *mut PyObject)> {
    let running = running();
    // SAFETY: the type is tested before the fields are read: the function, and the object behind it.
    unsafe {
        if type_of(object) as usize != running.method_type {
            return None;
        }
        let place = running.layout.method_function;
        Some((field(object, place), field(object, place + 8)))
    }
}

/// The class that a method descriptor is of.
///
/// # Safety
/// The object is a live `method_descriptor`.
#[inline]
pub unsafe fn class_of(descriptor: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: the caller's contract.
    unsafe { (*descriptor.cast::<Descriptor>()).class }
}

/// The C function of a method, by how it takes its arguments.
#[derive(Clone, Copy)]
pub enum Function {
    /// By itself, or null where there is none.
    One(ffi::PyCFunction),
    /// As an array and its length.
    Array(ffi::PyCFunctionFast),
    /// As an array, its length, and the names of those given by name.
    ArrayAndNames(ffi::PyCFunctionFastWithKeywords),
}

/// The C function of a method descriptor that takes so many arguments by position behind the object; none where it must
/// be asked in another way.
///
/// # Safety
/// The object is a live `method_descriptor`.
#[inline]
pub unsafe fn function_of(descriptor: *mut PyObject, args: usize) -> Option<Function> {
    // SAFETY: the definition lives as long as its class; which member of the union it has is what its flags say.
    unsafe {
        let definition = &*(*descriptor.cast::<Descriptor>()).definition;
        match (definition.ml_flags & !ffi::METH_COEXIST, args) {
            (ffi::METH_NOARGS, 0) | (ffi::METH_O, 1) => Some(Function::One(definition.ml_meth.PyCFunction)),
            (ffi::METH_FASTCALL, _) => Some(Function::Array(definition.ml_meth.PyCFunctionFast)),
            (flags, _) if flags == ffi::METH_FASTCALL | ffi::METH_KEYWORDS => {
                Some(Function::ArrayAndNames(definition.ml_meth.PyCFunctionFastWithKeywords))
            }
            _ => None,
        }
    }
}

impl Function {
    /// Calls it with an object of its class and as many arguments as it was looked up for.
    ///
    /// # Safety
    /// All objects are alive, the thread is attached.
    #[inline]
    pub unsafe fn call(self, object: *mut PyObject, args: &[*mut PyObject]) -> *mut PyObject {
        // SAFETY: the caller's contract.
        unsafe {
            match self {
                Function::One(function) => function(object, args.first().copied().unwrap_or(ptr::null_mut())),
                Function::Array(function) => {
                    function(object, args.as_ptr().cast_mut(), args.len().cast_signed())
                }
                Function::ArrayAndNames(function) => {
                    function(object, args.as_ptr(), args.len().cast_signed(), ptr::null_mut())
                }
            }
        }
    }
}
