//! castiron: the compiler, its runtime library and their Python boundary, in reading order.

pub mod source;
pub mod types;
#[macro_use]
pub mod ir;
pub mod front;
pub mod analysis;
pub mod cpython;
pub mod passes;
#[macro_use]
pub mod runtime;
pub mod codegen;
pub mod emit;
pub mod check;
pub mod driver;
pub mod python;
