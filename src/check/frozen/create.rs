//! The constructor of a sealed class: what its generated `__init__` does, without a frame.
//!
//! A call that is not plainly right goes through `type.__call__`, whose `__init__` raises CPython's own words.

use std::ptr;

use pyo3::PyResult;
use pyo3::PyTraverseError;
use pyo3::PyVisit;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyType;

use super::Given;
use super::Seal;
use super::seal_of;
use super::slots;
use crate::cpython::class;

/// More parameters than this go through `__init__`.
const MAX_PARAMETERS: usize = 24;

/// `PY_VECTORCALL_ARGUMENTS_OFFSET`
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// Where a field's value comes from.
struct Source {
    /// The parameter's number, positional ones first.
    parameter: Option<usize>,
    default: Option<Py<PyAny>>,
    factory: Option<Py<PyAny>>,
}

/// What the constructor does, field by field.
pub(super) struct Recipe {
    sources: Box<[Source]>,
    /// The parameters' names.
    names: Box<[Py<PyString>]>,
    /// How many of them take positional arguments.
    positional: usize,
    post_init: Option<Py<PyString>>,
}

impl Recipe {
    /// Reads what is said of the fields.
    pub(super) fn new(py: Python<'_>, given: &[Given<'_>], post_init: bool) -> Recipe {
        let mut order: Vec<usize> =
            (0..given.len()).filter(|&number| given[number].1 && !given[number].2).collect();
        let positional = order.len();
        order.extend((0..given.len()).filter(|&number| given[number].1 && given[number].2));
        let sources = given.iter().enumerate().map(|(number, (_, _, _, default, factory))| Source {
            parameter: order.iter().position(|&other| other == number),
            default: default.as_ref().map(|(default,)| default.clone_ref(py)),
            factory: factory.as_ref().map(|factory| factory.clone_ref(py)),
        });
        Recipe {
            sources: sources.collect(),
            names: order.iter().map(|&number| super::interned(&given[number].0)).collect(),
            positional,
            post_init: post_init.then(|| intern!(py, "__post_init__").clone().unbind()),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for source in &self.sources {
            visit.call(&source.default)?;
            visit.call(&source.factory)?;
        }
        Ok(())
    }

    /// The number of the parameter that a keyword names.
    fn parameter(&self, name: *mut ffi::PyObject) -> Option<usize> {
        let same = |own: &Py<PyString>| own.as_ptr() == name;
        self.names.iter().position(same).or_else(|| {
            // SAFETY: keywords are live strings.
            let same = |own: &Py<PyString>| unsafe { ffi::PyUnicode_Compare(own.as_ptr(), name) == 0 };
            self.names.iter().position(same)
        })
    }

    /// Puts the arguments in the order of the parameters; false where the call is not plainly right.
    ///
    /// # Safety
    /// The arguments are those of a vectorcall.
    #[inline]
    unsafe fn bind(
        &self,
        bound: &mut [*mut ffi::PyObject; MAX_PARAMETERS],
        args: *const *mut ffi::PyObject,
        count: usize,
        names: *mut ffi::PyObject,
    ) -> bool {
        if count > self.positional || self.names.len() > MAX_PARAMETERS {
            return false;
        }
        // SAFETY: the caller's promise: the keywords' values follow the positional arguments.
        unsafe {
            for (number, slot) in bound.iter_mut().enumerate().take(count) {
                *slot = *args.add(number);
            }
            if !names.is_null() {
                for number in 0..ffi::PyTuple_Size(names) {
                    let Some(parameter) = self.parameter(ffi::PyTuple_GetItem(names, number)) else {
                        return false;
                    };
                    if !bound[parameter].is_null() {
                        return false;
                    }
                    bound[parameter] = *args.add(count + number.cast_unsigned());
                }
            }
        }
        self.sources.iter().all(|source| match source.parameter {
            Some(parameter) => {
                !bound[parameter].is_null() || source.default.is_some() || source.factory.is_some()
            }
            None => true,
        })
    }
}

/// `tp_vectorcall`
///
/// # Safety
/// CPython calls it, attached, with the class and the arguments of a vectorcall.
pub(super) unsafe extern "C" fn construct(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the callable is a sealed class, for subclasses don't inherit the field.
    unsafe {
        let class: *mut ffi::PyTypeObject = callable.cast();
        let (seal, sealed) = seal_of(class);
        let count = nargsf & !ARGUMENTS_OFFSET;
        let mut bound = [ptr::null_mut(); MAX_PARAMETERS];
        if let Some(recipe) = &seal.recipe
            && sealed.cast() == class
            && (*sealed).flags & class::FLAG_ABSTRACT == 0
            && recipe.bind(&mut bound, args, count, names)
        {
            let made = make(seal, recipe, class, &bound);
            return made.unwrap_or_else(|error| {
                error.restore(Python::assume_attached());
                ptr::null_mut()
            });
        }
        call_slowly(callable, args, count, names)
    }
}

/// An instance with these arguments.
#[inline]
unsafe fn make(
    seal: &Seal,
    recipe: &Recipe,
    class: *mut ffi::PyTypeObject,
    bound: &[*mut ffi::PyObject; MAX_PARAMETERS],
) -> PyResult<*mut ffi::PyObject> {
    // SAFETY: the class is live; what is allocated is an instance with all fields unset. It is dropped when a
    // step fails.
    unsafe {
        let py = Python::assume_attached();
        let object = Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(class, 0))?;
        for (field, source) in seal.fields.iter().zip(&recipe.sources) {
            let given = source.parameter.map_or(ptr::null_mut(), |parameter| bound[parameter]);
            if !given.is_null() {
                slots::store(seal, field, object.as_ptr(), Bound::ref_from_ptr(py, &given))?;
            } else if let Some(factory) = &source.factory {
                let value = factory.bind(py).call0()?;
                slots::store(seal, field, object.as_ptr(), &value)?;
            } else if let Some(default) = &source.default {
                slots::store(seal, field, object.as_ptr(), default.bind(py))?;
            }
        }
        if let Some(name) = &recipe.post_init {
            object.call_method0(name.bind(py))?;
        }
        Ok(object.into_ptr())
    }
}

/// `type.__call__`, for whatever is wrong or rare.
#[cold]
unsafe fn call_slowly(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let called = || -> PyResult<*mut ffi::PyObject> {
        // SAFETY: the arguments of a vectorcall.
        unsafe {
            let py = Python::assume_attached();
            let positional = PyTuple::new(
                py,
                (0..count).map(|number| Bound::from_borrowed_ptr(py, *args.add(number))).collect::<Vec<_>>(),
            )?;
            let keywords = PyDict::new(py);
            if !names.is_null() {
                for number in 0..ffi::PyTuple_Size(names) {
                    let name = Bound::from_borrowed_ptr(py, ffi::PyTuple_GetItem(names, number));
                    let value = Bound::from_borrowed_ptr(py, *args.add(count + number.cast_unsigned()));
                    keywords.set_item(name, value)?;
                }
            }
            let class = Bound::from_borrowed_ptr(py, callable);
            let call = py.get_type::<PyType>();
            let call: ffi::ternaryfunc =
                std::mem::transmute(ffi::PyType_GetSlot(call.as_ptr().cast(), ffi::Py_tp_call));
            let made = call(class.as_ptr(), positional.as_ptr(), keywords.as_ptr());
            Ok(Bound::from_owned_ptr_or_err(py, made)?.into_ptr())
        }
    };
    called().unwrap_or_else(|error| {
        // SAFETY: CPython called, so the thread is attached.
        error.restore(unsafe { Python::assume_attached() });
        ptr::null_mut()
    })
}
