//! Functions, lambdas and classes made inside the function, and variables that they share.
//!
//! Their code is CPython's own, taken from the constants of the function's code object ([`NestedCode`]).

use ruff_python_ast::Decorator;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprLambda;
use ruff_python_ast::Parameters;
use ruff_python_ast::StmtClassDef;
use ruff_python_ast::StmtFunctionDef;
use ruff_python_ast::StmtTypeAlias;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use ruff_text_size::TextSize;

use crate::front::closures;
use crate::front::closures::NameSet;
use crate::front::scope::Meaning;
use crate::front::scope::Variable;
use crate::front::unparse;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::NestedCode;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;
use crate::types::Type;

use super::Builder;
use super::syntax_error;

/// What a nested code object is found by.
pub(super) struct Nested<'n> {
    /// Its `co_name`.
    pub(super) name: &'n str,
    /// Where its first line begins.
    pub(super) start: TextSize,
    /// The node; what is built twice has one code object.
    pub(super) node: TextRange,
    /// The names that it wants of its surroundings.
    pub(super) needs: NameSet,
    /// What a call of it returns, as far as [`NestedCode::makes`] says it.
    pub(super) makes: Type,
}

impl<'a> Builder<'a> {
    /// `def` inside a function.
    pub(super) fn nested_function(&mut self, def: &'a StmtFunctionDef) {
        let decorators = self.decorators(&def.decorator_list);
        let (defaults, named) = self.defaults(&def.parameters, def.name.range);
        let start = def.decorator_list.first().map_or(def.start(), |decorator| decorator.expression.start());
        let function = if def.type_params.is_some() {
            let needs = closures::needs_of_generic_function(def, self.scope.private_class(), self.reading);
            let nested =
                Nested { name: &generic_name(&def.name), start, node: def.range, needs, makes: Type::Object };
            let parameters = &def.parameters;
            let mut plain = parameters.posonlyargs.iter().chain(&parameters.args);
            let has_default = [
                plain.any(|parameter| parameter.default.is_some()),
                parameters.kwonlyargs.iter().any(|parameter| parameter.default.is_some()),
            ];
            let arguments = [defaults, named].into_iter().zip(has_default);
            let arguments = arguments.filter_map(|(value, is_there)| is_there.then_some(value)).collect();
            self.made_by_generic(nested, arguments, def.name.range)
        } else {
            let annotations = self.annotations(def);
            let needs = closures::needs_of_function(def, self.scope.private_class(), self.reading);
            let nested = Nested { name: &def.name, start, node: def.range, needs, makes: Type::Object };
            self.make_function(nested, [defaults, named, annotations], def.name.range)
        };
        let decorated = self.decorated(function, decorators);
        self.assign_name(&def.name, decorated, def.name.range);
    }

    /// What the function returns that has the type parameters of a definition as its variables.
    fn made_by_generic(&mut self, nested: Nested<'_>, arguments: Vec<Value>, range: TextRange) -> Value {
        let none = self.constant(Const::None, range);
        let maker = self.make_function(nested, [none; 3], range);
        self.call_value([vec![maker], arguments].concat(), Const::None, range)
    }

    /// `type` inside a function.
    pub(super) fn type_alias(&mut self, node: &'a StmtTypeAlias) {
        let Expr::Name(target) = &*node.name else {
            return self.refuse(&*node.name, syntax_error("a type alias needs a name"));
        };
        let range = node.range;
        let needs = closures::needs_of_alias(node, self.scope.private_class(), self.reading);
        let alias = if node.type_params.is_some() {
            let nested = Nested {
                name: &generic_name(&target.id),
                start: node.start(),
                node: range,
                needs,
                makes: Type::Object,
            };
            self.made_by_generic(nested, vec![], range)
        } else {
            let name = self.constant(Const::Str(target.id.to_string()), range);
            let none = self.constant(Const::None, range);
            let nested =
                Nested { name: &target.id, start: node.start(), node: range, needs, makes: Type::Object };
            let compute = self.make_function(nested, [none; 3], range);
            self.value(Op::ObjTypeAlias, Imm::None, vec![name, none, compute], range)
        };
        self.assign_name(&target.id, alias, target.range);
    }

    /// `class` inside a function.
    pub(super) fn nested_class(&mut self, def: &'a StmtClassDef) {
        let decorators = self.decorators(&def.decorator_list);
        let class = self.made_class(def);
        let decorated = self.decorated(class, decorators);
        self.assign_name(&def.name, decorated, def.name.range);
    }

    fn made_class(&mut self, def: &'a StmtClassDef) -> Value {
        let range = def.name.range;
        let start = def.decorator_list.first().map_or(def.start(), |decorator| decorator.expression.start());
        if def.type_params.is_some() {
            let needs = closures::needs_of_generic_class(def, self.scope.private_class(), self.reading);
            let nested =
                Nested { name: &generic_name(&def.name), start, node: def.range, needs, makes: Type::Object };
            return self.made_by_generic(nested, vec![], range);
        }
        let build = self.value(Op::ObjBuildClass, Imm::None, vec![], range);
        let needs = closures::needs_of_class(def, self.reading);
        let nested = Nested { name: &def.name, start, node: def.range, needs, makes: Type::Object };
        let none = self.constant(Const::None, range);
        let body = self.make_function(nested, [none; 3], range);
        let name = self.constant(Const::Str(def.name.to_string()), range);
        let operands = vec![build, body, name];
        match &def.arguments {
            Some(arguments) => self.call_with(operands, arguments, range),
            None => self.call_value(operands, Const::None, range),
        }
    }

    pub(super) fn lambda(&mut self, node: &'a ExprLambda) -> Value {
        let none = self.constant(Const::None, node.range);
        let (defaults, named) = match &node.parameters {
            Some(parameters) => self.defaults(parameters, node.range),
            None => (none, none),
        };
        let class = self.scope.private_class();
        let needs = closures::needs_of_lambda(node.parameters.as_deref(), &node.body, class, self.reading);
        let nested =
            Nested { name: "<lambda>", start: node.start(), node: node.range, needs, makes: Type::Object };
        self.make_function(nested, [defaults, named, none], node.range)
    }

    fn decorators(&mut self, decorators: &'a [Decorator]) -> Vec<(Value, TextRange)> {
        decorators
            .iter()
            .map(|decorator| (self.expr(&decorator.expression), decorator.expression.range()))
            .collect()
    }

    fn decorated(&mut self, made: Value, decorators: Vec<(Value, TextRange)>) -> Value {
        decorators
            .into_iter()
            .rev()
            .fold(made, |made, (decorator, range)| self.call_value(vec![decorator, made], Const::None, range))
    }

    /// The tuple of defaults and the dict of those by name; None where there are none.
    fn defaults(&mut self, parameters: &'a Parameters, range: TextRange) -> (Value, Value) {
        let plain = parameters.posonlyargs.iter().chain(&parameters.args);
        let defaults: Vec<_> = plain.filter_map(|parameter| parameter.default.as_deref()).collect();
        let constants: Option<Vec<Const>> =
            defaults.iter().map(|default| self.constant_of(default)).collect();
        let positional = match constants {
            Some(constants) if constants.is_empty() => self.constant(Const::None, range),
            Some(constants) => self.constant(Const::Tuple(constants), range),
            None => {
                let values = defaults.into_iter().map(|default| self.expr(default)).collect();
                self.value(Op::ObjTuple, Imm::None, values, range)
            }
        };
        let mut pairs = Vec::new();
        for parameter in &parameters.kwonlyargs {
            if let Some(default) = &parameter.default {
                let name = self.scope.mangled(parameter.name()).into_owned();
                let value = self.expr(default);
                pairs.extend([self.constant(Const::Str(name), range), value]);
            }
        }
        let named = if pairs.is_empty() {
            self.constant(Const::None, range)
        } else {
            self.value(Op::ObjDict, Imm::None, pairs, range)
        };
        (positional, named)
    }

    /// The dict of annotations, or None.
    fn annotations(&mut self, def: &'a StmtFunctionDef) -> Value {
        let range = def.name.range;
        let parameters = &def.parameters;
        let single =
            parameters.args.iter().chain(&parameters.posonlyargs).map(|parameter| &parameter.parameter);
        let named = parameters.kwonlyargs.iter().map(|parameter| &parameter.parameter);
        let all = single.chain(parameters.vararg.as_deref()).chain(named).chain(parameters.kwarg.as_deref());
        let annotated =
            all.filter_map(|parameter| Some((parameter.name.as_str(), parameter.annotation.as_deref()?)));
        let mut pairs = Vec::new();
        for (name, annotation) in annotated.chain(def.returns.iter().map(|returns| ("return", &**returns))) {
            let value = if !self.reading.annotations_are_text {
                self.expr(annotation)
            } else if let Some(text) = unparse::annotation_text(annotation) {
                self.constant(Const::Str(text), range)
            } else {
                let what = "such an annotation as text inside a function";
                self.refuse(annotation, Reason::UnsupportedStatement(what));
                continue;
            };
            let name = self.scope.mangled(name).into_owned();
            pairs.extend([self.constant(Const::Str(name), range), value]);
        }
        if pairs.is_empty() {
            return self.constant(Const::None, range);
        }
        self.value(Op::ObjDict, Imm::None, pairs, range)
    }

    /// A function of nested code, with defaults, defaults by name and annotations.
    pub(super) fn make_function(&mut self, nested: Nested<'_>, parts: [Value; 3], range: TextRange) -> Value {
        let mut free = Vec::new();
        for name in nested.needs {
            match self.meaning_of_mangled(&name) {
                Meaning::Cell(variable) | Meaning::Free(variable) => free.push((name, variable)),
                Meaning::Local(_) => self.refuse(range, Reason::Closure(name)),
                Meaning::Global => {}
            }
        }
        free.sort_unstable();
        let cells: Vec<Value> =
            free.iter().map(|&(_, Variable(number))| self.flow.env.values[number]).collect();
        let closure = if cells.is_empty() {
            self.constant(Const::None, range)
        } else {
            self.value(Op::ObjTuple, Imm::None, cells, range)
        };
        let number = match self.nested_numbers.get(&nested.node) {
            Some(&number) => number,
            None => {
                let line = self.module.file().line(nested.start);
                let is_same = |other: &&NestedCode| other.name == nested.name && other.line == line;
                let ordinal = self.nested.iter().filter(is_same).count();
                self.nested.push(NestedCode {
                    name: nested.name.to_owned(),
                    line,
                    ordinal,
                    count: 0,
                    free: free.into_iter().map(|(name, _)| name).collect(),
                    makes: nested.makes.clone(),
                });
                self.nested_numbers.insert(nested.node, self.nested.len() - 1);
                self.nested.len() - 1
            }
        };
        let number = u32::try_from(number).expect("texts are shorter than 4 GiB");
        let [defaults, named, annotations] = parts;
        let operands = vec![defaults, named, annotations, closure];
        self.value(Op::ObjMakeFunction, Imm::Count(number), operands, range)
    }

    /// What a cell holds.
    pub(super) fn load_cell(&mut self, variable: Variable, op: Op, range: TextRange) -> Value {
        let name = self.scope.variables[variable.0].clone();
        let name = Imm::Const(self.constant_id(Const::Str(name)));
        let cell = self.flow.env.values[variable.0];
        self.value(op, name, vec![cell], range)
    }

    pub(super) fn store_cell(&mut self, variable: Variable, value: Value, range: TextRange) {
        let cell = self.flow.env.values[variable.0];
        self.effect(Op::ObjStoreCell, vec![cell, value], range);
    }

    pub(super) fn clear_cell(&mut self, variable: Variable, range: TextRange) {
        let cell = self.flow.env.values[variable.0];
        self.effect(Op::ObjClearCell, vec![cell], range);
    }
}

/// The name of the code that has the type parameters of a definition as its variables.
fn generic_name(name: &str) -> String {
    format!("<generic parameters of {name}>")
}
