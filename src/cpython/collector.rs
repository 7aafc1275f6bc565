//! The garbage collector's list of young objects, linked as CPython's own macros do it.
//!
//! An object that can be in a cycle has a head of two words in front of it: the next one, and the one before, whose
//! lowest two bits are flags. CPython 3.11, 3.12 and 3.13 link it in the same way; [`Young::find`] proves it.

use pyo3::ffi;
use pyo3::ffi::PyObject;

/// What stands in front of an object.
#[repr(C)]
struct Head {
    next: *mut Head,
    /// With the flags in its lowest two bits.
    previous: usize,
}

/// `_PyGC_PREV_MASK_FINALIZED`
pub const FINALISED: usize = 1;
/// The bits of the word with the object before that are no part of its address.
pub const FLAGS: usize = 3;

/// Where the next object stands, from an object on.
pub const NEXT: i32 = -16;
/// Where the one before stands, with the flags in its lowest two bits.
pub const PREVIOUS: i32 = -8;

/// The list of young objects.
#[derive(Clone, Copy)]
pub struct Young(*mut Head);

// SAFETY: the list is touched by attached threads only.
unsafe impl Send for Young {}
// SAFETY: as above.
unsafe impl Sync for Young {}

/// # Safety
/// The object has a head.
#[inline]
unsafe fn head(object: *mut PyObject) -> *mut Head {
    // SAFETY: the caller's promise.
    unsafe { object.cast::<Head>().sub(1) }
}

#[inline]
fn masked(previous: usize) -> *mut Head {
    std::ptr::with_exposed_provenance_mut(previous & !FLAGS)
}

impl Young {
    /// Finds the list of the running interpreter; none where objects are linked otherwise.
    ///
    /// # Safety
    /// The thread is attached to the main interpreter.
    #[must_use]
    pub unsafe fn find() -> Option<Young> {
        for _ in 0..3 {
            // SAFETY: lists have a head and are tracked as soon as they are made; what is read of the next head
            // is the collector's own.
            unsafe {
                let (one, other) = (ffi::PyList_New(0), ffi::PyList_New(0));
                let mut found = None;
                if !one.is_null() && !other.is_null() {
                    let (first, second) = (head(one), head(other));
                    let list = (*second).next;
                    if (*first).next == second
                        && masked((*second).previous) == first
                        && !list.is_null()
                        && masked((*list).previous) == second
                    {
                        found = Some(Young(list));
                    }
                }
                ffi::Py_XDECREF(one);
                ffi::Py_XDECREF(other);
                if found.is_some() {
                    return found;
                }
                ffi::PyErr_Clear();
            }
        }
        None
    }

    /// The address of the list's own head, whose words stand as those in front of an object at so many bytes behind it.
    #[must_use]
    pub fn as_object(self) -> usize {
        self.0.addr() + size_of::<Head>()
    }

    /// Has the collector know an object.
    ///
    /// # Safety
    /// The thread is attached, the object is alive, has a head and is not tracked.
    #[inline]
    pub unsafe fn track(self, object: *mut PyObject) {
        // SAFETY: the caller's promise; the list is circular and ends in its own head.
        unsafe {
            let (own, list) = (head(object), self.0);
            let last = masked((*list).previous);
            (*last).next = own;
            (*own).previous = (*own).previous & FLAGS | last.expose_provenance();
            (*own).next = list;
            (*list).previous = own.expose_provenance();
        }
    }
}

/// Has the collector forget an object.
///
/// # Safety
/// The thread is attached, the object is alive and tracked, and [`Young::find`] has found a list.
#[inline]
pub unsafe fn untrack(object: *mut PyObject) {
    // SAFETY: the caller's promise: it is an element of a circular list.
    unsafe {
        let own = head(object);
        let (previous, next) = (masked((*own).previous), (*own).next);
        (*previous).next = next;
        (*next).previous = (*next).previous & FLAGS | previous.expose_provenance();
        (*own).next = std::ptr::null_mut();
        (*own).previous &= FINALISED;
    }
}

/// Whether the collector knows an object.
///
/// # Safety
/// The object is alive and has a head; [`Young::find`] has found a list.
#[inline]
pub unsafe fn is_tracked(object: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { !(*head(object)).next.is_null() }
}
