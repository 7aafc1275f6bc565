//! Binding of arguments to parameters, exactly as the interpreter binds them, and the generic version's start.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::ffi::PyObject;

use crate::cpython::function;
use crate::cpython::object::drop_optional;
use crate::cpython::object::float_value;
use crate::cpython::object::new_ref;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_of;
use crate::cpython::running;
use crate::types::Type;

use super::enter::OFFSET_FLAG;
use super::frames;
use super::object::exact_int;
use super::object::word;
use super::resume;
use super::sealed;
use super::unit::LoadedFunction;
use super::unit::LoadedUnit;

/// What came of binding.
pub enum Binding {
    /// Every parameter has its value.
    Bound(Bound),
    /// An exception is set.
    Raised,
    /// The arguments don't fit the parameters; no exception is set.
    Refused,
}

/// The values of all parameters, owned.
pub struct Bound {
    values: Vec<*mut PyObject>,
    /// Whether the caller passed the value; else it is a default.
    passed: Vec<bool>,
}

impl Drop for Bound {
    fn drop(&mut self) {
        for &value in &self.values {
            // SAFETY: owned, or null where binding stopped; the thread that bound is still attached.
            unsafe { drop_optional(value) };
        }
    }
}

impl Bound {
    /// The values in the order of the code object's variables.
    #[must_use]
    pub fn values(&self) -> &[*mut PyObject] {
        &self.values
    }

    /// Checks the values that were passed against the promise. 0, 1 when the call's result is
    /// NotImplemented, or -1 with TypeCheckError set.
    ///
    /// # Safety
    /// `function` is alive, the thread is attached.
    pub unsafe fn check(&self, loaded: &LoadedFunction, function: *mut PyObject) -> c_int {
        for (index, (&value, &passed)) in self.values.iter().zip(&self.passed).enumerate() {
            // SAFETY: the value is owned here.
            unsafe {
                if !passed || loaded.is_settled(index, value) {
                    continue;
                }
                frames::show();
                match loaded.check_argument(function, index, value) {
                    0 => {}
                    status => return status,
                }
            }
        }
        0
    }

    /// Whether each value is exactly of its type, as a specialised body wants it.
    #[must_use]
    pub fn is_exact(&self, unit: &LoadedUnit, types: &[Type]) -> bool {
        // SAFETY: the values are owned here.
        types.len() == self.values.len()
            && self.values.iter().zip(types).all(|(&value, ty)| unsafe { is_exact(unit, value, ty) })
    }

    /// Takes a reference for a place that holds none.
    fn own(&mut self, index: usize, value: *mut PyObject) {
        self.values[index] = value;
        self.passed[index] = true;
    }

    unsafe fn put(&mut self, index: usize, value: *mut PyObject, passed: bool) {
        // SAFETY: the caller passes a live object for a place that holds none.
        self.values[index] = unsafe { new_ref(value) };
        self.passed[index] = passed;
    }
}

/// Whether the object is exactly of this type, and an int of 64 bits.
unsafe fn is_exact(unit: &LoadedUnit, object: *mut PyObject, ty: &Type) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe {
        match ty {
            Type::Never => false,
            Type::None => object == ffi::Py_None(),
            Type::Bool => type_of(object) == &raw mut ffi::PyBool_Type,
            Type::Int => exact_int(object).is_some(),
            // A NaN keeps its identity only as an object.
            Type::Float => {
                type_of(object) == &raw mut ffi::PyFloat_Type
                    && !float_value(running().layout, object).is_nan()
            }
            Type::Tuple(types) => {
                type_of(object) == &raw mut ffi::PyTuple_Type && {
                    let items = tuple_items(running().layout, object);
                    items.len() == types.len()
                        && items.iter().zip(types).all(|(&item, ty)| is_exact(unit, item, ty))
                }
            }
            Type::List(_) => type_of(object) == &raw mut ffi::PyList_Type,
            Type::Str => type_of(object) == &raw mut ffi::PyUnicode_Type,
            Type::Bytes => type_of(object) == &raw mut ffi::PyBytes_Type,
            Type::ByteArray => type_of(object) == &raw mut ffi::PyByteArray_Type,
            Type::Sealed(name) => sealed::is_named(unit, name, object),
            Type::Optional(name) => object == ffi::Py_None() || sealed::is_named(unit, name, object),
            Type::Object => true,
        }
    }
}

/// Binds the arguments of a vectorcall to the parameters of a function of the unit.
///
/// # Safety
/// - The thread is attached; `function` is a live Python function that runs this function's code.
/// - The other arguments are those of a vectorcall.
pub unsafe fn bind(
    unit: &LoadedUnit,
    number: usize,
    function: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> Binding {
    let loaded = &unit.functions()[number];
    let (arity, layout) = (loaded.arity, running().layout);
    let count = nargsf & !OFFSET_FLAG;
    if count > arity.positional && !arity.extra_positional {
        return Binding::Refused;
    }
    let total = arity.total();
    let mut bound = Bound { values: vec![std::ptr::null_mut(); total], passed: vec![false; total] };
    // SAFETY: `args` holds the positional arguments, then one for each name; the function is alive.
    unsafe {
        for index in 0..count.min(arity.positional) {
            bound.put(index, *args.add(index), true);
        }
        if !bind_extra(&mut bound, arity, args, count) {
            return Binding::Raised;
        }
        let names = if names.is_null() { &[] } else { tuple_items(layout, names) };
        for (position, &name) in names.iter().enumerate() {
            match find_parameter(loaded, name) {
                Ok(Some(index)) if bound.values[index].is_null() => {
                    bound.put(index, *args.add(count + position), true)
                }
                Ok(None) if arity.extra_named && ffi::PyUnicode_Check(name) != 0 => {
                    let value = *args.add(count + position);
                    if ffi::PyDict_SetItem(bound.values[total - 1], name, value) < 0 {
                        return Binding::Raised;
                    }
                }
                Ok(_) => return Binding::Refused,
                Err(()) => return Binding::Raised,
            }
        }
        let fields = function::fields(layout, function);
        let defaults = if fields.defaults.is_null() { &[] } else { tuple_items(layout, fields.defaults) };
        for index in count.min(arity.positional)..arity.positional {
            if !bound.values[index].is_null() {
                continue;
            }
            // The last parameters have defaults; a tuple that is longer than the list covers it from the end.
            match (index + defaults.len()).checked_sub(arity.positional) {
                Some(place) => bound.put(index, defaults[place], false),
                None => return Binding::Refused,
            }
        }
        for index in arity.positional..arity.single() {
            if !bound.values[index].is_null() {
                continue;
            }
            if fields.kwdefaults.is_null() {
                return Binding::Refused;
            }
            let value = ffi::PyDict_GetItemWithError(fields.kwdefaults, loaded.names[index].as_ptr());
            if !value.is_null() {
                bound.put(index, value, false);
            } else if ffi::PyErr_Occurred().is_null() {
                return Binding::Refused;
            } else {
                return Binding::Raised;
            }
        }
    }
    Binding::Bound(bound)
}

/// Gives `*args` and `**kwargs` their tuple and dict, which is empty still; false with an exception set.
unsafe fn bind_extra(
    bound: &mut Bound,
    arity: super::unit::Arity,
    args: *const *mut PyObject,
    count: usize,
) -> bool {
    let mut place = arity.single();
    // SAFETY: `args` holds `count` live objects; what is made here belongs to the binding.
    unsafe {
        if arity.extra_positional {
            let surplus = count.saturating_sub(arity.positional);
            let tuple = ffi::PyTuple_New(surplus.cast_signed());
            if tuple.is_null() {
                return false;
            }
            for number in 0..surplus {
                let item = new_ref(*args.add(arity.positional + number));
                ffi::PyTuple_SetItem(tuple, number.cast_signed(), item);
            }
            bound.own(place, tuple);
            place += 1;
        }
        if arity.extra_named {
            let dict = ffi::PyDict_New();
            if dict.is_null() {
                return false;
            }
            bound.own(place, dict);
        }
        true
    }
}

/// The parameter of this name; an error when comparing names raised.
unsafe fn find_parameter(loaded: &LoadedFunction, name: *mut PyObject) -> Result<Option<usize>, ()> {
    let first = loaded.arity.positional_only;
    let candidates = || loaded.names.iter().enumerate().skip(first);
    if let Some((index, _)) = candidates().find(|(_, known)| known.as_ptr() == name) {
        return Ok(Some(index));
    }
    // SAFETY: both are alive; a subclass of str may run anything here, as it may in the interpreter.
    unsafe {
        if ffi::PyUnicode_Check(name) == 0 {
            return Ok(None);
        }
        for (index, known) in candidates() {
            match ffi::PyObject_RichCompareBool(name, known.as_ptr(), ffi::Py_EQ) {
                0 => {}
                1 => return Ok(Some(index)),
                _ => return Err(()),
            }
        }
    }
    Ok(None)
}

/// Runs the generic version from its beginning.
///
/// # Safety
/// `function` runs this function's code; `values` holds one live object for each parameter; the thread is attached and has depth left.
pub unsafe fn run_generic(
    unit: &LoadedUnit,
    number: usize,
    function: *mut PyObject,
    values: *const *mut PyObject,
) -> *mut PyObject {
    let loaded = &unit.functions()[number];
    loaded.generic_calls.set(loaded.generic_calls.get() + 1);
    // SAFETY: the slots of entry 0 are the parameters, each an owned reference that the callee takes.
    unsafe {
        let mut slots =
            Vec::with_capacity(resume::room_for(unit, number).max(loaded.arity.total() + loaded.free));
        slots.extend((0..loaded.arity.total()).map(|index| word(new_ref(*values.add(index)))));
        if loaded.free > 0 {
            let closure = function::fields(running().layout, function).closure;
            slots.extend(tuple_items(running().layout, closure).iter().map(|&cell| word(new_ref(cell))));
        }
        resume::run(unit, number, 0, slots)
    }
}
