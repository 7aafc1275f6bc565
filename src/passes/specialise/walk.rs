//! One walk over a generic block that serves both phases: the inference walks with a sink that only
//! makes kinds, the emission with one that writes instructions. So the two can't disagree about what an
//! op on given operands becomes.

mod arith;
mod builtins;
mod calls;
mod construct;
mod items;
mod iterate;
mod maths;
mod methods;
mod sealed;
mod unbox;
mod walks;
mod wide;

use std::fmt::Debug;
use std::hash::Hash;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::ir::{Block, CellSpec, Const, FuncId, GlobalFact, Imm, Inst, Op, Point, Type, Unit, Value};
use crate::types;

use self::calls::probably_keeps;

use super::context::Context;
use super::repr::{Known, MAX_TUPLE, Repr};

/// The representations of the generic values that are live.
pub(super) type Env<V> = FxHashMap<Value, Repr<V>>;

/// The code can't go on unboxed: it leaves for the generic version at the current point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left;

/// What stands around an instruction that is emitted.
pub(super) struct Place<'a, V> {
    /// The generic version and what is known of it.
    pub(super) cx: &'a Context<'a>,
    /// The generic instruction that it comes from.
    pub(super) inst: Inst,
    /// Where it exits to.
    pub(super) point: Point,
    /// What rebuilds the values live there.
    pub(super) env: &'a Env<V>,
}

/// Where a walk puts its instructions.
pub(super) trait Sink {
    /// A machine value.
    type V: Copy + Debug + Eq + Hash;

    /// The unit.
    fn unit(&self) -> &Unit;

    /// Appends an instruction with results of these types.
    fn emit(
        &mut self,
        place: &Place<'_, Self::V>,
        op: Op,
        imm: Imm,
        args: &[Self::V],
        results: &[Type],
    ) -> Vec<Self::V>;

    /// Whether exits hold as much as they may: what follows leaves for the generic version. Inference
    /// knows no such end.
    fn is_full(&self) -> bool;

    /// A constant of the unit as an immediate.
    fn constant(&mut self, constant: Const) -> Imm;

    /// A cell of the unit as an immediate.
    fn cell(&mut self, spec: CellSpec) -> Imm;

    /// What a call probably calls, as an immediate.
    fn guess(&mut self, callees: &[FuncId]) -> Imm;

    /// The value of a float that is a constant. Inference does not know: it must not decide a kind.
    fn float_value(&self, value: Self::V) -> Option<f64>;
}

/// How a walked block ends.
pub(super) enum Flow<V> {
    /// It goes to the successor of this number.
    Goto(usize),
    /// It goes to successor 0 when the value is true, else to successor 1.
    Branch(V),
    /// It goes nowhere.
    End,
}

/// The state of a walk.
pub(super) struct Walker<'a, S: Sink> {
    /// Where instructions go.
    pub(super) sink: S,
    /// The representations of the live values.
    pub(super) env: Env<S::V>,
    cx: &'a Context<'a>,
    inst: Inst,
    /// The instruction behind it.
    next: Inst,
    point: Point,
    /// A call of a method that is not looked up, and where it would be: exits in front of the call go there.
    deferred: Option<(Inst, Inst)>,
    /// Objects made of unboxed values in this block, so that a value keeps one identity there.
    boxes: FxHashMap<(Op, S::V), S::V>,
}

type Reprs<S> = Vec<Repr<<S as Sink>::V>>;

impl<'a, S: Sink> Walker<'a, S> {
    /// A walker that knows no value yet.
    pub(super) fn new(cx: &'a Context<'a>, sink: S) -> Walker<'a, S> {
        let first = cx.generic.block(cx.generic.entry()).insts[0];
        Walker {
            sink,
            env: Env::default(),
            cx,
            inst: first,
            next: first,
            point: Point::Before(first),
            deferred: None,
            boxes: FxHashMap::default(),
        }
    }

    /// Walks over the block. The representations of the values live at its beginning are in `env`;
    /// afterwards those of the values live at its end are there too.
    pub(super) fn walk(&mut self, block: Block) -> Flow<S::V> {
        self.boxes.clear();
        let insts = &self.cx.generic.block(block).insts;
        if self.cx.leaves_at(block) {
            self.stand_before(insts[0]);
            self.leave();
            return Flow::End;
        }
        if block == self.cx.generic.entry() {
            self.stand_before(insts[0]);
            self.none(Op::Anchor, Imm::None, &[]);
        }
        for (position, &inst) in insts.iter().enumerate() {
            self.stand_before(inst);
            if self.sink.is_full() {
                self.leave();
                return Flow::End;
            }
            let done = match insts.get(position + 1) {
                Some(&next) => {
                    self.next = next;
                    self.transfer(inst).map(|()| None)
                }
                None => self.terminate(inst).map(Some),
            };
            match done {
                Ok(None) => {}
                Ok(Some(flow)) => return flow,
                Err(Left) => {
                    self.leave();
                    return Flow::End;
                }
            }
        }
        Flow::End
    }

    /// Makes the point before this instruction the one to exit to.
    pub(super) fn stand_before(&mut self, inst: Inst) {
        self.inst = inst;
        self.point = self.before(inst);
    }

    fn before(&self, inst: Inst) -> Point {
        match self.deferred {
            Some((call, method)) if call == inst => Point::Before(method),
            _ => Point::Before(inst),
        }
    }

    /// Forgets the objects made in the block that the sink has ended.
    pub(super) fn begin_block(&mut self) {
        self.boxes.clear();
    }

    /// Leaves for the generic version at the current point.
    pub(super) fn leave(&mut self) {
        self.point = self.before(self.inst);
        self.many(Op::Leave, Imm::None, &[], &[]);
    }

    /// Emits an op with results of these types.
    pub(super) fn many(&mut self, op: Op, imm: Imm, args: &[S::V], results: &[Type]) -> Vec<S::V> {
        let place = Place { cx: self.cx, inst: self.inst, point: self.point, env: &self.env };
        self.sink.emit(&place, op, imm, args, results)
    }

    /// Emits an op that has one result.
    pub(super) fn one(&mut self, op: Op, imm: Imm, args: &[S::V]) -> S::V {
        self.many(op, imm, args, op.row().results)[0]
    }

    /// Emits an op without results.
    pub(super) fn none(&mut self, op: Op, imm: Imm, args: &[S::V]) {
        self.many(op, imm, args, &[]);
    }

    /// The constant's machine value.
    pub(super) fn int_constant(&mut self, value: i64) -> S::V {
        self.one(Op::IntConst, Imm::Int(value), &[])
    }

    /// The constant's machine value.
    pub(super) fn float_constant(&mut self, value: f64) -> S::V {
        self.one(Op::FloatConst, Imm::Float(value.to_bits()), &[])
    }

    /// The constant's representation.
    pub(super) fn int(&mut self, value: i64) -> Repr<S::V> {
        Repr::Int(self.int_constant(value), Some(value))
    }

    /// The constant's representation.
    pub(super) fn truth(&mut self, value: bool) -> Repr<S::V> {
        Repr::Bool(self.one(Op::BoolConst, Imm::Bool(value), &[]), Some(value))
    }

    /// The value as an object; for a value that has no object here the code leaves.
    pub(super) fn object(&mut self, repr: &Repr<S::V>) -> Result<S::V, Left> {
        match repr {
            Repr::Object(value) | Repr::Likely(value, _) | Repr::Exact(value, _) => Ok(*value),
            Repr::Class(value, _) | Repr::Method(value, ..) | Repr::Instance(value, _) => Ok(*value),
            Repr::Slice(parts) => {
                let parts = self.objects(parts)?;
                Ok(self.one(Op::ObjSlice, Imm::None, &parts))
            }
            Repr::None => Ok(self.object_constant(Const::None)),
            Repr::Never => Ok(self.object_constant(Const::Unbound)),
            Repr::Int(_, Some(known)) => Ok(self.object_constant(Const::Int(*known))),
            Repr::Int(value, None) => Ok(self.boxed(Op::IntBox, *value)),
            Repr::Wide(low, high) => Ok(self.one(Op::IntWideBox, Imm::None, &[*low, *high])),
            Repr::Float(value) => Ok(self.boxed(Op::FloatBox, *value)),
            Repr::Char(value) => Ok(self.boxed(Op::StrChar, *value)),
            Repr::Bool(value, _) => Ok(self.boxed(Op::BoolBox, *value)),
            Repr::Tuple(items) => {
                let items = self.objects(items)?;
                Ok(self.one(Op::ObjTuple, Imm::None, &items))
            }
            // A method is found again where it is wanted.
            Repr::Known(known) if matches!(known.fact, GlobalFact::Method(_)) => Err(Left),
            Repr::Known(known) => Ok(self.known_object(known)),
            Repr::Range { .. } => Err(Left),
            repr => {
                debug_assert!(repr.is_counter(), "every other representation has an object");
                Err(Left)
            }
        }
    }

    /// The values as objects.
    pub(super) fn objects(&mut self, reprs: &[Repr<S::V>]) -> Result<Vec<S::V>, Left> {
        reprs.iter().map(|repr| self.object(repr)).collect()
    }

    /// The representation of a value that is read.
    pub(super) fn read(&self, value: Value) -> Result<Repr<S::V>, Left> {
        match self.env.get(&value) {
            None | Some(Repr::Never) => Err(Left),
            Some(repr) => Ok(repr.clone()),
        }
    }

    fn boxed(&mut self, op: Op, value: S::V) -> S::V {
        if let Some(&object) = self.boxes.get(&(op, value)) {
            return object;
        }
        let object = self.one(op, Imm::None, &[value]);
        self.boxes.insert((op, value), object);
        object
    }

    fn object_constant(&mut self, constant: Const) -> S::V {
        let imm = self.sink.constant(constant);
        self.one(Op::ObjConst, imm, &[])
    }

    /// The watched object: under the guard, the names still lead to it.
    fn known_object(&mut self, known: &Known) -> S::V {
        self.guard_cell(&known.path, &known.fact);
        let mut names = known.path.split('.');
        let first = self.sink.constant(Const::Str(names.next().unwrap_or_default().to_owned()));
        let mut object = self.one(Op::ObjGlobal, first, &[]);
        for name in names {
            let name = self.sink.constant(Const::Str(name.to_owned()));
            object = self.one(Op::ObjAttr, name, &[object]);
        }
        object
    }

    /// Exits unless the dotted name still has its value. The module in front of a point is guarded too.
    fn guard_cell(&mut self, path: &str, fact: &GlobalFact) {
        if let Some((module, _)) = path.rsplit_once('.') {
            self.guard_cell(module, &GlobalFact::MathModule);
        }
        let cell = self.sink.cell(CellSpec { path: path.to_owned(), expected: fact.clone() });
        self.none(Op::GuardCell, cell, &[]);
    }

    fn operands(&self, inst: Inst) -> Result<Reprs<S>, Left> {
        self.cx.generic.inst(inst).args.iter().map(|&arg| self.read(arg)).collect()
    }

    fn define(&mut self, inst: Inst, repr: Repr<S::V>) {
        self.env.insert(self.cx.generic.inst(inst).results[0], repr);
    }

    fn release(&mut self, value: Value) -> Result<(), Left> {
        // A body borrows its parameters: they outlive it.
        if self.cx.start.is_none() && self.cx.generic.params().contains(&value) {
            return Ok(());
        }
        let Some(repr) = self.env.get(&value).filter(|repr| !repr.dies_silently()).cloned() else {
            return Ok(());
        };
        if repr.is_counter() {
            self.release_iterator(&repr);
            return Ok(());
        }
        let object = self.object(&repr)?;
        self.none(Op::Release, Imm::None, &[object]);
        Ok(())
    }

    /// Generic code hands variables over.
    fn leave_frame(&mut self, frame: Value) -> Result<(), Left> {
        let repr = self.read(frame)?;
        if !matches!(repr, Repr::None) {
            let frame = self.object(&repr)?;
            self.none(Op::GuardNone, Imm::None, &[frame]);
        }
        Ok(())
    }

    fn transfer(&mut self, inst: Inst) -> Result<(), Left> {
        let data = self.cx.generic.inst(inst);
        match data.op {
            _ if data.catches() => return Err(Left),
            Op::ObjCatch | Op::ObjCaughtFrame | Op::ObjTakeError | Op::ObjEndCatch => return Err(Left),
            Op::ObjReraise | Op::ObjReraiseHandled | Op::ObjEnterContext | Op::ObjGroupMatches => {
                return Err(Left);
            }
            Op::Release => self.release(data.args[0])?,
            Op::ObjLeaveFrame => self.leave_frame(data.args[0])?,
            Op::Poll => self.none(Op::Poll, Imm::None, &[]),
            Op::ObjCheckResult => {
                let value = self.read(data.args[0])?;
                if probably_keeps(&value, &self.cx.signature.result) {
                    let known = self.kept_result(&value)?;
                    self.env.insert(data.args[0], known);
                } else if !value.keeps(&self.cx.signature.result) || matches!(value, Repr::Likely(..)) {
                    let object = self.object(&value)?;
                    self.none(Op::ObjCheckResult, Imm::None, &[object]);
                    if matches!(value, Repr::Tuple(_)) {
                        // What is returned is what was checked, not another tuple.
                        self.env.insert(data.args[0], Repr::Object(object));
                    }
                }
            }
            Op::ObjUnpack => {
                let items = self.unpack(inst)?;
                self.env.extend(data.results.iter().copied().zip(items));
            }
            Op::ObjNext => self.next_item(inst)?,
            Op::ObjMethod => self.method(inst)?,
            Op::ObjAttr => {
                if !self.field(inst)? {
                    self.general(inst)?;
                }
            }
            Op::ObjItem => self.item(inst)?,
            Op::ObjCallMethod if self.deferred.is_some_and(|(call, _)| call == inst) => {
                let result = self.dispatched(inst)?.ok_or(Left)?;
                self.define(inst, result);
            }
            Op::ObjSetItem => self.set_item(inst)?,
            Op::ObjSetAttr => {
                if self.store_field(inst)? {
                    return Ok(());
                }
                let operands = self.operands(inst)?;
                let object = self.object(&operands[0])?;
                if let Repr::Float(value) = &operands[1] {
                    self.none(Op::ObjSetAttrFloat, data.imm, &[object, *value]);
                } else {
                    let value = self.object(&operands[1])?;
                    self.none(data.op, data.imm, &[object, value]);
                }
            }
            Op::ObjList => self.list_display(inst)?,
            Op::ObjSlice if self.is_slice_of_list(inst) => {
                let parts = self.operands(inst)?;
                self.define(inst, Repr::Slice(parts.into()));
            }
            Op::ObjUnpackRest => {
                let operands = self.operands(inst)?;
                let args = self.objects(&operands)?;
                let items = self.many(data.op, data.imm, &args, &vec![Type::Obj; data.results.len()]);
                self.env.extend(data.results.iter().copied().zip(items.into_iter().map(Repr::Object)));
            }
            _ if data.results.is_empty() => {
                let operands = self.operands(inst)?;
                let args = self.objects(&operands)?;
                self.none(data.op, data.imm, &args);
            }
            Op::ObjContains | Op::ObjTypeFlag => {
                let operands = self.operands(inst)?;
                let args = self.objects(&operands)?;
                let truth = self.one(data.op, data.imm, &args);
                self.define(inst, Repr::Bool(truth, None));
            }
            _ => self.general(inst)?,
        }
        Ok(())
    }

    /// An op with one result that is unboxed where it has such a form.
    fn general(&mut self, inst: Inst) -> Result<(), Left> {
        let operands = self.operands(inst)?;
        let result = match self.unboxed(inst, &operands)? {
            Ok(result) => result,
            Err(likely) => {
                let operands = self.with_method(operands)?;
                self.generic(inst, &operands, likely.as_ref())?
            }
        };
        self.define(inst, result);
        Ok(())
    }

    /// The result of an op that has an unboxed form; the inner error is for one that has none, with the
    /// type that its result is sure or likely to have.
    fn unboxed(&mut self, inst: Inst, operands: &[Repr<S::V>]) -> Result<Form<S::V>, Left> {
        let data = self.cx.generic.inst(inst);
        Ok(match (data.op, data.imm) {
            (Op::BoolConst, Imm::Bool(value)) => Ok(self.truth(value)),
            (Op::BoolBox, _) => Ok(operands[0].clone()),
            (Op::BoolNot | Op::BoolAnd | Op::BoolOr | Op::BoolXor, _) => Ok(self.logic(data.op, operands)?),
            (Op::ObjConst, Imm::Const(id)) => {
                let constant = self.sink.unit().consts[id.index()].clone();
                Ok(self.constant(&constant))
            }
            (Op::ObjGlobal, Imm::Const(id)) => {
                let path = self.name(id.index());
                self.global(inst, path)
            }
            (Op::ObjAttr, Imm::Const(id)) => match &operands[0] {
                Repr::Known(known) if known.fact == GlobalFact::MathModule => {
                    let path = format!("{}.{}", known.path, self.name(id.index()));
                    self.global(inst, path)
                }
                _ => match self.cx.facts.get(&format!(".{}", self.name(id.index()))) {
                    Some(GlobalFact::Likely(ty)) => Err(Some(ty.clone())),
                    _ => Err(None),
                },
            },
            (Op::ObjBinary, Imm::Binary(binary, in_place)) => match self.operator(inst, binary, in_place)? {
                Some(result) => Ok(result),
                None => self.binary(binary, &operands[0], &operands[1]),
            },
            (Op::ObjUnary, Imm::Unary(unary)) => self.unary(unary, &operands[0]),
            (Op::ObjCompare, Imm::Cmp(cmp)) => self.compare(cmp, &operands[0], &operands[1]),
            (Op::ObjIs, _) => Ok(self.identity(data.args[0] == data.args[1], &operands[0], &operands[1])?),
            (Op::ObjTruth, _) => Ok(self.truth_of(&operands[0])?),
            (Op::ObjCall, Imm::Const(id)) => match self.made_by_comprehension(inst) {
                Some(made) => Err(Some(made)),
                None => self.call(inst, id, &operands[0], &operands[1..])?,
            },
            (Op::ObjCallMethod, Imm::Const(id)) => match &operands[0] {
                Repr::Method(_, class, name) => {
                    let (class, name) = (*class, Rc::clone(name));
                    self.call_method(inst, id, (class, &name), operands)?
                }
                Repr::Known(known) if matches!(known.fact, GlobalFact::Method(_)) => {
                    self.call(inst, id, &operands[0], &operands[1..])?
                }
                _ => match self.dispatched(inst)? {
                    Some(result) => Ok(result),
                    None => match self.guessed(inst, id, operands)? {
                        Some(result) => Ok(result),
                        None => self.call(inst, id, &operands[0], &operands[2..])?,
                    },
                },
            },
            (Op::ObjTuple, _) if operands.len() <= MAX_TUPLE && operands.iter().all(Repr::is_item) => {
                Ok(Repr::Tuple(operands.into()))
            }
            (Op::ObjIter, _) => self.iterator(inst, &operands[0]),
            _ => Err(None),
        })
    }

    /// An attribute that is called: a function of `math`, or what the object has.
    fn method(&mut self, inst: Inst) -> Result<(), Left> {
        let data = self.cx.generic.inst(inst);
        if self.sealed_method(inst)? {
            return Ok(());
        }
        if self.is_dispatched_next(inst) {
            self.deferred = Some((self.next, inst));
            return Ok(());
        }
        let object = self.read(data.args[0])?;
        let known = match (&object, data.imm) {
            (Repr::Known(known), Imm::Const(id)) if known.fact == GlobalFact::MathModule => {
                let path = format!("{}.{}", known.path, self.name(id.index()));
                self.global(inst, path).ok()
            }
            _ => None,
        };
        let reprs = if let Some(known) = known {
            [known, Repr::None]
        } else if let Some(found) = self.class_method(inst, &object) {
            [found, object]
        } else {
            let object = self.object(&object)?;
            let results = self.many(data.op, data.imm, &[object], data.op.row().results);
            [0, 1].map(|number| Repr::Object(results[number]))
        };
        self.env.extend(data.results.iter().copied().zip(reprs));
        Ok(())
    }

    /// The op as it is, on objects. A result of a likely type is unboxed under a guard at once.
    fn generic(
        &mut self,
        inst: Inst,
        operands: &[Repr<S::V>],
        likely: Option<&types::Type>,
    ) -> Result<Repr<S::V>, Left> {
        let data = self.cx.generic.inst(inst);
        let args = self.objects(operands)?;
        let object = self.one(data.op, data.imm, &args);
        let Some(likely) = likely else { return Ok(Repr::Object(object)) };
        Ok(self.unbox_result(inst, object, likely))
    }

    /// The instruction's result without its box; a guard exits behind the instruction.
    fn unbox_result(&mut self, inst: Inst, object: S::V, likely: &types::Type) -> Repr<S::V> {
        self.define(inst, Repr::Object(object));
        self.point = Point::Before(self.next);
        let result = self.unbox(object, likely);
        self.stand_before(inst);
        result
    }

    /// The unboxed form of a constant.
    fn constant(&mut self, constant: &Const) -> Repr<S::V> {
        match constant {
            Const::None => Repr::None,
            Const::Unbound => Repr::Never,
            Const::Bool(value) => self.truth(*value),
            Const::Int(value) => self.int(*value),
            Const::Float(bits) => Repr::Float(self.one(Op::FloatConst, Imm::Float(*bits), &[])),
            Const::Tuple(items) if items.len() <= MAX_TUPLE && items.iter().all(is_scalar) => {
                Repr::Tuple(items.iter().map(|item| self.constant(item)).collect())
            }
            Const::Str(_) | Const::Surrogates(_) => {
                Repr::Exact(self.object_constant(constant.clone()), Rc::new(types::Type::Str))
            }
            Const::Bytes(_) => {
                Repr::Exact(self.object_constant(constant.clone()), Rc::new(types::Type::Bytes))
            }
            _ => Repr::Object(self.object_constant(constant.clone())),
        }
    }

    fn name(&self, constant: usize) -> String {
        match &self.sink.unit().consts[constant] {
            Const::Str(name) => name.clone(),
            _ => String::new(),
        }
    }

    /// A global name or an attribute of `math`, under a guard where something is known of it.
    fn global(&mut self, inst: Inst, path: String) -> Form<S::V> {
        let result = self.cx.generic.inst(inst).results[0];
        match self.cx.facts.get(&path) {
            Some(fact @ GlobalFact::Value(constant)) => {
                self.guard_cell(&path, fact);
                Ok(self.constant(constant))
            }
            None | Some(GlobalFact::Unknown) => Err(None),
            Some(GlobalFact::Likely(ty)) => Err(Some(ty.clone())),
            Some(&GlobalFact::Class(identity)) => {
                let Some(class) = self.sink.unit().class_with(identity) else { return Err(None) };
                self.guard_cell(&path, &GlobalFact::Class(identity));
                Ok(Repr::Class(self.one(Op::SealedType, Imm::Sealed(class), &[]), class))
            }
            Some(fact) if self.cx.uses(result).only_known => {
                self.guard_cell(&path, fact);
                Ok(Repr::Known(Rc::new(Known { path, fact: fact.clone() })))
            }
            Some(_) => Err(None),
        }
    }

    fn terminate(&mut self, inst: Inst) -> Result<Flow<S::V>, Left> {
        let data = self.cx.generic.inst(inst);
        match data.op {
            Op::Jump => {
                if self.cx.is_loop_header(data.targets[0].block) {
                    self.none(Op::Anchor, Imm::None, &[]);
                }
                return Ok(Flow::Goto(0));
            }
            Op::Branch => {
                return match self.read(data.args[0])? {
                    Repr::Bool(_, Some(known)) => Ok(Flow::Goto(usize::from(!known))),
                    Repr::Bool(value, None) => Ok(Flow::Branch(value)),
                    _ => Err(Left),
                };
            }
            Op::Return => {
                let value = self.read(data.args[0])?;
                let value = self.result(&value)?;
                self.none(Op::Return, Imm::None, &[value]);
            }
            Op::Raise => {
                let operands = self.operands(inst)?;
                let args = self.objects(&operands)?;
                self.none(Op::Raise, Imm::None, &args);
            }
            _ => self.none(data.op, data.imm, &[]),
        }
        Ok(Flow::End)
    }

    /// The returned value as the machine type of the result.
    fn result(&mut self, value: &Repr<S::V>) -> Result<S::V, Left> {
        match (self.cx.result(), value) {
            (Type::Obj, value) => self.object(value),
            (Type::I64, Repr::Int(value, _))
            | (Type::F64, Repr::Float(value))
            | (Type::Bool, Repr::Bool(value, _)) => Ok(*value),
            (Type::I64, Repr::Wide(low, high)) => Ok(self.one(Op::IntWideNarrow, Imm::None, &[*low, *high])),
            (Type::I64, Repr::Object(object)) => Ok(self.one(Op::GuardInt, Imm::None, &[*object])),
            (Type::F64, Repr::Object(object)) => Ok(self.one(Op::GuardFloat, Imm::None, &[*object])),
            (Type::Bool, Repr::Object(object)) => Ok(self.one(Op::GuardBool, Imm::None, &[*object])),
            _ => Err(Left),
        }
    }
}

/// What an op becomes: a representation, or nothing unboxed and the type that its result may have.
type Form<V> = Result<Repr<V>, Option<types::Type>>;

fn is_scalar(constant: &Const) -> bool {
    matches!(constant, Const::None | Const::Bool(_) | Const::Int(_) | Const::Float(_))
}
