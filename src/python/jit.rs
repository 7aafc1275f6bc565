//! `jit`: from a proved function to one that compiles itself at its first call.
//!
//! A function that can be compiled gets the *lazy* entry. Its first call reads what the global names
//! stand for, compiles the function with all functions of the module that it reaches and that wait for
//! code too, and installs the entries. Whoever calls meanwhile runs the bytecode, with its checks.
//! Code whose guards are lost often is made anew ([`super::unsteady`]).

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use pyo3::exceptions::PyMemoryError;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::vectorcallfunc;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::types::PyType;

use crate::check;
use crate::check::FunctionPlan;
use crate::cpython::memory::or_memory_error;
use crate::driver;
use crate::driver::Checked;
use crate::driver::Failure;
use crate::driver::report;
use crate::front;
use crate::ir::Signature;
use crate::runtime::closures;
use crate::runtime::enter;
use crate::runtime::frames;
use crate::runtime::install;
use crate::runtime::loader::functions;
use crate::types::Type;

use super::callable;
use super::compile;
use super::entry;
use super::nested;
use super::record;
use super::record::Record;
use super::record::State;
use super::session;
use super::session::InternalError;
use super::text::Text;

/// Prepares a function for its first call; what is returned takes its place. `None`: it stays bytecode,
/// and `explain` knows why.
#[pyfunction]
pub(super) fn prepare(
    function: &Bound<'_, PyAny>,
    text: &Bound<'_, Text>,
    plan: &Bound<'_, FunctionPlan>,
) -> PyResult<Option<Py<PyAny>>> {
    or_memory_error(|| prepared(function, text, Some(plan)))
}

/// As [`prepare`]; without a plan, the annotations are bets.
pub(super) fn prepared(
    function: &Bound<'_, PyAny>,
    text: &Bound<'_, Text>,
    plan: Option<&Bound<'_, FunctionPlan>>,
) -> PyResult<Option<Py<PyAny>>> {
    let py = function.py();
    let session = match session::session() {
        Ok(session) => session,
        Err(reason) => {
            let reason = format!("nothing is compiled in this interpreter: {reason}");
            remember(function, reason)?;
            return Ok(None);
        }
    };
    if !entry::functions_have_entries() && is_bound_by_class(function)? {
        remember(
            function,
            "on CPython 3.11 a class binds a method of this name only when it is a plain function".to_owned(),
        )?;
        return Ok(None);
    }
    let code = function.getattr(intern!(py, "__code__"))?;
    if let Some(earlier) = nested::find(&entry::function_of(function), &code, plan)? {
        return Ok(Some(take_over(function, &earlier, plan)?));
    }
    let qualname: String = code.getattr(intern!(py, "co_qualname"))?.extract()?;
    let first_line: u32 = code.getattr(intern!(py, "co_firstlineno"))?.extract()?;
    let (module, info) = match text.get().find(&qualname, first_line) {
        Ok(found) => found,
        Err(reason) => {
            remember(function, reason)?;
            return Ok(None);
        }
    };
    let promises = plan.map(|plan| {
        let spelled = front::annotated_signature(module, info);
        let checked = Checked {
            promised: true,
            params: (0..info.parameters.len()).map(|index| plan.get().is_checked(Some(index))).collect(),
            result: plan.get().is_checked(None),
        };
        (signature_of(plan.get(), &spelled, py), checked)
    });
    let made = py.detach(|| match promises {
        Some((signature, checked)) => driver::blueprint(session, module, info, signature, checked),
        None => driver::imported::unpromised(session, module, info),
    });
    let blueprint = match made {
        Ok(blueprint) => Arc::new(blueprint),
        Err(failure) => {
            let findings = report::failure_findings(&failure, info, module.file());
            let reasons = findings.into_iter().map(|finding| finding.rendered).collect();
            stay_bytecode(function, &failure, reasons)?;
            return Ok(None);
        }
    };
    if let Some(reason) = closures::mismatch(&code, &blueprint.nested, &blueprint.free)? {
        remember(function, reason)?;
        return Ok(None);
    }
    let is_nested = blueprint.info.is_nested;
    let waiting =
        Record::waiting(name_of(function)?, blueprint, plan.map(|plan| plan.clone().unbind()), code.unbind());
    if is_nested {
        nested::keep(&waiting);
    }
    Ok(Some(stand_for(function, waiting)?.unbind()))
}

/// Files the record under the callable that takes the function's place, whose entry is the lazy one.
fn stand_for<'py>(function: &Bound<'py, PyAny>, waiting: Arc<Record>) -> PyResult<Bound<'py, PyAny>> {
    if !entry::functions_have_entries() && callable::wrapped(function).is_none() {
        let made = callable::wrap(function, lazy_entry)?;
        record::file(&made, waiting)?;
        return Ok(made);
    }
    record::file(function, waiting)?;
    // SAFETY: a live function; the lazy entry is always valid.
    unsafe { entry::put(function.as_ptr(), lazy_entry) };
    Ok(function.clone())
}

/// Gives a function the code of an earlier one that the same `def` made.
fn take_over(
    function: &Bound<'_, PyAny>,
    earlier: &Arc<Record>,
    plan: Option<&Bound<'_, FunctionPlan>>,
) -> PyResult<Py<PyAny>> {
    let record = earlier.twin(function.py(), name_of(function)?, plan);
    let made = stand_for(function, Arc::clone(&record))?;
    if let State::Native(loaded, number) = earlier.state() {
        compile::install(&made, &record, &loaded, number)?;
    }
    Ok(made.unbind())
}

/// Whether a class makes a method of this name a static or class method by itself.
pub(super) fn is_bound_by_class(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let name: String = function.getattr(intern!(function.py(), "__name__"))?.extract()?;
    Ok(["__new__", "__init_subclass__", "__class_getitem__"].contains(&name.as_str()))
}

/// What the plan promises of the parameters and the result. What is in lists is no promise, so the text's
/// word is taken for that.
pub(super) fn signature_of(plan: &FunctionPlan, spelled: &Signature, py: Python<'_>) -> Signature {
    let refined = |promised: Type, spelled: &Type| match (promised, spelled) {
        (Type::List(_), Type::List(item)) => Type::List(item.clone()),
        (promised, _) => promised,
    };
    let params = spelled.params.iter().enumerate();
    Signature {
        params: params
            .map(|(index, spelled)| refined(plan.promised_type(Some(index), py), spelled))
            .collect(),
        result: refined(plan.promised_type(None, py), &spelled.result),
    }
}

fn stay_bytecode(function: &Bound<'_, PyAny>, failure: &Failure, reasons: Vec<String>) -> PyResult<()> {
    if let Failure::Bug(message) = failure
        && session::is_strict()
    {
        return Err(InternalError::new_err(message.clone()));
    }
    record::file(function, Record::bytecode(name_of(function)?, reasons))
}

/// Keeps the reason why a function stays bytecode.
#[pyfunction]
pub(super) fn remember(function: &Bound<'_, PyAny>, reason: String) -> PyResult<()> {
    record::file(function, Record::bytecode(name_of(function)?, vec![reason]))
}

/// Module and qualified name, as `stats` prints them.
fn name_of(function: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = function.py();
    let module = function.getattr(intern!(py, "__module__"))?;
    let qualname = function.getattr(intern!(py, "__qualname__"))?;
    Ok(format!("{module}.{qualname}"))
}

/// Compiles a prepared function now instead of at its first call.
#[pyfunction]
pub(super) fn compile_now(callable: &Bound<'_, PyAny>) -> PyResult<()> {
    match record::find(callable.as_ptr()) {
        Some(record) => first_call(callable, &record),
        None => Err(PyTypeError::new_err("jit has not prepared this function")),
    }
}

/// Whether the object is the native callable of CPython 3.11.
#[pyfunction]
pub(super) fn is_native_callable(object: &Bound<'_, PyAny>) -> bool {
    callable::wrapped(object).is_some()
}

/// The function that the native callable of CPython 3.11 stands for; anything else as it is.
#[pyfunction]
pub(super) fn python_function<'py>(object: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    callable::wrapped(object).unwrap_or_else(|| object.clone())
}

/// Whether compiled functions are the functions themselves.
#[pyfunction]
pub(super) fn functions_have_entries() -> bool {
    entry::functions_have_entries()
}

/// Puts the native callable that stands for a method of a sealed class in its place.
#[pyfunction]
pub(super) fn put_method(
    class: &Bound<'_, PyType>,
    name: &Bound<'_, PyString>,
    method: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let known = class.getattr(intern!(class.py(), "__dict__"))?.get_item(name)?;
    match callable::wrapped(method) {
        Some(function) if function.is(&known) => check::put_part(class, name, method),
        _ => Err(PyTypeError::new_err("only what stands for a method takes its place")),
    }
}

/// Whether `jit` stands for the object: it is waiting for its first call, or compiled.
#[pyfunction]
pub(super) fn is_jitted(object: &Bound<'_, PyAny>) -> bool {
    match record::find(object.as_ptr()) {
        Some(record) => !matches!(record.state(), State::Bytecode(_)),
        None => functions::is_enforced(object.as_ptr()),
    }
}

/// Whether the callable runs machine code.
pub(super) fn is_native(callable: &Bound<'_, PyAny>) -> bool {
    record::find(callable.as_ptr()).is_some_and(|record| matches!(record.state(), State::Native(..)))
}

/// Makes compiled functions run their bytecode from the next call on.
#[pyfunction]
pub(super) fn switch_off() {
    enter::switch_off(true);
}

/// Makes compiled functions run their code again.
#[pyfunction]
pub(super) fn switch_on() {
    enter::switch_off(false);
}

/// The entry of a function that waits for its first call.
///
/// # Safety
/// As every vectorcall function; the callable is one that was filed.
pub(super) unsafe extern "C" fn lazy_entry(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the thread is attached and the callable is live while it is called.
    unsafe {
        let py = Python::assume_attached();
        frames::show();
        let bound = Bound::from_borrowed_ptr(py, callable);
        let ready = match record::find(callable) {
            // What PyO3 can't make for lack of memory is a panic.
            Some(record) => {
                // What PyO3 does not know to be attached drops its references some time later.
                let call = || Python::attach(|_| first_call(&bound, &record));
                catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
                    record.give_up();
                    Err(PyMemoryError::new_err(()))
                })
            }
            None => {
                entry::put_plain(callable);
                Ok(())
            }
        };
        if let Err(error) = ready {
            error.restore(py);
            return std::ptr::null_mut();
        }
        let now = entry::get(callable);
        if !std::ptr::fn_addr_eq(now, lazy_entry as vectorcallfunc) {
            return now(callable, args, nargsf, names);
        }
        let function = entry::function_of(&bound);
        if record::find(callable).is_none_or(|record| record.plan.is_none()) {
            return enter::call_plain(function.as_ptr(), args, nargsf, names);
        }
        let other = catch_unwind(AssertUnwindSafe(|| session::stand_in(&function)));
        match other.unwrap_or_else(|_| Err(PyMemoryError::new_err(()))) {
            Ok(other) => enter::call_plain(other.as_ptr(), args, nargsf, names),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

/// Compiles the function, unless it is switched off or somebody else does. Afterwards its entry is the
/// compiled one, the plain one, or still the lazy one.
fn first_call(callable: &Bound<'_, PyAny>, record: &Arc<Record>) -> PyResult<()> {
    let function = entry::function_of(callable);
    if !record.has_code_of(&function) {
        abandon(callable);
        return Ok(());
    }
    if enter::is_switched_off() || !record.begin() {
        return Ok(());
    }
    if entry::functions_have_entries() && !install::is_watching() {
        let reasons = vec!["nothing tells of changes to functions: every watcher is taken".to_owned()];
        return fall_back(callable, record, &Failure::Diagnosed(Vec::new()), reasons);
    }
    match compile::compile(callable, record) {
        Ok(()) => Ok(()),
        Err(compile::Error::Raised(error)) => {
            record.become_state(State::Waiting);
            Err(error)
        }
        Err(compile::Error::Failed(failure, reasons)) => fall_back(callable, record, &failure, reasons),
    }
}

/// Gives a function that could not be compiled after all its checks as bytecode.
fn fall_back(
    callable: &Bound<'_, PyAny>,
    record: &Arc<Record>,
    failure: &Failure,
    reasons: Vec<String>,
) -> PyResult<()> {
    // SAFETY: a live callable that was filed.
    unsafe { entry::put_plain(callable.as_ptr()) };
    record.become_state(State::Bytecode(reasons.into()));
    if record.plan.is_some() {
        session::weave(&entry::function_of(callable))?;
    }
    match failure {
        Failure::Bug(message) if session::is_strict() => Err(InternalError::new_err(message.clone())),
        Failure::Bug(_) | Failure::Diagnosed(_) => Ok(()),
    }
}

/// Ends the promise of a function whose `__code__` was replaced: the new code runs unchecked.
pub(super) fn abandon(callable: &Bound<'_, PyAny>) {
    install::callable_died(callable.as_ptr());
    // SAFETY: a live callable.
    unsafe { entry::put_plain(callable.as_ptr()) };
    if let Some(record) = record::find(callable.as_ptr()) {
        record.become_state(State::Bytecode(Arc::new([record::CODE_REPLACED.to_owned()])));
    }
}
