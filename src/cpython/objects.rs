//! Functions on objects that the eval loop itself calls and the stable ABI leaves out.
//!
//! Found by name when castiron is imported, like the others in [`super::symbols`].

use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::ffi::PyObject;

use super::Layout;
use super::symbols::address;

/// A function of two objects that returns a status.
type Status2 = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> c_int;

/// A function of one object that returns a new object.
type Object1 = unsafe extern "C" fn(*mut PyObject) -> *mut PyObject;

/// A function of two objects that returns a new object.
type Object2 = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;

macro_rules! objects {
    ($($(#[$doc:meta])* $field:ident: $ty:ty = $name:literal;)*) => {
        /// The functions.
        #[derive(Clone, Copy)]
        pub struct Objects { $($(#[$doc])* pub $field: $ty,)* }

        impl Objects {
            /// Looks all of them up in the process.
            ///
            /// # Errors
            /// When one is missing.
            pub fn find(layout: &Layout) -> Result<Objects, String> {
                // SAFETY: each type is that of the function's declaration in CPython's headers.
                unsafe {
                    Ok(Objects { $($field: std::mem::transmute::<*mut c_void, $ty>(address(layout, $name)?),)* })
                }
            }
        }
    };
}

objects! {
    /// `list.extend`: None, a new reference.
    list_extend: Object2 = c"_PyList_Extend";
    /// `set.update` of one iterable.
    set_update: Status2 = c"_PySet_Update";
    /// Puts one mapping into a dict; with 2, a key that is there already is a KeyError.
    dict_merge: unsafe extern "C" fn(*mut PyObject, *mut PyObject, c_int) -> c_int = c"_PyDict_MergeEx";
    /// Joins strings: separator, the strings, how many.
    join: unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject =
        c"_PyUnicode_JoinArray";
    /// A method that is looked up in the type, bound; null without an exception when there is none.
    lookup_special: Object2 = c"_PyObject_LookupSpecial";
    /// A new cell: what it holds, or null.
    new_cell: Object1 = c"PyCell_New";
    /// A new function: code, globals.
    new_function: Object2 = c"PyFunction_New";
    /// Sets a function's tuple of cells.
    set_closure: Status2 = c"PyFunction_SetClosure";
    /// Sets a function's tuple of defaults.
    set_defaults: Status2 = c"PyFunction_SetDefaults";
    /// Sets a function's dict of defaults by name.
    set_named_defaults: Status2 = c"PyFunction_SetKwDefaults";
    /// Sets a function's dict of annotations.
    set_annotations: Status2 = c"PyFunction_SetAnnotations";
    /// How messages about a call name the callable.
    function_text: Object1 = c"_PyObject_FunctionStr";
}
