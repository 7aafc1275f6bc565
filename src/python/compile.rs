//! One compilation: what to compile together, facts about names, loading, installing.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustc_hash::FxHashMap;

use crate::check;
use crate::codegen::Texts;
use crate::cpython::function::fields;
use crate::cpython::running;
use crate::driver;
use crate::driver::Blueprint;
use crate::driver::Failure;
use crate::driver::Member;
use crate::driver::Request;
use crate::driver::report;
use crate::ir::FuncId;
use crate::ir::GlobalFact;
use crate::runtime::cells;
use crate::runtime::cells::facts;
use crate::runtime::install;
use crate::runtime::unit::LoadedUnit;
use crate::runtime::unit::Source;
use crate::types::Type;

use super::classes::Classes;
use super::enforced::Enforced;
use super::entry;
use super::imports;
use super::methods;
use super::methods::Methods;
use super::record;
use super::record::Record;
use super::record::State;
use super::session;
use super::stats;
use super::unit::Loaded;
use super::unit::Origin;
use super::unsteady;

/// More functions than this are not compiled together; the others are called as objects.
const MAX_FUNCTIONS: usize = 64;

/// How many functions that nobody has called yet are compiled with one that is called.
const MOST_PREPARED: usize = 24;

/// Why there is no code.
pub(super) enum Error {
    /// Python raised: no memory, or an interrupt.
    Raised(PyErr),
    /// The compiler gave up; the reasons are for `explain`.
    Failed(Failure, Vec<String>),
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Error {
        Error::Raised(error)
    }
}

/// A function of the unit to be.
enum Part<'py> {
    /// It is compiled here.
    Own(Bound<'py, PyAny>, Arc<Record>),
    /// Another unit has its code.
    Other(Arc<Record>, Arc<Loaded>, usize),
}

impl Part<'_> {
    fn record(&self) -> &Arc<Record> {
        match self {
            Part::Own(_, record) | Part::Other(record, ..) => record,
        }
    }
}

/// The functions that one compilation takes together, by the callables that stand for them.
struct Gathering<'py> {
    globals: Bound<'py, PyAny>,
    builtins: Bound<'py, PyAny>,
    parts: Vec<Part<'py>>,
    numbers: FxHashMap<usize, usize>,
    facts: FxHashMap<String, GlobalFact>,
    classes: Classes<'py>,
    /// The methods of the module's classes, once they are asked for.
    methods: Option<Methods<'py>>,
    /// How many functions more may be prepared that nobody has called yet.
    prepares: usize,
    /// What the functions compiled here are made of: their annotations name the classes as these do.
    blueprints: Vec<Option<Arc<Blueprint>>>,
}

/// Compiles the function with what it reaches, and installs everything that had no code yet.
pub(super) fn compile(callable: &Bound<'_, PyAny>, record: &Arc<Record>) -> Result<(), Error> {
    let py = callable.py();
    let session = session::session()
        .map_err(|reason| Error::Failed(Failure::Diagnosed(Vec::new()), vec![reason.to_owned()]))?;
    let gathering = Gathering::start(callable, record).run()?;
    let request = gathering.request();
    let result = py.detach(|| driver::compile(session, &request));
    let compiled = result.map_err(|failure| {
        let blueprint = &request.functions[0].blueprint();
        let findings = report::failure_findings(&failure, &blueprint.info, blueprint.module.file());
        Error::Failed(failure, findings.into_iter().map(|finding| finding.rendered).collect())
    })?;
    let loaded = gathering.load(compiled, request)?;
    gathering.install(&loaded)
}

impl<'py> Gathering<'py> {
    fn start(callable: &Bound<'py, PyAny>, record: &Arc<Record>) -> Gathering<'py> {
        let py = callable.py();
        let function = entry::function_of(callable);
        // SAFETY: a live function; both namespaces are its own, and never null.
        let (globals, builtins) = unsafe {
            let found = fields(running().layout, function.as_ptr());
            (Bound::from_borrowed_ptr(py, found.globals), Bound::from_borrowed_ptr(py, found.builtins))
        };
        Gathering {
            globals,
            builtins,
            parts: vec![Part::Own(callable.clone(), Arc::clone(record))],
            numbers: FxHashMap::from_iter([(callable.as_ptr() as usize, 0)]),
            facts: FxHashMap::default(),
            classes: Classes::default(),
            methods: None,
            prepares: MOST_PREPARED,
            blueprints: Vec::new(),
        }
    }

    /// Follows the names from function to function, and from class to class.
    fn run(mut self) -> PyResult<Gathering<'py>> {
        let mut followed = 0;
        while let Some(part) = self.parts.get(self.blueprints.len()) {
            let refined = match part {
                Part::Own(callable, record) => {
                    let (callable, record) = (callable.clone(), Arc::clone(record));
                    self.follow(&callable, &record)?
                }
                Part::Other(record, loaded, number) => {
                    let request = &loaded.origin.request;
                    request
                        .functions
                        .get(*number)
                        .map(Member::blueprint)
                        .or(record.blueprint.as_ref())
                        .cloned()
                }
            };
            self.blueprints.push(refined);
            while followed < self.classes.len() {
                self.follow_class(followed);
                followed += 1;
            }
        }
        Ok(self)
    }

    /// Looks up what a function's names stand for; what it is compiled from.
    fn follow(&mut self, callable: &Bound<'py, PyAny>, record: &Record) -> PyResult<Option<Arc<Blueprint>>> {
        let Some(blueprint) = record.blueprint.clone() else { return Ok(None) };
        let (globals, builtins) = (self.globals.clone(), self.builtins.clone());
        let look = |path: &str| cells::lookup(&globals, &builtins, path);
        for (name, fact) in driver::text::facts_of_fields(&blueprint.module) {
            let fact = match fact {
                GlobalFact::Likely(ty) => GlobalFact::Likely(self.classes.resolved(&ty, &look)),
                fact => fact,
            };
            self.facts.insert(name, fact);
        }
        let signature = self.classes.signature(callable, record, &look)?;
        for path in &blueprint.names {
            if !self.facts.contains_key(path) {
                let fact = unsteady::steady(self.fact(path)?, self.losses(path));
                self.facts.insert(path.clone(), fact);
            }
        }
        for name in &blueprint.methods {
            let key = driver::text::method_fact(name);
            if !self.facts.contains_key(&key) {
                let callees = GlobalFact::Callees(self.callees(name)?);
                self.facts.insert(key, callees);
            }
        }
        Ok(Some(match signature {
            Some(signature) => Arc::new(Blueprint { signature, ..(*blueprint).clone() }),
            None => blueprint,
        }))
    }

    /// The numbers of the functions that are methods of this name and have a body to be called directly.
    fn callees(&mut self, name: &str) -> PyResult<Vec<FuncId>> {
        let globals = &self.globals;
        let methods = self.methods.get_or_insert_with(|| methods::all(globals));
        let found = methods.get(name).cloned().unwrap_or_default();
        let mut callees = Vec::new();
        for value in found {
            if let Some(GlobalFact::Function(function)) = self.with_body(&value)? {
                callees.push(function);
            }
        }
        callees.sort_unstable();
        Ok(callees)
    }

    /// As [`Gathering::function`], for functions that have a body; those of imported modules that nobody has called yet
    /// are prepared.
    fn with_body(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Option<GlobalFact>> {
        if record::find(value.as_ptr()).is_none() && self.prepares > 0 && imports::may_have_body(value) {
            self.prepares -= 1;
            imports::prepare(value)?;
        }
        let found = record::find(value.as_ptr()).and_then(|record| record.blueprint.clone());
        Ok(found.filter(|blueprint| blueprint.has_body).and_then(|_| self.function(value)))
    }

    /// Adds the methods of a class that are compiled functions.
    fn follow_class(&mut self, number: usize) {
        let attributes = self.classes.attributes(number).to_vec();
        let below = self.classes.add_subclasses(number);
        for (name, value) in attributes {
            let Some(function) = self.method(&value) else { continue };
            let has_same = |class: &Bound<'py, PyAny>| {
                check::attribute(class, &name).is_some_and(|found| found.is(&value))
            };
            if below.iter().all(has_same) {
                self.classes.add_method(number, &name, function);
                continue;
            }
            let own = self.classes.object(number).clone();
            let targets = [own].into_iter().chain(below.iter().cloned()).filter_map(|class| {
                let id = self.classes.number(&class)?;
                Some((id, self.method(&check::attribute(&class, &name)?)?))
            });
            let targets: Vec<_> = targets.collect();
            if targets.len() > 1 {
                self.classes.add_dispatch(number, &name, targets);
            }
        }
    }

    /// The number of the compiled function that a sealed class has as a method.
    fn method(&mut self, value: &Bound<'py, PyAny>) -> Option<FuncId> {
        if record::find(value.as_ptr()).is_none() || !check::is_part(&entry::function_of(value)) {
            return None;
        }
        match self.function(value) {
            Some(GlobalFact::Function(function)) => Some(function),
            _ => None,
        }
    }

    fn fact(&mut self, path: &str) -> PyResult<GlobalFact> {
        Ok(match cells::lookup(&self.globals, &self.builtins, path) {
            Some(value) => {
                let class = |gathering: &mut Gathering<'py>| gathering.class(path).map(GlobalFact::Class);
                self.with_body(&value)?;
                self.function(&value).or_else(|| class(self)).unwrap_or_else(|| facts::of_value(&value))
            }
            // While a decorator runs, the name that the function is about to get stands for nothing yet.
            None if self.is_own_name(path) => GlobalFact::Function(FuncId::new(0)),
            None => GlobalFact::Unknown,
        })
    }

    /// The number of the sealed class that a name stands for.
    fn class(&mut self, path: &str) -> Option<u64> {
        let (globals, builtins) = (self.globals.clone(), self.builtins.clone());
        let name = self.classes.named(path, &|path| cells::lookup(&globals, &builtins, path))?;
        self.classes.identity(&name)
    }

    /// How many bets on the name were lost; more than can be where nobody would tell of a write to it.
    fn losses(&self, path: &str) -> u32 {
        if !cells::can_watch() {
            return u32::MAX;
        }
        self.parts.iter().map(|part| part.record().losses(path)).max().unwrap_or_default()
    }

    fn is_own_name(&self, path: &str) -> bool {
        self.parts[0].record().blueprint.as_ref().is_some_and(|blueprint| blueprint.info.qualname == path)
    }

    /// The number of the compiled function that the object stands for; it becomes part of the unit.
    fn function(&mut self, value: &Bound<'py, PyAny>) -> Option<GlobalFact> {
        let address = value.as_ptr() as usize;
        if let Some(&number) = self.numbers.get(&address) {
            return Some(GlobalFact::Function(FuncId::new(number)));
        }
        let found = record::find(value.as_ptr())?;
        if self.parts.len() >= MAX_FUNCTIONS || !self.belongs(value, &found) {
            return Some(GlobalFact::Unknown);
        }
        let part = match found.state() {
            State::Waiting => Part::Own(value.clone(), found),
            State::Native(loaded, number)
                if install::installed(value.as_ptr()).is_some() && self.has_classes_of(&loaded, number) =>
            {
                Part::Other(found, loaded, number)
            }
            State::Native(..) | State::Compiling | State::Bytecode(_) => return Some(GlobalFact::Unknown),
        };
        self.parts.push(part);
        self.numbers.insert(address, self.parts.len() - 1);
        Some(GlobalFact::Function(FuncId::new(self.parts.len() - 1)))
    }

    /// Whether the classes that the signature of a unit's function names are what they are called here, too.
    fn has_classes_of(&mut self, loaded: &Loaded, number: usize) -> bool {
        if !loaded.unit().has_body(number) {
            return false;
        }
        let request = &loaded.origin.request;
        let signature = &request.functions[number].blueprint().signature;
        let (globals, builtins) = (self.globals.clone(), self.builtins.clone());
        let look = |path: &str| cells::lookup(&globals, &builtins, path);
        let mut names = signature.params.iter().chain([&signature.result]).filter_map(Type::sealed);
        names.all(|name| {
            let theirs = request.classes.iter().find(|class| class.name == name).map(|class| class.identity);
            let ours = self.classes.named(name, &look).filter(|ours| ours == name);
            let ours = ours.and_then(|name| self.classes.identity(&name));
            theirs.is_none() || theirs == ours
        })
    }

    /// Whether a function has the namespace and the text that the unit is about, and still its own code.
    fn belongs(&self, value: &Bound<'py, PyAny>, record: &Arc<Record>) -> bool {
        let function = entry::function_of(value);
        // SAFETY: a filed callable is a function or stands for one.
        let found = unsafe { fields(running().layout, function.as_ptr()) };
        let same_text = match (&self.parts[0].record().blueprint, &record.blueprint) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(&ours.module, &theirs.module),
            _ => false,
        };
        same_text
            && found.globals == self.globals.as_ptr()
            && found.builtins == self.builtins.as_ptr()
            && record.has_code_of(&function)
    }

    fn request(&self) -> Request {
        let functions = self.parts.iter().zip(&self.blueprints).filter_map(|(part, blueprint)| {
            let blueprint = Arc::clone(blueprint.as_ref()?);
            Some(match part {
                Part::Own(..) => Member::Compile(blueprint),
                Part::Other(..) => Member::Call(blueprint),
            })
        });
        Request {
            functions: functions.collect(),
            facts: self.facts.clone(),
            classes: self.classes.described(&self.facts),
            texts: Texts::Drop,
            start: None,
        }
    }

    fn load(&self, compiled: driver::Compiled, request: Request) -> Result<Arc<Loaded>, Error> {
        let py = self.globals.py();
        let mut sources = Vec::new();
        let mut others = Vec::new();
        for part in &self.parts {
            sources.push(match part {
                Part::Own(_, record) => Source::Own {
                    code: record.code(py),
                    promise: record.plan.as_ref().map(|plan| Enforced::boxed(plan.clone_ref(py))),
                },
                Part::Other(_, loaded, number) => {
                    others.push(Arc::clone(loaded));
                    Source::Other { unit: loaded.unit(), number: *number }
                }
            });
        }
        let driver::Compiled { code, coverage, took, .. } = compiled;
        let globals = self.globals.cast::<PyDict>().map_err(PyErr::from)?;
        // SAFETY: the interpreter is connected; the data is the code's own, fresh, and both live as long
        // as the unit (`Loaded`); there is one source for each function.
        let unit = unsafe {
            LoadedUnit::load(code.meta().clone(), code.data().cast(), globals, &self.builtins, sources)?
        };
        Ok(Loaded::new(unit, code, others, Origin { request, coverage, took }))
    }

    /// Makes the entries of functions that wait for code those of the unit.
    fn install(&self, loaded: &Arc<Loaded>) -> Result<(), Error> {
        stats::count_unit(loaded);
        for (number, part) in self.parts.iter().enumerate() {
            let Part::Own(callable, record) = part else { continue };
            let function = entry::function_of(callable);
            if !record.wants_code() || !record.has_code_of(&function) {
                continue;
            }
            install(callable, record, loaded, number)?;
        }
        Ok(())
    }
}

/// Makes the entry of a callable that of a function of the unit.
pub(super) fn install(
    callable: &Bound<'_, PyAny>,
    record: &Record,
    loaded: &Arc<Loaded>,
    number: usize,
) -> PyResult<()> {
    // The unit lives as long as the record, which lives as long as the callable.
    record.become_state(State::Native(Arc::clone(loaded), number));
    // SAFETY: the unit is loaded and kept; the function's code is the one that was compiled.
    unsafe {
        if entry::functions_have_entries() {
            install::install(loaded.unit(), number, callable)?;
        } else {
            install::register(loaded.unit(), number, callable.as_ptr());
        }
        entry::put(callable.as_ptr(), stats::entry_of(loaded, number));
    }
    Ok(())
}
