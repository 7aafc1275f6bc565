//! Lost bets: rebuilds the values of the generic version at an exit and finishes the call there.

use std::ffi::c_int;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyThreadState;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustc_hash::FxHashMap;

use crate::cpython::object::drop_optional;
use crate::cpython::object::drop_ref;
use crate::cpython::object::new_ref;
use crate::cpython::running;
use crate::cpython::thread;

use super::cells;
use super::data::ASKS;
use super::frames;
use super::frames::Segment;
use super::install;
use super::loops;
use super::loops::GoOn;
use super::meta::ExitMeta;
use super::meta::FrameMeta;
use super::meta::LoopMeta;
use super::meta::SlotMeta;
use super::meta::Wants;
use super::meta::WordType;
use super::names::Name;
use super::object::obj_tuple;
use super::object::truth_object;
use super::object::word;
use super::promise;
use super::sealed;
use super::string::str_char;
use super::table::position;
use super::unit::LoadedUnit;
use super::wide;

/// Finishes the call in the generic version; see the helper table.
///
/// # Safety
/// - The unit is loaded, `exit` is one of its exits and `words` holds the exit's words.
/// - Object words are owned and taken; the thread is attached and `state` its state.
pub unsafe extern "C" fn resume(
    unit: *const LoadedUnit,
    exit: i64,
    words: *const u64,
    state: *mut PyThreadState,
    depth: i64,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the unit lives while its code runs.
    unsafe {
        let body = frames::take_body();
        (*unit).count_exit(position(exit), false);
        finish(&*unit, (position(exit), body), words, state, depth, std::ptr::null_mut())
    }
}

/// As [`resume`], for the exit of a direct call whose result came back as this object (taken).
///
/// # Safety
/// As [`resume`]; the result is owned.
pub unsafe extern "C" fn resume_with_result(
    unit: *const LoadedUnit,
    exit: i64,
    words: *const u64,
    state: *mut PyThreadState,
    depth: i64,
    result: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; the unit lives while its code runs.
    unsafe {
        let body = frames::take_body();
        (*unit).count_exit(position(exit), true);
        finish(&*unit, (position(exit), body), words, state, depth, result)
    }
}

/// Checks a result against the promise. 0 or -1.
///
/// # Safety
/// The unit is loaded and has this function and cache; the result is alive, the thread attached.
pub unsafe extern "C" fn check_result(
    unit: *const LoadedUnit,
    number: i64,
    cache: i64,
    result: *mut PyObject,
) -> c_int {
    // SAFETY: the caller's contract; the unit lives while its code runs.
    unsafe {
        if promise::is_settled(&*unit, position(number), None, position(cache), result) {
            frames::pass();
            return 0;
        }
        let _frames = frames::link();
        let (_, loaded) = (&*unit).resolve(position(number));
        let callable = loaded.callable.get();
        let function = if callable.is_null() { callable } else { install::function_of(callable) };
        loaded.check_result(function, result)
    }
}

unsafe fn finish(
    unit: &LoadedUnit,
    (exit, body): (usize, *const u64),
    words: *const u64,
    state: *mut PyThreadState,
    depth: i64,
    result: *mut PyObject,
) -> *mut PyObject {
    let layout = running().layout;
    let meta = &unit.meta().exits[exit];
    // SAFETY: `words` holds as many words as the metadata says.
    unsafe {
        let words = std::slice::from_raw_parts(words, meta.words.len());
        let before = thread::recursion_remaining(layout, state);
        let limit = thread::recursion_limit(layout, state);
        let root = Segment { unit, exit: None, outer: std::ptr::null(), body };
        let Some(last) = run_inner((unit, exit), words, (state, depth), result, &root) else {
            return std::ptr::null_mut();
        };
        let remaining = i32::try_from(depth - 1).expect("CPython's counter is an int");
        let moved = thread::recursion_limit(layout, state) - limit;
        thread::set_recursion_remaining(layout, state, remaining + moved);
        let result = drive(last, (state, depth), &root);
        let moved = thread::recursion_limit(layout, state) - limit;
        thread::set_recursion_remaining(layout, state, before + moved);
        result
    }
}

/// A frame that goes on in its generic version.
struct Frame {
    unit: *const LoadedUnit,
    function: usize,
    entry: i64,
    slots: Vec<u64>,
    /// The result of the call that it waits for: null where it has raised, or where it waits for none.
    result: *mut PyObject,
}

/// Builds an exit's frames and runs all but the outermost, which is the body's own and is returned; none
/// with an exception set when an object could not be made. Each one further in has one call less left.
unsafe fn run_inner(
    (unit, exit): (&LoadedUnit, usize),
    words: &[u64],
    (state, depth): (*mut PyThreadState, i64),
    result: *mut PyObject,
    around: &Segment,
) -> Option<Frame> {
    let layout = running().layout;
    let meta = &unit.meta().exits[exit];
    // SAFETY: the caller's contract; object words are owned, and slots taken by the frames they are for.
    unsafe {
        let frames = build_frames(unit, meta, words);
        for (&value, &ty) in words.iter().zip(&meta.words) {
            if ty == WordType::Obj {
                drop_ref(value as *mut PyObject);
            }
        }
        let Some(frames) = frames else {
            drop_optional(result);
            return None;
        };
        let mut result = result;
        let mut inside = meta.frames.len();
        for (number, (frame, slots)) in meta.frames.iter().zip(frames).enumerate() {
            inside -= 1;
            let entry = i64::from(frame.entry);
            result = accepted(frame, result);
            let frame = Frame { unit, function: frame.function as usize, entry, slots, result };
            if inside == 0 {
                return Some(frame);
            }
            let depth = depth - inside.cast_signed() as i64;
            let before = thread::recursion_remaining(layout, state);
            let limit = thread::recursion_limit(layout, state);
            let remaining = i32::try_from(depth - 1).expect("CPython's counter is an int");
            thread::set_recursion_remaining(layout, state, remaining);
            let segment = Segment { unit, exit: Some((exit, number)), outer: around, body: std::ptr::null() };
            result = drive(frame, (state, depth), &segment);
            let moved = thread::recursion_limit(layout, state) - limit;
            thread::set_recursion_remaining(layout, state, before + moved);
        }
        unreachable!("the verifier refuses exits without frames")
    }
}

/// The result that a frame waits for; null with TypeError set where it waits for that of an operator, which is
/// NotImplemented.
unsafe fn accepted(frame: &FrameMeta, result: *mut PyObject) -> *mut PyObject {
    let Some(text) = &frame.declined else { return result };
    // SAFETY: the result is owned or null; the thread is attached.
    unsafe {
        if result != ffi::Py_NotImplemented() {
            return result;
        }
        drop_ref(result);
        PyTypeError::new_err(text.clone()).restore(Python::assume_attached());
        std::ptr::null_mut()
    }
}

/// Runs a frame to its end, in its generic version and in loop versions by turns. The thread state says
/// how deep it is.
unsafe fn drive(
    mut frame: Frame,
    (state, depth): (*mut PyThreadState, i64),
    around: &Segment,
) -> *mut PyObject {
    // SAFETY: the caller's contract; units live while their code runs, and one that a loop version belongs
    // to as long as the unit it was compiled for.
    unsafe {
        loop {
            let unit = &*frame.unit;
            let loops = &unit.meta().functions[frame.function].loops;
            let room = room_for(unit, frame.function);
            frame.slots.resize(frame.slots.len().max(room), 0);
            let slots = frame.slots.as_mut_ptr();
            frames::announce(around);
            let answer = unit.resume(frame.function)(state, depth, frame.entry, slots, frame.result);
            if answer as i64 & ASKS == 0 {
                return answer;
            }
            frame.entry = answer as i64 >> 1;
            frame.result = std::ptr::null_mut();
            let at_entry = |meta: &&LoopMeta| i64::from(meta.entry) == frame.entry;
            let meta = loops.iter().find(at_entry).expect("only loop headers ask");
            let slots = &mut frame.slots[..meta.slots.len()];
            match loops::go_on(unit, frame.function, meta, slots, (state, depth), around) {
                GoOn::Generic => {}
                GoOn::Done(result) => return result,
                GoOn::Exit(unit, exit, words, result) => {
                    let meta = &(*unit).meta().exits[exit];
                    let words = &words[..meta.words.len()];
                    match run_inner((&*unit, exit), words, (state, depth), result, around) {
                        Some(outermost) => frame = outermost,
                        None => return std::ptr::null_mut(),
                    }
                }
            }
        }
    }
}

/// How many words the loop headers of a function's generic version leave in the memory that it was lent.
pub(super) fn room_for(unit: &LoadedUnit, function: usize) -> usize {
    let loops = &unit.meta().functions[function].loops;
    loops.iter().map(|meta| meta.slots.len()).max().unwrap_or(0)
}

/// Runs a resume function as one more frame of the thread.
///
/// # Safety
/// The slots are those of the entry, owned and taken; the thread is attached and has depth left.
pub(super) unsafe fn run(unit: &LoadedUnit, number: usize, entry: i64, slots: Vec<u64>) -> *mut PyObject {
    let layout = running().layout;
    // SAFETY: the attached thread's own state; the counter is put back by as much as it was lowered.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let depth = thread::recursion_remaining(layout, state);
        thread::set_recursion_remaining(layout, state, depth - 1);
        let frame = Frame { unit, function: number, entry, slots, result: std::ptr::null_mut() };
        let root = Segment { unit, exit: None, outer: std::ptr::null(), body: std::ptr::null() };
        let result = drive(frame, (state, i64::from(depth)), &root);
        thread::set_recursion_remaining(layout, state, thread::recursion_remaining(layout, state) + 1);
        result
    }
}

/// The slots of every frame, owned; none with an exception set when an object could not be made.
unsafe fn build_frames(unit: &LoadedUnit, meta: &ExitMeta, words: &[u64]) -> Option<Vec<Vec<u64>>> {
    // SAFETY: the thread is attached, as for every helper.
    let py = unsafe { Python::assume_attached() };
    let mut builder = Builder::new(py, unit, &meta.words, words);
    let mut frames: Vec<Vec<u64>> = Vec::with_capacity(meta.frames.len());
    for frame in &meta.frames {
        let mut slots = Vec::with_capacity(frame.slots.len());
        let built = frame.slots.iter().try_for_each(|(slot, wants)| {
            slots.push(builder.slot(slot, *wants)?);
            Ok(())
        });
        frames.push(slots);
        if let Err(error) = built {
            let error: PyErr = error;
            // SAFETY: what has been built so far is owned and given up.
            unsafe { drop_frames(&meta.frames, &frames) };
            error.restore(py);
            return None;
        }
    }
    Some(frames)
}

/// Drops the objects of slots that will not be used.
unsafe fn drop_frames(meta: &[FrameMeta], frames: &[Vec<u64>]) {
    for (frame, slots) in meta.iter().zip(frames) {
        for (&slot, (_, wants)) in slots.iter().zip(&frame.slots) {
            if *wants == Wants::Object {
                // SAFETY: an owned object, per the caller's contract.
                unsafe { drop_ref(slot as *mut PyObject) };
            }
        }
    }
}

/// Makes slots out of words; a word that several slots show is boxed once.
pub(super) struct Builder<'a, 'py> {
    py: Python<'py>,
    unit: &'a LoadedUnit,
    types: &'a [WordType],
    words: &'a [u64],
    boxed: Vec<Option<Bound<'py, PyAny>>>,
    /// The objects of sealed classes, by the words of their classes.
    made: FxHashMap<u32, Bound<'py, PyAny>>,
}

impl<'a, 'py> Builder<'a, 'py> {
    /// A builder of slots that are made of these words.
    pub(super) fn new(
        py: Python<'py>,
        unit: &'a LoadedUnit,
        types: &'a [WordType],
        words: &'a [u64],
    ) -> Builder<'a, 'py> {
        Builder { py, unit, types, words, boxed: vec![None; words.len()], made: FxHashMap::default() }
    }

    fn slot(&mut self, slot: &SlotMeta, wants: Wants) -> PyResult<u64> {
        match (wants, slot) {
            (Wants::Object, slot) => Ok(word(self.object(slot)?.into_ptr())),
            (Wants::Truth, SlotMeta::Bool(truth)) => Ok(u64::from(*truth)),
            (Wants::Truth, SlotMeta::Word(number)) => Ok(self.words[*number as usize] & 1),
            (Wants::Truth, other) => unreachable!("a truth value is never made of {other:?}"),
        }
    }

    /// The object that the slot stands for.
    pub(super) fn object(&mut self, slot: &SlotMeta) -> PyResult<Bound<'py, PyAny>> {
        match slot {
            SlotMeta::Word(number) => self.word_object(*number as usize),
            SlotMeta::None => Ok(self.py.None().into_bound(self.py)),
            // SAFETY: the singletons are alive.
            SlotMeta::Bool(truth) => Ok(unsafe { Bound::from_borrowed_ptr(self.py, truth_object(*truth)) }),
            SlotMeta::Const(number) => {
                // SAFETY: the unit owns its constants.
                Ok(unsafe { Bound::from_borrowed_ptr(self.py, self.unit.constant(*number as usize)) })
            }
            SlotMeta::Cell(number) => cells::expected(self.py, self.unit, *number as usize),
            SlotMeta::Tuple(items) => {
                let items = items.iter().map(|item| self.object(item)).collect::<PyResult<Vec<_>>>()?;
                let pointers: Vec<*mut PyObject> = items.iter().map(Bound::as_ptr).collect();
                let count = i64::try_from(pointers.len()).expect("a tuple's length fits 64 bits");
                // SAFETY: so many live objects.
                unsafe { Bound::from_owned_ptr_or_err(self.py, obj_tuple(pointers.as_ptr(), count)) }
            }
            SlotMeta::Instance { class, fields } => self.instance(*class, fields),
            SlotMeta::Char(number) => {
                // SAFETY: the word is a code point.
                let made = unsafe { str_char(self.words[*number as usize].cast_signed()) };
                // SAFETY: a new reference, or null with the exception set.
                unsafe { Bound::from_owned_ptr_or_err(self.py, made) }
            }
            SlotMeta::Wide { low, high } => {
                let [low, high] = [low, high].map(|&number| self.words[number as usize].cast_signed());
                self.number(wide::joined(low, high))
            }
            SlotMeta::Range { start, stop, step } => {
                self.range(self.int(*start), self.int(*stop), self.int(*step))
            }
            SlotMeta::RangeIter { next, count, step } => {
                let (next, step) = (self.int(*next), self.int(*step));
                self.range(next, next + self.int(*count) * step, step)?.try_iter().map(Bound::into_any)
            }
            SlotMeta::ListIter { list, next } => {
                let iterator = self.word_object(*list as usize)?.try_iter()?.into_any();
                iterator.call_method1(Name::SetState.text(self.py), (self.number(self.int(*next))?,))?;
                Ok(iterator)
            }
            SlotMeta::ReverseIter { list, next } => {
                let list = self.word_object(*list as usize)?;
                let iterator = self.called(&raw mut ffi::PyReversed_Type, &[list])?;
                iterator.call_method1(Name::SetState.text(self.py), (self.number(self.int(*next))?,))?;
                Ok(iterator)
            }
            SlotMeta::Enumerate { count, of } => {
                let (of, count) = (self.object(of)?, self.number(self.int(*count))?);
                self.called(&raw mut ffi::PyEnum_Type, &[of, count])
            }
            SlotMeta::Zip(items) => {
                let items = items.iter().map(|item| self.object(item)).collect::<PyResult<Vec<_>>>()?;
                self.called(&raw mut ffi::PyZip_Type, &items)
            }
            SlotMeta::UnitRangeIter { next, stop, step } => {
                self.range(self.int(*next), self.int(*stop), self.int(*step))?.try_iter().map(Bound::into_any)
            }
        }
    }

    fn instance(&mut self, class: u32, fields: &[SlotMeta]) -> PyResult<Bound<'py, PyAny>> {
        if let Some(known) = self.made.get(&class) {
            return Ok(known.clone());
        }
        let values = fields.iter().map(|field| self.object(field)).collect::<PyResult<Vec<_>>>()?;
        let words: Vec<u64> = values.iter().map(|value| word(value.as_ptr())).collect();
        // SAFETY: the word is the sealed class, which the exit owns, and the compiler knows that the values pass.
        let made = unsafe {
            let made = sealed::make(self.words[class as usize] as *mut PyObject, words.as_ptr(), 0);
            Bound::from_owned_ptr_or_err(self.py, made)?
        };
        values.into_iter().for_each(std::mem::forget);
        self.made.insert(class, made.clone());
        Ok(made)
    }

    fn int(&self, number: u32) -> i128 {
        i128::from(self.words[number as usize].cast_signed())
    }

    fn range(&self, start: i128, stop: i128, step: i128) -> PyResult<Bound<'py, PyAny>> {
        let parts = [self.number(start)?, self.number(stop)?, self.number(step)?];
        self.called(&raw mut ffi::PyRange_Type, &parts)
    }

    /// An object of a builtin class.
    fn called(
        &self,
        class: *mut ffi::PyTypeObject,
        args: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: builtin classes live for ever.
        let class = unsafe { Bound::from_borrowed_ptr(self.py, class.cast()) };
        class.call1(PyTuple::new(self.py, args)?)
    }

    fn number(&self, value: i128) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the thread is attached; a new reference, or null with the exception set.
        unsafe { Bound::from_owned_ptr_or_err(self.py, wide::int_of(value)) }
    }

    fn word_object(&mut self, number: usize) -> PyResult<Bound<'py, PyAny>> {
        if let Some(known) = &self.boxed[number] {
            return Ok(known.clone());
        }
        let raw = self.words[number];
        // SAFETY: an object word is owned by the exit for as long as slots are built; the others are values.
        let object = unsafe {
            match self.types[number] {
                WordType::Obj => Bound::from_owned_ptr(self.py, new_ref(raw as *mut PyObject)),
                WordType::I64 => {
                    Bound::from_owned_ptr_or_err(self.py, ffi::PyLong_FromLongLong(raw.cast_signed()))?
                }
                WordType::F64 => {
                    Bound::from_owned_ptr_or_err(self.py, ffi::PyFloat_FromDouble(f64::from_bits(raw)))?
                }
                WordType::Bool => Bound::from_borrowed_ptr(self.py, truth_object(raw & 1 != 0)),
            }
        };
        self.boxed[number] = Some(object.clone());
        Ok(object)
    }
}
