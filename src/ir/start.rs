//! How a loop version begins: a specialised version that goes on at a loop header of the generic one.
//!
//! The runtime looks at the objects that are live at the header and asks for a version that holds each of
//! them in the way that fits; the same list then tells it how to take objects out of their boxes.

use rustc_hash::FxHashSet;

use crate::types::Type;

use super::entity::{FuncId, Inst};

/// What is known of a range iterator's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartStep {
    /// It is 1.
    Up,
    /// It is -1.
    Down,
    /// It is anything else.
    Any,
}

/// What the first item of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartItem {
    /// There is none.
    Never,
    /// Exactly `None`.
    None,
    /// An exact bool.
    Bool,
    /// An exact int.
    Int,
    /// An exact float.
    Float,
    /// An exact str.
    Str,
    /// Anything else.
    Object,
}

/// The class of an object that stays one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartClass {
    /// A list: how many lists there are inside each other, and what the first item of the innermost is.
    List(u8, StartItem),
    /// A str.
    Str,
    /// A bytes object.
    Bytes,
    /// A bytearray.
    ByteArray,
}

impl StartClass {
    /// Its type.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            StartClass::List(depth, item) => {
                let item = match item {
                    StartItem::Never => Type::Never,
                    StartItem::None => Type::None,
                    StartItem::Bool => Type::Bool,
                    StartItem::Int => Type::Int,
                    StartItem::Float => Type::Float,
                    StartItem::Str => Type::Str,
                    StartItem::Object => Type::Object,
                };
                (0..depth).fold(item, |item, _| Type::List(Box::new(item)))
            }
            StartClass::Str => Type::Str,
            StartClass::Bytes => Type::Bytes,
            StartClass::ByteArray => Type::ByteArray,
        }
    }
}

/// How one live value of the generic version begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartKind {
    /// A truth value that is none in the generic version either.
    Truth,
    /// `None`: no word.
    None,
    /// An exact bool: one word.
    Bool,
    /// An exact int that fits 64 bits: one word.
    Int,
    /// An exact int that fits [`WIDE_BITS`]: two words, the low one first.
    Wide,
    /// An exact float: one word.
    Float,
    /// A range iterator that nobody else knows: three words, the next number, where it stops (for any
    /// other step how many numbers are left) and the step.
    RangeIter(StartStep),
    /// An exact instance of this class, a list with such an item first, owned: one word.
    Exact(StartClass),
    /// An object that nothing reads and whose death nobody sees: no word.
    Unread,
    /// Any object, owned: one word.
    Object,
}

/// Wide ints are at least `-2**WIDE_BITS` and less than `2**WIDE_BITS`, so that no sum of two leaves 128 bits.
pub const WIDE_BITS: u32 = 126;

/// Where a loop version begins, and what was learnt from the exits of earlier ones.
#[derive(Clone, Debug)]
pub struct LoopStart {
    /// The function.
    pub function: FuncId,
    /// The first instruction of the loop's header in the generic version.
    pub inst: Inst,
    /// One for each value live there, in their order.
    pub kinds: Vec<StartKind>,
    /// Generic instructions whose int results did not fit 64 bits: they are computed wide.
    pub wide: FxHashSet<(FuncId, Inst)>,
}
