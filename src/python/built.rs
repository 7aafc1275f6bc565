//! Functions of built modules, as decorators ask for them.
//!
//! The machine code of a function whose annotations are promises was compiled for what the text says of them. It is
//! used where the plan that is made at run time says the same, once for each function of the text.

use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustc_hash::FxHashMap;

use crate::check::FunctionPlan;
use crate::driver::Request;
use crate::driver::Session;
use crate::driver::ahead;
use crate::ir::Signature;
use crate::runtime::install;
use crate::runtime::loader::Functions;
use crate::runtime::loader::functions;
use crate::runtime::unit::LoadedUnit;

use super::callable;
use super::enforced::Enforced;
use super::entry;
use super::jit;
use super::session;

/// Plans by what names a function in all that is built.
type Plans = FxHashMap<(usize, usize), Py<FunctionPlan>>;

/// The promise of each function.
static PLANS: Mutex<Option<Plans>> = Mutex::new(None);

/// Whether the function has machine code, built ahead of time, that waits for a promise of its annotations.
#[pyfunction]
pub(super) fn awaits_promise(function: &Bound<'_, PyAny>) -> bool {
    functions::waiting(function).is_some()
}

/// Has a function of a built module keep its promise as machine code; what takes its place, or nothing where the code
/// was compiled for another promise.
#[pyfunction]
pub(super) fn keep_promise(
    function: &Bound<'_, PyAny>,
    plan: &Bound<'_, FunctionPlan>,
) -> PyResult<Option<Py<PyAny>>> {
    let Some(waiting) = functions::waiting(function) else { return Ok(None) };
    let meta = waiting.meta();
    let spelled = Signature { params: meta.params.clone(), result: meta.result.clone() };
    if jit::signature_of(plan.get(), &spelled, function.py()) != spelled || plan.get().wants_call() {
        return Ok(None);
    }
    let known = {
        let plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.as_ref().and_then(|plans| plans.get(&waiting.key()));
        known.map(|plan| plan.clone_ref(function.py()))
    };
    match known {
        Some(known) if !known.get().same(plan)? => return Ok(None),
        Some(_) => {}
        None => {
            let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
            plans.get_or_insert_default().insert(waiting.key(), plan.clone().unbind());
            waiting.promise(Enforced::boxed(plan.clone().unbind()));
        }
    }
    Ok(Some(waiting.install(function)?.unbind()))
}

/// Has a function of a built module break its promise and run its bytecode; what takes its place.
#[pyfunction]
pub(super) fn release_promise<'py>(function: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    if !functions::is_enforced(function.as_ptr()) {
        return function.clone();
    }
    match callable::wrapped(function) {
        Some(plain) => plain,
        None => {
            // SAFETY: what is installed and wraps nothing is a function.
            unsafe { install::uninstall(function.as_ptr()) };
            function.clone()
        }
    }
}

/// The innermost decorator of functions of built modules on CPython 3.11.
#[pyfunction]
pub(super) fn bind_built(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    functions::bind(function)
}

/// The plain function that a callable stands for which promises nothing; any other object itself.
#[pyfunction]
pub(super) fn without_bets<'py>(object: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    if jit::is_jitted(object) { object.clone() } else { entry::function_of(object) }
}

/// The request that the unit of a built module comes from, for a loop of one of its functions; none for other units,
/// where it has no text with it, and where another compiler
/// has built it, whose generic versions may differ.
pub(super) fn request_again(session: &Session, unit: &LoadedUnit, number: usize) -> Option<Request> {
    let image = functions::image_of(unit).filter(|image| image.compiler == env!("CASTIRON_FINGERPRINT"))?;
    let built = image.meta.functions.iter().zip(&image.lines);
    let wanted: Vec<(&str, u32, bool)> =
        built.map(|(function, &line)| (function.name.as_str(), line, function.promised)).collect();
    ahead::request_again(session, image.body.text()?, &wanted, number)
}

/// A shared object that was built from the text of a module that is imported as source.
#[pyclass(frozen, module = "castiron._castiron")]
pub(super) struct BuiltFunctions(Functions);

#[pymethods]
impl BuiltFunctions {
    /// Maps the file that was built as a module of this name; ImportError says why that can't be.
    #[new]
    fn new(path: &str, module: &str) -> PyResult<BuiltFunctions> {
        session::session().map_err(PyImportError::new_err)?;
        Functions::map(path, module).map(BuiltFunctions)
    }

    /// The text that it was built from, if it has that with it.
    #[getter]
    fn text(&self) -> Option<&str> {
        self.0.image().body.text()
    }

    /// Names and first lines of the functions that get their entries from a decorator.
    fn to_bind(&self) -> Vec<(&str, u32)> {
        functions::to_bind(self.0.image())
    }

    /// Has the functions of a body that is about to run, with these global names, run their machine code.
    fn load(&self, body: &Bound<'_, PyAny>, names: &Bound<'_, PyDict>) -> PyResult<()> {
        // SAFETY: there is a session, so the interpreter is connected; the caller compares the text.
        unsafe { self.0.load(body, names) }
    }
}
