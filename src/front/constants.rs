//! Global names that the text binds once, to a number or to what numbers come to: what they probably are when functions
//! run.

use ruff_python_ast::Expr;
use ruff_python_ast::Number;
use ruff_python_ast::Operator;
use ruff_python_ast::Stmt;
use ruff_python_ast::UnaryOp;
use rustc_hash::FxHashMap;

use crate::ir::Const;

use super::ParsedModule;
use super::names;
use super::names::Names;
use super::nesting::with_stack;

/// The module's own statements that bind one name to a literal, where no other statement of the text binds it.
pub(super) fn constants(module: &ParsedModule) -> FxHashMap<String, Const> {
    let mut found: FxHashMap<String, Option<Const>> = FxHashMap::default();
    for stmt in module.suite() {
        let (name, value) = match stmt {
            Stmt::Assign(node) => match node.targets.as_slice() {
                [Expr::Name(name)] => (name.id.as_str(), Some(&*node.value)),
                _ => continue,
            },
            Stmt::AnnAssign(node) => match &*node.target {
                Expr::Name(name) => (name.id.as_str(), node.value.as_deref()),
                _ => continue,
            },
            _ => continue,
        };
        let constant = value.and_then(|value| folded(value, &found));
        found.entry(name.to_owned()).and_modify(|known| *known = None).or_insert(constant);
    }
    let mut counts: FxHashMap<String, usize> = FxHashMap::default();
    for stmt in module.suite() {
        for name in Names::of(None, std::slice::from_ref(stmt), None).bound {
            *counts.entry(name).or_default() += 1;
        }
    }
    let rebound = names::globals_declared_anywhere(module.suite());
    let is_only = |name: &str| counts.get(name) == Some(&1) && !rebound.contains(name);
    found
        .into_iter()
        .filter_map(|(name, constant)| constant.filter(|_| is_only(&name)).map(|constant| (name, constant)))
        .collect()
}

/// The value of an expression that a guard can compare.
fn folded(expr: &Expr, known: &FxHashMap<String, Option<Const>>) -> Option<Const> {
    match expr {
        Expr::Name(name) => known.get(name.id.as_str())?.clone(),
        Expr::BinOp(node) => {
            with_stack(|| arithmetic(node.op, &folded(&node.left, known)?, &folded(&node.right, known)?))
        }
        Expr::BooleanLiteral(node) => Some(Const::Bool(node.value)),
        Expr::NoneLiteral(_) => Some(Const::None),
        Expr::NumberLiteral(node) => match &node.value {
            Number::Int(int) => int.as_i64().map(Const::Int),
            Number::Float(float) => Some(Const::Float(float.to_bits())),
            Number::Complex { .. } => None,
        },
        Expr::UnaryOp(node) if node.op == UnaryOp::USub => match folded(&node.operand, known)? {
            Const::Int(int) => int.checked_neg().map(Const::Int),
            Const::Float(bits) => Some(Const::Float((-f64::from_bits(bits)).to_bits())),
            _ => None,
        },
        _ => None,
    }
}

/// What two numbers come to, where that is as in C.
fn arithmetic(operator: Operator, left: &Const, right: &Const) -> Option<Const> {
    if let (Const::Int(left), Const::Int(right)) = (left, right) {
        let result = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Sub => left.checked_sub(*right),
            Operator::Mult => left.checked_mul(*right),
            Operator::Pow => u32::try_from(*right).ok().and_then(|exponent| left.checked_pow(exponent)),
            Operator::LShift => u32::try_from(*right)
                .ok()
                .and_then(|places| 1_i64.checked_shl(places))
                .and_then(|factor| left.checked_mul(factor).filter(|_| factor > 0)),
            _ => None,
        };
        return result.map(Const::Int);
    }
    let (left, right) = (as_float(left)?, as_float(right)?);
    let result = match operator {
        Operator::Add => left + right,
        Operator::Sub => left - right,
        Operator::Mult => left * right,
        Operator::Div if right != 0.0 => left / right,
        _ => return None,
    };
    (!result.is_nan()).then(|| Const::Float(result.to_bits()))
}

/// A float, or an int that is one exactly.
fn as_float(constant: &Const) -> Option<f64> {
    match constant {
        Const::Float(bits) => Some(f64::from_bits(*bits)),
        Const::Int(int) => i32::try_from(*int).ok().map(f64::from),
        _ => None,
    }
}
