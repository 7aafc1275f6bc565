//! Global names that the text binds once, to a number: what they probably are when functions run.

use ruff_python_ast::Expr;
use ruff_python_ast::Number;
use ruff_python_ast::Stmt;
use ruff_python_ast::UnaryOp;
use rustc_hash::FxHashMap;

use crate::ir::Const;

use super::ParsedModule;
use super::names;
use super::names::Names;

/// The module's own statements that bind one name to a literal, where no other statement of the text binds it.
#[must_use]
pub fn constants(module: &ParsedModule) -> FxHashMap<String, Const> {
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
        let constant = value.and_then(literal);
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

/// The value of a literal that a guard can compare.
fn literal(expr: &Expr) -> Option<Const> {
    match expr {
        Expr::BooleanLiteral(node) => Some(Const::Bool(node.value)),
        Expr::NoneLiteral(_) => Some(Const::None),
        Expr::NumberLiteral(node) => match &node.value {
            Number::Int(int) => int.as_i64().map(Const::Int),
            Number::Float(float) => Some(Const::Float(float.to_bits())),
            Number::Complex { .. } => None,
        },
        Expr::UnaryOp(node) if node.op == UnaryOp::USub => match literal(&node.operand)? {
            Const::Int(int) => int.checked_neg().map(Const::Int),
            Const::Float(bits) => Some(Const::Float((-f64::from_bits(bits)).to_bits())),
            _ => None,
        },
        _ => None,
    }
}
