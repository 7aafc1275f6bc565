//! Entity references: small indices with a type of their own.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u32);

        impl $name {
            /// The entity with this index.
            #[must_use]
            pub fn new(index: usize) -> $name {
                $name(u32::try_from(index).expect("counted budgets keep every table below 2**32 entries"))
            }

            /// Its index.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

entity!(
    /// An SSA value of one [`super::Function`].
    Value, "v");
entity!(
    /// A basic block of one [`super::Function`].
    Block, "b");
entity!(
    /// An instruction of one [`super::Function`]; its number never changes, so it names a resume point.
    Inst, "i");
entity!(
    /// An exit state of one [`super::Function`].
    Exit, "exit");
entity!(
    /// What instructions of one [`super::Function`] show when they raise.
    Show, "show");
entity!(
    /// A chain of inlined calls of one [`super::Function`].
    Site, "site");
entity!(
    /// A function of a [`super::Unit`].
    FuncId, "fn");
entity!(
    /// A constant of a [`super::Unit`].
    ConstId, "const");
entity!(
    /// A guard cell of a [`super::Unit`].
    CellId, "cell");
entity!(
    /// A sealed class of a [`super::Unit`].
    ClassId, "class");
