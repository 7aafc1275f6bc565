//! The part of the verifier that looks at one instruction at a time: rows, immediates, targets, exits.

use super::{Verifier, Version};
use crate::ir::entity::{ClassId, ConstId, Exit, FuncId, Inst, Site, Value};
use crate::ir::func::{ExitFrame, InstData, Point, Slot};
use crate::ir::imm::{Imm, rest_counts};
use crate::ir::ops::{Effects, Op, Operand, Type};
use crate::ir::unit::{Const, Signature};
use crate::types::Held;

impl Verifier<'_> {
    /// Checks every instruction against its row and against what the row can't say.
    pub(super) fn check_insts(&mut self) {
        let func = self.func;
        for &block in &func.layout {
            let data = func.block(block);
            for &param in &data.params {
                self.check_generic_value(param);
            }
            for &inst in &data.insts {
                let data = func.inst(inst);
                self.check_operands(inst, data);
                self.check_results(inst, data);
                self.check_imm(inst, data);
                self.check_targets(inst, data);
                self.check_exit(inst, data);
                self.check_unwind(inst, data);
                self.check_shown(inst, data);
            }
        }
    }

    fn check_generic_value(&mut self, value: Value) {
        if self.version == Version::Generic && !matches!(self.type_of(value), Type::Obj | Type::Bool) {
            self.fault(value, "an unboxed value in a generic version");
        }
    }

    fn check_operands(&mut self, inst: Inst, data: &InstData) {
        let mut left = data.args.as_slice();
        for operand in data.op.row().operands {
            let wanted = match *operand {
                Operand::One(wanted) => Some(wanted),
                Operand::Any => None,
                Operand::Rest(wanted) => {
                    if left.iter().any(|&arg| self.type_of(arg) != wanted) {
                        self.fault(inst, format_args!("every operand must be {}", wanted.name()));
                    }
                    return;
                }
                Operand::AnyRest => return,
            };
            let Some((&first, rest)) = left.split_first() else {
                return self.fault(inst, "too few operands");
            };
            if wanted.is_some_and(|wanted| wanted != self.type_of(first)) {
                self.fault(inst, format_args!("{first} has the wrong type {}", self.type_of(first).name()));
            }
            left = rest;
        }
        if !left.is_empty() {
            self.fault(inst, "too many operands");
        }
    }

    fn check_results(&mut self, inst: Inst, data: &InstData) {
        let mut wanted: Vec<Type> = match (data.op, data.imm) {
            (Op::GuardTuple | Op::ObjUnpack, Imm::Count(count)) => vec![Type::Obj; count as usize],
            (Op::ObjUnpackRest, Imm::Count(counts)) => {
                let (before, after) = rest_counts(counts);
                vec![Type::Obj; before + 1 + after]
            }
            (Op::CallOneOf, Imm::Dispatch(class, method)) => {
                let classes = &self.unit.classes;
                let dispatch =
                    classes.get(class.index()).and_then(|class| class.dispatch.get(method as usize));
                let args: Vec<Type> = data.args.iter().skip(1).map(|&arg| self.type_of(arg)).collect();
                let takes = |callee: FuncId| {
                    let signature = &self.unit.function(callee).signature;
                    let params = signature.params.iter().map(Signature::machine);
                    params.eq(args.iter().copied()) && Signature::machine(&signature.result) == Type::Obj
                };
                if dispatch.is_some_and(|dispatch| !dispatch.targets.iter().all(|&(_, callee)| takes(callee)))
                {
                    self.fault(inst, "the operands are not what every function wants");
                }
                vec![Type::Obj]
            }
            (Op::CallGuessed | Op::CallGuessedNumber, Imm::Guess(row)) => {
                vec![self.check_guess(inst, data, row)]
            }
            (Op::CallDirect | Op::CallQuiet, Imm::Func(callee)) => {
                let Some(function) = self.unit.functions.get(callee.index()) else {
                    return self.fault(inst, format_args!("{callee} is not in the unit"));
                };
                let params: Vec<Type> = function.signature.params.iter().map(Signature::machine).collect();
                let args: Vec<Type> = data.args.iter().map(|&arg| self.type_of(arg)).collect();
                if params != args {
                    self.fault(inst, format_args!("the operands are not what {callee} wants"));
                }
                vec![Signature::machine(&function.signature.result)]
            }
            _ => data.op.row().results.to_vec(),
        };
        if data.catches() {
            self.check_caught(inst, data);
            wanted.push(Type::Bool);
        }
        let results: Vec<Type> = data.results.iter().map(|&result| self.type_of(result)).collect();
        if results != wanted {
            self.fault(inst, format_args!("the results are {results:?}, not {wanted:?}"));
        }
        for &result in &data.results {
            self.check_generic_value(result);
        }
    }

    fn check_caught(&mut self, inst: Inst, data: &InstData) {
        if !data.op.effects().has(Effects::RAISES) || data.op.is_terminator() {
            self.fault(inst, "catches what it can't raise");
        }
        if self.version != Version::Generic {
            self.fault(inst, "only a generic version catches exceptions");
        }
    }

    fn check_imm(&mut self, inst: Inst, data: &InstData) {
        let wanted = data.op.row().imm;
        if data.imm.kind() != wanted {
            return self.fault(inst, format_args!("the immediate is {:?}, not {wanted:?}", data.imm.kind()));
        }
        match data.imm {
            Imm::Const(id) => self.check_const(inst, data, id),
            Imm::Cell(id) if id.index() >= self.unit.cells.len() => {
                self.fault(inst, "the cell is not in the unit")
            }
            Imm::Sealed(id) if id.index() >= self.unit.classes.len() => {
                self.fault(inst, "the class is not in the unit");
            }
            Imm::Dispatch(id, method) => {
                let class = self.unit.classes.get(id.index());
                if class.is_none_or(|class| method as usize >= class.dispatch.len()) {
                    self.fault(inst, "the method is not in the unit");
                }
            }
            Imm::Sealed(id)
                if data.op == Op::SealedNew
                    && data.args.len() != self.unit.classes[id.index()].fields.len() + 1 =>
            {
                self.fault(inst, "a new object has its class and one operand for each field");
            }
            Imm::Sealed(id) if data.op == Op::SealedNew => self.check_new(inst, data, id),
            Imm::Field(id, field) => {
                let class = self.unit.classes.get(id.index());
                if class.is_none_or(|class| field as usize >= class.fields.len()) {
                    self.fault(inst, "the field is not in the unit");
                }
            }
            Imm::Math(function) if data.args.len() != function.arity() => {
                self.fault(inst, "wrong number of operands")
            }
            _ => {}
        }
        if matches!(data.op, Op::Raise | Op::ObjThrow) && !(1..=2).contains(&data.args.len()) {
            self.fault(inst, "one or two operands");
        }
        if data.op == Op::ObjDict && !data.args.len().is_multiple_of(2) {
            self.fault(inst, "a key without a value");
        }
    }

    /// Every function takes the object and the arguments as they are, and gives the same type: that is the result.
    fn check_guess(&mut self, inst: Inst, data: &InstData, row: u32) -> Type {
        let callees = self.unit.guesses.get(row as usize).map_or(&[][..], Vec::as_slice);
        let args: Vec<Type> = data.args.iter().skip(1).map(|&arg| self.type_of(arg)).collect();
        let given = |callee: &FuncId| {
            let Signature { params, result } = &self.unit.functions.get(callee.index())?.signature;
            let takes = params.iter().map(Signature::machine).eq(args.iter().copied());
            takes.then(|| Signature::machine(result))
        };
        let results: Vec<Option<Type>> = callees.iter().map(given).collect();
        let is_number = data.op == Op::CallGuessedNumber;
        match results.first().copied().flatten() {
            Some(result)
                if results.iter().all(|&other| other == Some(result))
                    && (result != Type::Obj) == is_number
                    && args.first() == Some(&Type::Obj) =>
            {
                result
            }
            _ => {
                self.fault(inst, "the operands are not what every function wants");
                data.results.first().map_or(Type::Obj, |&result| self.type_of(result))
            }
        }
    }

    /// The values of a new object's fields are objects, or unboxed where the field may hold them so.
    fn check_new(&mut self, inst: Inst, data: &InstData, id: ClassId) {
        for (number, &arg) in data.args[1..].iter().enumerate() {
            let wanted = match self.unit.classes[id.index()].unboxed(number) {
                Some(Held::Float) => Type::F64,
                Some(Held::Int) => Type::I64,
                _ => Type::Obj,
            };
            let found = self.type_of(arg);
            if found != Type::Obj && found != wanted {
                self.fault(inst, "a field takes an object, or a number that it holds unboxed");
            }
        }
    }

    fn check_const(&mut self, inst: Inst, data: &InstData, id: ConstId) {
        let Some(constant) = self.unit.consts.get(id.index()) else {
            return self.fault(inst, "the constant is not in the unit");
        };
        let is_right = match (data.op, constant) {
            (Op::ObjConst, _) => true,
            (Op::ObjGlobal | Op::ObjSetGlobal | Op::RaiseUnbound, Const::Str(_)) => true,
            (
                Op::ObjAttr | Op::ObjMethod | Op::ObjSetAttr | Op::ObjSetAttrFloat | Op::ObjDelAttr,
                Const::Str(_),
            ) => true,
            (Op::ObjLoadCell | Op::ObjLoadFree | Op::SealedAccepted, Const::Str(_)) => true,
            (Op::ObjImport | Op::ObjImportFrom | Op::ObjDelGlobal | Op::ObjThrowUnbound, Const::Str(_)) => {
                true
            }
            (Op::ObjCall, Const::None) => !data.args.is_empty(),
            (Op::ObjCall, Const::Tuple(names)) => {
                names.len() < data.args.len() && names.iter().all(|name| matches!(name, Const::Str(_)))
            }
            (Op::ObjCallMethod, Const::None) => data.args.len() > 1,
            (Op::ObjCallMethod, Const::Tuple(names)) => {
                names.len() + 1 < data.args.len() && names.iter().all(|name| matches!(name, Const::Str(_)))
            }
            _ => false,
        };
        if !is_right {
            self.fault(inst, "the wrong kind of constant");
        }
    }

    fn check_targets(&mut self, inst: Inst, data: &InstData) {
        let wanted = match data.op {
            Op::Jump => 1,
            Op::Branch => 2,
            _ => 0,
        };
        if data.targets.len() != wanted {
            self.fault(inst, format_args!("{} targets, not {wanted}", data.targets.len()));
        }
        for target in &data.targets {
            let params: Vec<Type> =
                self.func.block(target.block).params.iter().map(|&param| self.type_of(param)).collect();
            let args: Vec<Type> = target.args.iter().map(|&arg| self.type_of(arg)).collect();
            if params != args {
                self.fault(inst, format_args!("{} is passed {args:?}, but takes {params:?}", target.block));
            }
        }
        if data.op == Op::Return && data.args.iter().any(|&arg| self.type_of(arg) != self.func.result) {
            self.fault(inst, format_args!("the function's result is {}", self.func.result.name()));
        }
    }

    fn check_exit(&mut self, inst: Inst, data: &InstData) {
        if data.exit.is_some() != data.op.exits() {
            return self.fault(
                inst,
                if data.exit.is_some() { "an exit state without need" } else { "no exit state" },
            );
        }
        let Some(exit) = data.exit else { return };
        if self.version == Version::Generic {
            self.fault(inst, "a generic version never exits");
        }
        self.check_frames(inst, data, exit);
    }

    fn check_frames(&mut self, inst: Inst, data: &InstData, exit: Exit) {
        let state = self.func.exit(exit);
        let Some(innermost) = state.frames.first() else {
            return self.fault(inst, "an exit state without frames");
        };
        if matches!(innermost.point, Point::After(_)) != data.op.exits_with_result() {
            self.fault(inst, "only the exit of a direct call goes on after an instruction");
        }
        if state.frames[1..].iter().any(|frame| !matches!(frame.point, Point::After(_))) {
            self.fault(inst, "an outer frame goes on after its call");
        }
        let chain = self.site_functions(data.site);
        if !state.frames.iter().map(|frame| frame.func).eq(chain) {
            self.fault(inst, "the frames do not follow the instruction's site");
        }
        for frame in &state.frames {
            self.check_frame(inst, frame);
        }
    }

    /// The functions of a site, innermost first, down to this one.
    fn site_functions(&self, mut site: Option<Site>) -> Vec<FuncId> {
        let mut chain = Vec::new();
        while let Some(data) = site.and_then(|site| self.func.sites.get(site.index())) {
            chain.push(data.func);
            site = data.parent;
        }
        chain.push(self.func.id);
        chain
    }

    fn check_frame(&mut self, inst: Inst, frame: &ExitFrame) {
        if frame.func.index() >= self.unit.functions.len() {
            self.fault(inst, format_args!("{} is not in the unit", frame.func));
        }
        for slot in &frame.slots {
            self.check_slot(inst, slot);
        }
    }

    fn check_slot(&mut self, inst: Inst, slot: &Slot) {
        match slot {
            Slot::Value(_) | Slot::None | Slot::Bool(_) => {}
            Slot::Const(id) => {
                if id.index() >= self.unit.consts.len() {
                    self.fault(inst, "a slot's constant is not in the unit");
                }
            }
            Slot::Cell(id) => {
                if id.index() >= self.unit.cells.len() {
                    self.fault(inst, "a slot's cell is not in the unit");
                }
            }
            Slot::Tuple(items) | Slot::Zip(items) => {
                items.iter().for_each(|item| self.check_slot(inst, item));
            }
            Slot::Enumerate { count, of } => {
                self.check_ints(inst, &[*count]);
                self.check_slot(inst, of);
            }
            Slot::Instance { class, keeper: _, fields } => {
                if self.func.def_inst(*class).is_none_or(|def| def.op != Op::SealedTypeBorrowed) {
                    self.fault(inst, "the class of an object that is to be made is not known");
                }
                fields.iter().for_each(|field| self.check_slot(inst, field));
            }
            Slot::Char(point) => self.check_ints(inst, &[*point]),
            Slot::Wide { low, high } => self.check_ints(inst, &[*low, *high]),
            Slot::ListIter { next, .. } | Slot::ReverseIter { next, .. } => self.check_ints(inst, &[*next]),
            Slot::Range { start: a, stop: b, step: c }
            | Slot::RangeIter { next: a, count: b, step: c }
            | Slot::UnitRangeIter { next: a, stop: b, step: c } => self.check_ints(inst, &[*a, *b, *c]),
        }
    }

    fn check_shown(&mut self, inst: Inst, data: &InstData) {
        let Some(show) = self.func.shown.get(&inst) else { return };
        if show.index() >= self.func.shows.len() {
            return self.fault(inst, "no such state of shown variables");
        }
        let Some(shown) = self.func.shown_at(inst) else { return };
        let mut functions = 1;
        let mut site = data.site;
        while let Some(inner) = site.and_then(|site| self.func.sites.get(site.index())) {
            functions += 1;
            site = inner.parent;
        }
        if shown.frames.len() != functions {
            self.fault(inst, format_args!("shows {} functions instead of {functions}", shown.frames.len()));
        }
        for frame in &shown.frames {
            if !frame.is_sorted_by(|one, next| one.number < next.number) {
                self.fault(inst, "the variables that it shows are not in order");
            }
            for variable in frame {
                self.check_slot(inst, &variable.slot);
                if variable.bound.is_some_and(|bound| self.type_of(bound) != Type::Bool) {
                    self.fault(
                        inst,
                        format_args!("whether variable {} is bound is no bool", variable.number),
                    );
                }
            }
        }
    }

    fn check_ints(&mut self, inst: Inst, values: &[Value]) {
        if values.iter().any(|&value| self.type_of(value) != Type::I64) {
            self.fault(inst, "the numbers of a range are i64");
        }
    }

    fn check_unwind(&mut self, inst: Inst, data: &InstData) {
        let Some(unwind) = self.func.unwind.get(&inst).filter(|unwind| !unwind.is_empty()) else { return };
        let effects = data.op.effects();
        if !effects.has(Effects::RAISES) && !data.op.exits() {
            self.fault(inst, "an unwind list at an instruction that never fails");
        }
        if unwind.iter().any(|&value| self.type_of(value) != Type::Obj) {
            self.fault(inst, "only objects are dropped");
        }
    }
}
