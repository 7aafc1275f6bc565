//! Where the compilers of CPython 3.11, 3.12 and 3.13 differ in what a program can see.
//!
//! Data, chosen by the driver: nothing else in the front end knows a version.

/// How often, and at which line, the bytecode of one CPython does what the source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Whether an `and`/`or` tests the value of an `and`/`or` inside it once more.
    pub nested_truth: NestedTruth,
    /// What the traceback names when an iterator fails.
    pub iteration: IterationSite,
    /// What the traceback names when an assertion fails.
    pub assertion: AssertionSite,
    /// Where a comprehension runs.
    pub comprehensions: Comprehensions,
}

/// Whether the truth value of an inner `and`/`or`, known from the jump that ended it, is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedTruth {
    /// The jump goes on where the answer leads (3.11).
    Known,
    /// The object is asked again (3.12 and later).
    AskedAgain,
}

/// What a traceback names when `iter()` or `next()` of a `for` loop fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationSite {
    /// The whole loop (3.11, 3.12).
    Loop,
    /// The iterable (3.13).
    Iterable,
}

/// Where a comprehension that is no generator expression runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comprehensions {
    /// In a function of its own (3.11).
    Called,
    /// In the frame of the function around it (3.12 and later).
    Inlined,
}

/// What a traceback names when an assertion fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionSite {
    /// The last comparison that the test jumps on, and the whole statement where it jumps on none (3.11).
    LastComparison,
    /// The whole statement (3.12).
    Statement,
    /// The test (3.13).
    Test,
}

impl Dialect {
    /// The dialect of CPython 3.`minor`; that of the nearest known version for one that is not known.
    #[must_use]
    pub const fn of_minor(minor: u8) -> Dialect {
        Dialect {
            nested_truth: if minor < 12 { NestedTruth::Known } else { NestedTruth::AskedAgain },
            iteration: if minor < 13 { IterationSite::Loop } else { IterationSite::Iterable },
            comprehensions: if minor < 12 { Comprehensions::Called } else { Comprehensions::Inlined },
            assertion: match minor {
                ..12 => AssertionSite::LastComparison,
                12 => AssertionSite::Statement,
                13.. => AssertionSite::Test,
            },
        }
    }
}
