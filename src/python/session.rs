//! What holds for the whole process: the interpreter, its flags, how strict we are, and the hooks of the
//! Python side.

use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use pyo3::create_exception;
use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::PyValueError;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;

use crate::cpython;
use crate::driver::Force;
use crate::driver::Session;
use crate::front::Assertions;
use crate::front::BuildOptions;
use crate::front::Dialect;
use crate::front::Promise;
use crate::runtime;
use crate::runtime::calls;
use crate::runtime::install;
use crate::runtime::loader::functions;

use super::callable;
use super::jit;
use super::loops;
use super::stats;
use super::unsteady;

create_exception!(
    castiron,
    InternalError,
    PyRuntimeError,
    "castiron itself failed; raised only under CASTIRON_STRICT=1."
);

static SESSION: OnceLock<Result<Session, String>> = OnceLock::new();

/// Finds out about the interpreter; called once, at import.
///
/// # Errors
/// When there is no memory. An interpreter that can't run compiled code is no error.
pub(super) fn start(py: Python<'_>) -> PyResult<()> {
    if SESSION.get().is_some() {
        return Ok(());
    }
    let session = match cpython::connect(py) {
        Err(reason) => Err(reason),
        Ok(running) => {
            runtime::start(py)?;
            install::set_function_accessor(callable::function_inside);
            functions::set_wrap(callable::wrap);
            unsteady::start();
            for entry in [jit::lazy_entry as vectorcallfunc, stats::counted_entry] {
                calls::add_entry(entry as usize as u64);
            }
            loops::start();
            let optimize: i32 = py.import("sys")?.getattr("flags")?.getattr("optimize")?.extract()?;
            let options = BuildOptions {
                promise: Promise::Enforced,
                assertions: if optimize > 0 { Assertions::Stripped } else { Assertions::Kept },
                dialect: Dialect::of_minor(running.layout.version.1),
            };
            let strict = std::env::var_os("CASTIRON_STRICT").is_some_and(|value| value == "1");
            Ok(Session { layout: running.layout, options, strict, force: force()? })
        }
    };
    SESSION.get_or_init(|| session);
    Ok(())
}

/// What `CASTIRON_FORCE` says.
fn force() -> PyResult<Force> {
    let Some(text) = std::env::var_os("CASTIRON_FORCE") else { return Ok(Force::Nothing) };
    let force = text.to_str().and_then(Force::parse);
    force.ok_or_else(|| {
        PyValueError::new_err(format!(
            "CASTIRON_FORCE must be native, generic, exit or exit:SEED, not {}",
            text.display()
        ))
    })
}

/// The session, or why nothing can be compiled in this interpreter.
pub(super) fn session() -> Result<&'static Session, &'static str> {
    match SESSION.get() {
        Some(Ok(session)) => Ok(session),
        Some(Err(reason)) => Err(reason),
        None => Err("castiron was not imported"),
    }
}

/// Whether our own failures raise instead of falling back.
pub(super) fn is_strict() -> bool {
    session().is_ok_and(|session| session.strict)
}

/// What `castiron._jit` hands over.
struct Hooks {
    /// `typed(function)`: weaves the checks into the function.
    typed: Py<PyAny>,
    /// `stand_in(function)`: a woven function that does the same.
    stand_in: Py<PyAny>,
}

static HOOKS: Mutex<Option<Hooks>> = Mutex::new(None);

/// Called by `castiron._jit` when it is imported.
#[pyfunction]
pub(super) fn install_hooks(typed: Py<PyAny>, stand_in: Py<PyAny>) {
    let previous = HOOKS.lock().unwrap_or_else(PoisonError::into_inner).replace(Hooks { typed, stand_in });
    // Dropped after the lock is released: a destructor may run Python.
    drop(previous);
}

fn hook<'py>(py: Python<'py>, choose: impl FnOnce(&Hooks) -> &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    match hooks.as_ref() {
        Some(hooks) => Ok(choose(hooks).bind(py).clone()),
        None => Err(PyRuntimeError::new_err("castiron._castiron is used without the package castiron")),
    }
}

/// Weaves the checks into the function's own bytecode.
pub(super) fn weave(function: &Bound<'_, PyAny>) -> PyResult<()> {
    hook(function.py(), |hooks| &hooks.typed)?.call1((function,)).map(drop)
}

/// A function that runs the same bytecode with its checks woven in.
pub(super) fn stand_in<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    hook(function.py(), |hooks| &hooks.stand_in)?.call1((function,))
}
