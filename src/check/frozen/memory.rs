//! Memory of instances: freed ones are kept for the next, as CPython keeps tuples and floats.
//!
//! An object that is kept is untracked, nothing in its fields is a reference, its list of weak references is null, the word of its head
//! that leads from one tracked object to the next leads to the next one that is kept. It owns nothing, not even its
//! class, so that classes die; the seal frees what it keeps when the class goes.

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

/// How many bytes of a class' instances are kept at most.
const MAX_BYTES: usize = 128 * 1024;

/// How many instances of a class that own nothing are kept, however large they are and whoever made them.
const LEAST_KEPT: u32 = 128;

/// The freed instances of a class: as many as were asked for in vain, so that those that others make don't pile up here.
/// Compiled code takes them and hands them back by itself: [`sealed::POOL_FIRST`], [`sealed::POOL_COUNT`] and [`sealed::POOL_ROOM`] say where the fields of a
/// [`Chain`] stand.
pub(super) struct Kept {
    chain: Chain,
    /// How many are kept at most; 0 where none are.
    most: u32,
    /// Where objects are tracked, if CPython's macros are known.
    young: Option<Young>,
}

/// Instances that lead from one to the next.
#[repr(C)]
struct Chain {
    first: Cell<*mut PyObject>,
    count: Cell<u32>,
    /// How many may be in it.
    room: Cell<u32>,
}

// SAFETY: it is touched by attached threads only.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Kept {
    /// Keeps instances of this size, if they have no finaliser.
    pub(super) fn new(_py: Python<'_>, size: usize, finalised: bool) -> Kept {
        let most = u32::try_from(MAX_BYTES / size).unwrap_or(u32::MAX).max(LEAST_KEPT);
        let room = |least| if finalised { 0 } else { least };
        Kept {
            chain: Chain::new(room(LEAST_KEPT)),
            most: room(most),
            // SAFETY: the thread is attached, to the main interpreter as everywhere in castiron.
            young: unsafe { Young::find() },
        }
    }

    /// Where compiled code takes instances from and tracks them; none where it does not know how to.
    pub(super) fn pool(&self) -> Option<sealed::Pool> {
        let young = self.young?;
        Some(sealed::Pool { kept: std::ptr::from_ref(&self.chain).addr(), young: young.as_object() })
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

    /// A new instance, which the garbage collector does not know yet and no field of which holds a reference: what
    /// stands in them is to be overwritten. Null with an exception for lack of memory.
    ///
    /// # Safety
    /// The thread is attached, the class is the one of this seal and alive.
    #[inline]
    pub(super) unsafe fn allocate(&self, counts: Counts, class: *mut ffi::PyTypeObject) -> *mut PyObject {
        // SAFETY: the caller's promise.
        unsafe {
            let object = self.take(counts, class);
            if object.is_null() {
                self.chain.make_room(self.most);
                allocate_anew(class)
            } else {
                object
            }
        }
    }

    /// The same out of what is kept; null where nothing is.
    ///
    /// # Safety
    /// As for [`Kept::allocate`].
    #[inline]
    pub(super) unsafe fn take(&self, counts: Counts, class: *mut ffi::PyTypeObject) -> *mut PyObject {
        // SAFETY: what is kept is memory of an instance, as the module says.
        unsafe {
            let object = self.chain.take();
            if !object.is_null() {
                set_field::<u64, _>(object, cpython::running().layout.refcount, 1);
                counts.keep(class.cast());
            }
            object
        }
    }

    /// Keeps the memory of an instance, or frees it.
    ///
    /// # Safety
    /// The thread is attached; the object is an untracked instance of exactly this class that owns nothing any
    /// more, its reference to its class excepted, which the caller drops; its list of weak references is null.
    #[inline]
    pub(super) unsafe fn free(&self, object: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.chain.has_room() {
                self.chain.put(object);
            } else {
                ffi::PyObject_GC_Del(object.cast());
            }
        }
    }

    /// Frees what is kept.
    ///
    /// # Safety
    /// The thread is attached; the class is the one of this seal, and its memory still there.
    pub(super) unsafe fn clear(&self) {
        // SAFETY: nobody else has the objects; each leads to the next one.
        unsafe {
            loop {
                let object = self.chain.take();
                if object.is_null() {
                    return;
                }
                ffi::PyObject_GC_Del(object.cast());
            }
        }
    }
}

impl Chain {
    fn new(room: u32) -> Chain {
        Chain { first: Cell::new(ptr::null_mut()), count: Cell::new(0), room: Cell::new(room) }
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.count.get() < self.room.get()
    }

    /// Somebody has asked in vain: one more may be in it, up to so many.
    fn make_room(&self, most: u32) {
        self.room.set((self.room.get() + 1).min(most));
    }

    /// Takes the first object, which is untracked, or null.
    ///
    /// # Safety
    /// The thread is attached.
    #[inline]
    unsafe fn take(&self) -> *mut PyObject {
        let object = self.first.get();
        if !object.is_null() {
            // SAFETY: what is in a chain has a head, which leads to the next one.
            unsafe { self.first.set(link(object).replace(ptr::null_mut())) };
            self.count.set(self.count.get() - 1);
        }
        object
    }

    /// Adds an untracked object.
    ///
    /// # Safety
    /// The thread is attached, and nobody else has the object.
    #[inline]
    unsafe fn put(&self, object: *mut PyObject) {
        // SAFETY: the caller's promise: it has a head that nobody uses.
        unsafe { link(object).write(self.first.get()) };
        self.first.set(object);
        self.count.set(self.count.get() + 1);
    }
}

const _: () = assert!(std::mem::offset_of!(Chain, first) == sealed::POOL_FIRST as usize);
const _: () = assert!(std::mem::offset_of!(Chain, count) == sealed::POOL_COUNT as usize);
const _: () = assert!(std::mem::offset_of!(Chain, room) == sealed::POOL_ROOM as usize);
const _: () = assert!(collector::NEXT == sealed::POOL_LINK);

/// # Safety
/// The object has a head, and is not tracked.
#[inline]
unsafe fn link(object: *mut PyObject) -> *mut *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { object.cast::<u8>().offset(collector::NEXT as isize).cast() }
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
