//! A class as a plan refers to it.
//!
//! Static types live for ever. A heap class is held by a weak reference, because the class may own the
//! function that owns the plan; its address is trusted only while the weak reference is alive.

use std::ptr;

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyType;
use pyo3::types::PyWeakrefMethods;
use pyo3::types::PyWeakrefReference;

/// A reference to a class that does not keep a heap class alive.
pub struct ClassRef {
    address: *mut ffi::PyTypeObject,
    weak: Option<Py<PyWeakrefReference>>,
}

// SAFETY: the address is compared, and followed only for static types, which live for ever.
unsafe impl Send for ClassRef {}
// SAFETY: as above; nothing changes after the construction.
unsafe impl Sync for ClassRef {}

impl ClassRef {
    /// Takes the reference of a description: a type that lives for ever, or a weak reference to a class.
    pub fn new(reference: &Bound<'_, PyAny>) -> PyResult<ClassRef> {
        if let Ok(class) = reference.cast::<PyType>() {
            return Ok(ClassRef { address: class.as_type_ptr(), weak: None });
        }
        let weak = reference.cast::<PyWeakrefReference>()?;
        let address = weak.upgrade().map_or(ptr::null_mut(), |class| class.as_ptr().cast());
        Ok(ClassRef { address, weak: Some(weak.clone().unbind()) })
    }

    /// The class, unless it has died.
    #[must_use]
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.weak {
            Some(weak) => weak.bind(py).upgrade(),
            // SAFETY: a static type lives for ever.
            None => Some(unsafe { Bound::from_borrowed_ptr(py, self.address.cast()) }),
        }
    }

    /// Whether this is a static type: its address alone says which class it is.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.weak.is_none()
    }

    /// The address of the class, which belongs to another one if the class has died.
    #[must_use]
    pub fn address(&self) -> *mut ffi::PyTypeObject {
        self.address
    }

    /// The weak reference of a heap class, borrowed; null for a static type.
    #[must_use]
    pub fn weak_ptr(&self) -> *mut ffi::PyObject {
        self.weak.as_ref().map_or(ptr::null_mut(), Py::as_ptr)
    }

    /// Whether the value's class is exactly this one.
    #[must_use]
    pub fn is_class_of(&self, value: &Bound<'_, PyAny>) -> bool {
        value.get_type_ptr() == self.address && self.get(value.py()).is_some()
    }

    /// `isinstance(value, class)`; a dead class has no instances.
    pub fn accepts(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        if self.is_static() && value.get_type_ptr() == self.address {
            return Ok(true);
        }
        self.get(value.py()).map_or(Ok(false), |class| value.is_instance(&class))
    }

    /// Whether every instance of exactly this live class is one of this reference's class, whatever runs: the
    /// class is the same, or has it among its bases and nobody else answers `isinstance`.
    ///
    /// # Safety
    /// The class is live.
    #[must_use]
    pub unsafe fn covers_instances(&self, py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
        let Some(own) = self.get(py) else { return false };
        let own = own.as_ptr().cast::<ffi::PyTypeObject>();
        // SAFETY: both are live classes.
        unsafe {
            own == class
                || ffi::Py_TYPE(own.cast()) == &raw mut ffi::PyType_Type
                    && ffi::PyType_IsSubtype(class, own) != 0
        }
    }

    /// `issubclass(value, class)`, for a value that is a class.
    pub fn covers(&self, value: &Bound<'_, PyType>) -> PyResult<bool> {
        self.get(value.py()).map_or(Ok(false), |class| value.is_subclass(&class))
    }
}
