//! Module objects.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use super::object::field;
use super::object::set_field;

/// Byte offsets of a module's definition and state, the same in all versions that we know.
const DEFINITION: i32 = 24;
const STATE: i32 = 32;

/// Makes `importlib.reload` execute a module again: CPython gives a state to each one that a definition executes,
/// and takes a module with a state for executed.
///
/// # Safety
/// The module is live and made from a definition without a state of its own; the thread is attached.
pub unsafe fn forget_execution(module: *mut PyObject) {
    // SAFETY: the definition and the state are where CPython itself says, or nothing is written.
    unsafe {
        let (definition, state) = (ffi::PyModule_GetDef(module), ffi::PyModule_GetState(module));
        let found: (usize, usize) = (field(module, DEFINITION), field(module, STATE));
        if found == (definition as usize, state as usize) && !definition.is_null() {
            set_field(module, STATE, 0_usize);
            ffi::PyMem_Free(state);
        }
    }
}
