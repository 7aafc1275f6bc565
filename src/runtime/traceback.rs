//! Traceback entries of compiled code: a frame object made when an exception leaves a function.
//!
//! The frame's current instruction is the first whose position is that of the raising operation, so that
//! line, columns and the carets under them are those of the interpreter's own traceback.

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;

use crate::cpython::object::drop_optional;
use crate::cpython::object::field;
use crate::cpython::object::set_field;
use crate::cpython::running;

use super::meta::Position;
use super::table::position;
use super::unit::LoadedFunction;
use super::unit::LoadedUnit;
use super::unit::Source;

/// Bytes of a code unit.
const CODE_UNIT: usize = 2;

/// Adds the trace's entries to the traceback of the exception that is set.
///
/// # Safety
/// The unit is loaded and has this trace; an exception is set, the thread is attached.
pub unsafe extern "C" fn add_traceback(unit: *const LoadedUnit, trace: i64) {
    // SAFETY: the unit lives while its code runs; the thread is attached, as for every helper.
    let (unit, py) = unsafe { (&*unit, Python::assume_attached()) };
    let mut parts = [std::ptr::null_mut(); 3];
    let [kind, value, traceback] = &mut parts;
    // SAFETY: three places for owned references; not normalised, because nothing asks for that yet.
    unsafe { ffi::PyErr_Fetch(kind, value, traceback) };
    let trace = position(trace);
    let instructions = instructions_of(py, unit, trace);
    let [kind, value, traceback] = parts;
    // SAFETY: the references are handed back.
    unsafe { ffi::PyErr_Restore(kind, value, traceback) };
    for (&(function, _), instruction) in unit.meta().traces[trace].entries.iter().zip(instructions) {
        let (owner, loaded) = unit.resolve(function as usize);
        // SAFETY: the code object is alive with its unit, and the instruction is one of its.
        unsafe { add_entry(owner, loaded.code(), instruction) };
    }
}

/// The instruction of each entry, found once.
fn instructions_of(py: Python<'_>, unit: &LoadedUnit, trace: usize) -> Vec<usize> {
    if let Some(known) = &unit.instructions.borrow()[trace] {
        return known.to_vec();
    }
    let entries = &unit.meta().traces[trace].entries;
    let found: Vec<usize> = entries
        .iter()
        .map(|(function, wanted)| {
            let (_, loaded) = unit.resolve(*function as usize);
            find_instruction(positions_of(py, loaded), wanted)
        })
        .collect();
    unit.instructions.borrow_mut()[trace] = Some(found.clone().into_boxed_slice());
    found
}

/// The code unit whose position is this one, else one of the same line, else the first.
fn find_instruction(positions: &[Option<Position>], wanted: &Position) -> usize {
    let known =
        || positions.iter().enumerate().filter_map(|(index, known)| known.map(|known| (index, known)));
    let exact = known().find(|(_, known)| known == wanted);
    let found = exact.or_else(|| known().find(|(_, known)| known.line == wanted.line));
    found.map_or(0, |(index, _)| index)
}

/// The position of each code unit of the function, found once; empty when the code object won't say.
fn positions_of<'a>(py: Python<'_>, loaded: &'a LoadedFunction) -> &'a [Option<Position>] {
    loaded.positions.get_or_init(|| match &loaded.source {
        Source::Own { code, .. } => read_positions(code.bind(py)).unwrap_or_default(),
        Source::Other { .. } => Vec::new(),
    })
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

/// Adds one entry to the traceback of the exception that is set.
unsafe fn add_entry(unit: &LoadedUnit, code: *mut PyObject, instruction: usize) {
    let running = running();
    let places = &running.layout.frame;
    // SAFETY: code and globals are alive; the frame is ours alone, and its fields stand where they were
    // checked to stand. The exception is put aside, because making a frame may fail and must not see it.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        ffi::PyErr_Fetch(kind, value, traceback);
        let frame = (running.symbols.frame_new)(state, code, unit.globals(), std::ptr::null_mut());
        let [kind, value, traceback] = parts;
        ffi::PyErr_Restore(kind, value, traceback);
        if frame.is_null() {
            return;
        }
        let inner: *mut u8 = field(frame, places.frame);
        let first = code.cast::<u8>().offset(places.first_instruction as isize);
        let current = first.add(CODE_UNIT * instruction);
        set_field(inner, places.instruction, current);
        if field::<*mut PyObject, _>(frame, places.back).is_null() {
            set_field(frame, places.back, ffi::PyThreadState_GetFrame(state));
        }
        // A failure here (no memory) replaces the exception, as it does in the interpreter.
        ffi::PyTraceBack_Here(frame);
        drop_optional(frame.cast());
    }
}
