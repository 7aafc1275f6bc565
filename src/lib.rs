//! castiron: the compiler, its runtime library and their Python boundary, in reading order.

pub mod types;
#[macro_use]
pub mod ir;
#[macro_use]
pub mod runtime;
