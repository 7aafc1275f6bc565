//! Annotations as the text that `from __future__ import annotations` makes of them.
//!
//! In: an expression. Out: what CPython's `ast_unparse.c` writes for it, or nothing where the expression has a form that
//! annotations rarely have, or a literal whose `repr` takes more than is known here. Precedences and spacing follow that
//! file, which 3.11, 3.12 and 3.13 have in common.

use ruff_python_ast::Expr;
use ruff_python_ast::ExprStringLiteral;
use ruff_python_ast::ExprTuple;
use ruff_python_ast::Keyword;
use ruff_python_ast::Number;
use ruff_python_ast::Operator;
use ruff_python_ast::UnaryOp;

/// How tightly what stands around an expression binds; what binds less is put in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Tuple,
    Test,
    Not,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arithmetic,
    Term,
    Factor,
    Power,
    Atom,
}

/// The text of an annotation, where it is known.
pub(super) fn annotation_text(annotation: &Expr) -> Option<String> {
    let mut text = String::new();
    write(&mut text, annotation, Level::Test)?;
    Some(text)
}

fn write(text: &mut String, expr: &Expr, level: Level) -> Option<()> {
    match expr {
        Expr::Name(name) => text.push_str(&name.id),
        Expr::NoneLiteral(_) => text.push_str("None"),
        Expr::EllipsisLiteral(_) => text.push_str("..."),
        Expr::BooleanLiteral(node) => text.push_str(if node.value { "True" } else { "False" }),
        Expr::NumberLiteral(node) => match &node.value {
            Number::Int(number) => text.push_str(&number.as_i64()?.to_string()),
            Number::Float(_) | Number::Complex { .. } => return None,
        },
        Expr::StringLiteral(node) => write_string(text, node)?,
        Expr::Attribute(node) if !node.value.is_number_literal_expr() => {
            write(text, &node.value, Level::Atom)?;
            text.push('.');
            text.push_str(&node.attr);
        }
        Expr::Subscript(node) => {
            write(text, &node.value, Level::Atom)?;
            text.push('[');
            write(text, &node.slice, Level::Tuple)?;
            text.push(']');
        }
        Expr::Starred(node) => {
            text.push('*');
            write(text, &node.value, Level::BitOr)?;
        }
        Expr::List(node) => {
            text.push('[');
            write_all(text, &node.elts)?;
            text.push(']');
        }
        Expr::Tuple(node) => write_tuple(text, node, level)?,
        Expr::Call(node) if !node.arguments.args.iter().any(Expr::is_generator_expr) => {
            write(text, &node.func, Level::Atom)?;
            text.push('(');
            write_all(text, &node.arguments.args)?;
            write_keywords(text, &node.arguments.keywords, !node.arguments.args.is_empty())?;
            text.push(')');
        }
        Expr::BinOp(node) => {
            let (symbol, own, (left, right)) = binary(node.op);
            parenthesised(text, level > own, |text| {
                write(text, &node.left, left)?;
                text.push_str(symbol);
                write(text, &node.right, right)
            })?;
        }
        Expr::UnaryOp(node) => {
            let (symbol, own) = match node.op {
                UnaryOp::Invert => ("~", Level::Factor),
                UnaryOp::UAdd => ("+", Level::Factor),
                UnaryOp::USub => ("-", Level::Factor),
                UnaryOp::Not => ("not ", Level::Not),
            };
            parenthesised(text, level > own, |text| {
                text.push_str(symbol);
                write(text, &node.operand, own)
            })?;
        }
        _ => return None,
    }
    Some(())
}

fn parenthesised(
    text: &mut String,
    is_needed: bool,
    inside: impl FnOnce(&mut String) -> Option<()>,
) -> Option<()> {
    text.push_str(if is_needed { "(" } else { "" });
    inside(text)?;
    text.push_str(if is_needed { ")" } else { "" });
    Some(())
}

fn write_tuple(text: &mut String, tuple: &ExprTuple, level: Level) -> Option<()> {
    if tuple.elts.is_empty() {
        text.push_str("()");
        return Some(());
    }
    parenthesised(text, level > Level::Tuple, |text| {
        write_all(text, &tuple.elts)?;
        text.push_str(if tuple.elts.len() == 1 { "," } else { "" });
        Some(())
    })
}

fn write_all(text: &mut String, items: &[Expr]) -> Option<()> {
    for (number, item) in items.iter().enumerate() {
        text.push_str(if number > 0 { ", " } else { "" });
        write(text, item, Level::Test)?;
    }
    Some(())
}

fn write_keywords(text: &mut String, keywords: &[Keyword], mut follows: bool) -> Option<()> {
    for keyword in keywords {
        text.push_str(if follows { ", " } else { "" });
        text.push_str(keyword.arg.as_ref()?);
        text.push('=');
        write(text, &keyword.value, Level::Test)?;
        follows = true;
    }
    Some(())
}

/// How an operator is written, how tightly it binds, and its operands.
fn binary(op: Operator) -> (&'static str, Level, (Level, Level)) {
    use Level::{Arithmetic, Atom, BitAnd, BitOr, BitXor, Factor, Power, Shift, Term};
    match op {
        Operator::Add => (" + ", Arithmetic, (Arithmetic, Term)),
        Operator::Sub => (" - ", Arithmetic, (Arithmetic, Term)),
        Operator::Mult => (" * ", Term, (Term, Factor)),
        Operator::MatMult => (" @ ", Term, (Term, Factor)),
        Operator::Div => (" / ", Term, (Term, Factor)),
        Operator::Mod => (" % ", Term, (Term, Factor)),
        Operator::FloorDiv => (" // ", Term, (Term, Factor)),
        Operator::LShift => (" << ", Shift, (Shift, Arithmetic)),
        Operator::RShift => (" >> ", Shift, (Shift, Arithmetic)),
        Operator::BitOr => (" | ", BitOr, (BitOr, BitXor)),
        Operator::BitXor => (" ^ ", BitXor, (BitXor, BitAnd)),
        Operator::BitAnd => (" & ", BitAnd, (BitAnd, Shift)),
        // Of what is written here, nothing lies between a power and an atom.
        Operator::Pow => (" ** ", Power, (Atom, Power)),
    }
}

/// A `repr`, of text in which it is the same everywhere.
fn write_string(text: &mut String, node: &ExprStringLiteral) -> Option<()> {
    let value = node.value.to_str();
    if !value.is_ascii() || node.value.is_unicode() {
        return None;
    }
    let quote = if value.contains('\'') && !value.contains('"') { '"' } else { '\'' };
    text.push(quote);
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            char if char == quote => text.extend(['\\', char]),
            char if char.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(char))),
            char => text.push(char),
        }
    }
    text.push(quote);
    Some(())
}
