//! f-strings: each value is formatted as soon as it is evaluated, then the pieces are joined.

use ruff_python_ast::ConversionFlag;
use ruff_python_ast::ExprFString;
use ruff_python_ast::FStringPart;
use ruff_python_ast::InterpolatedElement;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::InterpolatedStringElements;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::surrogates::Text;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;

/// The pieces of a string so far: values, and the text since the last one.
#[derive(Default)]
struct Pieces {
    values: Vec<Value>,
    text: Text,
}

impl<'a> Builder<'a> {
    /// The value of an f-string, its neighbours included.
    pub(super) fn fstring(&mut self, node: &'a ExprFString) -> Value {
        let mut pieces = Pieces::default();
        for part in &node.value {
            match part {
                FStringPart::Literal(literal) => {
                    let is_raw = literal.flags.prefix().is_raw();
                    self.push_text(&mut pieces.text, literal, literal.as_str(), is_raw);
                }
                FStringPart::FString(part) => {
                    self.pieces(&part.elements, part.flags.prefix().is_raw(), &mut pieces);
                }
            }
        }
        self.joined(pieces, node.range)
    }

    fn pieces(&mut self, elements: &'a InterpolatedStringElements, is_raw: bool, pieces: &mut Pieces) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    self.push_text(&mut pieces.text, literal, &literal.value, is_raw);
                }
                InterpolatedStringElement::Interpolation(element) => {
                    if let Some(text) = &element.debug_text {
                        pieces.text.push_plain(text.as_str());
                    }
                    self.flush(pieces, element.range);
                    let value = self.interpolated(element, is_raw);
                    pieces.values.push(value);
                }
            }
        }
    }

    fn interpolated(&mut self, element: &'a InterpolatedElement, is_raw: bool) -> Value {
        let value = self.expr(&element.expression);
        let conversion = match element.conversion {
            // `f"{x=}"` shows the repr unless it is told otherwise.
            ConversionFlag::None if element.debug_text.is_some() && element.format_spec.is_none() => 2,
            ConversionFlag::None => 0,
            ConversionFlag::Str => 1,
            ConversionFlag::Repr => 2,
            ConversionFlag::Ascii => 3,
        };
        let spec = match &element.format_spec {
            None => self.constant(Const::None, element.range),
            Some(spec) => {
                let mut pieces = Pieces::default();
                self.level(spec.range, |builder| builder.pieces(&spec.elements, is_raw, &mut pieces));
                self.joined(pieces, spec.range)
            }
        };
        self.value(Op::ObjFormat, Imm::Count(conversion), vec![value, spec], element.range())
    }

    fn flush(&mut self, pieces: &mut Pieces, range: TextRange) {
        if !pieces.text.is_empty() {
            let text = std::mem::take(&mut pieces.text);
            pieces.values.push(self.constant(text.into_const(), range));
        }
    }

    fn joined(&mut self, mut pieces: Pieces, range: TextRange) -> Value {
        self.flush(&mut pieces, range);
        match pieces.values[..] {
            [] => self.constant(Const::Str(String::new()), range),
            [only] => only,
            _ => self.value(Op::ObjJoin, Imm::None, pieces.values, range),
        }
    }
}
