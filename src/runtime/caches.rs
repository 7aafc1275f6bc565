//! Inline caches: what each place in compiled code that reads or writes an attribute, looks a method up or
//! reads a global name has found there before.
//!
//! The words in the unit's data are what compiled code tests by itself; the rest of a site is here. A word
//! that holds a version tag holds [`NO_VERSION`] while there is none, which no tag is. Attributes, stores and
//! methods have several entries: which of them is a class' is said by the lowest bits of its version tag, since
//! classes that are made one after another have tags that follow each other.
//!
//! | kind | words |
//! | --- | --- |
//! | attribute | in each entry tag and place: the offset of a value among an instance's values, or the complement of a slot's |
//! | store | the same, half as many |
//! | store, further | tag and offset of a field of a sealed class, and the address of the type whose exact instances it takes unchecked |
//! | method | in each entry tag, function, address of the shared keys and how many they were; [`BARE`] in place of that for instances without attributes of their own |
//! | more | a method's entries go on here |
//! | promise | tags of classes whose instances keep it ([`super::promise`]) |
//! | global, 3.12 and later | the value, 0 while there is none: the dict watcher clears it |
//! | global, 3.11 | address and version of a dict, twice, as in a guard cell; the value |
//!
//! What is cached is borrowed: a class holds its attributes and a namespace its values, and neither lets go
//! of one without the change that the tag or the watcher tells of.

use std::cell::Cell;
use std::cell::RefCell;
use std::sync::OnceLock;

use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;

use crate::cpython::attribute::Lookup;
use crate::cpython::attribute::Place;
use crate::cpython::attribute::Shadow;
use crate::cpython::attribute::Storage;
use crate::cpython::attribute::entry_count;
use crate::cpython::attribute::entry_value;
use crate::cpython::attribute::storage;
use crate::cpython::attribute::version_of;
use crate::cpython::object::type_of;
use crate::cpython::running;

use super::data::CACHE_WORDS;
use super::data::WORD;
use super::meta::CacheKind;
use super::object::word;
use super::table::position;
use super::unit::LoadedUnit;

/// Stands in a word for a version tag while there is none.
pub const NO_VERSION: u64 = u64::MAX;

/// How many entries an attribute or a method has, a power of two.
pub const ENTRIES: usize = 4;

/// How many entries a store has, a power of two.
pub const STORES: usize = 2;

/// Words of an entry of an attribute or a store.
pub const PLACE_WORDS: usize = 2;

/// Words of an entry of a method.
pub const METHOD_WORDS: usize = 4;

/// The first word of a store that is about a sealed class.
pub const SEALED_STORE: usize = STORES * PLACE_WORDS;

/// How many caches a method takes: its own, and those that go on behind it.
pub const METHOD_CACHES: usize = (ENTRIES * METHOD_WORDS).div_ceil(CACHE_WORDS);

/// Stands in a method's entry for the number of shared keys where instances have no attributes of their own.
pub const BARE: u64 = u64::MAX;

/// How many places a site remembers at once.
const MOST_PLACES: usize = 4;

/// How often a site looks for a place before it stops doing so.
const MOST_MISSES: u32 = 64;

/// A place, and the version tag of the class for whose instances it holds.
#[derive(Clone, Copy, Debug)]
struct Known {
    version: u32,
    place: Place,
}

/// A cache, apart from its words.
#[derive(Debug, Default)]
pub struct Site {
    known: [Cell<Option<Known>>; MOST_PLACES],
    misses: Cell<u32>,
}

/// What was found: the object, borrowed, and whether it is a function to be called with the instance.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// The attribute.
    pub value: *mut PyObject,
    /// Whether it is to be called with the instance.
    pub is_method: bool,
}

/// The sites of a unit, made when they are first asked.
#[derive(Debug, Default)]
pub struct Sites {
    sites: RefCell<Vec<Option<Box<Site>>>>,
}

impl Sites {
    /// So many sites.
    #[must_use]
    pub fn new(count: usize) -> Sites {
        Sites { sites: RefCell::new((0..count).map(|_| None).collect()) }
    }

    /// Calls `with` with a site; it must run no Python.
    fn with<R>(&self, number: usize, with: impl FnOnce(&Site) -> R) -> R {
        with(self.sites.borrow_mut()[number].get_or_insert_default())
    }
}

/// Puts the words of all caches into the state in which they find nothing.
pub(super) fn prepare(unit: &LoadedUnit) {
    for (number, kind) in unit.meta().caches.iter().enumerate() {
        match kind {
            CacheKind::Attribute
            | CacheKind::Store
            | CacheKind::Method
            | CacheKind::More
            | CacheKind::Promise => set_words(unit, number, &[NO_VERSION; CACHE_WORDS]),
            CacheKind::Global => forget_global(unit, number),
        }
    }
}

fn set_words(unit: &LoadedUnit, number: usize, words: &[u64]) {
    let first = unit.layout().cache(number);
    for (position, &value) in words.iter().enumerate() {
        unit.set_word(first + position * WORD, value);
    }
}

/// Makes a global's cache find nothing.
pub(super) fn forget_global(unit: &LoadedUnit, number: usize) {
    match running().layout.dict_version {
        None => set_words(unit, number, &[0]),
        Some(tag) => {
            // A version tag is never 0, and the address must be one that can be read.
            let address = word(unit.globals().wrapping_byte_offset(tag as isize));
            set_words(unit, number, &[address, 0, address, 0, 0]);
        }
    }
}

/// Whether a site still looks for places, which counts as one time.
pub(super) fn still_looks(unit: &LoadedUnit, number: usize) -> bool {
    unit.sites().with(number, |site| {
        let misses = site.misses.get();
        site.misses.set(misses.saturating_add(1));
        misses < MOST_MISSES
    })
}

/// The attribute, where the site knows its place.
///
/// # Safety
/// The object is alive, `name` is the site's own and interned; the thread is attached.
pub(super) unsafe fn find(
    unit: &LoadedUnit,
    number: usize,
    object: *mut PyObject,
    name: *mut PyObject,
) -> Option<Hit> {
    // SAFETY: the caller's contract.
    unsafe {
        let version = version_of(running().layout, type_of(object));
        unit.sites().with(number, |site| {
            let known = site.known.iter().filter_map(Cell::get);
            known.filter(|known| known.version == version).find_map(|known| read(known.place, object, name))
        })
    }
}

/// Where a site may write.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Among the instance's values, at this position.
    Value(usize),
    /// So many bytes behind the object's beginning.
    Slot(i32),
}

/// Where the site writes the attribute of this object, if it knows that.
///
/// # Safety
/// As [`find`].
pub(super) unsafe fn find_place(unit: &LoadedUnit, number: usize, object: *mut PyObject) -> Option<Target> {
    // SAFETY: the caller's contract.
    let version = unsafe { version_of(running().layout, type_of(object)) };
    unit.sites().with(number, |site| {
        let known = site.known.iter().filter_map(Cell::get);
        known.filter(|known| known.version == version).find_map(|known| match known.place {
            Place::Value(position) => Some(Target::Value(position)),
            Place::Slot(offset) => Some(Target::Slot(offset)),
            Place::Entry(_) | Place::Class(..) | Place::Method(..) | Place::OfClass(..) => None,
        })
    })
}

/// Reads the place again, if the attribute still stands there; the version tag does already fit.
unsafe fn read(place: Place, object: *mut PyObject, name: *mut PyObject) -> Option<Hit> {
    let layout = running().layout;
    // SAFETY: a class with the version tag of the place has what the place says.
    unsafe {
        let kept = || storage(layout, object, type_of(object));
        let (value, is_method) = match place {
            Place::Value(position) => match kept() {
                Storage::Values(values) => (*values.add(position), false),
                _ => return None,
            },
            Place::Slot(offset) => (crate::cpython::object::field(object, offset), false),
            Place::Entry(position) => match kept() {
                Storage::Dict(dict) => (entry_value(layout, dict, position, name), false),
                _ => return None,
            },
            Place::Class(value, shadow) if !is_shadowed(shadow, &kept) => (value, false),
            Place::Method(value, shadow) if !is_shadowed(shadow, &kept) => (value, true),
            Place::Class(..) | Place::Method(..) => return None,
            Place::OfClass(value, version) if version_of(layout, object.cast()) == version => (value, false),
            Place::OfClass(..) => return None,
        };
        (!value.is_null()).then_some(Hit { value, is_method })
    }
}

/// Whether the instance may have an attribute of its own.
unsafe fn is_shadowed(shadow: Shadow, kept: &impl Fn() -> Storage) -> bool {
    match shadow {
        Shadow::Never => false,
        // SAFETY: the class is alive, and so are its keys.
        Shadow::Keys(keys, count) => unsafe {
            !matches!(kept(), Storage::Values(_)) || entry_count(running().layout, keys) != count
        },
        Shadow::NoDict => kept() != Storage::Nothing,
    }
}

/// Looks for the attribute's place and remembers it.
///
/// # Safety
/// As [`find`].
pub(super) unsafe fn learn(unit: &LoadedUnit, number: usize, object: *mut PyObject, name: *mut PyObject) {
    let running = running();
    // SAFETY: the caller's contract.
    unsafe {
        let lookup = Lookup {
            layout: running.layout,
            symbols: &running.symbols,
            kinds: &running.kinds,
            object,
            class: type_of(object),
            name,
        };
        let kind = unit.meta().caches[number];
        let found = if kind == CacheKind::Store { lookup.write() } else { lookup.read() };
        if kind == CacheKind::Store && found.is_none() {
            learn_sealed(unit, number, lookup.class, name);
        }
        let Some((place, version)) = found else { return };
        unit.sites().with(number, |site| {
            let next = site.misses.get() as usize % MOST_PLACES;
            site.known[next].set(Some(Known { version, place }));
        });
        write_words(unit, number, kind, place, u64::from(version));
    }
}

/// Where a field of a class stands whose writes are checked, and the address of the type whose exact instances it
/// takes unchecked; none where compiled code may not write it.
pub type SealedStores = unsafe fn(*mut PyTypeObject, *mut PyObject) -> Option<(isize, usize)>;

static SEALED_STORES: OnceLock<SealedStores> = OnceLock::new();

/// Says who knows of sealed classes; the first answer stays.
pub fn set_sealed_stores(stores: SealedStores) {
    SEALED_STORES.get_or_init(|| stores);
}

/// Lets compiled code write a field of a sealed class by itself, if the name is one.
///
/// # Safety
/// As [`learn`], for the object's class.
unsafe fn learn_sealed(unit: &LoadedUnit, number: usize, class: *mut PyTypeObject, name: *mut PyObject) {
    let Some(stores) = SEALED_STORES.get() else { return };
    // SAFETY: the caller's contract; to look an attribute up gives the class a version tag if it can have one.
    unsafe {
        let Some((offset, exact)) = stores(class, name) else { return };
        (running().symbols.type_lookup)(class, name);
        let version = version_of(running().layout, class);
        if version == 0 {
            return;
        }
        let first = unit.layout().cache(number) + SEALED_STORE * WORD;
        let words = [u64::from(version), (offset as i64).cast_unsigned(), exact as u64];
        for (position, value) in words.into_iter().enumerate() {
            unit.set_word(first + position * WORD, value);
        }
    }
}

/// Lets compiled code find the place by itself, if it is of a kind that it knows.
fn write_words(unit: &LoadedUnit, number: usize, kind: CacheKind, place: Place, version: u64) {
    let put = |at: usize, words: &[u64]| {
        let first = unit.layout().cache(number) + at * WORD;
        words.iter().enumerate().for_each(|(position, &word)| unit.set_word(first + position * WORD, word));
    };
    let entry = |entries: usize, words| position(version.cast_signed()) % entries * words;
    match (kind, place) {
        (CacheKind::Attribute, place) => {
            if let Some(place) = place_word(place) {
                put(entry(ENTRIES, PLACE_WORDS), &[version, place]);
            }
        }
        (CacheKind::Store, place) => {
            if let Some(place) = place_word(place) {
                put(entry(STORES, PLACE_WORDS), &[version, place]);
            }
        }
        (CacheKind::Method, Place::Method(function, Shadow::Keys(keys, count))) => {
            let words = [version, word(function), word(keys), count as u64];
            put(entry(ENTRIES, METHOD_WORDS), &words);
        }
        (CacheKind::Method, Place::Method(function, Shadow::Never)) => {
            put(entry(ENTRIES, METHOD_WORDS), &[version, word(function), 0, BARE]);
        }
        _ => {}
    }
}

/// A place as a word that compiled code understands, if it does.
fn place_word(place: Place) -> Option<u64> {
    match place {
        Place::Value(position) => Some(value_offset(position)),
        Place::Slot(offset) => Some((!i64::from(offset)).cast_unsigned()),
        _ => None,
    }
}

/// What is added to the word that [`InstanceValues`] names, or to the instance's address.
fn value_offset(position: usize) -> u64 {
    let first = running().layout.attribute.values.first();
    first.cast_unsigned() + (position * WORD) as u64
}
