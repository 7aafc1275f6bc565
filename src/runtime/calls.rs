//! Calls of any callable: of compiled functions by their entries, of everything else through the interpreter.

use std::cell::UnsafeCell;
use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;
use rustc_hash::FxHashSet;

use crate::cpython::method;
use crate::cpython::object::field;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_of;
use crate::cpython::running;
use crate::cpython::thread;

use super::enter::OFFSET_FLAG;
use super::frames;
use super::quiet;
use super::table::position;

/// `Py_TPFLAGS_HAVE_VECTORCALL`
const HAVE_VECTORCALL: u64 = 1 << 11;

/// Calls with these arguments.
///
/// # Safety
/// All objects are alive; the thread is attached.
pub(super) unsafe fn call_with<const COUNT: usize>(
    callable: *mut PyObject,
    args: [*mut PyObject; COUNT],
) -> *mut PyObject {
    let mut words = vec![std::ptr::null_mut(); COUNT + 1];
    words[1..].copy_from_slice(&args);
    // SAFETY: the caller's contract; the arguments stand behind a free word.
    unsafe {
        obj_call(
            callable,
            words.as_ptr().add(1),
            i64::try_from(COUNT).expect("a few arguments"),
            std::ptr::null_mut(),
        )
    }
}

/// Calls with `count` arguments, the last of them by `names` unless that is null or None.
///
/// # Safety
/// All objects are alive, `args` holds `count` of them behind a word that may be written, `names` is a tuple of
/// str; the thread is attached.
pub unsafe extern "C" fn obj_call(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    count: i64,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract. The object takes the free word for as long as the call lasts, as when the
    // interpreter calls a bound method, which keeps both.
    unsafe {
        let Some((function, object)) = method::bound(callable) else {
            return call_unbound(callable, (args, count, names), OFFSET_FLAG);
        };
        let place = args.sub(1).cast_mut();
        let free = place.replace(object);
        let result = call_unbound(function, (place, count + 1, names), 0);
        *place = free;
        result
    }
}

/// As [`obj_call`]; `free` is [`OFFSET_FLAG`] where a word that may be written stands in front of the arguments, or 0.
unsafe fn call_unbound(
    callable: *mut PyObject,
    (args, count, names): (*const *mut PyObject, i64, *mut PyObject),
    free: usize,
) -> *mut PyObject {
    let running = running();
    // SAFETY: the caller's contract.
    unsafe {
        let names = if names == ffi::Py_None() { std::ptr::null_mut() } else { names };
        let named = if names.is_null() { 0 } else { tuple_items(running.layout, names).len() };
        let count = position(count);
        let nargsf = (count - named) | free;
        let class = type_of(callable);
        let given = std::slice::from_raw_parts(args, count);
        if names.is_null() && quiet::is_own_method(callable, class, given) {
            let _frames = frames::link_unless(|| quiet::is_quiet_call(callable, class, given));
            return call_own_method(callable, given, free);
        }
        if let Some(entry) = entry_of(callable) {
            if entry as usize == running.plain_vectorcall as usize {
                return call_plain(entry, callable, args, nargsf, names);
            }
            if is_compiled(entry) {
                return frames::wait(|| entry(callable, args, nargsf, names));
            }
        }
        let call = || (running.symbols.vectorcall)(callable, args, nargsf, names);
        if quiet::makes_instance(callable, class) {
            return frames::wait(call);
        }
        let _frames = frames::link_unless(|| names.is_null() && quiet::is_quiet_call(callable, class, given));
        call()
    }
}

/// Calls a method of a builtin class with an object of that class, as its descriptor does.
///
/// # Safety
/// [`quiet::is_own_method`] holds for both; the thread is attached. `free` is as for [`call_unbound`].
unsafe fn call_own_method(callable: *mut PyObject, args: &[*mut PyObject], free: usize) -> *mut PyObject {
    let running = running();
    let plainly = || {
        let nargsf = args.len() | free;
        // SAFETY: the caller's contract.
        unsafe { (running.symbols.vectorcall)(callable, args.as_ptr(), nargsf, std::ptr::null_mut()) }
    };
    let Some((&object, rest)) = args.split_first() else { return plainly() };
    // SAFETY: the caller's contract; a method is called with an object of its own class.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let Some(function) = method::function_of(callable, rest.len()) else { return plainly() };
        if !thread::enter_c_call(running.layout, state) {
            return plainly();
        }
        let result = function.call(object, rest);
        thread::leave_c_call(running.layout, state);
        result
    }
}

/// Calls a function that runs bytecode, as the interpreter would without a C call.
unsafe fn call_plain(
    entry: vectorcallfunc,
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let layout = running().layout;
    // SAFETY: the caller's contract; the counter is put back by as much as it was moved.
    unsafe {
        let _frames = frames::link();
        let state = ffi::PyThreadState_Get();
        thread::move_c_recursion(layout, state, 1);
        let result = entry(function, args, nargsf, names);
        thread::move_c_recursion(layout, state, -1);
        result
    }
}

/// Calls with a tuple of arguments, and a dict of named ones or null; the frames are linked.
///
/// # Safety
/// All objects are alive; the thread is attached.
pub(super) unsafe fn obj_call_plainly(
    callable: *mut PyObject,
    args: *mut PyObject,
    named: *mut PyObject,
) -> *mut PyObject {
    let running = running();
    // SAFETY: the caller's contract.
    unsafe {
        if entry_of(callable).is_none_or(|entry| entry as usize != running.plain_vectorcall as usize) {
            return ffi::PyObject_Call(callable, args, named);
        }
        let state = ffi::PyThreadState_Get();
        thread::move_c_recursion(running.layout, state, 1);
        let result = ffi::PyObject_Call(callable, args, named);
        thread::move_c_recursion(running.layout, state, -1);
        result
    }
}

/// The vectorcall function of a callable, if it has one.
///
/// # Safety
/// The callable is alive.
#[inline]
pub(super) unsafe fn entry_of(callable: *mut PyObject) -> Option<vectorcallfunc> {
    let places = &running().layout.attribute;
    // SAFETY: the flag says that instances have the function where the type tells.
    unsafe {
        let class = type_of(callable);
        if field::<u64, _>(class, places.flags) & HAVE_VECTORCALL == 0 {
            return None;
        }
        let offset: isize = field(class, places.vectorcall_offset);
        callable.byte_offset(offset).cast::<Option<vectorcallfunc>>().read()
    }
}

/// The entries of compiled functions: a power of two of answers that were given last, and all of them.
struct Entries {
    recent: UnsafeCell<[(u64, bool); RECENT]>,
    all: Mutex<Option<FxHashSet<u64>>>,
}

// SAFETY: only attached threads use it, and run nothing meanwhile.
unsafe impl Sync for Entries {}

const RECENT: usize = 128;

static ENTRIES: Entries = Entries { recent: UnsafeCell::new([(0, false); RECENT]), all: Mutex::new(None) };

/// Whether a vectorcall function is the entry of a compiled function: it runs nothing but compiled code, or says
/// [`frames::show`] first.
///
/// # Safety
/// The thread is attached.
#[inline]
pub(super) unsafe fn is_compiled(entry: vectorcallfunc) -> bool {
    let entry = entry as usize as u64;
    // SAFETY: an attached thread is alone with the answers.
    let answer = unsafe { &mut (*ENTRIES.recent.get())[place_of(entry)] };
    if answer.0 != entry {
        let all = ENTRIES.all.lock().unwrap_or_else(PoisonError::into_inner);
        *answer = (entry, all.as_ref().is_some_and(|all| all.contains(&entry)));
    }
    answer.1
}

/// Where the answer about an entry is kept.
fn place_of(entry: u64) -> usize {
    usize::try_from(entry / 16 % RECENT as u64).expect("the remainder is small")
}

/// Makes an entry known.
pub fn add_entry(entry: u64) {
    change(|all| {
        all.insert(entry);
    });
}

/// Forgets an entry, whose code is about to go.
pub(super) fn remove_entry(entry: u64) {
    change(|all| {
        all.remove(&entry);
    });
}

fn change(change: impl FnOnce(&mut FxHashSet<u64>)) {
    change(ENTRIES.all.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
    // SAFETY: the thread is attached, as for everything that is done with units.
    unsafe { *ENTRIES.recent.get() = [(0, false); RECENT] };
}
