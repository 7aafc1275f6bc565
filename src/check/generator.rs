//! What the annotation of a generator function says of its parts.
//!
//! `Generator[Y, S, R]`, `Iterator[Y]` and their asynchronous twins are said of the object that a call
//! makes at once; what can be checked are the values that it yields, is sent and returns.

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::hooks;

const CO_GENERATOR: usize = 0x20;
const CO_ASYNC_GENERATOR: usize = 0x200;

/// How deep aliases of the annotation may nest.
const MAX_DEPTH: usize = 40;

/// The annotations of a generator's parts; `None` says nothing.
#[derive(Default)]
struct Parts<'py> {
    /// What it yields.
    yields: Option<Bound<'py, PyAny>>,
    /// What it is sent.
    sends: Option<Bound<'py, PyAny>>,
    /// What it returns.
    result: Option<Bound<'py, PyAny>>,
}

/// What a call of the function makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// Its result, or a coroutine that returns it.
    Result,
    /// A generator.
    Generator,
    /// An asynchronous generator.
    AsyncGenerator,
}

impl Makes {
    /// As the flags of the code object say.
    pub(super) fn of_flags(flags: usize) -> Makes {
        if flags & CO_ASYNC_GENERATOR != 0 {
            Makes::AsyncGenerator
        } else if flags & CO_GENERATOR != 0 {
            Makes::Generator
        } else {
            Makes::Result
        }
    }
}

/// The annotations with those of a generator's parts in the place of its own.
pub(super) fn with_parts<'py>(
    annotations: &Bound<'py, PyDict>,
    makes: Makes,
) -> PyResult<Bound<'py, PyDict>> {
    let py = annotations.py();
    let Some(hint) = annotations.get_item(intern!(py, "return"))? else { return Ok(annotations.clone()) };
    if makes == Makes::Result {
        return Ok(annotations.clone());
    }
    let annotations = annotations.copy()?;
    annotations.del_item(intern!(py, "return"))?;
    let Some(parts) = parts(&hint, makes)? else {
        annotations.set_item(hooks::MADE, hint)?;
        return Ok(annotations);
    };
    for (name, part) in [(hooks::YIELDED, parts.yields), (hooks::SENT, parts.sends), ("return", parts.result)]
    {
        if let Some(part) = part {
            annotations.set_item(name, part)?;
        }
    }
    Ok(annotations)
}

/// The parts that the annotation names; `None` where it is no annotation of a generator.
fn parts<'py>(hint: &Bound<'py, PyAny>, makes: Makes) -> PyResult<Option<Parts<'py>>> {
    parts_within(hint, makes, 0)
}

fn parts_within<'py>(hint: &Bound<'py, PyAny>, makes: Makes, depth: usize) -> PyResult<Option<Parts<'py>>> {
    let py = hint.py();
    if depth == MAX_DEPTH {
        return Ok(None);
    }
    match hint.get_type().name()?.to_string().as_str() {
        "TypeAliasType" => match hint.getattr(intern!(py, "__value__")) {
            Ok(value) => return parts_within(&value, makes, depth + 1),
            Err(_) => return Ok(None),
        },
        "_AnnotatedAlias" => {
            return parts_within(&hint.getattr(intern!(py, "__origin__"))?, makes, depth + 1);
        }
        "UnionType" | "_UnionGenericAlias" => return member(hint, makes, depth),
        _ => {}
    }
    let origin = hint.getattr(intern!(py, "__origin__")).unwrap_or_else(|_| hint.clone());
    let Ok(class) = origin.cast::<PyType>() else { return Ok(None) };
    let Some(count) = count_of_parts(class, makes)? else { return Ok(None) };
    let args = match hint.getattr(intern!(py, "__args__")) {
        Ok(args) => args.cast_into::<PyTuple>()?,
        Err(_) => PyTuple::empty(py),
    };
    if args.is_empty() {
        return Ok(Some(Parts::default()));
    }
    // What is left out after the first is None (PEP 696).
    let part = |index: usize| {
        (index < count).then(|| args.get_item(index).unwrap_or_else(|_| py.None().into_bound(py)))
    };
    Ok(Some(Parts { yields: part(0), sends: part(1), result: part(2) }))
}

/// The parts of the one member of a union that is a generator's annotation.
fn member<'py>(hint: &Bound<'py, PyAny>, makes: Makes, depth: usize) -> PyResult<Option<Parts<'py>>> {
    let mut found = None;
    for arg in hint.getattr(intern!(hint.py(), "__args__"))?.cast::<PyTuple>()?.iter() {
        if let Some(parts) = parts_within(&arg, makes, depth + 1)? {
            if found.is_some() {
                return Ok(Some(Parts::default()));
            }
            found = Some(parts);
        }
    }
    Ok(found)
}

/// How many parts the arguments of the class name.
fn count_of_parts(class: &Bound<'_, PyType>, makes: Makes) -> PyResult<Option<usize>> {
    if class.module()? != "collections.abc" {
        return Ok(None);
    }
    let name = class.name()?.to_string();
    Ok(match (makes, name.as_str()) {
        (Makes::Generator, "Generator") => Some(3),
        (Makes::AsyncGenerator, "AsyncGenerator") => Some(2),
        (Makes::Generator, "Iterator" | "Iterable") => Some(1),
        (Makes::AsyncGenerator, "AsyncIterator" | "AsyncIterable") => Some(1),
        _ => None,
    })
}
