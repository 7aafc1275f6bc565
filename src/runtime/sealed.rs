//! Sealed classes as compiled code sees them: `check::frozen` makes them, above this module, and says here what
//! their functions are.
//!
//! The constructor, the setter and the deallocator say [`super::frames::show`] before they run anything that may
//! look at the stack, so calls of them wait without frames.
//!
//! A unit names the sealed classes that it works on, each with words in its data ([`super::data::CLASS_COVERED`]): version
//! tags of the classes whose instances the class' type covers. No class with such a tag ever changes.

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;

use crate::cpython::class;
use crate::cpython::collector;
use crate::cpython::object::field;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::caches::NO_VERSION;
use super::data::CLASS_COVERED;
use super::data::CLASS_POOL;
use super::data::CLASS_TAG;
use super::data::CLASS_TYPE;
use super::data::CLASS_YOUNG;
use super::data::COVERED_WORDS;
use super::data::WORD;
use super::object::word;
use super::quiet;
use super::table::position;
use super::unit::LoadedUnit;

/// What sealed classes have in common.
pub struct Functions {
    /// `tp_vectorcall` of the classes.
    pub constructor: usize,
    /// `tp_setattro` of their instances.
    pub setter: usize,
    /// `tp_dealloc` of their instances.
    pub dealloc: usize,
    /// Whether the type of the sealed class with this number covers exact instances of a live class, which has these
    /// methods as that has them.
    pub covers: unsafe fn(u64, *mut PyTypeObject, &[String]) -> bool,
    /// A new instance of a sealed class with so many values as it has fields, which pass their checks. It takes their
    /// references, unless it is null. The words of the fields with a bit in the last operand hold numbers.
    pub make: unsafe fn(*mut PyObject, *const u64, u64) -> *mut PyObject,
    /// Frees an instance of exactly a sealed class, whose last reference is gone, if nothing can look on.
    pub dies_at_once: unsafe fn(*mut PyObject) -> bool,
    /// Where instances of the sealed class with this number are taken from, if the object is it.
    pub pool: unsafe fn(u64, *mut PyObject) -> Option<Pool>,
    /// Whether the object is the sealed class with this number.
    pub is_class: unsafe fn(u64, *mut PyObject) -> bool,
}

/// Where compiled code makes instances of a sealed class: it takes the first of those that were freed. Such an
/// object owns nothing; in front of it stands which is the next one.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// The address of the freed instances.
    pub kept: usize,
    /// The list of young objects, as if its head were in front of an object of this address.
    pub young: usize,
}

/// Where a pool has its first object, or null.
pub const POOL_FIRST: i32 = 0;
/// Where a pool has its count, of 32 bits.
pub const POOL_COUNT: i32 = 8;
/// Where a pool has how many may be in it, 32 bits.
pub const POOL_ROOM: i32 = 12;
/// Where a freed object leads to the next one.
pub const POOL_LINK: i32 = collector::NEXT;

/// A pool in which there is never anything.
static NOTHING: [usize; 2] = [0; 2];

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Makes the functions of sealed classes known; the thread is attached.
pub fn register(functions: Functions) {
    super::calls::add_entry(functions.constructor as u64);
    FUNCTIONS.get_or_init(|| functions);
}

/// Puts into the words of all classes what is known when a unit is loaded.
pub(super) fn prepare(unit: &LoadedUnit) {
    for (number, class) in unit.meta().classes.iter().enumerate() {
        let first = unit.layout().class(number);
        let known = if class.version == 0 { NO_VERSION } else { u64::from(class.version) };
        unit.set_word(first + CLASS_TAG * WORD, known);
        for word in 0..COVERED_WORDS {
            unit.set_word(first + (CLASS_COVERED + word) * WORD, NO_VERSION);
        }
        if class.version != 0 {
            unit.set_word(covered_words(unit, number, known)[0], known);
        }
    }
}

/// Where a class has this version tag, if its type covers the class with that tag: where compiled code looks, and
/// where the tag goes when another one takes its place there.
fn covered_words(unit: &LoadedUnit, number: usize, version: u64) -> [usize; 2] {
    let first = unit.layout().class(number) + CLASS_COVERED * WORD;
    let word = position(version.cast_signed()) % COVERED_WORDS;
    [word, (word + COVERED_WORDS / 2) % COVERED_WORDS].map(|word| first + word * WORD)
}

/// Lets compiled code make instances of a class of the unit that a guard cell has just found under its name.
///
/// # Safety
/// The object is alive, the thread attached.
pub(super) unsafe fn found(unit: &LoadedUnit, identity: u64, object: *mut PyObject) {
    let number = unit.meta().classes.iter().position(|class| class.identity == identity);
    let Some(number) = number else { return };
    // SAFETY: the caller's contract.
    let pool = FUNCTIONS.get().and_then(|functions| unsafe { (functions.pool)(identity, object) });
    let nothing = NOTHING.as_ptr().addr();
    let pool = pool.unwrap_or(Pool { kept: nothing, young: 0 });
    let first = unit.layout().class(number);
    unit.set_word(first + CLASS_TYPE * WORD, word(object));
    unit.set_word(first + CLASS_POOL * WORD, pool.kept as u64);
    unit.set_word(first + CLASS_YOUNG * WORD, pool.young as u64);
}

/// Whether the object is the sealed class with this number.
///
/// # Safety
/// The object is alive, the thread attached.
pub(super) unsafe fn is_class(identity: u64, object: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    FUNCTIONS.get().is_some_and(|functions| unsafe { (functions.is_class)(identity, object) })
}

/// A new instance of a sealed class, which takes the references to its values; null with an exception for lack of
/// memory. The words of the fields in `unboxed`, by their numbers, hold numbers: doubles and ints of 64 bits.
///
/// # Safety
/// The class is sealed and alive, there is a number or a live value for each field, which passes its check, and the
/// thread is attached.
pub unsafe extern "C" fn make(class: *mut PyObject, values: *const u64, unboxed: i64) -> *mut PyObject {
    let functions = FUNCTIONS.get().expect("a sealed class was made by who registers");
    // SAFETY: the caller's contract.
    unsafe { (functions.make)(class, values, unboxed.cast_unsigned()) }
}

/// Whether the type of one of the unit's sealed classes covers the object: 1 or 0. The words learn it.
///
/// # Safety
/// The unit is loaded and has this class; the object is alive, the thread attached.
pub unsafe extern "C" fn sealed_covers(unit: *const LoadedUnit, number: i64, object: *mut PyObject) -> i32 {
    // SAFETY: the caller's contract; the unit lives while its code runs.
    i32::from(unsafe { covers(&*unit, position(number), object) })
}

/// Sets TypeError with the text, a str.
///
/// # Safety
/// The text is alive, the thread attached.
pub unsafe extern "C" fn sealed_declined(text: *mut PyObject) {
    // SAFETY: the caller's contract.
    unsafe { ffi::PyErr_SetObject(ffi::PyExc_TypeError, text) };
}

/// As [`sealed_covers`].
///
/// # Safety
/// As there.
pub(super) unsafe fn covers(unit: &LoadedUnit, number: usize, object: *mut PyObject) -> bool {
    // SAFETY: the caller's contract; the object keeps its class alive.
    unsafe {
        let class = type_of(object);
        let version = u64::from(quiet::version_for(class));
        let [seen, aside] = covered_words(unit, number, version);
        let meta = &unit.meta().classes[number];
        if version != 0 && [seen, aside].iter().any(|&place| unit.word(place) == version) {
            return true;
        }
        if !meta.has_subclasses || version == 0 || meta.version == 0 {
            return false;
        }
        if !FUNCTIONS
            .get()
            .is_some_and(|functions| (functions.covers)(meta.identity, class, &meta.kept_methods))
        {
            return false;
        }
        let is_free = unit.word(seen) == NO_VERSION;
        unit.set_word(if is_free { seen } else { aside }, version);
        true
    }
}

/// Whether the object is what a type with the name of a sealed class says.
///
/// # Safety
/// The object is alive, the thread attached.
pub(super) unsafe fn is_named(unit: &LoadedUnit, name: &str, object: *mut PyObject) -> bool {
    let number = unit.meta().classes.iter().position(|class| class.name == name);
    // SAFETY: the caller's contract.
    number.is_some_and(|number| unsafe { covers(unit, number, object) })
}

/// Whether the object's attributes are written by the setter.
///
/// # Safety
/// The object is alive.
pub(super) unsafe fn writes(object: *mut PyObject) -> bool {
    // SAFETY: a live type has its functions there.
    let setter = unsafe { field::<usize, _>(type_of(object), running().layout.attribute.setattro) };
    FUNCTIONS.get().is_some_and(|functions| functions.setter == setter)
}

/// Whether nothing that is done with the object alone runs Python.
///
/// # Safety
/// The object is alive, or being deallocated.
#[inline]
#[must_use]
pub unsafe fn is_simple(object: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe { quiet::is_simple(object) }
}

/// Frees an object that [`frees`], if nothing can look on.
///
/// # Safety
/// The object's last reference is gone, the thread is attached.
pub(super) unsafe fn dies_at_once(object: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    FUNCTIONS.get().is_some_and(|functions| unsafe { (functions.dies_at_once)(object) })
}

/// Whether the object is freed by the deallocator.
///
/// # Safety
/// The object is alive, or being deallocated.
pub(super) unsafe fn frees(object: *mut PyObject) -> bool {
    // SAFETY: as above.
    let dealloc = unsafe { (*class::fields(type_of(object))).dealloc };
    FUNCTIONS.get().is_some_and(|functions| dealloc.is_some_and(|own| own as usize == functions.dealloc))
}
