//! Ways around a class' own `tp_setattro` and around `Py_TPFLAGS_IMMUTABLETYPE`, refused where CPython asks nobody.
//!
//! | what is called | what it would change |
//! | --- | --- |
//! | `property.__init__(C.p, ...)`, and of class and static methods | the function inside |
//! | `cell.cell_contents = ...` | what a method closes over |
//! | `type.__dict__["__abstractmethods__"].__set__(C, ...)` | whether the class has instances |
//! | `object.__dict__["__class__"].__set__(C, ...)` | its metaclass |
//! | `ABCMeta.register(C, ...)` | what is an instance of it |
//! | `object.__setattr__(instance, ...)` | a field; refused by CPython too, but without a word about what to do |
//!
//! Each is reached through one pointer of the interpreter ([`descriptor`]), which is changed with the first sealed
//! class. What has nothing to do with a sealed class goes on to CPython's own function.

use std::ffi::CStr;
use std::ffi::c_int;
use std::ffi::c_void;
use std::ptr;

use pyo3::PyResult;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;

use super::layout;
use super::methods;
use super::slots;
use crate::cpython::class;
use crate::cpython::class::SetAttr;
use crate::cpython::descriptor;
use crate::cpython::descriptor::Fast;
use crate::cpython::descriptor::Init;
use crate::cpython::descriptor::Pointer;
use crate::cpython::descriptor::Setter;
use crate::cpython::descriptor::Wrapper;

/// A pointer of CPython and the function it led to.
struct Replaced<F> {
    pointer: Pointer<F>,
    original: F,
}

impl<F: Copy> Replaced<F> {
    fn new(pointer: Pointer<F>) -> Replaced<F> {
        Replaced { original: pointer.get(), pointer }
    }
}

/// What is replaced.
struct Refusals {
    property: Replaced<Init>,
    class_method: Replaced<Init>,
    static_method: Replaced<Init>,
    cell: Replaced<Setter>,
    abstract_methods: Replaced<Setter>,
    class: Replaced<Setter>,
    register: Replaced<Fast>,
    set_attribute: Replaced<Wrapper>,
    delete_attribute: Replaced<Wrapper>,
}

static REFUSALS: PyOnceLock<Refusals> = PyOnceLock::new();

/// Installs the refusals, once; all of the pointers are found before the first is changed.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    if REFUSALS.get(py).is_some() {
        return Ok(());
    }
    let found = REFUSALS.get_or_try_init(py, || find(py))?;
    // SAFETY: each function here does what the original does, or refuses as it may; all of them find the
    // originals.
    unsafe {
        found.property.pointer.set(init_property);
        found.class_method.pointer.set(init_class_method);
        found.static_method.pointer.set(init_static_method);
        found.cell.pointer.set(set_cell);
        found.abstract_methods.pointer.set(set_abstract_methods);
        found.class.pointer.set(set_class);
        found.register.pointer.set(register);
        found.set_attribute.pointer.set(set_attribute);
        found.delete_attribute.pointer.set(delete_attribute);
    }
    Ok(())
}

/// What the class has in its own namespace.
fn own<'py>(class: &Bound<'py, PyAny>, name: &CStr) -> PyResult<Bound<'py, PyAny>> {
    class.getattr("__dict__")?.get_item(name.to_string_lossy())
}

fn find(py: Python<'_>) -> PyResult<Refusals> {
    let builtins = py.import("builtins")?;
    let init = |class: &str| -> PyResult<_> {
        let found = own(&builtins.getattr(class)?, c"__init__")?;
        descriptor::initialiser(&found).map(Replaced::new)
    };
    let setter = |class: Bound<'_, PyAny>, name: &CStr| -> PyResult<_> {
        let found = own(&class, name)?;
        descriptor::setter(&found, name).map(Replaced::new)
    };
    let wrapper = |name: &CStr| -> PyResult<_> {
        let found = own(&builtins.getattr("object")?, name)?;
        descriptor::wrapper(&found, name).map(Replaced::new)
    };
    let register = py.import("_abc")?.getattr("_abc_register")?;
    Ok(Refusals {
        property: init("property")?,
        class_method: init("classmethod")?,
        static_method: init("staticmethod")?,
        cell: setter(py.import("types")?.getattr("CellType")?, c"cell_contents")?,
        abstract_methods: setter(builtins.getattr("type")?, c"__abstractmethods__")?,
        class: setter(builtins.getattr("object")?, c"__class__")?,
        register: Replaced::new(descriptor::builtin(&register, c"_abc_register")?),
        set_attribute: wrapper(c"__setattr__")?,
        delete_attribute: wrapper(c"__delattr__")?,
    })
}

/// The installed refusals.
fn refusals(py: Python<'_>) -> &Refusals {
    REFUSALS.get(py).expect("functions that need them are installed after they are found")
}

/// The name of the class, if the object is a class that is sealed itself.
///
/// # Safety
/// The object is alive, and the thread is attached.
unsafe fn sealed_class(py: Python<'_>, object: *mut PyObject) -> Option<String> {
    // SAFETY: a live object; a class has the checked layout.
    unsafe {
        if ffi::PyType_Check(object) == 0 || !layout::is_sealed(class::fields(object.cast())) {
            return None;
        }
        let class = Bound::from_borrowed_ptr(py, object);
        Some(class.getattr("__name__").map_or_else(|_| String::new(), |name| name.to_string()))
    }
}

fn refuse(py: Python<'_>, words: String) -> c_int {
    PyTypeError::new_err(words).restore(py);
    -1
}

fn refuse_part(py: Python<'_>, kind: &str) -> c_int {
    refuse(py, format!("{kind} can't be initialised again: its class is frozen"))
}

macro_rules! initialisers {
    ($($function:ident, $field:ident, $kind:literal;)*) => { $(
        /// # Safety
        /// As for `tp_init`.
        unsafe extern "C" fn $function(
            object: *mut PyObject,
            args: *mut PyObject,
            keywords: *mut PyObject,
        ) -> c_int {
            // SAFETY: CPython calls it attached, with what the original takes.
            unsafe {
                let py = Python::assume_attached();
                if methods::is_guarded(object) {
                    return refuse_part(py, $kind);
                }
                (refusals(py).$field.original)(object, args, keywords)
            }
        }
    )* };
}

initialisers! {
    init_property, property, "a property";
    init_class_method, class_method, "a class method";
    init_static_method, static_method, "a static method";
}

/// # Safety
/// As for a setter.
unsafe extern "C" fn set_cell(cell: *mut PyObject, value: *mut PyObject, closure: *mut c_void) -> c_int {
    // SAFETY: CPython calls it attached, with what the original takes.
    unsafe {
        let py = Python::assume_attached();
        if methods::is_guarded(cell) {
            return refuse(
                py,
                "cell_contents can't be set: a method of a frozen class closes over the cell".to_owned(),
            );
        }
        (refusals(py).cell.original)(cell, value, closure)
    }
}

macro_rules! class_setters {
    ($($function:ident, $field:ident, $name:literal;)*) => { $(
        /// # Safety
        /// As for a setter.
        unsafe extern "C" fn $function(
            class: *mut PyObject,
            value: *mut PyObject,
            closure: *mut c_void,
        ) -> c_int {
            // SAFETY: CPython calls it attached, with what the original takes.
            unsafe {
                let py = Python::assume_attached();
                if let Some(class) = sealed_class(py, class) {
                    return refuse(
                        py,
                        format!("cannot set '{}' attribute of immutable type '{class}'", $name),
                    );
                }
                (refusals(py).$field.original)(class, value, closure)
            }
        }
    )* };
}

class_setters! {
    set_abstract_methods, abstract_methods, "__abstractmethods__";
    set_class, class, "__class__";
}

/// # Safety
/// As for a builtin function that takes an array.
unsafe extern "C" fn register(
    module: *mut PyObject,
    args: *const *mut PyObject,
    count: isize,
) -> *mut PyObject {
    // SAFETY: CPython calls it attached, with what the original takes.
    unsafe {
        let py = Python::assume_attached();
        if count == 2
            && let Some(class) = sealed_class(py, *args)
        {
            refuse(py, format!("{class} is frozen: nothing can be registered as its subclass"));
            return ptr::null_mut();
        }
        (refusals(py).register.original)(module, args, count)
    }
}

/// Runs `object.__setattr__` or `object.__delattr__`, once the instance is known to be of a sealed class: refuses to
/// touch a field, does what it would do for any object with everything else. None where it isn't one.
///
/// # Safety
/// The arguments are those of the wrapper.
unsafe fn attribute(
    py: Python<'_>,
    object: *mut PyObject,
    args: *mut PyObject,
    function: *mut c_void,
    count: isize,
) -> Option<*mut PyObject> {
    // SAFETY: the caller's promise.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let generic = ffi::PyObject_GenericSetAttr as SetAttr as *mut c_void;
        if function != generic || ffi::PyTuple_Size(args) != count {
            return None;
        }
        let sealed = layout::sealed_above(class);
        if sealed.is_null() || !slots::writes(sealed) {
            return None;
        }
        let name = ffi::PyTuple_GetItem(args, 0);
        match slots::refusal_of_object(py, object, name) {
            Some(words) => {
                refuse(py, words);
                Some(ptr::null_mut())
            }
            None => {
                let value = if count == 2 { ffi::PyTuple_GetItem(args, 1) } else { ptr::null_mut() };
                let failed = ffi::PyObject_GenericSetAttr(object, name, value) < 0;
                Some(if failed { ptr::null_mut() } else { py.None().into_ptr() })
            }
        }
    }
}

macro_rules! wrappers {
    ($($function:ident, $count:literal;)*) => { $(
        /// # Safety
        /// As for a `wrapperfunc`.
        unsafe extern "C" fn $function(
            object: *mut PyObject,
            args: *mut PyObject,
            function: *mut c_void,
        ) -> *mut PyObject {
            // SAFETY: CPython calls it attached, with what the original takes.
            unsafe {
                let py = Python::assume_attached();
                attribute(py, object, args, function, $count)
                    .unwrap_or_else(|| (refusals(py).$function.original)(object, args, function))
            }
        }
    )* };
}

wrappers! {
    set_attribute, 2;
    delete_attribute, 1;
}
