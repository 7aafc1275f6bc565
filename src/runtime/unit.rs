//! A loaded unit: what compiled code and the helpers share about the functions compiled together.
//!
//! Word 1 of the unit's data points here. A unit never moves and lives as long as anything can run its
//! code; dropping it drops the objects that its data holds.

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::vectorcallfunc;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use rustc_hash::FxHashMap;

use crate::cpython::object;
use crate::cpython::object::drop_optional;
use crate::cpython::running;
use crate::cpython::thread;

use super::caches;
use super::caches::Sites;
use super::calls;
use super::cells;
use super::closures;
use super::constants;
use super::data::DataLayout;
use super::data::Fixed;
use super::enter;
use super::float;
use super::frames;
use super::install;
use super::loops::LoopState;
use super::meta::UnitMeta;
use super::object::word;
use super::quiet;
use super::sealed;
use super::table;

mod function;

pub use function::{Arity, LoadedFunction, Source};

/// A resume function: thread state, depth, entry number, slots, result of the inner frame.
pub type ResumeFn =
    unsafe extern "C" fn(*mut ffi::PyThreadState, i64, i64, *mut u64, *mut PyObject) -> *mut PyObject;

/// What has happened at an exit.
#[derive(Debug, Default)]
pub struct ExitCount {
    /// How often it was taken.
    pub taken: Cell<u64>,
    /// How often a direct call's object result was taken through it.
    pub with_result: Cell<u64>,
}

/// A unit whose code can run.
pub struct LoadedUnit {
    meta: UnitMeta,
    data: *mut u64,
    layout: DataLayout,
    /// Both namespaces are borrowed: whoever can run the unit's code is a function that owns them. A unit
    /// that owned the module's namespace would keep its functions, and so itself, alive for ever.
    globals: *mut PyObject,
    builtins: *mut PyObject,
    functions: Vec<LoadedFunction>,
    exits: Vec<ExitCount>,
    /// The instruction of each entry of each trace, once found.
    pub(super) instructions: RefCell<Vec<Option<Rc<[usize]>>>>,
    /// Dicts that cells point into.
    pinned: RefCell<Vec<Py<PyAny>>>,
    /// The object with which each cell was last found valid.
    expected: RefCell<Vec<Option<Py<PyAny>>>>,
    /// How often each cell was found lost.
    losses: Vec<Cell<u32>>,
    /// The inline caches, apart from their words.
    sites: Sites,
    /// What each loop counter was set to.
    waits: RefCell<Vec<u64>>,
    /// Turns of loops of generic versions, up to when their counters were set.
    turns: Cell<u64>,
    /// What is known of loops of its own functions, by the function and the header's first instruction.
    loops: RefCell<FxHashMap<(usize, u32), Rc<LoopState>>>,
}

impl LoadedUnit {
    /// Fills the data and makes the unit ready to run.
    ///
    /// # Errors
    /// When a constant can't be made (no memory) or what is passed does not fit the metadata.
    ///
    /// # Safety
    /// - [`crate::cpython::connect`] has succeeded.
    /// - `data` is writable, as large as the metadata says, zero but for the code pointers, and belongs
    ///   to the unit's code, which agrees with the metadata; both outlive the unit.
    /// - `sources` has one row for each function, in order; functions with other namespaces are never run.
    /// - The unit's code and helpers run only while a function that owns both namespaces is alive.
    pub unsafe fn load(
        meta: UnitMeta,
        data: *mut u64,
        globals: &Bound<'_, PyDict>,
        builtins: &Bound<'_, PyAny>,
        sources: Vec<Source>,
    ) -> PyResult<Box<LoadedUnit>> {
        let py = globals.py();
        if sources.len() != meta.functions.len() {
            return Err(PyValueError::new_err("a unit needs one source for each function"));
        }
        let functions = sources
            .into_iter()
            .zip(&meta.functions)
            .map(|(source, meta)| LoadedFunction::new(py, source, meta))
            .collect::<PyResult<Vec<_>>>()?;
        let unit = Box::new(LoadedUnit {
            layout: DataLayout::of(&meta),
            data,
            globals: globals.as_ptr(),
            builtins: builtins.as_ptr(),
            functions,
            exits: meta.exits.iter().map(|_| ExitCount::default()).collect(),
            instructions: RefCell::new(vec![None; meta.traces.len()]),
            pinned: RefCell::new(Vec::new()),
            expected: RefCell::new(meta.cells.iter().map(|_| None).collect()),
            losses: meta.cells.iter().map(|_| Cell::new(0)).collect(),
            sites: Sites::new(meta.caches.len()),
            waits: RefCell::default(),
            turns: Cell::new(0),
            loops: RefCell::default(),
            meta,
        });
        // SAFETY: the data is as large as the metadata says, per the caller's contract.
        unsafe { unit.fill(py)? };
        enter::announce_frames(unit.meta.body_frame, unit.meta.other_frame);
        caches::prepare(&unit);
        cells::watch_all(&unit)?;
        frames::add_unit(&unit);
        for number in 0..unit.functions.len() {
            calls::add_entry(unit.word(unit.layout.entry(number)));
        }
        Ok(unit)
    }

    /// Writes every word but the code pointers of the unit's own functions.
    unsafe fn fill(&self, py: Python<'_>) -> PyResult<()> {
        let state = unsafe {
            // SAFETY: the thread is attached.
            ffi::PyThreadState_Get()
        };
        // SAFETY: the thread state is the attached thread's.
        let breaker = unsafe { thread::breaker_address(running().layout, state) };
        // SAFETY: the singletons are immortal or counted by the process.
        let [none, yes, no, not_implemented] =
            unsafe { [ffi::Py_None(), ffi::Py_True(), ffi::Py_False(), ffi::Py_NotImplemented()] };
        // SAFETY: the thread is attached; the int is kept by the interpreter for ever.
        let small_ints = unsafe { object::small_int(running().layout.small_ints.first) };
        let words = [
            (Fixed::Helpers, word(table::addresses().as_ptr())),
            (Fixed::Unit, word(std::ptr::from_ref(self))),
            (Fixed::Breaker, word(breaker)),
            (Fixed::IntType, word(&raw const ffi::PyLong_Type)),
            (Fixed::FloatType, word(&raw const ffi::PyFloat_Type)),
            (Fixed::BoolType, word(&raw const ffi::PyBool_Type)),
            (Fixed::TupleType, word(&raw const ffi::PyTuple_Type)),
            (Fixed::None, word(none)),
            (Fixed::True, word(yes)),
            (Fixed::False, word(no)),
            (Fixed::Math, word(float::math_table())),
            (Fixed::ListIteratorType, quiet::list_iterator()),
            (Fixed::Site, word(frames::site_address())),
            (Fixed::ListType, word(&raw const ffi::PyList_Type)),
            (Fixed::StrType, word(&raw const ffi::PyUnicode_Type)),
            (Fixed::BytesType, word(&raw const ffi::PyBytes_Type)),
            (Fixed::ByteArrayType, word(&raw const ffi::PyByteArray_Type)),
            (Fixed::Entering, word(enter::entering())),
            (Fixed::NotImplemented, word(not_implemented)),
            (Fixed::SmallInts, word(small_ints)),
        ];
        for (place, value) in words {
            self.set_word(self.layout.fixed(place), value);
        }
        for (number, constant) in self.meta.consts.iter().enumerate() {
            let object = constants::make(py, constant)?;
            self.set_word(self.layout.constant(number), word(object.into_ptr()));
        }
        sealed::prepare(self);
        let loops = self.meta.loop_counters();
        let turns = if self.meta.forced_exits.is_some() { 1 } else { TURNS_BEFORE_ASKING };
        self.waits.replace(vec![turns; loops]);
        for number in 0..loops {
            self.set_word(self.layout.counter(number), turns);
        }
        if let Some(seed) = self.meta.forced_exits {
            let exits = self.meta.exits.len();
            for exit in 0..exits {
                self.set_word(self.layout.counter(loops + exit), forced_turn(seed, exits, exit));
            }
        }
        for number in 0..self.functions.len() {
            let (_, home) = self.resolve(number);
            self.set_word(self.layout.callable(number), word(home.callable.get()));
        }
        for (number, function) in self.functions.iter().enumerate() {
            if let Source::Other { unit, number: there } = function.source {
                // SAFETY: the other unit outlives this one.
                let other = unsafe { &*unit };
                for (mine, theirs) in [
                    (self.layout.entry(number), other.layout.entry(there)),
                    (self.layout.body(number), other.layout.body(there)),
                    (self.layout.resume(number), other.layout.resume(there)),
                ] {
                    // A unit about a loop has resume functions of its own.
                    if self.word(mine) == 0 {
                        self.set_word(mine, other.word(theirs));
                    }
                }
            }
        }
        Ok(())
    }

    /// The word at a byte offset of the data.
    #[must_use]
    pub fn word(&self, offset: usize) -> u64 {
        debug_assert!(offset < self.layout.size());
        // SAFETY: offsets come from the layout, which is that of the data.
        unsafe { self.data.byte_add(offset).read() }
    }

    /// Writes the word at a byte offset of the data.
    pub(super) fn set_word(&self, offset: usize, value: u64) {
        debug_assert!(offset < self.layout.size());
        // SAFETY: offsets come from the layout, which is that of the data; the thread is attached, so
        // nobody else writes.
        unsafe { self.data.byte_add(offset).write(value) }
    }

    /// Keeps a dict alive for as long as the unit is; its own namespaces live as long as it can run.
    pub(super) fn pin(&self, object: *mut PyObject) {
        if [self.globals, self.builtins].contains(&object) {
            return;
        }
        let mut pinned = self.pinned.borrow_mut();
        if !pinned.iter().any(|known| known.as_ptr() == object) {
            // SAFETY: the caller passes a live object; the thread is attached.
            pinned.push(unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), object).unbind() });
        }
    }

    /// The unit that has a function's code, and the function there.
    #[must_use]
    pub fn resolve(&self, number: usize) -> (&LoadedUnit, &LoadedFunction) {
        let loaded = &self.functions[number];
        match loaded.source {
            Source::Own { .. } | Source::Absent => (self, loaded),
            // SAFETY: the other unit outlives this one.
            Source::Other { unit, number } => unsafe { &*unit }.resolve(number),
        }
    }

    /// The callable that stands for a function of this unit, borrowed, or another function of the same code
    /// in its place when that is dead; none without memory.
    pub(super) fn function_object(&self, py: Python<'_>, loaded: &LoadedFunction) -> Option<*mut PyObject> {
        let known = loaded.object.get();
        if !known.is_null() {
            return Some(known);
        }
        if let Some(kept) = loaded.stand_in.get() {
            return Some(kept.as_ptr());
        }
        // An error path may ask; what is made must not see its exception.
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        // SAFETY: three places for owned references; not normalised, because nothing asks for that yet.
        unsafe { ffi::PyErr_Fetch(kind, value, traceback) };
        let made = self.new_function(py, loaded);
        let [kind, value, traceback] = parts;
        // SAFETY: the references are handed back.
        unsafe { ffi::PyErr_Restore(kind, value, traceback) };
        match made {
            Ok(made) => Some(loaded.stand_in.get_or_init(|| made.unbind()).as_ptr()),
            Err(error) => {
                // No memory: the frame is not shown.
                drop(error);
                None
            }
        }
    }

    /// A new plain function that runs the same code in the same module.
    pub(super) fn new_function<'py>(
        &self,
        py: Python<'py>,
        loaded: &LoadedFunction,
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the type of functions lives as long as the interpreter, the code object as the unit, the
        // namespace as long as the unit's code can run.
        let [class, code, globals] = unsafe {
            [running().function_type as *mut PyObject, loaded.code(), self.globals]
                .map(|object| Bound::from_borrowed_ptr(py, object))
        };
        if loaded.free == 0 {
            return install::make_unseen(|| class.call1((code, globals)));
        }
        let cells = (0..loaded.free).map(|_| closures::empty_cell(py)).collect::<PyResult<Vec<_>>>()?;
        let cells = PyTuple::new(py, cells)?;
        install::make_unseen(|| class.call1((code, globals, py.None(), py.None(), cells)))
    }

    /// Records the object with which a cell was found valid.
    pub(super) fn expect(&self, cell: usize, object: Bound<'_, PyAny>) {
        let py = object.py();
        let before = self.expected.borrow_mut()[cell].replace(object.unbind());
        // PyO3, which compiled code does not tell that it runs, would keep the reference for later.
        drop(before.map(|before| before.into_bound(py)));
    }

    /// The object with which a cell was last found valid.
    pub(super) fn expected<'py>(&self, py: Python<'py>, cell: usize) -> Option<Bound<'py, PyAny>> {
        self.expected.borrow()[cell].as_ref().map(|object| object.bind(py).clone())
    }

    /// The unit that compiled a function first, and the function's number there.
    #[must_use]
    pub fn home(&self, number: usize) -> (&LoadedUnit, usize) {
        match self.functions[number].source {
            Source::Own { .. } | Source::Absent => (self, number),
            // SAFETY: the other unit outlives this one.
            Source::Other { unit, number } => unsafe { &*unit }.home(number),
        }
    }

    /// Whether it calls functions that other units have compiled.
    pub(super) fn calls_others(&self) -> bool {
        self.functions.iter().any(|function| matches!(function.source, Source::Other { .. }))
    }

    /// What is known of a loop of a function of this unit.
    pub(super) fn loop_state(&self, function: usize, inst: u32) -> Rc<LoopState> {
        Rc::clone(self.loops.borrow_mut().entry((function, inst)).or_default())
    }

    /// What is known of all loops that ever asked, by the function's number.
    #[must_use]
    pub fn loops(&self) -> Vec<(usize, Rc<LoopState>)> {
        self.loops.borrow().iter().map(|((function, _), known)| (*function, Rc::clone(known))).collect()
    }

    /// Has a loop of a generic version ask after so many turns.
    pub(super) fn set_loop_counter(&self, counter: u32, turns: u64) {
        self.turns.set(self.turns.get() + self.counted_turns(counter as usize));
        self.waits.borrow_mut()[counter as usize] = turns;
        self.set_word(self.layout.counter(counter as usize), turns);
    }

    /// Turns of a loop of a generic version since its counter was set.
    fn counted_turns(&self, counter: usize) -> u64 {
        self.waits.borrow()[counter].wrapping_sub(self.word(self.layout.counter(counter)))
    }

    /// How many turns loops have made in generic versions.
    #[must_use]
    pub fn generic_turns(&self) -> u64 {
        self.turns.get()
            + (0..self.waits.borrow().len()).map(|counter| self.counted_turns(counter)).sum::<u64>()
    }

    /// Counts an exit that is taken.
    pub(super) fn count_exit(&self, exit: usize, has_result: bool) {
        let count = &self.exits[exit];
        let taken = if has_result { &count.with_result } else { &count.taken };
        taken.set(taken.get() + 1);
    }

    /// Counts one more time that a cell was found lost.
    pub(super) fn count_loss(&self, cell: usize) -> u32 {
        let losses = self.losses[cell].get().saturating_add(1);
        self.losses[cell].set(losses);
        losses
    }

    /// The inline caches, apart from their words.
    pub(super) fn sites(&self) -> &Sites {
        &self.sites
    }

    /// What the code says of itself.
    #[must_use]
    pub fn meta(&self) -> &UnitMeta {
        &self.meta
    }

    /// Where things stand in the data.
    #[must_use]
    pub fn layout(&self) -> DataLayout {
        self.layout
    }

    /// The module's namespace, borrowed.
    #[must_use]
    pub fn globals(&self) -> *mut PyObject {
        self.globals
    }

    /// The builtins' namespace, borrowed; a dict unless somebody replaced it.
    #[must_use]
    pub fn builtins(&self) -> *mut PyObject {
        self.builtins
    }

    /// The functions.
    #[must_use]
    pub fn functions(&self) -> &[LoadedFunction] {
        &self.functions
    }

    /// What has happened at the exits, in the order of their numbers.
    #[must_use]
    pub fn exits(&self) -> &[ExitCount] {
        &self.exits
    }

    /// A constant, borrowed.
    #[must_use]
    pub fn constant(&self, number: usize) -> *mut PyObject {
        self.word(self.layout.constant(number)) as *mut PyObject
    }

    /// A function's entry.
    ///
    /// # Panics
    /// When the code generator wrote none.
    #[must_use]
    pub fn entry(&self, number: usize) -> vectorcallfunc {
        let address = self.word(self.layout.entry(number)) as *const ();
        assert!(!address.is_null(), "function {number} has an entry");
        // SAFETY: the code generator wrote the address of a vectorcall function there.
        unsafe { std::mem::transmute::<*const (), vectorcallfunc>(address) }
    }

    /// A function's resume function.
    ///
    /// # Panics
    /// When the code generator wrote none.
    #[must_use]
    pub fn resume(&self, number: usize) -> ResumeFn {
        let address = self.word(self.layout.resume(number)) as *const ();
        assert!(!address.is_null(), "function {number} has a resume function");
        // SAFETY: the code generator wrote the address of a resume function there.
        unsafe { std::mem::transmute::<*const (), ResumeFn>(address) }
    }

    /// Whether the function has a specialised body.
    #[must_use]
    pub fn has_body(&self, number: usize) -> bool {
        self.word(self.layout.body(number)) != 0
    }
}

impl Drop for LoadedUnit {
    fn drop(&mut self) {
        cells::forget_unit(self);
        frames::remove_unit(self);
        for (number, function) in self.functions.iter().enumerate() {
            if !matches!(function.source, Source::Other { .. }) {
                calls::remove_entry(self.word(self.layout.entry(number)));
            }
        }
        for number in 0..self.meta.consts.len() {
            let object = self.constant(number);
            self.set_word(self.layout.constant(number), 0);
            // SAFETY: the data owned the constant; a unit is dropped while the thread is attached.
            unsafe { drop_optional(object) };
        }
    }
}

/// How many turns a loop of a generic version makes before it asks for a specialised one.
const TURNS_BEFORE_ASKING: u64 = 300;

/// At which time, counted from 1, one of a unit's exits is forced: soon more often than late. In half of the units most
/// of them wait for the others, or else those at the end of a function would hardly ever be come to.
fn forced_turn(seed: u64, exits: usize, exit: usize) -> u64 {
    const WAVE: u64 = 32;
    let unit = scattered(seed.wrapping_add(exits as u64));
    let bits = scattered(unit.wrapping_add(exit as u64));
    let waves = if unit & 1 == 0 { 1 } else { 6 };
    1 + (bits >> 8) % (1 << (bits & 7)) + WAVE * ((bits >> 40) % waves)
}

/// A number whose bits depend on all bits of this one: the first steps of SplitMix64's (Steele, Lea and Flood, 2014).
fn scattered(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB)
}
