//! A loaded unit together with the code that it runs.
//!
//! Invariant: it is dropped only when every callable that it was installed in is dead and no other unit
//! calls it, so no thread is in its code; and while the thread is attached.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::driver::Request;
use crate::driver::coverage::Coverage;
use crate::emit::jit::JitUnit;
use crate::runtime::unit::LoadedUnit;

use super::stats;

/// A loaded unit, its code, and the units whose functions it calls.
pub(super) struct Loaded {
    unit: ManuallyDrop<Box<LoadedUnit>>,
    code: ManuallyDrop<JitUnit>,
    /// Units that the code calls into.
    _others: Vec<Arc<Loaded>>,
    /// Units about loops of its functions.
    loops: Mutex<Vec<Arc<Loaded>>>,
    /// How it was made.
    pub(super) origin: Origin,
}

/// How a unit was made.
pub(super) struct Origin {
    /// What was asked for.
    pub(super) request: Request,
    /// Which ops it is made of.
    pub(super) coverage: Coverage,
    /// How long its compilation took.
    pub(super) took: Duration,
}

// SAFETY: the unit and its counters are used only by attached threads, one at a time.
unsafe impl Send for Loaded {}
// SAFETY: as above.
unsafe impl Sync for Loaded {}

impl Loaded {
    /// Joins what belongs together.
    pub(super) fn new(
        unit: Box<LoadedUnit>,
        code: JitUnit,
        others: Vec<Arc<Loaded>>,
        origin: Origin,
    ) -> Arc<Loaded> {
        Arc::new(Loaded {
            unit: ManuallyDrop::new(unit),
            code: ManuallyDrop::new(code),
            _others: others,
            loops: Mutex::default(),
            origin,
        })
    }

    /// Keeps a unit about a loop of one of its functions.
    pub(super) fn keep_loop(&self, unit: Arc<Loaded>) {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).push(unit);
    }

    /// How many functions were compiled in it.
    pub(super) fn own_functions(&self) -> u64 {
        self.unit.functions().iter().filter(|function| !function.code().is_null()).count() as u64
    }

    /// How many bytes of machine code it has.
    pub(super) fn code_bytes(&self) -> u64 {
        self.code.code_bytes()
    }

    /// The unit.
    pub(super) fn unit(&self) -> &LoadedUnit {
        &self.unit
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        stats::keep_counts(self);
        // They belong to this one.
        drop(std::mem::take(&mut *self.loops.lock().unwrap_or_else(PoisonError::into_inner)));
        // SAFETY: neither is used again; nobody runs the code any more, per the invariant, and the unit,
        // which uses the data, goes first.
        unsafe {
            ManuallyDrop::drop(&mut self.unit);
            ManuallyDrop::take(&mut self.code).free();
        }
    }
}
