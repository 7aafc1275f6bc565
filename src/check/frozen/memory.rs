//! Memory of instances: freed ones are kept for the next, as CPython keeps tuples and floats.
//!
//! An object that is kept is untracked, its fields and its list of weak references are null, its first word behind
//! the header leads to the next one. It owns nothing, not even its class, so that classes die; the seal frees what
//! it keeps when the class goes.

use std::cell::Cell;
use std::ptr;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Python;

use super::layout::HEADER;
use crate::cpython;
use crate::cpython::class;
use crate::cpython::collector;
use crate::cpython::collector::Young;
use crate::cpython::object::Counts;
use crate::cpython::object::set_field;
use crate::runtime::sealed;

/// How many instances of a class are kept.
const MAX_KEPT: u32 = 128;

/// The freed instances of a class. Compiled code takes them by itself: [`sealed::POOL_FIRST`] and
/// [`sealed::POOL_COUNT`] say where the first two fields stand.
#[repr(C)]
pub(super) struct Kept {
    first: Cell<*mut PyObject>,
    count: Cell<u32>,
    /// The size of an instance; 0 where none are kept.
    size: usize,
    /// Where objects are tracked, if CPython's macros are known.
    young: Option<Young>,
}

// SAFETY: it is touched by attached threads only.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Kept {
    /// Keeps instances of this size, if they have room for the link and no finaliser.
    pub(super) fn new(_py: Python<'_>, size: usize, finalised: bool) -> Kept {
        let fits = size > size_of::<PyObject>() && !finalised;
        Kept {
            first: Cell::new(ptr::null_mut()),
            count: Cell::new(0),
            size: if fits { size } else { 0 },
            // SAFETY: the thread is attached, to the main interpreter as everywhere in castiron.
            young: unsafe { Young::find() },
        }
    }

    /// Where compiled code takes instances from and tracks them; none where it does not know how to.
    pub(super) fn pool(&self) -> Option<sealed::Pool> {
        let young = self.young?;
        Some(sealed::Pool { kept: std::ptr::from_ref(self).addr(), young: young.as_object() })
    }

    /// Has the garbage collector know an instance.
    ///
    /// # Safety
    /// The thread is attached; the instance is alive and not tracked.
    #[inline]
    pub(super) unsafe fn track(&self, object: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.young {
                Some(young) => young.track(object),
                None => ffi::PyObject_GC_Track(object.cast()),
            }
        }
    }

    /// Has the garbage collector forget an instance, if it knows it.
    ///
    /// # Safety
    /// The thread is attached and the instance is alive.
    #[inline]
    pub(super) unsafe fn untrack(&self, object: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.young {
                Some(_) if collector::is_tracked(object) => collector::untrack(object),
                Some(_) => {}
                None => ffi::PyObject_GC_UnTrack(object.cast()),
            }
        }
    }

    /// A new instance with all fields null, which the garbage collector does not know yet; null with an exception
    /// for lack of memory.
    ///
    /// # Safety
    /// The thread is attached, the class is the one of this seal and alive.
    #[inline]
    pub(super) unsafe fn allocate(&self, counts: Counts, class: *mut ffi::PyTypeObject) -> *mut PyObject {
        let object = self.first.get();
        if object.is_null() {
            // SAFETY: the caller's promise.
            return unsafe { allocate_anew(class) };
        }
        // SAFETY: what is kept is memory of an instance, as the module says.
        unsafe {
            let link = link(object);
            self.first.set(link.read());
            self.count.set(self.count.get() - 1);
            link.write(ptr::null_mut());
            set_field::<u64, _>(object, cpython::running().layout.refcount, 1);
            counts.keep(class.cast());
        }
        object
    }

    /// Keeps the memory of an instance, or frees it.
    ///
    /// # Safety
    /// The thread is attached; the object is an untracked instance of exactly this class that owns nothing any
    /// more, its reference to its class excepted, which the caller drops; its fields and its list of weak
    /// references are null.
    #[inline]
    pub(super) unsafe fn free(&self, object: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.size == 0 || self.count.get() == MAX_KEPT {
                ffi::PyObject_GC_Del(object.cast());
                return;
            }
            link(object).write(self.first.get());
        }
        self.first.set(object);
        self.count.set(self.count.get() + 1);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut object = self.first.get();
        while !object.is_null() {
            // SAFETY: nobody else has it; the type's memory is still there, for its seal goes first.
            unsafe {
                let next = link(object).read();
                ffi::PyObject_GC_Del(object.cast());
                object = next;
            }
        }
    }
}

const _: () = assert!(std::mem::offset_of!(Kept, first) == sealed::POOL_FIRST as usize);
const _: () = assert!(std::mem::offset_of!(Kept, count) == sealed::POOL_COUNT as usize);
const _: () = assert!(HEADER == sealed::POOL_LINK as isize);

/// # Safety
/// The object has a word behind its header.
#[inline]
unsafe fn link(object: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { object.cast::<u8>().offset(HEADER).cast() }
}

/// # Safety
/// As for [`Kept::allocate`].
#[cold]
unsafe fn allocate_anew(class: *mut ffi::PyTypeObject) -> *mut PyObject {
    // SAFETY: the class is live and its instances are of fixed size; what stands behind the header is set before
    // anybody sees it.
    unsafe {
        let object: *mut PyObject = ffi::PyObject_GC_New(class);
        if !object.is_null() {
            let size = (*class::fields(class)).basic_size - HEADER;
            object.cast::<u8>().offset(HEADER).write_bytes(0, size.cast_unsigned());
        }
        object
    }
}
