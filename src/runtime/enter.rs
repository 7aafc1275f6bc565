//! Entering compiled code: recursion depth, native stack, pending work, and calls that need binding.
//!
//! `depth` is CPython's counter of Python frames that may still nest, the one to be entered included.
//! Nothing compares the stack pointer while bodies call each other: a call from the interpreter is let
//! in only when the native stack holds as many of the largest frames as `depth` says.

use std::cell::Cell;
use std::ffi::c_int;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::put_error;
use crate::cpython::object::take_error;
use crate::cpython::running;
use crate::cpython::thread;

use super::bind;
use super::data::ALL_BOUND;
use super::frames;
use super::install;
use super::table::Pair;
use super::table::position;
use super::unit::LoadedUnit;

/// `PY_VECTORCALL_ARGUMENTS_OFFSET`
pub(super) const OFFSET_FLAG: usize = 1 << 63;

/// [`ALL_BOUND`] as `nargsf` has it.
const BOUND_FLAG: usize = 1 << ALL_BOUND.trailing_zeros();

/// Native stack that C code below compiled code may use: as much as CPython's own limit of C recursion
/// lets it, or half of the stack where a thread has less than twice of that.
const MARGIN: usize = 4 << 20;

/// What one level of a recursion that goes through the interpreter takes, beside our own frames.
const MIXED_LEVEL: usize = 2 << 10;

/// The largest stack segment.
const LARGEST_SEGMENT: usize = 512 << 20;

/// What is taken for the rest of the stack where the system does not tell.
const UNKNOWN_STACK: usize = 512 << 10;

/// Native stack that a call which waits for code finds, and what it gets where it would find less.
const LEAST_ROOM: usize = 256 << 10;
const ROOM: usize = 16 << 20;

static BODY_FRAME: AtomicUsize = AtomicUsize::new(64);
static OTHER_FRAME: AtomicUsize = AtomicUsize::new(1024);
static OFF: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The lowest address of the native stack that runs; 0 while unknown.
    static STACK_END: Cell<usize> = const { Cell::new(0) };
    /// What is kept free for C code on the stack that runs.
    static KEPT: Cell<usize> = const { Cell::new(MARGIN) };
    /// Whether the stack that runs is as large as they get.
    static ON_LARGEST: Cell<bool> = const { Cell::new(false) };
}

/// Records the frame sizes of a unit that is about to run.
pub fn announce_frames(body: u32, other: u32) {
    BODY_FRAME.fetch_max(body as usize, Ordering::Relaxed);
    OTHER_FRAME.fetch_max(other as usize, Ordering::Relaxed);
}

/// Makes every compiled function run as bytecode from its next call on, or as machine code again.
pub fn switch_off(off: bool) {
    OFF.store(off, Ordering::Relaxed);
}

/// Whether compiled functions run as bytecode at present.
#[must_use]
pub fn is_switched_off() -> bool {
    OFF.load(Ordering::Relaxed)
}

/// An address within the caller's frame or just below it.
#[inline]
fn stack_pointer() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)) as usize
}

/// Bytes of native stack that are left.
#[inline]
fn stack_left() -> usize {
    let here = stack_pointer();
    let end = STACK_END.get();
    if end != 0 {
        return here.saturating_sub(end);
    }
    let left = stacker::remaining_stack().unwrap_or(UNKNOWN_STACK);
    STACK_END.set(here.saturating_sub(left).max(1));
    KEPT.set(MARGIN.min(left / 2));
    left
}

/// Begins a call from the interpreter; see the helper table for the results.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn enter() -> Pair<*mut PyThreadState, i64> {
    let layout = running().layout;
    // SAFETY: the attached thread's own state.
    let (state, remaining, traced) = unsafe {
        let state = ffi::PyThreadState_Get();
        (state, thread::recursion_remaining(layout, state), thread::is_traced(layout, state))
    };
    let Ok(depth @ 1..) = usize::try_from(remaining) else {
        // SAFETY: the thread is attached.
        unsafe { depth_exhausted(state) };
        return Pair(state, 0);
    };
    if traced || OFF.load(Ordering::Relaxed) {
        return Pair(state, -1);
    }
    let left = stack_left();
    let frame = BODY_FRAME.load(Ordering::Relaxed);
    let fixed = OTHER_FRAME.load(Ordering::Relaxed) + KEPT.get();
    if depth.saturating_mul(frame).saturating_add(fixed) <= left {
        return Pair(state, i64::from(remaining));
    }
    if !ON_LARGEST.get() {
        return Pair(state, -1);
    }
    let fitting = left.saturating_sub(fixed) / frame;
    if fitting == 0 {
        // SAFETY: the thread is attached.
        unsafe { depth_exhausted(state) };
    }
    Pair(state, (fitting as u64).cast_signed())
}

/// The same vectorcall again, on a fresh stack segment, or as bytecode when compiled code must step aside.
///
/// # Safety
/// - The unit is loaded and has a function of this number; the thread is attached.
/// - The other arguments are those of a vectorcall.
pub unsafe extern "C" fn enter_on_new_stack(
    unit: *const LoadedUnit,
    number: i64,
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let layout = running().layout;
    // SAFETY: the unit lives while its code runs; the state is the attached thread's.
    let (unit, remaining, traced) = unsafe {
        let state = ffi::PyThreadState_Get();
        (&*unit, thread::recursion_remaining(layout, state), thread::is_traced(layout, state))
    };
    if traced || OFF.load(Ordering::Relaxed) {
        // SAFETY: the caller's contract.
        return unsafe { call_interpreted(unit, position(number), callable, args, nargsf, names) };
    }
    let depth = usize::try_from(remaining).unwrap_or(0);
    let level = BODY_FRAME.load(Ordering::Relaxed) + MIXED_LEVEL;
    let fixed = 2 * (OTHER_FRAME.load(Ordering::Relaxed) + MARGIN);
    let size = depth.saturating_mul(level).saturating_add(fixed).min(LARGEST_SEGMENT);
    // SAFETY: the arguments outlive the call; the entry is a vectorcall function.
    on_segment(size, || unsafe { unit.entry(position(number))(callable, args, nargsf, names) })
}

/// Makes a call on a fresh stack segment of this size.
fn on_segment(size: usize, call: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    let outer = (STACK_END.get(), KEPT.get(), ON_LARGEST.get());
    let call = || {
        STACK_END.set(0);
        ON_LARGEST.set(size == LARGEST_SEGMENT);
        call()
    };
    // `grow` panics where the system has no memory for the segment; nothing has run then.
    let result = catch_unwind(AssertUnwindSafe(|| stacker::grow(size, call)));
    STACK_END.set(outer.0);
    KEPT.set(outer.1);
    ON_LARGEST.set(outer.2);
    result.unwrap_or_else(|_| {
        // SAFETY: the thread is attached.
        unsafe { ffi::PyErr_NoMemory() }
    })
}

/// Calls a function that runs bytecode in the place of one that has no code yet, as deep as the interpreter
/// would let it: calls that wait for code nest on the native stack.
///
/// # Safety
/// The thread is attached; the other arguments are those of a vectorcall of a plain Python function.
pub unsafe fn call_plain(
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let running = running();
    let call = || {
        // SAFETY: the caller's contract; the counter is put back by as much as it was moved.
        unsafe {
            let state = ffi::PyThreadState_Get();
            thread::move_c_recursion(running.layout, state, 1);
            let result = (running.symbols.vectorcall)(function, args, nargsf, names);
            thread::move_c_recursion(running.layout, state, -1);
            result
        }
    };
    if stack_left() >= LEAST_ROOM { call() } else { on_segment(ROOM, call) }
}

/// Runs the call as bytecode, checking the promises that compiled code would check.
unsafe fn call_interpreted(
    unit: &LoadedUnit,
    number: usize,
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let loaded = &unit.functions()[number];
    // SAFETY: the caller's contract; the function lives as long as the callable.
    unsafe {
        frames::show();
        let function = install::function_of(callable);
        if nargsf & BOUND_FLAG != 0 {
            // Binding and checks are done, and the interpreter can't take keyword-only values by position.
            return bind::run_generic(unit, number, function, args);
        }
        if loaded.promise().is_some() {
            match bind::bind(unit, number, function, args, nargsf, names) {
                bind::Binding::Refused => {}
                bind::Binding::Raised => return std::ptr::null_mut(),
                bind::Binding::Bound(bound) => match bound.check(loaded, function) {
                    0 => {}
                    status => return refused(status),
                },
            }
        }
        let result = (running().plain_vectorcall)(function, args, nargsf, names);
        if !result.is_null() && loaded.check_result(function, result) < 0 {
            drop_ref(result);
            return std::ptr::null_mut();
        }
        result
    }
}

/// The result of a call whose arguments were refused: null with the exception set, or NotImplemented.
///
/// # Safety
/// The thread is attached.
unsafe fn refused(status: c_int) -> *mut PyObject {
    // SAFETY: NotImplemented lives for ever.
    if status < 0 { std::ptr::null_mut() } else { unsafe { ffi::Py_NewRef(ffi::Py_NotImplemented()) } }
}

/// The whole call of an entry whose fast path does not fit.
///
/// # Safety
/// As [`enter_on_new_stack`].
pub unsafe extern "C" fn call_slow(
    unit: *const LoadedUnit,
    number: i64,
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the unit lives while its code runs.
    let shared = unsafe { &*unit };
    let (number_word, number) = (number, position(number));
    let loaded = &shared.functions()[number];
    loaded.slow_calls.set(loaded.slow_calls.get() + 1);
    // SAFETY: the caller's contract; bound arguments are owned until they are dropped or taken.
    unsafe {
        let function = install::function_of(callable);
        if crate::cpython::function::fields(running().layout, function).code != loaded.code() {
            frames::show();
            return (running().plain_vectorcall)(function, args, nargsf & !(BOUND_FLAG), names);
        }
        let Pair(_, depth) = enter();
        if depth == 0 {
            return std::ptr::null_mut();
        }
        if depth < 0 {
            return enter_on_new_stack(unit, number_word, callable, args, nargsf, names);
        }
        if nargsf & BOUND_FLAG != 0 {
            return bind::run_generic(shared, number, function, args);
        }
        let bound = match bind::bind(shared, number, function, args, nargsf, names) {
            bind::Binding::Bound(bound) => bound,
            bind::Binding::Raised => return std::ptr::null_mut(),
            // The interpreter binds again, fails in the same way and says why in its own words.
            bind::Binding::Refused => {
                frames::show();
                return (running().plain_vectorcall)(function, args, nargsf, names);
            }
        };
        if loaded.promise().is_some() {
            frames::show();
        }
        match bound.check(loaded, function) {
            0 => {}
            status => return refused(status),
        }
        if shared.has_body(number) && bound.is_exact(&shared.meta().functions[number].params) {
            let values = bound.values();
            return shared.entry(number)(
                callable,
                values.as_ptr(),
                values.len() | BOUND_FLAG,
                std::ptr::null_mut(),
            );
        }
        bind::run_generic(shared, number, function, bound.values().as_ptr())
    }
}

/// Sets RecursionError; -1.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn depth_exhausted(_state: *mut PyThreadState) -> i32 {
    // SAFETY: the thread is attached.
    unsafe { fail(ffi::PyExc_RecursionError, "maximum recursion depth exceeded") }
}

static POLL_FUNCTION: OnceLock<Py<PyAny>> = OnceLock::new();

/// Makes the function that lets the interpreter's own loop do what is pending.
///
/// # Errors
/// When there is no memory.
pub fn prepare_poll(py: Python<'_>) -> PyResult<()> {
    let space = PyDict::new(py);
    py.run(c"def poll(): pass", Some(&space), None)?;
    let function = space.as_any().get_item("poll")?;
    POLL_FUNCTION.get_or_init(|| function.unbind());
    Ok(())
}

/// The eval breaker is set: runs signal handlers and pending calls and hands the lock over. 0 or -1.
///
/// # Safety
/// `state` is the attached thread's.
pub unsafe extern "C" fn poll(state: *mut PyThreadState) -> i32 {
    let layout = running().layout;
    let Some(function) = POLL_FUNCTION.get() else { return 0 };
    // SAFETY: the thread is attached; the counter is put back by as much as it was raised.
    unsafe {
        let _frames = frames::link();
        // First, so that handlers see the frame that called compiled code, not the one below.
        if ffi::PyErr_CheckSignals() < 0 {
            return -1;
        }
        thread::set_recursion_remaining(
            layout,
            state,
            thread::recursion_remaining(layout, state).saturating_add(1),
        );
        let result = ffi::PyObject_CallNoArgs(function.as_ptr());
        thread::set_recursion_remaining(
            layout,
            state,
            thread::recursion_remaining(layout, state).saturating_sub(1),
        );
        if !result.is_null() {
            drop_ref(result);
            return 0;
        }
        let [kind, value, traceback] = take_error();
        let mut inner = std::ptr::null_mut();
        if !traceback.is_null() {
            inner = ffi::PyObject_GetAttrString(traceback, c"tb_next".as_ptr());
            if inner == ffi::Py_None() {
                drop_ref(inner);
                inner = std::ptr::null_mut();
            }
        }
        drop_optional(traceback);
        put_error([kind, value, inner]);
        -1
    }
}
