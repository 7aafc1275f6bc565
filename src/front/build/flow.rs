//! Control flow and the values of variables.
//!
//! The builder always stands at one point: a block and an [`Env`], the value of every variable there. A jump
//! hands a copy of the environment to its [`Label`]; entering a label merges what arrived: a variable with one
//! value keeps it, one with several becomes a block parameter. A loop header is entered before its back edge
//! exists, so every variable that the loop assigns becomes a parameter there.
//!
//! A variable that may be unbound has a second value, the truth of "is bound" ([`Bound::Maybe`]).

use ruff_text_size::TextRange;

use crate::front::finish::Constants;
use crate::front::scope::Variable;
use crate::ir::Block;
use crate::ir::ConstId;
use crate::ir::FRAME;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::InstData;
use crate::ir::Op;
use crate::ir::Show;
use crate::ir::Shown;
use crate::ir::ShownVariable;
use crate::ir::Slot;
use crate::ir::Target;
use crate::ir::Type;
use crate::ir::Value;

use super::Builder;

/// How many variables a function's tracebacks show at most, counted anew wherever one of them changes.
/// Beyond that they show none: the states would grow with the square of the function.
const MAX_SHOWN: usize = 50_000;

/// Whether a variable is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Yes,
    No,
    /// This value says so.
    Maybe(Value),
}

/// The values of all variables at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Env {
    pub(super) values: Vec<Value>,
    pub(super) bound: Vec<Bound>,
}

impl Env {
    /// The variables that are bound, or may be: so many, and behind them the activation's frame.
    fn bound_variables(&self, count: usize) -> impl Iterator<Item = ShownVariable> + '_ {
        let all = self.values.iter().zip(&self.bound).take(count + 1).enumerate();
        all.filter_map(move |(number, (&value, &bound))| {
            let bound = match bound {
                Bound::Yes => None,
                Bound::No => return None,
                Bound::Maybe(flag) => Some(flag),
            };
            let number = if number == count { Ok(FRAME) } else { u32::try_from(number) };
            let number = number.expect("texts are shorter than 4 GiB");
            Some(ShownVariable { number, slot: Slot::Value(value), bound })
        })
    }
}

/// A block that several jumps may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A jump that arrives at a label: its instruction, which of its targets, and what it brings.
struct Arrival {
    inst: Inst,
    target: usize,
    env: Env,
    value: Option<Value>,
}

struct LabelData {
    block: Block,
    arrivals: Vec<Arrival>,
}

/// A loop header: the variables that are its parameters, so that the back edge can pass their values.
pub(super) struct Header {
    block: Block,
    variables: Vec<(Variable, Carried)>,
}

/// What of a variable a loop header takes as parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Value,
    ValueAndBound,
}

/// Where the builder stands.
pub(super) struct Flow {
    /// The current block.
    pub(super) block: Block,
    /// The variables there.
    pub(super) env: Env,
    /// How many variables' values were copied so far.
    pub(super) copies: usize,
    labels: Vec<LabelData>,
    constants: Constants,
    /// The variables that the last raising instruction showed, with the state that says so.
    shown: Option<(Env, Show)>,
    /// How many variables all states show together.
    shown_variables: usize,
}

impl Flow {
    /// The beginning of a function: an entry block that defines the values which stand for an unbound
    /// variable.
    pub(super) fn new(function: &mut Function, unbound: ConstId) -> Flow {
        let block = function.add_block();
        let mut define = |op, imm, ty| {
            let range = TextRange::default();
            let data = InstData {
                op,
                imm,
                args: vec![],
                results: vec![],
                targets: vec![],
                range,
                exit: None,
                site: None,
            };
            let inst = function.add_inst(data, &[ty]);
            function.block_mut(block).insts.push(inst);
            function.inst(inst).results[0]
        };
        let constants = Constants {
            unbound: define(Op::ObjConst, Imm::Const(unbound), Type::Obj),
            yes: define(Op::BoolConst, Imm::Bool(true), Type::Bool),
            no: define(Op::BoolConst, Imm::Bool(false), Type::Bool),
        };
        let (env, labels) = (Env::default(), Vec::new());
        Flow { block, env, copies: 0, labels, constants, shown: None, shown_variables: 0 }
    }

    /// The values that stand for an unbound variable.
    pub(super) fn constants(&self) -> Constants {
        self.constants
    }

    fn copy_env(&mut self) -> Env {
        self.copies += self.env.values.len();
        self.env.clone()
    }

    fn flag(&self, bound: Bound) -> Value {
        match bound {
            Bound::Yes => self.constants.yes,
            Bound::No => self.constants.no,
            Bound::Maybe(value) => value,
        }
    }
}

impl Builder<'_> {
    /// Binds the parameters; every other variable is unbound at first.
    pub(super) fn begin(&mut self, range: TextRange, parameters: usize) {
        for number in 0..self.scope.variables.len() {
            let is_free = self.scope.is_free(number);
            let (value, bound) = if number < parameters || is_free {
                (self.function.add_param(self.flow.block, Type::Obj), Bound::Yes)
            } else {
                (self.flow.constants.unbound, Bound::No)
            };
            self.flow.env.values.push(value);
            self.flow.env.bound.push(bound);
        }
        // No frame yet.
        self.flow.env.values.push(self.flow.constants.unbound);
        self.flow.env.bound.push(Bound::Yes);
        let cells: Vec<usize> = {
            let mut cells: Vec<usize> = self.scope.cells.values().map(|variable| variable.0).collect();
            cells.sort_unstable();
            cells
        };
        for number in cells {
            let cell = if number < parameters {
                let value = self.flow.env.values[number];
                self.value(Op::ObjNewCell, Imm::None, vec![value], range)
            } else {
                self.value(Op::ObjEmptyCell, Imm::None, vec![], range)
            };
            self.flow.env.values[number] = cell;
            self.flow.env.bound[number] = Bound::Yes;
        }
        self.effect(Op::Poll, Vec::new(), range);
    }

    /// Notes which variables the instruction, which may raise, shows: those of where the builder stands.
    pub(super) fn note_shown(&mut self, inst: Inst) {
        let (flow, count) = (&mut self.flow, self.scope.variables.len());
        let known = flow.shown.as_ref().filter(|(env, _)| *env == flow.env).map(|&(_, show)| show);
        let show = match known {
            Some(show) => show,
            None if flow.shown_variables > MAX_SHOWN => return,
            None => {
                let frame: Vec<ShownVariable> = flow.env.bound_variables(count).collect();
                flow.shown_variables += frame.len();
                let show = self.function.add_show(Shown { frames: vec![frame] });
                flow.shown = Some((flow.copy_env(), show));
                show
            }
        };
        self.function.shown.insert(inst, show);
    }

    /// Notes that the instruction, which catches what it raises, shows the activation's frame alone.
    pub(super) fn note_frame(&mut self, inst: Inst) {
        let slot = Slot::Value(self.frame());
        if slot == Slot::Value(self.flow.constants.unbound) {
            return;
        }
        let frame = vec![ShownVariable { number: FRAME, slot, bound: None }];
        let show = self.function.add_show(Shown { frames: vec![frame] });
        self.function.shown.insert(inst, show);
    }

    /// The frame of the activation's traceback entries, or None.
    pub(super) fn frame(&self) -> Value {
        self.flow.env.values[self.scope.variables.len()]
    }

    pub(super) fn set_frame(&mut self, frame: Value) {
        let place = self.scope.variables.len();
        self.flow.env.values[place] = frame;
    }

    pub(super) fn label(&mut self) -> Label {
        let block = self.function.add_detached_block();
        self.flow.labels.push(LabelData { block, arrivals: Vec::new() });
        Label(self.flow.labels.len() - 1)
    }

    /// A label off the expected path.
    pub(super) fn cold_label(&mut self) -> Label {
        let label = self.label();
        let block = self.flow.labels[label.0].block;
        self.function.block_mut(block).cold = true;
        label
    }

    /// Ends the current block: goes to the label.
    pub(super) fn jump(&mut self, label: Label, range: TextRange) {
        self.terminate(Op::Jump, vec![], &[(label, None)], range);
    }

    /// Ends the current block: goes to the label with the value of an expression.
    pub(super) fn jump_with(&mut self, label: Label, value: Value, range: TextRange) {
        self.terminate(Op::Jump, vec![], &[(label, Some(value))], range);
    }

    /// Ends the current block: goes to a label that expects so many values.
    pub(super) fn jump_with_all(&mut self, label: Label, values: &[Value], range: TextRange) {
        let env = &mut self.flow.env;
        let variables = env.values.len();
        env.values.extend(values);
        env.bound.resize(variables + values.len(), Bound::Yes);
        self.jump(label, range);
        self.drop_extra_values(variables);
    }

    fn drop_extra_values(&mut self, variables: usize) {
        self.flow.env.values.truncate(variables);
        self.flow.env.bound.truncate(variables);
    }

    /// Goes on at a label where every jump brings so many values: these values.
    pub(super) fn enter_with_all(&mut self, label: Label, count: usize) -> Vec<Value> {
        let nothing = self.flow.constants.unbound;
        self.flow.env.values.extend(std::iter::repeat_n(nothing, count));
        self.flow.env.bound.extend(std::iter::repeat_n(Bound::Yes, count));
        self.enter(label);
        let variables = self.flow.env.values.len() - count;
        let values = self.flow.env.values[variables..].to_vec();
        self.drop_extra_values(variables);
        values
    }

    /// Ends the current block: goes to one of the labels, each of which may expect a value.
    pub(super) fn branch_on(
        &mut self,
        condition: Value,
        yes: (Label, Option<Value>),
        no: (Label, Option<Value>),
        range: TextRange,
    ) {
        self.terminate(Op::Branch, vec![condition], &[yes, no], range);
    }

    /// Ends the current block with an op that goes nowhere, and goes on where nothing arrives.
    pub(super) fn leave(&mut self, op: Op, imm: Imm, args: Vec<Value>, range: TextRange) {
        self.emit(op, imm, args, &[], range);
        let unreachable = self.label();
        self.enter(unreachable);
    }

    fn terminate(&mut self, op: Op, args: Vec<Value>, labels: &[(Label, Option<Value>)], range: TextRange) {
        let inst = self.emit(op, Imm::None, args, &[], range);
        for (target, &(label, value)) in labels.iter().enumerate() {
            let env = self.flow.copy_env();
            let data = &mut self.flow.labels[label.0];
            data.arrivals.push(Arrival { inst, target, env, value });
            self.function.inst_mut(inst).targets.push(Target { block: data.block, args: Vec::new() });
        }
    }

    /// Goes on at a label; no jump may go there any more.
    pub(super) fn enter(&mut self, label: Label) {
        let arrivals = self.arrive(label);
        self.merge_variables(&arrivals);
    }

    /// Goes on at a label where every jump brings the value of an expression: this value.
    pub(super) fn enter_with_value(&mut self, label: Label) -> Value {
        let arrivals = self.arrive(label);
        let values: Vec<Value> = arrivals.iter().filter_map(|arrival| arrival.value).collect();
        let merged = self.merge_values(&arrivals, &values, Type::Obj);
        self.merge_variables(&arrivals);
        merged.unwrap_or(self.flow.constants.unbound)
    }

    fn arrive(&mut self, label: Label) -> Vec<Arrival> {
        let data = &mut self.flow.labels[label.0];
        self.flow.block = data.block;
        self.function.layout.push(data.block);
        std::mem::take(&mut data.arrivals)
    }

    /// One value for what each arrival brings; none when there is no arrival.
    fn merge_values(&mut self, arrivals: &[Arrival], values: &[Value], ty: Type) -> Option<Value> {
        let first = *values.first()?;
        if values.iter().all(|&value| value == first) {
            return Some(first);
        }
        for (arrival, &value) in arrivals.iter().zip(values) {
            self.function.inst_mut(arrival.inst).targets[arrival.target].args.push(value);
        }
        Some(self.function.add_param(self.flow.block, ty))
    }

    fn merge_variables(&mut self, arrivals: &[Arrival]) {
        // A label that nothing reaches keeps the environment: its code is only built for its diagnostics.
        let Some(first) = arrivals.first() else { return };
        self.flow.copies += arrivals.len() * first.env.values.len();
        let mut merged = first.env.clone();
        for number in 0..merged.values.len() {
            if arrivals.iter().any(|arrival| arrival.env.values[number] != merged.values[number]) {
                let values: Vec<Value> = arrivals.iter().map(|arrival| arrival.env.values[number]).collect();
                merged.values[number] =
                    self.merge_values(arrivals, &values, Type::Obj).expect("there are arrivals");
            }
            if arrivals.iter().any(|arrival| arrival.env.bound[number] != merged.bound[number]) {
                let flags: Vec<Value> =
                    arrivals.iter().map(|arrival| self.flow.flag(arrival.env.bound[number])).collect();
                let flag = self.merge_values(arrivals, &flags, Type::Bool).expect("there are arrivals");
                merged.bound[number] = Bound::Maybe(flag);
            }
        }
        self.flow.env = merged;
    }

    /// Goes on at the header of a loop that may assign these variables.
    pub(super) fn enter_header(&mut self, assigned: &[Variable], range: TextRange) -> Header {
        let block = self.function.add_block();
        let inst = self.emit(Op::Jump, Imm::None, vec![], &[], range);
        let mut args = Vec::new();
        let mut variables = Vec::new();
        let frame = Variable(self.scope.variables.len());
        for &variable in assigned.iter().chain([&frame]) {
            args.push(self.flow.env.values[variable.0]);
            self.flow.env.values[variable.0] = self.function.add_param(block, Type::Obj);
            let bound = self.flow.env.bound[variable.0];
            let stays_bound = bound == Bound::Yes && !self.scope.deleted.contains(&variable);
            if stays_bound {
                variables.push((variable, Carried::Value));
            } else {
                args.push(self.flow.flag(bound));
                self.flow.env.bound[variable.0] = Bound::Maybe(self.function.add_param(block, Type::Bool));
                variables.push((variable, Carried::ValueAndBound));
            }
        }
        self.function.inst_mut(inst).targets.push(Target { block, args });
        self.flow.block = block;
        Header { block, variables }
    }

    /// Ends the current block: goes back to the loop's header.
    pub(super) fn jump_back(&mut self, header: &Header, range: TextRange) {
        let mut args = Vec::new();
        for &(variable, carried) in &header.variables {
            args.push(self.flow.env.values[variable.0]);
            if carried == Carried::ValueAndBound {
                args.push(self.flow.flag(self.flow.env.bound[variable.0]));
            }
        }
        let inst = self.emit(Op::Jump, Imm::None, vec![], &[], range);
        self.function.inst_mut(inst).targets.push(Target { block: header.block, args });
    }
}
