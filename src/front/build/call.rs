//! Calls, and the calls that need the frame they are made from.

use ruff_python_ast::Arguments;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprAttribute;
use ruff_python_ast::ExprCall;
use ruff_python_ast::Identifier;
use ruff_python_ast::Keyword;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashSet;

use crate::front::closures::CLASS_CELL;
use crate::front::scope::Meaning;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;
use super::flow::Bound;
use super::syntax_error;

impl<'a> Builder<'a> {
    /// The value of a call: callable first, then arguments by position, then by name, as they stand.
    pub(super) fn call(&mut self, node: &'a ExprCall) -> Value {
        if let Some(value) = self.plain_super(node) {
            return value;
        }
        let range = self.call_range(node);
        if let (Expr::Attribute(method), false) = (&*node.func, has_stars(&node.arguments)) {
            let operands = self.method(method);
            return self.call_written(Op::ObjCallMethod, operands, &node.arguments, range);
        }
        let callee = self.callee(node);
        self.call_with(vec![callee], &node.arguments, range)
    }

    /// Calls the first operand with the others in front of the arguments that are written.
    pub(super) fn call_with(
        &mut self,
        operands: Vec<Value>,
        arguments: &'a Arguments,
        range: TextRange,
    ) -> Value {
        if has_stars(arguments) {
            self.refuse_twice(arguments);
            return self.call_with_stars(&operands, arguments, range);
        }
        self.call_written(Op::ObjCall, operands, arguments, range)
    }

    fn refuse_twice(&mut self, arguments: &'a Arguments) {
        let names: Vec<&Identifier> =
            arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref()).collect();
        let mut known = FxHashSet::default();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            self.refuse(twice.range, syntax_error("a keyword argument stands twice"));
        }
    }

    /// A call with arguments that are all written out.
    fn call_written(
        &mut self,
        op: Op,
        mut operands: Vec<Value>,
        arguments: &'a Arguments,
        range: TextRange,
    ) -> Value {
        self.refuse_twice(arguments);
        let names: Vec<Const> = arguments
            .keywords
            .iter()
            .filter_map(|keyword| keyword.arg.as_ref())
            .map(|name| Const::Str(name.to_string()))
            .collect();
        match &*arguments.args {
            [only @ Expr::Generator(generator)] if !generator.parenthesized => {
                operands.push(self.comprehension(only, Some(arguments.range.start())));
            }
            args => operands.extend(self.exprs(args)),
        }
        operands
            .extend(arguments.keywords.iter().map(|keyword| &keyword.value).map(|value| self.expr(value)));
        let names = if names.is_empty() { Const::None } else { Const::Tuple(names) };
        self.call_by(op, operands, names, range)
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
        self.call_by(Op::ObjCall, operands, names, range)
    }

    fn call_by(&mut self, op: Op, operands: Vec<Value>, names: Const, range: TextRange) -> Value {
        self.may_recurse = true;
        let id = self.constant_id(names);
        self.value(op, Imm::Const(id), operands, range)
    }

    /// An attribute that is called: a function and its first argument, or the attribute and None.
    fn method(&mut self, node: &'a ExprAttribute) -> Vec<Value> {
        let object = self.expr(&node.value);
        self.note_attribute(node);
        let name = self.attribute_name(node);
        let range = self.attribute_range(node.range, node);
        let inst = self.emit(Op::ObjMethod, name, vec![object], Op::ObjMethod.row().results, range);
        self.function.inst(inst).results[..Op::ObjMethod.row().results.len()].to_vec()
    }

    /// `super()` in a method: the class comes from its cell, the object from the first parameter.
    fn plain_super(&mut self, node: &'a ExprCall) -> Option<Value> {
        let Expr::Name(name) = &*node.func else { return None };
        let is_plain = name.id == "super" && node.arguments.is_empty() && self.takes_self;
        if !is_plain || self.meaning("super").1 != Meaning::Global {
            return None;
        }
        let Meaning::Free(class) = self.meaning_of_mangled(CLASS_CELL) else { return None };
        let callee = self.global("super".to_owned(), name.range);
        let class = self.flow.env.values[class.0];
        let first = match self.scope.first_parameter() {
            Meaning::Cell(variable) => self.load_cell(variable, Op::ObjLoadCell, node.range()),
            _ if self.flow.env.bound[0] == Bound::Yes => self.flow.env.values[0],
            _ => return None,
        };
        self.may_recurse = true;
        Some(self.value(Op::ObjSuper, Imm::None, vec![callee, class, first], node.range()))
    }

    fn callee(&mut self, node: &'a ExprCall) -> Value {
        if let Expr::Name(name) = &*node.func {
            // With an operand or namespaces of their own, these don't look at the frame.
            let enough = match name.id.as_str() {
                "dir" | "vars" | "super" => 1,
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

/// Whether arguments are the items of something.
fn has_stars(arguments: &Arguments) -> bool {
    arguments.args.iter().any(|arg| matches!(arg, Expr::Starred(_)))
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
}
