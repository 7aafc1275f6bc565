//! Annotations as text, for messages: as a person would write them, without module names.

use pyo3::PyResult;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyEllipsis;
use pyo3::types::PyList;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::class::ClassRef;
use super::plan::Check;

/// What the check wants.
pub(super) fn check(wanted: &Check, py: Python<'_>) -> String {
    match wanted {
        Check::Anything => "Any".to_owned(),
        Check::Nothing => "Never".to_owned(),
        Check::Instance(_, Some(text)) | Check::Callable(text) => text.to_string(),
        Check::Instance(class, None) => class_name(class).to_owned(),
        Check::StrictInt => "int".to_owned(),
        Check::Items(whole, _) | Check::Entries(whole, _, _) => check(whole, py),
        Check::Float => "float".to_owned(),
        Check::Complex => "complex".to_owned(),
        Check::Union(members) => joined(members, " | ", py),
        Check::Tuple(items) if items.is_empty() => "tuple[()]".to_owned(),
        Check::Tuple(items) => format!("tuple[{}]", joined(items, ", ", py)),
        Check::Literal(values) => {
            let texts: Vec<String> = values.iter().map(|value| literal(value.bind(py))).collect();
            format!("Literal[{}]", texts.join(", "))
        }
        Check::Class(classes) if classes.is_empty() => "type".to_owned(),
        Check::Class(classes) => {
            let names: Vec<&str> = classes.iter().map(class_name).collect();
            format!("type[{}]", names.join(" | "))
        }
        Check::Pending(pending) => pending.text().to_owned(),
    }
}

fn joined(checks: &[Check], separator: &str, py: Python<'_>) -> String {
    let texts: Vec<String> = checks.iter().map(|member| check(member, py)).collect();
    texts.join(separator)
}

fn class_name(class: &ClassRef) -> &str {
    match class.name() {
        "NoneType" if class.is_static() => "None",
        name => name,
    }
}

/// An enumeration's member by its name, anything else as `repr` has it.
fn literal(value: &Bound<'_, PyAny>) -> String {
    let py = value.py();
    let member = || -> PyResult<String> {
        let class = value.get_type().qualname()?;
        Ok(format!("{class}.{}", value.getattr(intern!(py, "_name_"))?.extract::<String>()?))
    };
    member().or_else(|_| value.repr().map(|text| text.to_string())).unwrap_or_else(|_| "...".to_owned())
}

/// An annotation that is not a plan yet.
pub(super) fn annotation(hint: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = hint.py();
    if hint.is_none() {
        return Ok("None".to_owned());
    }
    if let Ok(class) = hint.cast::<PyType>() {
        let name = class.qualname()?.to_string();
        return Ok(if name == "NoneType" { "None".to_owned() } else { name });
    }
    if hint.is_instance_of::<PyEllipsis>() {
        return Ok("...".to_owned());
    }
    if let Ok(text) = hint.cast::<PyString>() {
        return Ok(text.to_string());
    }
    if let Ok(list) = hint.cast::<PyList>() {
        return Ok(format!("[{}]", annotations(list.try_iter()?)?));
    }
    match hint.getattr(intern!(py, "__args__")) {
        Ok(args) if args.is_instance_of::<PyTuple>() => subscripted(hint, args.cast::<PyTuple>()?),
        _ => bare(hint),
    }
}

fn annotations<'py>(hints: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>) -> PyResult<String> {
    let texts: Vec<String> = hints.map(|hint| annotation(&hint?)).collect::<PyResult<_>>()?;
    Ok(texts.join(", "))
}

fn subscripted(hint: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<String> {
    let py = hint.py();
    let kind = hint.get_type().name()?.to_string();
    if kind.contains("Union") {
        let texts: Vec<String> = args.iter().map(|arg| annotation(&arg)).collect::<PyResult<_>>()?;
        return Ok(texts.join(" | "));
    }
    if kind.contains("Literal") {
        return bare(hint);
    }
    let origin = match hint.getattr(intern!(py, "__origin__")) {
        Ok(origin) => annotation(&origin)?,
        Err(_) => return bare(hint),
    };
    if kind.contains("Callable") && args.len() > 0 {
        let last = args.len() - 1;
        let result = annotation(&args.get_item(last)?)?;
        let parameters = annotations(args.iter().take(last).map(Ok))?;
        let open = last == 1 && args.get_item(0)?.is_instance_of::<PyEllipsis>();
        return Ok(if open {
            format!("{origin}[..., {result}]")
        } else {
            format!("{origin}[[{parameters}], {result}]")
        });
    }
    if args.is_empty() {
        return Ok(format!("{origin}[()]"));
    }
    Ok(format!("{origin}[{}]", annotations(args.iter().map(Ok))?))
}

/// `repr` without the module of typing's own forms.
fn bare(hint: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = hint.repr()?.to_string();
    let text = text.replace("typing_extensions.", "").replace("typing.", "");
    Ok(text.trim_start_matches(['~', '+', '-']).to_owned())
}
