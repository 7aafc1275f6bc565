//! Frame objects of activations of compiled code: made, moved to an instruction, chained, given their variables.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::linked::OWNED_BY_OBJECT;
use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::field;
use crate::cpython::object::new_ref;
use crate::cpython::object::set_field;
use crate::cpython::running;

use super::closures;
use super::closures::obj_new_cell;
use super::install;
use super::names::Name;
use super::unit::LoadedFunction;
use super::unit::LoadedUnit;

/// Bytes of a code unit.
const CODE_UNIT: usize = 2;

/// Variables by their numbers, with owned values.
pub(super) type Variables = Vec<(usize, *mut PyObject)>;

/// Whether it is a frame object of the function's, with variables of its own.
pub(super) unsafe fn is_own(frame: *mut PyObject, loaded: &LoadedFunction) -> bool {
    let places = &running().layout.frame;
    // SAFETY: null, or a live frame object.
    unsafe {
        !frame.is_null() && {
            let inner: *mut u8 = field(frame, places.frame);
            field::<u8, _>(inner, places.owner) == OWNED_BY_OBJECT
                && field::<*mut PyObject, _>(inner, places.code) == loaded.code()
        }
    }
}

/// Has a frame object stand at another instruction.
pub(super) unsafe fn go_to(frame: *mut PyObject, code: *mut PyObject, instruction: usize) {
    let places = &running().layout.frame;
    // SAFETY: a live frame object of this code, which has left the chain.
    unsafe {
        let inner: *mut u8 = field(frame, places.frame);
        set_field(inner, places.instruction, address_of(code, instruction));
    }
}

/// The frame of the traceback's outermost entry so far, a new reference; null where there is none.
pub(super) unsafe fn inner_frame(traceback: *mut PyObject) -> *mut PyObject {
    if traceback.is_null() {
        return traceback;
    }
    // SAFETY: a live traceback; a failure leaves no exception behind.
    unsafe {
        let frame = Name::TracebackFrame.of(traceback);
        if frame.is_null() {
            ffi::PyErr_Clear();
        }
        frame
    }
}

/// The frame that the callee has seen as its caller's, a new reference: it was linked for that call, and
/// is its frame object's own by now.
pub(super) unsafe fn shown_before(
    inner: *mut PyObject,
    code: *mut PyObject,
    instruction: usize,
) -> Option<*mut PyObject> {
    let places = &running().layout.frame;
    // SAFETY: a live frame object; what it is called from is null or a frame object too.
    unsafe {
        let caller: *mut PyObject = field(inner, places.back);
        if caller.is_null() {
            return None;
        }
        let frame: *mut u8 = field(caller, places.frame);
        let is_it = field::<u8, _>(frame, places.owner) == OWNED_BY_OBJECT
            && field::<*mut PyObject, _>(frame, places.code) == code
            && field::<*mut u8, _>(frame, places.instruction) == address_of(code, instruction);
        is_it.then(|| new_ref(caller))
    }
}

/// Whoever asks for the variables finds cells where a closure's code has them.
pub(super) unsafe fn add_cells(frame: *mut PyObject, loaded: &LoadedFunction) {
    if frame.is_null() {
        return;
    }
    let places = &running().layout.frame;
    // SAFETY: a live frame object that has left the chain, of a code object with so many variables.
    unsafe {
        let inner: *mut u8 = field(frame, places.frame);
        let variables = inner.offset(places.variables as isize).cast::<*mut PyObject>();
        for number in loaded.variables - loaded.free..loaded.variables {
            let place = variables.add(number);
            if (*place).is_null() {
                *place = obj_new_cell(std::ptr::null_mut());
            }
        }
    }
}

/// Gives the frame its variables; what does not fit is dropped.
pub(super) unsafe fn move_in(frame: *mut PyObject, loaded: &LoadedFunction, variables: Variables) {
    let places = &running().layout.frame;
    let count = if loaded.is_as_told { loaded.variables } else { 0 };
    for (number, value) in variables {
        // SAFETY: a live frame object that has left the chain, of a code object with so many variables; the
        // values are owned. A frame that a callee has kept may have been given a variable since.
        unsafe {
            if frame.is_null() || number >= count {
                drop_ref(value);
                continue;
            }
            let inner: *mut u8 = field(frame, places.frame);
            let place = inner.offset(places.variables as isize).cast::<*mut PyObject>().add(number);
            if number >= loaded.variables - loaded.free {
                // A free variable's cell takes the place of the empty one that stood in for it.
                drop_optional(std::ptr::replace(place, value));
            } else if (*place).is_null() {
                *place = if loaded.cells.contains(&number) { held(value) } else { value };
            } else {
                drop_ref(value);
            }
        }
    }
}

/// The value in a cell, unless it is one: the compiler may hold a variable in a cell that is none of the text's.
unsafe fn held(value: *mut PyObject) -> *mut PyObject {
    // SAFETY: the value is owned, and the cell takes a reference of its own. Without memory the variable is left out.
    unsafe {
        if closures::is_cell(value) {
            return value;
        }
        let cell = obj_new_cell(value);
        drop_ref(value);
        if cell.is_null() {
            ffi::PyErr_Clear();
        }
        cell
    }
}

unsafe fn address_of(code: *mut PyObject, instruction: usize) -> *mut u8 {
    let first = running().layout.frame.first_instruction;
    // SAFETY: the instruction is one of the code object's.
    unsafe { code.cast::<u8>().offset(first as isize).add(CODE_UNIT * instruction) }
}

/// The frame that was made for a callee without a caller of its own gets one.
pub(super) unsafe fn set_back(inner: *mut PyObject, frame: *mut PyObject) {
    let places = &running().layout.frame;
    // SAFETY: both are live frame objects; the field owns what it holds.
    unsafe {
        let before: *mut PyObject = field(inner, places.back);
        if before != frame {
            set_field(inner, places.back, new_ref(frame));
            drop_optional(before);
        }
    }
}

/// A new frame object whose caller is, for the time being, the frame that runs; null without memory.
pub(super) unsafe fn new_frame(
    unit: &LoadedUnit,
    loaded: &LoadedFunction,
    instruction: usize,
) -> *mut PyObject {
    let code = loaded.code();
    let running = running();
    let places = &running.layout.frame;
    // SAFETY: code and globals are alive; the frame is ours alone, and its fields stand where they were
    // checked to stand.
    unsafe {
        let state = ffi::PyThreadState_Get();
        // CPython makes a function for it.
        let frame: *mut PyObject = install::make_unseen(|| {
            (running.symbols.frame_new)(state, code, unit.globals(), std::ptr::null_mut()).cast()
        });
        if frame.is_null() {
            ffi::PyErr_Clear();
            return frame;
        }
        go_to(frame, code, instruction);
        if field::<*mut PyObject, _>(frame, places.back).is_null() {
            set_field(frame, places.back, ffi::PyThreadState_GetFrame(state));
        }
        frame
    }
}
