//! Helpers of `try`, `with` and `raise`: the exception that is set, and the one that is handled.
//!
//! An exception that is raised is *set*; a handler takes it and makes it the one that is *handled*, which
//! `sys.exception()` shows and which new exceptions get as their context. The thread state holds both.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::is_made;
use crate::cpython::object::new_ref;
use crate::cpython::object::take_error;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_name;
use crate::cpython::object::type_of;
use crate::cpython::running;
use crate::cpython::thread;

use super::calls::call_with;
use super::frames;
use super::object::is_exception_class;
use super::object::truncate;
use super::table::Pair;
use super::traceback::add_first_entry;
use super::traceback::note_raised_again;
use super::traceback::obj_caught_frame;
use super::unit::LoadedUnit;

/// The place of the exception that is handled.
unsafe fn handled() -> *mut *mut PyObject {
    // SAFETY: the attached thread's own state, laid out as told.
    unsafe { thread::handled(running().layout, ffi::PyThreadState_Get()) }
}

/// Takes the exception that is set, with its traceback; the other is the frame of the activation, as
/// [`obj_caught_frame`] gives it.
///
/// # Safety
/// An exception is set; otherwise as for [`obj_caught_frame`].
pub unsafe extern "C" fn obj_take_error(
    unit: *const LoadedUnit,
    function: i64,
    known: *mut PyObject,
) -> Pair<*mut PyObject, *mut PyObject> {
    // SAFETY: the caller's contract.
    unsafe {
        let value = take_value();
        Pair(value, obj_caught_frame(unit, function, value, known))
    }
}

/// The exception that is set, with its traceback; no longer set.
///
/// # Safety
/// An exception is set; the thread is attached.
unsafe fn take_value() -> *mut PyObject {
    // SAFETY: the parts are owned; the value keeps the traceback. What a C function has raised as a class is made
    // here, by code that may look.
    unsafe {
        let _frames = frames::link_unless(|| is_made());
        let [kind, value, traceback] = take_error();
        let shown = if traceback.is_null() { ffi::Py_None() } else { traceback };
        ffi::PyException_SetTraceback(value, shown);
        drop_optional(traceback);
        drop_optional(kind);
        value
    }
}

/// Takes the exception that is set and handles it; the other is the one that was handled before, or None.
///
/// # Safety
/// An exception is set; the thread is attached.
pub unsafe extern "C" fn obj_catch() -> Pair<*mut PyObject, *mut PyObject> {
    // SAFETY: the place owns what it holds.
    unsafe {
        let value = take_value();
        let previous = std::ptr::replace(handled(), new_ref(value));
        Pair(value, if previous.is_null() { new_ref(ffi::Py_None()) } else { previous })
    }
}

/// Handles again what was handled before.
///
/// # Safety
/// The object is a live exception or None; the thread is attached.
pub unsafe extern "C" fn obj_end_catch(previous: *mut PyObject) {
    // SAFETY: the place owns what it holds; an exception that is set is not looked at by what dies here.
    unsafe {
        let _frames = frames::link();
        let ended = std::ptr::replace(handled(), new_ref(previous));
        drop_optional(ended);
    }
}

/// Sets an exception again that has its traceback entries. -1.
///
/// # Safety
/// The object is a live exception; the thread is attached.
pub unsafe extern "C" fn obj_reraise(exception: *mut PyObject) -> i32 {
    // SAFETY: all three references are handed over.
    unsafe {
        note_raised_again(exception);
        let traceback = ffi::PyException_GetTraceback(exception);
        ffi::PyErr_Restore(new_ref(type_of(exception).cast()), new_ref(exception), traceback);
    }
    -1
}

/// Sets the exception again that is handled, or RuntimeError with these traceback entries. -1.
///
/// # Safety
/// The unit is loaded and has something of this number that is shown, without words; the thread is attached.
pub unsafe extern "C" fn obj_reraise_handled(unit: *const LoadedUnit, shown: i64) -> i32 {
    // SAFETY: the exception is a new reference, or null.
    unsafe {
        let exception = ffi::PyErr_GetHandledException();
        if exception.is_null() || exception == ffi::Py_None() {
            drop_optional(exception);
            fail(ffi::PyExc_RuntimeError, "No active exception to reraise");
            add_first_entry(unit, shown);
            return -1;
        }
        obj_reraise(exception);
        drop_ref(exception);
    }
    -1
}

/// Whether `except` with these classes takes the exception: 1, 0, or -1 with an exception.
///
/// # Safety
/// Both objects are alive, the first is an exception; the thread is attached.
pub unsafe extern "C" fn obj_matches(exception: *mut PyObject, classes: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract.
    unsafe {
        let _frames = frames::link();
        if check_classes(classes) < 0 {
            return -1;
        }
        ffi::PyErr_GivenExceptionMatches(exception, classes)
    }
}

/// -1 with TypeError unless all of it are exception classes.
pub(super) unsafe fn check_classes(classes: *mut PyObject) -> i32 {
    const REFUSED: &str = "catching classes that do not inherit from BaseException is not allowed";
    // SAFETY: the caller passes a live object.
    unsafe {
        let is_valid = if ffi::PyTuple_Check(classes) != 0 {
            tuple_items(running().layout, classes).iter().all(|&class| is_exception_class(class))
        } else {
            is_exception_class(classes)
        };
        if is_valid { 0 } else { fail(ffi::PyExc_TypeError, REFUSED) }
    }
}

/// Handles this exception in place of the one that is handled.
pub(super) unsafe fn handle(exception: *mut PyObject) {
    // SAFETY: the place owns what it holds; the caller passes a live exception.
    unsafe { drop_optional(std::ptr::replace(handled(), new_ref(exception))) };
}

/// A context manager's `__exit__`, and what its `__enter__` gave; null with an exception.
///
/// # Safety
/// The object is alive; the thread is attached.
pub unsafe extern "C" fn obj_enter_context(manager: *mut PyObject) -> Pair<*mut PyObject, *mut PyObject> {
    let nothing = Pair(std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the caller's contract; what is looked up is ours.
    unsafe {
        let _frames = frames::link();
        let enter = special(manager, c"__enter__", "");
        if enter.is_null() {
            return nothing;
        }
        let exit = special(manager, c"__exit__", " (missed __exit__ method)");
        if exit.is_null() {
            drop_ref(enter);
            return nothing;
        }
        let entered = call_with(enter, []);
        drop_ref(enter);
        if entered.is_null() {
            drop_ref(exit);
            return nothing;
        }
        Pair(exit, entered)
    }
}

/// A method of a context manager; null with an exception.
unsafe fn special(manager: *mut PyObject, name: &std::ffi::CStr, missed: &str) -> *mut PyObject {
    // SAFETY: a live object; the name is ours.
    unsafe {
        let name = ffi::PyUnicode_InternFromString(name.as_ptr());
        if name.is_null() {
            return name;
        }
        let method = (running().symbols.objects.lookup_special)(manager, name);
        drop_ref(name);
        if method.is_null() && ffi::PyErr_Occurred().is_null() {
            let class = truncate(&type_name(running().layout, manager), 200);
            let message = format!("'{class}' object does not support the context manager protocol{missed}");
            fail(ffi::PyExc_TypeError, &message);
        }
        method
    }
}

/// What an `__exit__` says to an exception.
///
/// # Safety
/// Both objects are alive, the second is an exception; the thread is attached.
pub unsafe extern "C" fn obj_exit_context(exit: *mut PyObject, exception: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract; the traceback is ours.
    unsafe {
        let traceback = ffi::PyException_GetTraceback(exception);
        let shown = if traceback.is_null() { ffi::Py_None() } else { traceback };
        let answer = call_with(exit, [type_of(exception).cast(), exception, shown]);
        drop_optional(traceback);
        answer
    }
}
