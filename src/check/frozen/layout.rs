//! What sealing changes of a type object, and where fields stand in its instances.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_int;
use std::ffi::c_ulong;
use std::ffi::c_void;
use std::ptr;

use pyo3::PyResult;
use pyo3::exceptions::PySystemError;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyTypeMethods;
use pyo3::prelude::Python;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;
use pyo3::types::PyType;

use super::Seal;
use super::c_name;
use super::create;
use super::field_slot::FieldSlot;
use super::seal_of;
use super::slots;
use crate::cpython;
use crate::cpython::class;
use crate::cpython::class::ClassFunctions;
use crate::cpython::class::TypeObject;
use crate::cpython::class::fields;
use crate::cpython::descriptor;
use crate::types::Held;

const WORD: isize = size_of::<*mut ffi::PyObject>().cast_signed();
/// The size of what every object begins with.
pub(super) const HEADER: isize = size_of::<ffi::PyObject>().cast_signed();

/// Where a field stands.
pub(super) enum Place {
    /// In a slot that the class adds.
    New(FieldSlot),
    /// In that of a sealed base, under the descriptor at this address.
    Inherited(FieldSlot, usize),
}

impl Place {
    pub(super) fn slot(&self) -> FieldSlot {
        match self {
            Place::New(slot) | Place::Inherited(slot, _) => *slot,
        }
    }
}

/// Whether this very type is sealed.
#[inline]
pub(super) fn is_sealed(class: *mut TypeObject) -> bool {
    // SAFETY: a live type.
    unsafe { (*class).dealloc.is_some_and(|own| ptr::fn_addr_eq(own, slots::dealloc as ffi::destructor)) }
}

/// The class itself or the nearest class above it that is sealed; null where none is.
///
/// # Safety
/// A live type.
#[inline]
pub(super) unsafe fn sealed_above(class: *mut ffi::PyTypeObject) -> *mut TypeObject {
    let mut found = fields(class);
    // SAFETY: a type keeps its base alive.
    unsafe {
        while !found.is_null() && !is_sealed(found) {
            found = (*found).parent;
        }
    }
    found
}

/// The functions of the interpreter that sealing needs, once the layout of types has been checked.
pub(super) fn functions(py: Python<'_>) -> PyResult<&ClassFunctions> {
    static FUNCTIONS: PyOnceLock<Result<ClassFunctions, String>> = PyOnceLock::new();
    let found = FUNCTIONS.get_or_try_init(py, || {
        Ok::<_, pyo3::PyErr>(if class::check(py)? {
            ClassFunctions::find(cpython::running().layout)
        } else {
            Err("types of this interpreter are not laid out as known".to_owned())
        })
    })?;
    found.as_ref().map_err(|reason| PySystemError::new_err(reason.clone()))
}

/// The sealed class that a class inherits from directly, if any.
pub(super) fn sealed_parent<'py>(class: &Bound<'py, PyType>) -> Option<Bound<'py, PyType>> {
    // SAFETY: a live class; its base is alive as long.
    unsafe {
        let parent = (*fields(class.as_type_ptr())).parent;
        is_sealed(parent).then(|| Bound::from_borrowed_ptr(class.py(), parent.cast()).cast_into_unchecked())
    }
}

/// Why the class can't be changed in place, in words.
pub(super) fn obstacle(class: &Bound<'_, PyType>) -> PyResult<Option<&'static str>> {
    functions(class.py())?;
    let own = fields(class.as_type_ptr());
    // SAFETY: live types with the checked layout.
    unsafe {
        if (*own).flags & class::FLAG_HEAP == 0 || (*own).flags & class::FLAG_IMMUTABLE != 0 {
            return Ok(Some("it is not a class that a class statement made"));
        }
        if (*own).flags & class::FLAG_GC == 0 || (*own).item_size != 0 || !has_ordinary_functions(class)? {
            return Ok(Some("its instances are not ordinary ones"));
        }
        for base in class.mro().iter().skip(1) {
            let base = fields(base.as_ptr().cast());
            let bare = (*base).basic_size == HEADER
                && (*base).dict_offset == 0
                && (*base).weaklist_offset == 0
                && (*base).flags & class::FLAGS_MANAGED & !(1 << 2) == 0;
            if !bare && !is_sealed(base) {
                return Ok(Some("a base class keeps values of its own in instances"));
            }
        }
    }
    Ok(None)
}

/// Whether memory is handled as for every class that adds nothing to `object`.
fn has_ordinary_functions(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    static PLAIN: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let plain = PLAIN.get_or_try_init(py, || {
        let kind = py.get_type::<PyType>();
        let made = kind.call1(("plain", PyTuple::empty(py), pyo3::types::PyDict::new(py)))?;
        Ok::<_, pyo3::PyErr>(made.cast_into::<PyType>()?.unbind())
    })?;
    let (own, plain) = (fields(class.as_type_ptr()), fields(plain.bind(py).as_type_ptr()));
    let same = |a: *mut c_void, b: *mut c_void| a == b;
    // SAFETY: live types with the checked layout.
    Ok(unsafe {
        same(address((*own).dealloc), address((*plain).dealloc))
            && same(address((*own).traverse), address((*plain).traverse))
            && same(address((*own).clear), address((*plain).clear))
            && same(address((*own).alloc), address((*plain).alloc))
            && same(address((*own).free), address((*plain).free))
            && (*own).vectorcall.is_none()
            && (*own).cache.is_null()
    })
}

fn address<F: Copy>(function: Option<F>) -> *mut c_void {
    const { assert!(size_of::<Option<F>>() == size_of::<*mut c_void>()) };
    // SAFETY: a function pointer, or none, is one word.
    unsafe { std::mem::transmute_copy(&function) }
}

/// What CPython's descriptors of the fields point to; lives as long as the class.
pub(super) struct Definitions {
    names: Box<[(FieldSlot, CString)]>,
    members: Box<[ffi::PyMemberDef]>,
    accessors: Box<[ffi::PyGetSetDef]>,
}

// SAFETY: nothing changes after the construction; the pointers lead into the boxes.
unsafe impl Send for Definitions {}
// SAFETY: as above.
unsafe impl Sync for Definitions {}

impl Definitions {
    fn new(names: Vec<(FieldSlot, CString)>, own_setattr: bool) -> Definitions {
        let names = names.into_boxed_slice();
        let members = names.iter().map(|(slot, name)| ffi::PyMemberDef {
            name: name.as_ptr(),
            type_code: ffi::Py_T_OBJECT_EX,
            offset: slot.offset,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        });
        let accessors = names.iter().map(|(slot, name)| ffi::PyGetSetDef {
            name: name.as_ptr(),
            get: Some(slots::get_field),
            set: Some(if own_setattr { slots::set_field } else { slots::refuse_field }),
            doc: ptr::null(),
            closure: ptr::without_provenance_mut(slot.offset.cast_unsigned()),
        });
        let (members, accessors) = (members.collect(), accessors.collect());
        Definitions { names, members, accessors }
    }

    /// What the class shows under the names of the fields that it adds: members that are only read, because the
    /// class' own `__setattr__` writes, or pairs of functions where the class has another `__setattr__` or no reference
    /// need stand in the field.
    pub(super) fn descriptors<'py>(
        &self,
        class: &Bound<'py, PyType>,
        has_setter: bool,
    ) -> PyResult<Vec<Descriptor<'py>>> {
        let definitions = self.names.iter().zip(&self.members).zip(&self.accessors);
        let made = definitions.map(|(((slot, name), member), accessors)| {
            // SAFETY: a live class, which the descriptor keeps alive, and with it the definitions. CPython only
            // reads them.
            unsafe {
                let descriptor = if has_setter || slot.held != Held::Object {
                    ffi::PyDescr_NewGetSet(class.as_type_ptr(), ptr::from_ref(accessors).cast_mut())
                } else {
                    ffi::PyDescr_NewMember(class.as_type_ptr(), ptr::from_ref(member).cast_mut())
                };
                Ok((slot.offset, name.clone(), Bound::from_owned_ptr_or_err(class.py(), descriptor)?))
            }
        });
        made.collect()
    }
}

/// What a class shows under the name of a field that it adds: the field's offset, its name, the descriptor.
pub(super) type Descriptor<'py> = (isize, CString, Bound<'py, PyAny>);

/// Where the fields stand: those that a sealed parent has stay there, the others follow.
pub(super) fn plan(
    wanted: &[(Py<PyString>, Held)],
    parent: Option<&Bound<'_, PyType>>,
    own_setattr: bool,
    py: Python<'_>,
) -> PyResult<(Vec<Place>, Definitions)> {
    let mut end = HEADER;
    let mut inherited = Vec::new();
    if let Some(parent) = parent {
        // SAFETY: a live sealed class.
        let (seal, class) = unsafe { seal_of(parent.as_type_ptr()) };
        // SAFETY: as above.
        end = unsafe { (*class).basic_size };
        inherited = seal.fields.iter().collect();
    }
    let mut definitions = Vec::new();
    let mut places = Vec::new();
    for (name, held) in wanted {
        let known = inherited.iter().find(|field| field.name.as_ptr() == name.as_ptr());
        places.push(match known {
            Some(field) => Place::Inherited(field.slot, field.descriptor),
            None => {
                let slot = FieldSlot { offset: end, held: *held };
                definitions.push((slot, c_name(name, py)?));
                end += WORD;
                Place::New(slot)
            }
        });
    }
    Ok((places, Definitions::new(definitions, own_setattr)))
}

/// How large instances are.
pub(super) struct Size {
    basic: isize,
    weak: isize,
    /// Whether the class' own weak reference slot came from its class statement alone.
    drops_weakref: bool,
}

impl Size {
    pub(super) fn of_instance(&self) -> usize {
        self.basic.cast_unsigned()
    }

    pub(super) fn of(
        places: &[Place],
        parent: Option<&Bound<'_, PyType>>,
        weakref: bool,
        class: &Bound<'_, PyType>,
    ) -> Size {
        let parent = parent.unwrap_or(class);
        let is_root = parent.is(class);
        // SAFETY: live types.
        let (start, weak) = unsafe {
            let parent = fields(parent.as_type_ptr());
            if is_root { (HEADER, 0) } else { ((*parent).basic_size, (*parent).weaklist_offset) }
        };
        let added = places.iter().filter(|place| matches!(place, Place::New(_))).count();
        let end = start + WORD * added.cast_signed();
        match (weakref, weak) {
            (true, 0) => Size { basic: end + WORD, weak: end, drops_weakref: false },
            _ => Size { basic: end, weak, drops_weakref: true },
        }
    }
}

/// Whether instances have a finaliser.
pub(super) fn is_finalised(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: a live class.
    unsafe { (*fields(class.as_type_ptr())).finalize.is_some() }
}

/// Makes the class what it is to be. Whatever fails leaves a class whose instances and descriptors agree.
pub(super) fn apply(
    class: &Bound<'_, PyType>,
    seal: Py<Seal>,
    size: &Size,
    added: &[Descriptor<'_>],
    own_setattr: bool,
    is_final: bool,
) -> PyResult<()> {
    let py = class.py();
    // SAFETY: a live class with the checked layout. `type` itself refuses to delete `__dict__` of a class, for
    // it takes that for the class' own attribute.
    let namespace = unsafe { Bound::from_borrowed_ptr(py, (*fields(class.as_type_ptr())).dict) };
    for (name, goes) in [("__dict__", true), ("__weakref__", size.drops_weakref)] {
        if goes && namespace.contains(name)? {
            namespace.del_item(name)?;
        }
    }
    if !own_setattr {
        wrap_slot(class, c"__setattr__")?;
        wrap_slot(class, c"__delattr__")?;
    }
    let constructs = seal.get().recipe.is_some();
    // SAFETY: nobody has an instance or a subclass of the class (`castiron._frozen` looks), and all of these
    // fields are those of the checked layout. The size fits what the slots read and write; the type owns the
    // seal from now on and drops it when it is freed.
    unsafe {
        let own = fields(class.as_type_ptr());
        (*own).basic_size = size.basic;
        (*own).dict_offset = 0;
        (*own).weaklist_offset = size.weak;
        (*own).dealloc = Some(slots::dealloc);
        (*own).alloc = Some(slots::allocate);
        (*own).traverse = Some(slots::traverse);
        (*own).clear = Some(slots::clear);
        if !own_setattr {
            (*own).setattro = Some(slots::set_attribute);
        }
        if constructs {
            (*own).vectorcall = Some(create::construct);
        }
        (*own).flags &= !class::FLAGS_MANAGED;
        (*own).cache = seal.clone_ref(py).into_ptr();
    }
    for (_, name, descriptor) in added {
        set_attribute(class, name, descriptor)?;
    }
    // SAFETY: as above.
    unsafe {
        let own = fields(class.as_type_ptr());
        let base_flag: c_ulong = if is_final { class::FLAG_BASE } else { 0 };
        (*own).flags = (*own).flags & !base_flag | class::FLAG_IMMUTABLE;
        ffi::PyType_Modified(class.as_type_ptr());
    }
    Ok(())
}

/// Gives the class a `__setattr__` or `__delattr__` that calls the slot, so that subclasses inherit the slot.
fn wrap_slot(class: &Bound<'_, PyType>, name: &CStr) -> PyResult<()> {
    let py = class.py();
    let text = name.to_str().expect("the names are ASCII");
    let general = py.get_type::<PyAny>().getattr(text)?;
    let function = slots::set_attribute as class::SetAttr as *mut c_void;
    // SAFETY: the attribute of `object` is a wrapper descriptor, whose description says how the slot is
    // called; ours is called the same way, with null for a deletion.
    let wrapper = unsafe {
        let made = (functions(py)?.new_wrapper)(
            class.as_type_ptr(),
            descriptor::wrapper_base(general.as_ptr()),
            function,
        );
        Bound::from_owned_ptr_or_err(py, made)?
    };
    set_attribute(class, name, &wrapper)
}

/// Puts what stands for a function of a sealed class in its place.
pub fn put_part(
    class: &Bound<'_, PyType>,
    name: &Bound<'_, PyString>,
    part: &Bound<'_, PyAny>,
) -> PyResult<()> {
    if !is_sealed(fields(class.as_type_ptr())) {
        return Err(PyTypeError::new_err("only sealed classes want this"));
    }
    // SAFETY: a live class that Python made, whose namespace is a dict; nobody else is told of the write.
    unsafe {
        let namespace = Bound::from_borrowed_ptr(class.py(), (*fields(class.as_type_ptr())).dict);
        namespace.set_item(name, part)?;
        ffi::PyType_Modified(class.as_type_ptr());
    }
    Ok(())
}

/// Sets an attribute of the class whatever its metaclass says.
fn set_attribute(class: &Bound<'_, PyType>, name: &CStr, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = class.py();
    let set = py.get_type::<PyType>().getattr(intern!(py, "__setattr__"))?;
    set.call1((class, name.to_str().expect("names of fields are text"), value)).map(drop)
}

const _: () = assert!(size_of::<c_int>() == 4);
