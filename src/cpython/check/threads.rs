//! Probes of thread states: counters, tracers, monitoring tools, the eval breaker.

use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;

use crate::cpython::layout::Layout;
use crate::cpython::object::field;
use crate::cpython::thread;
use crate::cpython::thread::PROGRAM_TOOLS;
use crate::cpython::thread::TOOL_NAMES;

pub(super) fn thread_state(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let sys = py.import("sys")?;
    let limit: i32 = sys.call_method0("getrecursionlimit")?.extract()?;
    if layout.monitors.is_some() && !monitors(&sys, layout)? {
        return Ok(false);
    }
    let traced = !sys.call_method0("gettrace")?.is_none()
        || !sys.call_method0("getprofile")?.is_none()
        || is_monitored(&sys)?;
    // SAFETY: the state of the attached thread is larger than the offsets.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let interpreter: *mut ffi::PyInterpreterState = field(state, layout.thread.interpreter);
        let remaining = thread::recursion_remaining(layout, state);
        Ok(interpreter == ffi::PyInterpreterState_Get()
            && field::<i32, _>(state, layout.thread.recursion_limit) == limit
            && remaining <= limit
            && u64::try_from(ffi::PyThreadState_GetID(state)) == Ok(thread::id(layout, state))
            && thread::is_traced(layout, state) == traced
            && handles_as_told(py, layout, state))
    }
}

/// Whether the exception that is handled stands where it is told to stand.
unsafe fn handles_as_told(py: Python<'_>, layout: &Layout, state: *mut ffi::PyThreadState) -> bool {
    let probe = pyo3::exceptions::PyException::new_err(()).into_value(py);
    // SAFETY: the attached thread's state; what was handled before is handled again.
    unsafe {
        let place = thread::handled(layout, state);
        let before: *mut ffi::PyObject = *place;
        ffi::Py_XINCREF(before);
        ffi::PyErr_SetHandledException(probe.as_ptr());
        let is_it = *place == probe.as_ptr();
        ffi::PyErr_SetHandledException(before);
        ffi::Py_XDECREF(before);
        is_it
    }
}

/// Whether a tool of `sys.monitoring` is in use, as the interpreter says it.
fn is_monitored(sys: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(monitoring) = sys.getattr("monitoring") else { return Ok(false) };
    for tool in 0..PROGRAM_TOOLS {
        if !monitoring.call_method1("get_tool", (tool,))?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name of a tool must be found where it stands beside the events, which are not touched: every
/// function would be instrumented anew.
fn monitors(sys: &Bound<'_, PyAny>, layout: &Layout) -> PyResult<bool> {
    let (Some(offset), Ok(monitoring)) = (layout.monitors, sys.getattr("monitoring")) else {
        return Ok(false);
    };
    for tool in (0..PROGRAM_TOOLS).rev() {
        let mut name = monitoring.call_method1("get_tool", (tool,))?;
        let is_free = name.is_none();
        if is_free {
            name = pyo3::types::PyString::new(sys.py(), "castiron looks for the names of tools").into_any();
            monitoring.call_method1("use_tool_id", (tool, &name))?;
        }
        // SAFETY: the state of the interpreter is larger than the offsets; what is read is only compared.
        let found: *mut ffi::PyObject = unsafe {
            let interpreter = ffi::PyInterpreterState_Get().cast::<u8>();
            let names = interpreter.offset((offset + TOOL_NAMES) as isize);
            names.cast::<*mut ffi::PyObject>().add(tool).read_unaligned()
        };
        if is_free {
            monitoring.call_method1("free_tool_id", (tool,))?;
        }
        if found != name.as_ptr() {
            return Ok(false);
        }
        if is_free {
            break;
        }
    }
    Ok(true)
}

/// A Python function that calls back must lower the counters: that of frames by itself and at most by the
/// C calls of 3.11, that of C recursion by what the eval loop takes and at most by the call back.
pub(super) fn recursion(py: Python<'_>, layout: &Layout, space: &Bound<'_, PyDict>) -> PyResult<bool> {
    let frames = layout.thread.recursion_remaining;
    let (calls, units) = layout.thread.c_recursion.unwrap_or((frames, 1));
    let counters = move || -> (i32, i32) {
        // SAFETY: both offsets lie within the state of this thread.
        unsafe {
            let state = ffi::PyThreadState_Get();
            (field(state, frames), field(state, calls))
        }
    };
    let inside = move |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| counters();
    let inside = PyCFunction::new_closure(py, None, None, inside)?;
    let call = space.as_any().get_item("call")?;
    let before = counters();
    let lowest: (i32, i32) = call.call1((inside,))?.extract()?;
    let is_lowered = (1..=4).contains(&(before.0 - lowest.0));
    Ok(is_lowered && (units..=units + 3).contains(&(before.1 - lowest.1)) && counters() == before)
}

extern "C" fn nothing(_: *mut c_void) -> c_int {
    0
}

/// The breaker must be seen to rise with a pending call and to fall when it is made.
pub(super) fn breaker(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    for _ in 0..100 {
        // SAFETY: the addresses lie within the thread's or interpreter's state; the pending call is static.
        let seen = unsafe {
            let address = thread::breaker_address(layout, ffi::PyThreadState_Get());
            let before = thread::is_break_requested(&layout.breaker, address);
            ffi::Py_AddPendingCall(Some(nothing), std::ptr::null_mut());
            let raised = thread::is_break_requested(&layout.breaker, address);
            if ffi::Py_MakePendingCalls() < 0 {
                return Err(PyErr::fetch(py));
            }
            (before, raised, thread::is_break_requested(&layout.breaker, address))
        };
        if seen == (false, true, false) {
            return Ok(true);
        }
        // Another thread may be asking for the interpreter lock, which also raises the breaker.
        py.detach(std::thread::yield_now);
    }
    // Pending calls are the main thread's: elsewhere they can't be seen.
    let Ok(threading) = py.import("sys")?.getattr("modules")?.get_item("threading") else { return Ok(false) };
    let here = threading.call_method0("get_ident")?;
    Ok(!threading.call_method0("main_thread")?.getattr("ident")?.eq(here)?)
}
