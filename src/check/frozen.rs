//! Sealed classes: a class that `castiron._frozen` has prepared becomes immutable, and its instances structs
//! of checked slots.
//!
//! The class is changed in place, before it has an instance or a subclass: `__class__` cells, hooks and
//! metaclass keep what they have seen. What CPython would keep in an instance `__dict__` stands at fixed
//! offsets behind the header; reading is a plain slot read, which the interpreter specialises, writing is
//! ours ([`slots`]), and so is the constructor ([`create`]).
//!
//! Invariants:
//! - Whether a type is sealed is told by its `tp_dealloc`; its [`Seal`] stands in `tp_cache`, which CPython
//!   uses for nothing and drops when the type is freed, after its last instance and subclass.
//! - A field is unset, an owned reference or an unboxed number, as its [`FieldSlot`] says; a value in it has passed
//!   the field's check, or is the field's default.

pub(super) mod create;
pub(super) mod described;
mod field_slot;
pub(super) mod layout;
pub(super) mod memory;
pub(super) mod methods;
pub(super) mod refusals;
pub(super) mod slots;
mod stores;

use std::ffi::CString;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use pyo3::PyResult;
use pyo3::PyTraverseError;
use pyo3::PyVisit;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::PyObject;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::Python;
use pyo3::pyclass;
use pyo3::pyfunction;
use pyo3::pymethods;
use pyo3::types::PyString;
use pyo3::types::PyStringMethods;
use pyo3::types::PyType;

use super::call::Call;
use super::function::FunctionPlan;
use super::plan::Check;
use super::plan::Plan;
use super::quick::Quick;
use crate::cpython::class;
use crate::cpython::class::TypeObject;
use crate::runtime::frames;
use crate::runtime::sealed;
use crate::runtime::sealed::Functions;
use crate::types::Held;
use create::Recipe;
use field_slot::FieldSlot;
use layout::Place;
use memory::Kept;

/// How many classes have been sealed, and one more.
static SEALS: AtomicU64 = AtomicU64::new(1);

/// A field of the instances of a sealed class.
pub(super) struct Field {
    /// The interned name.
    name: Py<PyString>,
    /// Where it stands in an instance.
    slot: FieldSlot,
    /// What passes its check at once.
    quick: Quick,
    /// Its position among the parameters of the plan.
    parameter: usize,
    /// The default, which passes unchecked.
    default: Option<Py<PyAny>>,
    /// The address of what the class has under the name; a subclass may have something else. Not owned: it owns
    /// the class, and nothing else could break the circle.
    descriptor: usize,
}

/// What is read of a field on every call and write.
pub(super) struct Hot {
    /// The address of the interned name.
    name: *mut PyObject,
    /// Where the field stands in an instance.
    slot: FieldSlot,
    /// The exact static types that are likeliest to come, null where there are fewer.
    exact: [*mut ffi::PyTypeObject; 2],
}

// SAFETY: the addresses are compared; nothing changes after the construction.
unsafe impl Send for Hot {}
// SAFETY: as above.
unsafe impl Sync for Hot {}

impl Hot {
    fn of(field: &Field) -> Hot {
        Hot { name: field.name.as_ptr(), slot: field.slot, exact: field.quick.likeliest() }
    }

    /// Whether the value's type is one of the likeliest.
    ///
    /// # Safety
    /// The value is alive.
    #[inline]
    unsafe fn knows(&self, value: *mut PyObject) -> bool {
        // SAFETY: the caller's promise.
        self.exact.contains(&unsafe { ffi::Py_TYPE(value) })
    }
}

/// Makes the exceptions of refused writes: `broken(class, field, description, value)`,
/// `assigned(class, field)`, `deleted(class, field)`.
pub(super) struct Refusals {
    broken: Py<PyAny>,
    assigned: Py<PyAny>,
    deleted: Py<PyAny>,
}

/// What is known of a sealed class; its type owns it.
#[pyclass(frozen, module = "castiron._castiron")]
pub(super) struct Seal {
    /// A number that no other seal ever has; never 0.
    identity: u64,
    fields: Box<[Field]>,
    /// The same, in the same order.
    hot: Box<[Hot]>,
    /// Freed instances.
    kept: Kept,
    immutable: bool,
    plan: Py<FunctionPlan>,
    /// Where names that were not defined yet are looked up.
    function: Py<PyAny>,
    refusals: Refusals,
    recipe: Option<Recipe>,
    /// Functions of the class and what else it has in parts, which may not change.
    parts: Vec<Py<PyAny>>,
    /// What the descriptors point into.
    _definitions: layout::Definitions,
}

#[pymethods]
impl Seal {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        for part in &self.parts {
            visit.call(part)?;
        }
        for field in &self.fields {
            visit.call(&field.default)?;
        }
        self.recipe.as_ref().map_or(Ok(()), |recipe| recipe.traverse(&visit))
    }
}

impl Drop for Seal {
    fn drop(&mut self) {
        // SAFETY: a seal is dropped by attached threads, before the memory of its type is freed.
        unsafe { self.kept.clear() };
        methods::release(&self.parts);
    }
}

/// The seal of a sealed class or of the sealed class that it inherits from, with that class.
///
/// # Safety
/// The type is a sealed class or a subclass of one, and alive.
#[inline]
unsafe fn seal_of<'a>(class: *mut ffi::PyTypeObject) -> (&'a Seal, *mut TypeObject) {
    let mut found = class::fields(class);
    // SAFETY: some class up the chain is sealed; a sealed class owns its seal until it is freed.
    unsafe {
        while !layout::is_sealed(found) {
            found = (*found).parent;
        }
        let seal: *const Seal =
            Bound::ref_from_ptr(Python::assume_attached(), &(*found).cache).cast_unchecked::<Seal>().get();
        (&*seal, found)
    }
}

impl Field {
    /// Whether the value may be written.
    #[inline]
    fn accepts(&self, seal: &Seal, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        // SAFETY: value and check are alive, and the thread is attached.
        if unsafe { self.quick.knows(value.as_ptr()) }
            || self.default.as_ref().is_some_and(|default| default.as_ptr() == value.as_ptr())
        {
            return Ok(true);
        }
        self.accepts_slowly(seal, value)
    }

    #[cold]
    fn accepts_slowly(&self, seal: &Seal, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = value.py();
        match seal.plan_of(self) {
            Some(plan) => {
                // SAFETY: the thread is attached.
                unsafe { frames::show() };
                let accepted = plan.check.accepts(value, &Call::of(Some(seal.function.bind(py)), None))?;
                if accepted {
                    // SAFETY: the value is alive; the quick part was made of this check.
                    unsafe { self.quick.learn(&plan.check, value.as_ptr()) };
                }
                Ok(accepted)
            }
            None => Ok(true),
        }
    }
}

impl Seal {
    fn plan_of(&self, field: &Field) -> Option<&Plan> {
        self.plan.get().parameter(field.parameter).map(|parameter| &parameter.plan)
    }

    /// The exception for a value that breaks the field's annotation.
    #[cold]
    fn broken(&self, field: &Field, class: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> pyo3::PyErr {
        // SAFETY: the thread is attached.
        unsafe { frames::show() };
        let described = self.plan_of(field).map(|plan| plan.described.bind(class.py()));
        raised(self.refusals.broken.bind(class.py()).call1((class, &field.name, described, value)))
    }

    #[cold]
    fn refused(&self, make: &Py<PyAny>, field: &Field, class: &Bound<'_, PyAny>) -> pyo3::PyErr {
        // SAFETY: the thread is attached.
        unsafe { frames::show() };
        raised(make.bind(class.py()).call1((class, &field.name)))
    }
}

/// Raises what was made, so that it is chained to the exception being handled.
fn raised(made: PyResult<Bound<'_, PyAny>>) -> pyo3::PyErr {
    match made {
        Ok(error) => {
            // SAFETY: both are alive, and the exception is an instance of its class.
            unsafe { ffi::PyErr_SetObject(error.get_type_ptr().cast(), error.as_ptr()) };
            pyo3::PyErr::fetch(error.py())
        }
        Err(error) => error,
    }
}

/// How the constructor gives a field its value: name, whether it is a parameter, whether by keyword only,
/// the default or `None` in a tuple of one, the factory.
type Given<'py> = (Bound<'py, PyString>, bool, bool, Option<(Py<PyAny>,)>, Option<Py<PyAny>>);

/// What is said of a class that is being sealed.
#[derive(pyo3::FromPyObject)]
pub(super) struct Order<'py> {
    /// All fields, inherited ones included, in the constructor's order.
    #[pyo3(item)]
    fields: Vec<Given<'py>>,
    /// Whether fields are written once.
    #[pyo3(item)]
    immutable: bool,
    /// Whether there are no subclasses.
    #[pyo3(item("final"))]
    is_final: bool,
    /// Whether instances take weak references.
    #[pyo3(item)]
    weakref: bool,
    /// Whether the constructor is the generated one, and nothing but it makes instances.
    #[pyo3(item)]
    constructs: bool,
    /// Whether the constructor calls `__post_init__`.
    #[pyo3(item)]
    post_init: bool,
    /// Whether the class or a base writes attributes in its own way.
    #[pyo3(item)]
    own_setattr: bool,
    /// Whether numbers of one exact type are held unboxed in the fields that the class adds.
    #[pyo3(item)]
    unboxed: bool,
    /// Its functions, their cells, its properties, class methods and static methods.
    #[pyo3(item)]
    parts: Vec<Py<PyAny>>,
    /// `broken`, `assigned`, `deleted`.
    #[pyo3(item)]
    refusals: (Py<PyAny>, Py<PyAny>, Py<PyAny>),
}

/// Tells compiled code what the functions of sealed types are: calls of them wait without frames, and they say
/// [`frames::show`] before they run anything that looks.
pub(super) fn register() {
    sealed::register(Functions {
        constructor: create::construct as *const () as usize,
        setter: slots::set_attribute as *const () as usize,
        dealloc: slots::dealloc as *const () as usize,
        covers: described::covers,
        make: create::make_unchecked,
        dies_at_once: slots::dies_at_once,
        pool: described::pool,
        is_class: described::is_class,
    });
}

/// Why a class can't be sealed in place, in words; None where it can.
#[pyfunction]
pub(super) fn cannot_seal(class: &Bound<'_, PyType>) -> PyResult<Option<&'static str>> {
    layout::obstacle(class)
}

/// Seals the class. `function` has a parameter for each field, in the order's order, and the plan is its.
#[pyfunction]
pub(super) fn seal(
    class: &Bound<'_, PyType>,
    function: Py<PyAny>,
    plan: Py<FunctionPlan>,
    order: Order<'_>,
) -> PyResult<()> {
    let py = class.py();
    stores::announce();
    if let Some(reason) = layout::obstacle(class)? {
        return Err(PyTypeError::new_err(reason));
    }
    let names: Vec<Py<PyString>> = order.fields.iter().map(|field| interned(&field.0)).collect();
    let parent = layout::sealed_parent(class);
    let held = |number| {
        let plan = plan.get().parameter(number).map(|parameter| &parameter.plan).filter(|_| order.unboxed);
        plan.map_or(Held::Object, |plan| Held::unboxed(&plan.check.exact_type(py)))
    };
    let wanted: Vec<(Py<PyString>, Held)> =
        names.iter().enumerate().map(|(number, name)| (name.clone_ref(py), held(number))).collect();
    let (places, definitions) = layout::plan(&wanted, parent.as_ref(), order.own_setattr, py)?;
    let added = definitions.descriptors(class, order.own_setattr)?;
    let fields = order.fields.iter().zip(&names).zip(&places).enumerate();
    let fields = fields
        .map(|(number, ((given, name), place))| {
            let plan = plan.get().parameter(number).map(|parameter| &parameter.plan);
            let check = plan.map_or(&Check::Anything, |plan| &plan.check);
            Ok(Field {
                name: name.clone_ref(py),
                slot: place.slot(),
                quick: Quick::of(check, py),
                parameter: number,
                default: given.3.as_ref().map(|(default,)| default.clone_ref(py)),
                descriptor: match place {
                    Place::New(slot) => added
                        .iter()
                        .find(|(own, ..)| *own == slot.offset)
                        .map_or(0, |found| found.2.as_ptr().addr()),
                    Place::Inherited(_, descriptor) => *descriptor,
                },
            })
        })
        .collect::<PyResult<Box<[Field]>>>()?;
    let (broken, assigned, deleted) = order.refusals;
    let size = layout::Size::of(&places, parent.as_ref(), order.weakref, class);
    let seal = Seal {
        identity: SEALS.fetch_add(1, Ordering::Relaxed),
        hot: fields.iter().map(Hot::of).collect(),
        kept: Kept::new(py, size.of_instance(), layout::is_finalised(class)),
        recipe: order.constructs.then(|| Recipe::new(py, &order.fields, order.post_init)),
        fields,
        immutable: order.immutable,
        plan,
        function,
        refusals: Refusals { broken, assigned, deleted },
        parts: methods::guard(py, order.parts)?,
        _definitions: definitions,
    };
    layout::apply(class, Py::new(py, seal)?, &size, &added, order.own_setattr, order.is_final)
}

fn interned(name: &Bound<'_, PyString>) -> Py<PyString> {
    PyString::intern(name.py(), &name.to_string_lossy()).unbind()
}

/// The name as C wants it.
fn c_name(name: &Py<PyString>, py: Python<'_>) -> PyResult<CString> {
    Ok(CString::new(name.bind(py).to_str()?)?)
}
