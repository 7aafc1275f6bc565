//! The exact types whose instances pass a check for certain.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::Python;

use super::plan::Check;

/// How many exact static types are compared before anything else.
pub(super) const EXACT: usize = 6;

/// What makes a value pass because of its exact type; the check keeps alive what this points to.
pub struct Quick {
    /// Static types; null behind the last one.
    exact: [*mut ffi::PyTypeObject; EXACT],
    /// A heap class whose exact instances pass while `alive` refers to it, or null.
    class: *mut ffi::PyTypeObject,
    /// The weak reference to it, or null.
    alive: *mut ffi::PyObject,
    /// Whether any value passes.
    anything: bool,
}

// SAFETY: the addresses are compared; the weak reference is read by attached threads only.
unsafe impl Send for Quick {}
// SAFETY: nothing changes after the construction.
unsafe impl Sync for Quick {}

impl Quick {
    /// Everything passes.
    pub(super) const fn anything() -> Quick {
        Quick {
            exact: [ptr::null_mut(); EXACT],
            class: ptr::null_mut(),
            alive: ptr::null_mut(),
            anything: true,
        }
    }

    /// What passes the check for certain.
    pub(super) fn of(check: &Check, py: Python<'_>) -> Quick {
        let mut quick = Quick {
            exact: [ptr::null_mut(); EXACT],
            class: ptr::null_mut(),
            alive: ptr::null_mut(),
            anything: matches!(check, Check::Anything),
        };
        let mut types = Vec::new();
        check.exact_types(&mut types, py);
        for (slot, found) in quick.exact.iter_mut().zip(types) {
            *slot = found;
        }
        if let Some(class) = check.exact_class() {
            (quick.class, quick.alive) = (class.address(), class.weak_ptr());
        }
        quick
    }

    /// Whether instances of exactly this static type pass.
    #[inline]
    pub(super) fn has(&self, class: *mut ffi::PyTypeObject) -> bool {
        self.exact.contains(&class)
    }

    /// Whether the value passes because of its exact type.
    ///
    /// # Safety
    /// The value and the check are alive, and the thread is attached.
    #[inline]
    pub(super) unsafe fn knows(&self, value: *mut ffi::PyObject) -> bool {
        // SAFETY: the value is alive, and the check keeps the weak reference alive.
        unsafe {
            let class = ffi::Py_TYPE(value);
            self.anything
                || self.has(class)
                || class == self.class && ffi::PyWeakref_GetObject(self.alive).cast() == class
        }
    }
}
