//! From a function's syntax tree to its generic version.
//!
//! In: a function, what the driver knows of the running interpreter, and the unit that owns constants.
//! Out: [`Built`], or every reason why the function stays bytecode. The generic version follows the rules
//! of docs/architecture.md: all objects, nothing assumed, evaluation in CPython's order, each instruction
//! with the text that CPython names in a traceback.
//!
//! The builder walks the tree once. [`flow`] keeps the values of variables; [`super::finish`] cleans up.

mod assign;
mod call;
mod comprehension;
mod cond;
mod constant;
mod display;
mod expr;
mod flow;
mod fstring;
mod import;
mod loops;
mod matching;
mod nested;
mod star;
mod stmt;
mod tries;

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::ir::Const;
use crate::ir::ConstId;
use crate::ir::Effects;
use crate::ir::FuncId;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::InstData;
use crate::ir::NestedCode;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::Unit;
use crate::ir::Value;
use crate::source::Diagnostic;
use crate::source::Reason;

use super::ParsedModule;
use super::closures::Reading;
use super::dialect::Comprehensions;
use super::dialect::Dialect;
use super::finish::finish;
use super::functions::FunctionInfo;
use super::functions::path_to;
use super::nesting::with_stack;
use super::scope::Meaning;
use super::scope::Scope;
use super::scope::Variable;

pub use super::scope::Assertions;

/// More instructions than this are not worth compiling, and no pass has to cope with them.
const MAX_INSTRUCTIONS: usize = 200_000;

/// Copies of variables' values that may be made; bounds the time for many variables times many branches.
const MAX_COPIES: usize = 100_000_000;

/// Deeper nesting than CPython's own compiler takes by default is not worth trying.
const MAX_DEPTH: usize = 2_000;

/// What the driver decides about a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// Whether the result is checked.
    pub promise: Promise,
    /// The running interpreter's `-O`.
    pub assertions: Assertions,
    /// The running interpreter's version.
    pub dialect: Dialect,
}

/// Whether somebody enforces the function's annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// They hold: every result passes `object.check_result`.
    Enforced,
    /// Nobody promises anything.
    None,
}

/// A function's generic version and what it depends on.
#[derive(Clone, Debug)]
pub struct Built {
    /// The generic version.
    pub function: Function,
    /// The global names that it reads and their attributes that it reads (`math`, `math.sqrt`), in the order of
    /// their first use.
    pub names: Vec<String>,
    /// Its variables in the order of frames, if any of them is a cell or a comprehension's; else nothing.
    pub variables: Vec<String>,
    /// The code objects inside its own.
    pub nested: Vec<NestedCode>,
    /// The names of the cells of functions around it, which are parameters of the generic version behind its own.
    pub free: Vec<String>,
}

/// Builds the generic version of a function of the module.
///
/// # Errors
/// Everything in the function that can't be compiled, in the order of the text.
pub fn build(
    module: &ParsedModule,
    info: &FunctionInfo,
    id: FuncId,
    options: BuildOptions,
    unit: &mut Unit,
) -> Result<Built, Vec<Diagnostic>> {
    let path = path_to(module, info.range);
    let Some(Stmt::FunctionDef(def)) = path.last().copied() else {
        let reason = Reason::SyntaxError("the function is not in this text".to_owned());
        return Err(vec![Diagnostic { reason, range: info.range }]);
    };
    let reading = Reading {
        annotations_are_text: module.annotations_are_text(),
        inlines: options.dialect.comprehensions == Comprehensions::Inlined,
    };
    let scope = Scope::of(info, &path, options.assertions, reading);
    let mut builder = Builder::new(module, info, id, options, scope, unit);
    builder.reading = reading;
    builder.refuse_signature(info);
    builder.begin(TextRange::empty(def.start()), info.parameters.len());
    builder.body(&def.body);
    builder.finish()
}

/// The state of a build.
struct Builder<'a> {
    module: &'a ParsedModule,
    options: BuildOptions,
    scope: Scope,
    unit: &'a mut Unit,
    /// The unit's constants, the other way round.
    constants: FxHashMap<Const, ConstId>,
    function: Function,
    flow: flow::Flow,
    around: Vec<tries::Around<'a>>,
    reading: Reading,
    /// Whether the first parameter takes an argument by its position.
    takes_self: bool,
    /// The code objects inside the function's own, and their numbers by their nodes.
    nested: Vec<NestedCode>,
    nested_numbers: FxHashMap<TextRange, usize>,
    /// What the comprehensions around the current point bind, the innermost last.
    comprehensions: Vec<Vec<(String, Variable, bool)>>,
    names: Vec<String>,
    known_names: FxHashSet<String>,
    diagnostics: Vec<Diagnostic>,
    depth: usize,
    /// Whether there is a call, so that the function polls where it begins.
    may_recurse: bool,
    /// Set when a budget is exhausted: the rest is not built.
    stopped: bool,
}

impl<'a> Builder<'a> {
    fn new(
        module: &'a ParsedModule,
        info: &FunctionInfo,
        id: FuncId,
        options: BuildOptions,
        scope: Scope,
        unit: &'a mut Unit,
    ) -> Builder<'a> {
        let mut function = Function::new(id, &info.qualname, Type::Obj);
        let unbound = unit.constant(Const::Unbound);
        let known = unit.consts.iter().enumerate();
        let constants = known.map(|(number, constant)| (constant.clone(), ConstId::new(number))).collect();
        let flow = flow::Flow::new(&mut function, unbound);
        Builder {
            module,
            options,
            scope,
            unit,
            constants,
            function,
            flow,
            around: Vec::new(),
            takes_self: info.parameters.len() > info.keyword_only(),
            reading: Reading { annotations_are_text: false, inlines: false },
            nested: Vec::new(),
            nested_numbers: FxHashMap::default(),
            comprehensions: Vec::new(),
            names: Vec::new(),
            known_names: FxHashSet::default(),
            diagnostics: Vec::new(),
            depth: 0,
            may_recurse: false,
            stopped: false,
        }
    }

    fn refuse_signature(&mut self, info: &FunctionInfo) {
        if info.is_async {
            self.refuse(info.name_range, Reason::Await);
        }
        let mut known = FxHashSet::default();
        for parameter in &info.parameters {
            if !known.insert(&parameter.name) {
                self.refuse(info.name_range, syntax_error("a parameter's name stands twice"));
            }
        }
    }

    fn finish(mut self) -> Result<Built, Vec<Diagnostic>> {
        if !self.diagnostics.is_empty() {
            self.diagnostics.sort_by_key(|diagnostic| (diagnostic.range.start(), diagnostic.range.end()));
            self.diagnostics.dedup();
            return Err(self.diagnostics);
        }
        if !self.may_recurse {
            let entry = self.function.entry();
            let insts = std::mem::take(&mut self.function.block_mut(entry).insts);
            let kept = insts.into_iter().filter(|&inst| self.function.inst(inst).op != Op::Poll).collect();
            self.function.block_mut(entry).insts = kept;
        }
        let function = finish(&self.function, self.flow.constants());
        let groups: Vec<usize> = self
            .nested
            .iter()
            .map(|code| {
                self.nested
                    .iter()
                    .filter(|other| (&other.name, other.line) == (&code.name, code.line))
                    .count()
            })
            .collect();
        for (code, count) in self.nested.iter_mut().zip(groups) {
            code.count = count;
        }
        let variables = self.scope.doubtful_variables();
        let free = self.scope.free;
        Ok(Built { function, names: self.names, variables, nested: self.nested, free })
    }

    /// Notes that something can't be compiled; building goes on, to find whatever else can't.
    fn refuse(&mut self, node: impl Ranged, reason: Reason) {
        self.diagnostics.push(Diagnostic { range: node.range(), reason });
    }

    /// Runs one level of the recursion over the tree, unless it is one too many or the budget is gone.
    fn level<R>(&mut self, range: TextRange, build: impl FnOnce(&mut Builder<'a>) -> R) -> Option<R> {
        if self.stopped {
            return None;
        }
        if self.depth == MAX_DEPTH {
            self.stopped = true;
            self.refuse(range, Reason::TooDeep(MAX_DEPTH));
            return None;
        }
        self.depth += 1;
        let result = with_stack(|| build(self));
        self.depth -= 1;
        Some(result)
    }

    /// Emits an op; where it may raise inside a `try`, the way to the handler begins behind it.
    fn emit(&mut self, op: Op, imm: Imm, args: Vec<Value>, results: &[Type], range: TextRange) -> Inst {
        if self.function.insts.len() >= MAX_INSTRUCTIONS || self.flow.copies > MAX_COPIES {
            self.stop_at_budget(range);
        }
        let data = InstData {
            op,
            imm,
            args,
            results: Vec::new(),
            targets: Vec::new(),
            range,
            exit: None,
            site: None,
        };
        let handler = self.handler().filter(|_| op.effects().has(Effects::RAISES) && !op.is_terminator());
        let Some(handler) = handler else {
            let inst = self.function.add_inst(data, results);
            self.function.block_mut(self.flow.block).insts.push(inst);
            if op.effects().has(Effects::RAISES) {
                self.note_shown(inst);
            }
            return inst;
        };
        let results = [results, &[Type::Bool]].concat();
        let inst = self.function.add_inst(data, &results);
        self.function.block_mut(self.flow.block).insts.push(inst);
        self.note_frame(inst);
        let succeeded = self.function.inst(inst).results[results.len() - 1];
        let next = self.label();
        self.branch_on(succeeded, (next, None), (handler, None), range);
        self.enter(next);
        inst
    }

    fn stop_at_budget(&mut self, range: TextRange) {
        if !self.stopped {
            self.stopped = true;
            self.refuse(range, Reason::TooLarge(MAX_INSTRUCTIONS));
        }
    }

    /// Emits an op whose row has exactly one result.
    fn value(&mut self, op: Op, imm: Imm, args: Vec<Value>, range: TextRange) -> Value {
        let inst = self.emit(op, imm, args, op.row().results, range);
        self.function.inst(inst).results[0]
    }

    /// Emits an op without results.
    fn effect(&mut self, op: Op, args: Vec<Value>, range: TextRange) {
        self.emit(op, Imm::None, args, &[], range);
    }

    fn constant_id(&mut self, constant: Const) -> ConstId {
        let consts = &mut self.unit.consts;
        *self.constants.entry(constant).or_insert_with_key(|constant| {
            consts.push(constant.clone());
            ConstId::new(consts.len() - 1)
        })
    }

    fn constant(&mut self, constant: Const, range: TextRange) -> Value {
        let id = self.constant_id(constant);
        self.value(Op::ObjConst, Imm::Const(id), Vec::new(), range)
    }

    /// What stands for the value of an expression that can't be compiled.
    fn nothing(&mut self) -> Value {
        self.flow.constants().unbound
    }

    fn meaning(&self, name: &str) -> (String, Meaning) {
        let name = self.scope.mangled(name).into_owned();
        let meaning = self.meaning_of_mangled(&name);
        (name, meaning)
    }

    fn meaning_of_mangled(&self, name: &str) -> Meaning {
        for targets in self.comprehensions.iter().rev() {
            if let Some(&(_, variable, is_cell)) = targets.iter().find(|(target, ..)| target == name) {
                return if is_cell { Meaning::Cell(variable) } else { Meaning::Local(variable) };
            }
        }
        self.scope.meaning(name)
    }

    /// Notes that the function reads this global name or attribute of one.
    fn note_name(&mut self, path: String) {
        if self.known_names.insert(path.clone()) {
            self.names.push(path);
        }
    }
}

fn syntax_error(message: &str) -> Reason {
    Reason::SyntaxError(message.to_owned())
}
