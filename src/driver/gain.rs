//! Whether machine code gains anything over the interpreter: a counted estimate, so that the answer is the
//! same each time.
//!
//! Unboxed work counts for machine code, an operation of CPython's object protocol against it: the
//! interpreter's own caches make attributes, items and method calls faster there than a call of the C API
//! does. Each loop around an instruction multiplies what it counts. Operators on objects and calls of
//! global names count nothing: what they are is known only when the function runs.
//!
//! Where the boundary is checked, bytecode pays for every check at each call, and what is called checks as well: machine
//! code tests classes in line, so there work on attributes and methods counts nothing either.

use rustc_hash::FxHashMap;

use crate::analysis::loops::Loops;
use crate::ir::Def;
use crate::ir::FuncId;
use crate::ir::Function;
use crate::ir::GlobalFact;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Unit;
use crate::ir::Value;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::passes;

/// How much more often the body of a loop is taken to run than what is around it, in bits.
const LOOP_BITS: u32 = 3;

/// Loops further in count no more.
const DEEPEST: u32 = 6;

/// Whether arguments or result are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    Checked,
    Open,
}

/// Whether the unit's function is worth its machine code, as far as these facts tell.
pub(super) fn is_worthwhile(unit: &mut Unit, id: FuncId, facts: &FxHashMap<String, GlobalFact>) -> bool {
    let specialised = passes::specialise::specialise(unit, id, facts);
    let versions = [specialised.as_ref(), unit.function(id).generic.as_ref()];
    // What stands behind a way out that is always taken runs in the generic version.
    let used = if specialised.as_ref().is_some_and(leaves) { &versions[..] } else { &versions[..1] };
    let boundary = boundary_of(unit, id, versions[1]);
    let mut used = used.iter().flatten().peekable();
    match used.peek() {
        Some(_) => used.all(|version| balance(version, boundary) >= 0),
        None => versions[1].is_none_or(|generic| balance(generic, boundary) >= 0),
    }
}

/// Whether the function has a loop.
pub(super) fn has_loop(func: &Function) -> bool {
    let cfg = Cfg::of(func);
    !Loops::of(&cfg, &Dominators::of(&cfg)).all().is_empty()
}

/// Whether the function's boundary is checked.
fn boundary_of(unit: &Unit, id: FuncId, generic: Option<&Function>) -> Boundary {
    let checks_result = |func: &Function| {
        let mut insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
        insts.any(|&inst| func.inst(inst).op == Op::ObjCheckResult)
    };
    let function = unit.function(id);
    if !function.checked_classes.is_empty() || function.promised && generic.is_some_and(checks_result) {
        Boundary::Checked
    } else {
        Boundary::Open
    }
}

/// Whether the version leaves for the generic one on its expected path.
fn leaves(func: &Function) -> bool {
    let hot = func.layout.iter().filter(|&&block| !func.block(block).cold);
    hot.into_iter().any(|&block| func.inst(func.terminator(block)).op == Op::Leave)
}

/// What the version's instructions count together.
fn balance(func: &Function, boundary: Boundary) -> i64 {
    let cfg = Cfg::of(func);
    let loops = Loops::of(&cfg, &Dominators::of(&cfg));
    let mut sum: i64 = 0;
    for &block in cfg.reverse_postorder() {
        if func.block(block).cold {
            continue;
        }
        let mut depth = 0;
        let mut around = loops.innermost(block);
        while let Some(number) = around {
            depth += 1;
            around = loops.all()[number].parent;
        }
        let insts = &func.block(block).insts;
        let next = |position: usize| insts.get(position + 1).copied();
        let own =
            insts.iter().enumerate().map(|(position, &inst)| worth(func, (inst, next(position)), boundary));
        let own: i64 = own.sum();
        sum = sum.saturating_add(own << (LOOP_BITS * depth.min(DEEPEST)));
    }
    sum
}

/// What one instruction counts, in units of about ten nanoseconds.
fn worth(func: &Function, (inst, next): (Inst, Option<Inst>), boundary: Boundary) -> i64 {
    let data = func.inst(inst);
    let is_constant = matches!(data.op, Op::IntConst | Op::FloatConst | Op::BoolConst);
    match data.op {
        Op::CallDirect | Op::CallQuiet | Op::CallOneOf | Op::CallGuessed | Op::CallGuessedNumber => {
            if data.results.iter().any(|&result| func.ty(result) == Type::Obj) { 2 } else { 4 }
        }
        // What its cache finds is read in line, and goes on without its box.
        Op::ObjSetAttrFloat => 0,
        Op::ObjAttr if is_unboxed(func, inst, next) => 0,
        Op::ObjAttr | Op::ObjMethod | Op::ObjSetAttr | Op::ObjCallMethod if boundary == Boundary::Checked => {
            0
        }
        // Items of lists and tuples are read in line.
        Op::ObjItem | Op::ObjSetItem if boundary == Boundary::Checked => 0,
        // A number that is unboxed already finds its item without a call of CPython's.
        Op::ObjItem if is_of(func, data.args[1], &[Op::IntBox]) => -1,
        Op::ObjCall if boundary == Boundary::Checked => 0,
        Op::ObjAttr | Op::ObjMethod | Op::ObjSetAttr | Op::ObjDelAttr | Op::ObjItem => -3,
        Op::ObjSetItem | Op::ObjDelItem => -2,
        Op::ObjCallEx | Op::ObjImport | Op::ObjImportFrom | Op::ObjMatchKeys | Op::ObjMatchClass => -4,
        Op::ObjBinary if data.args.iter().any(|&arg| is_of(func, arg, &[Op::ObjItem])) => -1,
        Op::ObjBinary
            if boundary == Boundary::Open
                && data.args.iter().any(|&arg| is_of(func, arg, &[Op::ObjAttr])) =>
        {
            -1
        }
        Op::ObjCall if !is_of(func, data.args[0], &[Op::ObjGlobal]) => -4,
        Op::ObjList | Op::ObjDict | Op::ObjSet | Op::ObjSlice | Op::ObjContains => -1,
        Op::ListSlice => 0,
        Op::ListSetSlice => -1,
        Op::ObjCallMethod if is_of(func, data.args[0], &[Op::ObjConst]) => -1,
        Op::ObjCallMethod => -4,
        Op::IntBox | Op::FloatBox | Op::BoolBox | Op::StrChar | Op::ListSet => 0,
        // The interpreter has these in line, too.
        Op::ListAppend | Op::ListPop => 1,
        op => match op.row().mnemonic.split('.').next() {
            Some("int" | "float" | "bool") => i64::from(!is_constant),
            Some("list" | "bytes" | "str") => 2,
            _ => 0,
        },
    }
}

/// Whether the instruction behind takes the result out of its box.
fn is_unboxed(func: &Function, inst: Inst, next: Option<Inst>) -> bool {
    next.is_some_and(|next| {
        let next = func.inst(next);
        next.op.row().mnemonic.starts_with("guard.") && next.args.first() == func.inst(inst).results.first()
    })
}

/// Whether the value is the result of one of these ops.
fn is_of(func: &Function, value: Value, ops: &[Op]) -> bool {
    matches!(func.def(value), Def::Result(inst, _) if ops.contains(&func.inst(inst).op))
}
