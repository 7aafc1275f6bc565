//! What the compiler knows of a live object that a global name has: the same answer when a unit is
//! compiled and when a cell is checked. Nothing here runs foreign code.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyo3::types::PyString;

use crate::cpython::object::float_value;
use crate::cpython::object::int_value;
use crate::cpython::object::is_float;
use crate::cpython::object::is_int;
use crate::cpython::running;
use crate::ir::Builtin;
use crate::ir::Const;
use crate::ir::GlobalFact;
use crate::runtime::sealed;
use crate::types::Type;

/// What is known of a value, compiled functions aside.
#[must_use]
pub fn of_value(value: &Bound<'_, PyAny>) -> GlobalFact {
    if let Some(constant) = scalar(value) {
        return GlobalFact::Value(constant);
    }
    if let Some(&builtin) = Builtin::ALL.iter().find(|&&builtin| is_builtin(value, builtin)) {
        return GlobalFact::Builtin(builtin);
    }
    if is_module_named(value.as_ptr(), "math") {
        return GlobalFact::MathModule;
    }
    match function_name(value, "math") {
        Some(name) => GlobalFact::Math(name),
        None => container(value).map_or(GlobalFact::Unknown, GlobalFact::Likely),
    }
}

/// The type of an exact list or str; what is in a list is guessed by its first item.
fn container(value: &Bound<'_, PyAny>) -> Option<Type> {
    if value.is_exact_instance_of::<PyString>() {
        return Some(Type::Str);
    }
    let list = value.cast_exact::<PyList>().ok()?;
    let item = match list.get_item(0).ok() {
        None => Type::Never,
        Some(first) => match scalar(&first) {
            Some(Const::Int(_) | Const::BigInt(_)) => Type::Int,
            Some(Const::Float(_)) => Type::Float,
            Some(Const::Bool(_)) => Type::Bool,
            _ if first.is_exact_instance_of::<PyString>() => Type::Str,
            _ if first.is_exact_instance_of::<PyList>() => Type::List(Box::new(Type::Object)),
            _ => Type::Object,
        },
    };
    Some(Type::List(Box::new(item)))
}

/// Whether the value still is what was known of it.
#[must_use]
pub fn holds(value: &Bound<'_, PyAny>, expected: &GlobalFact) -> bool {
    match expected {
        GlobalFact::Value(constant) => scalar(value).as_ref() == Some(constant),
        GlobalFact::Builtin(builtin) => is_builtin(value, *builtin),
        GlobalFact::MathModule => is_module_named(value.as_ptr(), "math"),
        GlobalFact::Math(name) => function_name(value, "math").as_deref() == Some(name),
        // SAFETY: a live object, attached.
        GlobalFact::Class(identity) => unsafe { sealed::is_class(*identity, value.as_ptr()) },
        GlobalFact::Function(_)
        | GlobalFact::Method(_)
        | GlobalFact::Callees(_)
        | GlobalFact::Likely(_)
        | GlobalFact::Unknown => false,
    }
}

/// The value as a constant when it is None or an exact bool, int or float. Floats compare by their bits,
/// and a NaN is no constant: it has an identity.
fn scalar(value: &Bound<'_, PyAny>) -> Option<Const> {
    let layout = running().layout;
    let object = value.as_ptr();
    // SAFETY: a live object, whose type is tested before its fields are read.
    unsafe {
        if object == ffi::Py_None() {
            Some(Const::None)
        } else if object == ffi::Py_True() || object == ffi::Py_False() {
            Some(Const::Bool(object == ffi::Py_True()))
        } else if is_int(object) {
            match int_value(layout, object) {
                Some(small) => Some(Const::Int(small)),
                // Hexadecimal, because decimal digits are limited and slow.
                None => Some(Const::BigInt(hexadecimal(value)?)),
            }
        } else if is_float(object) {
            let value = float_value(layout, object);
            (!value.is_nan()).then(|| Const::Float(value.to_bits()))
        } else {
            None
        }
    }
}

fn hexadecimal(int: &Bound<'_, PyAny>) -> Option<String> {
    // SAFETY: a live exact int; a failure leaves an exception, which is dropped.
    unsafe {
        let text = ffi::PyNumber_ToBase(int.as_ptr(), 16);
        match Bound::from_owned_ptr_or_opt(int.py(), text) {
            Some(text) => text.extract().ok(),
            None => {
                ffi::PyErr_Clear();
                None
            }
        }
    }
}

fn is_builtin(value: &Bound<'_, PyAny>, builtin: Builtin) -> bool {
    let object = value.as_ptr();
    let class = match builtin {
        Builtin::Bool => &raw mut ffi::PyBool_Type,
        Builtin::ByteArray => &raw mut ffi::PyByteArray_Type,
        Builtin::Bytes => &raw mut ffi::PyBytes_Type,
        Builtin::Enumerate => &raw mut ffi::PyEnum_Type,
        Builtin::Float => &raw mut ffi::PyFloat_Type,
        Builtin::Int => &raw mut ffi::PyLong_Type,
        Builtin::List => &raw mut ffi::PyList_Type,
        Builtin::Range => &raw mut ffi::PyRange_Type,
        Builtin::Reversed => &raw mut ffi::PyReversed_Type,
        Builtin::Str => &raw mut ffi::PyUnicode_Type,
        Builtin::Zip => &raw mut ffi::PyZip_Type,
        Builtin::Abs
        | Builtin::DivMod
        | Builtin::Len
        | Builtin::Max
        | Builtin::Min
        | Builtin::Ord
        | Builtin::Pow
        | Builtin::Round
        | Builtin::Sorted
        | Builtin::Sum => return function_name(value, "builtins").as_deref() == Some(builtin.name()),
    };
    object == class.cast()
}

/// The name of a function that the C module of this name defines. Python code can't make one.
fn function_name(value: &Bound<'_, PyAny>, module: &str) -> Option<String> {
    // SAFETY: a live object, whose type is tested before it is taken for a builtin function; `self` is borrowed.
    unsafe {
        if ffi::PyCFunction_CheckExact(value.as_ptr()) == 0 {
            return None;
        }
        let owner = ffi::PyCFunction_GetSelf(value.as_ptr());
        if owner.is_null() || !is_module_named(owner, module) {
            ffi::PyErr_Clear();
            return None;
        }
    }
    // SAFETY: a live object; a failure leaves an exception, which is dropped.
    let name = unsafe {
        let name = ffi::PyObject_GetAttrString(value.as_ptr(), c"__name__".as_ptr());
        if name.is_null() {
            ffi::PyErr_Clear();
        }
        Bound::from_owned_ptr_or_opt(value.py(), name)?
    };
    name.cast_into::<PyString>().ok()?.extract().ok()
}

fn is_module_named(object: *mut ffi::PyObject, name: &str) -> bool {
    // SAFETY: a live object; the name is borrowed from the module.
    unsafe {
        if ffi::PyModule_CheckExact(object) == 0 {
            return false;
        }
        let found = ffi::PyModule_GetName(object);
        if found.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        std::ffi::CStr::from_ptr(found).to_bytes() == name.as_bytes()
    }
}
