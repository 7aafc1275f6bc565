//! castiron: the compiler, its runtime library and their Python boundary, in reading order.

pub mod source;
pub mod types;
#[macro_use]
pub mod ir;
pub mod analysis;
pub mod cpython;
pub mod front;
pub mod passes;
#[macro_use]
pub mod runtime;
pub mod check;
pub mod codegen;
pub mod driver;
pub mod emit;
pub mod python;
