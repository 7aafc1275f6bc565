//! From a description of an annotation (`castiron._forms`) to a check.

use std::sync::Arc;
use std::sync::OnceLock;

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyComplex;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyFloat;
use pyo3::types::PyInt;
use pyo3::types::PyList;
use pyo3::types::PyString;
use pyo3::types::PyStringMethods;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::arity::Arity;
use super::class::ClassRef;
use super::pending::Pending;
use super::plan::Check;
use super::plan::Literal;
use super::plan::Recursive;
use super::quick::Quick;

/// The check of a description.
pub(super) fn check(described: &Bound<'_, PyTuple>) -> PyResult<Check> {
    Compiler { aliases: Vec::new() }.check(described)
}

/// One compilation: the aliases that it is inside of, by the address of their cell.
struct Compiler {
    aliases: Vec<(usize, Arc<OnceLock<Check>>)>,
}

impl Compiler {
    fn check(&mut self, described: &Bound<'_, PyTuple>) -> PyResult<Check> {
        let kind = described.get_item(0)?.cast_into::<PyString>()?;
        Ok(match kind.to_cow()?.as_ref() {
            "any" => Check::Anything,
            "never" => Check::Nothing,
            "int" => Check::StrictInt,
            "float" => Check::Float,
            "complex" => Check::Complex,
            "self" => Check::Itself,
            "class" => instance(described)?,
            "protocol" => Check::Settled(
                Box::new(Check::Foreign(described.clone().unbind())),
                Arc::default(),
                described.clone().unbind(),
            ),
            "callable" => {
                let (count, more) = (described.get_item(1)?.extract()?, described.get_item(2)?.extract()?);
                Check::Callable(Arity { count, more }, Arc::default(), described.clone().unbind())
            }
            "union" => Check::Union(self.parts(&described.get_item(1)?)?),
            "tuple" => Check::Tuple(self.parts(&described.get_item(1)?)?),
            "items" => {
                let (whole, item) = (self.part(described, 1)?, self.part(described, 2)?);
                let quick = Quick::of(&item, described.py());
                Check::Items(Box::new(whole), Box::new((item, quick)))
            }
            "entries" => {
                let (whole, key, value) =
                    (self.part(described, 1)?, self.part(described, 2)?, self.part(described, 3)?);
                let quick = (Quick::of(&key, described.py()), Quick::of(&value, described.py()));
                Check::Entries(Box::new(whole), Box::new((key, quick.0)), Box::new((value, quick.1)))
            }
            "literal" => Check::Literal(literals(&described.get_item(1)?)?),
            "type" => match classes(described)? {
                Some(classes) => Check::Class(classes),
                None => Check::Foreign(described.clone().unbind()),
            },
            "constrained" => {
                Check::Constrained(described.get_item(1)?.extract()?, self.parts(&described.get_item(2)?)?)
            }
            "alias" => self.alias(described)?,
            "pending" => Check::Pending(Pending::new(described.get_item(1)?.unbind())),
            "whole" => self.part(described, 1)?,
            _ => Check::Foreign(described.clone().unbind()),
        })
    }

    fn part(&mut self, described: &Bound<'_, PyTuple>, index: usize) -> PyResult<Check> {
        self.check(described.get_item(index)?.cast::<PyTuple>()?)
    }

    fn parts(&mut self, described: &Bound<'_, PyAny>) -> PyResult<Box<[Check]>> {
        described.cast::<PyTuple>()?.iter().map(|part| self.check(part.cast::<PyTuple>()?)).collect()
    }

    fn alias(&mut self, described: &Bound<'_, PyTuple>) -> PyResult<Check> {
        let cell = described.get_item(2)?.cast_into::<PyList>()?;
        let address = cell.as_ptr() as usize;
        if let Some((_, body)) = self.aliases.iter().find(|(other, _)| *other == address) {
            return Ok(Check::Recursive(Recursive::Inner(Arc::downgrade(body))));
        }
        let body = Arc::new(OnceLock::new());
        self.aliases.push((address, Arc::clone(&body)));
        let check = self.check(cell.get_item(0)?.cast::<PyTuple>()?)?;
        self.aliases.pop();
        // Nobody else has filled it: the cell is new.
        body.get_or_init(|| check);
        Ok(Check::Recursive(Recursive::Outer(body)))
    }
}

/// An instance of a class; abstract classes are slow to ask, and stand by what they once accepted.
fn instance(described: &Bound<'_, PyTuple>) -> PyResult<Check> {
    let reference = ClassRef::new(&described.get_item(1)?)?;
    let py = described.py();
    let is_abstract = match reference.get(py) {
        Some(class) if !reference.is_static() => {
            let kind = class.get_type();
            kind.name()? == "ABCMeta" && kind.module()? == "abc"
        }
        _ => false,
    };
    let check = Check::Instance(reference);
    Ok(if is_abstract {
        Check::Settled(Box::new(check), Arc::default(), described.clone().unbind())
    } else {
        check
    })
}

fn literals(values: &Bound<'_, PyAny>) -> PyResult<Box<[Literal]>> {
    let py = values.py();
    let literal = |value: Bound<'_, PyAny>| {
        if value.get_type().name()? != "Member" {
            return Ok(Literal::Value(value.unbind()));
        }
        let member = value.call_method0(intern!(py, "get"))?;
        let class = ClassRef::new(&value.getattr(intern!(py, "kind"))?)?;
        Ok(Literal::Member(class, member.as_ptr() as usize))
    };
    values.cast::<PyTuple>()?.iter().map(literal).collect()
}

/// The classes that the argument of `type[...]` stands for; none when only that it is a class can be checked,
/// `None` when it stands for something else.
fn classes(described: &Bound<'_, PyTuple>) -> PyResult<Option<Box<[ClassRef]>>> {
    let inner = described.get_item(1)?.cast_into::<PyTuple>()?;
    if inner.get_item(0)?.cast::<PyString>()? == "any" {
        return Ok(Some(Box::new([])));
    }
    let mut classes = Vec::new();
    Ok(collect_classes(&inner, &mut classes)?.then(|| classes.into_boxed_slice()))
}

fn collect_classes(described: &Bound<'_, PyTuple>, classes: &mut Vec<ClassRef>) -> PyResult<bool> {
    let py = described.py();
    match described.get_item(0)?.cast::<PyString>()?.to_cow()?.as_ref() {
        "class" => classes.push(ClassRef::new(&described.get_item(1)?)?),
        "int" => classes.push(static_class::<PyInt>(py)?),
        "float" => classes.extend([static_class::<PyFloat>(py)?, static_class::<PyInt>(py)?]),
        "complex" => classes.extend([
            static_class::<PyComplex>(py)?,
            static_class::<PyFloat>(py)?,
            static_class::<PyInt>(py)?,
        ]),
        "union" => {
            for member in described.get_item(1)?.cast::<PyTuple>()?.iter() {
                if !collect_classes(member.cast::<PyTuple>()?, classes)? {
                    return Ok(false);
                }
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn static_class<T: pyo3::PyTypeInfo>(py: Python<'_>) -> PyResult<ClassRef> {
    ClassRef::new(py.get_type::<T>().as_any())
}

/// Whether two descriptions want the same for the same reasons, without asking foreign code. What is still
/// open equals only itself.
pub(super) fn same(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if a.get_type_ptr() != b.get_type_ptr() {
        return Ok(false);
    }
    if let (Ok(a), Ok(b)) = (a.cast::<PyTuple>(), b.cast::<PyTuple>()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b.iter()) {
            if !same(&a, &b)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // Weak references to one class are one object; cells and open names are equal only to themselves.
    let plain = a.is_instance_of::<PyString>()
        || a.is_instance_of::<PyInt>()
        || a.is_instance_of::<pyo3::types::PyBytes>()
        || a.is_instance_of::<pyo3::types::PyFrozenSet>()
        || a.get_type().name()? == "Member";
    if a.is_instance_of::<PyType>() || !plain { Ok(false) } else { a.eq(b) }
}

/// Adds what names that are not defined yet leave unchecked.
pub(super) fn open_gaps(
    described: &Bound<'_, PyAny>,
    seen: &mut Vec<usize>,
    gaps: &mut Vec<String>,
) -> PyResult<()> {
    let py = described.py();
    if described.is_instance_of::<PyTuple>() || described.is_instance_of::<PyList>() {
        let address = described.as_ptr() as usize;
        if seen.contains(&address) {
            return Ok(());
        }
        seen.push(address);
        for part in described.try_iter()? {
            open_gaps(&part?, seen, gaps)?;
        }
    } else if described.is_instance_of::<PyDict>() {
        for part in described.cast::<PyDict>()?.values() {
            open_gaps(&part, seen, gaps)?;
        }
    } else if described.get_type().name()? == "Pending" {
        let found = described.getattr(intern!(py, "found"))?;
        if found.is_none() {
            gaps.push(described.getattr(intern!(py, "reason"))?.extract()?);
        } else {
            gaps.extend(found.get_item(1)?.extract::<Vec<String>>()?);
            open_gaps(&found.get_item(0)?, seen, gaps)?;
        }
    }
    Ok(())
}
