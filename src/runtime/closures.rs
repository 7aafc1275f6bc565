//! Helpers of closures: cells, functions and classes made inside functions, `super()`.

use std::sync::OnceLock;

use pyo3::PyResult;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;
use pyo3::types::PyBytes;
use pyo3::types::PyTuple;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::fail;
use crate::cpython::object::field;
use crate::cpython::object::has_type_flag;
use crate::cpython::object::new_ref;
use crate::cpython::object::set_field;
use crate::cpython::object::type_name;
use crate::cpython::object::type_of;
use crate::cpython::opcode::INTRINSIC_TYPEALIAS;
use crate::cpython::opcode::INTRINSIC_UNARY_POSITIVE;
use crate::cpython::running;
use crate::ir::NestedCode;

use super::calls::call_with;
use super::frames;
use super::object::dies_quietly;
use super::object::name_error_about;
use super::object::namespace_get;
use super::object::raise_unbound;
use super::object::truncate;
use super::table::position;
use super::unit::LoadedUnit;

/// A new cell of an object, or of nothing when that is null.
///
/// # Safety
/// The object is alive or null; the thread is attached.
pub unsafe extern "C" fn obj_new_cell(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe { (running().symbols.objects.new_cell)(object) }
}

/// A new cell that holds nothing.
///
/// # Errors
/// When there is no memory.
pub fn empty_cell(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: a new reference or null with an exception.
    unsafe { Bound::from_owned_ptr_or_err(py, obj_new_cell(std::ptr::null_mut())) }
}

/// Whether the object is a cell.
///
/// # Safety
/// The object is alive; the thread is attached.
pub(super) unsafe fn is_cell(object: *mut PyObject) -> bool {
    static CLASS: OnceLock<usize> = OnceLock::new();
    // SAFETY: the caller's contract; the class of cells lives for ever. Without memory the next one tells.
    unsafe {
        if CLASS.get().is_none() {
            let cell = obj_new_cell(std::ptr::null_mut());
            if cell.is_null() {
                ffi::PyErr_Clear();
                return false;
            }
            CLASS.get_or_init(|| type_of(cell) as usize);
            drop_ref(cell);
        }
        CLASS.get() == Some(&(type_of(object) as usize))
    }
}

/// What a cell holds, borrowed, or null.
unsafe fn content(cell: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller passes a live cell, laid out as told.
    unsafe { field(cell, running().layout.container.cell) }
}

/// What a cell of the function holds; UnboundLocalError.
///
/// # Safety
/// A live cell and a live exact str; the thread is attached.
pub unsafe extern "C" fn obj_load_cell(cell: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let object = content(cell);
        if object.is_null() {
            raise_unbound(name);
            return object;
        }
        new_ref(object)
    }
}

/// What a cell of an enclosing function holds; NameError.
///
/// # Safety
/// As [`obj_load_cell`].
pub unsafe extern "C" fn obj_load_free(cell: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        let object = content(cell);
        if object.is_null() {
            name_error_about(name, |shown| {
                format!(
                    "cannot access free variable '{shown}' where it is not associated with a value in enclosing scope"
                )
            });
            return object;
        }
        new_ref(object)
    }
}

/// Puts an object into a cell, or nothing.
///
/// # Safety
/// A live cell, and a live object or null; the thread is attached.
pub unsafe extern "C" fn obj_store_cell(cell: *mut PyObject, object: *mut PyObject) {
    // SAFETY: the cell owns what it holds.
    unsafe {
        let before = content(cell);
        let _frames = frames::link_unless(|| before.is_null() || dies_quietly(before));
        if !object.is_null() {
            new_ref(object);
        }
        set_field(cell, running().layout.container.cell, object);
        drop_optional(before);
    }
}

/// What takes the place of a function that compiled code made.
pub type OnCreation = for<'py> fn(Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>;

/// Who replaces them: modules being imported and built modules.
static ON_CREATION: [OnceLock<OnCreation>; 2] = [const { OnceLock::new() }; 2];

/// Has functions that compiled code makes replaced by this too, where nobody else has done so.
///
/// # Panics
/// Where more ask for it than there are places.
pub fn set_on_creation(replace: OnCreation) {
    let is_known =
        ON_CREATION.iter().any(|place| std::ptr::fn_addr_eq(*place.get_or_init(|| replace), replace));
    assert!(is_known, "there is a place for each of the two who ask");
}

/// A new function of a nested code object: defaults, defaults by name, annotations, cells; None for none.
///
/// # Safety
/// The unit is loaded and has this function, with this nested code; four live objects; the thread is attached.
pub unsafe extern "C" fn obj_make_function(
    unit: *const LoadedUnit,
    number: i64,
    nested: i64,
    parts: *const *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the function is ours until it is returned.
    unsafe {
        let (owner, loaded) = (*unit).resolve(position(number));
        let Some(code) = &loaded.nested[position(nested)] else {
            fail(ffi::PyExc_SystemError, "castiron: the code of a nested function is missing");
            return std::ptr::null_mut();
        };
        let objects = &running().symbols.objects;
        let function = (objects.new_function)(code.as_ptr(), owner.globals());
        if function.is_null() {
            return function;
        }
        let setters =
            [objects.set_defaults, objects.set_named_defaults, objects.set_annotations, objects.set_closure];
        for (index, set) in setters.into_iter().enumerate() {
            let part = *parts.add(index);
            if part != ffi::Py_None() && set(function, part) < 0 {
                drop_ref(function);
                return std::ptr::null_mut();
            }
        }
        let py = Python::assume_attached();
        match replaced(Bound::from_owned_ptr(py, function)) {
            Ok(callable) => callable.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

/// What takes the place of a new function.
fn replaced(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    for replace in ON_CREATION.iter().filter_map(OnceLock::get) {
        let callable = replace(function.clone())?;
        if !callable.is(&function) {
            return Ok(callable);
        }
    }
    Ok(function)
}

/// A type alias: its name, its type parameters or None, and the function that computes its value.
///
/// # Safety
/// Three live objects; the thread is attached to a CPython that has type aliases.
pub unsafe extern "C" fn obj_type_alias(
    name: *mut PyObject,
    params: *mut PyObject,
    compute: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the exception goes to whoever called the compiled function.
    unsafe {
        let py = Python::assume_attached();
        let parts = [name, params, compute].map(|part| Bound::from_borrowed_ptr(py, part));
        let alias = PyTuple::new(py, parts).and_then(|parts| alias_maker(py)?.call1((parts,)));
        match alias {
            Ok(alias) => alias.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

/// A function that makes a type alias of the tuple of its parts. Only an instruction of the interpreter does that: the
/// same that negates nothing (`+parts`), with another number.
fn alias_maker(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MAKER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let function = py.eval(c"lambda parts: +parts", None, None)?;
        let code = function.getattr("__code__")?;
        let numbers = py.import("opcode")?.getattr("opmap")?;
        let instruction: u8 = numbers.get_item("CALL_INTRINSIC_1")?.extract()?;
        let mut bytes: Vec<u8> = code.getattr("co_code")?.extract()?;
        for pair in bytes.chunks_exact_mut(2) {
            if pair == [instruction, INTRINSIC_UNARY_POSITIVE] {
                pair[1] = INTRINSIC_TYPEALIAS;
            }
        }
        let named = [("co_code", PyBytes::new(py, &bytes))].into_py_dict(py)?;
        function.setattr("__code__", code.call_method("replace", (), Some(&named))?)?;
        Ok::<_, PyErr>(function.unbind())
    };
    Ok(MAKER.get_or_try_init(py, make)?.bind(py))
}

/// `__build_class__` of the builtins.
///
/// # Safety
/// The unit is loaded; the thread is attached.
pub unsafe extern "C" fn obj_build_class(unit: *const LoadedUnit) -> *mut PyObject {
    // SAFETY: the name is ours.
    unsafe {
        let _frames = frames::link();
        let name = ffi::PyUnicode_InternFromString(c"__build_class__".as_ptr());
        if name.is_null() {
            return name;
        }
        let found = namespace_get((*unit).builtins(), name);
        drop_ref(name);
        if found.is_null() && ffi::PyErr_Occurred().is_null() {
            fail(ffi::PyExc_NameError, "__build_class__ not found");
        }
        found
    }
}

/// `super()`: with the class in the cell and the first argument, unless somebody replaced `super`.
///
/// # Safety
/// Three live objects, the second a cell; the thread is attached.
pub unsafe extern "C" fn obj_super(
    callable: *mut PyObject,
    cell: *mut PyObject,
    first: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract.
    unsafe {
        if callable != (&raw mut ffi::PySuper_Type).cast() {
            return call_with(callable, []);
        }
        let class = content(cell);
        if class.is_null() {
            fail(ffi::PyExc_RuntimeError, "super(): empty __class__ cell");
            return class;
        }
        if !has_type_flag(class, ffi::Py_TPFLAGS_TYPE_SUBCLASS) {
            let name = truncate(&type_name(running().layout, class), 200);
            fail(ffi::PyExc_RuntimeError, &format!("super(): __class__ is not a type ({name})"));
            return std::ptr::null_mut();
        }
        call_with(callable, [class, first])
    }
}

/// The nested code objects among the constants of a code object; none for one that is never run.
///
/// # Errors
/// When there are others than the text says.
pub fn nested_codes(code: &Bound<'_, PyAny>, wanted: &[NestedCode]) -> PyResult<Vec<Option<Py<PyAny>>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let constants = code.getattr("co_consts")?.cast_into::<PyTuple>()?;
    let mut known: Vec<(String, u32, Bound<'_, PyAny>)> = Vec::new();
    for constant in constants.iter() {
        if constant.get_type().is(code.get_type()) {
            let name = constant.getattr("co_name")?.extract()?;
            known.push((name, constant.getattr("co_firstlineno")?.extract()?, constant));
        }
    }
    let unexpected = || PyValueError::new_err("nested code is not what the text says");
    let find = |wanted: &NestedCode| {
        let same: Vec<&Bound<'_, PyAny>> = known
            .iter()
            .filter(|(name, line, _)| *name == wanted.name && *line == wanted.line)
            .map(|(_, _, code)| code)
            .collect();
        // A `finally` suite is compiled several times, each time with the same code in the same order.
        if same.is_empty() {
            return Ok(None);
        }
        if !same.len().is_multiple_of(wanted.count) {
            return Err(unexpected());
        }
        let free: Vec<String> = same[wanted.ordinal].getattr("co_freevars")?.extract()?;
        if free != wanted.free { Err(unexpected()) } else { Ok(Some(same[wanted.ordinal].clone().unbind())) }
    };
    wanted.iter().map(find).collect()
}

/// The names of all variables of a code object in the order of its frames: plain ones, cells, free ones.
///
/// # Errors
/// When the code object can't be asked.
pub fn variables(code: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let mut names: Vec<String> = code.getattr("co_varnames")?.extract()?;
    let cells: Vec<String> = code.getattr("co_cellvars")?.extract()?;
    let plain = names.len();
    names.extend(cells.into_iter().filter(|cell| !names[..plain].contains(cell)).collect::<Vec<_>>());
    names.extend(code.getattr("co_freevars")?.extract::<Vec<String>>()?);
    Ok(names)
}

/// Why machine code of the text would not fit the code object; none where it does.
///
/// # Errors
/// When the code object can't be asked.
pub fn mismatch(code: &Bound<'_, PyAny>, nested: &[NestedCode], free: &[String]) -> PyResult<Option<String>> {
    let own: Vec<String> = code.getattr("co_freevars")?.extract()?;
    if own != free {
        return Ok(Some(format!("its closure has {own:?}, not {free:?}")));
    }
    match nested_codes(code, nested) {
        Ok(_) => Ok(None),
        Err(error) if error.is_instance_of::<PyValueError>(code.py()) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}
