//! Where a field stands in an instance, and how.
//!
//! CPython makes instances of ordinary subclasses of a sealed class out of zeros, so all their fields hold references:
//! zero is what stands in such a field while it is unset. Instances of exactly a sealed class come from our allocator.

use pyo3::ffi;
use pyo3::ffi::PyObject;

use super::layout;
use crate::cpython::class;
use crate::runtime::held;
use crate::types::Held;

/// The word of a field in the instances of its class and of the classes below.
#[derive(Clone, Copy)]
pub(super) struct FieldSlot {
    pub(super) offset: isize,
    pub(super) held: Held,
}

/// The methods want an instance of exactly the field's class, alive or being freed, and an attached thread.
impl FieldSlot {
    /// The same in an instance that may be one of an ordinary subclass.
    #[inline]
    pub(super) unsafe fn of(self, object: *mut PyObject) -> FieldSlot {
        // SAFETY: the caller's promise.
        let is_exact = unsafe { layout::is_sealed(class::fields(ffi::Py_TYPE(object))) };
        FieldSlot { held: if is_exact { self.held } else { Held::Object }, ..self }
    }

    #[inline]
    unsafe fn word(self, object: *mut PyObject) -> *mut u64 {
        // SAFETY: the offset lies within the instance.
        unsafe { object.cast::<u8>().offset(self.offset).cast() }
    }

    /// Whether nothing stands there.
    #[inline]
    pub(super) unsafe fn is_unset(self, object: *mut PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.word(object).read() == held::unset(self.held) }
    }

    /// The reference that stands there, borrowed; null where there is none.
    #[inline]
    pub(super) unsafe fn reference(self, object: *mut PyObject) -> *mut PyObject {
        // SAFETY: the caller's promise.
        held::reference(self.held, unsafe { self.word(object).read() })
    }

    /// A new reference to the value; null where the field is unset, without an exception, and for lack of memory.
    pub(super) unsafe fn value(self, object: *mut PyObject) -> *mut PyObject {
        // SAFETY: the caller's promise.
        unsafe { held::value_of(self.held, self.word(object).read()) }
    }

    /// Puts a value there, whose reference it takes; gives the reference that stood there, or null.
    #[inline]
    pub(super) unsafe fn replace(self, object: *mut PyObject, value: *mut PyObject) -> *mut PyObject {
        // SAFETY: the caller's promise: the value is alive.
        unsafe { held::reference(self.held, self.word(object).replace(held::word_of(self.held, value))) }
    }

    /// The same where nothing stands there.
    #[inline]
    pub(super) unsafe fn write(self, object: *mut PyObject, value: *mut PyObject) {
        // SAFETY: the caller's promise: the value is alive.
        unsafe { self.word(object).write(held::word_of(self.held, value)) };
    }

    /// Nothing stands there from now on, and no reference did.
    #[inline]
    pub(super) unsafe fn clear(self, object: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe { self.word(object).write(held::unset(self.held)) };
    }

    /// The same as [`FieldSlot::write`] for a number of compiled code, if it is held unboxed.
    #[inline]
    pub(super) unsafe fn write_number(self, object: *mut PyObject, number: u64) -> bool {
        let word = held::number_word(self.held, number);
        if let Some(word) = word {
            // SAFETY: the caller's promise.
            unsafe { self.word(object).write(word) };
        }
        word.is_some()
    }

    /// Nothing stands there from now on; gives the reference that did, or null.
    #[inline]
    pub(super) unsafe fn take(self, object: *mut PyObject) -> *mut PyObject {
        // SAFETY: the caller's promise.
        unsafe { held::reference(self.held, self.word(object).replace(held::unset(self.held))) }
    }
}
