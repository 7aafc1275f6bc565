//! `castiron.explain(f)`: whether a function is native, which bets its code stands on, and why not.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::check;
use crate::check::Enforcement;
use crate::driver::report;
use crate::runtime::cells;
use crate::runtime::install;
use crate::runtime::unit::LoadedUnit;

use super::entry;
use super::record;
use super::record::CODE_REPLACED;
use super::record::Record;
use super::record::State;
use super::unit::Loaded;

/// What `explain` found out.
#[pyclass(frozen, module = "castiron")]
pub(super) struct Explanation {
    /// Whether calls run machine code.
    #[pyo3(get)]
    native: bool,
    /// The function with the types that its annotations promise.
    #[pyo3(get)]
    signature: String,
    reasons: Vec<String>,
    bets: Vec<(String, bool)>,
    unchecked: Vec<String>,
}

#[pymethods]
impl Explanation {
    /// Why the function is bytecode; empty when it is native.
    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.reasons)
    }

    /// The global names that the code bets on.
    #[getter]
    fn bets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.bets.iter().map(|(path, _)| path))
    }

    /// What the enforced annotations leave unchecked.
    #[getter]
    fn unchecked<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.unchecked)
    }

    fn __repr__(&self) -> String {
        format!("<Explanation of {}: {}>", self.signature, self.verdict())
    }

    fn __str__(&self) -> String {
        let mut text = format!("{}: {}", self.signature, self.verdict());
        for reason in &self.reasons {
            text.push('\n');
            text.push_str(reason);
        }
        for gap in &self.unchecked {
            text.push('\n');
            text.push_str(gap);
        }
        for (path, holds) in &self.bets {
            let state = if *holds { "holds" } else { "lost" };
            text.push_str(&format!("\nbet: {path} is what it was when the function was compiled ({state})"));
        }
        text
    }
}

impl Explanation {
    fn verdict(&self) -> &'static str {
        if self.native { "native" } else { "bytecode" }
    }
}

/// What there is to know about a function.
#[pyfunction]
pub(super) fn explain(function: &Bound<'_, PyAny>) -> PyResult<Explanation> {
    let function = &method_function(function)?;
    let plain = entry::function_of(function);
    // SAFETY: a live object.
    if unsafe { ffi::PyCallable_Check(plain.as_ptr()) } == 0 {
        return Err(PyTypeError::new_err("explain takes a function"));
    }
    let Some(found) = record::find(function.as_ptr()) else {
        if let Some((unit, number)) = install::installed(function.as_ptr()) {
            // SAFETY: what is installed and has no record belongs to a built module, whose units stay.
            return Ok(explain_built(unsafe { &*unit }, number, &plain));
        }
        let name = plain.getattr("__qualname__").map_or_else(|_| plain.to_string(), |name| name.to_string());
        let reasons = vec!["it is not decorated with jit".to_owned()];
        let unchecked = unchecked(&plain, Enforcement::Woven);
        return Ok(Explanation { native: false, signature: name, reasons, bets: Vec::new(), unchecked });
    };
    let signature = signature(&found, &plain)?;
    let unchecked = unchecked(&plain, Enforcement::Native);
    let bytecode = |reasons: Vec<String>| Explanation {
        native: false,
        signature: signature.clone(),
        reasons,
        bets: Vec::new(),
        unchecked: unchecked.clone(),
    };
    Ok(match found.state() {
        State::Waiting => bytecode(vec!["it is compiled at its first call".to_owned()]),
        State::Compiling => bytecode(vec!["it is being compiled".to_owned()]),
        State::Bytecode(reasons) => bytecode(reasons.to_vec()),
        State::Native(..) if install::installed(function.as_ptr()).is_none() => {
            bytecode(vec![CODE_REPLACED.to_owned()])
        }
        State::Native(loaded, _) => Explanation {
            native: true,
            bets: bets(&found, &loaded),
            reasons: Vec::new(),
            signature: signature.clone(),
            unchecked: unchecked.clone(),
        },
    })
}

/// What there is to know about a function of a built module.
fn explain_built(unit: &LoadedUnit, number: usize, function: &Bound<'_, PyAny>) -> Explanation {
    let meta = &unit.meta().functions[number];
    let params: Vec<String> = meta.params.iter().map(ToString::to_string).collect();
    let cells = unit.meta().cells.iter().enumerate();
    Explanation {
        native: true,
        signature: format!("{}({}) -> {}", meta.name, params.join(", "), meta.result),
        reasons: Vec::new(),
        bets: cells.map(|(number, cell)| (cell.path.clone(), cells::holds(unit, number))).collect(),
        unchecked: if meta.promised { unchecked(function, Enforcement::Native) } else { Vec::new() },
    }
}

/// What the annotations leave unchecked; nothing for a callable that is no function.
fn unchecked(function: &Bound<'_, PyAny>, enforcement: Enforcement) -> Vec<String> {
    check::unchecked(function, enforcement).unwrap_or_default()
}

/// Whether calls of the function run machine code.
#[pyfunction]
pub(super) fn is_compiled(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let function = method_function(function)?;
    // A function of a module that was built has no record: the compiler has not seen it here.
    let may_be =
        record::find(function.as_ptr()).is_none_or(|record| matches!(record.state(), State::Native(..)));
    Ok(may_be && install::installed(function.as_ptr()).is_some())
}

/// What a bound method calls, or the object itself.
fn method_function<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if object.get_type().name()? == "method" {
        return object.getattr(intern!(py, "__func__"));
    }
    Ok(object.clone())
}

fn signature(record: &Record, function: &Bound<'_, PyAny>) -> PyResult<String> {
    match &record.blueprint {
        Some(blueprint) => {
            Ok(blueprint.info.qualname.clone()
                + &report::signature_text(&blueprint.info, &blueprint.signature))
        }
        None => function.getattr("__qualname__")?.extract(),
    }
}

/// The names of the function that its unit has guard cells for.
fn bets(record: &Record, loaded: &Loaded) -> Vec<(String, bool)> {
    let unit = loaded.unit();
    let names = record.blueprint.as_ref().map_or(&[][..], |blueprint| &blueprint.names);
    let betting = unit.meta().cells.iter().enumerate().filter(|(_, cell)| names.contains(&cell.path));
    betting.map(|(number, cell)| (cell.path.clone(), cells::holds(unit, number))).collect()
}
