//! Calls, and the calls that need the frame they are made from.

use ruff_python_ast::Arguments;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprCall;
use ruff_python_ast::Identifier;
use ruff_python_ast::Keyword;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use crate::front::scope::Meaning;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;
use super::syntax_error;

impl<'a> Builder<'a> {
    /// The value of a call: callable first, then arguments by position, then by name, as they stand.
    pub(super) fn call(&mut self, node: &'a ExprCall) -> Value {
        let callee = self.callee(node);
        let range = self.call_range(node);
        self.call_with(vec![callee], &node.arguments, range)
    }

    /// Calls the first operand with the others in front of the arguments that are written.
    pub(super) fn call_with(
        &mut self,
        mut operands: Vec<Value>,
        arguments: &'a Arguments,
        range: TextRange,
    ) -> Value {
        let names: Vec<&Identifier> =
            arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref()).collect();
        let mut known = FxHashSet::default();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            self.refuse(twice.range, syntax_error("a keyword argument stands twice"));
        }
        let has_star = arguments.args.iter().any(|arg| matches!(arg, Expr::Starred(_)));
        if has_star || names.len() < arguments.keywords.len() {
            return self.call_with_stars(&operands, arguments, range);
        }
        operands.extend(self.exprs(&arguments.args));
        operands
            .extend(arguments.keywords.iter().map(|keyword| &keyword.value).map(|value| self.expr(value)));
        let names = if names.is_empty() {
            Const::None
        } else {
            Const::Tuple(names.into_iter().map(|name| Const::Str(name.to_string())).collect())
        };
        self.call_value(operands, names, range)
    }

    /// A call with the items of iterables or mappings: a tuple and a dict are made.
    fn call_with_stars(&mut self, operands: &[Value], arguments: &'a Arguments, range: TextRange) -> Value {
        self.may_recurse = true;
        let args = match &*arguments.args {
            [Expr::Starred(only)] if operands.len() == 1 => self.expr(&only.value),
            args => self.starred_tuple(&operands[1..], args, range),
        };
        let mut call = vec![operands[0], args];
        if !arguments.keywords.is_empty() {
            call.push(self.named_arguments(operands[0], &arguments.keywords, range));
        }
        self.value(Op::ObjCallEx, Imm::None, call, range)
    }

    /// The dict of named arguments: those between two mappings are put together first.
    fn named_arguments(&mut self, callee: Value, keywords: &'a [Keyword], range: TextRange) -> Value {
        let mut dict: Option<Value> = None;
        for part in keywords.chunk_by(|a, b| a.arg.is_some() && b.arg.is_some()) {
            let (fresh, mapping) = match part {
                [Keyword { arg: None, value, .. }] => {
                    let dict = match dict {
                        Some(dict) => dict,
                        None => self.value(Op::ObjDict, Imm::None, vec![], range),
                    };
                    (dict, Some(self.expr(value)))
                }
                part => {
                    let mut pairs = Vec::with_capacity(2 * part.len());
                    for keyword in part {
                        let value = self.expr(&keyword.value);
                        if let Some(name) = &keyword.arg {
                            let name = Const::Str(name.to_string());
                            pairs.extend([self.constant(name, range), value]);
                        }
                    }
                    let named = self.value(Op::ObjDict, Imm::None, pairs, range);
                    match dict {
                        Some(dict) => (dict, Some(named)),
                        None => (named, None),
                    }
                }
            };
            if let Some(mapping) = mapping {
                self.effect(Op::ObjDictMerge, vec![fresh, mapping, callee], range);
            }
            dict = Some(fresh);
        }
        dict.unwrap_or_else(|| self.nothing())
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
