//! The sealed classes that a unit works on: found by the names in annotations, and from class to class by what their
//! fields take. Types name a class by the first global name under which it was found.

use pyo3::prelude::*;
use rustc_hash::FxHashMap;

use crate::check;
use crate::check::ConstructorDescription;
use crate::check::Description;
use crate::check::FunctionPlan;
use crate::check::describe;
use crate::front;
use crate::ir::ClassId;
use crate::ir::Constructor;
use crate::ir::Dispatch;
use crate::ir::FieldSource;
use crate::ir::FuncId;
use crate::ir::GlobalFact;
use crate::ir::SealedClass;
use crate::ir::SealedField;
use crate::ir::Signature;
use crate::runtime::cells::facts;
use crate::runtime::promise::Promise;
use crate::types::Type;

use super::entry;
use super::record::Record;

/// The methods of augmented assignments.
const AUGMENTS: [&str; 13] = [
    "__iadd__",
    "__isub__",
    "__imul__",
    "__itruediv__",
    "__ifloordiv__",
    "__imod__",
    "__ipow__",
    "__ilshift__",
    "__irshift__",
    "__iand__",
    "__ior__",
    "__ixor__",
    "__imatmul__",
];

/// How many classes below a class are looked at.
const MOST_SUBCLASSES: usize = 8;

/// A class, and what is said of it.
struct Known<'py> {
    object: Bound<'py, PyAny>,
    class: SealedClass,
    /// What it has in its namespace, and its bases in theirs.
    attributes: Vec<(String, Bound<'py, PyAny>)>,
}

/// What a unit knows of a constructor: of defaults those that are constants.
fn constructor_of(described: ConstructorDescription<'_>) -> Constructor {
    let sources = described.sources.into_iter().map(|(parameter, default)| {
        let default = default.and_then(|value| match facts::of_value(&value) {
            GlobalFact::Value(constant) => Some(constant),
            _ => None,
        });
        FieldSource { parameter, default }
    });
    Constructor {
        sources: sources.collect(),
        parameters: described.parameters,
        positional: described.positional,
    }
}

/// The classes found so far.
#[derive(Default)]
pub(super) struct Classes<'py> {
    known: Vec<Known<'py>>,
    /// The name that types give to what a dotted global name stands for; none for what is no sealed class.
    names: FxHashMap<String, Option<String>>,
}

impl<'py> Classes<'py> {
    /// The name of the class that a dotted global name stands for, which `look` looks up.
    pub(super) fn named(
        &mut self,
        path: &str,
        look: &dyn Fn(&str) -> Option<Bound<'py, PyAny>>,
    ) -> Option<String> {
        if let Some(known) = self.names.get(path) {
            return known.clone();
        }
        let found = look(path).and_then(|object| self.add(&object, path));
        self.names.insert(path.to_owned(), found.clone());
        found
    }

    /// The name of a class; `wanted` where it is new.
    fn add(&mut self, object: &Bound<'py, PyAny>, wanted: &str) -> Option<String> {
        if let Some(known) = self.known.iter().find(|known| known.object.is(object)) {
            return Some(known.class.name.clone());
        }
        let Description { identity, title, version, has_subclasses, weak, fields, attributes, constructor } =
            describe(object)?;
        let is_taken = self.known.iter().any(|known| known.class.name == wanted);
        let name = if is_taken { format!("{wanted}.{identity}") } else { wanted.to_owned() };
        let place = self.known.len();
        let class = SealedClass {
            name,
            title,
            identity,
            version,
            has_subclasses,
            weak,
            augments: attributes.iter().any(|(name, _)| AUGMENTS.contains(&name.as_str())),
            fields: Vec::new(),
            dispatch: Vec::new(),
            constructor: constructor.map(constructor_of),
            methods: Vec::new(),
        };
        self.known.push(Known { object: object.clone(), class, attributes });
        for field in fields {
            let ty = match &field.class {
                Some((class, or_none)) => self.type_of(class, *or_none),
                None => field.ty,
            };
            let is_stored = field.is_stored && ty != Type::Object;
            let found = SealedField {
                name: field.name,
                ty,
                offset: field.offset,
                held: field.held,
                is_stored,
                takes_all: field.takes_all,
            };
            self.known[place].class.fields.push(found);
        }
        Some(self.known[place].class.name.clone())
    }

    fn type_of(&mut self, class: &Bound<'py, PyAny>, or_none: bool) -> Type {
        let name = class.getattr("__qualname__").and_then(|name| name.extract::<String>());
        let Some(name) = name.ok().and_then(|name| self.add(class, &name)) else { return Type::Object };
        if or_none { Type::Optional(name.into()) } else { Type::Sealed(name.into()) }
    }

    /// The type with the names that this table gives; what is no sealed class may be anything.
    pub(super) fn resolved(&mut self, ty: &Type, look: &dyn Fn(&str) -> Option<Bound<'py, PyAny>>) -> Type {
        match ty {
            Type::Sealed(path) => {
                self.named(path, look).map_or(Type::Object, |name| Type::Sealed(name.into()))
            }
            Type::Optional(path) => {
                self.named(path, look).map_or(Type::Object, |name| Type::Optional(name.into()))
            }
            Type::List(item) => Type::List(Box::new(self.resolved(item, look))),
            Type::Tuple(items) => Type::Tuple(items.iter().map(|item| self.resolved(item, look)).collect()),
            other => other.clone(),
        }
    }

    fn find(&self, name: &str) -> Option<&Known<'py>> {
        self.known.iter().find(|known| known.class.name == name)
    }

    /// The number that no other class has, of the class with this name.
    pub(super) fn identity(&self, name: &str) -> Option<u64> {
        self.find(name).map(|known| known.class.identity)
    }

    /// How many classes there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// What the class of this number and its bases have in their namespaces.
    pub(super) fn attributes(&self, number: usize) -> &[(String, Bound<'py, PyAny>)] {
        &self.known[number].attributes
    }

    /// The class of this number, as an object.
    pub(super) fn object(&self, number: usize) -> &Bound<'py, PyAny> {
        &self.known[number].object
    }

    /// Adds the classes below the one of this number, as far as they are sealed; all of them.
    pub(super) fn add_subclasses(&mut self, number: usize) -> Vec<Bound<'py, PyAny>> {
        if !self.known[number].class.has_subclasses {
            return Vec::new();
        }
        let found = check::subclasses(&self.known[number].object);
        for class in found.iter().take(MOST_SUBCLASSES) {
            self.type_of(class, false);
        }
        found
    }

    /// The number of a class.
    pub(super) fn number(&self, object: &Bound<'py, PyAny>) -> Option<ClassId> {
        self.known.iter().position(|known| known.object.is(object)).map(ClassId::new)
    }

    /// Makes a function of the unit a method of the class of this number, which no subclass replaces.
    pub(super) fn add_method(&mut self, number: usize, name: &str, function: FuncId) {
        self.known[number].class.methods.push((name.to_owned(), function));
    }

    /// Says which functions of the unit exact instances of some classes have as a method of the class of this number.
    pub(super) fn add_dispatch(&mut self, number: usize, name: &str, targets: Vec<(ClassId, FuncId)>) {
        self.known[number].class.dispatch.push(Dispatch { name: name.to_owned(), targets });
    }

    /// What the unit knows of them. What is in a field's list no check has seen: the text's word is taken for that.
    pub(super) fn described(&self, facts: &FxHashMap<String, GlobalFact>) -> Vec<SealedClass> {
        let mut classes: Vec<SealedClass> = self.known.iter().map(|known| known.class.clone()).collect();
        for field in classes.iter_mut().flat_map(|class| &mut class.fields) {
            if let (Type::List(_), Some(GlobalFact::Likely(Type::List(item)))) =
                (&field.ty, facts.get(&format!(".{}", field.name)))
            {
                field.ty = Type::List(item.clone());
            }
        }
        classes
    }

    /// What the annotations of a function say with these classes: a promise only where every object that its type
    /// covers keeps it.
    pub(super) fn signature(
        &mut self,
        callable: &Bound<'py, PyAny>,
        record: &Record,
        look: &dyn Fn(&str) -> Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Signature>> {
        let Some(blueprint) = &record.blueprint else { return Ok(None) };
        let spelled = front::annotated_signature(&blueprint.module, &blueprint.info);
        let mut signature = blueprint.signature.clone();
        let plan = record.plan.as_ref().map(|plan| plan.bind(callable.py()).get());
        let function = entry::function_of(callable);
        for (index, (own, spelled)) in signature.params.iter_mut().zip(&spelled.params).enumerate() {
            let ty = self.resolved(if *own == Type::Object { spelled } else { own }, look);
            *own = match plan {
                Some(plan) if ty.sealed().is_some() => self.kept(plan, &function, Some(index), ty)?,
                _ => ty,
            };
        }
        let ty = self.resolved(
            if signature.result == Type::Object { &spelled.result } else { &signature.result },
            look,
        );
        signature.result = match plan {
            Some(plan) if ty.sealed().is_some() => self.kept(plan, &function, None, ty)?,
            _ => ty,
        };
        if let Some(first) = signature.params.first_mut()
            && *first == Type::Object
            && !blueprint.checked.params[0]
            && let Some(owner) = self.owner(callable, &blueprint.info.qualname, look)
        {
            *first = Type::Sealed(owner.into());
        }
        Ok((signature != blueprint.signature).then_some(signature))
    }

    /// The type, if each object that it covers keeps the annotation of the parameter, or of the result.
    fn kept(
        &self,
        plan: &FunctionPlan,
        function: &Bound<'py, PyAny>,
        index: Option<usize>,
        ty: Type,
    ) -> PyResult<Type> {
        let py = function.py();
        plan.look(function, index)?;
        let Some(known) = ty.sealed().and_then(|name| self.find(name)) else { return Ok(Type::Object) };
        let none = py.None().into_bound(py).get_type();
        // SAFETY: both classes are alive. What covers a class covers its subclasses, unless its metaclass decides.
        let keeps = unsafe {
            plan.is_settled_by(py, index, known.object.as_ptr().cast())
                && (matches!(ty, Type::Sealed(_)) || plan.is_settled_by(py, index, none.as_type_ptr()))
        };
        Ok(if keeps { ty } else { Type::Object })
    }

    /// The sealed class that has the function as a method, under the name that it was defined with.
    fn owner(
        &mut self,
        callable: &Bound<'py, PyAny>,
        qualname: &str,
        look: &dyn Fn(&str) -> Option<Bound<'py, PyAny>>,
    ) -> Option<String> {
        let (path, method) = qualname.rsplit_once('.')?;
        let owner = self.named(path, look)?;
        let mut attributes = self.find(&owner)?.attributes.iter();
        attributes.any(|(name, value)| name == method && value.is(callable)).then_some(owner)
    }
}
