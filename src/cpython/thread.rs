//! The fields of a thread state.

use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;

use super::layout::Breaker;
use super::layout::BreakerPlace;
use super::layout::Layout;
use super::object::field;
use super::object::set_field;

/// How many more Python frames may nest.
///
/// # Safety
/// The thread state is alive and laid out as told; its thread is the calling one.
#[inline]
pub unsafe fn recursion_remaining(layout: &Layout, thread: *mut PyThreadState) -> i32 {
    // SAFETY: the counter stands there.
    unsafe { field(thread, layout.thread.recursion_remaining) }
}

/// The limit from which the counter of [`recursion_remaining`] started: when it is changed, the counter
/// moves by as much.
///
/// # Safety
/// As [`recursion_remaining`].
#[inline]
pub unsafe fn recursion_limit(layout: &Layout, thread: *mut PyThreadState) -> i32 {
    // SAFETY: the limit stands there.
    unsafe { field(thread, layout.thread.recursion_limit) }
}

/// Sets how many more Python frames may nest.
///
/// # Safety
/// As [`recursion_remaining`]; whoever changes the counter puts it back.
#[inline]
pub unsafe fn set_recursion_remaining(layout: &Layout, thread: *mut PyThreadState, remaining: i32) {
    // SAFETY: the counter stands there.
    unsafe { set_field(thread, layout.thread.recursion_remaining, remaining) }
}

/// The number of the thread state, which no other one of the interpreter ever has.
///
/// # Safety
/// As [`recursion_remaining`].
#[inline]
pub unsafe fn id(layout: &Layout, thread: *mut PyThreadState) -> u64 {
    // SAFETY: the number stands there.
    unsafe { field(thread, layout.thread.id) }
}

/// The place of the exception that is handled by the innermost frame or generator that runs: an object, owned, None
/// or null.
///
/// # Safety
/// As [`recursion_remaining`]; whoever changes it owns what it gives and drops what it takes.
#[inline]
pub unsafe fn handled(layout: &Layout, thread: *mut PyThreadState) -> *mut *mut PyObject {
    // SAFETY: the pointer stands there, and the object first in what it points to.
    unsafe { field(thread, layout.thread.handled) }
}

/// Gives back (1) or takes again (-1) what the eval loop takes of the C recursion counter when compiled
/// code calls a plain Python function: the interpreter would not count such a call.
///
/// # Safety
/// As [`recursion_remaining`]; whoever gives back takes again.
#[inline]
pub unsafe fn move_c_recursion(layout: &Layout, thread: *mut PyThreadState, sign: i32) {
    if let Some((offset, units)) = layout.thread.c_recursion {
        // SAFETY: the counter stands there.
        unsafe {
            let remaining: i32 = field(thread, offset);
            set_field(thread, offset, remaining.saturating_add(sign * units));
        }
    }
}

/// Counts a call of a C function as the interpreter counts it: false where no further one may nest, and then nothing is
/// counted.
///
/// # Safety
/// As [`recursion_remaining`]; whoever was counted calls [`leave_c_call`].
#[inline]
pub unsafe fn enter_c_call(layout: &Layout, thread: *mut PyThreadState) -> bool {
    let offset = c_counter(layout);
    // SAFETY: the counter stands there.
    unsafe {
        let remaining: i32 = field(thread, offset);
        if remaining <= 0 {
            return false;
        }
        set_field(thread, offset, remaining - 1);
    }
    true
}

/// Ends a call that [`enter_c_call`] has counted.
///
/// # Safety
/// As [`enter_c_call`].
#[inline]
pub unsafe fn leave_c_call(layout: &Layout, thread: *mut PyThreadState) {
    let offset = c_counter(layout);
    // SAFETY: the counter stands there.
    unsafe {
        let remaining: i32 = field(thread, offset);
        set_field(thread, offset, remaining + 1);
    }
}

/// Where the counter stands that calls of C functions share: before CPython 3.12 it is the one of Python frames.
#[inline]
fn c_counter(layout: &Layout) -> i32 {
    layout.thread.c_recursion.map_or(layout.thread.recursion_remaining, |(offset, _)| offset)
}

/// The tools of `sys.monitoring`, the interpreter's own two for `sys.setprofile` and `sys.settrace` left
/// out, in eight events.
const TOOLS: u64 = 0x3f3f_3f3f_3f3f_3f3f;

/// From the first to the last eight of the fifteen monitored events.
const LAST_EVENTS: i32 = 7;

/// Whether a tracer or profiler is on in this thread, or a tool of `sys.monitoring` anywhere.
///
/// # Safety
/// As [`recursion_remaining`].
#[inline]
pub unsafe fn is_traced(layout: &Layout, thread: *mut PyThreadState) -> bool {
    // SAFETY: both function pointers stand there.
    unsafe {
        let profile: usize = field(thread, layout.thread.profile);
        let trace: usize = field(thread, layout.thread.trace);
        profile | trace != 0 || is_monitored(layout, thread)
    }
}

/// How many tools `sys.monitoring` has for programs.
pub(super) const PROGRAM_TOOLS: usize = 6;

/// From the monitored events to the tools' names in the interpreter state.
pub(super) const TOOL_NAMES: i32 = 1128;

/// The 64-bit words of the interpreter state, and the bits of them, that are all 0 where no tool of `sys.monitoring`
/// listens to an event of all code or is in use at all: which code objects one listens to by themselves
/// would have to be asked of each function in each call, inlined ones too.
///
/// `monitors` is where the monitored events stand.
#[must_use]
pub fn tool_words(monitors: i32) -> [(i32, u64); 2 + PROGRAM_TOOLS] {
    let mut words = [(monitors, TOOLS); 2 + PROGRAM_TOOLS];
    words[1].0 += LAST_EVENTS;
    for (word, tool) in words[2..].iter_mut().zip(0..) {
        *word = (monitors + TOOL_NAMES + 8 * tool, u64::MAX);
    }
    words
}

/// Whether a tool of `sys.monitoring` may see compiled code run.
unsafe fn is_monitored(layout: &Layout, thread: *mut PyThreadState) -> bool {
    let Some(monitors) = layout.monitors else { return false };
    // SAFETY: the thread state leads to the interpreter's, where the words stand.
    let interpreter: *const u8 = unsafe { field(thread, layout.thread.interpreter) };
    tool_words(monitors).iter().any(|&(offset, bits)| {
        // SAFETY: as above.
        let word = unsafe { interpreter.offset(offset as isize).cast::<u64>().read_unaligned() };
        word & bits != 0
    })
}

/// The address of the eval breaker.
///
/// # Safety
/// As [`recursion_remaining`].
#[must_use]
pub unsafe fn breaker_address(layout: &Layout, thread: *mut PyThreadState) -> *mut u8 {
    // SAFETY: the offsets lead to fields of the thread's and the interpreter's state.
    unsafe {
        match layout.breaker.place {
            BreakerPlace::Thread(offset) => thread.cast::<u8>().offset(offset as isize),
            BreakerPlace::Interpreter(offset) => {
                let interpreter: *mut u8 = field(thread, layout.thread.interpreter);
                interpreter.offset(offset as isize)
            }
        }
    }
}

/// Whether the eval breaker says that work is pending.
///
/// # Safety
/// `address` is what [`breaker_address`] gave for this layout.
#[must_use]
pub unsafe fn is_break_requested(breaker: &Breaker, address: *mut u8) -> bool {
    // SAFETY: the word stands there; other threads write it, so it is read as a volatile word.
    let word = unsafe {
        if breaker.width == 8 {
            address.cast::<u64>().read_volatile()
        } else {
            u64::from(address.cast::<u32>().read_volatile())
        }
    };
    word & breaker.mask != 0
}
