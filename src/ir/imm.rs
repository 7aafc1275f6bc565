//! Immediates: what an instruction carries besides values.

use crate::types::Class;

use super::entity::{CellId, ClassId, ConstId, FuncId};

/// Which immediate an op carries; the column of the op table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImmKind {
    /// None at all.
    None,
    /// An integer.
    Int,
    /// A float, by its bits.
    Float,
    /// A truth value.
    Bool,
    /// A number of items.
    Count,
    /// A constant of the unit (names are constants too).
    Const,
    /// A guard cell of the unit.
    Cell,
    /// A function of the unit.
    Func,
    /// A comparison.
    Cmp,
    /// A binary operator.
    Binary,
    /// A unary operator.
    Unary,
    /// A function of the C library.
    Math,
    /// A class whose instances have ops of their own.
    Class,
    /// A sealed class of the unit.
    Sealed,
    /// A field of a sealed class of the unit.
    Field,
    /// A method of a sealed class of the unit that subclasses replace.
    Dispatch,
    /// What a call probably calls.
    Guess,
}

/// An immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imm {
    /// None at all.
    None,
    /// An integer.
    Int(i64),
    /// A float, by its bits.
    Float(u64),
    /// A truth value.
    Bool(bool),
    /// A number of items.
    Count(u32),
    /// A constant of the unit.
    Const(ConstId),
    /// A guard cell of the unit.
    Cell(CellId),
    /// A function of the unit.
    Func(FuncId),
    /// A comparison.
    Cmp(Cmp),
    /// A binary operator and whether it is an augmented assignment.
    Binary(Binary, InPlace),
    /// A unary operator.
    Unary(Unary),
    /// A function of the C library.
    Math(MathFn),
    /// A class whose instances have ops of their own.
    Class(Class),
    /// A sealed class of the unit.
    Sealed(ClassId),
    /// A sealed class of the unit and the position of a field.
    Field(ClassId, u32),
    /// A sealed class of the unit and the position of a method that subclasses replace.
    Dispatch(ClassId, u32),
    /// A row of [`super::Unit::guesses`].
    Guess(u32),
}

impl Imm {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> ImmKind {
        match self {
            Imm::None => ImmKind::None,
            Imm::Int(_) => ImmKind::Int,
            Imm::Float(_) => ImmKind::Float,
            Imm::Bool(_) => ImmKind::Bool,
            Imm::Count(_) => ImmKind::Count,
            Imm::Const(_) => ImmKind::Const,
            Imm::Cell(_) => ImmKind::Cell,
            Imm::Func(_) => ImmKind::Func,
            Imm::Cmp(_) => ImmKind::Cmp,
            Imm::Binary(..) => ImmKind::Binary,
            Imm::Unary(_) => ImmKind::Unary,
            Imm::Math(_) => ImmKind::Math,
            Imm::Class(_) => ImmKind::Class,
            Imm::Sealed(_) => ImmKind::Sealed,
            Imm::Field(..) => ImmKind::Field,
            Imm::Dispatch(..) => ImmKind::Dispatch,
            Imm::Guess(_) => ImmKind::Guess,
        }
    }
}

/// What the immediate of `object.unpack_rest` says: how many items stand before and behind the list.
#[must_use]
pub fn rest_counts(counts: u32) -> (usize, usize) {
    (counts as usize & 0xffff, counts as usize >> 16)
}

/// Whether a binary operator stands in an augmented assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InPlace {
    /// `a += b`.
    Yes,
    /// `a + b`.
    No,
}

/// Declares an enum whose variants have a spelling, with `ALL` and `name`.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$item])* $variant,)* }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The spelling in IR text.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    };
}

named! {
    /// A rich comparison, in the order of CPython's `Py_LT` to `Py_GE`.
    Cmp {
        /// `<`
        Lt = "lt",
        /// `<=`
        Le = "le",
        /// `==`
        Eq = "eq",
        /// `!=`
        Ne = "ne",
        /// `>`
        Gt = "gt",
        /// `>=`
        Ge = "ge",
    }
}

impl Cmp {
    /// The comparison that holds with operands exchanged.
    #[must_use]
    pub fn swapped(self) -> Cmp {
        match self {
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Gt => Cmp::Lt,
            Cmp::Ge => Cmp::Le,
            Cmp::Eq | Cmp::Ne => self,
        }
    }

    /// The comparison that holds exactly when this one does not; for ints only (a NaN fails both).
    #[must_use]
    pub fn negated(self) -> Cmp {
        match self {
            Cmp::Lt => Cmp::Ge,
            Cmp::Le => Cmp::Gt,
            Cmp::Gt => Cmp::Le,
            Cmp::Ge => Cmp::Lt,
            Cmp::Eq => Cmp::Ne,
            Cmp::Ne => Cmp::Eq,
        }
    }
}

named! {
    /// A binary operator.
    Binary {
        /// `+`
        Add = "add",
        /// `-`
        Sub = "sub",
        /// `*`
        Mul = "mul",
        /// `/`
        TrueDiv = "true_div",
        /// `//`
        FloorDiv = "floor_div",
        /// `%`
        Mod = "mod",
        /// `**`
        Pow = "pow",
        /// `<<`
        Shl = "shl",
        /// `>>`
        Shr = "shr",
        /// `&`
        And = "and",
        /// `|`
        Or = "or",
        /// `^`
        Xor = "xor",
        /// `@`
        MatMul = "mat_mul",
    }
}

impl Binary {
    /// The operator in source text, and the name of the method that says what it does.
    fn spelling(self) -> (&'static str, &'static str) {
        match self {
            Binary::Add => ("+", "__add__"),
            Binary::Sub => ("-", "__sub__"),
            Binary::Mul => ("*", "__mul__"),
            Binary::TrueDiv => ("/", "__truediv__"),
            Binary::FloorDiv => ("//", "__floordiv__"),
            Binary::Mod => ("%", "__mod__"),
            Binary::Pow => ("**", "__pow__"),
            Binary::Shl => ("<<", "__lshift__"),
            Binary::Shr => (">>", "__rshift__"),
            Binary::And => ("&", "__and__"),
            Binary::Or => ("|", "__or__"),
            Binary::Xor => ("^", "__xor__"),
            Binary::MatMul => ("@", "__matmul__"),
        }
    }

    /// The operator in source text.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        self.spelling().0
    }

    /// The method of the left operand that says what it does.
    #[must_use]
    pub fn method(self) -> &'static str {
        self.spelling().1
    }
}

named! {
    /// A unary operator that gives an object (`not` is a truth test and [`super::Op::BoolNot`]).
    Unary {
        /// `-`
        Neg = "neg",
        /// `+`
        Pos = "pos",
        /// `~`
        Invert = "invert",
    }
}

named! {
    /// A function of the C library that `math` calls on floats, of one operand or two.
    MathFn {
        /// `sin`
        Sin = "sin",
        /// `cos`
        Cos = "cos",
        /// `tan`
        Tan = "tan",
        /// `asin`
        Asin = "asin",
        /// `acos`
        Acos = "acos",
        /// `atan`
        Atan = "atan",
        /// `sinh`
        Sinh = "sinh",
        /// `cosh`
        Cosh = "cosh",
        /// `tanh`
        Tanh = "tanh",
        /// `asinh`
        Asinh = "asinh",
        /// `acosh`
        Acosh = "acosh",
        /// `atanh`
        Atanh = "atanh",
        /// `exp`
        Exp = "exp",
        /// `exp2` (CPython 3.11 and later)
        Exp2 = "exp2",
        /// `expm1`
        Expm1 = "expm1",
        /// `log`, one operand
        Log = "log",
        /// `log2`
        Log2 = "log2",
        /// `log10`
        Log10 = "log10",
        /// `log1p`
        Log1p = "log1p",
        /// `cbrt`
        Cbrt = "cbrt",
        /// `erf`
        Erf = "erf",
        /// `erfc`
        Erfc = "erfc",
        /// `atan2`, two operands
        Atan2 = "atan2",
        /// `fmod`, two operands
        Fmod = "fmod",
        /// `copysign`, two operands
        Copysign = "copysign",
        /// `pow`, two operands, as `math.pow`
        Pow = "pow",
    }
}

impl MathFn {
    /// How many operands it takes.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            MathFn::Atan2 | MathFn::Fmod | MathFn::Copysign | MathFn::Pow => 2,
            _ => 1,
        }
    }
}

/// A flag of a type by which patterns know what they may take apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeFlag {
    /// `Py_TPFLAGS_SEQUENCE`
    Sequence,
    /// `Py_TPFLAGS_MAPPING`
    Mapping,
}

impl TypeFlag {
    /// The flag's bit, as the immediate of `object.type_flag` names it.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            TypeFlag::Sequence => 5,
            TypeFlag::Mapping => 6,
        }
    }
}
