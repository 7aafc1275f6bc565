//! Proves at import that the running interpreter is one we know, laid out as [`Layout`] says.
//!
//! Each probe makes objects, asks CPython's own functions about them and compares with what stands at
//! the offsets. Nothing is written before what stands there has been found plausible.

use std::ffi::c_long;

use pyo3::PyResult;
use pyo3::Python;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::types::PyDict;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyWeakrefReference;

use super::bound_super;
use super::container;
use super::frame;
use super::function;
use super::layout::Immortality;
use super::layout::Layout;
use super::method;
use super::object;
use super::object::field;
use super::opcode::Opcodes;
use super::symbols;
use super::symbols::Symbols;

mod threads;

/// A function with something in every field.
const PROBE: &std::ffi::CStr = c"
def make(cell):
    def probe(a, b=1, *, c=2):
        return cell
    return probe
probe = make(0)
call = lambda function: function()
";

/// How many variables `probe` has, that of its closure included.
const PROBE_VARIABLES: i32 = 4;

/// Compares one struct with the running interpreter's.
type Probe = fn(Python<'_>, &Layout) -> PyResult<bool>;

/// Refuses interpreters whose structs differ from those of a plain release build.
///
/// # Errors
/// Says what kind of build this is.
pub fn build(py: Python<'_>) -> Result<(), String> {
    if cfg!(not(all(target_pointer_width = "64", target_endian = "little"))) {
        return Err("only 64-bit little-endian machines are known".to_owned());
    }
    let refused = |py: Python<'_>| -> PyResult<Option<&'static str>> {
        let sys = py.import("sys")?;
        let name: String = sys.getattr("implementation")?.getattr("name")?.extract()?;
        let version: String = sys.getattr("version")?.extract()?;
        let flags: String = match sys.getattr("abiflags") {
            Ok(flags) => flags.extract()?,
            Err(_) => String::new(),
        };
        Ok(if name != "cpython" {
            Some("this is not CPython")
        } else if sys.hasattr("gettotalrefcount")? || flags.contains('d') {
            Some("this is a debug build of CPython")
        } else if version.contains("free-threading") || flags.contains('t') {
            Some("this is a free-threaded build of CPython")
        } else {
            None
        })
    };
    match refused(py) {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => Err(reason.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Refuses sub-interpreters: caches and constants belong to one interpreter.
///
/// # Errors
/// When the current interpreter is not the main one.
pub fn main_interpreter() -> Result<(), String> {
    // SAFETY: the caller is attached to an interpreter.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if id == 0 { Ok(()) } else { Err("this is a sub-interpreter".to_owned()) }
}

/// Compares the layout with the running interpreter; the vectorcall function of plain functions and the
/// addresses of their type and of that of methods.
///
/// # Errors
/// Names the first struct that is not as told.
pub fn layout(
    py: Python<'_>,
    layout: &'static Layout,
    symbols: &Symbols,
) -> Result<(ffi::vectorcallfunc, usize, usize), String> {
    let probes: [(&str, Probe); 13] = [
        ("object", object_header),
        ("int", ints),
        ("float", floats),
        ("tuple", tuples),
        ("str", strings),
        ("dict", dict_version),
        ("containers", container::is_as_told),
        ("types", container::types_are_as_told),
        ("methods", |py, _| method::is_as_told(py)),
        ("super", bound_super::is_as_told),
        ("range iterator", range_iterators),
        ("thread state", threads::thread_state),
        ("eval breaker", threads::breaker),
    ];
    let told = |name: &str, result: PyResult<bool>| match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("the layout of this interpreter's {name} is not as expected")),
        Err(error) => Err(format!("while probing the layout of {name}: {error}")),
    };
    for (name, probe) in probes {
        told(name, probe(py, layout))?;
    }
    let space = PyDict::new(py);
    told("function", py.run(PROBE, Some(&space), None).map(|()| true))?;
    let probe = space.get_item("probe").ok().flatten().ok_or("the probe defines a function")?;
    told("bytecode", Ok(is_bytecode_as_told(layout)))?;
    told("recursion counter", threads::recursion(py, layout, &space))?;
    told("function", functions(layout, &probe))?;
    told("frame", frames(py, layout, symbols, &probe))?;
    told("running frame", frame::is_as_told(layout, &space))?;
    let plain = vectorcall(layout, symbols, &probe)
        .ok_or("functions of this interpreter have no known vectorcall")?;
    let method = told_method(py, layout, &probe)
        .ok_or("the layout of this interpreter's methods is not as expected")?;
    Ok((plain, probe.get_type_ptr() as usize, method))
}

/// The magic number of compiled files moves with every change of the bytecode.
fn is_bytecode_as_told(layout: &Layout) -> bool {
    // SAFETY: the thread is attached.
    let magic = unsafe { ffi::PyImport_GetMagicNumber() };
    magic & 0xffff == c_long::from(Opcodes::of(layout).magic)
}

fn object_header(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let list = PyList::empty(py);
    let none = py.None();
    // SAFETY: both objects are alive, and the header of every object is larger than the offsets.
    unsafe {
        let count = |object: *mut ffi::PyObject| field::<i64, _>(object, layout.refcount);
        let before = (count(list.as_ptr()), count(none.as_ptr()));
        ffi::Py_IncRef(list.as_ptr());
        ffi::Py_IncRef(none.as_ptr());
        let after = (count(list.as_ptr()), count(none.as_ptr()));
        ffi::Py_DecRef(list.as_ptr());
        ffi::Py_DecRef(none.as_ptr());
        let immortal = match layout.immortality {
            Immortality::None => after.1 == before.1 + 1,
            Immortality::NegativeLowHalf => after.1 == before.1 && before.1 & (1 << 31) != 0 && before.0 > 0,
        };
        let kind: *mut ffi::PyTypeObject = field(list.as_ptr(), layout.ob_type);
        let named = kind == &raw mut ffi::PyList_Type && object::type_name(layout, list.as_ptr()) == "list";
        Ok(after.0 == before.0 + 1 && immortal && named)
    }
}

fn ints(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let edges = [0, 1, 1 << 29, (1 << 30) - 1, 1 << 30, (1 << 60) - 1, 1 << 60, i64::MAX];
    let fit = edges.iter().flat_map(|&edge| [edge, -edge, !edge]).all(|value| {
        // SAFETY: an exact int, alive.
        let found = unsafe { object::int_value(layout, PyInt::new(py, value).as_ptr()) };
        found == Some(value)
    });
    let wide = [i128::from(i64::MAX) + 1, i128::from(i64::MIN) - 1, 1 << 64, -(1 << 64), 1 << 100];
    let misfit = wide.iter().all(|&value| {
        // SAFETY: an exact int, alive.
        let found = unsafe { object::int_value(layout, PyInt::new(py, value).as_ptr()) };
        found.is_none()
    });
    let small = layout.small_ints;
    // SAFETY: the thread is attached; all these ints are kept.
    let kept = unsafe {
        let first = object::small_int(small.first) as i64;
        (0..small.count)
            .all(|number| object::small_int(small.first + number) as i64 == first + number * small.stride)
    };
    Ok(fit && misfit && kept)
}

fn floats(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    Ok([0.0, -0.0, 1.5, -2.5e300, f64::INFINITY].iter().all(|&value: &f64| {
        // SAFETY: an exact float, alive.
        let found = unsafe { object::float_value(layout, PyFloat::new(py, value).as_ptr()) };
        found.to_bits() == value.to_bits()
    }))
}

fn strings(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let places = layout.string;
    let is_as_told = |text: &str| {
        let object = PyString::new(py, text);
        // SAFETY: a live str; only characters of an ASCII one are read, as many as there are.
        unsafe {
            let length: usize = field(object.as_ptr(), places.length);
            let state: u32 = field(object.as_ptr(), places.state);
            let is_ascii = i64::from(state) & places.state_mask == places.ascii;
            let first = object.as_ptr().cast::<u8>().offset(places.ascii_items as isize);
            length == text.chars().count()
                && is_ascii == text.is_ascii()
                && (!is_ascii || std::slice::from_raw_parts(first, length) == text.as_bytes())
        }
    };
    Ok(["", "a", "some text", "\u{e9}t\u{e9}", "\u{20ac}", "\u{1f600}"].into_iter().all(is_as_told))
}

fn tuples(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let items: Vec<Bound<'_, PyAny>> = (0..3).map(|_| PyList::empty(py).into_any()).collect();
    for count in [0, 1, 3] {
        let tuple = PyTuple::new(py, &items[..count])?;
        // SAFETY: the size is compared before any item is read; the tuple is alive.
        let same = unsafe {
            field::<usize, _>(tuple.as_ptr(), layout.tuple_size) == count
                && object::tuple_items(layout, tuple.as_ptr())
                    .iter()
                    .zip(&items)
                    .all(|(&found, item)| found == item.as_ptr())
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn range_iterators(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let range = py.eval(c"range", None, None)?;
    for (start, stop, step) in [(3, 100, 7), (50, -50, -3)] {
        let iterator = range.call1((start, stop, step))?.try_iter()?;
        let count = range.call1((start, stop, step))?.len()?;
        for given in 0..3 {
            let next = i64::try_from(given).expect("a small number") * step + start;
            // SAFETY: the fields lie within every range iterator, which is one of small numbers.
            let found = unsafe { object::range_iter(layout, iterator.as_ptr()) };
            if found != [next, (count - given).cast_signed() as i64, step] {
                return Ok(false);
            }
            iterator.clone().next().transpose()?;
        }
    }
    Ok(true)
}

fn dict_version(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let Some(offset) = layout.dict_version else { return Ok(true) };
    let dict = PyDict::new(py);
    let mut seen = Vec::new();
    for value in 0..4 {
        dict.set_item("key", value)?;
        // SAFETY: the offset lies within every dict.
        seen.push(unsafe { field::<u64, _>(dict.as_ptr(), offset) });
        dict.get_item("key")?;
        // SAFETY: as before.
        seen.push(unsafe { field::<u64, _>(dict.as_ptr(), offset) });
    }
    let moves = seen.chunks(2).zip(seen.chunks(2).skip(1)).all(|(before, after)| before[1] < after[0]);
    Ok(moves && seen.chunks(2).all(|pair| pair[0] == pair[1]))
}

fn functions(layout: &Layout, probe: &Bound<'_, PyAny>) -> PyResult<bool> {
    // SAFETY: the probe is a Python function, and the offsets lie within it.
    let fields = unsafe { function::fields(layout, probe.as_ptr()) };
    let named = [
        ("__code__", fields.code),
        ("__globals__", fields.globals),
        ("__builtins__", fields.builtins),
        ("__defaults__", fields.defaults),
        ("__kwdefaults__", fields.kwdefaults),
        ("__closure__", fields.closure),
    ];
    for (name, found) in named {
        if probe.getattr(name)?.as_ptr() != found {
            return Ok(false);
        }
    }
    let places = &layout.function;
    for (name, offset) in [("__dict__", places.dict), ("__annotations__", places.annotations)] {
        let found = probe.getattr(name)?;
        // SAFETY: the offset lies within every function.
        if unsafe { field::<*mut ffi::PyObject, _>(probe.as_ptr(), offset) } != found.as_ptr() {
            return Ok(false);
        }
    }
    if let Some(offset) = places.type_params {
        let wanted = PyTuple::new(probe.py(), ["T"])?;
        let empty = probe.getattr("__type_params__")?;
        probe.setattr("__type_params__", &wanted)?;
        // SAFETY: as before.
        let found: *mut ffi::PyObject = unsafe { field(probe.as_ptr(), offset) };
        probe.setattr("__type_params__", empty)?;
        if found != wanted.as_ptr() {
            return Ok(false);
        }
    }
    let names = ["__name__", "__qualname__", "__doc__", "__module__"];
    // SAFETY: as before.
    let found = unsafe { function::descriptions(layout, probe.as_ptr()) };
    for (name, found) in names.into_iter().zip(found) {
        let wanted = probe.getattr(name)?;
        if wanted.as_ptr() != found && !(wanted.is_none() && found.is_null()) {
            return Ok(false);
        }
    }
    let weak = PyWeakrefReference::new(probe)?;
    // SAFETY: as before.
    if unsafe { field::<*mut ffi::PyObject, _>(probe.as_ptr(), places.weak_references) } != weak.as_ptr() {
        return Ok(false);
    }
    let code = probe.getattr("__code__")?;
    let numbers = [
        ("co_flags", layout.code.flags),
        ("co_argcount", layout.code.positional),
        ("co_kwonlyargcount", layout.code.keyword_only),
    ];
    for (name, offset) in numbers {
        // SAFETY: the offset lies within every code object.
        if code.getattr(name)?.extract::<u32>()? != unsafe { field::<u32, _>(code.as_ptr(), offset) } {
            return Ok(false);
        }
    }
    versions(layout, probe)
}

/// An assignment must be seen to end the version that a function has from its code.
fn versions(layout: &Layout, probe: &Bound<'_, PyAny>) -> PyResult<bool> {
    if layout.function.versions.is_none() {
        return Ok(true);
    }
    let defaults = probe.getattr("__defaults__")?;
    // SAFETY: the probe is a Python function, and the offsets lie within it and its code.
    let has_version = || unsafe { function::is_of_code(layout, probe.as_ptr()) };
    let before = has_version();
    probe.setattr("__defaults__", defaults)?;
    Ok(before && !has_version())
}

/// The type of methods, if the function stands where it is told.
fn told_method(py: Python<'_>, layout: &Layout, probe: &Bound<'_, PyAny>) -> Option<usize> {
    let method = probe.call_method1("__get__", (py.Ellipsis(),)).ok()?;
    // SAFETY: the offset lies within every method.
    let [function, object] = unsafe {
        [layout.method_function, layout.method_function + 8]
            .map(|place| field::<*mut ffi::PyObject, _>(method.as_ptr(), place))
    };
    let is_told = function == probe.as_ptr() && object == py.Ellipsis().as_ptr();
    is_told.then(|| method.get_type_ptr() as usize)
}

/// A frame of our own must show the instruction and the caller that we set.
fn frames(py: Python<'_>, layout: &Layout, symbols: &Symbols, probe: &Bound<'_, PyAny>) -> PyResult<bool> {
    let code = probe.getattr("__code__")?;
    let text = code.getattr("co_code")?.cast_into::<PyBytes>()?;
    let globals = probe.getattr("__globals__")?;
    let places = &layout.frame;
    // SAFETY: code and globals are what the function wants; pointers read from the frame are compared with
    // where they must point before anything is read or written through them.
    unsafe {
        let first = code.as_ptr().cast::<u8>().offset(places.first_instruction as isize);
        if std::slice::from_raw_parts(first, 2) != &text.as_bytes()[..2] {
            return Ok(false);
        }
        let state = ffi::PyThreadState_Get();
        let frame = (symbols.frame_new)(state, code.as_ptr(), globals.as_ptr(), std::ptr::null_mut());
        let frame = Bound::from_owned_ptr_or_err(py, frame.cast())?;
        let inner: *mut u8 = field(frame.as_ptr(), places.frame);
        if inner != frame.as_ptr().cast::<u8>().wrapping_offset(places.own as isize)
            || !field::<*mut u8, _>(frame.as_ptr(), places.back).is_null()
        {
            return Ok(false);
        }
        let pointers = [
            (places.code, code.as_ptr()),
            (places.globals, globals.as_ptr()),
            (places.object, std::ptr::null_mut()),
            (places.previous, std::ptr::null_mut()),
            (places.builtins, probe.getattr("__builtins__")?.as_ptr()),
        ];
        if pointers.iter().any(|&(place, wanted)| field::<*mut ffi::PyObject, _>(inner, place) != wanted)
            || field::<u8, _>(inner, places.owner) != super::linked::OWNED_BY_OBJECT
            || field::<i32, _>(inner, places.stack_top) != PROBE_VARIABLES
        {
            return Ok(false);
        }
        let current: *mut u8 = field(inner, places.instruction);
        let until_current = (current as usize).wrapping_sub(first as usize - 2);
        if until_current > text.as_bytes().len() {
            return Ok(false);
        }
        object::set_field(inner, places.instruction, first.offset(2));
        let back = ffi::PyThreadState_GetFrame(state).cast::<ffi::PyObject>();
        object::set_field(frame.as_ptr(), places.back, back);
        if !back.is_null() {
            let running: *mut u8 = field(back, places.frame);
            if field::<*mut ffi::PyObject, _>(running, places.object) != back {
                return Ok(false);
            }
        }
        let shown = frame.getattr("f_back")?;
        let same = if back.is_null() { shown.is_none() } else { shown.as_ptr() == back };
        Ok(same && frame.getattr("f_lasti")?.extract::<i64>()? == 2)
    }
}

unsafe extern "C" fn never(
    _: *mut ffi::PyObject,
    _: *const *mut ffi::PyObject,
    _: usize,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    std::ptr::null_mut()
}

/// The field must hold the function's vectorcall: what was set there, or the exported function.
fn vectorcall(layout: &Layout, symbols: &Symbols, probe: &Bound<'_, PyAny>) -> Option<ffi::vectorcallfunc> {
    // SAFETY: the probe is a Python function that nobody calls; its vectorcall is put back.
    unsafe {
        let plain = function::vectorcall(layout, probe.as_ptr())?;
        let is_right = match &symbols.watchers {
            Some(watchers) => {
                (watchers.set_vectorcall)(probe.as_ptr(), never);
                let set = function::vectorcall(layout, probe.as_ptr());
                (watchers.set_vectorcall)(probe.as_ptr(), plain);
                set.is_some_and(|set| set as usize == never as *const () as usize)
            }
            None => symbols::address(layout, c"_PyFunction_Vectorcall")
                .is_ok_and(|address| address as usize == plain as usize),
        };
        is_right.then_some(plain)
    }
}
