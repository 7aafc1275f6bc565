//! Traceback entries of compiled code: a frame object made when an exception leaves a function.
//!
//! The frame's current instruction is the first whose position is that of the raising operation, so that
//! line, columns and the carets under them are those of the interpreter's own traceback.

use std::cell::Cell;
use std::cell::UnsafeCell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::rc::Rc;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::new_ref;
use crate::cpython::running;
use crate::cpython::thread;
use crate::ir::FRAME;

use super::frame_objects::{
    Variables, add_cells, go_to, inner_frame, is_own, move_in, new_frame, set_back, shown_before,
};
use super::frames;
use super::meta::Position;
use super::meta::ShowMeta;
use super::meta::VariableMeta;
use super::meta::WordType;
use super::object::drop_all;
use super::resume::Builder;
use super::table::position;
use super::unit::LoadedFunction;
use super::unit::LoadedUnit;
use super::unit::Source;

/// How many calls asking a code object for its positions may nest.
const ROOM: i32 = 20;

/// Adds entries to the traceback of the exception that is set, with the variables of their frames.
///
/// # Safety
/// - The unit is loaded; an exception is set, the thread is attached.
/// - The unit has something of this number that is shown, and `words` are as its metadata says; object
///   words are owned and taken, and so is what is dropped.
pub unsafe extern "C" fn add_traceback(unit: *const LoadedUnit, number: i64, words: *const u64) {
    // SAFETY: the unit lives while its code runs; the thread is attached, as for every helper.
    let (unit, py) = unsafe { (&*unit, Python::assume_attached()) };
    let show = &unit.meta().shows[position(number)];
    // SAFETY: the caller's contract. What is shown is the caller of the frames that are made here.
    unsafe {
        drop_rest(show, words);
        frames::show();
    }
    let mut parts = [std::ptr::null_mut(); 3];
    let [kind, value, traceback] = &mut parts;
    // SAFETY: three places for owned references; not normalised, because nothing asks for that yet.
    unsafe { ffi::PyErr_Fetch(kind, value, traceback) };
    let trace = show.trace as usize;
    let instructions = instructions_of(py, unit, trace);
    // SAFETY: the caller's contract.
    let mut shown = unsafe { variables_of(py, unit, show, words) }.into_iter();
    let [kind, value, traceback] = parts;
    // SAFETY: the references are handed back.
    unsafe { ffi::PyErr_Restore(kind, value, traceback) };
    let entries = unit.meta().traces[trace].entries.iter().zip(&*instructions);
    for (number, (&(function, _), &instruction)) in entries.enumerate() {
        let (owner, loaded) = unit.resolve(function as usize);
        let shown = shown.next().unwrap_or_default();
        // SAFETY: the code object is alive with its unit, and the instruction is one of its.
        unsafe {
            match number {
                0 if show.again => complete_entry(loaded, shown),
                _ => add_entry(owner, loaded, instruction, shown),
            }
        }
    }
}

/// Adds the first entry of what is shown, without variables.
///
/// # Safety
/// As for `add_traceback`, of something without words.
pub(super) unsafe fn add_first_entry(unit: *const LoadedUnit, number: i64) {
    // SAFETY: the unit lives while its code runs; the thread is attached, as for every helper.
    let (unit, py) = unsafe { (&*unit, Python::assume_attached()) };
    let trace = unit.meta().shows[position(number)].trace as usize;
    // SAFETY: what is shown is the caller of the frame that is made here.
    unsafe { frames::show() };
    let instruction = instruction_of(py, unit, trace, 0);
    let (owner, loaded) = unit.resolve(unit.meta().traces[trace].entries[0].0 as usize);
    // SAFETY: the code object is alive with its unit, and the instruction is one of its.
    unsafe { add_entry(owner, loaded, instruction, ShownFrame::default()) };
}

thread_local! {
    static RAISED_AGAIN: Cell<*mut PyObject> = const { Cell::new(std::ptr::null_mut()) };
}

/// The exception is raised without an entry: an activation that catches it, before another entry is added, finds the
/// entry of somebody else.
pub(super) fn note_raised_again(exception: *mut PyObject) {
    RAISED_AGAIN.set(exception);
}

/// The frame of the traceback entry that an activation of the function has given an exception that it has just
/// caught: a new reference to a frame or None. The other is the frame of an entry that the activation has given
/// another exception, or this one before, or None.
///
/// # Safety
/// The unit is loaded and has a function of this number; all objects are alive, the thread is attached.
pub unsafe extern "C" fn obj_caught_frame(
    unit: *const LoadedUnit,
    function: i64,
    exception: *mut PyObject,
    known: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the unit lives while its code runs; references to the traceback and its frame are owned.
    unsafe {
        // Whoever raises the exception again has not been called by that frame's activation.
        *LAST.0.get() = std::ptr::null_mut();
        if exception != RAISED_AGAIN.get() {
            let (_, loaded) = (*unit).resolve(position(function));
            let traceback = ffi::PyException_GetTraceback(exception);
            let frame = inner_frame(traceback);
            drop_optional(traceback);
            if is_own(frame, loaded) {
                return frame;
            }
            drop_optional(frame);
        }
        new_ref(known)
    }
}

/// Puts what is shown into the frame that tracebacks have of an activation which ends.
///
/// # Safety
/// As for [`add_traceback`], without an exception, of something that has a frame; object words are owned and taken.
pub unsafe extern "C" fn obj_leave_frame(unit: *const LoadedUnit, number: i64, words: *const u64) {
    // SAFETY: the unit lives while its code runs; the thread is attached, as for every helper.
    let (unit, py) = unsafe { (&*unit, Python::assume_attached()) };
    let show = &unit.meta().shows[position(number)];
    let trace = show.trace as usize;
    let instruction = instruction_of(py, unit, trace, 0);
    // SAFETY: the caller's contract.
    let mut shown = unsafe { variables_of(py, unit, show, words) }.into_iter().next().unwrap_or_default();
    let (_, loaded) = unit.resolve(unit.meta().traces[trace].entries[0].0 as usize);
    // SAFETY: a frame of the function's, which runs no more.
    unsafe {
        let frame = shown.own_frame(loaded);
        if !frame.is_null() {
            go_to(frame, loaded.code(), instruction);
        }
        move_in(frame, loaded, shown.variables);
        drop_optional(frame);
    }
}

/// Drops what the function owns besides the words, as the instruction that raised.
unsafe fn drop_rest(show: &ShowMeta, words: *const u64) {
    // SAFETY: so many objects follow the words; whoever has some left a site.
    unsafe {
        if show.drops == 0 {
            return frames::pass();
        }
        frames::set_trace(show.trace);
        drop_all(words.add(show.words.len()).cast(), i64::from(show.drops));
    }
}

/// What goes into one frame.
#[derive(Default)]
struct ShownFrame {
    variables: Variables,
    /// The frame that tracebacks have of the activation, owned, if there is one.
    frame: Option<Py<PyAny>>,
}

impl ShownFrame {
    /// The frame, owned, if it is one of the function's; else null.
    fn own_frame(&mut self, loaded: &LoadedFunction) -> *mut PyObject {
        let Some(frame) = self.frame.take() else { return std::ptr::null_mut() };
        // SAFETY: a live object; None is no frame.
        unsafe {
            let frame = frame.into_ptr();
            if frame != ffi::Py_None() && is_own(frame, loaded) {
                return frame;
            }
            drop_ref(frame);
        }
        std::ptr::null_mut()
    }
}

/// The variables of each frame; one whose value can't be made, for lack of memory, is left out.
unsafe fn variables_of(
    py: Python<'_>,
    unit: &LoadedUnit,
    show: &ShowMeta,
    words: *const u64,
) -> Vec<ShownFrame> {
    if show.words.is_empty() && show.frames.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    // SAFETY: `words` holds as many words as the metadata says.
    let words = unsafe { std::slice::from_raw_parts(words, show.words.len()) };
    let mut builder = Builder::new(py, unit, &show.words, words);
    let mut frames = Vec::with_capacity(show.frames.len());
    for frame in &show.frames {
        let mut shown = ShownFrame { variables: Vec::with_capacity(frame.len()), frame: None };
        for VariableMeta { number, slot, bound } in frame {
            let is_bound = bound.is_none_or(|word| words[word as usize] & 1 != 0);
            if is_bound && let Ok(object) = builder.object(slot) {
                match *number {
                    FRAME => shown.frame = Some(object.unbind()),
                    number => shown.variables.push((number as usize, object.into_ptr())),
                }
            }
        }
        frames.push(shown);
    }
    drop(builder);
    for (&word, &ty) in words.iter().zip(&show.words) {
        if ty == WordType::Obj {
            // SAFETY: the word is owned.
            unsafe { drop_ref(word as *mut PyObject) };
        }
    }
    frames
}

/// The instruction of one entry.
pub(super) fn instruction_of(py: Python<'_>, unit: &LoadedUnit, trace: usize, entry: usize) -> usize {
    if let Some(known) = &unit.instructions.borrow()[trace] {
        return known[entry];
    }
    instructions_of(py, unit, trace)[entry]
}

/// The instruction of each entry, found once.
fn instructions_of(py: Python<'_>, unit: &LoadedUnit, trace: usize) -> Rc<[usize]> {
    if let Some(known) = &unit.instructions.borrow()[trace] {
        return Rc::clone(known);
    }
    let entries = &unit.meta().traces[trace].entries;
    let mut is_sure = true;
    let mut parts = [std::ptr::null_mut(); 3];
    let [kind, value, traceback] = &mut parts;
    // SAFETY: three places for owned references. To ask a code object runs Python, which must not see the
    // exception that may be set.
    unsafe { ffi::PyErr_Fetch(kind, value, traceback) };
    let found: Rc<[usize]> = entries
        .iter()
        .map(|(function, wanted)| {
            let (_, loaded) = unit.resolve(*function as usize);
            match positions_of(py, loaded) {
                Some(positions) => find_instruction(positions, wanted),
                None => {
                    is_sure = false;
                    0
                }
            }
        })
        .collect();
    let [kind, value, traceback] = parts;
    // SAFETY: the references are handed back.
    unsafe { ffi::PyErr_Restore(kind, value, traceback) };
    if is_sure {
        unit.instructions.borrow_mut()[trace] = Some(Rc::clone(&found));
    }
    found
}

/// Runs this with room for a few calls, which there may not be: the traceback may be that of the RecursionError
/// which says so.
fn with_room<R>(run: impl FnOnce() -> R) -> R {
    let layout = running().layout;
    // SAFETY: the thread is attached, as for every helper; the counter is put back by as much as it was raised.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let room = |more: i32| {
            thread::set_recursion_remaining(layout, state, thread::recursion_remaining(layout, state) + more);
        };
        room(ROOM);
        let result = run();
        room(-ROOM);
        result
    }
}

/// The code unit whose position is this one, else one of the same line, else the first.
fn find_instruction(positions: &[Option<Position>], wanted: &Position) -> usize {
    let known =
        || positions.iter().enumerate().filter_map(|(index, known)| known.map(|known| (index, known)));
    let exact = known().find(|(_, known)| known == wanted);
    let found = exact.or_else(|| known().find(|(_, known)| known.line == wanted.line));
    found.map_or(0, |(index, _)| index)
}

/// The position of each code unit of the function, found once; none while the code object can't say, for
/// lack of memory.
fn positions_of<'a>(py: Python<'_>, loaded: &'a LoadedFunction) -> Option<&'a [Option<Position>]> {
    if let Some(known) = loaded.positions.get() {
        return Some(known);
    }
    let found = match &loaded.source {
        // What PyO3 can't make for lack of memory is a panic.
        Source::Own { code, .. } => {
            let read = || catch_unwind(AssertUnwindSafe(|| read_positions(code.bind(py))));
            with_room(read).ok()?.ok()?
        }
        Source::Other { .. } | Source::Absent => Vec::new(),
    };
    Some(loaded.positions.get_or_init(|| found))
}

fn read_positions(code: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Position>>> {
    let mut positions = Vec::new();
    for item in code.call_method0("co_positions")?.try_iter()? {
        let (line, end_line, column, end_column): (Option<u32>, Option<u32>, Option<u32>, Option<u32>) =
            item?.extract()?;
        // Without columns (`-X no_debug_ranges`) the line still finds the instruction.
        positions.push(line.map(|line| Position {
            line,
            column: column.unwrap_or(u32::MAX),
            end_line: end_line.unwrap_or(line),
            end_column: end_column.unwrap_or(u32::MAX),
        }));
    }
    Ok(positions)
}

/// The frame object made last, if it is alive; only compared.
struct Last(UnsafeCell<*mut PyObject>);

// SAFETY: only attached threads use it.
unsafe impl Sync for Last {}

static LAST: Last = Last(UnsafeCell::new(std::ptr::null_mut()));

/// Adds one entry to the traceback of the exception that is set.
unsafe fn add_entry(unit: &LoadedUnit, loaded: &LoadedFunction, instruction: usize, mut shown: ShownFrame) {
    let code = loaded.code();
    RAISED_AGAIN.set(std::ptr::null_mut());
    // SAFETY: code and globals are alive. The exception is put aside, because making a frame may fail and
    // must not see it.
    unsafe {
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        ffi::PyErr_Fetch(kind, value, traceback);
        let inner = inner_frame(*traceback);
        let own = shown.own_frame(loaded);
        // An exception that the activation itself has caught before comes from nowhere else.
        let is_called = !inner.is_null() && inner != own;
        let seen = if is_called { shown_before(inner, code, instruction) } else { None };
        let frame = match seen {
            // Nobody else has it, so that the activation is left with one frame.
            Some(seen) if !own.is_null() && (seen == own || ffi::Py_REFCNT(seen) == 2) => {
                set_back(inner, own);
                drop_ref(seen);
                own
            }
            Some(seen) => {
                drop_optional(own);
                seen
            }
            None if !own.is_null() => own,
            None => new_frame(unit, loaded, instruction),
        };
        if !own.is_null() && frame == own {
            go_to(frame, code, instruction);
        }
        if !frame.is_null() && is_called && inner == *LAST.0.get() {
            set_back(inner, frame);
        }
        drop_optional(inner);
        move_in(frame, loaded, shown.variables);
        add_cells(frame, loaded);
        let [kind, value, traceback] = parts;
        ffi::PyErr_Restore(kind, value, traceback);
        if frame.is_null() {
            return;
        }
        *LAST.0.get() = frame;
        // A failure here (no memory) replaces the exception, as it does in the interpreter.
        ffi::PyTraceBack_Here(frame.cast());
        drop_ref(frame);
    }
}

/// Gives the frame of the activation, which raises the exception again, the variables of the function: as it was caught
/// there, the function went on with them.
unsafe fn complete_entry(loaded: &LoadedFunction, mut shown: ShownFrame) {
    // SAFETY: an exception is set, whose parts are handed back.
    unsafe {
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        ffi::PyErr_Fetch(kind, value, traceback);
        let mut frame = shown.own_frame(loaded);
        if frame.is_null() && *value != RAISED_AGAIN.get() {
            // RuntimeError, for there was nothing to raise again.
            frame = inner_frame(*traceback);
        }
        move_in(if is_own(frame, loaded) { frame } else { std::ptr::null_mut() }, loaded, shown.variables);
        drop_optional(frame);
        let [kind, value, traceback] = parts;
        ffi::PyErr_Restore(kind, value, traceback);
    }
}
