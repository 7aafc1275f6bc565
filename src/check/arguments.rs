//! The object that checks all arguments of a call at once: `del checker[anything]` in woven bytecode.
//!
//! It finds the values in the frame that runs it. Those whose exact type is one of the two likeliest are passed over by
//! a table of addresses; for any other the guard is asked, then the plan.

use std::ffi::c_int;
use std::mem;

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;

use super::checker;
use super::function::FunctionPlan;
use super::guard::Guard;
use super::guard::Spot;
use crate::cpython;
use crate::cpython::frame;
use crate::cpython::frame::ByWay;
use crate::cpython::frame::RunningFrame;
use crate::cpython::frame::Way;
use crate::cpython::layout::Layout;
use crate::runtime::promise::Verdict;

#[repr(C)]
struct ArgumentsChecker {
    base: ffi::PyObject,
    arguments: Box<[Argument]>,
    /// Whether the arguments must agree on what type variables stand for.
    agree: bool,
    /// The arguments' guards, in the same order.
    guards: Box<[Guard]>,
    layout: &'static Layout,
    plan: Py<FunctionPlan>,
}

/// What makes one argument pass at once.
struct Argument {
    /// The exact types that are likeliest to come, null where there are fewer: no object's type is null.
    likeliest: [*mut ffi::PyTypeObject; 2],
    /// Where the variable stands in the frame.
    offset: i32,
}

static CHECKER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

pub(super) fn checker_type(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    CHECKER.get_or_try_init(py, || {
        // CPython keeps pointing to the definitions, so they live for ever.
        let methods = Box::leak(Box::new([checker::reduce_method(reduce), ffi::PyMethodDef::zeroed()]));
        let size = mem::size_of::<ArgumentsChecker>();
        let slot = frame::by_way(cpython::running().layout, Slot);
        let name = c"castiron._castiron.ArgumentsChecker";
        // SAFETY: the type is `ArgumentsChecker`'s: the slots take instances of it, `drop_checker` frees its fields.
        unsafe { checker::make_type(py, name, size, slot, drop_checker, methods.as_mut_ptr()) }
    })
}

/// A checker of all the plan's parameters that some value breaks.
pub(super) fn new(plan: &Bound<'_, FunctionPlan>) -> PyResult<Py<PyAny>> {
    let py = plan.py();
    let layout = cpython::running().layout;
    let checked = plan.get().checked();
    let guards: Box<[Guard]> =
        checked.iter().map(|&index| plan.get().guard(py, Spot::Argument(index))).collect();
    let arguments = checked.iter().zip(&guards).map(|(&index, guard)| Argument {
        // A cell is of no such type, and its guard reads what it holds.
        likeliest: guard.likeliest(),
        offset: frame::variable_offset(layout, index),
    });
    let arguments = arguments.collect();
    // SAFETY: the fields behind the header are written before anybody sees the object.
    unsafe {
        let object = checker::allocate(py, checker_type(py)?)?;
        let made = object.cast::<ArgumentsChecker>();
        (&raw mut (*made).arguments).write(arguments);
        (&raw mut (*made).agree).write(plan.get().agrees());
        (&raw mut (*made).guards).write(guards);
        (&raw mut (*made).layout).write(layout);
        (&raw mut (*made).plan).write(plan.clone().unbind());
        Ok(Bound::from_owned_ptr(py, object).unbind())
    }
}

/// The plan whose checker the object is, if it is one.
pub(super) fn plan_of(object: &Bound<'_, PyAny>) -> Option<Py<FunctionPlan>> {
    let py = object.py();
    let class = CHECKER.get(py)?;
    // SAFETY: the object is an instance of exactly the type whose fields are read.
    object
        .get_type()
        .is(class)
        .then(|| unsafe { (*object.as_ptr().cast::<ArgumentsChecker>()).plan.clone_ref(py) })
}

/// Makes the slot of `del checker[anything]`.
struct Slot;

impl ByWay for Slot {
    type Made = ffi::objobjargproc;

    fn made<W: Way>(self) -> ffi::objobjargproc {
        check::<W>
    }
}

unsafe extern "C" fn check<W: Way>(
    object: *mut ffi::PyObject,
    _key: *mut ffi::PyObject,
    assigned: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: CPython calls the slot with an instance of the type, from an instruction of a Python frame. All arguments
    // are bound before the code's first instruction, and the cells are made.
    unsafe {
        if !assigned.is_null() {
            return checker::refuse_assignment(Python::assume_attached());
        }
        let checker = &*object.cast::<ArgumentsChecker>();
        let frame = W::innermost();
        for (index, argument) in checker.arguments.iter().enumerate() {
            let value = frame.variable_at(argument.offset);
            if !argument.likeliest.contains(&ffi::Py_TYPE(value)) && check_further(checker, index, frame) < 0
            {
                return -1;
            }
        }
        if checker.agree { check_agreement(checker, frame) } else { 0 }
    }
}

/// # Safety
/// The frame runs woven code, and has not reached its first traceable instruction.
#[inline(never)]
unsafe fn check_further(checker: &ArgumentsChecker, index: usize, frame: RunningFrame) -> c_int {
    let guard = &checker.guards[index];
    // SAFETY: the caller's promise.
    unsafe { check_variable(checker, guard, guard.read(frame, checker.layout), frame) }
}

/// # Safety
/// The frame runs woven code: the value is that of the guard's variable, and alive.
unsafe fn check_variable(
    checker: &ArgumentsChecker,
    guard: &Guard,
    value: *mut ffi::PyObject,
    frame: RunningFrame,
) -> c_int {
    // SAFETY: a slot of a type is called by an attached thread; the rest is the caller's promise.
    unsafe {
        if guard.knows(value) || guard.passes(value, frame, checker.layout) {
            return 0;
        }
        checker::check_in_full(Python::assume_attached(), &checker.plan, guard, value, frame)
    }
}

/// Whether all arguments agree on what type variables stand for.
///
/// # Safety
/// The frame runs woven code.
#[inline(never)]
unsafe fn check_agreement(checker: &ArgumentsChecker, frame: RunningFrame) -> c_int {
    // SAFETY: a slot of a type is called by an attached thread; the rest is the caller's promise.
    unsafe {
        let py = Python::assume_attached();
        let plan = checker.plan.bind(py).clone();
        let function = Bound::from_borrowed_ptr(py, frame.function(checker.layout));
        let values: Vec<(Spot, Bound<'_, PyAny>)> = checker
            .guards
            .iter()
            .map(|guard| (guard.spot(), guard.read(frame, checker.layout)))
            .filter(|(_, value)| !value.is_null())
            .map(|(spot, value)| (spot, Bound::from_borrowed_ptr(py, value)))
            .collect();
        let Some((spot, _)) = values.first() else { return 0 };
        let call = plan.get().call(&function, *spot, frame, checker.layout);
        for (spot, value) in &values {
            let checked = plan.get().check_or_warn(&call, &function, *spot, value);
            if !matches!(checked, Ok(Verdict::Kept)) {
                return checker::status(py, checked);
            }
        }
        0
    }
}

/// `arguments_checker.__reduce__()`
unsafe extern "C" fn reduce(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a method is called by an attached thread with an instance of the type.
    unsafe { checker::reduced(Python::assume_attached(), &(*object.cast::<ArgumentsChecker>()).plan, None) }
}

unsafe extern "C" fn drop_checker(object: *mut ffi::PyObject) {
    // SAFETY: CPython destroys an instance of the type once, in an attached thread.
    unsafe {
        let checker = object.cast::<ArgumentsChecker>();
        let fields = (
            (&raw const (*checker).arguments).read(),
            (&raw const (*checker).guards).read(),
            (&raw const (*checker).plan).read(),
        );
        checker::free(object);
        drop(fields);
    }
}
