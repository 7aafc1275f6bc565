//! Calls, and the calls that need the frame they are made from.

use ruff_python_ast::Expr;
use ruff_python_ast::ExprCall;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::scope::Meaning;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::syntax_error;

impl<'a> Builder<'a> {
    /// The value of a call: callable first, then arguments by position, then by name, as they stand.
    pub(super) fn call(&mut self, node: &'a ExprCall) -> Value {
        let mut operands = vec![self.callee(node)];
        operands.extend(self.exprs(&node.arguments.args));
        let mut names: Vec<Const> = Vec::new();
        for keyword in &node.arguments.keywords {
            match &keyword.arg {
                Some(name) => {
                    let name = Const::Str(name.to_string());
                    if names.contains(&name) {
                        self.refuse(keyword, syntax_error("a keyword argument stands twice"));
                    }
                    names.push(name);
                }
                None => self.refuse(keyword, Reason::UnsupportedExpression("unpacking with a star")),
            }
            operands.push(self.expr(&keyword.value));
        }
        let names = if names.is_empty() { Const::None } else { Const::Tuple(names) };
        let range = self.call_range(node);
        self.call_value(operands, names, range)
    }

    /// Calls the first operand with the others, the last of them by these names.
    pub(super) fn call_value(&mut self, operands: Vec<Value>, names: Const, range: TextRange) -> Value {
        self.may_recurse = true;
        let id = self.constant_id(names);
        self.value(Op::ObjCall, Imm::Const(id), operands, range)
    }

    fn callee(&mut self, node: &'a ExprCall) -> Value {
        if let Expr::Name(name) = &*node.func {
            // With an operand or namespaces of their own, these don't look at the frame.
            let enough = match name.id.as_str() {
                "dir" | "vars" => 1,
                "eval" | "exec" => 2,
                _ => usize::MAX,
            };
            if let (true, (mangled, Meaning::Global)) =
                (node.arguments.args.len() >= enough, self.meaning(&name.id))
            {
                return self.global(mangled, name.range);
            }
        }
        self.expr(&node.func)
    }

    fn call_range(&self, node: &ExprCall) -> TextRange {
        match &*node.func {
            Expr::Attribute(method) => self.attribute_range(node.range(), method),
            _ => node.range(),
        }
    }
}
