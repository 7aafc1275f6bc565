//! Helpers of `except*`: which part of an exception group a clause takes, and what is raised at the end.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyo3::types::PySequence;
use pyo3::types::PyTuple;
use rustc_hash::FxHashSet;

use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::new_ref;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_name;
use crate::cpython::running;

use super::exceptions::check_classes;
use super::exceptions::handle;
use super::frames;
use super::names::Name;
use super::table::Pair;

/// Two objects, or two null pointers with an exception.
type Two = Pair<*mut PyObject, *mut PyObject>;

const NONE: Two = Pair(std::ptr::null_mut(), std::ptr::null_mut());

/// What the classes leave of an exception or None, and the part that they take, which is handled from now on.
///
/// # Safety
/// Both objects are alive, the first is an exception or None; the thread is attached.
pub unsafe extern "C" fn obj_group_matches(exception: *mut PyObject, classes: *mut PyObject) -> Two {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        if check_classes(classes) < 0 || refuse_groups(classes) < 0 {
            return NONE;
        }
        let split = split(exception, classes);
        if !split.1.is_null() && split.1 != ffi::Py_None() {
            handle(split.1);
        }
        split
    }
}

/// Whether the object is an exception group.
unsafe fn is_group(exception: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe { ffi::PyObject_TypeCheck(exception, ffi::PyExc_BaseExceptionGroup.cast()) != 0 }
}

/// -1 with TypeError where one of the classes is one of groups.
unsafe fn refuse_groups(classes: *mut PyObject) -> i32 {
    const REFUSED: &str = "catching ExceptionGroup with except* is not allowed. Use except instead.";
    // SAFETY: live objects.
    unsafe {
        let is_tuple = ffi::PyTuple_Check(classes) != 0;
        let all = if is_tuple { tuple_items(running().layout, classes) } else { &[classes] };
        for &class in all {
            match ffi::PyObject_IsSubclass(class, ffi::PyExc_BaseExceptionGroup) {
                0 => {}
                1.. => return fail(ffi::PyExc_TypeError, REFUSED),
                _ => return -1,
            }
        }
    }
    0
}

/// The rest and the part that matches, new references.
unsafe fn split(exception: *mut PyObject, classes: *mut PyObject) -> Two {
    // SAFETY: live objects; what is made here is handed out or dropped.
    unsafe {
        let none = ffi::Py_None();
        if exception == none {
            return Pair(new_ref(none), new_ref(none));
        }
        if ffi::PyErr_GivenExceptionMatches(exception, classes) != 0 {
            let part = if is_group(exception) { new_ref(exception) } else { wrapped(&[exception]) };
            return if part.is_null() { NONE } else { Pair(new_ref(none), part) };
        }
        if !is_group(exception) {
            return Pair(new_ref(exception), new_ref(none));
        }
        let pair = Name::Split.call(exception, classes);
        if pair.is_null() {
            return NONE;
        }
        let parts =
            if ffi::PyTuple_CheckExact(pair) != 0 { tuple_items(running().layout, pair) } else { &[] };
        let result = match *parts {
            [part, _, ..] if part == none && running().layout.untaken_stays => {
                Pair(new_ref(exception), new_ref(none))
            }
            [part, rest, ..] => Pair(new_ref(rest), new_ref(part)),
            _ => {
                let (class, got) =
                    (type_name(running().layout, exception), type_name(running().layout, pair));
                fail(ffi::PyExc_TypeError, &format!("{class}.split must return a 2-tuple, not {got}"));
                NONE
            }
        };
        drop_ref(pair);
        result
    }
}

/// A new `ExceptionGroup` without a message, or a `BaseExceptionGroup` where one of the exceptions wants that.
unsafe fn wrapped(exceptions: &[*mut PyObject]) -> *mut PyObject {
    // SAFETY: live exceptions; null with an exception for a failure.
    unsafe {
        let py = Python::assume_attached();
        let exceptions = exceptions.iter().map(|&exception| Bound::from_borrowed_ptr(py, exception));
        let exceptions: Vec<_> = exceptions.collect();
        give(py, PyTuple::new(py, exceptions).and_then(|list| group_of(py, list.as_any())))
    }
}

fn group_of<'py>(py: Python<'py>, exceptions: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    base_group(py).call1(("", exceptions))
}

fn base_group(py: Python<'_>) -> Bound<'_, PyAny> {
    // SAFETY: a class that lives for ever.
    unsafe { Bound::from_borrowed_ptr(py, ffi::PyExc_BaseExceptionGroup) }
}

/// The object, or null with its exception set.
fn give(py: Python<'_>, made: PyResult<Bound<'_, PyAny>>) -> *mut PyObject {
    match made {
        Ok(made) => made.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// What an `except*` raises at its end, or None.
///
/// # Safety
/// The first object is a live exception, what it caught; the second a list of exceptions and None, what its clauses
/// raised and left. The thread is attached.
pub unsafe extern "C" fn obj_merge_groups(caught: *mut PyObject, raised: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        let py = Python::assume_attached();
        let caught = Bound::from_borrowed_ptr(py, caught);
        let raised = Bound::from_borrowed_ptr(py, raised);
        give(py, merged(py, &caught, &raised))
    }
}

fn merged<'py>(
    py: Python<'py>,
    caught: &Bound<'py, PyAny>,
    raised: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let raised = raised.cast::<PyList>()?;
    // SAFETY: a live exception.
    if !unsafe { is_group(caught.as_ptr()) } {
        // A naked exception was wrapped; only one clause can have taken it.
        return raised.get_item(0);
    }
    let (anew, again) = (PyList::empty(py), PyList::empty(py));
    for exception in raised.iter().filter(|exception| !exception.is_none()) {
        let list = if has_same_history(&exception, caught) { &again } else { &anew };
        list.append(exception)?;
    }
    let again = projection(py, caught, &again)?;
    if anew.is_empty() {
        return Ok(again);
    }
    if !again.is_none() {
        anew.append(again)?;
    }
    if anew.len() > 1 { group_of(py, anew.as_any()) } else { anew.get_item(0) }
}

/// Whether an exception is part of the group, raised again: a group with the same traceback, cause and context.
fn has_same_history(exception: &Bound<'_, PyAny>, group: &Bound<'_, PyAny>) -> bool {
    // SAFETY: live exceptions; the functions give new references or null.
    unsafe {
        if !is_group(exception.as_ptr()) {
            return false;
        }
        let getters = [ffi::PyException_GetTraceback, ffi::PyException_GetCause, ffi::PyException_GetContext];
        for get in getters {
            let of = |exception: &Bound<'_, PyAny>| {
                let found = get(exception.as_ptr());
                ffi::Py_XDECREF(found);
                found
            };
            if of(exception) != of(group) {
                return false;
            }
        }
    }
    true
}

/// The part of a group with exactly the leaves of these groups, or None.
fn projection<'py>(
    py: Python<'py>,
    group: &Bound<'py, PyAny>,
    kept: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyAny>> {
    let members = base_group(py).getattr(Name::Exceptions.text(py))?;
    let mut leaves = FxHashSet::default();
    let mut open: Vec<Bound<'py, PyAny>> = kept.iter().collect();
    while let Some(exception) = open.pop() {
        // SAFETY: a live object.
        if unsafe { is_group(exception.as_ptr()) } {
            open.extend(parts_of(&members, &exception)?.iter());
        } else {
            leaves.insert(exception.as_ptr().addr());
        }
    }
    part_with(py, &members, group, &leaves)
}

/// A group's own tuple, whatever a subclass has by that name.
fn parts_of<'py>(members: &Bound<'py, PyAny>, group: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    Ok(members.call_method1(Name::Get.text(members.py()), (group,))?.cast_into::<PyTuple>()?)
}

fn part_with<'py>(
    py: Python<'py>,
    members: &Bound<'py, PyAny>,
    group: &Bound<'py, PyAny>,
    leaves: &FxHashSet<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the thread is attached; each call that was entered is left.
    if unsafe { ffi::Py_EnterRecursiveCall(c" in exceptiongroup_split_recursive".as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let found = PyList::empty(py);
    let collected = parts_of(members, group).and_then(|parts| {
        parts.iter().try_for_each(|part| {
            // SAFETY: a live object.
            if unsafe { is_group(part.as_ptr()) } {
                let part = part_with(py, members, &part, leaves)?;
                if part.is_none() { Ok(()) } else { found.append(part) }
            } else if leaves.contains(&part.as_ptr().addr()) {
                found.append(part)
            } else {
                Ok(())
            }
        })
    });
    // SAFETY: entered above.
    unsafe { ffi::Py_LeaveRecursiveCall() };
    collected?;
    subset(py, group, &found)
}

/// A group of these exceptions with the history of another one, or None where there are none.
fn subset<'py>(
    py: Python<'py>,
    group: &Bound<'py, PyAny>,
    exceptions: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyAny>> {
    if exceptions.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    let derived = group.call_method1(Name::Derive.text(py), (exceptions,))?;
    // SAFETY: live exceptions; the setters take the references that the getters give, but for the traceback's.
    unsafe {
        if !is_group(derived.as_ptr()) {
            return Err(PyTypeError::new_err("derive must return an instance of BaseExceptionGroup"));
        }
        let traceback = ffi::PyException_GetTraceback(group.as_ptr());
        if !traceback.is_null() {
            let status = ffi::PyException_SetTraceback(derived.as_ptr(), traceback);
            drop_ref(traceback);
            if status < 0 {
                return Err(PyErr::fetch(py));
            }
        }
        ffi::PyException_SetContext(derived.as_ptr(), ffi::PyException_GetContext(group.as_ptr()));
        ffi::PyException_SetCause(derived.as_ptr(), ffi::PyException_GetCause(group.as_ptr()));
    }
    if let Some(notes) = group.getattr_opt(Name::Notes.text(py))?
        && let Ok(notes) = notes.cast::<PySequence>()
    {
        derived.setattr(Name::Notes.text(py), notes.to_list()?)?;
    }
    Ok(derived)
}
