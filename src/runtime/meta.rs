//! What compiled code says of itself: plain data that the code generator writes and the runtime reads.

use serde::{Deserialize, Serialize};

use crate::ir::{CellSpec, Const, NestedCode};
use crate::types::Type;

/// A position in the source text as code objects count it: lines from 1, columns in UTF-8 bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column behind the last byte.
    pub end_column: u32,
}

/// The machine type of a word of an exit or of shown variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WordType {
    /// An object, owned.
    Obj,
    /// A signed 64-bit integer.
    I64,
    /// A double, by its bits.
    F64,
    /// 0 or 1.
    Bool,
}

/// How a value of the generic version is made; numbers are positions in [`ExitMeta::words`] or
/// [`ShowMeta::words`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SlotMeta {
    /// The word, boxed when the generic version wants an object.
    Word(u32),
    /// `None`
    None,
    /// A truth value known beforehand.
    Bool(bool),
    /// The unit's constant of this number.
    Const(u32),
    /// The object that the guard cell of this number expects.
    Cell(u32),
    /// A tuple.
    Tuple(Vec<SlotMeta>),
    /// An object of a sealed class; slots of one exit with the same class word are one object.
    Instance {
        /// The class.
        class: u32,
        /// What stands in its fields.
        fields: Vec<SlotMeta>,
    },
    /// A str of one character, whose code point the word is.
    Char(u32),
    /// A wide int.
    Wide {
        /// Its low word.
        low: u32,
        /// Its high word.
        high: u32,
    },
    /// `range(start, stop, step)`
    Range {
        /// The first number.
        start: u32,
        /// The number behind the last one.
        stop: u32,
        /// The step.
        step: u32,
    },
    /// A range iterator with `count` items left, beginning with `next`.
    RangeIter {
        /// The next number.
        next: u32,
        /// How many are left.
        count: u32,
        /// The step.
        step: u32,
    },
    /// A list's or a str's iterator.
    ListIter {
        /// The list or str.
        list: u32,
        /// The index of its next item.
        next: u32,
    },
    /// A list's reverse iterator.
    ReverseIter {
        /// The list.
        list: u32,
        /// The index of its next item.
        next: u32,
    },
    /// `enumerate` of an iterator.
    Enumerate {
        /// The number that comes next.
        count: u32,
        /// The iterator.
        of: Box<SlotMeta>,
    },
    /// `zip` of iterators.
    Zip(Vec<SlotMeta>),
    /// A range iterator from `next` to `stop` by steps of one, up or down.
    UnitRangeIter {
        /// The next number.
        next: u32,
        /// The number behind the last one.
        stop: u32,
        /// 1 or -1.
        step: u32,
    },
}

/// One frame of an exit, innermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameMeta {
    /// The function whose resume function goes on.
    pub function: u32,
    /// Its entry number.
    pub entry: u32,
    /// The trace of its instruction, where it waits for the frame further in.
    pub trace: u32,
    /// Where it waits for the method of an operator, what TypeError says if that declines.
    pub declined: Option<String>,
    /// For each slot, how to make it and whether the generic version wants an object (else a truth value).
    pub slots: Vec<(SlotMeta, Wants)>,
}

/// What the generic version wants in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wants {
    /// An object, owned.
    Object,
    /// 0 or 1.
    Truth,
}

/// An exit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitMeta {
    /// The types of the words that compiled code spills.
    pub words: Vec<WordType>,
    /// The frames; more than one when the exit is in inlined code.
    pub frames: Vec<FrameMeta>,
    /// Where it is taken for a result that does not fit 64 bits and could be computed wide: the function
    /// and the generic instruction.
    pub overflow: Option<(u32, u32)>,
}

/// Traceback entries of one raising instruction, innermost first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceMeta {
    /// Function number and position; more than one when the instruction is in inlined code.
    pub entries: Vec<(u32, Position)>,
}

/// A variable in the frame of a traceback entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VariableMeta {
    /// Its number among the code object's variables.
    pub number: u32,
    /// What its value is made of.
    pub slot: SlotMeta,
    /// The word that says whether it is bound; none where it is.
    pub bound: Option<u32>,
}

/// What a raising instruction leaves in a traceback.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShowMeta {
    /// The entries.
    pub trace: u32,
    /// The types of the words that compiled code spills.
    pub words: Vec<WordType>,
    /// The variables of each entry's frame, in order.
    pub frames: Vec<Vec<VariableMeta>>,
    /// How many objects follow the words: owned references that are dropped first, in order.
    pub drops: u32,
    /// Whether the exception has the first entry already, whose frame is given its variables.
    pub again: bool,
}

/// A direct call in machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMeta {
    /// The offset of its first byte.
    pub start: u32,
    /// The offset behind its last byte, where it returns to.
    pub end: u32,
    /// Its trace.
    pub trace: u32,
}

/// The machine code of a body or resume function, as far as a walk over the stack wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceMeta {
    /// Its direct calls.
    pub calls: Vec<CallMeta>,
    /// In a resume function: how many bytes below the frame pointer its segment stands.
    pub segment: Option<u32>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionMeta {
    /// Its qualified name.
    pub name: String,
    /// What its annotations promise of the parameters, in the order of the code object's variables.
    pub params: Vec<Type>,
    /// What they promise of the result.
    pub result: Type,
    /// Whether the annotations are checked at the boundary.
    pub promised: bool,
    /// How many of the parameters, the last ones, take no argument by its position.
    pub keyword_only: usize,
    /// The names of its variables in the order of frames, where the compiler may number them wrongly; else nothing.
    pub variables: Vec<String>,
    /// The code objects inside its own.
    pub nested: Vec<NestedCode>,
    /// The names of the cells that it shares with functions around it.
    pub free: Vec<String>,
    /// Its body.
    pub body: PieceMeta,
    /// Its loop version.
    pub looped: PieceMeta,
    /// The loops of its generic version.
    pub loops: Vec<LoopMeta>,
}

/// A loop header of a generic version, where it may go on in a specialised loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopMeta {
    /// The entry of the resume function that lies there.
    pub entry: u32,
    /// The header's first instruction, which names the loop in every compilation of the function.
    pub inst: u32,
    /// Its counter: below zero it is time to ask whether a specialised loop can go on.
    pub counter: u32,
    /// What the generic version has in each slot there.
    pub slots: Vec<Wants>,
}

/// A sealed class that the code tests objects for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassMeta {
    /// The name that types give it.
    pub name: String,
    /// A number that no other class ever has.
    pub identity: u64,
    /// Its version tag.
    pub version: u32,
    /// Whether its type covers instances of subclasses.
    pub has_subclasses: bool,
    /// The methods that those have as it has them.
    pub kept_methods: Vec<String>,
}

/// What an inline cache is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheKind {
    /// Reading an attribute.
    Attribute,
    /// Looking a method up.
    Method,
    /// What goes on behind that.
    More,
    /// Writing an attribute.
    Store,
    /// Reading a global name.
    Global,
    /// Testing whether the class of a value keeps a promise.
    Promise,
}

/// A compiled unit, apart from its code and data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitMeta {
    /// Functions.
    pub functions: Vec<FunctionMeta>,
    /// Constants.
    pub consts: Vec<Const>,
    /// Guard cells.
    pub cells: Vec<CellSpec>,
    /// Sealed classes.
    pub classes: Vec<ClassMeta>,
    /// Exits, in the order of their numbers.
    pub exits: Vec<ExitMeta>,
    /// Traces, in the order of their numbers.
    pub traces: Vec<TraceMeta>,
    /// What raising instructions leave in tracebacks, in the order of their numbers.
    pub shows: Vec<ShowMeta>,
    /// Inline caches, in the order of their numbers.
    pub caches: Vec<CacheKind>,
    /// Where every exit is to be taken once at random, the seed: each has a counter that says when.
    pub forced_exits: Option<u64>,
    /// Bytes of native stack that the largest body takes, its return address included.
    pub body_frame: u32,
    /// The same for the largest entry or resume function.
    pub other_frame: u32,
}

impl UnitMeta {
    /// How many counters its data hold.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.loop_counters() + if self.forced_exits.is_some() { self.exits.len() } else { 0 }
    }

    /// How many of them belong to loops; those of forced exits come behind.
    #[must_use]
    pub fn loop_counters(&self) -> usize {
        self.functions.iter().map(|function| function.loops.len()).sum()
    }
}
