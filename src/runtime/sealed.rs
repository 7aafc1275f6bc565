//! Sealed classes as compiled code sees them: `check::frozen` makes them, above this module, and says here what
//! their functions are.
//!
//! The constructor, the setter and the deallocator say [`super::frames::show`] before they run anything that may
//! look at the stack, so calls of them wait without frames.

use std::sync::OnceLock;

use pyo3::ffi::PyObject;

use crate::cpython::class;
use crate::cpython::object::field;
use crate::cpython::object::type_of;
use crate::cpython::running;

/// What sealed classes have in common.
pub struct Functions {
    /// `tp_vectorcall` of the classes.
    pub constructor: usize,
    /// `tp_setattro` of their instances.
    pub setter: usize,
    /// `tp_dealloc` of their instances.
    pub dealloc: usize,
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Makes the functions of sealed classes known; the thread is attached.
pub fn register(functions: Functions) {
    super::calls::add_entry(functions.constructor as u64);
    FUNCTIONS.get_or_init(|| functions);
}

/// Whether the object's attributes are written by the setter.
///
/// # Safety
/// The object is alive.
pub(super) unsafe fn writes(object: *mut PyObject) -> bool {
    // SAFETY: a live type has its functions there.
    let setter = unsafe { field::<usize, _>(type_of(object), running().layout.attribute.setattro) };
    FUNCTIONS.get().is_some_and(|functions| functions.setter == setter)
}

/// Whether the object is freed by the deallocator.
///
/// # Safety
/// The object is alive, or being deallocated.
pub(super) unsafe fn frees(object: *mut PyObject) -> bool {
    // SAFETY: as above.
    let dealloc = unsafe { (*class::fields(type_of(object))).dealloc };
    FUNCTIONS.get().is_some_and(|functions| dealloc.is_some_and(|own| own as usize == functions.dealloc))
}
