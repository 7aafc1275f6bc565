//! Literals, and the foldings that CPython does to them: signs of numbers and tuples of constants.

use ruff_python_ast::Expr;
use ruff_python_ast::ExprNumberLiteral;
use ruff_python_ast::ExprStringLiteral;
use ruff_python_ast::Number;
use ruff_python_ast::UnaryOp;
use ruff_text_size::Ranged;

use crate::front::surrogates::Text;
use crate::ir::Const;
use crate::source::Reason;

use super::Builder;

impl Builder<'_> {
    /// The expression's value when it is a literal, the negative of one, or a tuple of such.
    pub(super) fn constant_of(&mut self, expr: &Expr) -> Option<Const> {
        match expr {
            Expr::NoneLiteral(_) => Some(Const::None),
            Expr::BooleanLiteral(node) => Some(Const::Bool(node.value)),
            Expr::EllipsisLiteral(_) => Some(Const::Ellipsis),
            Expr::NumberLiteral(node) => Some(number(node)),
            Expr::StringLiteral(node) => Some(self.string(node)),
            Expr::BytesLiteral(node) => Some(Const::Bytes(node.value.bytes().collect())),
            Expr::UnaryOp(node) if node.op == UnaryOp::USub => match &*node.operand {
                Expr::NumberLiteral(number) => negated(number),
                _ => None,
            },
            Expr::Tuple(node) => {
                let items = self.level(node.range, |builder| {
                    node.elts.iter().map(|item| builder.constant_of(item)).collect::<Option<Vec<Const>>>()
                });
                items.flatten().map(Const::Tuple)
            }
            _ => None,
        }
    }

    fn string(&mut self, node: &ExprStringLiteral) -> Const {
        let mut text = Text::default();
        for part in &node.value {
            self.push_text(&mut text, part, part.as_str(), part.flags.prefix().is_raw());
        }
        text.into_const()
    }

    /// Adds the value of a literal, or of a piece of one, which stands there in the text.
    pub(super) fn push_text(&mut self, text: &mut Text, node: impl Ranged, value: &str, is_raw: bool) {
        let range = node.range();
        if !text.push(value, self.module.file().slice(range), is_raw) {
            self.refuse(range, Reason::UnsupportedLiteral("a string with a lone surrogate"));
        }
    }
}

fn number(node: &ExprNumberLiteral) -> Const {
    match &node.value {
        Number::Int(value) => match value.as_i64() {
            Some(value) => Const::Int(value),
            None => Const::BigInt(value.to_string().replace('_', "")),
        },
        Number::Float(value) => Const::Float(value.to_bits()),
        Number::Complex { imag, .. } => Const::Imaginary(imag.to_bits()),
    }
}

/// The negative of a literal, where a constant can hold it.
fn negated(node: &ExprNumberLiteral) -> Option<Const> {
    match &node.value {
        Number::Int(value) => match value.as_u64()? {
            0x8000_0000_0000_0000 => Some(Const::Int(i64::MIN)),
            value => i64::try_from(value).ok().map(|value| Const::Int(-value)),
        },
        Number::Float(value) => Some(Const::Float((-value).to_bits())),
        Number::Complex { .. } => None,
    }
}
