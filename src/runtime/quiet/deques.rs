//! Deques: what is done with them without Python.

use std::ffi::CStr;

use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::*;

use crate::cpython::container::deque_has_limit;

/// The class and its methods, which live for ever.
pub(super) struct Deques {
    class: usize,
    appends: [usize; 2],
    pops: [usize; 2],
}

impl Deques {
    /// Finds them by `address`, which gives the object that an expression means.
    pub(super) fn find(address: &impl Fn(&CStr) -> PyResult<usize>) -> PyResult<Deques> {
        Ok(Deques {
            class: address(c"__import__('_collections').deque")?,
            appends: [
                address(c"__import__('_collections').deque.append")?,
                address(c"__import__('_collections').deque.appendleft")?,
            ],
            pops: [
                address(c"__import__('_collections').deque.pop")?,
                address(c"__import__('_collections').deque.popleft")?,
            ],
        })
    }

    /// Whether the class is that of deques.
    #[inline]
    pub(super) fn is_class(&self, class: *mut PyTypeObject) -> bool {
        class as usize == self.class
    }

    /// Whether a call of this descriptor with a deque and further arguments runs no Python. One of limited length drops
    /// items at its other end.
    ///
    /// # Safety
    /// The deque is alive, and exactly one.
    pub(super) unsafe fn is_quiet(
        &self,
        method: usize,
        deque: *mut PyObject,
        rest: &[*mut PyObject],
    ) -> bool {
        match rest {
            [] => self.pops.contains(&method),
            // SAFETY: the caller's contract.
            [_] => self.appends.contains(&method) && unsafe { !deque_has_limit(deque) },
            _ => false,
        }
    }
}
