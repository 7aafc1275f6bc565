//! Seeded wrong lowerings: a test of the tests.
//!
//! With `CASTIRON_SABOTAGE=n` in the environment the n-th fault of [`Fault::ALL`] is put into every function
//! after all passes, as a bug in one of them or in the code generator would. The generator of random programs
//! has to find each fault (`python -m tests.fuzz --sabotage`). The variable is read here and nowhere else.
//!
//! In and out: both versions of a function. What comes out still verifies; it only computes the wrong thing.

use std::sync::OnceLock;

use crate::ir::Binary;
use crate::ir::Cmp;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Slot;
use crate::ir::Unit;
use crate::ir::Value;
use crate::passes::rewrite::Keep;
use crate::passes::rewrite::Rewriter;
use crate::passes::rewrite::rewrite_insts;

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident,)*) => {
        /// A wrong lowering.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])* $variant,)* }

        impl Fault {
            /// Every fault; the first is number 1.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)*];
        }
    };
}

faults! {
    /// A sum is not checked.
    SumUnchecked,
    /// A product is not checked.
    ProductUnchecked,
    /// Floor division rounds up.
    DivisionRoundsUp,
    /// A remainder has the wrong sign.
    RemainderSign,
    /// A left shift takes its count modulo 64, unchecked.
    LeftShiftMasked,
    /// A right shift takes its count modulo 64, unchecked.
    RightShiftMasked,
    /// `<` of ints holds for equal ones.
    LessOrEqual,
    /// `<` of floats holds for a NaN.
    LessThanNan,
    /// `-0.0` is `0.0`.
    NegativeZero,
    /// A range is one longer.
    RangeEnd,
    /// Two variables change places when an instruction exits.
    ExitSlotsSwapped,
    /// An exit goes on at another exit's entry of the generic version.
    WrongResumeEntry,
    /// A bool is boxed as an int.
    BoolAsInt,
    /// A rebound global is not noticed.
    GuardForgotten,
    /// `int / int` rounds its operands first.
    TrueDivisionRoundsTwice,
    /// An int is rounded before it is compared with a float.
    IntRoundedToCompare,
    /// The arguments of a direct call change places.
    ArgumentsSwapped,
    /// The generic version subtracts the other way round.
    GenericSubtraction,
    /// The generic version's `<` holds for equal objects.
    GenericLess,
    /// A traceback names the line of another instruction.
    WrongLine,
    /// A store into a list goes to the item in front.
    StoreElsewhere,
    /// A store into a bytearray is forgotten.
    ByteForgotten,
    /// A store into a cell is forgotten.
    CellForgotten,
    /// A handler leaves its exception handled.
    HandlingNotEnded,
    /// The frames of exceptions that were caught do not get the variables of the function's end.
    FrameForgotten,
    /// References are not given back.
    ReferenceKept,
}

/// The fault that the environment asks for.
fn requested() -> Option<Fault> {
    static REQUESTED: OnceLock<Option<Fault>> = OnceLock::new();
    *REQUESTED.get_or_init(|| {
        let number: usize = std::env::var("CASTIRON_SABOTAGE").ok()?.parse().ok()?;
        Fault::ALL.get(number.checked_sub(1)?).copied()
    })
}

/// Puts the requested fault, if there is one, into every function of the unit.
pub fn sabotage(unit: &mut Unit) {
    let Some(fault) = requested() else { return };
    for function in &mut unit.functions {
        for func in function.generic.iter_mut().chain(&mut function.specialised) {
            match fault {
                Fault::ExitSlotsSwapped => swap_exit_slots(func),
                Fault::WrongResumeEntry => exchange_entries(func),
                _ => rewrite_insts(func, |rewriter, inst| break_inst(rewriter, inst, fault)),
            }
        }
    }
}

/// The fault that can be put into code only when references are counted.
pub fn keep_references(func: &mut Function) {
    if requested() == Some(Fault::ReferenceKept) {
        rewrite_insts(func, |rewriter, inst| match rewriter.func.inst(inst).op {
            Op::DecRef => Keep::No,
            _ => Keep::Yes,
        });
    }
}

/// An instruction to break.
struct Victim {
    inst: Inst,
    op: Op,
    imm: Imm,
    args: Vec<Value>,
}

fn break_inst(rewriter: &mut Rewriter<'_>, inst: Inst, fault: Fault) -> Keep {
    let data = rewriter.func.inst(inst);
    let victim = Victim { inst, op: data.op, imm: data.imm, args: data.args.clone() };
    match (fault, victim.op) {
        (Fault::GuardForgotten, Op::GuardCell)
        | (Fault::ByteForgotten, Op::ByteArraySet)
        | (Fault::CellForgotten, Op::ObjStoreCell)
        | (Fault::FrameForgotten, Op::ObjLeaveFrame)
        | (Fault::HandlingNotEnded, Op::ObjEndCatch) => return Keep::No,
        (
            Fault::StoreElsewhere,
            Op::ListSetInt | Op::ListSetFloat | Op::ListSetBool | Op::ListSet | Op::ListCopyItem,
        ) => {
            let one = rewriter.emit_int(inst, 1);
            let before = rewriter.emit(inst, Op::IntSub, Imm::None, &[victim.args[1], one]);
            let data = rewriter.func.inst_mut(inst);
            data.args[1] = before;
            // What was known of the list may no longer test the index.
            data.args.truncate(if data.op == Op::ListCopyItem { 4 } else { 3 });
        }
        (Fault::LessOrEqual, Op::IntCompare) | (Fault::GenericLess, Op::ObjCompare)
            if victim.imm == Imm::Cmp(Cmp::Lt) =>
        {
            rewriter.func.inst_mut(inst).imm = Imm::Cmp(Cmp::Le);
        }
        (Fault::GenericSubtraction, Op::ObjBinary) if matches!(victim.imm, Imm::Binary(Binary::Sub, _)) => {
            rewriter.func.inst_mut(inst).args.swap(0, 1);
        }
        (Fault::ArgumentsSwapped, Op::CallDirect | Op::CallQuiet) => {
            if let &[a, b, ..] = victim.args.as_slice()
                && rewriter.func.ty(a) == rewriter.func.ty(b)
            {
                rewriter.func.inst_mut(inst).args.swap(0, 1);
            }
        }
        (Fault::WrongLine, Op::ObjBinary | Op::ObjCall | Op::ObjCallMethod) => {
            let first = rewriter.func.block(rewriter.func.entry()).insts.first().copied();
            let range = first.map(|first| rewriter.func.inst(first).range);
            rewriter.func.inst_mut(inst).range = range.unwrap_or_default();
        }
        _ => {
            break_int(rewriter, &victim, fault);
            break_number(rewriter, &victim, fault);
        }
    }
    Keep::Yes
}

fn break_int(rewriter: &mut Rewriter<'_>, victim: &Victim, fault: Fault) {
    let &Victim { inst, op, ref args, .. } = victim;
    match (fault, op, args.as_slice()) {
        (Fault::SumUnchecked, Op::IntAddChecked, args) => rewriter.become_op(inst, Op::IntAdd, args),
        (Fault::ProductUnchecked, Op::IntMulChecked, args) => rewriter.become_op(inst, Op::IntMul, args),
        (Fault::DivisionRoundsUp, Op::IntFloorDiv | Op::IntFloorDivChecked, &[a, b])
        | (Fault::RemainderSign, Op::IntMod | Op::IntModChecked, &[a, b]) => {
            negate_around(rewriter, inst, op, [a, b]);
        }
        (Fault::LeftShiftMasked, Op::IntShlChecked, &[a, b]) => mask_count(rewriter, inst, Op::IntShl, a, b),
        (Fault::RightShiftMasked, Op::IntShrChecked, &[a, b]) => mask_count(rewriter, inst, Op::IntShr, a, b),
        (Fault::RangeEnd, Op::IntRangeLen, args) => {
            let length = rewriter.emit_exiting(inst, op, args);
            let one = rewriter.emit_int(inst, 1);
            rewriter.become_op(inst, Op::IntAdd, &[length, one]);
        }
        _ => {}
    }
}

fn break_number(rewriter: &mut Rewriter<'_>, victim: &Victim, fault: Fault) {
    let &Victim { inst, op, imm, ref args } = victim;
    match (fault, op, args.as_slice()) {
        (Fault::LessThanNan, Op::FloatCompare, args) if imm == Imm::Cmp(Cmp::Lt) => {
            let opposite = rewriter.emit(inst, Op::FloatCompare, Imm::Cmp(Cmp::Ge), args);
            rewriter.become_op(inst, Op::BoolNot, &[opposite]);
        }
        (Fault::NegativeZero, Op::FloatNeg, &[a]) => {
            let zero = rewriter.emit(inst, Op::FloatConst, Imm::Float(0), &[]);
            rewriter.become_op(inst, Op::FloatSub, &[zero, a]);
        }
        (Fault::BoolAsInt, Op::BoolBox, &[a]) => {
            let int = rewriter.emit(inst, Op::BoolToInt, Imm::None, &[a]);
            rewriter.become_op(inst, Op::IntBox, &[int]);
        }
        (Fault::TrueDivisionRoundsTwice, Op::IntTrueDivChecked, &[a, b]) => {
            let floats = [a, b].map(|int| rewriter.emit(inst, Op::IntToFloat, Imm::None, &[int]));
            let data = rewriter.func.inst_mut(inst);
            data.op = Op::FloatDivChecked;
            data.args = floats.to_vec();
        }
        (Fault::IntRoundedToCompare, Op::IntCompareFloat, &[a, b]) => {
            let rounded = rewriter.emit(inst, Op::IntToFloat, Imm::None, &[a]);
            rewriter.become_op(inst, Op::FloatCompare, &[rounded, b]);
            rewriter.func.inst_mut(inst).imm = imm;
        }
        _ => {}
    }
}

/// `-(-a op b)`: right but for the direction of rounding, or the sign.
fn negate_around(rewriter: &mut Rewriter<'_>, inst: Inst, op: Op, [a, b]: [Value; 2]) {
    let negative = rewriter.emit(inst, Op::IntNeg, Imm::None, &[a]);
    let result = if op.exits() {
        rewriter.emit_exiting(inst, op, &[negative, b])
    } else {
        rewriter.emit(inst, op, Imm::None, &[negative, b])
    };
    rewriter.become_op(inst, Op::IntNeg, &[result]);
}

fn mask_count(rewriter: &mut Rewriter<'_>, inst: Inst, op: Op, value: Value, count: Value) {
    let most = rewriter.emit_int(inst, 63);
    let masked = rewriter.emit(inst, Op::IntAnd, Imm::None, &[count, most]);
    rewriter.become_op(inst, op, &[value, masked]);
}

fn swap_exit_slots(func: &mut Function) {
    for number in 0..func.exits.len() {
        let values = &func.values;
        let slots = &mut func.exits[number].frames[0].slots;
        let ty = |slot: &Slot| match slot {
            Slot::Value(value) => Some(values[value.index()].ty),
            _ => None,
        };
        let pair =
            (1..slots.len()).find(|&at| ty(&slots[at]).is_some() && ty(&slots[at]) == ty(&slots[at - 1]));
        if let Some(at) = pair {
            slots.swap(at - 1, at);
        }
    }
}

/// Every exit takes the entry of the one before it, where both have as many slots of the same kinds.
fn exchange_entries(func: &mut Function) {
    for number in (1..func.exits.len()).rev() {
        let (before, after) = func.exits.split_at_mut(number);
        let (other, this) = (&before[number - 1], &mut after[0]);
        let alike = this.frames.len() == 1
            && other.frames.len() == 1
            && std::mem::discriminant(&this.frames[0].point)
                == std::mem::discriminant(&other.frames[0].point)
            && this.frames[0]
                .slots
                .iter()
                .map(std::mem::discriminant)
                .eq(other.frames[0].slots.iter().map(std::mem::discriminant))
            && this.frames[0].func == other.frames[0].func;
        if alike {
            this.frames[0].point = other.frames[0].point;
        }
    }
}
