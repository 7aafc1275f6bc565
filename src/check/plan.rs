//! The check plan of one annotation: what it accepts, and where a value that it refuses breaks it.

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyBool;
use pyo3::types::PyComplex;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyNone;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::class::ClassRef;
use super::hint;
use super::pending::Pending;
use super::render;
use super::walk;
use crate::types::Type;

/// How an annotation is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Look at every element of a container.
    pub deep: bool,
    /// No `bool` for an `int`, no `int` for a `float`, neither for a `complex`.
    pub strict: bool,
}

/// What one annotation accepts.
pub enum Check {
    /// Any value.
    Anything,
    /// No value.
    Nothing,
    /// An instance; the text is the annotation's when that says more than the class does (`list[int]`).
    Instance(ClassRef, Option<Box<str>>),
    /// An `int` that is no `bool`.
    StrictInt,
    /// A `float`, or an `int`, which the type system takes for one.
    Float,
    /// A `complex`, or what [`Check::Float`] accepts.
    Complex,
    /// What one of them accepts.
    Union(Vec<Check>),
    /// A tuple of these items.
    Tuple(Vec<Check>),
    /// What the first accepts, with items that the second accepts where they can be seen.
    Items(Box<Check>, Box<Check>),
    /// What the first accepts, with keys and values that the others accept where they can be seen.
    Entries(Box<Check>, Box<Check>, Box<Check>),
    /// A value equal to one of these and of the same class.
    Literal(Vec<Py<PyAny>>),
    /// A class, a subclass of one of these; of anything when there are none.
    Class(Vec<ClassRef>),
    /// Something that can be called; the text is the annotation's.
    Callable(Box<str>),
    /// A name that was not found yet.
    Pending(Pending),
}

/// A value, or a part of one, that breaks its annotation.
pub struct Violation<'py> {
    /// Where the part is within the value: `[0][1]`, empty for the value itself.
    pub path: String,
    /// What the annotation wants there.
    pub expected: String,
    /// The part.
    pub value: Bound<'py, PyAny>,
    /// What it is, where its class does not say it.
    pub found: Option<String>,
}

impl Check {
    /// Whether the value keeps the annotation. `function` is where names that are still open are looked up.
    pub fn accepts(&self, value: &Bound<'_, PyAny>, function: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        match self {
            Check::Anything => Ok(true),
            Check::Nothing => Ok(false),
            Check::Instance(class, _) => class.accepts(value),
            Check::StrictInt => {
                Ok(!value.is_instance_of::<PyBool>() && value.is_instance(&value.py().get_type::<PyInt>())?)
            }
            Check::Items(whole, item) => Ok(whole.accepts(value, function)?
                && walk::find_item(value, |part| Ok(!item.accepts(part, function)?))?.is_none()),
            Check::Entries(whole, key, item) => Ok(whole.accepts(value, function)?
                && walk::find_entry(value, |name, part| {
                    Ok(!key.accepts(name, function)? || !item.accepts(part, function)?)
                })?
                .is_none()),
            Check::Float => accepts_real(value),
            Check::Complex => {
                Ok(value.is_instance(&value.py().get_type::<PyComplex>())? || accepts_real(value)?)
            }
            Check::Union(members) => any(members, |member| member.accepts(value, function)),
            Check::Tuple(items) => accepts_items(items, value, function),
            Check::Literal(values) => any(values, |literal| is_literal(literal.bind(value.py()), value)),
            Check::Class(classes) => accepts_class(classes, value),
            // SAFETY: the value is alive.
            Check::Callable(_) => Ok(unsafe { ffi::PyCallable_Check(value.as_ptr()) } != 0),
            Check::Pending(pending) => match pending.check(value.py(), function)? {
                Some(check) => check.accepts(value, function),
                None => Ok(true),
            },
        }
    }

    /// Whether the value passes now and for ever, found out without running foreign code.
    #[must_use]
    pub fn certain(&self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Check::Anything => true,
            Check::Instance(class, _) => class.is_static() && class.is_class_of(value),
            Check::Float => value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>(),
            Check::Union(members) => members.iter().any(|member| member.certain(value)),
            _ => false,
        }
    }

    /// The one exact type that compiled code is specialised for; `Object` where there is none.
    #[must_use]
    pub fn exact_type(&self, py: Python<'_>) -> Type {
        match self {
            Check::Float => Type::Float,
            Check::StrictInt => Type::Int,
            Check::Tuple(items) => Type::Tuple(items.iter().map(|item| item.exact_type(py)).collect()),
            Check::Instance(class, _) if class.is_static() => {
                let known = [
                    (py.get_type::<PyInt>(), Type::Int),
                    (py.get_type::<PyFloat>(), Type::Float),
                    (py.get_type::<PyBool>(), Type::Bool),
                    (py.get_type::<PyNone>(), Type::None),
                ];
                let found = known.into_iter().find(|(builtin, _)| builtin.as_type_ptr() == class.address());
                found.map_or(Type::Object, |(_, ty)| ty)
            }
            _ => Type::Object,
        }
    }

    /// The static types whose exact instances pass, most likely first, into `types`.
    pub fn exact_types(&self, types: &mut Vec<*mut ffi::PyTypeObject>, py: Python<'_>) {
        match self {
            Check::Instance(class, _) if class.is_static() => {
                types.push(class.address());
                if class.address() == py.get_type::<PyInt>().as_type_ptr() {
                    types.push(py.get_type::<PyBool>().as_type_ptr());
                }
            }
            Check::StrictInt => types.push(py.get_type::<PyInt>().as_type_ptr()),
            Check::Float => {
                types.extend([py.get_type::<PyFloat>().as_type_ptr(), py.get_type::<PyInt>().as_type_ptr()])
            }
            Check::Complex => {
                types.push(py.get_type::<PyComplex>().as_type_ptr());
                Check::Float.exact_types(types, py);
            }
            Check::Union(members) => members.iter().for_each(|member| member.exact_types(types, py)),
            _ => {}
        }
    }

    /// The heap class whose exact instances pass, where there is one.
    #[must_use]
    pub fn exact_class(&self) -> Option<&ClassRef> {
        match self {
            Check::Instance(class, _) if !class.is_static() => Some(class),
            Check::Union(members) => members.iter().find_map(Check::exact_class),
            _ => None,
        }
    }

    /// The innermost part of a refused value that breaks the annotation.
    pub fn violation<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        function: Option<&Bound<'py, PyAny>>,
        path: String,
    ) -> PyResult<Violation<'py>> {
        match self {
            Check::Tuple(items) => {
                let Ok(tuple) = value.cast::<PyTuple>() else { return Ok(self.broken_by(value, path, None)) };
                if tuple.len() != items.len() {
                    let found = format!("tuple of length {}", tuple.len());
                    return Ok(self.broken_by(value, path, Some(found)));
                }
                for (position, (item, part)) in items.iter().zip(tuple.iter()).enumerate() {
                    if !item.accepts(&part, function)? {
                        return item.violation(&part, function, format!("{path}[{position}]"));
                    }
                }
                Ok(self.broken_by(value, path, None))
            }
            Check::Items(whole, item) if whole.accepts(value, function)? => {
                match walk::find_item(value, |part| Ok(!item.accepts(part, function)?))? {
                    Some((place, part)) => item.violation(&part, function, format!("{path}{place}")),
                    None => Ok(self.broken_by(value, path, None)),
                }
            }
            Check::Entries(whole, key, item) if whole.accepts(value, function)? => {
                let refused = |name: &Bound<'py, PyAny>, part: &Bound<'py, PyAny>| {
                    Ok(!key.accepts(name, function)? || !item.accepts(part, function)?)
                };
                match walk::find_entry(value, refused)? {
                    Some((name, _)) if !key.accepts(&name, function)? => {
                        key.violation(&name, function, format!("{path} key"))
                    }
                    Some((name, part)) => {
                        item.violation(&part, function, format!("{path}[{}]", name.repr()?))
                    }
                    None => Ok(self.broken_by(value, path, None)),
                }
            }
            Check::Pending(pending) => match pending.check(value.py(), function)? {
                Some(check) => check.violation(value, function, path),
                None => Ok(self.broken_by(value, path, None)),
            },
            Check::Class(_) if value.is_instance_of::<PyType>() => {
                let found = format!("type[{}]", value.cast::<PyType>()?.qualname()?);
                Ok(self.broken_by(value, path, Some(found)))
            }
            _ => Ok(self.broken_by(value, path, None)),
        }
    }

    fn broken_by<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        path: String,
        found: Option<String>,
    ) -> Violation<'py> {
        Violation { path, expected: render::check(self, value.py()), value: value.clone(), found }
    }

    fn open_gaps(&self, gaps: &mut Vec<String>) {
        match self {
            Check::Pending(pending) => gaps.extend(pending.gaps()),
            Check::Union(parts) | Check::Tuple(parts) => parts.iter().for_each(|part| part.open_gaps(gaps)),
            Check::Items(_, item) => item.open_gaps(gaps),
            Check::Entries(_, key, item) => [key, item].into_iter().for_each(|part| part.open_gaps(gaps)),
            _ => {}
        }
    }

    /// Whether both accept the same values for the same reasons. What is still open equals nothing.
    #[must_use]
    pub fn same(&self, other: &Check, py: Python<'_>) -> bool {
        match (self, other) {
            (Check::Anything, Check::Anything)
            | (Check::StrictInt, Check::StrictInt)
            | (Check::Nothing, Check::Nothing)
            | (Check::Float, Check::Float)
            | (Check::Complex, Check::Complex) => true,
            (Check::Instance(a, text), Check::Instance(b, other)) => text == other && a.same(b, py),
            (Check::Union(a), Check::Union(b)) | (Check::Tuple(a), Check::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b, py))
            }
            (Check::Literal(a), Check::Literal(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| is_literal(a.bind(py), b.bind(py)).unwrap_or(false))
            }
            (Check::Class(a), Check::Class(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b, py))
            }
            (Check::Items(a, b), Check::Items(c, d)) => a.same(c, py) && b.same(d, py),
            (Check::Entries(a, b, c), Check::Entries(d, e, f)) => {
                a.same(d, py) && b.same(e, py) && c.same(f, py)
            }
            (Check::Callable(a), Check::Callable(b)) => a == b,
            _ => false,
        }
    }
}

fn any<T>(items: &[T], mut test: impl FnMut(&T) -> PyResult<bool>) -> PyResult<bool> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn accepts_real(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = value.py();
    Ok(value.is_instance(&py.get_type::<PyFloat>())? || value.is_instance(&py.get_type::<PyInt>())?)
}

fn accepts_items(
    items: &[Check],
    value: &Bound<'_, PyAny>,
    function: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let Ok(tuple) = value.cast::<PyTuple>() else { return Ok(false) };
    if tuple.len() != items.len() {
        return Ok(false);
    }
    for (item, part) in items.iter().zip(tuple.iter()) {
        if !item.accepts(&part, function)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Same class and equal; the same class makes `1` differ from `True` and asks no foreign `__eq__`.
fn is_literal(literal: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if literal.is(value) {
        return Ok(true);
    }
    if literal.get_type_ptr() != value.get_type_ptr() {
        return Ok(false);
    }
    literal.eq(value)
}

fn accepts_class(classes: &[ClassRef], value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(class) = value.cast::<PyType>() else { return Ok(false) };
    if classes.is_empty() {
        return Ok(true);
    }
    any(classes, |wanted| wanted.covers(class))
}

/// The check of one annotation with what it leaves unchecked.
pub struct Plan {
    /// The check.
    pub check: Check,
    /// What is not checked, and why, in words.
    pub gaps: Vec<String>,
}

impl Plan {
    /// Compiles an annotation. Strings in it are evaluated where `function` was defined; without one they
    /// are gaps. Never fails because of the annotation: what is not understood is a gap.
    pub fn from_hint(
        hint: &Bound<'_, PyAny>,
        function: Option<&Bound<'_, PyAny>>,
        options: Options,
    ) -> PyResult<Plan> {
        let mut gaps = Vec::new();
        let check = hint::Compiler { function, gaps: &mut gaps, depth: 0, options }.check(hint)?;
        Ok(Plan { check, gaps })
    }

    /// Whether the value keeps the annotation.
    pub fn accepts(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.check.accepts(value, None)
    }

    /// What is not checked at present.
    #[must_use]
    pub fn open_gaps(&self) -> Vec<String> {
        let mut gaps = self.gaps.clone();
        self.check.open_gaps(&mut gaps);
        gaps
    }
}
