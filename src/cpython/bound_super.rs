//! The objects that `super()` makes, and what they find.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyString;

use super::class;
use super::container::has_string_keys;
use super::layout::Layout;
use super::layout::METHOD_DESCRIPTOR;
use super::object::field;
use super::object::tuple_items;

/// `super`'s own fields, null for what it was not told: behind the header the class, the object, and the object's class.
const FIELDS: [i32; 3] = [0, 8, 16];

/// The class, the object and the object's class of a `super` object, borrowed.
///
/// # Safety
/// The object is exactly of the type `super`.
#[must_use]
pub unsafe fn parts(layout: &Layout, object: *mut PyObject) -> [*mut PyObject; 3] {
    // SAFETY: they stand behind the header, which ends with the type.
    FIELDS.map(|offset| unsafe { field(object, layout.ob_type + 8 + offset) })
}

/// The function that a `super` object finds under the name for its object, and that object, both borrowed; none where it
/// can't be told without running code.
///
/// # Safety
/// The object is exactly of the type `super`, the name a str; the thread is attached.
#[must_use]
pub unsafe fn method(
    layout: &Layout,
    object: *mut PyObject,
    name: *mut PyObject,
) -> Option<(*mut PyObject, *mut PyObject)> {
    // SAFETY: a class has a tuple of classes in `tp_mro`; a dict that has only strings as keys answers for one without
    // running code.
    unsafe {
        let [after, of, class_of] = parts(layout, object);
        if of.is_null() || class_of.is_null() || of == class_of {
            return None;
        }
        let order = (*class::fields(class_of.cast::<PyTypeObject>())).mro;
        if order.is_null() {
            return None;
        }
        let order = tuple_items(layout, order);
        let place = order.iter().position(|&class| class == after)?;
        for &class in &order[place + 1..] {
            let space = (*class::fields(class.cast::<PyTypeObject>())).dict;
            if space.is_null() || ffi::PyDict_CheckExact(space) == 0 || !has_string_keys(layout, space) {
                return None;
            }
            let found = ffi::PyDict_GetItemWithError(space, name);
            if !found.is_null() {
                let kind: *mut PyTypeObject = field(found, layout.ob_type);
                let flags: u64 = field(kind, layout.attribute.flags);
                let is_own = ffi::PyUnicode_CompareWithASCIIString(name, c"__class__".as_ptr()) == 0;
                return (flags & METHOD_DESCRIPTOR != 0 && !is_own).then_some((found, of));
            }
            if !ffi::PyErr_Occurred().is_null() {
                ffi::PyErr_Clear();
                return None;
            }
        }
        None
    }
}

/// Whether the objects of the running interpreter are as told here.
///
/// # Errors
/// When there is no memory.
pub(super) fn is_as_told(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let space = PyDict::new(py);
    py.run(PROBE, Some(&space), None)?;
    let get = |name: &str| {
        space.get_item(name)?.ok_or_else(|| PyRuntimeError::new_err("the probe defines its objects"))
    };
    let (found, name) = (get("found")?, PyString::intern(py, "method"));
    // SAFETY: the probe's object is of the type `super`.
    let (parts, method) = unsafe {
        if ffi::Py_TYPE(found.as_ptr()) != &raw mut ffi::PySuper_Type {
            return Ok(false);
        }
        (parts(layout, found.as_ptr()), method(layout, found.as_ptr(), name.as_ptr()))
    };
    let wanted = [get("Inner")?, get("object")?, get("Inner")?];
    let is_right = parts.iter().zip(&wanted).all(|(&part, wanted)| part == wanted.as_ptr());
    let function = get("Outer")?.getattr("method")?;
    Ok(is_right && method == Some((function.as_ptr(), wanted[1].as_ptr())))
}

const PROBE: &std::ffi::CStr = c"
class Outer:
    def method(self):
        pass
class Inner(Outer):
    def method(self):
        pass
object = Inner()
found = super(Inner, object)
";
