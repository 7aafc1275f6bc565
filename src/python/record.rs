//! What is known of each function that `jit` has seen, by the address of the callable that stands for it.
//!
//! A record is made at decoration and dies with its callable: a weak reference's callback takes it out
//! and puts the plain entry back first, because a finaliser may still call what the collector has found.
//!
//! Invariants: nothing runs Python while the registry is locked. Code that was installed once is kept
//! until the callable dies, since a thread may be inside it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyWeakrefReference;
use rustc_hash::FxHashMap;

use crate::check::FunctionPlan;
use crate::cpython::function::fields;
use crate::cpython::running;
use crate::driver::Blueprint;
use crate::runtime::install;

use super::entry;
use super::unit::Loaded;

/// Why a function whose code object was replaced stays bytecode.
pub(super) const CODE_REPLACED: &str =
    "its __code__ was assigned: the new code runs unchecked and uncompiled";

/// How often a function is compiled anew: each unit is kept until the function dies.
const MOST_UNITS: u32 = 24;

/// A function that `jit` has seen.
pub(super) struct Record {
    /// Its module and qualified name, as `stats` prints them.
    pub(super) name: String,
    /// What it is compiled from; none when it can't be compiled.
    pub(super) blueprint: Option<Arc<Blueprint>>,
    /// The checks of its boundary, if its annotations are promises.
    pub(super) plan: Option<Py<FunctionPlan>>,
    /// The code object that it was proved with.
    code: Option<Py<PyAny>>,
    state: Mutex<State>,
    /// Every unit that was ever installed in it.
    kept: Mutex<Vec<Arc<Loaded>>>,
    /// How often the code was made anew because bets on a name were lost, by the name.
    losses: Mutex<FxHashMap<String, u32>>,
    /// Calls from the interpreter into its code; counted under strictness only.
    pub(super) calls: AtomicU64,
}

/// How far a function has come.
#[derive(Clone)]
pub(super) enum State {
    /// It is compiled at its first call.
    Waiting,
    /// Somebody is compiling it.
    Compiling,
    /// It is this function of this unit.
    Native(Arc<Loaded>, usize),
    /// It stays bytecode, for these reasons.
    Bytecode(Arc<[String]>),
}

impl Record {
    /// A record of a function that waits for its first call.
    pub(super) fn waiting(
        name: String,
        blueprint: Arc<Blueprint>,
        plan: Option<Py<FunctionPlan>>,
        code: Py<PyAny>,
    ) -> Arc<Record> {
        Arc::new(Record {
            name,
            blueprint: Some(blueprint),
            plan,
            code: Some(code),
            state: Mutex::new(State::Waiting),
            kept: Mutex::default(),
            losses: Mutex::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// A record for another function that the same `def` made.
    pub(super) fn twin(
        &self,
        py: Python<'_>,
        name: String,
        plan: Option<&Bound<'_, FunctionPlan>>,
    ) -> Arc<Record> {
        let code = self.code(py);
        let blueprint = self.blueprint.clone().expect("a kept record has a blueprint");
        Record::waiting(name, blueprint, plan.map(|plan| plan.clone().unbind()), code)
    }

    /// Whether it was made of this code object.
    pub(super) fn is_of_code(&self, code: &Bound<'_, PyAny>) -> bool {
        self.code.as_ref().is_some_and(|own| own.is(code))
    }

    /// A record of a function that stays bytecode.
    pub(super) fn bytecode(name: String, reasons: Vec<String>) -> Arc<Record> {
        Arc::new(Record {
            name,
            blueprint: None,
            plan: None,
            code: None,
            state: Mutex::new(State::Bytecode(reasons.into())),
            kept: Mutex::default(),
            losses: Mutex::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// The code object that it was proved with.
    ///
    /// # Panics
    /// For a function that stays bytecode.
    pub(super) fn code(&self, py: Python<'_>) -> Py<PyAny> {
        self.code.as_ref().expect("only functions with a blueprint are compiled").clone_ref(py)
    }

    /// Whether the function still has that code object.
    pub(super) fn has_code_of(&self, function: &Bound<'_, PyAny>) -> bool {
        // SAFETY: a live function, which always has a code object.
        let now = unsafe { fields(running().layout, function.as_ptr()).code };
        self.code.as_ref().is_some_and(|code| code.as_ptr() == now)
    }

    /// How far it has come.
    pub(super) fn state(&self) -> State {
        locked(&self.state).clone()
    }

    /// Goes from waiting to compiling; false when somebody else has done so.
    pub(super) fn begin(&self) -> bool {
        let mut state = locked(&self.state);
        let waits = matches!(*state, State::Waiting);
        if waits {
            *state = State::Compiling;
        }
        waits
    }

    /// Notes that bets on the name were lost; false where the code was made anew often enough.
    pub(super) fn lose(&self, path: &str) -> bool {
        let mut losses = locked(&self.losses);
        if losses.values().sum::<u32>() >= MOST_UNITS {
            return false;
        }
        *losses.entry(path.to_owned()).or_default() += 1;
        true
    }

    /// How often bets on the name were lost.
    pub(super) fn losses(&self, path: &str) -> u32 {
        locked(&self.losses).get(path).copied().unwrap_or_default()
    }

    /// Goes back from compiling to waiting.
    pub(super) fn give_up(&self) {
        let mut state = locked(&self.state);
        if matches!(*state, State::Compiling) {
            *state = State::Waiting;
        }
    }

    /// Whether it is still without code.
    pub(super) fn wants_code(&self) -> bool {
        matches!(*locked(&self.state), State::Waiting | State::Compiling)
    }

    /// Goes on to another state.
    pub(super) fn become_state(&self, state: State) {
        if let State::Native(unit, _) = &state {
            locked(&self.kept).push(Arc::clone(unit));
        }
        let old = std::mem::replace(&mut *locked(&self.state), state);
        drop(old);
    }
}

/// Records by the address of the callable, and addresses by that of the weak reference.
#[derive(Default)]
struct Registry {
    records: FxHashMap<usize, (Arc<Record>, Py<PyWeakrefReference>)>,
    callables: FxHashMap<usize, usize>,
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_registry<R>(use_it: impl FnOnce(&mut Registry) -> R) -> R {
    use_it(locked(&REGISTRY).get_or_insert_with(Registry::default))
}

/// The record of a callable.
pub(super) fn find(callable: *mut ffi::PyObject) -> Option<Arc<Record>> {
    with_registry(|registry| registry.records.get(&(callable as usize)).map(|(record, _)| Arc::clone(record)))
}

/// All records, in no order.
pub(super) fn all() -> Vec<(usize, Arc<Record>)> {
    with_registry(|registry| {
        registry.records.iter().map(|(&address, (record, _))| (address, Arc::clone(record))).collect()
    })
}

/// Files a record under a callable, in the place of an earlier one.
///
/// # Errors
/// When there is no memory for the weak reference.
pub(super) fn file(callable: &Bound<'_, PyAny>, record: Arc<Record>) -> PyResult<()> {
    let py = callable.py();
    let weak = PyWeakrefReference::new_with(callable, forget_dead_function(py)?)?;
    let (address, reference) = (callable.as_ptr() as usize, weak.as_ptr() as usize);
    let replaced = with_registry(|registry| {
        registry.callables.insert(reference, address);
        let replaced = registry.records.insert(address, (record, weak.unbind()));
        if let Some((_, weak)) = &replaced {
            registry.callables.remove(&(weak.as_ptr() as usize));
        }
        replaced
    });
    drop(replaced);
    Ok(())
}

fn forget_dead_function(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CALLBACK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let callback = CALLBACK
        .get_or_try_init(py, || Ok::<_, PyErr>(wrap_pyfunction!(forget_dead, py)?.into_any().unbind()))?;
    Ok(callback.bind(py))
}

/// Called with the weak reference of a callable that is dying.
#[pyfunction]
fn forget_dead(weak: &Bound<'_, PyAny>) {
    let reference = weak.as_ptr() as usize;
    let Some(address) = with_registry(|registry| registry.callables.remove(&reference)) else { return };
    // SAFETY: weak references are cleared before their object is freed, so its memory is still there.
    unsafe { entry::put_plain(address as *mut ffi::PyObject) };
    // Before the record, and with it the unit, is dropped.
    install::callable_died(address as *mut ffi::PyObject);
    let record = with_registry(|registry| registry.records.remove(&address));
    drop(record);
}
