//! A unit: the functions that are compiled together, with the constants and guard cells they share.

use serde::{Deserialize, Serialize};

use crate::types;

use super::classes::SealedClass;
use super::entity::{CellId, ConstId, FuncId};
use super::func::Function;
use super::ops::Type;
use super::start::LoopStart;

/// A constant of the source text, or a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Const {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// `...`
    Ellipsis,
    /// An int of 64 bits.
    Int(i64),
    /// An int of any size, in the source's own spelling without underscores (`0x…` too).
    BigInt(String),
    /// A float, by its bits.
    Float(u64),
    /// The imaginary part of a complex literal, by its bits.
    Imaginary(u64),
    /// A string, or the name of a variable, attribute or keyword.
    Str(String),
    /// A string with lone surrogates, in UTF-8 as if those were characters.
    Surrogates(Vec<u8>),
    /// A bytes literal.
    Bytes(Vec<u8>),
    /// A tuple.
    Tuple(Vec<Const>),
    /// A frozen set.
    FrozenSet(Vec<Const>),
    /// The method of a builtin class, as the class has it.
    Method(types::Class, String),
    /// The class `AssertionError`, whatever its name means by now.
    AssertionError,
    /// What a variable holds while it is unbound: the object None, which nothing reads. Unlike
    /// [`Const::None`] it does not widen the type of a variable that is bound elsewhere.
    Unbound,
}

/// What a guard cell watches: that the dotted global name still has the value it had.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CellSpec {
    /// A global or builtin name, or `module.name`.
    pub path: String,
    /// What is assumed of it.
    pub expected: GlobalFact,
}

impl CellSpec {
    /// Whether the name is expected in the module's own namespace, so that one version tag can tell.
    #[must_use]
    pub fn watches_one_dict(&self) -> bool {
        let own = matches!(
            self.expected,
            GlobalFact::Function(_) | GlobalFact::Class(_) | GlobalFact::Value(_) | GlobalFact::MathModule
        );
        own && !self.path.contains('.')
    }
}

/// What is known of a global name (or of `module.name`) when a unit is compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GlobalFact {
    /// An exact int, float, bool or None.
    Value(Const),
    /// One of the builtins that the compiler knows, still the original; by its name.
    Builtin(Builtin),
    /// The module `math`.
    MathModule,
    /// A function of `math`, still the original; by its name.
    Math(String),
    /// A compiled function: one of this unit.
    Function(FuncId),
    /// The same, as the method of a sealed class, which nobody can replace.
    Method(FuncId),
    /// The functions of this unit that are methods of this name, of any class.
    Callees(Vec<FuncId>),
    /// The sealed class of the unit that has this name and this number.
    Class(u64),
    /// Not steady: it is read at each use, and then is probably an exact object of this type.
    Likely(types::Type),
    /// Nothing that the compiler can use.
    Unknown,
}

impl GlobalFact {
    /// What is left of a fact about a value when there is no bet on the value itself.
    #[must_use]
    pub fn likely(constant: &Const) -> GlobalFact {
        match constant {
            Const::Int(_) => GlobalFact::Likely(types::Type::Int),
            Const::Float(_) => GlobalFact::Likely(types::Type::Float),
            Const::Bool(_) => GlobalFact::Likely(types::Type::Bool),
            _ => GlobalFact::Unknown,
        }
    }
}

macro_rules! builtins {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A builtin that the compiler knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Builtin { $($(#[$doc])* $variant,)* }

        impl Builtin {
            /// Every one of them.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$variant,)*];

            /// Its name in the module `builtins`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Builtin::$variant => $name,)* }
            }
        }
    };
}

builtins! {
    /// `abs`
    Abs = "abs",
    /// `bool`
    Bool = "bool",
    /// `bytearray`
    ByteArray = "bytearray",
    /// `bytes`
    Bytes = "bytes",
    /// `divmod`
    DivMod = "divmod",
    /// `enumerate`
    Enumerate = "enumerate",
    /// `float`
    Float = "float",
    /// `int`
    Int = "int",
    /// `len`
    Len = "len",
    /// `list`
    List = "list",
    /// `max`
    Max = "max",
    /// `min`
    Min = "min",
    /// `ord`
    Ord = "ord",
    /// `pow`
    Pow = "pow",
    /// `range`
    Range = "range",
    /// `reversed`
    Reversed = "reversed",
    /// `round`
    Round = "round",
    /// `sorted`
    Sorted = "sorted",
    /// `str`
    Str = "str",
    /// `sum`
    Sum = "sum",
    /// `zip`
    Zip = "zip",
}

/// The signature of a specialised body: `(thread state, depth, params…) -> (value, status)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What the annotations promise of each parameter, in the order of the code object's variables.
    pub params: Vec<types::Type>,
    /// What they promise of the result.
    pub result: types::Type,
}

impl Signature {
    /// How a value of this type travels between bodies.
    #[must_use]
    pub fn machine(ty: &types::Type) -> Type {
        match ty {
            types::Type::Int => Type::I64,
            types::Type::Float => Type::F64,
            types::Type::Bool => Type::Bool,
            types::Type::Never
            | types::Type::None
            | types::Type::Tuple(_)
            | types::Type::List(_)
            | types::Type::Str
            | types::Type::Bytes
            | types::Type::ByteArray
            | types::Type::Sealed(_)
            | types::Type::Optional(_)
            | types::Type::Object => Type::Obj,
        }
    }
}

/// A code object among the constants of a function's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedCode {
    /// Its `co_name`.
    pub name: String,
    /// Its `co_firstlineno`.
    pub line: u32,
    /// Which of those with that name and line it is, in the order in which they are compiled.
    pub ordinal: usize,
    /// How many of those there are in the text.
    pub count: usize,
    /// Its `co_freevars`.
    pub free: Vec<String>,
    /// What a call of it returns, a list whose items are guesses; anything else is not said.
    pub makes: types::Type,
}

/// A function of a unit.
#[derive(Clone, Debug)]
pub struct UnitFunction {
    /// Its qualified name.
    pub name: String,
    /// What its annotations promise.
    pub signature: Signature,
    /// Whether the annotations are checked at the boundary.
    pub promised: bool,
    /// Whether a part of some parameter's tuple may be anything but is checked: an entry leaves the call to
    /// the runtime, which checks the arguments and calls again. Not part of IR text.
    pub checked_first: bool,
    /// The parameters that entries check by the class of what is passed, since no type here says what is promised.
    /// Not part of IR text.
    pub checked_classes: Vec<usize>,
    /// How many of the parameters, the last ones, take no argument by its position.
    pub keyword_only: usize,
    /// The parameters' names, where they can be passed by name; not part of IR text.
    pub names: Vec<Option<String>>,
    /// The names of its variables in the order of frames, where they may be numbered wrongly; not part of IR text.
    pub variables: Vec<String>,
    /// The code objects inside its own; not part of IR text.
    pub nested: Vec<NestedCode>,
    /// The names of the cells that it shares with functions around it: further parameters of the generic version.
    pub free: Vec<String>,
    /// Whether its machine code is faster than its bytecode, as far as can be told; else it is kept short. Not part
    /// of IR text.
    pub gains: bool,
    /// The complete version, all objects. `None` for a function that another unit has compiled and
    /// that this unit only calls.
    pub generic: Option<Function>,
    /// The specialised version.
    pub specialised: Option<Function>,
}

/// Functions that are compiled together.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// The functions.
    pub functions: Vec<UnitFunction>,
    /// The constants.
    pub consts: Vec<Const>,
    /// The guard cells.
    pub cells: Vec<CellSpec>,
    /// The sealed classes.
    pub classes: Vec<SealedClass>,
    /// What calls probably call.
    pub guesses: Vec<Vec<FuncId>>,
    /// Where the unit is about one loop of a function: the specialised version of that function begins there.
    pub start: Option<LoopStart>,
}

impl Unit {
    /// The constant's number; it is added when it is new.
    pub fn constant(&mut self, constant: Const) -> ConstId {
        let known = self.consts.iter().position(|known| *known == constant);
        ConstId::new(known.unwrap_or_else(|| {
            self.consts.push(constant);
            self.consts.len() - 1
        }))
    }

    /// The cell's number; it is added when it is new.
    pub fn cell(&mut self, spec: CellSpec) -> CellId {
        let known = self.cells.iter().position(|known| *known == spec);
        CellId::new(known.unwrap_or_else(|| {
            self.cells.push(spec);
            self.cells.len() - 1
        }))
    }

    /// The number of the row of functions among the guesses; it is added when it is new.
    pub fn guess(&mut self, callees: &[FuncId]) -> u32 {
        let known = self.guesses.iter().position(|known| known == callees);
        let number = known.unwrap_or_else(|| {
            self.guesses.push(callees.to_vec());
            self.guesses.len() - 1
        });
        u32::try_from(number).expect("counted budgets keep units small")
    }

    /// A function of the unit.
    #[must_use]
    pub fn function(&self, id: FuncId) -> &UnitFunction {
        &self.functions[id.index()]
    }
}
