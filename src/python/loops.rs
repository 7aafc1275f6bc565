//! Loop versions: compiled when a generic version asks for one at a loop header.
//!
//! A unit about a loop has the functions of the unit that asks, in the same order, and calls their bodies
//! there; it belongs to that unit and dies with it.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustc_hash::FxHashMap;

use crate::driver;
use crate::driver::Failure;
use crate::driver::Request;
use crate::ir::FuncId;
use crate::ir::GlobalFact;
use crate::ir::Inst;
use crate::ir::LoopStart;
use crate::runtime::cells;
use crate::runtime::cells::facts;
use crate::runtime::frames;
use crate::runtime::loops;
use crate::runtime::loops::LoopVersion;
use crate::runtime::loops::Wanted;
use crate::runtime::unit::LoadedUnit;
use crate::runtime::unit::Source;

use super::built;
use super::session;
use super::stats;
use super::unit::Loaded;
use super::unit::Origin;

/// Has the runtime ask.
pub(super) fn start() {
    loops::set_compiler(compile);
}

/// Compiles a loop version and loads it; none where it would gain nothing or can't be had.
fn compile(py: Python<'_>, home: &LoadedUnit, wanted: &Wanted) -> PyResult<Option<LoopVersion>> {
    let Ok(session) = session::session() else { return Ok(None) };
    let owner = stats::find_unit(home);
    let known = match &owner {
        Some(owner) => owner.origin.request.clone(),
        None => match built::request_again(session, home, wanted.function) {
            Some(request) => request,
            None => return Ok(None),
        },
    };
    // SAFETY: both namespaces live as long as the unit's code can run.
    let [globals, builtins] =
        unsafe { [home.globals(), home.builtins()].map(|object| Bound::from_borrowed_ptr(py, object)) };
    let request = Request {
        facts: facts_now(home, &known.facts, &globals, &builtins),
        start: Some(start_of(wanted)),
        ..known
    };
    let driver::Compiled { code, coverage, took, start } =
        match py.detach(|| driver::compile(session, &request)) {
            Ok(compiled) => compiled,
            Err(Failure::Bug(text)) if session.strict => return Err(session::InternalError::new_err(text)),
            Err(Failure::Bug(_) | Failure::Diagnosed(_)) => return Ok(None),
        };
    let address = code.function(wanted.function).looped;
    let start =
        start.filter(|_| !address.is_null()).expect("a unit about a loop has the version that begins there");
    let source = |number| {
        let (unit, number) = home.home(number);
        Source::Other { unit, number }
    };
    let sources = (0..home.functions().len()).map(source).collect();
    let globals = globals.cast::<PyDict>().map_err(PyErr::from)?;
    // SAFETY: the interpreter is connected; the data is the code's own, fresh, and both live as long as the
    // unit (`Loaded`), which `home` outlives; there is one source for each function.
    let unit =
        unsafe { LoadedUnit::load(code.meta().clone(), code.data().cast(), globals, &builtins, sources)? };
    frames::add_loop(&unit, wanted.function, address);
    // SAFETY: the code generator wrote a loop version there, which has the signature of resume functions.
    let code_of_loop = unsafe { std::mem::transmute::<*const u8, crate::runtime::unit::ResumeFn>(address) };
    let loaded = Loaded::new(unit, code, Vec::new(), Origin { request, coverage, took });
    stats::count_unit(&loaded);
    let version = LoopVersion { unit: loaded.unit(), code: code_of_loop, kinds: start.kinds };
    match owner {
        Some(owner) => owner.keep_loop(loaded),
        // Units of built modules stay for ever.
        None => std::mem::forget(loaded),
    }
    Ok(Some(version))
}

fn start_of(wanted: &Wanted) -> LoopStart {
    let function = |number: u32| FuncId::new(number as usize);
    LoopStart {
        function: FuncId::new(wanted.function),
        inst: Inst::new(wanted.inst as usize),
        kinds: wanted.kinds.clone(),
        wide: wanted
            .wide
            .iter()
            .map(|&(number, inst)| (function(number), Inst::new(inst as usize)))
            .collect(),
    }
}

/// What is still known of the names that the unit's functions read.
fn facts_now(
    home: &LoadedUnit,
    known: &FxHashMap<String, GlobalFact>,
    globals: &Bound<'_, PyAny>,
    builtins: &Bound<'_, PyAny>,
) -> FxHashMap<String, GlobalFact> {
    let now = |path: &str, fact: &GlobalFact| {
        if path.starts_with('.') {
            return fact.clone();
        }
        let Some(value) = cells::lookup(globals, builtins, path) else { return GlobalFact::Unknown };
        match fact {
            GlobalFact::Function(id) => {
                let (_, loaded) = home.resolve(id.index());
                let is_same = std::ptr::eq(loaded.callable.get(), value.as_ptr());
                if is_same { fact.clone() } else { GlobalFact::Unknown }
            }
            GlobalFact::Class(_) => {
                if facts::holds(&value, fact) {
                    fact.clone()
                } else {
                    GlobalFact::Unknown
                }
            }
            GlobalFact::Method(_) | GlobalFact::Callees(_) | GlobalFact::Likely(_) | GlobalFact::Unknown => {
                fact.clone()
            }
            GlobalFact::Value(_) | GlobalFact::Builtin(_) | GlobalFact::MathModule | GlobalFact::Math(_) => {
                facts::of_value(&value)
            }
        }
    };
    known.iter().map(|(path, fact)| (path.clone(), now(path, fact))).collect()
}
