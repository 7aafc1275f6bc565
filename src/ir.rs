//! CIR, the compiler's one intermediate representation: SSA, from the AST to just above Cranelift.

pub mod cfg;
pub mod classes;
pub mod dominators;
pub mod entity;
pub mod func;
pub mod imm;
pub mod ops;
pub mod parse;
pub mod print;
pub mod shown;
pub mod start;
pub mod unit;
pub mod verify;

pub use classes::{Constructor, Dispatch, FieldSource, SealedClass, SealedField};
pub use entity::{Block, CellId, ClassId, ConstId, Exit, FuncId, Inst, Show, Site, Value};
pub use func::{Def, ExitFrame, ExitState, Function, InstData, Point, SiteData, Slot, Target};
pub use imm::{Binary, Cmp, Imm, ImmKind, InPlace, MathFn, TypeFlag, Unary, rest_counts};
pub use ops::{Effects, Op, Operand, Row, Type};
pub use shown::{FRAME, Shown, ShownVariable};
pub use start::{LoopStart, StartClass, StartItem, StartKind, StartStep};
pub use unit::{Builtin, CellSpec, Const, GlobalFact, NestedCode, Signature, Unit, UnitFunction};
