//! What the command line asks: `check`, `dump`, `doctor`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::cpython::Layout;
use crate::cpython::running;
use crate::driver::Session;
use crate::driver::ahead;
use crate::driver::dump;
use crate::driver::dump::Passes;
use crate::driver::dump::Stage;
use crate::driver::report;
use crate::emit::object::Cpu;
use crate::emit::object::MakeCode;
use crate::front::Dialect;
use crate::front::Enforcement;

use crate::runtime::loader::file;

use super::session;

/// A diagnostic.
#[pyclass(frozen, get_all, module = "castiron._castiron")]
pub(super) struct Finding {
    code: &'static str,
    message: String,
    line: u32,
    column: u32,
    rendered: String,
}

/// A function of a text.
#[pyclass(frozen, get_all, module = "castiron._castiron")]
pub(super) struct FunctionReport {
    name: String,
    line: u32,
    signature: String,
    native: bool,
    reasons: Vec<Py<Finding>>,
}

/// A text.
#[pyclass(frozen, get_all, module = "castiron._castiron")]
pub(super) struct TextReport {
    errors: Vec<Py<Finding>>,
    functions: Vec<Py<FunctionReport>>,
}

fn running_session() -> PyResult<&'static Session> {
    session::session().map_err(|reason| PyRuntimeError::new_err(reason.to_owned()))
}

/// Which functions of a text compile, and why the others do not.
#[pyfunction]
pub(super) fn check_text(py: Python<'_>, path: &str, text: &str) -> PyResult<TextReport> {
    let session = running_session()?;
    let found = py.detach(|| report::examine(session, path, text));
    let functions = found.functions.into_iter().map(|function| {
        let report = FunctionReport {
            name: function.name,
            line: function.line,
            signature: function.signature,
            native: function.reasons.is_empty(),
            reasons: findings(py, function.reasons)?,
        };
        Py::new(py, report)
    });
    Ok(TextReport { functions: functions.collect::<PyResult<_>>()?, errors: findings(py, found.errors)? })
}

fn findings(py: Python<'_>, found: Vec<report::Finding>) -> PyResult<Vec<Py<Finding>>> {
    let converted = found.into_iter().map(|finding| {
        let report::Finding { code, message, line, column, rendered } = finding;
        Py::new(py, Finding { code, message, line, column, rendered })
    });
    converted.collect()
}

/// The attributes of `castiron._build.Options`.
#[derive(FromPyObject, Default)]
pub(super) struct HowToBuild {
    enforce: bool,
    everything: bool,
    python: Option<(u8, u8)>,
    native: bool,
    no_source: bool,
    key: String,
}

/// A function of a module that was built: its name, the line of its `def`, and why it stays bytecode.
type BuiltFunction = (String, u32, Vec<Py<Finding>>);

/// A module built from its text: the bytes of a shared object, and what has become of its functions; ValueError says
/// why there is none.
#[pyfunction]
#[pyo3(signature = (module, path, text, options = None, /))]
pub(super) fn build_text<'py>(
    py: Python<'py>,
    module: &str,
    path: &str,
    text: &str,
    options: Option<HowToBuild>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<BuiltFunction>)> {
    let mut session = *running_session()?;
    let HowToBuild { enforce, everything, python, native, no_source, key } = options.unwrap_or_default();
    if everything {
        session.force = session.force.or_native();
    }
    if let Some((major, minor)) = python {
        let layout = Layout::for_version(major, minor);
        session.layout =
            layout.ok_or_else(|| PyValueError::new_err(format!("CPython {major}.{minor} is not known")))?;
        session.options.dialect = Dialect::of_minor(minor);
    }
    let enforcement = if enforce { Enforcement::Everything } else { Enforcement::Decorated };
    let cpu = if native { Cpu::Native } else { Cpu::Baseline };
    let pack = |bound: &[(&str, u32)]| packed(text, path, bound, enforce).map_err(|error| error.to_string());
    let code = no_source.then_some(MakeCode(&pack));
    let wanted = ahead::Wanted { name: module, path, source: text, enforcement, cpu, code, key: &key };
    let built = py.detach(|| ahead::build(&session, wanted)).map_err(PyValueError::new_err)?;
    let functions = built.functions.into_iter();
    let described = functions.map(|found| Ok((found.name, found.line, findings(py, found.reasons)?)));
    Ok((PyBytes::new(py, &built.bytes), described.collect::<PyResult<_>>()?))
}

/// The code objects of a module, with decorators for the functions that are bound.
fn packed(text: &str, path: &str, bound: &[(&str, u32)], enforce: bool) -> PyResult<Vec<u8>> {
    Python::attach(|py| {
        let package = py.import("castiron._built")?;
        package.call_method1("packed", (text, path, bound.to_vec(), enforce))?.extract()
    })
}

/// Whether the bytes are those of a built module, as they were written.
#[pyfunction]
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    file::is_whole(bytes)
}

/// A function at a stage; ValueError says what is wrong with the question or the text.
#[pyfunction]
pub(super) fn dump_text(
    py: Python<'_>,
    path: &str,
    text: &str,
    function: &str,
    stage: &str,
    after: Option<String>,
    all_passes: bool,
) -> PyResult<String> {
    let session = running_session()?;
    let passes = match after {
        Some(pass) => Passes::After(pass),
        None if all_passes => Passes::All,
        None => Passes::Last,
    };
    let stage = match stage {
        "ast" => Stage::Ast,
        "ir" => Stage::Ir(passes),
        "clif" => Stage::Clif,
        "asm" => Stage::Asm,
        _ => return Err(PyValueError::new_err(format!("there is no stage {stage}"))),
    };
    py.detach(|| dump::dump(session, path, text, function, &stage)).map_err(PyValueError::new_err)
}

/// Whether this interpreter runs compiled code: pairs of a verdict and what it is about.
#[pyfunction]
pub(super) fn examine() -> Vec<(bool, String)> {
    let version = Python::version_str().split_whitespace().next().unwrap_or_default();
    let mut findings = vec![(true, format!("castiron {}", env!("CARGO_PKG_VERSION")))];
    match session::session() {
        Ok(session) => {
            let (major, minor) = running().layout.version;
            findings
                .push((true, format!("CPython {version}: the struct layouts of {major}.{minor} are right")));
            let machine = format!("machine code for {}-{}", std::env::consts::ARCH, std::env::consts::OS);
            findings.push((true, machine));
            let strictness =
                if session.strict { "our own failures raise" } else { "our own failures fall back" };
            findings.push((true, strictness.to_owned()));
        }
        Err(reason) => {
            findings.push((false, format!("CPython {version}: {reason}; functions are only checked")))
        }
    }
    findings
}
