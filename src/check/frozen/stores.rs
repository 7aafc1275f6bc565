//! Where compiled code may write a field by itself: a value of one exact type, over a value that is there.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use super::Seal;
use super::layout;
use super::seal_of;
use super::slots;
use crate::cpython::class;
use crate::runtime::caches;
use crate::types::Held;

/// Has the runtime's inline caches ask.
pub(super) fn announce() {
    caches::set_sealed_stores(place);
}

/// The offset of the field in instances of exactly this class, and the static type whose exact instances pass
/// its check; none where each write has to be looked at.
///
/// # Safety
/// The class and the name are alive, the name is interned and the thread is attached.
unsafe fn place(class: *mut ffi::PyTypeObject, name: *mut PyObject) -> Option<(isize, usize)> {
    // SAFETY: the caller's promise.
    unsafe {
        let own = class::fields(class);
        if !layout::is_sealed(own) || !slots::writes(own) {
            return None;
        }
        let (seal, _): (&Seal, _) = seal_of(class);
        let hot = seal.hot.iter().find(|hot| hot.name == name)?;
        let exact = hot.exact[0];
        let is_reference = hot.slot.held == Held::Object;
        (!seal.immutable && !exact.is_null() && is_reference).then_some((hot.slot.offset, exact.addr()))
    }
}
