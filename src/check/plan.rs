//! The check of one annotation: what it accepts.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::Weak;

use pyo3::PyResult;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyBool;
use pyo3::types::PyByteArray;
use pyo3::types::PyBytes;
use pyo3::types::PyComplex;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PyNone;
use pyo3::types::PyString;
use pyo3::types::PyStringMethods;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::arity::Arity;
use super::call::Call;
use super::class::ClassRef;
use super::compile;
use super::hooks;
use super::pending::Pending;
use super::quick::More;
use super::quick::Quick;
use super::verdicts::Verdicts;
use super::walk;
use crate::types::Type;

/// What one annotation accepts.
pub enum Check {
    /// Any value.
    Anything,
    /// No value.
    Nothing,
    /// An instance.
    Instance(ClassRef),
    /// An `int` that is no `bool`.
    StrictInt,
    /// A `float`, or an `int`, which the type system takes for one.
    Float,
    /// A `complex`, or what [`Check::Float`] accepts.
    Complex,
    /// An instance of the class of the call's first argument.
    Itself,
    /// What one of them accepts.
    Union(Box<[Check]>),
    /// A tuple of these items.
    Tuple(Box<[Check]>),
    /// What the first accepts, with items that the second accepts where they can be seen.
    Items(Box<Check>, Box<(Check, Quick)>),
    /// What the first accepts, with keys and values that the others accept where they can be seen.
    Entries(Box<Check>, Box<(Check, Quick)>, Box<(Check, Quick)>),
    /// One of these values.
    Literal(Box<[Literal]>),
    /// A class, a subclass of one of these; of anything when there are none.
    Class(Box<[ClassRef]>),
    /// What one of the constraints accepts, the same at each use of the type variable of this number.
    Constrained(usize, Box<[Check]>),
    /// What the check accepts, with the classes that are known to pass it; the description says which do.
    Settled(Box<Check>, Arc<Verdicts>, Py<PyTuple>),
    /// What can be called with so many arguments; the description is for what is not seen at once.
    Callable(Arity, Arc<Verdicts>, Py<PyTuple>),
    /// What may contain itself.
    Recursive(Recursive),
    /// A name that was not found yet.
    Pending(Pending),
    /// A description that the Python side runs.
    Foreign(Py<PyTuple>),
}

/// A value that `Literal` names.
pub enum Literal {
    /// An equal value of the same class.
    Value(Py<PyAny>),
    /// The member at this address of an enumeration, which keeps it alive.
    Member(ClassRef, usize),
}

/// A use of an alias that contains itself.
pub enum Recursive {
    /// The outermost, which owns the body.
    Outer(Arc<OnceLock<Check>>),
    /// One within the body.
    Inner(Weak<OnceLock<Check>>),
}

impl Recursive {
    fn accepts<'py>(&self, value: &Bound<'py, PyAny>, call: &Call<'_, 'py>) -> PyResult<bool> {
        let body = match self {
            Recursive::Outer(body) => Arc::clone(body),
            Recursive::Inner(body) => body.upgrade().expect("whoever runs a part of the body holds it"),
        };
        let Some(check) = body.get() else { return Ok(true) };
        call.once(Arc::as_ptr(&body) as usize, value.as_ptr() as usize, || check.accepts(value, call))
    }
}

impl Check {
    /// Whether the value keeps the annotation.
    pub fn accepts<'py>(&self, value: &Bound<'py, PyAny>, call: &Call<'_, 'py>) -> PyResult<bool> {
        let py = value.py();
        match self {
            Check::Anything => Ok(true),
            Check::Nothing => Ok(false),
            Check::Instance(class) => class.accepts(value),
            Check::StrictInt => Ok(value.is_instance(&py.get_type::<PyInt>())?
                && !value.is_instance(&py.get_type::<PyBool>())?),
            Check::Float => accepts_real(value),
            Check::Complex => Ok(value.is_instance(&py.get_type::<PyComplex>())? || accepts_real(value)?),
            Check::Itself => call.self_class().map_or(Ok(true), |class| value.is_instance(&class)),
            Check::Union(members) => accepts_member(members, value, call),
            Check::Tuple(items) => call.nested(|| accepts_items(items, value, call)),
            Check::Items(whole, item) => {
                Ok(whole.accepts(value, call)? && call.nested(|| walk::items(value, item, call))?)
            }
            Check::Entries(whole, key, item) => {
                Ok(whole.accepts(value, call)? && call.nested(|| walk::entries(value, key, item, call))?)
            }
            Check::Literal(values) => any(values, |literal| literal.is(value)),
            Check::Class(classes) => accepts_class(classes, value),
            Check::Constrained(variable, choices) => accepts_choice(*variable, choices, value, call),
            Check::Settled(check, verdicts, described) => {
                accepts_settled(check, verdicts, described, value, call)
            }
            Check::Callable(arity, verdicts, described) => {
                accepts_callable(*arity, verdicts, described, value, call)
            }
            Check::Recursive(alias) => alias.accepts(value, call),
            Check::Pending(pending) => match pending.check(py, call)? {
                Some(check) => check.accepts(value, call),
                None => Ok(true),
            },
            Check::Foreign(described) => hooks::accepts(described.bind(py), value, call),
        }
    }

    /// Whether the value passes now and for ever, found out without running foreign code.
    #[must_use]
    pub fn certain(&self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Check::Anything => true,
            Check::Instance(class) => class.is_static() && class.is_class_of(value),
            Check::StrictInt => value.is_exact_instance_of::<PyInt>(),
            Check::Float => value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>(),
            Check::Union(members) => members.iter().any(|member| member.certain(value)),
            _ => false,
        }
    }

    /// Whether all instances of exactly this class pass for as long as the class stays as it is; found out without
    /// running foreign code.
    ///
    /// # Safety
    /// The class is live, and the thread is attached.
    #[must_use]
    pub unsafe fn is_settled_by(&self, py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
        // SAFETY: the caller's promise; builtin classes live for ever.
        let is = |base: *mut ffi::PyTypeObject| unsafe { ffi::PyType_IsSubtype(class, base) != 0 };
        // SAFETY: the caller's promise.
        let settles = |check: &Check| unsafe { check.is_settled_by(py, class) };
        match self {
            Check::Anything => true,
            // SAFETY: the caller's promise.
            Check::Instance(wanted) => unsafe { wanted.covers_instances(py, class) },
            Check::StrictInt => is(&raw mut ffi::PyLong_Type) && !is(&raw mut ffi::PyBool_Type),
            Check::Float => is(&raw mut ffi::PyFloat_Type) || is(&raw mut ffi::PyLong_Type),
            Check::Complex => is(&raw mut ffi::PyComplex_Type) || settles(&Check::Float),
            // A member that decides about type variables comes after the others.
            Check::Union(members) => members.iter().any(|member| !member.chooses() && settles(member)),
            // SAFETY: the caller's promise.
            Check::Settled(_, verdicts, _) => unsafe { verdicts.has(class) },
            Check::Pending(pending) => pending.found().is_some_and(settles),
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
            Check::Instance(class) if class.is_static() => {
                let known = [
                    (py.get_type::<PyInt>(), Type::Int),
                    (py.get_type::<PyFloat>(), Type::Float),
                    (py.get_type::<PyBool>(), Type::Bool),
                    (py.get_type::<PyNone>(), Type::None),
                    (py.get_type::<PyList>(), Type::List(Box::new(Type::Object))),
                    (py.get_type::<PyString>(), Type::Str),
                    (py.get_type::<PyBytes>(), Type::Bytes),
                    (py.get_type::<PyByteArray>(), Type::ByteArray),
                ];
                let found = known.into_iter().find(|(builtin, _)| builtin.as_type_ptr() == class.address());
                found.map_or(Type::Object, |(_, ty)| ty)
            }
            _ => Type::Object,
        }
    }

    /// The check that decides, where a name has been found or verdicts are remembered.
    #[must_use]
    pub(super) fn settled(&self) -> &Check {
        match self {
            Check::Pending(pending) => pending.found().map_or(self, Check::settled),
            Check::Settled(check, ..) => check.settled(),
            check => check,
        }
    }

    /// What makes values pass at once, most likely first.
    pub(super) fn collect(&self, found: &mut More, py: Python<'_>) {
        let types = &mut found.types;
        let int = py.get_type::<PyInt>().as_type_ptr();
        match self {
            Check::Instance(class) if class.is_static() => {
                types.push(class.address());
                if class.address() == int {
                    types.push(py.get_type::<PyBool>().as_type_ptr());
                }
            }
            Check::StrictInt => types.push(int),
            Check::Float => types.extend([py.get_type::<PyFloat>().as_type_ptr(), int]),
            Check::Complex => {
                types.push(py.get_type::<PyComplex>().as_type_ptr());
                Check::Float.collect(found, py);
            }
            Check::Union(members) => members.iter().for_each(|member| member.collect(found, py)),
            Check::Literal(values) => found.values.extend(values.iter().filter_map(Literal::address)),
            Check::Settled(_, verdicts, _) => found.verdicts.push(Arc::clone(verdicts)),
            Check::Tuple(items) => {
                found.tuples.push(items.iter().map(|item| Quick::of(item, py)).collect());
            }
            Check::Items(whole, item) => found.items.push((Quick::of(whole, py), Quick::of(&item.0, py))),
            Check::Entries(whole, key, item) => {
                found.entries.push((Quick::of(whole, py), Quick::of(&key.0, py), Quick::of(&item.0, py)));
            }
            Check::Callable(arity, verdicts, _) => {
                found.arities.push(*arity);
                found.verdicts.push(Arc::clone(verdicts));
            }
            _ => {}
        }
    }

    /// Looks names up that were not found yet, as the next check would; `function` is where they stand.
    pub fn look(&self, function: &Bound<'_, PyAny>) -> PyResult<()> {
        match self {
            Check::Pending(pending) => {
                pending.check(function.py(), &Call::of(Some(function), None)).map(|_| ())
            }
            Check::Union(members) => members.iter().try_for_each(|member| member.look(function)),
            Check::Settled(check, ..) => check.look(function),
            _ => Ok(()),
        }
    }

    /// The one heap class whose instances pass, and whether None does too; nothing else.
    #[must_use]
    pub fn instance<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, bool)> {
        match self {
            Check::Instance(class) if !class.is_static() => class.get(py).map(|class| (class, false)),
            Check::Union(members) => match &**members {
                [only] => only.instance(py),
                [one, none] | [none, one] if none.exact_type(py) == Type::None => {
                    one.instance(py).map(|(class, _)| (class, true))
                }
                _ => None,
            },
            Check::Pending(pending) => pending.found().and_then(|check| check.instance(py)),
            Check::Settled(check, ..) => check.instance(py),
            _ => None,
        }
    }

    /// The heap class whose exact instances pass, where there is one.
    #[must_use]
    pub fn exact_class(&self) -> Option<&ClassRef> {
        match self {
            Check::Instance(class) if !class.is_static() => Some(class),
            Check::Union(members) => members.iter().find_map(Check::exact_class),
            _ => None,
        }
    }

    /// Whether the verdict depends on the call: on its first argument, or on what other values decide.
    #[must_use]
    pub fn wants_call(&self) -> bool {
        match self {
            Check::Itself | Check::Constrained(..) => true,
            Check::Union(parts) | Check::Tuple(parts) => parts.iter().any(Check::wants_call),
            Check::Items(_, item) => item.0.wants_call(),
            Check::Entries(_, key, item) => key.0.wants_call() || item.0.wants_call(),
            Check::Recursive(Recursive::Outer(body)) => body.get().is_some_and(Check::wants_call),
            _ => false,
        }
    }

    /// Whether a name in it is not defined yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Check::Pending(_) | Check::Foreign(_) => true,
            Check::Union(parts) | Check::Tuple(parts) => parts.iter().any(Check::is_open),
            Check::Items(_, item) => item.0.is_open(),
            Check::Entries(_, key, item) => key.0.is_open() || item.0.is_open(),
            Check::Settled(check, ..) => check.is_open(),
            Check::Recursive(Recursive::Outer(body)) => body.get().is_some_and(Check::is_open),
            _ => false,
        }
    }

    /// Whether a use may decide what a type variable stands for.
    #[must_use]
    pub fn chooses(&self) -> bool {
        match self {
            Check::Constrained(..) => true,
            Check::Union(parts) | Check::Tuple(parts) => parts.iter().any(Check::chooses),
            Check::Items(_, item) => item.0.chooses(),
            Check::Entries(_, key, item) => key.0.chooses() || item.0.chooses(),
            _ => false,
        }
    }
}

impl Literal {
    /// The object that passes, where its address is its own: a member's class may die.
    fn address(&self) -> Option<usize> {
        match self {
            Literal::Value(value) => Some(value.as_ptr() as usize),
            Literal::Member(..) => None,
        }
    }

    /// Same class and equal; the same class makes `1` differ from `True` and asks no foreign `__eq__`.
    fn is(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self {
            Literal::Member(class, address) => {
                Ok(value.as_ptr() as usize == *address && class.get(value.py()).is_some())
            }
            Literal::Value(literal) => {
                let literal = literal.bind(value.py());
                if literal.is(value) {
                    return Ok(true);
                }
                if literal.get_type_ptr() != value.get_type_ptr() {
                    return Ok(false);
                }
                literal.eq(value)
            }
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

/// Members that decide about type variables come last: another one that fits decides nothing.
fn accepts_member<'py>(members: &[Check], value: &Bound<'py, PyAny>, call: &Call<'_, 'py>) -> PyResult<bool> {
    Ok(any(members, |member| Ok(!member.chooses() && member.accepts(value, call)?))?
        || any(members, |member| Ok(member.chooses() && member.accepts(value, call)?))?)
}

fn accepts_real(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = value.py();
    Ok(value.is_instance(&py.get_type::<PyFloat>())? || value.is_instance(&py.get_type::<PyInt>())?)
}

fn accepts_items<'py>(items: &[Check], value: &Bound<'py, PyAny>, call: &Call<'_, 'py>) -> PyResult<bool> {
    let Ok(tuple) = value.cast::<PyTuple>() else { return Ok(false) };
    if tuple.len() != items.len() {
        return Ok(false);
    }
    for (item, part) in items.iter().zip(tuple.iter()) {
        if !item.accepts(&part, call)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn accepts_class(classes: &[ClassRef], value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Some(class) = class_behind(value)? else { return Ok(false) };
    if classes.is_empty() {
        return Ok(true);
    }
    any(classes, |wanted| wanted.covers(&class))
}

/// The class that the value is, or is an alias of (`list[int]`).
fn class_behind<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyType>>> {
    if let Ok(class) = value.cast::<PyType>() {
        return Ok(Some(class.clone()));
    }
    let name = value.get_type().name()?;
    if !["GenericAlias", "_GenericAlias", "_SpecialGenericAlias"].contains(&name.to_cow()?.as_ref()) {
        return Ok(None);
    }
    Ok(value.getattr(intern!(value.py(), "__origin__"))?.cast_into::<PyType>().ok())
}

/// Keeps those constraints that fit this use too, unless none does.
fn accepts_choice<'py>(
    variable: usize,
    choices: &[Check],
    value: &Bound<'py, PyAny>,
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let possible = call.possible(variable);
    let mut fitting = 0;
    for (bit, choice) in choices.iter().enumerate().take(64) {
        if possible >> bit & 1 == 1 && choice.accepts(value, call)? {
            fitting |= 1 << bit;
        }
    }
    if fitting != 0 {
        call.choose(variable, fitting);
    }
    Ok(fitting != 0)
}

/// Runs the check, and remembers the value's class if that alone decided.
fn accepts_settled<'py>(
    check: &Check,
    verdicts: &Verdicts,
    described: &Py<PyTuple>,
    value: &Bound<'py, PyAny>,
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let class = value.get_type_ptr();
    // SAFETY: the value keeps its class alive.
    if unsafe { verdicts.has(class) } {
        return Ok(true);
    }
    let accepted = check.accepts(value, call)?;
    if accepted && hooks::settles(described.bind(value.py()), value)? {
        // SAFETY: as above.
        unsafe { verdicts.add(class) };
    }
    Ok(accepted)
}

fn accepts_callable<'py>(
    arity: Arity,
    verdicts: &Verdicts,
    described: &Py<PyTuple>,
    value: &Bound<'py, PyAny>,
    call: &Call<'_, 'py>,
) -> PyResult<bool> {
    let class = value.get_type_ptr();
    // SAFETY: the value is alive and keeps its class alive.
    if unsafe { arity.fits(value.as_ptr()) || verdicts.has(class) } {
        return Ok(true);
    }
    let described = described.bind(value.py());
    let accepted = hooks::accepts(described, value, call)?;
    if accepted && hooks::settles(described, value)? {
        // SAFETY: as above.
        unsafe { verdicts.add(class) };
    }
    Ok(accepted)
}

/// The check of one annotation with its description and what it leaves unchecked.
pub struct Plan {
    /// The check.
    pub check: Check,
    /// The description that the check was compiled from, for messages.
    pub described: Py<PyTuple>,
    /// What is not checked, and why, in words.
    gaps: Vec<String>,
}

impl Plan {
    /// Compiles a pair of a description and gaps.
    pub fn new(pair: &Bound<'_, PyAny>) -> PyResult<Plan> {
        let described = pair.get_item(0)?.cast_into::<PyTuple>()?;
        let check = compile::check(&described)?;
        Ok(Plan { check, described: described.unbind(), gaps: pair.get_item(1)?.extract()? })
    }

    /// What is not checked at present.
    pub fn open_gaps(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let mut gaps = self.gaps.clone();
        compile::open_gaps(self.described.bind(py), &mut Vec::new(), &mut gaps)?;
        Ok(gaps)
    }

    /// Whether the annotation of `*args` or `**kwargs` is said of the whole tuple or dict.
    pub fn is_of_whole(&self, py: Python<'_>) -> PyResult<bool> {
        self.described.bind(py).get_item(0)?.eq("whole")
    }

    /// Whether both check the same and say the same of what they refuse.
    pub fn same(&self, other: &Plan, py: Python<'_>) -> PyResult<bool> {
        compile::same(self.described.bind(py), other.described.bind(py))
    }
}
