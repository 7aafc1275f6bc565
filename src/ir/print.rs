//! CIR as text: for dumps, snapshots and the cases of the pass tests. [`super::parse`] reads it back.
//!
//! ```text
//! fn0 "double" (int) -> int promised
//!
//! specialised fn0 "double" -> i64:
//! b0(v0: i64):
//!     i0: v1 = int.constant 2
//!     i1: v2 = int.mul_checked v0, v1 exit [fn0@before i1 (v0, v1)]
//!     i2: control.ret v2
//! ```
//!
//! The immediate comes first, operands follow, then `-> targets`, `exit [frames, innermost first]`,
//! `unwind (values)`, `shows [(variables) of each function, innermost first]` and `in site0`. Results carry their types only where the row leaves them open.
//! Two compilations of one source print the same text.

use std::fmt;

use crate::types;

use super::classes::SealedClass;
use super::entity::{Block, CellId, ClassId, ConstId, Inst, Value};
use super::func::{ExitFrame, Function, InstData, Point, Slot, Target};
use super::imm::{Imm, InPlace};
use super::shown::{FRAME, ShownVariable};
use super::unit::{CellSpec, Const, GlobalFact, Unit, UnitFunction};

/// A function together with the unit that gives its constants and cells their text.
#[derive(Clone, Copy, Debug)]
pub struct DisplayFunction<'a> {
    func: &'a Function,
    unit: &'a Unit,
}

impl Function {
    /// The function as text.
    #[must_use]
    pub fn display<'a>(&'a self, unit: &'a Unit) -> DisplayFunction<'a> {
        DisplayFunction { func: self, unit }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, class) in self.classes.iter().enumerate() {
            writeln!(f, "class{number} {class}")?;
        }
        for (number, function) in self.functions.iter().enumerate() {
            writeln!(f, "fn{number} {function}")?;
        }
        for function in &self.functions {
            for (kind, version) in [("generic", &function.generic), ("specialised", &function.specialised)] {
                if let Some(func) = version {
                    write!(f, "\n{kind} {}", func.display(self))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for SealedClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} {{", self.name, if self.has_subclasses { " subclassed" } else { "" })?;
        list(f, &self.fields, |f, field| {
            let fixed = if field.is_stored { "" } else { " fixed" };
            let unboxed = if field.held == types::Held::Object { "" } else { " unboxed" };
            write!(f, "{}: {} @{}{unboxed}{fixed}", field.name, field.ty, field.offset)
        })?;
        f.write_str("}")
    }
}

impl fmt::Display for UnitFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (", self.name)?;
        list(f, &self.signature.params, |f, param: &types::Type| write!(f, "{param}"))?;
        write!(f, ") -> {}{}", self.signature.result, if self.promised { " promised" } else { "" })?;
        if self.keyword_only > 0 { write!(f, " keyword_only {}", self.keyword_only) } else { Ok(()) }
    }
}

impl fmt::Display for DisplayFunction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let func = self.func;
        writeln!(f, "{} {:?} -> {}:", func.id, func.name, func.result.name())?;
        for (number, site) in func.sites.iter().enumerate() {
            let call = site.call;
            write!(f, "site{number} = {} @{}..{}", site.func, call.start().to_u32(), call.end().to_u32())?;
            match site.parent {
                Some(parent) => writeln!(f, " in {parent}")?,
                None => writeln!(f)?,
            }
        }
        func.layout.iter().try_for_each(|&block| self.block(f, block))
    }
}

impl DisplayFunction<'_> {
    fn block(&self, f: &mut fmt::Formatter<'_>, block: Block) -> fmt::Result {
        let data = self.func.block(block);
        write!(f, "{block}")?;
        if !data.params.is_empty() {
            f.write_str("(")?;
            list(f, &data.params, |f, &param| self.typed(f, param))?;
            f.write_str(")")?;
        }
        writeln!(f, "{}:", if data.cold { " cold" } else { "" })?;
        for &inst in &data.insts {
            f.write_str("    ")?;
            self.inst(f, inst)?;
            f.write_str("\n")?;
        }
        Ok(())
    }

    fn typed(&self, f: &mut fmt::Formatter<'_>, value: Value) -> fmt::Result {
        write!(f, "{value}: {}", self.func.ty(value).name())
    }

    fn inst(&self, f: &mut fmt::Formatter<'_>, inst: Inst) -> fmt::Result {
        let data = self.func.inst(inst);
        let row = data.op.row();
        write!(f, "{inst}: ")?;
        if !data.results.is_empty() {
            let caught = data.results.last().filter(|_| data.catches());
            list(f, &data.results, |f, result| {
                let (result, is_caught) = (*result, caught == Some(result));
                if row.results_vary || is_caught { self.typed(f, result) } else { write!(f, "{result}") }
            })?;
            f.write_str(" = ")?;
        }
        f.write_str(row.mnemonic)?;
        self.imm(f, data.imm)?;
        if !data.args.is_empty() {
            f.write_str(" ")?;
            list(f, &data.args, |f, arg| write!(f, "{arg}"))?;
        }
        self.trailer(f, inst, data)
    }

    fn trailer(&self, f: &mut fmt::Formatter<'_>, inst: Inst, data: &InstData) -> fmt::Result {
        if !data.targets.is_empty() {
            f.write_str(" -> ")?;
            list(f, &data.targets, |f, target: &Target| write!(f, "{target}"))?;
        }
        if let Some(exit) = data.exit {
            f.write_str(" exit [")?;
            for (number, frame) in self.func.exit(exit).frames.iter().enumerate() {
                f.write_str(if number > 0 { " <- " } else { "" })?;
                self.frame(f, frame)?;
            }
            f.write_str("]")?;
        }
        if let Some(unwind) = self.func.unwind.get(&inst).filter(|unwind| !unwind.is_empty()) {
            f.write_str(" unwind (")?;
            list(f, unwind, |f, value| write!(f, "{value}"))?;
            f.write_str(")")?;
        }
        if let Some(shown) = self.func.shown_at(inst).filter(|shown| !shown.is_empty()) {
            f.write_str(" shows [")?;
            for (number, frame) in shown.frames.iter().enumerate() {
                f.write_str(if number > 0 { " <- (" } else { "(" })?;
                list(f, frame, |f, variable| self.variable(f, variable))?;
                f.write_str(")")?;
            }
            f.write_str("]")?;
        }
        match data.site {
            Some(site) => write!(f, " in {site}"),
            None => Ok(()),
        }
    }

    fn variable(&self, f: &mut fmt::Formatter<'_>, variable: &ShownVariable) -> fmt::Result {
        match variable.number {
            FRAME => f.write_str("frame ")?,
            number => write!(f, "{number} ")?,
        }
        self.slot(f, &variable.slot)?;
        match variable.bound {
            Some(bound) => write!(f, " if {bound}"),
            None => Ok(()),
        }
    }

    fn frame(&self, f: &mut fmt::Formatter<'_>, frame: &ExitFrame) -> fmt::Result {
        write!(f, "{}@{} (", frame.func, frame.point)?;
        list(f, &frame.slots, |f, slot| self.slot(f, slot))?;
        f.write_str(")")
    }

    fn slot(&self, f: &mut fmt::Formatter<'_>, slot: &Slot) -> fmt::Result {
        match slot {
            Slot::Value(value) => write!(f, "{value}"),
            Slot::None => f.write_str("none"),
            Slot::Bool(truth) => write!(f, "{truth}"),
            Slot::Const(id) => {
                f.write_str("const ")?;
                self.constant(f, *id)
            }
            Slot::Cell(id) => {
                f.write_str("cell ")?;
                self.cell(f, *id)
            }
            Slot::Tuple(items) => {
                f.write_str("tuple(")?;
                list(f, items, |f, item| self.slot(f, item))?;
                f.write_str(")")
            }
            Slot::Instance { class, keeper, fields } => {
                write!(f, "instance({class}")?;
                if let Some(keeper) = keeper {
                    write!(f, " of {keeper}")?;
                }
                for field in fields {
                    f.write_str(", ")?;
                    self.slot(f, field)?;
                }
                f.write_str(")")
            }
            Slot::Char(value) => write!(f, "char({value})"),
            Slot::Wide { low, high } => write!(f, "wide({low}, {high})"),
            Slot::Range { start, stop, step } => write!(f, "range({start}, {stop}, {step})"),
            Slot::RangeIter { next, count, step } => write!(f, "range_iter({next}, {count}, {step})"),
            Slot::ListIter { list, next } => write!(f, "list_iter({list}, {next})"),
            Slot::ReverseIter { list, next } => write!(f, "reverse_iter({list}, {next})"),
            Slot::Zip(items) => {
                f.write_str("zip(")?;
                list(f, items, |f, item| self.slot(f, item))?;
                f.write_str(")")
            }
            Slot::Enumerate { count, of } => {
                write!(f, "enumerate({count}, ")?;
                self.slot(f, of)?;
                f.write_str(")")
            }
            Slot::UnitRangeIter { next, stop, step } => write!(f, "unit_range_iter({next}, {stop}, {step})"),
        }
    }

    fn imm(&self, f: &mut fmt::Formatter<'_>, imm: Imm) -> fmt::Result {
        if imm != Imm::None {
            f.write_str(" ")?;
        }
        match imm {
            Imm::None => Ok(()),
            Imm::Int(value) => write!(f, "{value}"),
            Imm::Float(bits) => float(f, bits),
            Imm::Bool(truth) => write!(f, "{truth}"),
            Imm::Count(count) => write!(f, "{count}"),
            Imm::Const(id) => self.constant(f, id),
            Imm::Cell(id) => self.cell(f, id),
            Imm::Func(id) => write!(f, "{id}"),
            Imm::Cmp(cmp) => f.write_str(cmp.name()),
            Imm::Binary(binary, InPlace::No) => f.write_str(binary.name()),
            Imm::Binary(binary, InPlace::Yes) => write!(f, "{}=", binary.name()),
            Imm::Unary(unary) => f.write_str(unary.name()),
            Imm::Math(function) => f.write_str(function.name()),
            Imm::Class(class) => f.write_str(class.name()),
            Imm::Sealed(id) => f.write_str(self.class_name(id)),
            Imm::Dispatch(id, method) => write!(f, "{}: {method}", self.class_name(id)),
            Imm::Guess(row) => {
                let callees = self.unit.guesses.get(row as usize).map_or(&[][..], Vec::as_slice);
                let names: Vec<String> = callees.iter().map(ToString::to_string).collect();
                write!(f, "({})", names.join(", "))
            }
            Imm::Field(id, field) => {
                let class = self.unit.classes.get(id.index());
                let name = class.and_then(|class| class.fields.get(field as usize));
                write!(f, "{}: {}", self.class_name(id), name.map_or("?", |field| &field.name))
            }
        }
    }

    /// A constant that the unit does not have prints as its number: the printer also serves the verifier.
    fn constant(&self, f: &mut fmt::Formatter<'_>, id: ConstId) -> fmt::Result {
        match self.unit.consts.get(id.index()) {
            Some(constant) => write!(f, "{constant}"),
            None => write!(f, "{id}"),
        }
    }

    fn class_name(&self, id: ClassId) -> &str {
        self.unit.classes.get(id.index()).map_or("?", |class| &class.name)
    }

    fn cell(&self, f: &mut fmt::Formatter<'_>, id: CellId) -> fmt::Result {
        match self.unit.cells.get(id.index()) {
            Some(spec) => write!(f, "{spec}"),
            None => write!(f, "{id}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.block)?;
        if self.args.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        list(f, &self.args, |f, arg| write!(f, "{arg}"))?;
        f.write_str(")")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Entry => f.write_str("entry"),
            Point::Before(inst) => write!(f, "before {inst}"),
            Point::After(inst) => write!(f, "after {inst}"),
        }
    }
}

impl fmt::Display for CellSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is {}", self.path, self.expected)
    }
}

impl fmt::Display for GlobalFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GlobalFact::Value(constant) => write!(f, "value {constant}"),
            GlobalFact::Builtin(builtin) => write!(f, "builtin {}", builtin.name()),
            GlobalFact::MathModule => f.write_str("math_module"),
            GlobalFact::Math(name) => write!(f, "math {name:?}"),
            GlobalFact::Function(id) => write!(f, "{id}"),
            GlobalFact::Method(id) => write!(f, "method {id}"),
            GlobalFact::Callees(ids) => write!(f, "callees {ids:?}"),
            GlobalFact::Class(number) => write!(f, "sealed {number}"),
            GlobalFact::Likely(ty) => write!(f, "likely {ty}"),
            GlobalFact::Unknown => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for Const {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Const::None => f.write_str("None"),
            Const::Bool(truth) => f.write_str(if *truth { "True" } else { "False" }),
            Const::Ellipsis => f.write_str("..."),
            Const::Int(value) => write!(f, "{value}"),
            Const::BigInt(digits) => write!(f, "big({digits})"),
            Const::Float(bits) => float(f, *bits),
            Const::Imaginary(bits) => {
                f.write_str("imaginary(")?;
                float(f, *bits)?;
                f.write_str(")")
            }
            Const::Str(text) => write!(f, "{text:?}"),
            Const::Surrogates(bytes) => write!(f, "surrogates(b\"{}\")", bytes.escape_ascii()),
            Const::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Const::Tuple(items) => {
                f.write_str("(")?;
                list(f, items, |f, item| write!(f, "{item}"))?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Const::FrozenSet(items) => {
                f.write_str("frozenset(")?;
                list(f, items, |f, item| write!(f, "{item}"))?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Const::Method(class, name) => write!(f, "method {} {name:?}", class.name()),
            Const::AssertionError => f.write_str("AssertionError"),
            Const::Unbound => f.write_str("Unbound"),
        }
    }
}

/// A float so that every bit comes back: always with a point or exponent, a NaN by its bits.
fn float(f: &mut fmt::Formatter<'_>, bits: u64) -> fmt::Result {
    let value = f64::from_bits(bits);
    if value.is_nan() { write!(f, "nan({bits:#x})") } else { write!(f, "{value:?}") }
}

/// The items with commas between them.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut print: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            f.write_str(", ")?;
        }
        print(f, item)?;
    }
    Ok(())
}

/// One instruction as text, for messages.
#[must_use]
pub fn inst_text(func: &Function, unit: &Unit, inst: Inst) -> String {
    struct One<'a>(DisplayFunction<'a>, Inst);
    impl fmt::Display for One<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.inst(f, self.1)
        }
    }
    One(func.display(unit), inst).to_string()
}
