//! What runs no Python code: operations on objects of CPython's own exact types, whose frames nobody can ask for.
//!
//! An answer of yes is a promise; where it takes long to find out, the answer is no.

mod deques;
mod methods;

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::cpython::Layout;
use crate::cpython::attribute::version_of;
use crate::cpython::bound_super;
use crate::cpython::container;
use crate::cpython::container::list_items;
use crate::cpython::container::slice_parts;
use crate::cpython::function;
use crate::cpython::method;
use crate::cpython::object::field;
use crate::cpython::object::is_float;
use crate::cpython::object::is_int;
use crate::cpython::object::tuple_items;
use crate::cpython::object::type_of;
use crate::cpython::running;

use crate::ir::Binary;

use super::calls;

use deques::Deques;
use methods::Methods;

/// Objects of the interpreter that are recognised by identity; all of them live for ever.
struct Known {
    len: usize,
    isinstance: usize,
    compares: [usize; 2],
    numbers: [usize; 3],
    methods: Methods,
    deques: Deques,
    method_descriptor: usize,
    init_name: usize,
    operators: [usize; 4],
    object_new: usize,
    cell: usize,
    init_slot: usize,
    iterators: [usize; 8],
}

// SAFETY: addresses of objects that are never touched through this.
unsafe impl Sync for Known {}

static KNOWN: OnceLock<Known> = OnceLock::new();

/// Finds the interpreter's objects.
///
/// # Errors
/// When there is no memory.
pub(super) fn find(py: Python<'_>) -> PyResult<()> {
    let address = |code: &std::ffi::CStr| -> PyResult<usize> {
        // The reference is kept for ever, so that the address stays this object's.
        Ok(py.eval(code, None, None)?.into_ptr() as usize)
    };
    let slot = |code: &std::ffi::CStr, slot: i32| -> PyResult<usize> {
        let class = py.eval(code, None, None)?;
        // SAFETY: the expression gives a class.
        Ok(unsafe { ffi::PyType_GetSlot(class.as_ptr().cast(), slot) } as usize)
    };
    let mut iterators = [0; 8];
    let samples = [c"[]", c"()", c"range(0)", c"{}", c"{}.values()", c"{}.items()", c"''", c"set()"];
    for (place, sample) in iterators.iter_mut().zip(samples) {
        *place = py.eval(sample, None, None)?.try_iter()?.get_type().as_ptr() as usize;
    }
    let known = Known {
        len: address(c"__import__('builtins').len")?,
        isinstance: address(c"__import__('builtins').isinstance")?,
        compares: [address(c"__import__('builtins').min")?, address(c"__import__('builtins').max")?],
        numbers: [
            address(c"__import__('builtins').ord")?,
            address(c"__import__('builtins').chr")?,
            address(c"__import__('builtins').abs")?,
        ],
        methods: Methods::find(&address)?,
        deques: Deques::find(&address)?,
        method_descriptor: address(c"type(list.append)")?,
        init_name: PyString::intern(py, "__init__").into_ptr() as usize,
        operators: ["__add__", "__sub__", "__mul__", "__truediv__"]
            .map(|name| PyString::intern(py, name).into_ptr() as usize),
        object_new: slot(c"object", ffi::Py_tp_new)?,
        cell: address(c"type((lambda cell: (lambda: cell))(0).__closure__[0])")?,
        init_slot: slot(c"type('Probe', (), {'__init__': lambda self: None})", ffi::Py_tp_init)?,
        iterators,
    };
    KNOWN.get_or_init(|| known);
    Ok(())
}

fn known() -> &'static Known {
    KNOWN.get().expect("the runtime was started before any code runs")
}

/// The version tag of a class, which gets one if it can have one; else 0.
///
/// # Safety
/// The class is alive, the thread is attached.
pub(super) unsafe fn version_for(class: *mut PyTypeObject) -> u32 {
    let running = running();
    // SAFETY: the caller's contract.
    unsafe {
        match version_of(running.layout, class) {
            0 => {
                (running.symbols.type_lookup)(class, known().init_name as *mut PyObject);
                version_of(running.layout, class)
            }
            version => version,
        }
    }
}

/// Whether nothing that is done with the object alone, or with another such one, runs Python.
///
/// # Safety
/// The object is alive, or being deallocated.
#[inline]
pub(super) unsafe fn is_simple(object: *mut PyObject) -> bool {
    // SAFETY: types are static.
    unsafe {
        let class = type_of(object);
        class == &raw mut ffi::PyLong_Type
            || class == &raw mut ffi::PyUnicode_Type
            || class == &raw mut ffi::PyFloat_Type
            || class == &raw mut ffi::PyBool_Type
            || class == &raw mut ffi::PyBytes_Type
            || object == ffi::Py_None()
    }
}

/// Whether nothing that dies with the object runs Python: it is simple; a list or tuple of objects that are simple or
/// that others hold too; a slice of simple objects; the iterator of a list that lives on; a cell or a function that
/// lets go of nothing else.
///
/// # Safety
/// The object is alive, or being deallocated.
#[inline]
pub(super) unsafe fn dies_alone(object: *mut PyObject) -> bool {
    // SAFETY: the type is tested before the parts are looked at, which nobody changes meanwhile.
    unsafe { is_simple(object) || leaves_nobody(object) }
}

/// As [`dies_alone`], for an object that is not simple.
unsafe fn leaves_nobody(object: *mut PyObject) -> bool {
    let layout = running().layout;
    // SAFETY: the caller's contract.
    unsafe {
        let class = type_of(object);
        if class == &raw mut ffi::PyList_Type {
            leave_nobody(list_items(layout, object))
        } else if class == &raw mut ffi::PyTuple_Type {
            leave_nobody(tuple_items(layout, object))
        } else if class as usize == running().function_type {
            let fields = function::fields(layout, object);
            let parts = [fields.globals, fields.builtins, fields.code, fields.defaults, fields.kwdefaults];
            let live_on = |part: &*mut PyObject| part.is_null() || ffi::Py_REFCNT(*part) > 1;
            let said = function::descriptions(layout, object);
            let is_plain = said.iter().all(|&part| live_on(&part) || is_simple(part));
            parts.iter().all(live_on)
                && is_plain
                && function::is_bare(layout, object)
                && lets_go_of_cells(layout, fields.closure)
        } else if class == &raw mut ffi::PySuper_Type {
            let [after, of, class_of] = bound_super::parts(layout, object);
            let held = |part: *mut PyObject, count| part.is_null() || ffi::Py_REFCNT(part) > count;
            // Both classes may be one, but the object is none.
            of != class_of && held(of, 1) && held(after, 2) && held(class_of, 2)
        } else if class as usize == known().cell {
            leaves_content(layout, object)
        } else if class == &raw mut ffi::PySlice_Type {
            slice_parts(object).iter().all(|&part| is_simple(part))
        } else if class as usize == known().iterators[0] {
            let list: *mut PyObject = field(object, layout.container.list_iterator_list);
            list.is_null() || ffi::Py_REFCNT(list) > 1
        } else {
            false
        }
    }
}

/// Whether nothing dies with so many references to the items, one for each, but what is simple.
unsafe fn leave_nobody(items: &[*mut PyObject]) -> bool {
    // An item may stand there as often as there are items.
    // SAFETY: the caller's items are alive.
    items.iter().all(|&item| unsafe { is_simple(item) || ffi::Py_REFCNT(item) > items.len().cast_signed() })
}

/// Whether nothing dies with a cell but what is simple.
unsafe fn leaves_content(layout: &Layout, cell: *mut PyObject) -> bool {
    // SAFETY: the caller's cell is alive.
    unsafe {
        let content: *mut PyObject = field(cell, layout.container.cell);
        content.is_null() || is_simple(content) || ffi::Py_REFCNT(content) > 1
    }
}

/// Whether nothing dies with a function's closure, null for none, but what is simple. Several cells may have one content.
unsafe fn lets_go_of_cells(layout: &Layout, closure: *mut PyObject) -> bool {
    // SAFETY: a live function's closure is a tuple of cells.
    unsafe {
        if closure.is_null() || ffi::Py_REFCNT(closure) > 1 {
            return true;
        }
        let cells = tuple_items(layout, closure);
        let live_on = |&&cell: &&*mut PyObject| ffi::Py_REFCNT(cell) > cells.len().cast_signed();
        let dying: Vec<_> = cells.iter().filter(|cell| !live_on(cell)).collect();
        match *dying {
            [] => true,
            [&cell] => leaves_content(layout, cell),
            _ => false,
        }
    }
}

/// Whether the key is a slice by numbers.
///
/// # Safety
/// The object is alive.
pub(super) unsafe fn is_slice(key: *mut PyObject) -> bool {
    // SAFETY: the type is tested before the parts are read.
    unsafe {
        type_of(key) == &raw mut ffi::PySlice_Type
            && slice_parts(key).iter().all(|&part| part == ffi::Py_None() || is_int(part))
    }
}

/// Whether the object is a container whose size and iterator are had without Python.
///
/// # Safety
/// The object is alive.
#[inline]
pub(super) unsafe fn is_container(object: *mut PyObject) -> bool {
    // SAFETY: types are static.
    unsafe {
        let class = type_of(object);
        class == &raw mut ffi::PyList_Type
            || class == &raw mut ffi::PyDict_Type
            || class == &raw mut ffi::PyTuple_Type
            || class == &raw mut ffi::PyUnicode_Type
            || class == &raw mut ffi::PySet_Type
            || class == &raw mut ffi::PyRange_Type
            || class == &raw mut ffi::PyBytes_Type
            || known().deques.is_class(class)
    }
}

/// Whether the object is an iterator that gives its next item without Python.
///
/// # Safety
/// The object is alive.
#[inline]
pub(super) unsafe fn is_iterator(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    let class = unsafe { type_of(object) } as usize;
    known().iterators.contains(&class)
}

/// The address of the type of the iterators of lists.
#[must_use]
pub(super) fn list_iterator() -> u64 {
    known().iterators[0] as u64
}

/// Whether a dict has string keys alone, so that looking a string up compares nothing else.
///
/// # Safety
/// The dict is alive and exact.
#[inline]
pub(super) unsafe fn has_string_keys(dict: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe { container::has_string_keys(running().layout, dict) }
}

/// Whether a call of this callable, whose type is `class`, with these positional arguments runs no Python.
///
/// # Safety
/// All objects are alive.
pub(super) unsafe fn is_quiet_call(
    callable: *mut PyObject,
    class: *mut PyTypeObject,
    args: &[*mut PyObject],
) -> bool {
    let known = known();
    // SAFETY: the caller's contract; the type of an argument is tested before it is read.
    unsafe {
        if class as usize == known.method_descriptor {
            if let [object, rest @ ..] = args
                && known.deques.is_class(type_of(*object))
            {
                return known.deques.is_quiet(callable as usize, *object, rest);
            }
            return known.methods.is_quiet(callable as usize, args);
        }
        let callable = callable as usize;
        match *args {
            [one] if callable == known.len => is_container(one),
            [one] if known.numbers.contains(&callable) => is_simple(one),
            [one, wanted] if callable == known.isinstance => {
                type_of(wanted) as usize == running().class_type
                    && ffi::PyType_IsSubtype(type_of(one), wanted.cast()) != 0
            }
            [class, one] if callable == (&raw mut ffi::PySuper_Type) as usize => {
                field::<u64, _>(type_of(class), running().layout.attribute.flags)
                    & ffi::Py_TPFLAGS_TYPE_SUBCLASS
                    != 0
                    && ffi::PyType_IsSubtype(type_of(one), class.cast()) != 0
            }
            [_, _, ..] if known.compares.contains(&callable) => args.iter().all(|&arg| is_number(arg)),
            _ => false,
        }
    }
}

/// Whether the object is an exact int or float.
unsafe fn is_number(object: *mut PyObject) -> bool {
    // SAFETY: the caller passes a live object.
    unsafe { is_int(object) || is_float(object) }
}

/// Whether the callable, whose type is `class`, is a method of a builtin class that is called with an object of exactly
/// that class, so that what its descriptor tests holds.
///
/// # Safety
/// All objects are alive.
#[inline]
pub(super) unsafe fn is_own_method(
    callable: *mut PyObject,
    class: *mut PyTypeObject,
    args: &[*mut PyObject],
) -> bool {
    // SAFETY: a descriptor has the class that it is of behind its header.
    unsafe {
        class as usize == known().method_descriptor
            && args.first().is_some_and(|&object| method::class_of(callable) == type_of(object))
    }
}

/// Whether the operator on these objects, of one class, is a compiled method of it.
///
/// # Safety
/// Both objects are alive, the thread is attached.
pub(super) unsafe fn is_compiled_operator(operator: Binary, a: *mut PyObject, b: *mut PyObject) -> bool {
    let place = match operator {
        Binary::Add => 0,
        Binary::Sub => 1,
        Binary::Mul => 2,
        Binary::TrueDiv => 3,
        _ => return false,
    };
    // SAFETY: the caller's contract; what the class has under a name is borrowed and looked at at once.
    unsafe {
        let class = type_of(a);
        if class != type_of(b) || is_simple(a) {
            return false;
        }
        let method = (running().symbols.type_lookup)(class, known().operators[place] as *mut PyObject);
        !method.is_null() && calls::entry_of(method).is_some_and(|entry| calls::is_compiled(entry))
    }
}

/// Whether the callable is a class whose instances are made without Python, but for a compiled `__init__`.
///
/// # Safety
/// The object is alive, and `class` is its type.
pub(super) unsafe fn makes_instance(object: *mut PyObject, class: *mut PyTypeObject) -> bool {
    let running = running();
    if class as usize != running.class_type {
        return false;
    }
    let known = known();
    // SAFETY: an object of exactly this type is a class.
    unsafe {
        let made = object.cast::<PyTypeObject>();
        let slots = &running.layout.attribute;
        if field::<usize, _>(made, slots.new) != known.object_new
            || field::<usize, _>(made, slots.init) != known.init_slot
        {
            return false;
        }
        let init = (running.symbols.type_lookup)(made, known.init_name as *mut PyObject);
        !init.is_null() && calls::entry_of(init).is_some_and(|entry| calls::is_compiled(entry))
    }
}
