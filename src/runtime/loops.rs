//! Loop versions: from the generic version back into specialised code.
//!
//! A generic version asks at its loop headers. Where a version of the loop exists whose kinds fit the
//! objects that are live there, they are taken out of their boxes and it goes on; where none does, one is
//! compiled for what is there, unless that was tried in vain. What is learnt about a loop belongs to the
//! unit that compiled the function first, so all its units share it.
//!
//! A version that exits 64 times in a row, each time within a turn, is not tried any more. An op whose
//! result does not fit 64 bits so often is computed wide in the version that replaces it.

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;
use pyo3::prelude::*;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::cpython::container;
use crate::cpython::object;
use crate::cpython::object::drop_ref;
use crate::cpython::running;
use crate::cpython::thread;
use crate::ir::StartClass;
use crate::ir::StartItem;
use crate::ir::StartKind;
use crate::ir::StartStep;
use crate::ir::start::WIDE_BITS;

use super::data::EXITED;
use super::data::WITH_RESULT;
use super::frames;
use super::frames::Segment;
use super::meta::LoopMeta;
use super::meta::Wants;
use super::object::dies_silently;
use super::object::exact_int;
use super::unit::LoadedUnit;
use super::unit::ResumeFn;

/// How often a version may exit in a row without a turn, and how often an op may need more than 64 bits.
const MOST_EXITS: u32 = 64;

/// How many kinds a loop is compiled for in vain before it is not compiled any more.
const MOST_VAIN: usize = 16;

/// How many versions a loop has.
const MOST_VERSIONS: usize = 6;

/// Lists further inside of others count as any object.
const DEEPEST_LIST: u8 = 4;

/// After how many turns a loop asks again when nothing fitted, at first and at last.
const FIRST_WAIT: u64 = 64;
const LAST_WAIT: u64 = 1 << 40;

/// What a version is wanted for.
#[derive(Debug)]
pub struct Wanted {
    /// The function's number in the unit that compiled it first.
    pub function: usize,
    /// The first instruction of the loop's header.
    pub inst: u32,
    /// How to hold what is live there.
    pub kinds: Vec<StartKind>,
    /// Ops that need more than 64 bits: function number and instruction.
    pub wide: FxHashSet<(u32, u32)>,
}

/// A version that was compiled.
pub struct LoopVersion {
    /// Its unit, which lives as long as the one it was compiled for.
    pub unit: *const LoadedUnit,
    /// Its code.
    pub code: ResumeFn,
    /// How it holds what is live at the header.
    pub kinds: Vec<StartKind>,
}

/// Compiles a version of a loop of this unit; none where that gains nothing.
pub type Compile = fn(Python<'_>, &LoadedUnit, &Wanted) -> PyResult<Option<LoopVersion>>;

static COMPILE: OnceLock<Compile> = OnceLock::new();

/// Says who compiles; the first answer stays.
pub fn set_compiler(compile: Compile) {
    COMPILE.get_or_init(|| compile);
}

/// What has happened at a loop.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopCount {
    /// How often a version of it was entered.
    pub entered: u64,
    /// How many turns versions made before they exited.
    pub turns: u64,
    /// How many versions are not tried any more.
    pub given_up: u64,
}

/// What is known of a loop.
#[derive(Default)]
pub struct LoopState {
    versions: RefCell<Vec<Rc<Version>>>,
    /// Kinds for which a version gains nothing.
    vain: RefCell<FxHashSet<Vec<StartKind>>>,
    /// Sites that overflowed, with how often.
    overflows: RefCell<FxHashMap<(u32, u32), u32>>,
    wait: Cell<u64>,
    /// Whether nothing has fitted since the loop last waited.
    missed: Cell<bool>,
    compiling: Cell<bool>,
    count: Cell<LoopCount>,
}

struct Version {
    made: LoopVersion,
    /// How many words it may leave behind.
    room: usize,
    wide: FxHashSet<(u32, u32)>,
    /// Exits in a row within one turn.
    row: Cell<u32>,
    is_idle: Cell<bool>,
}

impl LoopState {
    /// What has happened here.
    #[must_use]
    pub fn count(&self) -> LoopCount {
        self.count.get()
    }
}

/// How a call goes on from a loop header.
pub(super) enum GoOn {
    /// In the generic version.
    Generic,
    /// It is finished: this is the result, or null with the exception set.
    Done(*mut PyObject),
    /// A loop version has left: unit, exit, its words and the result of a direct call if it is that
    /// call's exit.
    Exit(*const LoadedUnit, usize, Vec<u64>, *mut PyObject),
}

/// Goes on at a loop header, whose slots these are. They are taken unless the generic version goes on.
///
/// # Safety
/// The thread is attached and `state` its state; the slots are what the metadata says, owned.
pub(super) unsafe fn go_on(
    unit: &LoadedUnit,
    function: usize,
    meta: &LoopMeta,
    slots: &mut [u64],
    (state, depth): (*mut PyThreadState, i64),
    around: &Segment,
) -> GoOn {
    let (home, number) = unit.home(function);
    let known = home.loop_state(number, meta.inst);
    // SAFETY: the slots are what the metadata says.
    let found = unsafe { fitting(&known, meta, slots) };
    let found = match found {
        Some(found) => found,
        None => {
            // SAFETY: as above.
            match unsafe { compile_fitting(home, number, &known, meta, slots) } {
                Ok(Some(found)) => found,
                Ok(None) => {
                    unit.set_loop_counter(meta.counter, known.wait.get());
                    return GoOn::Generic;
                }
                Err(error) => {
                    // SAFETY: the slots are owned.
                    unsafe { drop_slots(meta, slots) };
                    // SAFETY: the thread is attached.
                    error.restore(unsafe { Python::assume_attached() });
                    return GoOn::Done(std::ptr::null_mut());
                }
            }
        }
    };
    known.missed.set(false);
    unit.set_loop_counter(meta.counter, 0);
    // SAFETY: the version fits the slots, per `fitting`.
    unsafe { enter(&known, &found, meta, slots, (state, depth), around) }
}

/// Runs a version on slots that fit it.
unsafe fn enter(
    known: &LoopState,
    version: &Version,
    meta: &LoopMeta,
    slots: &mut [u64],
    (state, depth): (*mut PyThreadState, i64),
    around: &Segment,
) -> GoOn {
    let layout = running().layout;
    let mut count = known.count.get();
    count.entered += 1;
    known.count.set(count);
    // SAFETY: the caller's contract; the words are laid out as the version's parameters, and there is room
    // for what it leaves behind. A version may leave another depth behind than it found.
    let (answer, words) = unsafe {
        let mut words = unbox(&version.made.kinds, meta, slots);
        words.resize(words.len().max(version.room), 0);
        let before = thread::recursion_remaining(layout, state);
        let limit = thread::recursion_limit(layout, state);
        frames::announce(around);
        let answer = (version.made.code)(state, depth, 0, words.as_mut_ptr(), std::ptr::null_mut());
        let moved = thread::recursion_limit(layout, state) - limit;
        thread::set_recursion_remaining(layout, state, before + moved);
        (answer as i64, words)
    };
    if answer & EXITED == 0 {
        version.row.set(0);
        return GoOn::Done(answer as *mut PyObject);
    }
    let exit = usize::try_from(answer >> 2).expect("exits are numbered from 0");
    // SAFETY: the unit lives as long as the one it was compiled for, which runs.
    let unit = unsafe { &*version.made.unit };
    let own = unit.meta().exits[exit].words.len();
    let has_result = answer & WITH_RESULT != 0;
    let result = if has_result { words[own + 1] as *mut PyObject } else { std::ptr::null_mut() };
    unit.count_exit(exit, has_result);
    known.learn(version, unit.meta().exits[exit].overflow, words[own]);
    GoOn::Exit(version.made.unit, exit, words, result)
}

impl LoopState {
    /// Notes an exit after so many turns.
    fn learn(&self, version: &Version, overflow: Option<(u32, u32)>, turns: u64) {
        let mut count = self.count.get();
        count.turns += turns;
        version.row.set(if turns <= 1 { version.row.get() + 1 } else { 0 });
        let mut is_idle = version.row.get() >= MOST_EXITS;
        if let Some(site) = overflow.filter(|site| !version.wide.contains(site)) {
            let mut overflows = self.overflows.borrow_mut();
            let times = overflows.entry(site).or_default();
            *times += 1;
            is_idle |= *times >= MOST_EXITS;
        }
        if is_idle && !version.is_idle.replace(true) {
            count.given_up += 1;
        }
        self.count.set(count);
    }

    fn wide_sites(&self) -> FxHashSet<(u32, u32)> {
        let overflows = self.overflows.borrow();
        overflows.iter().filter(|(_, times)| **times >= MOST_EXITS).map(|(site, _)| *site).collect()
    }

    /// Waits longer each time.
    fn wait_longer(&self) {
        self.wait.set((self.wait.get() * 4).clamp(FIRST_WAIT, LAST_WAIT));
    }
}

/// The version that fits what is live, if there is one.
unsafe fn fitting(known: &LoopState, meta: &LoopMeta, slots: &[u64]) -> Option<Rc<Version>> {
    let versions = known.versions.borrow();
    let mut tried = versions.iter().filter(|version| !version.is_idle.get());
    // SAFETY: the slots are what the metadata says.
    let found = tried.find(|version| unsafe {
        let mut values = version.made.kinds.iter().zip(slots).zip(&meta.slots);
        values.all(|((&kind, &slot), &wants)| fits(kind, slot, wants))
    });
    found.cloned()
}

/// A new version for what is live; none where there are enough, or it would gain nothing.
unsafe fn compile_fitting(
    home: &LoadedUnit,
    number: usize,
    known: &LoopState,
    meta: &LoopMeta,
    slots: &[u64],
) -> PyResult<Option<Rc<Version>>> {
    let is_first = known.versions.borrow().is_empty() && known.wait.get() == 0;
    if !is_first && !known.missed.replace(true) {
        // Kinds that come once need no version.
        known.wait.set(FIRST_WAIT);
        return Ok(None);
    }
    known.wait_longer();
    let is_full = known.versions.borrow().len() >= MOST_VERSIONS;
    let Some(compile) = COMPILE.get().filter(|_| !is_full && !known.compiling.get()) else { return Ok(None) };
    // SAFETY: the slots are what the metadata says.
    let kinds: Vec<StartKind> =
        slots.iter().zip(&meta.slots).map(|(&slot, &wants)| unsafe { kind_of(slot, wants) }).collect();
    if kinds.iter().all(|kind| matches!(kind, StartKind::Object | StartKind::None | StartKind::Truth)) {
        return Ok(None);
    }
    if known.vain.borrow().contains(&kinds) || known.vain.borrow().len() >= MOST_VAIN {
        return Ok(None);
    }
    let wide = known.wide_sites();
    let wanted = Wanted { function: number, inst: meta.inst, kinds, wide: wide.clone() };
    known.compiling.set(true);
    // SAFETY: the thread is attached, as for every helper.
    let made = compile(unsafe { Python::assume_attached() }, home, &wanted);
    known.compiling.set(false);
    let Some(made) = made? else {
        known.vain.borrow_mut().insert(wanted.kinds);
        return Ok(None);
    };
    // SAFETY: the unit lives as long as `home`.
    let exits = unsafe { &(*made.unit).meta().exits };
    let room = 2 + exits.iter().map(|exit| exit.words.len()).max().unwrap_or(0);
    let version = Rc::new(Version { made, room, wide, row: Cell::new(0), is_idle: Cell::new(false) });
    known.versions.borrow_mut().push(Rc::clone(&version));
    known.wait.set(FIRST_WAIT);
    // SAFETY: as above. The compiler may hold a value in another way than was asked for.
    let fits = unsafe { fitting(known, meta, slots) };
    Ok(fits.filter(|found| Rc::ptr_eq(found, &version)))
}

/// How to hold what is in a slot.
unsafe fn kind_of(slot: u64, wants: Wants) -> StartKind {
    if wants == Wants::Truth {
        return StartKind::Truth;
    }
    // SAFETY: the slot holds a live object.
    if let Some(class) = unsafe { class_of(slot as *mut PyObject) } {
        return StartKind::Exact(class);
    }
    let kinds = [
        StartKind::None,
        StartKind::Bool,
        StartKind::Int,
        StartKind::Wide,
        StartKind::Float,
        StartKind::RangeIter(StartStep::Up),
        StartKind::RangeIter(StartStep::Down),
        StartKind::RangeIter(StartStep::Any),
    ];
    // SAFETY: the slot holds a live object.
    kinds.into_iter().find(|&kind| unsafe { fits(kind, slot, wants) }).unwrap_or(StartKind::Object)
}

/// Whether what is in a slot can be held in this way.
unsafe fn fits(kind: StartKind, slot: u64, wants: Wants) -> bool {
    if wants == Wants::Truth {
        return kind == StartKind::Truth;
    }
    let object = slot as *mut PyObject;
    let layout = running().layout;
    // SAFETY: the slot holds a live object; its type is tested before its fields are read.
    unsafe {
        match kind {
            StartKind::Truth => false,
            StartKind::Object => true,
            StartKind::Unread => dies_silently(object),
            StartKind::Exact(class) => class_of(object) == Some(class),
            StartKind::None => object == ffi::Py_None(),
            StartKind::Bool => object == ffi::Py_True() || object == ffi::Py_False(),
            StartKind::Int => exact_int(object).is_some(),
            StartKind::Wide => {
                object::is_int(object) && object::wide_int_value(layout, object, WIDE_BITS).is_some()
            }
            StartKind::Float => object::is_float(object) && !object::float_value(layout, object).is_nan(),
            StartKind::RangeIter(wanted) => {
                object::type_of(object) == &raw mut ffi::PyRangeIter_Type
                    && ffi::Py_REFCNT(object) == 1
                    && range_words(object).is_some_and(|(step, _)| step == wanted)
            }
        }
    }
}

/// The class of an object that stays one.
unsafe fn class_of(object: *mut PyObject) -> Option<StartClass> {
    // SAFETY: the caller passes a live object.
    let ty = unsafe { object::type_of(object) };
    Some(match ty {
        _ if ty == &raw mut ffi::PyUnicode_Type => StartClass::Str,
        _ if ty == &raw mut ffi::PyBytes_Type => StartClass::Bytes,
        _ if ty == &raw mut ffi::PyByteArray_Type => StartClass::ByteArray,
        _ if ty == &raw mut ffi::PyList_Type => {
            // SAFETY: as above.
            let (depth, item) = unsafe { innermost_item(object) };
            StartClass::List(depth, item)
        }
        _ => return None,
    })
}

/// How many lists there are inside each other, and what the first item of the innermost is.
unsafe fn innermost_item(list: *mut PyObject) -> (u8, StartItem) {
    let mut list = list;
    for depth in 1..=DEEPEST_LIST {
        // SAFETY: a live list keeps its items alive, and nothing runs meanwhile.
        unsafe {
            let Some(&first) = container::list_items(running().layout, list).first() else {
                return (depth, StartItem::Never);
            };
            let ty = object::type_of(first);
            if ty != &raw mut ffi::PyList_Type {
                return (depth, item_of(first, ty));
            }
            list = first;
        }
    }
    (DEEPEST_LIST, StartItem::Object)
}

fn item_of(item: *mut PyObject, ty: *mut ffi::PyTypeObject) -> StartItem {
    // SAFETY: the singleton's address is always valid.
    let none = unsafe { ffi::Py_None() };
    match ty {
        _ if item == none => StartItem::None,
        _ if ty == &raw mut ffi::PyBool_Type => StartItem::Bool,
        _ if ty == &raw mut ffi::PyLong_Type => StartItem::Int,
        _ if ty == &raw mut ffi::PyFloat_Type => StartItem::Float,
        _ if ty == &raw mut ffi::PyUnicode_Type => StartItem::Str,
        _ => StartItem::Object,
    }
}

/// The words of a range iterator: the next number, where it stops or how many are left, the step. None
/// where it stops outside of 64 bits.
unsafe fn range_words(object: *mut PyObject) -> Option<(StartStep, [i64; 3])> {
    // SAFETY: the caller passes a live range iterator.
    let [next, left, step] = unsafe { object::range_iter(running().layout, object) };
    let stop = left.checked_mul(step).and_then(|distance| next.checked_add(distance));
    Some(match step {
        1 => (StartStep::Up, [next, stop?, step]),
        -1 => (StartStep::Down, [next, stop?, step]),
        _ => (StartStep::Any, [next, left, step]),
    })
}

/// Takes the objects out of their boxes; those that stay objects are handed over.
unsafe fn unbox(kinds: &[StartKind], meta: &LoopMeta, slots: &[u64]) -> Vec<u64> {
    let layout = running().layout;
    let mut words = Vec::with_capacity(slots.len() + 2);
    for ((&kind, &slot), &wants) in kinds.iter().zip(slots).zip(&meta.slots) {
        let object = slot as *mut PyObject;
        // SAFETY: the slot holds an owned object that fits the kind, or a truth value.
        unsafe {
            match kind {
                StartKind::Truth | StartKind::Object | StartKind::Exact(_) => words.push(slot),
                StartKind::None | StartKind::Unread => {}
                StartKind::Bool => words.push(u64::from(object == ffi::Py_True())),
                StartKind::Int => words.push(exact_int(object).unwrap_or_default().cast_unsigned()),
                StartKind::Wide => {
                    let value = object::wide_int_value(layout, object, WIDE_BITS).unwrap_or_default();
                    let value = value.cast_unsigned();
                    words.extend([low_half(value), low_half(value >> 64)]);
                }
                StartKind::Float => words.push(object::float_value(layout, object).to_bits()),
                StartKind::RangeIter(_) => {
                    let (_, numbers) = range_words(object).unwrap_or((StartStep::Any, [0, 0, 1]));
                    words.extend(numbers.map(i64::cast_unsigned));
                }
            }
            let stays = matches!(kind, StartKind::Object | StartKind::Exact(_));
            if wants == Wants::Object && !stays {
                drop_ref(object);
            }
        }
    }
    words
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
fn low_half(value: u128) -> u64 {
    value as u64
}

unsafe fn drop_slots(meta: &LoopMeta, slots: &[u64]) {
    for (&slot, &wants) in slots.iter().zip(&meta.slots) {
        if wants == Wants::Object {
            // SAFETY: an owned object, per the caller's contract.
            unsafe { drop_ref(slot as *mut PyObject) };
        }
    }
}
