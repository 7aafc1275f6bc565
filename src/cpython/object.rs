//! Reference counts, types and scalar values, read straight from the structs.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;

use super::layout::Immortality;
use super::layout::IntHeader;
use super::layout::Layout;
use super::running;

/// The value of type `T` at a byte offset.
///
/// # Safety
/// `base + offset` is readable and holds a `T`.
#[inline]
pub unsafe fn field<T: Copy, B>(base: *const B, offset: i32) -> T {
    // SAFETY: the caller's contract.
    unsafe { base.cast::<u8>().offset(offset as isize).cast::<T>().read() }
}

/// Writes a value of type `T` at a byte offset.
///
/// # Safety
/// `base + offset` is writable and holds a `T` that owns nothing.
#[inline]
pub unsafe fn set_field<T: Copy, B>(base: *mut B, offset: i32, value: T) {
    // SAFETY: the caller's contract.
    unsafe { base.cast::<u8>().offset(offset as isize).cast::<T>().write(value) }
}

/// A new reference to the same object.
///
/// # Safety
/// The object is alive and the thread is attached.
#[inline]
pub unsafe fn new_ref(object: *mut PyObject) -> *mut PyObject {
    let layout = running().layout;
    // SAFETY: the count stands there in every object.
    unsafe {
        let count = object.cast::<u8>().offset(layout.refcount as isize);
        match layout.immortality {
            Immortality::None => *count.cast::<i64>() += 1,
            Immortality::NegativeLowHalf => {
                let low = count.cast::<u32>();
                let raised = (*low).wrapping_add(1);
                if raised != 0 {
                    *low = raised;
                }
            }
        }
    }
    object
}

/// Drops a reference; may run any code when it was the last.
///
/// # Safety
/// The caller owns the reference and the thread is attached.
#[inline]
pub unsafe fn drop_ref(object: *mut PyObject) {
    let running = running();
    // SAFETY: the count stands there in every object; at zero the object is the deallocator's.
    unsafe {
        let count = object.cast::<u8>().offset(running.layout.refcount as isize);
        if running.layout.immortality == Immortality::NegativeLowHalf && *count.cast::<i32>() < 0 {
            return;
        }
        let count = count.cast::<i64>();
        *count -= 1;
        if *count == 0 {
            (running.symbols.dealloc)(object);
        }
    }
}

/// What is read to count references, for loops over objects.
#[derive(Clone, Copy)]
pub struct Counts {
    offset: isize,
    immortal: bool,
    dealloc: unsafe extern "C" fn(*mut PyObject),
}

impl Counts {
    /// The running interpreter's.
    #[inline]
    #[must_use]
    pub fn of_running() -> Counts {
        let running = running();
        Counts {
            offset: running.layout.refcount as isize,
            immortal: running.layout.immortality == Immortality::NegativeLowHalf,
            dealloc: running.symbols.dealloc,
        }
    }

    /// A new reference.
    ///
    /// # Safety
    /// As [`new_ref`].
    #[inline]
    pub unsafe fn keep(self, object: *mut PyObject) {
        // SAFETY: the caller's contract; the count stands there in every object.
        unsafe {
            let count = object.cast::<u8>().offset(self.offset).cast::<i64>();
            let low = count.cast::<i32>().read();
            if !self.immortal || low >= 0 {
                *count += 1;
            }
        }
    }

    /// Drops a reference.
    ///
    /// # Safety
    /// As [`drop_ref`].
    #[inline]
    pub unsafe fn let_go(self, object: *mut PyObject) {
        // SAFETY: the caller's contract; at zero the object is the deallocator's.
        unsafe {
            let count = object.cast::<u8>().offset(self.offset).cast::<i64>();
            if self.immortal && count.cast::<i32>().read() < 0 {
                return;
            }
            *count -= 1;
            if *count == 0 {
                (self.dealloc)(object);
            }
        }
    }
}

/// Whether there is one reference to the object.
///
/// # Safety
/// The object is alive and the thread is attached.
#[inline]
pub unsafe fn is_last(object: *mut PyObject) -> bool {
    // SAFETY: the count stands there in every object.
    unsafe { field::<i64, _>(object, running().layout.refcount) == 1 }
}

/// Drops a reference unless it is null.
///
/// # Safety
/// As [`drop_ref`] for what is not null.
pub unsafe fn drop_optional(object: *mut PyObject) {
    if !object.is_null() {
        // SAFETY: the caller's contract.
        unsafe { drop_ref(object) };
    }
}

/// The object's exact type.
///
/// # Safety
/// The object is alive.
#[inline]
pub unsafe fn type_of(object: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: the type stands there in every object.
    unsafe { field(object, running().layout.ob_type) }
}

/// Whether the object is an exact `int`.
///
/// # Safety
/// The object is alive.
#[inline]
pub unsafe fn is_int(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    unsafe { type_of(object) == &raw mut ffi::PyLong_Type }
}

/// The size of an exact `float`, in bytes.
pub const FLOAT_SIZE: usize = size_of::<PyObject>() + size_of::<f64>();

/// Whether the object is an exact `float`.
///
/// # Safety
/// The object is alive.
#[inline]
pub unsafe fn is_float(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    unsafe { type_of(object) == &raw mut ffi::PyFloat_Type }
}

/// The value of an `int`, or none when it does not fit 64 bits.
///
/// # Safety
/// The object is an `int` or of a subclass, laid out as `layout` says.
#[inline]
pub unsafe fn int_value(layout: &Layout, object: *mut PyObject) -> Option<i64> {
    // SAFETY: header and digits stand there in every int; only the digits that the header counts are read.
    unsafe {
        let header: i64 = field(object, layout.int_header);
        let (negative, count) = match layout.int_header_kind {
            IntHeader::SignedSize => (header < 0, header.unsigned_abs()),
            IntHeader::Tag => (header & 3 == 2, (header >> 3).cast_unsigned()),
        };
        let digit = |number: i32| u64::from(field::<u32, _>(object, layout.int_digits + 4 * number));
        let magnitude = match count {
            0 => 0,
            1 => digit(0),
            2 => digit(0) | digit(1) << 30,
            3 if digit(2) < 16 => digit(0) | digit(1) << 30 | digit(2) << 60,
            _ => return None,
        };
        if negative {
            (magnitude <= 1 << 63).then(|| magnitude.cast_signed().wrapping_neg())
        } else {
            i64::try_from(magnitude).ok()
        }
    }
}

/// The value of an `int` that is at least `-2**bits` and less than `2**bits`, for `bits` up to 126.
///
/// # Safety
/// The object is an `int` or of a subclass, laid out as `layout` says.
pub unsafe fn wide_int_value(layout: &Layout, object: *mut PyObject, bits: u32) -> Option<i128> {
    // SAFETY: header and digits stand there in every int; only the digits that the header counts are read.
    unsafe {
        let header: i64 = field(object, layout.int_header);
        let (negative, count) = match layout.int_header_kind {
            IntHeader::SignedSize => (header < 0, header.unsigned_abs()),
            IntHeader::Tag => (header & 3 == 2, (header >> 3).cast_unsigned()),
        };
        if count > 5 {
            return None;
        }
        let mut magnitude: u128 = 0;
        for number in (0..i32::try_from(count).ok()?).rev() {
            if magnitude >> (127 - 30) != 0 {
                return None;
            }
            magnitude = magnitude << 30 | u128::from(field::<u32, _>(object, layout.int_digits + 4 * number));
        }
        let value = i128::try_from(magnitude).ok()?;
        let value = if negative { -value } else { value };
        (-(1 << bits)..1 << bits).contains(&value).then_some(value)
    }
}

/// A range iterator's next number, how many are left, and its step.
///
/// # Safety
/// The object is an iterator of a range of 64-bit numbers, laid out as `layout` says.
pub unsafe fn range_iter(layout: &Layout, object: *mut PyObject) -> [i64; 3] {
    let fields = layout.range_iter;
    // SAFETY: the fields stand there in every such iterator.
    unsafe {
        let [start, step, len] =
            [fields.start, fields.step, fields.len].map(|offset| field::<i64, _>(object, offset));
        let given = fields.index.map_or(0, |offset| field::<i64, _>(object, offset));
        // An iterator at its end may have counted once too often.
        [start.wrapping_add(given.wrapping_mul(step)), (len - given).max(0), step]
    }
}

/// One of the ints that the interpreter makes once and keeps ([`super::layout::SmallInts`]), borrowed.
///
/// # Safety
/// The thread is attached, the value one of theirs.
#[must_use]
pub unsafe fn small_int(value: i64) -> *mut PyObject {
    // SAFETY: making such an int gives another reference to the one there is, so it may be dropped at once.
    unsafe {
        let object = ffi::PyLong_FromLongLong(value);
        ffi::Py_DECREF(object);
        object
    }
}

/// The value of a `float`.
///
/// # Safety
/// The object is a `float` or of a subclass, laid out as `layout` says.
#[inline]
pub unsafe fn float_value(layout: &Layout, object: *mut PyObject) -> f64 {
    // SAFETY: the value stands there in every float.
    unsafe { field(object, layout.float_value) }
}

/// The items of a `tuple`.
///
/// # Safety
/// The object is a `tuple` or of a subclass, laid out as `layout` says, and outlives the slice.
#[inline]
pub unsafe fn tuple_items<'a>(layout: &Layout, object: *mut PyObject) -> &'a [*mut PyObject] {
    // SAFETY: the size and so many items stand there in every tuple.
    unsafe {
        let size: usize = field(object, layout.tuple_size);
        std::slice::from_raw_parts(object.cast::<u8>().offset(layout.tuple_items as isize).cast(), size)
    }
}

/// Whether the object's type has this flag.
///
/// # Safety
/// The object is alive.
pub unsafe fn has_type_flag(object: *mut PyObject, flag: std::ffi::c_ulong) -> bool {
    // SAFETY: the object's type is alive with it.
    unsafe { ffi::PyType_GetFlags(type_of(object)) & flag != 0 }
}

/// The name of the object's type as CPython's own messages print it (`tp_name`).
///
/// # Safety
/// The object is alive and laid out as told.
#[must_use]
pub unsafe fn type_name(layout: &Layout, object: *mut PyObject) -> String {
    // SAFETY: the type is alive with its object.
    unsafe { name_of_class(layout, field(object, layout.ob_type)) }
}

/// The name of a class as CPython's own messages print it (`tp_name`).
///
/// # Safety
/// The class is alive and laid out as told.
#[must_use]
pub unsafe fn name_of_class(layout: &Layout, class: *mut PyTypeObject) -> String {
    // SAFETY: the name stands there in every type, a C string that lives as long as the type.
    unsafe {
        let name: *const std::ffi::c_char = field(class, layout.type_name);
        std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}

/// The exception that is set, normalised, as owned type, value and traceback (null where there is none).
///
/// # Safety
/// The thread is attached.
#[must_use]
pub unsafe fn take_error() -> [*mut PyObject; 3] {
    let mut parts = [std::ptr::null_mut(); 3];
    let [kind, value, traceback] = &mut parts;
    // SAFETY: three places for owned references; the functions leave each null or owned.
    unsafe {
        ffi::PyErr_Fetch(kind, value, traceback);
        ffi::PyErr_NormalizeException(kind, value, traceback);
    }
    parts
}

/// Whether the exception that is set is an object already, and not a class and what to make it of.
///
/// # Safety
/// The thread is attached.
#[must_use]
pub unsafe fn is_made() -> bool {
    let mut parts = [std::ptr::null_mut(); 3];
    let [kind, value, traceback] = &mut parts;
    // SAFETY: three places for owned references, which are handed back.
    unsafe {
        ffi::PyErr_Fetch(kind, value, traceback);
        let made = !value.is_null() && ffi::PyExceptionInstance_Check(*value) != 0;
        let [kind, value, traceback] = parts;
        ffi::PyErr_Restore(kind, value, traceback);
        made
    }
}

/// Sets the exception that [`take_error`] took.
///
/// # Safety
/// The parts are owned and belong together; the thread is attached.
pub unsafe fn put_error([kind, value, traceback]: [*mut PyObject; 3]) {
    // SAFETY: the references are handed over.
    unsafe { ffi::PyErr_Restore(kind, value, traceback) };
}

/// Sets an exception with a message and fails.
///
/// # Safety
/// `kind` is an exception class; the thread is attached.
pub unsafe fn fail(kind: *mut PyObject, message: &str) -> c_int {
    // SAFETY: the text is `message.len()` bytes of UTF-8; the exception takes its own reference to it.
    unsafe {
        let text = ffi::PyUnicode_FromStringAndSize(message.as_ptr().cast(), message.len().cast_signed());
        if !text.is_null() {
            ffi::PyErr_SetObject(kind, text);
            drop_ref(text);
        }
    }
    -1
}
