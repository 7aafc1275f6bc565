//! Entering compiled code: recursion depth, native stack, pending work, and calls that need binding.
//!
//! `depth` is CPython's counter of Python frames that may still nest, the one to be entered included.
//! Nothing compares the stack pointer while bodies call each other: a call from the interpreter is let
//! in only when the native stack holds as many of the largest frames as `depth` says.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem::offset_of;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicU64;
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
use super::names::Name;
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

thread_local! {
    static STACK: Stack = const {
        Stack { end: Cell::new(0), kept: Cell::new(MARGIN), on_largest: Cell::new(false) }
    };
}

/// The native stack that runs in a thread.
struct Stack {
    /// Its lowest address; 0 while unknown.
    end: Cell<usize>,
    /// What is kept free for C code.
    kept: Cell<usize>,
    /// Whether it is as large as they get.
    on_largest: Cell<bool>,
}

impl Stack {
    /// Bytes that are left.
    fn left(&self) -> usize {
        let here = stack_pointer();
        if self.end.get() == 0 {
            let left = stacker::remaining_stack().unwrap_or(UNKNOWN_STACK);
            self.end.set(here.saturating_sub(left).max(1));
            self.kept.set(MARGIN.min(left / 2));
        }
        here.saturating_sub(self.end.get())
    }
}

/// What an entry tests in line before it goes on; anything that does not fit is left to [`enter`]. Written and read
/// by the attached thread only.
///
/// A thread's own memory is dear to find (a call), hence one place for the thread that entered compiled code last.
#[derive(Debug)]
#[repr(C)]
pub struct Entering {
    /// That thread's state.
    state: AtomicPtr<PyThreadState>,
    /// The state's own number: the memory of a state may become another one's.
    id: AtomicU64,
    /// The lowest address of native stack that compiled code may use there.
    lowest: AtomicUsize,
    /// The largest frame of a body.
    body_frame: AtomicUsize,
    /// What resume functions and entries take besides.
    other_frame: AtomicUsize,
    /// Not 0 while compiled functions run as bytecode.
    off: AtomicUsize,
}

impl Entering {
    /// Byte offset of the thread's state.
    pub const STATE: usize = offset_of!(Entering, state);
    /// Byte offset of the state's number.
    pub const ID: usize = offset_of!(Entering, id);
    /// Byte offset of the lowest address.
    pub const LOWEST: usize = offset_of!(Entering, lowest);
    /// Byte offset of the size of the largest frame.
    pub const BODY_FRAME: usize = offset_of!(Entering, body_frame);
    /// Byte offset of what is taken besides.
    pub const OTHER_FRAME: usize = offset_of!(Entering, other_frame);
    /// Byte offset of what is not 0 while compiled functions run as bytecode.
    pub const OFF: usize = offset_of!(Entering, off);

    /// Native stack that calls nested as deep as this take.
    fn room(&self, depth: usize) -> usize {
        let (frame, other) =
            (self.body_frame.load(Ordering::Relaxed), self.other_frame.load(Ordering::Relaxed));
        depth.saturating_mul(frame).saturating_add(other)
    }

    fn set_thread(&self, state: *mut PyThreadState, id: u64, lowest: usize) {
        self.state.store(state, Ordering::Relaxed);
        self.id.store(id, Ordering::Relaxed);
        self.lowest.store(lowest, Ordering::Relaxed);
    }

    /// The attached thread's stack is another one from now on.
    fn forget_thread(&self) {
        self.set_thread(ptr::null_mut(), 0, usize::MAX);
    }
}

static ENTERING: Entering = Entering {
    state: AtomicPtr::new(ptr::null_mut()),
    id: AtomicU64::new(0),
    lowest: AtomicUsize::new(usize::MAX),
    body_frame: AtomicUsize::new(64),
    other_frame: AtomicUsize::new(1024),
    off: AtomicUsize::new(0),
};

/// The address of what entries test.
#[must_use]
pub fn entering() -> *const Entering {
    &raw const ENTERING
}

/// Records the frame sizes of a unit that is about to run.
pub fn announce_frames(body: u32, other: u32) {
    ENTERING.body_frame.fetch_max(body as usize, Ordering::Relaxed);
    ENTERING.other_frame.fetch_max(other as usize, Ordering::Relaxed);
}

/// Makes every compiled function run as bytecode from its next call on, or as machine code again.
pub fn switch_off(off: bool) {
    ENTERING.off.store(usize::from(off), Ordering::Relaxed);
}

/// Whether compiled functions run as bytecode at present.
#[must_use]
pub fn is_switched_off() -> bool {
    ENTERING.off.load(Ordering::Relaxed) != 0
}

/// An address within the caller's frame or just below it.
#[inline]
fn stack_pointer() -> usize {
    let here = 0_u8;
    ptr::from_ref(std::hint::black_box(&here)) as usize
}

/// The attached thread's state.
pub use pyo3::ffi::PyThreadState_Get as thread_state;

/// Begins a call from the interpreter; see the helper table for the results.
///
/// # Safety
/// The thread is attached.
pub unsafe extern "C" fn enter() -> Pair<*mut PyThreadState, i64> {
    let layout = running().layout;
    // SAFETY: the attached thread's own state.
    let (state, id, remaining, traced) = unsafe {
        let state = thread_state();
        let remaining = thread::recursion_remaining(layout, state);
        (state, thread::id(layout, state), remaining, thread::is_traced(layout, state))
    };
    let Ok(depth @ 1..) = usize::try_from(remaining) else {
        // SAFETY: the thread is attached.
        unsafe { depth_exhausted(state) };
        return Pair(state, 0);
    };
    if traced || is_switched_off() {
        return Pair(state, -1);
    }
    let (left, kept, on_largest) = STACK.with(|stack| {
        let left = stack.left();
        ENTERING.set_thread(state, id, stack.end.get() + stack.kept.get());
        (left, stack.kept.get(), stack.on_largest.get())
    });
    let left = left.saturating_sub(kept);
    if ENTERING.room(depth) <= left {
        return Pair(state, i64::from(remaining));
    }
    if !on_largest {
        return Pair(state, -1);
    }
    let fitting = left.saturating_sub(ENTERING.room(0)) / ENTERING.body_frame.load(Ordering::Relaxed);
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
    if traced || is_switched_off() {
        // SAFETY: the caller's contract.
        return unsafe { call_interpreted(unit, position(number), callable, args, nargsf, names) };
    }
    let depth = usize::try_from(remaining).unwrap_or(0);
    let mixed = depth.saturating_mul(MIXED_LEVEL).saturating_add(2 * MARGIN);
    let size = (ENTERING.room(depth) + ENTERING.room(0)).saturating_add(mixed).min(LARGEST_SEGMENT);
    // SAFETY: the arguments outlive the call; the entry is a vectorcall function.
    on_segment(size, || unsafe { unit.entry(position(number))(callable, args, nargsf, names) })
}

/// Makes a call on a fresh stack segment of this size.
fn on_segment(size: usize, call: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    let outer = STACK.with(|stack| (stack.end.get(), stack.kept.get(), stack.on_largest.get()));
    let call = || {
        STACK.with(|stack| {
            stack.end.set(0);
            stack.on_largest.set(size == LARGEST_SEGMENT);
        });
        ENTERING.forget_thread();
        call()
    };
    // `grow` panics where the system has no memory for the segment; nothing has run then.
    let result = catch_unwind(AssertUnwindSafe(|| stacker::grow(size, call)));
    STACK.with(|stack| {
        stack.end.set(outer.0);
        stack.kept.set(outer.1);
        stack.on_largest.set(outer.2);
    });
    ENTERING.forget_thread();
    result.unwrap_or_else(|_| {
        // SAFETY: the thread is attached.
        unsafe { ffi::PyErr_NoMemory() }
    })
}

/// Runs the bytecode of a function, whatever its entry is, in the place of one that has no code yet, as deep as the interpreter
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
            let result = (running.plain_vectorcall)(function, args, nargsf, names);
            thread::move_c_recursion(running.layout, state, -1);
            result
        }
    };
    if STACK.with(Stack::left) >= LEAST_ROOM { call() } else { on_segment(ROOM, call) }
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
                bind::Binding::Raised => return ptr::null_mut(),
                bind::Binding::Bound(bound) => match bound.check(loaded, function) {
                    0 => {}
                    status => return refused(status),
                },
            }
        }
        let result = (running().plain_vectorcall)(function, args, nargsf, names);
        if !result.is_null() && loaded.check_result(function, result) < 0 {
            drop_ref(result);
            return ptr::null_mut();
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
    if status < 0 { ptr::null_mut() } else { unsafe { ffi::Py_NewRef(ffi::Py_NotImplemented()) } }
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
            return ptr::null_mut();
        }
        if depth < 0 {
            return enter_on_new_stack(unit, number_word, callable, args, nargsf, names);
        }
        if nargsf & BOUND_FLAG != 0 {
            return bind::run_generic(shared, number, function, args);
        }
        let arity = loaded.arity;
        let is_plain = names.is_null() && nargsf & !OFFSET_FLAG == arity.positional;
        if is_plain
            && arity.positional == arity.total()
            && loaded.promise().is_none()
            && !shared.has_body(number)
        {
            return bind::run_generic(shared, number, function, args);
        }
        let bound = match bind::bind(shared, number, function, args, nargsf, names) {
            bind::Binding::Bound(bound) => bound,
            bind::Binding::Raised => return ptr::null_mut(),
            // The interpreter binds again, fails in the same way and says why in its own words.
            bind::Binding::Refused => {
                frames::show();
                return (running().plain_vectorcall)(function, args, nargsf, names);
            }
        };
        match bound.check(loaded, function) {
            0 => {}
            status => return refused(status),
        }
        if shared.has_body(number) && bound.is_exact(shared, &shared.meta().functions[number].params) {
            let values = bound.values();
            return shared.entry(number)(
                callable,
                values.as_ptr(),
                values.len() | BOUND_FLAG,
                ptr::null_mut(),
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
        let mut inner = ptr::null_mut();
        if !traceback.is_null() {
            inner = Name::TracebackNext.of(traceback);
            if inner == ffi::Py_None() {
                drop_ref(inner);
                inner = ptr::null_mut();
            }
        }
        drop_optional(traceback);
        put_error([kind, value, inner]);
        -1
    }
}
