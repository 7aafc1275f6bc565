//! The object that stands in woven bytecode: `del checker[value]` raises when the value breaks its promise.
//!
//! Deleting an item is the cheapest way by which an instruction calls foreign code and leaves nothing on
//! the stack. The type is made by hand, so that the slot is reached without a conversion: a value whose
//! class is one of the first exact ones passes after one comparison each.

use std::ffi::c_int;
use std::ffi::c_void;
use std::mem;
use std::ptr;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyModule;
use pyo3::prelude::PyModuleMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;

use super::function::FunctionPlan;
use crate::cpython::frame;
use crate::runtime::promise::Promise;

/// How many exact static types are compared before anything else.
const EXACT: usize = 4;

#[repr(C)]
struct Checker {
    base: ffi::PyObject,
    /// Static types whose exact instances pass; null behind the last one.
    exact: [*mut ffi::PyTypeObject; EXACT],
    /// A heap class whose exact instances pass while `alive` refers to it, or null.
    class: *mut ffi::PyTypeObject,
    /// The weak reference to it, owned by the plan, or null.
    alive: *mut ffi::PyObject,
    /// The parameter, or `None` for the result.
    index: Option<usize>,
    plan: Py<FunctionPlan>,
}

static CHECKER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes the type and adds it to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let class = CHECKER.get_or_try_init(py, || make_type(py))?;
    module.add("Checker", class)
}

fn make_type(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let method = |name: &'static std::ffi::CStr, function: ffi::PyCFunction, doc: &'static std::ffi::CStr| {
        ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
            ml_flags: ffi::METH_O,
            ml_doc: doc.as_ptr(),
        }
    };
    // CPython keeps pointing to the definitions, so they live for ever.
    let methods = Box::leak(Box::new([
        method(
            c"certain",
            certain,
            c"Whether the value passes now and for ever, found out without running foreign code.",
        ),
        ffi::PyMethodDef::zeroed(),
    ]));
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(ffi::Py_mp_ass_subscript, check as ffi::objobjargproc as *mut c_void),
        slot(ffi::Py_tp_dealloc, dealloc as ffi::destructor as *mut c_void),
        slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
        slot(
            ffi::Py_tp_doc,
            c"`del checker[value]` raises TypeCheckError when the value breaks its annotation.".as_ptr()
                as *mut c_void,
        ),
        slot(0, ptr::null_mut()),
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"castiron._castiron.Checker".as_ptr(),
        basicsize: c_int::try_from(mem::size_of::<Checker>()).expect("the struct is small"),
        itemsize: 0,
        flags: u32::try_from(
            ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_IMMUTABLETYPE,
        )
        .expect("flags fit 32 bits"),
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec describes `Checker`, which begins with an object header; its slots have the
    // signatures that CPython asks for and end with a zero slot; what CPython keeps lives for ever.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec)).map(Bound::unbind) }
}

/// A checker of the plan's parameter at `index`, or of its result.
pub fn new(plan: &Bound<'_, FunctionPlan>, index: Option<usize>) -> PyResult<Py<PyAny>> {
    let py = plan.py();
    let class = CHECKER.get_or_try_init(py, || make_type(py))?;
    let mut exact = [ptr::null_mut(); EXACT];
    let (mut heap, mut alive) = (ptr::null_mut(), ptr::null_mut());
    if let Some(check) = plan.get().check_of(index).filter(|_| plan.get().is_plain(index)) {
        let mut types = Vec::new();
        check.exact_types(&mut types, py);
        for (place, found) in exact.iter_mut().zip(types) {
            *place = found;
        }
        if let Some(class) = check.exact_class() {
            (heap, alive) = (class.address(), class.weak_ptr());
        }
    }
    // SAFETY: the type is alive and not a variable-size one; the fields behind the header are written before
    // anybody sees the object.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class.as_ptr().cast(), 0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let checker = object.cast::<Checker>();
        (&raw mut (*checker).exact).write(exact);
        (&raw mut (*checker).class).write(heap);
        (&raw mut (*checker).alive).write(alive);
        (&raw mut (*checker).index).write(index);
        (&raw mut (*checker).plan).write(plan.clone().unbind());
        Ok(Bound::from_owned_ptr(py, object).unbind())
    }
}

/// Slot of `del checker[value]`; `checker[key] = value` is refused.
unsafe extern "C" fn check(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    assigned: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: CPython calls the slot with an instance of the type and a live key.
    let (checker, class) = unsafe { (&*object.cast::<Checker>(), ffi::Py_TYPE(value)) };
    if assigned.is_null() && checker.exact.contains(&class) {
        return 0;
    }
    // SAFETY: as above.
    unsafe { check_further(checker, value, assigned) }
}

#[inline(never)]
unsafe fn check_further(checker: &Checker, value: *mut ffi::PyObject, assigned: *mut ffi::PyObject) -> c_int {
    // SAFETY: the plan keeps the weak reference alive; what it refers to is only compared.
    unsafe {
        let class = ffi::Py_TYPE(value);
        if assigned.is_null()
            && class == checker.class
            && ffi::PyWeakref_GetObject(checker.alive).cast() == class
        {
            return 0;
        }
    }
    // SAFETY: a slot of a type is called by a thread that is attached to the interpreter.
    let py = unsafe { Python::assume_attached() };
    let checked = if assigned.is_null() {
        // SAFETY: CPython keeps the value alive while it calls the slot.
        let value = unsafe { Bound::from_borrowed_ptr(py, value) };
        check_in_full(checker, &value)
    } else {
        Err(PyTypeError::new_err("a checker's items can only be deleted"))
    };
    match checked {
        Ok(()) => 0,
        Err(error) => {
            error.restore(py);
            -1
        }
    }
}

fn check_in_full(checker: &Checker, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // The plan may be dropped by what a check runs.
    let plan = checker.plan.clone_ref(value.py());
    // SAFETY: woven code runs in a frame of the interpreter.
    let function = unsafe { frame::running_function(value.py()) }?;
    match checker.index {
        Some(index) => plan.get().check_argument(&function, index, value),
        None => plan.get().check_result(&function, value),
    }
}

/// `checker.certain(value)`
unsafe extern "C" fn certain(object: *mut ffi::PyObject, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a method is called by an attached thread with an instance of the type and a live argument.
    unsafe {
        let py = Python::assume_attached();
        let checker = &*object.cast::<Checker>();
        let value = Bound::from_borrowed_ptr(py, value);
        let check = checker.plan.get().check_of(checker.index);
        let passes =
            check.is_some_and(|check| check.certain(&value)) && checker.plan.get().is_plain(checker.index);
        ffi::PyBool_FromLong(passes.into())
    }
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython destroys an instance of the type once, in an attached thread; an instance of a heap
    // type owns a reference to it.
    unsafe {
        let class = ffi::Py_TYPE(object);
        ptr::drop_in_place(&raw mut (*object.cast::<Checker>()).plan);
        ffi::PyObject_Free(object.cast());
        ffi::Py_DECREF(class.cast());
    }
}
