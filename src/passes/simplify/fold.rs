//! What an instruction comes to when its operands are known.

use crate::ir::{Cmp, Function, Imm, Inst, Op, Value};

/// What stands for an instruction from now on.
pub(super) enum Folded {
    /// These values, one for each result.
    Values(Vec<Value>),
    /// This op in its place, which does not exit.
    Op(Op, Imm, Vec<Value>),
}

/// Folds the instruction if its operands tell enough. `truth` knows conditions, `find` resolves aliases.
pub(super) fn fold(
    func: &Function,
    inst: Inst,
    truth: impl Fn(Value) -> Option<bool>,
    find: impl Fn(Value) -> Value,
) -> Option<Folded> {
    let data = func.inst(inst);
    let args = data.args.as_slice();
    let constant = match (int_operands(func, args), float_operands(func, args), args) {
        (Some(ints), _, _) => fold_ints(data.op, data.imm, &ints),
        (_, Some(floats), _) => fold_floats(data.op, data.imm, &floats),
        (_, _, &[a]) if data.op == Op::BoolToInt => truth(a).map(|truth| Constant::Int(i64::from(truth))),
        _ => None,
    };
    if let Some(constant) = constant {
        return Some(constant.into_op());
    }
    match *args {
        [a] => fold_unary(func, data.op, data.imm, a, &truth, &find),
        [a, b] => fold_binary(func, data.op, data.imm, [a, b], &truth),
        [condition, a, b] if data.op == Op::SelectFloat => match truth(condition) {
            Some(truth) => Some(Folded::Values(vec![if truth { a } else { b }])),
            None => (a == b).then(|| Folded::Values(vec![a])),
        },
        _ => None,
    }
}

enum Constant {
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Constant {
    fn into_op(self) -> Folded {
        match self {
            Constant::Int(value) => Folded::Op(Op::IntConst, Imm::Int(value), Vec::new()),
            Constant::Float(value) => Folded::Op(Op::FloatConst, Imm::Float(value.to_bits()), Vec::new()),
            Constant::Bool(value) => Folded::Op(Op::BoolConst, Imm::Bool(value), Vec::new()),
        }
    }
}

fn int_constant(func: &Function, value: Value) -> Option<i64> {
    match func.def_inst(value)?.imm {
        Imm::Int(constant) => Some(constant),
        _ => None,
    }
}

fn int_operands(func: &Function, args: &[Value]) -> Option<Vec<i64>> {
    if args.is_empty() { None } else { args.iter().map(|&arg| int_constant(func, arg)).collect() }
}

fn float_operands(func: &Function, args: &[Value]) -> Option<Vec<f64>> {
    let constant = |&arg: &Value| match func.def_inst(arg)?.imm {
        Imm::Float(bits) => Some(f64::from_bits(bits)),
        _ => None,
    };
    if args.is_empty() { None } else { args.iter().map(constant).collect() }
}

/// Ops whose operands are all constant ints. None where the op would exit: it then always does.
fn fold_ints(op: Op, imm: Imm, operands: &[i64]) -> Option<Constant> {
    if let (Op::IntCompare, Imm::Cmp(cmp), &[a, b]) = (op, imm, operands) {
        return Some(Constant::Bool(holds(cmp, a.cmp(&b))));
    }
    if let (Op::IntRangeLen, &[start, stop, step]) = (op, operands) {
        return range_len(start, stop, step).map(Constant::Int);
    }
    if op == Op::IntToFloat {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the op rounds to nearest, ties to even, as the cast does"
        )]
        return Some(Constant::Float(operands[0] as f64));
    }
    let value = match *operands {
        [a] => match op {
            Op::IntNegChecked => a.checked_neg()?,
            Op::IntAbsChecked => a.checked_abs()?,
            Op::IntNeg => a.wrapping_neg(),
            Op::IntAbs => a.wrapping_abs(),
            Op::IntInvert => !a,
            _ => return None,
        },
        [a, b] => fold_int_pair(op, a, b)?,
        _ => return None,
    };
    Some(Constant::Int(value))
}

fn fold_int_pair(op: Op, a: i64, b: i64) -> Option<i64> {
    let shift = u32::try_from(b).ok().filter(|&shift| shift < 64);
    match op {
        Op::IntAddChecked => a.checked_add(b),
        Op::IntSubChecked => a.checked_sub(b),
        Op::IntMulChecked => a.checked_mul(b),
        Op::IntShlChecked => i64::try_from(i128::from(a) << shift?).ok(),
        Op::IntShrChecked if b >= 64 => Some(a >> 63),
        Op::IntShr | Op::IntShrChecked => Some(a >> shift?),
        Op::IntFloorDivChecked | Op::IntFloorDiv if b != 0 => floor_div(a, b),
        Op::IntModChecked | Op::IntMod if b != 0 => Some(floor_mod(a, b)),
        Op::IntPowChecked => a.checked_pow(u32::try_from(b).ok()?),
        Op::IntAdd => Some(a.wrapping_add(b)),
        Op::IntSub => Some(a.wrapping_sub(b)),
        Op::IntMul => Some(a.wrapping_mul(b)),
        Op::IntShl => Some(a << shift?),
        Op::IntDivUnsigned if a >= 0 && b > 0 => Some(a / b),
        Op::IntModUnsigned if a >= 0 && b > 0 => Some(a % b),
        Op::IntAnd => Some(a & b),
        Op::IntOr => Some(a | b),
        Op::IntXor => Some(a ^ b),
        Op::IntMin => Some(a.min(b)),
        Op::IntMax => Some(a.max(b)),
        _ => None,
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn floor_mod(a: i64, b: i64) -> i64 {
    let remainder = a.wrapping_rem(b);
    if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder }
}

fn range_len(start: i64, stop: i64, step: i64) -> Option<i64> {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let distance = if step > 0 { stop - start } else { start - stop };
    match step {
        0 => None,
        _ if distance <= 0 => Some(0),
        _ => i64::try_from((distance - 1) / step.abs() + 1).ok(),
    }
}

fn holds(cmp: Cmp, order: std::cmp::Ordering) -> bool {
    match cmp {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
    }
}

/// Ops whose operands are all constant floats; a NaN's bits are left to the machine.
fn fold_floats(op: Op, imm: Imm, operands: &[f64]) -> Option<Constant> {
    if let (Op::FloatCompare, Imm::Cmp(cmp), &[a, b]) = (op, imm, operands) {
        return Some(Constant::Bool(a.partial_cmp(&b).map_or(cmp == Cmp::Ne, |order| holds(cmp, order))));
    }
    let value = match (op, operands) {
        (Op::FloatAdd, &[a, b]) => a + b,
        (Op::FloatSub, &[a, b]) => a - b,
        (Op::FloatMul, &[a, b]) => a * b,
        (Op::FloatDiv | Op::FloatDivChecked, &[a, b]) if b != 0.0 => a / b,
        (Op::FloatNeg, &[a]) => -a,
        (Op::FloatAbs, &[a]) => a.abs(),
        _ => return None,
    };
    (!value.is_nan()).then_some(Constant::Float(value))
}

fn fold_unary(
    func: &Function,
    op: Op,
    imm: Imm,
    a: Value,
    truth: &impl Fn(Value) -> Option<bool>,
    find: &impl Fn(Value) -> Value,
) -> Option<Folded> {
    if op == Op::BoolNot
        && let Some(truth) = truth(a)
    {
        return Some(Constant::Bool(!truth).into_op());
    }
    let def = func.def_inst(a)?;
    let inner: Vec<Value> = def.args.iter().map(|&arg| find(arg)).collect();
    match (op, def.op, def.imm) {
        (Op::BoolNot, Op::BoolNot, _)
        | (Op::GuardInt, Op::IntBox, _)
        | (Op::GuardFloat, Op::FloatBox, _)
        | (Op::GuardBool, Op::BoolBox, _)
        | (Op::IntInvert, Op::IntInvert, _)
        | (Op::IntNeg, Op::IntNeg, _) => Some(Folded::Values(inner)),
        (Op::SealedAccepted, Op::SealedNew, _) => Some(Folded::Values(Vec::new())),
        (Op::SealedGuard | Op::SealedGuardOptional, Op::SealedNew, made) if imm == made => {
            Some(Folded::Values(Vec::new()))
        }
        (Op::GuardTuple, Op::ObjTuple, _) if imm == Imm::Count(u32::try_from(inner.len()).ok()?) => {
            Some(Folded::Values(inner))
        }
        (Op::BoolNot, Op::IntCompare, Imm::Cmp(cmp)) => {
            Some(Folded::Op(Op::IntCompare, Imm::Cmp(cmp.negated()), inner))
        }
        (Op::BoolNot, Op::FloatCompare, Imm::Cmp(cmp @ (Cmp::Eq | Cmp::Ne))) => {
            Some(Folded::Op(Op::FloatCompare, Imm::Cmp(cmp.negated()), inner))
        }
        _ => None,
    }
}

fn fold_binary(
    func: &Function,
    op: Op,
    imm: Imm,
    [a, b]: [Value; 2],
    truth: &impl Fn(Value) -> Option<bool>,
) -> Option<Folded> {
    if a == b
        && let Some(folded) = fold_equal(op, imm, a)
    {
        return Some(folded);
    }
    if matches!(op, Op::BoolAnd | Op::BoolOr | Op::BoolXor) {
        return fold_logic(op, [a, b], [truth(a), truth(b)]);
    }
    let (left, right) = (int_constant(func, a), int_constant(func, b));
    let same = |value: Value| Some(Folded::Values(vec![value]));
    let zero = || Some(Constant::Int(0).into_op());
    match (op, left, right) {
        (Op::IntAdd | Op::IntAddChecked | Op::IntOr | Op::IntXor, _, Some(0)) => same(a),
        (Op::IntAdd | Op::IntAddChecked | Op::IntOr | Op::IntXor, Some(0), _) => same(b),
        (Op::IntSub | Op::IntSubChecked, _, Some(0)) => same(a),
        (Op::IntMul | Op::IntMulChecked, _, Some(1)) => same(a),
        (Op::IntMul | Op::IntMulChecked, Some(1), _) => same(b),
        (Op::IntMul | Op::IntMulChecked, _, Some(0)) | (Op::IntMul | Op::IntMulChecked, Some(0), _) => zero(),
        (Op::IntAnd, _, Some(0)) | (Op::IntAnd, Some(0), _) => zero(),
        (Op::IntAnd, _, Some(-1)) => same(a),
        (Op::IntAnd, Some(-1), _) => same(b),
        (Op::IntShl | Op::IntShlChecked | Op::IntShr | Op::IntShrChecked, _, Some(0)) => same(a),
        (Op::IntFloorDiv | Op::IntFloorDivChecked | Op::IntDivUnsigned, _, Some(1)) => same(a),
        (Op::IntPowChecked, _, Some(1)) => same(a),
        (Op::IntMod | Op::IntModChecked | Op::IntModUnsigned, _, Some(1)) => zero(),
        _ => None,
    }
}

/// Ops whose two operands are the same value.
fn fold_equal(op: Op, imm: Imm, a: Value) -> Option<Folded> {
    match (op, imm) {
        (Op::IntCompare, Imm::Cmp(cmp)) => {
            Some(Constant::Bool(holds(cmp, std::cmp::Ordering::Equal)).into_op())
        }
        (Op::ObjIs, _) => Some(Constant::Bool(true).into_op()),
        (Op::IntSub | Op::IntSubChecked | Op::IntXor, _) => Some(Constant::Int(0).into_op()),
        (Op::IntAnd | Op::IntOr | Op::IntMin | Op::IntMax | Op::BoolAnd | Op::BoolOr, _) => {
            Some(Folded::Values(vec![a]))
        }
        (Op::BoolXor, _) => Some(Constant::Bool(false).into_op()),
        _ => None,
    }
}

fn fold_logic(op: Op, [a, b]: [Value; 2], known: [Option<bool>; 2]) -> Option<Folded> {
    let (truth, other) = match known {
        [Some(truth), _] => (truth, b),
        [_, Some(truth)] => (truth, a),
        _ => return None,
    };
    match (op, truth) {
        (Op::BoolAnd, false) => Some(Constant::Bool(false).into_op()),
        (Op::BoolOr, true) => Some(Constant::Bool(true).into_op()),
        (Op::BoolXor, true) => Some(Folded::Op(Op::BoolNot, Imm::None, vec![other])),
        _ => Some(Folded::Values(vec![other])),
    }
}
