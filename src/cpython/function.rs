//! The fields of a Python function.

use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;

use super::layout::Layout;
use super::object::field;
use super::object::set_field;

/// The fields of a function, borrowed; null where Python says None.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// `__code__`
    pub code: *mut PyObject,
    /// `__globals__`
    pub globals: *mut PyObject,
    /// `__builtins__`
    pub builtins: *mut PyObject,
    /// `__defaults__`
    pub defaults: *mut PyObject,
    /// `__kwdefaults__`
    pub kwdefaults: *mut PyObject,
    /// `__closure__`
    pub closure: *mut PyObject,
}

/// Reads a function's fields.
///
/// # Safety
/// The object is a Python function (`types.FunctionType`) laid out as told.
#[must_use]
pub unsafe fn fields(layout: &Layout, function: *mut PyObject) -> Fields {
    let places = &layout.function;
    // SAFETY: the fields stand there in every function.
    unsafe {
        Fields {
            code: field(function, places.code),
            globals: field(function, places.globals),
            builtins: field(function, places.builtins),
            defaults: field(function, places.defaults),
            kwdefaults: field(function, places.kwdefaults),
            closure: field(function, places.closure),
        }
    }
}

/// Whether the function has nothing but what its `def` gives every function: neither attributes nor weak references
/// nor annotations nor type parameters.
///
/// # Safety
/// As [`fields`].
#[inline]
pub unsafe fn is_bare(layout: &Layout, function: *mut PyObject) -> bool {
    let places = &layout.function;
    let none = |offset| {
        // SAFETY: the fields stand there in every function, null or objects.
        unsafe { field::<*mut PyObject, _>(function, offset).is_null() }
    };
    let fields = [places.dict, places.weak_references, places.annotations];
    fields.into_iter().chain(places.type_params).all(none)
}

/// What the function is called, what it says of itself and where it is from: objects that anybody may replace, or null.
///
/// # Safety
/// As [`fields`].
#[inline]
pub unsafe fn descriptions(layout: &Layout, function: *mut PyObject) -> [*mut PyObject; 4] {
    let places = &layout.function;
    // The name and the qualified name stand in front of the code, the text and the module around the dict.
    let offsets = [places.code - 16, places.code - 8, places.dict - 8, places.weak_references + 8];
    // SAFETY: the fields stand there in every function.
    offsets.map(|offset| unsafe { field(function, offset) })
}

/// The vectorcall function of a function.
///
/// # Safety
/// As [`fields`].
#[must_use]
pub unsafe fn vectorcall(layout: &Layout, function: *mut PyObject) -> Option<vectorcallfunc> {
    // SAFETY: the pointer stands there in every function, null or a vectorcall function.
    unsafe { field(function, layout.function.vectorcall) }
}

/// Whether calls of the function are specialised by the version of its code: whatever is assigned to it later, other
/// code too, ends that for ever. False where the interpreter gives a new version by itself.
///
/// # Safety
/// As [`fields`].
#[must_use]
pub unsafe fn has_version_of_code(layout: &Layout, function: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    !layout.function.renews_version && unsafe { is_of_code(layout, function) }
}

/// Whether the function has the version that its code gave it.
///
/// # Safety
/// As [`fields`].
pub(super) unsafe fn is_of_code(layout: &Layout, function: *mut PyObject) -> bool {
    let Some((own, of_code)) = layout.function.versions else { return false };
    // SAFETY: both fields stand there in every function and code object.
    unsafe {
        let code: *mut PyObject = field(function, layout.function.code);
        let version: u32 = field(function, own);
        version != 0 && version == field::<u32, _>(code, of_code)
    }
}

/// Gives the function the version of its code, as if its `def` had made it with this code.
///
/// # Safety
/// As [`fields`]; the function had the version of its code before the present code was assigned, and nothing else
/// was assigned since.
pub unsafe fn take_version_of_code(layout: &Layout, function: *mut PyObject) {
    let Some((own, of_code)) = layout.function.versions else { return };
    if layout.function.renews_version {
        return;
    }
    // SAFETY: as above. A version belongs to one code object for ever.
    unsafe {
        let code: *mut PyObject = field(function, layout.function.code);
        set_field::<u32, _>(function, own, field(code, of_code));
    }
}

/// Changes the version that a code object gives to functions, and returns the one before: with 0, calls of them are
/// never specialised, and so always go through the function's vectorcall.
///
/// # Safety
/// The code object is alive and laid out as told; a version other than 0 is one that it had before.
pub unsafe fn swap_version_of_code(layout: &Layout, code: *mut PyObject, version: u32) -> u32 {
    let Some((_, of_code)) = layout.function.versions else { return 0 };
    // SAFETY: the field stands there in every code object.
    unsafe {
        let before = field(code, of_code);
        set_field::<u32, _>(code, of_code, version);
        before
    }
}
