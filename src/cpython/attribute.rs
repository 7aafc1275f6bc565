//! Where an attribute of an object stands: what the interpreter's own lookup would find, said so that it can
//! be read again without looking it up.
//!
//! A [`Place`] holds for every object whose class has the version tag under which it was found: a class gets
//! a new tag when it or a base of it changes, and no two classes ever have the same. What a class does not
//! tell (whether an instance has a value of that name) is tested at every reading.

use std::ffi::c_int;
use std::ffi::c_void;

use pyo3::PyResult;
use pyo3::Python;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::types::PyDict;
use pyo3::types::PyString;

use super::Layout;
use super::container::StringEntry;
use super::layout::InstanceValues;
use super::layout::MANAGED_DICT;
use super::layout::METHOD_DESCRIPTOR;
use super::object::field;
use super::symbols::Symbols;

/// `T_OBJECT_EX`: a member that holds an object, null while it is unset.
const OBJECT_MEMBER: c_int = 16;

/// The flag of types that never change. What another type's instance does as an attribute of a class may change
/// without the class' version tag.
const IMMUTABLE: u64 = 1 << 8;

/// What keeps an instance's own attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// An array of values, whose names are the keys that the class' instances share.
    Values(*mut *mut PyObject),
    /// A dict.
    Dict(*mut PyObject),
    /// There is none, or none yet.
    Nothing,
    /// Nobody here knows.
    Unknown,
}

/// Whether an instance may have an attribute of its own in front of the class'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shadow {
    /// Instances have none.
    Never,
    /// Not while it has values, and the keys that are shared, at this address, are so many.
    Keys(*const u8, usize),
    /// Not while it has no dict.
    NoDict,
}

/// Where an attribute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the instance's values, at this position.
    Value(usize),
    /// In the instance, so many bytes behind its beginning; null when it is unset.
    Slot(i32),
    /// In the instance's dict, maybe as the entry of this number.
    Entry(usize),
    /// The class has it, and an instance gives it as it is.
    Class(*mut PyObject, Shadow),
    /// The class has a function, which is called with the instance.
    Method(*mut PyObject, Shadow),
    /// The object is a class that has the attribute, and this is its own version tag.
    OfClass(*mut PyObject, u32),
}

/// The version tag of a class, 0 while it has none.
///
/// # Safety
/// The class is alive.
#[inline]
pub unsafe fn version_of(layout: &Layout, class: *mut PyTypeObject) -> u32 {
    // SAFETY: the tag stands there in every type.
    unsafe { field(class, layout.type_version) }
}

/// What keeps the object's own attributes; `class` is its type.
///
/// # Safety
/// The object is alive.
#[inline]
pub unsafe fn storage(layout: &Layout, object: *mut PyObject, class: *mut PyTypeObject) -> Storage {
    let places = &layout.attribute;
    // SAFETY: the flags say what stands in front of and in the object.
    unsafe {
        let flags: u64 = field(class, places.flags);
        if flags & places.values_flag != 0 {
            let values = match places.values {
                InstanceValues::Array(at) => field::<usize, _>(object, at),
                InstanceValues::OddArray(at) => match field::<usize, _>(object, at) {
                    word if word & 1 != 0 => word + 1,
                    _ => 0,
                },
                InstanceValues::Inline(valid, first) => match field::<u8, _>(object, valid) {
                    0 => 0,
                    _ => object as usize + first.unsigned_abs() as usize,
                },
            };
            if values != 0 {
                return Storage::Values(values as *mut *mut PyObject);
            }
        }
        let at = if flags & MANAGED_DICT == 0 {
            match field::<isize, _>(class, places.dict_offset) {
                0 => return Storage::Nothing,
                at => at,
            }
        } else {
            places.managed_dict as isize
        };
        if at < 0 && flags & MANAGED_DICT == 0 {
            return Storage::Unknown;
        }
        match object.byte_offset(at).cast::<*mut PyObject>().read() {
            dict if dict.is_null() => Storage::Nothing,
            dict if ffi::PyDict_CheckExact(dict) != 0 => Storage::Dict(dict),
            _ => Storage::Unknown,
        }
    }
}

/// The keys that instances of the class share; null where they share none.
unsafe fn shared_keys(layout: &Layout, class: *mut PyTypeObject) -> *const u8 {
    // SAFETY: only heap types have the field, which the flag of values says.
    unsafe {
        let flags: u64 = field(class, layout.attribute.flags);
        if flags & layout.attribute.values_flag == 0 {
            return std::ptr::null();
        }
        field(class, layout.attribute.cached_keys)
    }
}

/// How many entries keys have.
///
/// # Safety
/// The keys are those of a live dict or class.
#[inline]
pub unsafe fn entry_count(layout: &Layout, keys: *const u8) -> usize {
    // SAFETY: the caller's contract.
    unsafe { field(keys, layout.container.keys_entries) }
}

/// The entries of keys that are all strings, shared ones included; none for others.
unsafe fn string_entries<'a>(layout: &Layout, keys: *const u8) -> Option<&'a [StringEntry]> {
    let places = &layout.container;
    // SAFETY: the keys begin with their header; then follow the indices and the entries.
    unsafe {
        if field::<u8, _>(keys, places.keys_kind) == 0 {
            return None;
        }
        let indices = 1_usize << field::<u8, _>(keys, places.keys_log2_index_bytes);
        let entries = keys.offset(places.keys_indices as isize).add(indices);
        Some(std::slice::from_raw_parts(entries.cast(), entry_count(layout, keys)))
    }
}

/// The entry of a name, by identity or by its text; none when there is none.
unsafe fn find_entry(layout: &Layout, keys: *const u8, name: *mut PyObject) -> Option<usize> {
    // SAFETY: keys are exact strings or null, which compare without running code.
    unsafe {
        let entries = string_entries(layout, keys)?;
        let same = entries.iter().position(|entry| entry.key == name);
        same.or_else(|| {
            let is_equal =
                |entry: &StringEntry| !entry.key.is_null() && ffi::PyUnicode_Compare(entry.key, name) == 0;
            entries.iter().position(is_equal)
        })
    }
}

/// The value of a dict's entry, borrowed, if that entry has this very name; else null.
///
/// # Safety
/// The dict is alive and exact.
#[inline]
pub unsafe fn entry_value(
    layout: &Layout,
    dict: *mut PyObject,
    number: usize,
    name: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the number is compared with how many entries there are; shared keys have their values elsewhere.
    unsafe {
        let keys: *const u8 = field(dict, layout.container.dict_keys);
        match string_entries(layout, keys).and_then(|entries| entries.get(number)) {
            Some(entry) if entry.key == name => {
                let values: *const u8 = field(dict, layout.container.dict_values);
                if values.is_null() {
                    return entry.value;
                }
                let first = values.offset(layout.attribute.dict_values_first as isize);
                first.cast::<*mut PyObject>().add(number).read()
            }
            _ => std::ptr::null_mut(),
        }
    }
}

/// What the classes of CPython's own kinds are told by.
#[derive(Clone, Copy)]
pub struct Kinds {
    generic_get: usize,
    generic_set: usize,
    class_get: usize,
    module_get: usize,
    member: usize,
    function: usize,
}

impl Kinds {
    /// Finds them; `function` is the type of Python functions.
    ///
    /// # Safety
    /// The thread is attached.
    #[must_use]
    pub unsafe fn find(layout: &Layout, function: usize) -> Kinds {
        // SAFETY: the types are static and laid out as told.
        unsafe {
            let getattro = |class: *mut PyTypeObject| field::<usize, _>(class, layout.attribute.getattro);
            Kinds {
                generic_get: ffi::PyObject_GenericGetAttr as *const c_void as usize,
                generic_set: ffi::PyObject_GenericSetAttr as *const c_void as usize,
                class_get: getattro(&raw mut ffi::PyType_Type),
                module_get: getattro(&raw mut ffi::PyModule_Type),
                member: (&raw mut ffi::PyMemberDescr_Type) as usize,
                function,
            }
        }
    }
}

/// A lookup: what it is about, and where to look things up.
pub struct Lookup<'a> {
    /// The struct layouts.
    pub layout: &'a Layout,
    /// CPython's functions.
    pub symbols: &'a Symbols,
    /// What its own kinds of classes are told by.
    pub kinds: &'a Kinds,
    /// The object.
    pub object: *mut PyObject,
    /// Its type.
    pub class: *mut PyTypeObject,
    /// The attribute's name, interned.
    pub name: *mut PyObject,
}

impl Lookup<'_> {
    fn function_of(&self, class: *mut PyTypeObject, offset: i32) -> usize {
        // SAFETY: a live type has its functions there.
        unsafe { field(class, offset) }
    }

    /// What the class has under the name, with its type; the type then has a version tag if it can have one.
    unsafe fn of_class(&self, class: *mut PyTypeObject) -> Option<(*mut PyObject, *mut PyTypeObject)> {
        // SAFETY: the class is alive.
        unsafe {
            let found = (self.symbols.type_lookup)(class, self.name);
            (!found.is_null()).then(|| (found, field(found, self.layout.ob_type)))
        }
    }

    /// Where an attribute that is read stands, and the version tag of the class; none where it can't be told.
    ///
    /// # Safety
    /// The objects are alive, the thread is attached, the layout is that of the running interpreter.
    #[must_use]
    pub unsafe fn read(&self) -> Option<(Place, u32)> {
        let getattro = self.function_of(self.class, self.layout.attribute.getattro);
        // SAFETY: the caller's contract.
        unsafe {
            let place = if getattro == self.kinds.generic_get || getattro == self.kinds.module_get {
                self.read_instance()
            } else if getattro == self.kinds.class_get {
                self.read_class()
            } else {
                None
            };
            self.under_version(place?)
        }
    }

    /// Whether what instances of this type do as attributes of a class is settled.
    fn is_settled(&self, kind: *mut PyTypeObject) -> bool {
        // SAFETY: a live type has its flags there.
        unsafe { field::<u64, _>(kind, self.layout.attribute.flags) & IMMUTABLE != 0 }
    }

    unsafe fn under_version(&self, place: Place) -> Option<(Place, u32)> {
        // SAFETY: the class is alive.
        match unsafe { version_of(self.layout, self.class) } {
            0 => None,
            version => Some((place, version)),
        }
    }

    unsafe fn read_instance(&self) -> Option<Place> {
        let places = &self.layout.attribute;
        // SAFETY: the caller's contract.
        unsafe {
            let found = self.of_class(self.class);
            if let Some((descriptor, kind)) = found {
                let reads = self.function_of(kind, places.descr_get) != 0;
                let writes = self.function_of(kind, places.descr_set) != 0;
                if reads && writes {
                    return self.data_descriptor(descriptor, kind);
                }
                if writes || !self.is_settled(kind) {
                    return None;
                }
            }
            let shadow = match storage(self.layout, self.object, self.class) {
                Storage::Values(_) => {
                    let keys = shared_keys(self.layout, self.class);
                    match find_entry(self.layout, keys, self.name) {
                        Some(number) => return Some(Place::Value(number)),
                        None => Shadow::Keys(keys, entry_count(self.layout, keys)),
                    }
                }
                Storage::Dict(dict) => {
                    let keys: *const u8 = field(dict, self.layout.container.dict_keys);
                    return find_entry(self.layout, keys, self.name).map(Place::Entry);
                }
                Storage::Nothing if self.function_of(self.class, places.dict_offset) == 0 => Shadow::Never,
                Storage::Nothing => Shadow::NoDict,
                Storage::Unknown => return None,
            };
            let (value, kind) = found?;
            if field::<u64, _>(kind, places.flags) & METHOD_DESCRIPTOR != 0 {
                return Some(Place::Method(value, shadow));
            }
            (self.function_of(kind, places.descr_get) == 0).then_some(Place::Class(value, shadow))
        }
    }

    unsafe fn data_descriptor(&self, descriptor: *mut PyObject, kind: *mut PyTypeObject) -> Option<Place> {
        // SAFETY: the type is tested before the descriptor is read.
        unsafe {
            if kind as usize != self.kinds.member {
                return None;
            }
            self.member(descriptor).map(|(place, _)| Place::Slot(place))
        }
    }

    /// Where a member stands that holds an object, and whether it is read-only.
    unsafe fn member(&self, descriptor: *mut PyObject) -> Option<(i32, bool)> {
        let places = &self.layout.attribute;
        // SAFETY: the caller has tested that it is a member's descriptor: its class stands behind the header.
        unsafe {
            let owner: *mut PyTypeObject = field(descriptor, self.layout.ob_type + 8);
            if ffi::PyType_IsSubtype(self.class, owner) == 0 {
                return None;
            }
            let member: *const u8 = field(descriptor, places.member);
            if field::<c_int, _>(member, places.member_kind) != OBJECT_MEMBER {
                return None;
            }
            let offset = i32::try_from(field::<isize, _>(member, places.member_offset)).ok()?;
            match field::<c_int, _>(member, places.member_flags) {
                0 => Some((offset, false)),
                1 => Some((offset, true)),
                _ => None,
            }
        }
    }

    /// An attribute of a class that is asked for it itself.
    unsafe fn read_class(&self) -> Option<Place> {
        let places = &self.layout.attribute;
        // SAFETY: an object whose type reads attributes so is a type.
        unsafe {
            if let Some((_, kind)) = self.of_class(self.class)
                && (self.function_of(kind, places.descr_set) != 0 || !self.is_settled(kind))
            {
                return None;
            }
            let class = self.object.cast::<PyTypeObject>();
            let (value, kind) = self.of_class(class)?;
            if !self.is_settled(kind) {
                return None;
            }
            if self.function_of(kind, places.descr_get) != 0 && kind as usize != self.kinds.function {
                return None;
            }
            match version_of(self.layout, class) {
                0 => None,
                version => Some(Place::OfClass(value, version)),
            }
        }
    }

    /// Where an attribute that is written stands: a value or a slot, which may be unset yet.
    ///
    /// # Safety
    /// As [`Lookup::read`].
    #[must_use]
    pub unsafe fn write(&self) -> Option<(Place, u32)> {
        let places = &self.layout.attribute;
        if self.function_of(self.class, places.setattro) != self.kinds.generic_set {
            return None;
        }
        // SAFETY: the caller's contract.
        unsafe {
            if let Some((descriptor, kind)) = self.of_class(self.class)
                && (self.function_of(kind, places.descr_set) != 0 || !self.is_settled(kind))
            {
                if kind as usize != self.kinds.member {
                    return None;
                }
                return match self.member(descriptor)? {
                    (place, false) => self.under_version(Place::Slot(place)),
                    (_, true) => None,
                };
            }
            let Storage::Values(_) = storage(self.layout, self.object, self.class) else { return None };
            let keys = shared_keys(self.layout, self.class);
            self.under_version(Place::Value(find_entry(self.layout, keys, self.name)?))
        }
    }
}

/// Whether attributes of the running interpreter stand where they are told to.
pub(super) fn is_as_told(
    py: Python<'_>,
    layout: &Layout,
    symbols: &Symbols,
    function: usize,
) -> PyResult<bool> {
    let space = PyDict::new(py);
    py.run(PROBE, Some(&space), None)?;
    let get = |name: &str| {
        space.get_item(name)?.ok_or_else(|| PyRuntimeError::new_err("the probe defines its objects"))
    };
    // SAFETY: the thread is attached.
    let kinds = unsafe { Kinds::find(layout, function) };
    let names = ["first", "second", "shared", "method", "computed"];
    let names = names.map(|name| PyString::intern(py, name));
    let place = |object: &str, name: usize| -> PyResult<Option<Place>> {
        let object = get(object)?;
        let name = names[name].as_ptr();
        // SAFETY: both are alive; the probes are of this interpreter's own kinds.
        Ok(unsafe {
            let class = ffi::Py_TYPE(object.as_ptr());
            Lookup { layout, symbols, kinds: &kinds, object: object.as_ptr(), class, name }
                .read()
                .map(|(place, _)| place)
        })
    };
    let valued = |object: &str, number: usize, name: &str| -> PyResult<bool> {
        let object = get(object)?;
        let wanted = object.getattr(name)?.as_ptr();
        // SAFETY: the object is alive, and its values are those that its class names.
        Ok(unsafe {
            match storage(layout, object.as_ptr(), ffi::Py_TYPE(object.as_ptr())) {
                Storage::Values(values) => *values.add(number) == wanted,
                Storage::Dict(dict) => {
                    entry_value(layout, dict, number, PyString::intern(py, name).as_ptr()) == wanted
                }
                Storage::Nothing | Storage::Unknown => false,
            }
        })
    };
    let slotted = match place("slotted", 1)? {
        // SAFETY: a slot of the probe's, which is set.
        Some(Place::Slot(offset)) => unsafe {
            let object = get("slotted")?;
            field::<*mut PyObject, _>(object.as_ptr(), offset) == object.getattr("second")?.as_ptr()
        },
        _ => false,
    };
    Ok(place("plain", 1)? == Some(Place::Value(1))
        && valued("plain", 0, "first")?
        && valued("plain", 1, "second")?
        && matches!(place("plain", 2)?, Some(Place::Class(_, Shadow::Keys(_, 2))))
        && matches!(place("plain", 3)?, Some(Place::Method(_, Shadow::Keys(_, 2))))
        && place("plain", 4)?.is_none()
        && place("stored", 1)? == Some(Place::Entry(1))
        && valued("stored", 1, "second")?
        && matches!(place("Plain", 2)?, Some(Place::OfClass(..)))
        && matches!(place("slotted", 3)?, Some(Place::Method(_, Shadow::Never)))
        && slotted)
}

const PROBE: &std::ffi::CStr = c"
class Plain:
    shared = ['shared']
    def __init__(self):
        self.first = ['first']
        self.second = ['second']
    def method(self):
        pass
    @property
    def computed(self):
        pass
class Slotted:
    __slots__ = ('first', 'second')
    def method(self):
        pass
plain, slotted = Plain(), Slotted()
slotted.first, slotted.second = ['first'], ['second']
stored = Plain()
stored.__dict__ = {'first': ['first'], 'second': ['second']}
";
