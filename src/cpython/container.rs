//! The elements of lists, sets and dicts, read straight from the structs.

use std::ffi::c_void;
use std::slice;

use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::PySetMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyByteArray;
use pyo3::types::PyByteArrayMethods;
use pyo3::types::PyBytes;
use pyo3::types::PyBytesMethods;
use pyo3::types::PyDict;
use pyo3::types::PyList;
use pyo3::types::PySet;

use super::Layout;
use super::object::field;

/// `PySliceObject`.
#[repr(C)]
struct Slice {
    header: PyObject,
    parts: [*mut PyObject; 3],
}

/// Start, stop and step, borrowed.
///
/// # Safety
/// The object is a live, exact `slice`.
#[inline]
#[must_use]
pub unsafe fn slice_parts(object: *mut PyObject) -> [*mut PyObject; 3] {
    // SAFETY: the caller's contract.
    unsafe { (*object.cast::<Slice>()).parts }
}

/// An entry of a set's table.
#[repr(C)]
pub struct SetEntry {
    key: *mut PyObject,
    hash: isize,
}

impl SetEntry {
    /// The key, unless the entry is free or was deleted: no key has the hash -1.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Option<*mut PyObject> {
        (!self.key.is_null() && self.hash != -1).then_some(self.key)
    }
}

/// An entry of a dict all of whose keys are exact strings; its value is null when it was deleted.
#[repr(C)]
pub struct StringEntry {
    /// The key.
    pub key: *mut PyObject,
    /// Its value.
    pub value: *mut PyObject,
}

/// An entry of any other dict; its value is null when it was deleted.
#[repr(C)]
pub struct ObjectEntry {
    hash: isize,
    /// The key.
    pub key: *mut PyObject,
    /// Its value.
    pub value: *mut PyObject,
}

/// The entries of a dict, in the order of its iteration; their numbers are the positions of `PyDict_Next`.
pub enum Entries<'a> {
    /// All keys are exact strings.
    Strings(&'a [StringEntry]),
    /// Keys of any kind.
    Objects(&'a [ObjectEntry]),
    /// The values stand elsewhere, and the keys are shared with other dicts.
    Shared,
}

/// What the probe of bytes holds.
const TEXT: &[u8] = b"seventeen bytes..";

const GENERAL_KEYS: u8 = 0;
const STRING_KEYS: u8 = 1;

/// The items of a `list`.
///
/// # Safety
/// The object is a `list` or of a subclass, laid out as `layout` says; nothing runs that may change it while
/// the slice is used.
#[inline]
#[must_use]
pub unsafe fn list_items<'a>(layout: &Layout, object: *mut PyObject) -> &'a [*mut PyObject] {
    // SAFETY: an empty list has no items, and then the pointer may be null.
    unsafe {
        match field::<usize, _>(object, layout.container.list_size) {
            0 => &[],
            size => slice::from_raw_parts(field(object, layout.container.list_items), size),
        }
    }
}

/// Whether a dict has string keys alone, so that looking a string up compares nothing else.
///
/// # Safety
/// The dict is alive and exact.
#[inline]
pub unsafe fn has_string_keys(layout: &Layout, dict: *mut PyObject) -> bool {
    // SAFETY: the kind stands there in the keys of every dict.
    unsafe {
        let keys: *const u8 = field(dict, layout.container.dict_keys);
        field::<u8, _>(keys, layout.container.keys_kind) != 0
    }
}

/// Where a deque says how many items it may have, below 0 for any number; the same in CPython 3.11, 3.12 and 3.13.
const DEQUE_LIMIT: i32 = 64;

/// Whether a deque drops items when it has too many.
///
/// # Safety
/// The object is a live `collections.deque`.
#[inline]
pub unsafe fn deque_has_limit(deque: *mut PyObject) -> bool {
    // SAFETY: the caller's contract.
    unsafe { field::<isize, _>(deque, DEQUE_LIMIT) >= 0 }
}

/// The table of a `set` or `frozenset`.
///
/// # Safety
/// As [`list_items`], for a set.
#[inline]
#[must_use]
pub unsafe fn set_table<'a>(layout: &Layout, object: *mut PyObject) -> &'a [SetEntry] {
    // SAFETY: the table has one entry more than the mask.
    unsafe {
        let mask: usize = field(object, layout.container.set_mask);
        slice::from_raw_parts(field(object, layout.container.set_table), mask + 1)
    }
}

/// The entries of a `dict`.
///
/// # Safety
/// As [`list_items`], for a dict.
#[inline]
#[must_use]
pub unsafe fn dict_entries<'a>(layout: &Layout, object: *mut PyObject) -> Entries<'a> {
    let places = &layout.container;
    // SAFETY: the keys of a dict begin with their header; then follow the indices and the entries.
    unsafe {
        if !field::<*mut PyObject, _>(object, places.dict_values).is_null() {
            return Entries::Shared;
        }
        let keys: *const u8 = field(object, places.dict_keys);
        let count: usize = field(keys, places.keys_entries);
        let indices = 1_usize << field::<u8, _>(keys, places.keys_log2_index_bytes);
        let entries = keys.offset(places.keys_indices as isize).add(indices);
        match field::<u8, _>(keys, places.keys_kind) {
            STRING_KEYS => Entries::Strings(slice::from_raw_parts(entries.cast(), count)),
            GENERAL_KEYS => Entries::Objects(slice::from_raw_parts(entries.cast(), count)),
            _ => Entries::Shared,
        }
    }
}

/// How many items from the first on are of exactly this type; they stand `STRIDE` words apart.
///
/// # Safety
/// There are `count` items, all of them alive, and nothing runs that may change them.
#[inline]
#[must_use]
pub unsafe fn run_of<const STRIDE: usize>(
    class: *mut ffi::PyTypeObject,
    first: *const *mut PyObject,
    count: usize,
) -> usize {
    // SAFETY: the caller's promise.
    let differs =
        |index: usize| unsafe { ffi::Py_TYPE(*first.add(index * STRIDE)) as usize ^ class as usize };
    if count == 0 || differs(0) != 0 {
        return 0;
    }
    let mut passed = 1;
    // One branch for eight items: two loads each are all that is left.
    while passed + 8 <= count && (0..8).fold(0, |found, next| found | differs(passed + next)) == 0 {
        passed += 8;
    }
    while passed < count && differs(passed) == 0 {
        passed += 1;
    }
    passed
}

/// Whether lists, sets, dicts and cells of the running interpreter are laid out as told.
pub(super) fn is_as_told(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let parts: Vec<Bound<'_, PyAny>> = (0..3).map(|_| PyList::empty(py).into_any()).collect();
    let list = PyList::new(py, &parts)?;
    let names: Vec<String> = (0..20).map(|number| format!("name{number}")).collect();
    let (strings, objects) = (PyDict::new(py), PyDict::new(py));
    for (number, name) in names.iter().enumerate() {
        strings.set_item(name, number)?;
        objects.set_item(number, name)?;
    }
    strings.del_item("name0")?;
    let set = PySet::new(py, &names)?;
    set.discard("name0")?;
    let cell = py.eval(c"(lambda x: lambda: x)(dict).__closure__[0]", None, None)?;
    let slice = py.eval(c"slice(list, dict, set)", None, None)?;
    let limited = py.eval(c"__import__('_collections').deque((), 7)", None, None)?;
    let endless = py.eval(c"__import__('_collections').deque((1, 2, 3))", None, None)?;
    // SAFETY: all are alive, and nothing changes them; sizes are compared before anything is read.
    unsafe {
        let places = &layout.container;
        let listed = field::<usize, _>(list.as_ptr(), places.list_size) == parts.len()
            && (parts.len()..=4 * parts.len()).contains(&field(list.as_ptr(), places.list_allocated))
            && list_items(layout, list.as_ptr())
                .iter()
                .zip(&parts)
                .all(|(&found, part)| found == part.as_ptr());
        let ended =
            [&limited, &endless].map(|deque| field::<isize, _>(deque.as_ptr(), DEQUE_LIMIT)) == [7, -1];
        let mask: usize = field(set.as_ptr(), places.set_mask);
        let found =
            mask == 127 && set_table(layout, set.as_ptr()).iter().filter_map(SetEntry::key).count() == 19;
        let filled = matches!(dict_entries(layout, strings.as_ptr()), Entries::Strings(entries)
            if entries.len() == 20 && entries.iter().filter(|entry| !entry.value.is_null()).count() == 19);
        let general = matches!(dict_entries(layout, objects.as_ptr()), Entries::Objects(entries)
            if entries.len() == 20 && entries.iter().all(|entry| !entry.key.is_null()));
        let iterator = list.try_iter()?;
        let started = field::<usize, _>(iterator.as_ptr(), places.list_iterator_index);
        iterator.clone().next().transpose()?;
        let iterated = started == 0
            && field::<usize, _>(iterator.as_ptr(), places.list_iterator_index) == 1
            && field::<*mut PyObject, _>(iterator.as_ptr(), places.list_iterator_list) == list.as_ptr();
        let content: *mut PyObject = field(cell.as_ptr(), places.cell);
        let (bytes, bytearray) = (PyBytes::new(py, TEXT), PyByteArray::new(py, TEXT));
        bytearray.call_method1("pop", (0,))?;
        let bytes_size: usize = field(bytes.as_ptr(), places.bytes_size);
        let bytearray_size: usize = field(bytearray.as_ptr(), places.bytearray_size);
        let sized = bytes_size == TEXT.len() && bytearray_size == TEXT.len() - 1;
        let start: *const u8 = field(bytearray.as_ptr(), places.bytearray_items);
        let bytes_start = bytes.as_ptr().cast::<u8>().offset(places.bytes_items as isize);
        let spelled =
            start == bytearray.data().cast_const() && bytes_start == bytes.as_bytes().as_ptr().cast_mut();
        let sliced = slice_parts(slice.as_ptr())
            == [py.get_type::<PyList>(), py.get_type::<PyDict>(), py.get_type::<PySet>()]
                .map(|class| class.as_ptr());
        if !sized || !spelled || !sliced || !ended {
            return Ok(false);
        }
        Ok(listed && iterated && found && filled && general && content == py.get_type::<PyDict>().as_ptr())
    }
}

/// Whether types of the running interpreter are laid out as told: a version that ends with a change.
pub(super) fn types_are_as_told(py: Python<'_>, layout: &Layout) -> PyResult<bool> {
    let list = py.get_type::<PyList>();
    let space = PyDict::new(py);
    py.run(c"class Probe:\n    part = 1\n", Some(&space), None)?;
    let class = space.get_item("Probe")?.ok_or_else(|| PyRuntimeError::new_err("the class was made"))?;
    // SAFETY: both types are alive, and the offsets lie within every type.
    unsafe {
        let iterate: *mut c_void = field(list.as_ptr(), layout.type_iter);
        let same = iterate == ffi::PyType_GetSlot(list.as_type_ptr(), ffi::Py_tp_iter);
        class.getattr("part")?;
        let before: u32 = field(class.as_ptr(), layout.type_version);
        class.setattr("part", 2)?;
        let changed: u32 = field(class.as_ptr(), layout.type_version);
        class.getattr("part")?;
        let after: u32 = field(class.as_ptr(), layout.type_version);
        Ok(same && before != 0 && changed == 0 && after != 0 && after != before)
    }
}
