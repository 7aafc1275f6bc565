//! Sealed classes as a unit knows them: nothing of what stands here changes while the class lives, so what is known
//! of an object once is known for as long as it is held.

use serde::{Deserialize, Serialize};

use crate::types::{Held, MAX_UNBOXED, Type};

use super::entity::{ClassId, FuncId};
use super::imm::{Binary, InPlace};
use super::unit::Const;
use super::unit::Unit;

/// A field of the instances of a sealed class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedField {
    /// Its name.
    pub name: String,
    /// What stands in it, as far as its annotation says; whoever reads it tests that.
    pub ty: Type,
    /// Where it stands in an instance.
    pub offset: i32,
    /// What stands there.
    pub held: Held,
    /// Whether compiled code may write it: objects of exactly that type, over a value that is there.
    pub is_stored: bool,
    /// Whether anything may stand in it. Not part of IR text.
    pub takes_all: bool,
}

/// How calls of a class give its fields their values, where they do nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constructor {
    /// The names of the parameters.
    pub parameters: Vec<String>,
    /// How many of them take positional arguments.
    pub positional: usize,
    /// For each field, in their order, where its value comes from.
    pub sources: Vec<FieldSource>,
}

/// Where the value of a field comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSource {
    /// The number of the parameter, if there is one.
    pub parameter: Option<usize>,
    /// What it is without an argument, which no check looks at; none where that is not known here.
    pub default: Option<Const>,
}

/// A method that subclasses replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// Its name.
    pub name: String,
    /// What exact instances of each class have, as far as classes and functions are the unit's.
    pub targets: Vec<(ClassId, FuncId)>,
}

/// A sealed class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedClass {
    /// The dotted global name under which it was found; types name it so.
    pub name: String,
    /// Its own name, as messages say it.
    pub title: String,
    /// A number that no other class ever has; 0 where the class is known from the text alone.
    pub identity: u64,
    /// Its version tag, which it keeps for ever.
    pub version: u32,
    /// Whether it has subclasses: then its type covers instances of those, too.
    pub has_subclasses: bool,
    /// Whether it has operators of its own for augmented assignments.
    pub augments: bool,
    /// Where instances have their list of weak references; 0 where they have none. Not part of IR text.
    pub weak: i32,
    /// Its fields, inherited ones included, in the constructor's order.
    pub fields: Vec<SealedField>,
    /// Its methods that subclasses replace, where all of them are functions of the unit.
    pub dispatch: Vec<Dispatch>,
    /// How it makes instances; none where more happens than that fields get their values. Not part of IR text.
    pub constructor: Option<Constructor>,
    /// Its methods that are functions of the unit: no instance and no subclass that its type covers has others.
    pub methods: Vec<(String, FuncId)>,
}

impl SealedClass {
    /// The position of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// How the field of this number takes an unboxed number in a new object; none where it takes objects alone.
    #[must_use]
    pub fn unboxed(&self, number: usize) -> Option<Held> {
        let held = self.fields.get(number).filter(|_| number < MAX_UNBOXED)?.held;
        (held != Held::Object).then_some(held)
    }

    /// The function of the unit that is the method of this name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<FuncId> {
        self.methods.iter().find(|(own, _)| own == name).map(|&(_, function)| function)
    }
}

impl Unit {
    /// The functions that a call of the dispatched method may lead to, each with the class whose instances have it.
    #[must_use]
    pub fn targets(&self, class: ClassId, dispatch: u32) -> &[(ClassId, FuncId)] {
        &self.classes[class.index()].dispatch[dispatch as usize].targets
    }

    /// What CPython says where the method of an operator, called with operands of exactly the types of its parameters,
    /// gives NotImplemented.
    #[must_use]
    pub fn declined(&self, binary: Binary, in_place: InPlace, method: FuncId) -> String {
        let title = |ty: &Type| match ty.sealed().and_then(|name| self.sealed_class(name)) {
            Some(class) => self.classes[class.index()].title.clone(),
            None => ty.to_string(),
        };
        let params = &self.function(method).signature.params;
        let operands: Vec<String> = params.iter().map(|ty| format!("'{}'", title(ty))).collect();
        let symbol = match (binary, in_place) {
            (Binary::Pow, InPlace::No) => "** or pow()".to_owned(),
            (binary, InPlace::No) => binary.symbol().to_owned(),
            (binary, InPlace::Yes) => format!("{}=", binary.symbol()),
        };
        format!("unsupported operand type(s) for {symbol}: {}", operands.join(" and "))
    }

    /// The number of the sealed class that has this identity.
    #[must_use]
    pub fn class_with(&self, identity: u64) -> Option<ClassId> {
        self.classes.iter().position(|class| class.identity == identity).map(ClassId::new)
    }

    /// The number of the sealed class of this name.
    #[must_use]
    pub fn sealed_class(&self, name: &str) -> Option<ClassId> {
        self.classes.iter().position(|class| class.name == name).map(ClassId::new)
    }
}
