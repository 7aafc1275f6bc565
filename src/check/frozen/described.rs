//! What compiled code may count on of a sealed class, for as long as the class lives.
//!
//! A class is described when nothing that is said here can ever change: all its bases but `object` are sealed too,
//! and its instances read attributes as `object` does.

use pyo3::ffi;
use pyo3::ffi::PyTypeObject;
use pyo3::prelude::Bound;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::PyStringMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::types::PyDict;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::Field;
use super::Seal;
use super::layout;
use super::methods;
use super::seal_of;
use super::slots;
use crate::check::plan::Check;
use crate::cpython::attribute::version_of;
use crate::cpython::class;
use crate::cpython::class::TypeObject;
use crate::cpython::running;
use crate::runtime::sealed;
use crate::types::Held;
use crate::types::Type;

/// A sealed class.
pub struct Description<'py> {
    /// A number that no other class ever has.
    pub identity: u64,
    /// Its own name, as messages say it.
    pub title: String,
    /// Its version tag, which it keeps for ever.
    pub version: u32,
    /// Whether it has subclasses by now.
    pub has_subclasses: bool,
    /// Where instances have their list of weak references; 0 where they have none.
    pub weak: i32,
    /// Its fields, in the constructor's order.
    pub fields: Vec<FieldDescription<'py>>,
    /// How calls give its fields their values, where they do nothing else.
    pub constructor: Option<ConstructorDescription<'py>>,
    /// What it and its bases have in their namespaces, by the name, the nearest first.
    pub attributes: Vec<(String, Bound<'py, PyAny>)>,
}

/// How calls of a sealed class give its fields their values.
pub struct ConstructorDescription<'py> {
    /// The names of the parameters.
    pub parameters: Vec<String>,
    /// How many of them take positional arguments.
    pub positional: usize,
    /// For each field the number of its parameter and its default, as far as there are such.
    pub sources: Vec<(Option<usize>, Option<Bound<'py, PyAny>>)>,
}

/// A field of a sealed class.
pub struct FieldDescription<'py> {
    /// Its name.
    pub name: String,
    /// Where it stands in an instance.
    pub offset: i32,
    /// What stands there.
    pub held: Held,
    /// The one exact type that its annotation names, if it names one.
    pub ty: Type,
    /// The class whose instances it takes, and whether None too.
    pub class: Option<(Bound<'py, PyAny>, bool)>,
    /// Whether exact objects of that type may be written unchecked, over what is there.
    pub is_stored: bool,
    /// Whether anything may stand in it.
    pub takes_all: bool,
}

/// What is known of a class; none where it is not sealed, or where something could change.
#[must_use]
pub fn describe<'py>(object: &Bound<'py, PyAny>) -> Option<Description<'py>> {
    let py = object.py();
    let class = object.cast::<PyType>().ok()?;
    let address = class.as_type_ptr();
    // SAFETY: a live class, attached.
    unsafe {
        let seal = settled(py, address)?;
        let has_subclasses = has_subclasses(class)?;
        if has_subclasses && ffi::Py_TYPE(object.as_ptr()) != &raw mut ffi::PyType_Type {
            // Who else may say which of their instances count.
            return None;
        }
        let fields = seal.fields.iter().map(|field| field.describe(seal, address, py));
        Some(Description {
            identity: seal.identity,
            weak: i32::try_from((*class::fields(address)).weaklist_offset).ok()?,
            title: class.name().ok()?.to_string_lossy().into_owned(),
            fields: fields.collect::<Option<_>>()?,
            constructor: constructor(seal, address, py),
            attributes: attributes(class)?,
            has_subclasses,
            version: Some(version_of(running().layout, address)).filter(|&version| version != 0)?,
        })
    }
}

/// Whether a sealed class has the function, so that nobody changes it.
#[must_use]
pub fn is_part(function: &Bound<'_, PyAny>) -> bool {
    methods::is_guarded(function.as_ptr())
}

/// The seal of a class of which nothing can change.
///
/// # Safety
/// The class is alive and the thread attached.
unsafe fn settled<'a>(py: Python<'_>, address: *mut PyTypeObject) -> Option<&'a Seal> {
    // SAFETY: the caller's promise.
    unsafe {
        let own = class::fields(address);
        if !layout::is_sealed(own) || (*own).getattro as usize != generic_get() {
            return None;
        }
        let bases = Bound::from_borrowed_ptr(py, (*own).mro).cast_into::<PyTuple>().ok()?;
        let object = py.get_type::<PyAny>();
        let is_sealed = |base: Bound<'_, PyAny>| {
            base.is(&object) || layout::is_sealed(base.as_ptr().cast::<TypeObject>())
        };
        if !bases.iter().all(is_sealed) {
            return None;
        }
        let (seal, _): (&Seal, _) = seal_of(address);
        seal.fields.iter().all(|field| slots::shows(field, address)).then_some(seal)
    }
}

/// How calls of a settled class give its fields their values; none where they do more than that, or where its
/// instances have finalisers.
///
/// # Safety
/// The class is the seal's and alive.
unsafe fn constructor<'py>(
    seal: &Seal,
    address: *mut PyTypeObject,
    py: Python<'py>,
) -> Option<ConstructorDescription<'py>> {
    // SAFETY: the caller's promise.
    let is_plain = unsafe {
        let own = class::fields(address);
        (*own).flags & class::FLAG_ABSTRACT == 0 && (*own).finalize.is_none()
    };
    seal.recipe.as_ref().filter(|_| is_plain)?.describe(py)
}

fn generic_get() -> usize {
    ffi::PyObject_GenericGetAttr as *const () as usize
}

/// Whether the type of the sealed class of this number covers exact instances of a class: it inherits from that, and
/// its fields are the same ones, written under the same conditions.
///
/// # Safety
/// The class is alive and the thread attached.
pub(super) unsafe fn covers(identity: u64, address: *mut PyTypeObject, methods: &[String]) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let py = Python::assume_attached();
        let Some(seal) = settled(py, address) else { return false };
        let Some((wanted, base)) = above(identity, address) else { return false };
        let same = |field: &Field| {
            let own = seal.fields.iter().find(|own| own.name.as_ptr() == field.name.as_ptr());
            own.is_some_and(|own| {
                let stored = |field: &Field, seal, class| field.is_stored(seal, class);
                own.slot.offset == field.slot.offset
                    && own.descriptor == field.descriptor
                    && own.quick.likeliest() == field.quick.likeliest()
                    && stored(own, seal, address) == stored(field, wanted, base)
            })
        };
        let (own, base) =
            (Bound::from_borrowed_ptr(py, address.cast()), Bound::from_borrowed_ptr(py, base.cast()));
        let has_same = |name: &String| {
            let found = attribute(&own, name);
            found.is_some()
                && found.map(|found| found.as_ptr()) == attribute(&base, name).map(|found| found.as_ptr())
        };
        wanted.fields.iter().all(same) && methods.iter().all(has_same)
    }
}

/// The seal of the object, if that is the sealed class with this number.
unsafe fn seal_with<'a>(identity: u64, object: *mut ffi::PyObject) -> Option<&'a Seal> {
    // SAFETY: the callers' promise: a type is tested before its seal is read.
    unsafe {
        if ffi::PyType_Check(object) == 0 || !layout::is_sealed(class::fields(object.cast())) {
            return None;
        }
        let (seal, _): (&Seal, _) = seal_of(object.cast());
        (seal.identity == identity).then_some(seal)
    }
}

/// Where compiled code takes instances of a class from, if it is the sealed class with this number.
///
/// # Safety
/// The object is alive and the thread attached.
pub(super) unsafe fn pool(identity: u64, object: *mut ffi::PyObject) -> Option<sealed::Pool> {
    // SAFETY: the caller's promise.
    unsafe { seal_with(identity, object) }.and_then(|seal| seal.kept.pool())
}

/// Whether the object is the sealed class with this number.
///
/// # Safety
/// The object is alive and the thread attached.
pub(super) unsafe fn is_class(identity: u64, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { seal_with(identity, object) }.is_some()
}

/// The sealed class with this number among a sealed class and its bases.
unsafe fn above<'a>(identity: u64, address: *mut PyTypeObject) -> Option<(&'a Seal, *mut PyTypeObject)> {
    let mut found = class::fields(address);
    // SAFETY: a type keeps its bases alive; each is tested before its seal is read.
    unsafe {
        while layout::is_sealed(found) {
            let (seal, _): (&Seal, _) = seal_of(found.cast());
            if seal.identity == identity {
                return Some((seal, found.cast()));
            }
            found = (*found).parent;
        }
    }
    None
}

fn has_subclasses(class: &Bound<'_, PyType>) -> Option<bool> {
    own_subclasses(class).map(|found| !found.is_empty())
}

fn own_subclasses<'py>(class: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    let ask = class.py().get_type::<PyType>().getattr("__subclasses__").ok()?;
    ask.call1((class,)).ok()?.extract().ok()
}

/// All classes below a class by now, nearer ones first.
#[must_use]
pub fn subclasses<'py>(class: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let mut found: Vec<Bound<'py, PyAny>> = Vec::new();
    let mut next = 0;
    let mut around = class.clone();
    loop {
        for below in own_subclasses(&around).unwrap_or_default() {
            if !found.iter().any(|known| known.is(&below)) {
                found.push(below);
            }
        }
        let Some(class) = found.get(next) else { return found };
        around = class.clone();
        next += 1;
    }
}

/// What a class or the nearest of its bases has under the name.
#[must_use]
pub fn attribute<'py>(class: &Bound<'py, PyAny>, name: &str) -> Option<Bound<'py, PyAny>> {
    let py = class.py();
    let functions = layout::functions(py).ok()?;
    let name = PyString::intern(py, name);
    // SAFETY: a live class, attached; what it has is borrowed.
    unsafe { Bound::from_borrowed_ptr_or_opt(py, (functions.lookup)(class.as_ptr().cast(), name.as_ptr())) }
}

fn attributes<'py>(class: &Bound<'py, PyType>) -> Option<Vec<(String, Bound<'py, PyAny>)>> {
    let py = class.py();
    let mut found: Vec<(String, Bound<'py, PyAny>)> = Vec::new();
    for base in class.mro().iter() {
        if base.is(py.get_type::<PyAny>()) {
            break;
        }
        // SAFETY: a live class that Python made has its namespace there.
        let space = unsafe { Bound::from_borrowed_ptr(py, (*base.as_ptr().cast::<TypeObject>()).dict) };
        for (name, value) in space.cast::<PyDict>().ok()?.iter() {
            let Ok(name) = name.cast_into::<PyString>() else { continue };
            let name = name.to_string_lossy().into_owned();
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, value));
            }
        }
    }
    Some(found)
}

impl Field {
    /// What is known of the field of a settled class.
    ///
    /// # Safety
    /// The class is the seal's, alive, and the thread is attached.
    unsafe fn describe<'py>(
        &self,
        seal: &Seal,
        class: *mut PyTypeObject,
        py: Python<'py>,
    ) -> Option<FieldDescription<'py>> {
        let check = seal.plan_of(self).map_or(&Check::Anything, |plan| &plan.check);
        check.look(seal.function.bind(py)).ok()?;
        Some(FieldDescription {
            name: self.name.bind(py).to_string_lossy().into_owned(),
            offset: i32::try_from(self.slot.offset).ok()?,
            held: self.slot.held,
            takes_all: matches!(check, Check::Anything),
            ty: check.settled().exact_type(py),
            class: check.instance(py),
            // SAFETY: the caller's promise.
            is_stored: unsafe { self.is_stored(seal, class) },
        })
    }

    /// Whether objects of the one exact type that the annotation names may be written unchecked.
    ///
    /// # Safety
    /// The class is the seal's and alive.
    unsafe fn is_stored(&self, seal: &Seal, class: *mut PyTypeObject) -> bool {
        // SAFETY: the caller's promise.
        !seal.immutable && unsafe { slots::writes(class::fields(class)) }
    }
}
