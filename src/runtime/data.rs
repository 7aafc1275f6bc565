//! The layout of a unit's data: the words that compiled code reads through one symbol.
//!
//! Code holds no address: constants, cells and code pointers stand in this table, in `.data`. The
//! emitter writes the code pointers (relocated); the runtime fills the rest when the unit is loaded.

use super::meta::UnitMeta;

/// The symbol of the data in an object file.
pub const DATA_SYMBOL: &str = "castiron_data";

/// Bytes of a word.
pub const WORD: usize = 8;

/// Words of a guard cell.
///
/// CPython 3.12 and later: word 0 is 1 while the assumption holds, else 0; the others are unused.
/// CPython 3.11: word 0 is the address of a dict's version tag and word 1 the tag under which the
/// assumption was last seen to hold; words 2 and 3 the same for a second dict (both pairs are always
/// valid to read and compare; a cell that needs one dict repeats it, and code tests only the first pair of
/// a cell that expects its name in the module's own namespace).
pub const CELL_WORDS: usize = 4;

/// Words of an inline cache ([`super::caches`] says what they hold).
pub const CACHE_WORDS: usize = 8;

/// The word of a sealed class with its own version tag. A word that holds no tag holds what no tag is.
pub const CLASS_TAG: usize = 0;

/// The word with the class itself, behind a guard cell that says that it is what its name stands for.
pub const CLASS_TYPE: usize = 1;

/// The word with the address of the freed instances that new ones are made of ([`super::sealed::Pool`]).
pub const CLASS_POOL: usize = 2;

/// The word with where the garbage collector's young objects are linked.
pub const CLASS_YOUNG: usize = 3;

/// The first of the words with version tags of the class and of sealed subclasses that its type covers, as far as they
/// are known. Compiled code looks at one word, whose number are the tag's lowest bits; the runtime at a second one.
pub const CLASS_COVERED: usize = 4;

/// How many such words there are, a power of two.
pub const COVERED_WORDS: usize = 32;

/// Words of a sealed class.
pub const CLASS_WORDS: usize = CLASS_COVERED + COVERED_WORDS;

/// Words of a function: the addresses of its entry (a vectorcall function), body and resume function, and the callable
/// that stands for it, 0 while there is none that code may bet on.
pub const FUNCTION_WORDS: usize = 4;

/// Set in `nargsf` when `call_slow` calls an entry again with all parameters bound and checked, those
/// that can be passed by name only included, as positional arguments.
///
/// The entry of a function without such parameters takes its fast path for a count of its parameters,
/// with or without this bit; the entry of one that has them only with it, and that of a function whose
/// promises exact types don't tell in full.
pub const ALL_BOUND: u64 = 1 << 62;

/// Set in what a loop version returns when it has left through an exit, whose number stands above bit 1;
/// no object's address has it. The exit's words, how many turns it made, and the result if there is one
/// stand in the memory it was lent.
pub const EXITED: i64 = 1;

/// Set besides [`EXITED`] when the exit is that of a direct call whose result is an object.
pub const WITH_RESULT: i64 = 2;

/// Set in what a resume function returns when it asks at a loop header for a loop version; the number of
/// the header's entry stands above. The slots stand in the memory it was lent.
pub const ASKS: i64 = 1;

/// The words that every unit has, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Fixed {
    /// The helper table.
    Helpers,
    /// The loaded unit.
    Unit,
    /// The address of the interpreter's eval breaker, where it is not in the thread state.
    Breaker,
    /// `int`
    IntType,
    /// `float`
    FloatType,
    /// `bool`
    BoolType,
    /// `tuple`
    TupleType,
    /// `None`
    None,
    /// `True`
    True,
    /// `False`
    False,
    /// The table of the C library's functions.
    Math,
    /// The type of the iterators of lists.
    ListIteratorType,
    /// Where code leaves its [`Site`](super::frames::Site).
    Site,
    /// `list`
    ListType,
    /// `str`
    StrType,
    /// `bytes`
    BytesType,
    /// `bytearray`
    ByteArrayType,
    /// What entries test before they go on ([`super::enter::Entering`]).
    Entering,
    /// `NotImplemented`
    NotImplemented,
    /// The first of the ints that CPython keeps: see [`crate::cpython::layout::SmallInts`].
    SmallInts,
}

/// How many [`Fixed`] words there are.
pub const FIXED_WORDS: usize = Fixed::SmallInts as usize + 1;

/// Where things stand in the data, as byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataLayout {
    consts: usize,
    cells: usize,
    classes: usize,
    functions: usize,
    counters: usize,
    caches: usize,
}

/// How many of each there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Constants.
    pub consts: usize,
    /// Guard cells.
    pub cells: usize,
    /// Sealed classes.
    pub classes: usize,
    /// Functions.
    pub functions: usize,
    /// Counters.
    pub counters: usize,
}

impl DataLayout {
    /// The layout for so many of each, without caches.
    #[must_use]
    pub fn new(counts: Counts) -> DataLayout {
        let Counts { consts, cells, classes, functions, counters } = counts;
        DataLayout { consts, cells, classes, functions, counters, caches: 0 }
    }

    /// The same with so many caches, which stand behind all else.
    #[must_use]
    pub fn with_caches(self, caches: usize) -> DataLayout {
        DataLayout { caches, ..self }
    }

    /// The layout of a unit's data.
    #[must_use]
    pub fn of(meta: &UnitMeta) -> DataLayout {
        let counts = Counts {
            consts: meta.consts.len(),
            cells: meta.cells.len(),
            classes: meta.classes.len(),
            functions: meta.functions.len(),
            counters: meta.counters(),
        };
        DataLayout::new(counts).with_caches(meta.caches.len())
    }

    /// Offset of a fixed word.
    #[must_use]
    pub fn fixed(self, word: Fixed) -> usize {
        word as usize * WORD
    }

    /// Offset of a constant's word.
    #[must_use]
    pub fn constant(self, number: usize) -> usize {
        (FIXED_WORDS + number) * WORD
    }

    /// Offset of a cell's first word.
    #[must_use]
    pub fn cell(self, number: usize) -> usize {
        (FIXED_WORDS + self.consts + number * CELL_WORDS) * WORD
    }

    /// Offset of a sealed class' first word.
    #[must_use]
    pub fn class(self, number: usize) -> usize {
        self.cell(self.cells) + number * CLASS_WORDS * WORD
    }

    /// Offset of the address of a function's entry.
    #[must_use]
    pub fn entry(self, number: usize) -> usize {
        self.class(self.classes) + number * FUNCTION_WORDS * WORD
    }

    /// Offset of the address of a function's specialised body.
    #[must_use]
    pub fn body(self, number: usize) -> usize {
        self.entry(number) + WORD
    }

    /// Offset of the address of a function's resume function.
    #[must_use]
    pub fn resume(self, number: usize) -> usize {
        self.entry(number) + 2 * WORD
    }

    /// Offset of the callable that stands for a function.
    #[must_use]
    pub fn callable(self, number: usize) -> usize {
        self.entry(number) + 3 * WORD
    }

    /// Offset of a counter.
    #[must_use]
    pub fn counter(self, number: usize) -> usize {
        self.entry(self.functions) + number * WORD
    }

    /// Offset of an inline cache's first word.
    #[must_use]
    pub fn cache(self, number: usize) -> usize {
        self.counter(self.counters) + number * CACHE_WORDS * WORD
    }

    /// Bytes in all.
    #[must_use]
    pub fn size(self) -> usize {
        self.cache(self.caches)
    }
}
