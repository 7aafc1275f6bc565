//! What the text says of the items that a list comprehension makes: a guess, by which a list is read as one of numbers.

use ruff_python_ast::{Comprehension, Expr, Number, Operator, UnaryOp};

use crate::types::Type;

/// Expressions nested deeper than this are anything.
const DEEPEST: u8 = 4;

/// What a list comprehension probably makes; of any other expression nothing is said.
pub(super) fn made_by(expr: &Expr) -> Type {
    match expr {
        Expr::ListComp(_) => guess(expr, &[], DEEPEST),
        _ => Type::Object,
    }
}

fn guess(expr: &Expr, generators: &[&Comprehension], depth: u8) -> Type {
    let Some(depth) = depth.checked_sub(1) else { return Type::Object };
    let of = |expr: &Expr| guess(expr, generators, depth);
    match expr {
        Expr::NumberLiteral(literal) => match literal.value {
            Number::Int(_) => Type::Int,
            Number::Float(_) => Type::Float,
            Number::Complex { .. } => Type::Object,
        },
        Expr::StringLiteral(_) | Expr::FString(_) => Type::Str,
        Expr::BytesLiteral(_) => Type::Bytes,
        Expr::BooleanLiteral(_) => Type::Bool,
        Expr::Name(name) => target(&name.id, generators),
        Expr::UnaryOp(unary) => match (unary.op, of(&unary.operand)) {
            (UnaryOp::Not, _) => Type::Bool,
            (UnaryOp::USub | UnaryOp::UAdd, number @ (Type::Int | Type::Float)) => number,
            _ => Type::Object,
        },
        Expr::BinOp(operation) => of_operation(operation.op, of(&operation.left), of(&operation.right)),
        Expr::If(choice) => of(&choice.body).join(&of(&choice.orelse)),
        Expr::List(list) if !list.elts.is_empty() => {
            let items = list.elts.iter().fold(Type::Never, |item, next| item.join(&of(next)));
            Type::List(Box::new(items))
        }
        Expr::ListComp(inner) => {
            let all: Vec<&Comprehension> = generators.iter().copied().chain(&inner.generators).collect();
            Type::List(Box::new(guess(&inner.elt, &all, depth)))
        }
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => of_call(&name.id),
            _ => Type::Object,
        },
        _ => Type::Object,
    }
}

fn of_operation(operator: Operator, left: Type, right: Type) -> Type {
    match (operator, left, right) {
        (Operator::Mult, list @ Type::List(_), Type::Int) => list,
        (Operator::Div, Type::Int | Type::Float, Type::Int | Type::Float) => Type::Float,
        (Operator::Pow, Type::Int, Type::Int) => Type::Object,
        (_, Type::Int, Type::Int) => Type::Int,
        (
            Operator::Add
            | Operator::Sub
            | Operator::Mult
            | Operator::Mod
            | Operator::FloorDiv
            | Operator::Pow,
            Type::Int | Type::Float,
            Type::Int | Type::Float,
        ) => Type::Float,
        (Operator::Add | Operator::Mod, Type::Str, _) => Type::Str,
        _ => Type::Object,
    }
}

/// What a call of the builtin of this name returns.
fn of_call(name: &str) -> Type {
    match name {
        "int" | "len" | "ord" | "hash" | "id" => Type::Int,
        "float" => Type::Float,
        "bool" | "isinstance" => Type::Bool,
        "str" | "repr" | "chr" | "hex" | "bin" => Type::Str,
        _ => Type::Object,
    }
}

/// What a generator's target of this name is: the number of a range or of `enumerate`.
fn target(name: &str, generators: &[&Comprehension]) -> Type {
    let is_name = |expr: &Expr| matches!(expr, Expr::Name(target) if target.id == name);
    let called = |generator: &Comprehension| match &generator.iter {
        Expr::Call(call) => match &*call.func {
            Expr::Name(function) => function.id.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let counts = |generator: &&&Comprehension| match (&generator.target, called(generator).as_str()) {
        (target, "range") => is_name(target),
        (Expr::Tuple(pair), "enumerate") => pair.elts.first().is_some_and(is_name),
        _ => false,
    };
    if generators.iter().rev().find(counts).is_some() { Type::Int } else { Type::Object }
}
