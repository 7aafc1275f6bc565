//! The objects that stand in woven bytecode: `del checker[value]` raises when the value breaks its promise.
//!
//! Deleting an item is the cheapest way by which an instruction calls foreign code and leaves nothing on
//! the stack. The types are made by hand, so that the slot is reached without a conversion. A `Checker`
//! checks the value it is given; an [`ArgumentsChecker`](super::arguments) looks at the arguments in the frame
//! that runs it, so that any number of them costs one instruction.

use std::ffi::CStr;
use std::ffi::c_int;
use std::ffi::c_void;
use std::mem;
use std::ptr;

use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::create_exception;
use pyo3::exceptions::PyBaseException;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::IntoPyObject;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyModule;
use pyo3::prelude::PyModuleMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;

use super::arguments;
use super::function::FunctionPlan;
use super::guard::Guard;
use super::guard::Spot;
use super::revive;
use crate::cpython;
use crate::cpython::frame::RunningFrame;
use crate::runtime::promise::Verdict;

create_exception!(
    castiron,
    OperandDeclined,
    PyBaseException,
    "A second operand breaks its annotation; woven code answers it with NotImplemented."
);

#[repr(C)]
struct Checker {
    base: ffi::PyObject,
    /// The exact types that are likeliest to come, null where there are fewer.
    likeliest: [*mut ffi::PyTypeObject; 2],
    guard: Guard,
    plan: Py<FunctionPlan>,
}

static CHECKER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes the types and adds them to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("OperandDeclined", py.get_type::<OperandDeclined>())?;
    module.add("Checker", checker_type(py)?)?;
    module.add("ArgumentsChecker", arguments::checker_type(py)?)
}

fn checker_type(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    CHECKER.get_or_try_init(py, || {
        // CPython keeps pointing to the definitions, so they live for ever.
        let methods = Box::leak(Box::new([
            ffi::PyMethodDef {
                ml_name: c"certain".as_ptr(),
                ml_meth: ffi::PyMethodDefPointer { PyCFunction: certain },
                ml_flags: ffi::METH_O,
                ml_doc: c"Whether the value passes now and for ever, found out without running foreign code."
                    .as_ptr(),
            },
            reduce_method(reduce_checker),
            ffi::PyMethodDef::zeroed(),
        ]));
        // SAFETY: the type is `Checker`'s: the slots take instances of it, `drop_checker` frees its fields.
        unsafe {
            make_type(
                py,
                c"castiron._castiron.Checker",
                mem::size_of::<Checker>(),
                check,
                drop_checker,
                methods.as_mut_ptr(),
            )
        }
    })
}

/// # Safety
/// The type's instances are `size` bytes and begin with an object header; the slots take instances, and
/// `dealloc` frees one with its reference to the type; the methods end with a zero definition and live for ever.
pub(super) unsafe fn make_type(
    py: Python<'_>,
    name: &'static CStr,
    size: usize,
    delete: ffi::objobjargproc,
    dealloc: ffi::destructor,
    methods: *mut ffi::PyMethodDef,
) -> PyResult<Py<PyAny>> {
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let doc = c"`del checker[value]` raises TypeCheckError when the value breaks its annotation.";
    let mut slots = [
        slot(ffi::Py_mp_ass_subscript, delete as *mut c_void),
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(ffi::Py_tp_methods, methods.cast()),
        slot(ffi::Py_tp_doc, doc.as_ptr().cast_mut().cast()),
        slot(0, ptr::null_mut()),
    ];
    let flags =
        ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_IMMUTABLETYPE;
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: c_int::try_from(size).expect("the struct is small"),
        itemsize: 0,
        flags: u32::try_from(flags).expect("flags fit 32 bits"),
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the caller's promise; the slots end with a zero slot, and CPython copies what it keeps of them.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec)).map(Bound::unbind) }
}

/// A checker of what stands at one spot of the plan's function.
pub(super) fn new(plan: &Bound<'_, FunctionPlan>, spot: Spot) -> PyResult<Py<PyAny>> {
    let py = plan.py();
    let guard = plan.get().guard(py, spot);
    // SAFETY: the fields behind the header are written before anybody sees the object.
    unsafe {
        let object = allocate(py, checker_type(py)?)?;
        let checker = object.cast::<Checker>();
        (&raw mut (*checker).likeliest).write(guard.likeliest());
        (&raw mut (*checker).guard).write(guard);
        (&raw mut (*checker).plan).write(plan.clone().unbind());
        Ok(Bound::from_owned_ptr(py, object).unbind())
    }
}

/// The plan whose checker the object is, if it is one.
pub(super) fn plan_behind(object: &Bound<'_, PyAny>) -> Option<Py<FunctionPlan>> {
    let py = object.py();
    let is = |class: &PyOnceLock<Py<PyAny>>| class.get(py).is_some_and(|class| object.get_type().is(class));
    // SAFETY: the object is an instance of exactly the type whose fields are read.
    unsafe {
        if is(&CHECKER) {
            Some((*object.as_ptr().cast::<Checker>()).plan.clone_ref(py))
        } else {
            arguments::plan_of(object)
        }
    }
}

pub(super) fn allocate(py: Python<'_>, class: &Py<PyAny>) -> PyResult<*mut ffi::PyObject> {
    // SAFETY: the class is a type without items.
    let object = unsafe { ffi::PyType_GenericAlloc(class.as_ptr().cast(), 0) };
    if object.is_null() { Err(PyErr::fetch(py)) } else { Ok(object) }
}

/// Slot of `del checker[value]`.
unsafe extern "C" fn check(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    assigned: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: CPython calls the slot with an instance of the type and a live key.
    unsafe {
        let checker = &*object.cast::<Checker>();
        if checker.likeliest.contains(&ffi::Py_TYPE(value)) && assigned.is_null() {
            return 0;
        }
        check_further(checker, value, assigned)
    }
}

/// # Safety
/// The value is alive; an instruction of a Python frame calls this.
#[inline(never)]
unsafe fn check_further(checker: &Checker, value: *mut ffi::PyObject, assigned: *mut ffi::PyObject) -> c_int {
    // SAFETY: a slot of a type is called by an attached thread; the rest is the caller's promise.
    unsafe {
        let py = Python::assume_attached();
        if !assigned.is_null() {
            return refuse_assignment(py);
        }
        if checker.guard.knows(value) {
            return 0;
        }
        let layout = cpython::running().layout;
        let frame = RunningFrame::innermost(layout);
        if checker.guard.passes(value, frame, layout) {
            return 0;
        }
        check_in_full(py, &checker.plan, &checker.guard, value, frame)
    }
}

/// # Safety
/// The value is alive, and the frame runs woven code; the guard is one of the plan's.
pub(super) unsafe fn check_in_full(
    py: Python<'_>,
    plan: &Py<FunctionPlan>,
    guard: &Guard,
    value: *mut ffi::PyObject,
    frame: RunningFrame,
) -> c_int {
    let layout = cpython::running().layout;
    let function = frame.function(layout);
    // SAFETY: the caller's promise. Both are kept alive here, whatever the check runs.
    let (value, function) =
        unsafe { (Bound::from_borrowed_ptr(py, value), Bound::from_borrowed_ptr(py, function)) };
    let plan = plan.bind(py).clone();
    let spot = guard.spot();
    // SAFETY: the caller's promise.
    let call = unsafe { plan.get().call(&function, spot, frame, layout) };
    let checked = plan.get().check_or_warn(&call, &function, spot, &value);
    if let (Ok(Verdict::Kept), Some(check)) = (&checked, plan.get().check_at(spot)) {
        // SAFETY: the plan makes its guards of the checks that it has at their spots.
        unsafe { guard.learn(check, value.as_ptr()) };
    }
    status(py, checked)
}

pub(super) fn status(py: Python<'_>, checked: PyResult<Verdict>) -> c_int {
    match checked {
        Ok(Verdict::Kept) => 0,
        Ok(Verdict::Declined) => {
            // SAFETY: the exception's class lives as long as the module.
            unsafe { ffi::PyErr_SetNone(py.get_type::<OperandDeclined>().as_ptr()) };
            -1
        }
        Err(error) => {
            error.restore(py);
            -1
        }
    }
}

#[cold]
pub(super) fn refuse_assignment(py: Python<'_>) -> c_int {
    status(py, Err(PyTypeError::new_err("a checker's items can only be deleted")))
}

/// `checker.certain(value)`
unsafe extern "C" fn certain(object: *mut ffi::PyObject, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a method is called by an attached thread with an instance of the type and a live argument.
    unsafe {
        let py = Python::assume_attached();
        let checker = &*object.cast::<Checker>();
        let value = Bound::from_borrowed_ptr(py, value);
        let passes = checker.plan.get().certain(checker.guard.spot(), &value);
        ffi::PyBool_FromLong(passes.into())
    }
}

pub(super) fn reduce_method(function: ffi::PyCFunction) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: c"__reduce__".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: c"What pickles the checker.".as_ptr(),
    }
}

/// `checker.__reduce__()`
unsafe extern "C" fn reduce_checker(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a method is called by an attached thread with an instance of the type.
    unsafe {
        let checker = &*object.cast::<Checker>();
        reduced(Python::assume_attached(), &checker.plan, Some(checker.guard.spot()))
    }
}

pub(super) fn reduced(py: Python<'_>, plan: &Py<FunctionPlan>, spot: Option<Spot>) -> *mut ffi::PyObject {
    let plan = plan.get();
    let (deep, strict) = plan.readings;
    let made = revive::number_of(spot)
        .and_then(|number| revive::reduced(py, number, deep, strict, plan.warn.is_some()).into_pyobject(py));
    match made {
        Ok(made) => made.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn drop_checker(object: *mut ffi::PyObject) {
    // SAFETY: CPython destroys an instance of the type once, in an attached thread.
    unsafe {
        let checker = object.cast::<Checker>();
        let plan = (&raw const (*checker).plan).read();
        free(object);
        drop(plan);
    }
}

/// # Safety
/// An instance of a heap type whose fields were moved out; the instance owns a reference to the type.
pub(super) unsafe fn free(object: *mut ffi::PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        ffi::PyObject_Free(object.cast());
        ffi::Py_DECREF(class.cast());
    }
}
