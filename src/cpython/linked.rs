//! Interpreter frames of our own, linked into a thread's chain while compiled code calls out.
//!
//! A linked frame is what `sys._getframe`, `warnings`, tracers of the stack and signal handlers see of a
//! compiled function. It owns nothing: code, function and namespaces are kept alive by whoever runs the
//! function. When a frame object was made of it and somebody keeps that, the object gets a copy that owns
//! what it shows, as the interpreter does it for its own frames.
//!
//! The memory comes from the heap, not from the machine's stack, which a greenlet moves away while
//! others walk over its frames.

use std::cell::UnsafeCell;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;

use super::layout::CurrentFrame;
use super::object::drop_optional;
use super::object::drop_ref;
use super::object::field;
use super::object::new_ref;
use super::object::set_field;
use super::object::tuple_items;
use super::running;

/// `FRAME_OWNED_BY_THREAD`
const OWNED_BY_THREAD: u8 = 0;

/// `FRAME_OWNED_BY_FRAME_OBJECT`
pub const OWNED_BY_OBJECT: u8 = 2;

/// Bytes of a code unit.
const CODE_UNIT: usize = 2;

/// How many calls' memory is kept.
const MOST_KEPT: usize = 64;

/// Memory for the next calls: nested ones need several.
#[expect(clippy::vec_box, reason = "the boxes are what is passed on")]
struct Kept(UnsafeCell<Vec<Box<Memory>>>);

// SAFETY: only attached threads use it, and run nothing meanwhile.
unsafe impl Sync for Kept {}

static KEPT: Kept = Kept(UnsafeCell::new(Vec::new()));

/// What a frame shows. All of it is borrowed, and but for the function outlives the link.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The function.
    pub function: *mut PyObject,
    /// Its code object.
    pub code: *mut PyObject,
    /// The module's namespace.
    pub globals: *mut PyObject,
    /// The builtins' namespace.
    pub builtins: *mut PyObject,
    /// How many variables the code object has, cells included.
    pub variables: usize,
    /// The current instruction, in code units.
    pub instruction: usize,
}

/// The frames of one call, one behind another, and what they show.
#[derive(Default)]
struct Memory {
    words: Vec<u64>,
    shown: Vec<Shown>,
}

/// Frames in the chain of the thread that runs.
pub struct LinkedFrames {
    /// In a box: it is passed on from hand to hand. There is none once it is given back.
    memory: Option<Box<Memory>>,
    state: *mut PyThreadState,
}

/// The place of the pointer to the frame that runs.
unsafe fn current(state: *mut PyThreadState) -> *mut *mut u8 {
    // SAFETY: the offsets are those of the running version; the caller passes the attached thread's state.
    unsafe {
        match running().layout.thread.current_frame {
            CurrentFrame::Direct(offset) => state.cast::<u8>().offset(offset as isize).cast(),
            CurrentFrame::Through(outer, inner) => {
                field::<*mut u8, _>(state, outer).offset(inner as isize).cast()
            }
        }
    }
}

impl LinkedFrames {
    /// Links frames for what `show` says, innermost first, so that the innermost one is the one that runs.
    /// They are unlinked when this is dropped; an exception that is set then stays set.
    ///
    /// # Safety
    /// - The thread is attached.
    /// - What is shown is alive until this is dropped, functions until this returns; it is dropped before anything
    ///   returns to the frame that ran so far.
    #[must_use]
    pub unsafe fn link(show: impl FnOnce(&mut Vec<Shown>)) -> LinkedFrames {
        let places = &running().layout.frame;
        let fixed = places.fixed_bytes() / size_of::<u64>();
        // SAFETY: the thread is attached, and so alone with it.
        let mut memory = unsafe { (*KEPT.0.get()).pop() }.unwrap_or_default();
        show(&mut memory.shown);
        let words: usize = memory.shown.iter().map(|shown| fixed + shown.variables).sum();
        memory.words.clear();
        memory.words.resize(words, 0);
        let mut frame: *mut u64 = memory.words.as_mut_ptr();
        // SAFETY: the memory has room for all frames, and is all zero; the pointer to the frame that runs is
        // the thread's own.
        unsafe {
            let state = ffi::PyThreadState_Get();
            let place = current(state);
            for shown in memory.shown.iter().rev() {
                fill(frame.cast(), shown);
                set_field(frame, places.previous, *place);
                *place = frame.cast();
                frame = frame.add(fixed + shown.variables);
            }
            LinkedFrames { memory: Some(memory), state }
        }
    }
}

unsafe fn fill(frame: *mut u8, shown: &Shown) {
    let places = &running().layout.frame;
    // SAFETY: the caller passes memory of a frame's size.
    unsafe {
        // Another function of the same code may run, and this one be dropped meanwhile.
        set_field(frame, places.function, new_ref(shown.function));
        set_field(frame, places.code, shown.code);
        set_field(frame, places.globals, shown.globals);
        set_field(frame, places.builtins, shown.builtins);
        let first = shown.code.cast::<u8>().offset(places.first_instruction as isize);
        set_field(frame, places.instruction, first.add(CODE_UNIT * shown.instruction));
        let top = i32::try_from(shown.variables).expect("counted budgets keep variables few");
        set_field(frame, places.stack_top, top);
        set_field(frame, places.entry.0, places.entry.1);
        set_field(frame, places.owner, OWNED_BY_THREAD);
        let layout = running().layout;
        let closure: *mut PyObject = field(shown.function, layout.function.closure);
        if !closure.is_null() {
            // Whoever asks for the variables finds cells where a closure's code has them.
            let cells = tuple_items(layout, closure);
            let first = shown.variables.saturating_sub(cells.len());
            let variables = frame.offset(places.variables as isize).cast::<*mut PyObject>();
            for (number, &cell) in cells.iter().enumerate().take(shown.variables) {
                *variables.add(first + number) = new_ref(cell);
            }
        }
    }
}

impl Drop for LinkedFrames {
    fn drop(&mut self) {
        let places = &running().layout.frame;
        let fixed = places.fixed_bytes();
        let Some(mut memory) = self.memory.take() else { return };
        // SAFETY: the frames are ours and were filled by `link`; they are the innermost ones of this thread.
        unsafe {
            let place = current(self.state);
            for shown in &memory.shown {
                let frame = *place;
                *place = field(frame, places.previous);
                let object: *mut PyObject = field(frame, places.object);
                if !object.is_null() {
                    hand_over(frame, object, fixed + shown.variables * size_of::<u64>());
                } else {
                    drop_variables(frame, shown.variables);
                    drop_ref(shown.function);
                }
            }
        }
        memory.shown.clear();
        // SAFETY: as for `link`.
        let kept = unsafe { &mut *KEPT.0.get() };
        if kept.len() < MOST_KEPT {
            kept.push(memory);
        }
    }
}

/// Drops what a frame holds: the cells of a closure, and what somebody has put there.
unsafe fn drop_variables(frame: *mut u8, count: usize) {
    // SAFETY: the frame is ours and has so many variables, each null or owned.
    unsafe {
        let variables = frame.offset(running().layout.frame.variables as isize).cast::<*mut PyObject>();
        for number in 0..count {
            drop_optional(*variables.add(number));
        }
    }
}

/// A frame object was made of the frame: it gets a copy for itself if somebody keeps it.
unsafe fn hand_over(frame: *mut u8, object: *mut PyObject, bytes: usize) {
    let running = running();
    let places = &running.layout.frame;
    // SAFETY: the frame object has room for a frame of its code; what the copy shows is counted for it, or the frame's
    // own reference becomes the copy's. The frame is out of the chain already, and what it shows is still alive.
    unsafe {
        if ffi::Py_REFCNT(object) > 1 {
            let mut parts = [std::ptr::null_mut(); 3];
            let [kind, value, traceback] = &mut parts;
            ffi::PyErr_Fetch(kind, value, traceback);
            let back = (running.symbols.frame_back)(object);
            ffi::PyErr_Clear();
            let [kind, value, traceback] = parts;
            ffi::PyErr_Restore(kind, value, traceback);
            let copy = object.cast::<u8>().offset(places.own as isize);
            std::ptr::copy_nonoverlapping(frame, copy, bytes);
            new_ref(field(copy, places.code));
            // The collector would count a frame's pointer to its own object.
            set_field(copy, places.object, std::ptr::null_mut::<u8>());
            set_field(copy, places.owner, OWNED_BY_OBJECT);
            set_field(copy, places.previous, std::ptr::null_mut::<u8>());
            set_field(object, places.frame, copy);
            if field::<*mut PyObject, _>(object, places.back).is_null() {
                set_field(object, places.back, back);
            } else {
                drop_optional(back);
            }
            if ffi::PyObject_GC_IsTracked(object) == 0 {
                ffi::PyObject_GC_Track(object.cast());
            }
            drop_ref(object);
            return;
        }
        drop_ref(object);
        drop_variables(frame, (bytes - places.fixed_bytes()) / size_of::<u64>());
        drop_optional(field(frame, places.locals));
        drop_ref(field(frame, places.function));
    }
}
