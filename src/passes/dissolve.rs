//! Objects of sealed classes that nobody outside the function ever sees are not made.
//!
//! ```text
//! v2 = sealed.class Pair                              v2 = sealed.class Pair
//! v3 = float.box v0 exit [..]                         v5 = sealed.borrowed_class Pair
//! v4 = sealed.new Pair v2, v3, v3                ->   v6 = float.div_checked v1, v0 exit [.. (instance(v5 of v2, v0, v0))]
//! v5 = sealed.field_float Pair: x v4 exit [..]
//! v6 = float.div_checked v1, v5 exit [.. (v4)]
//! ```
//!
//! Such an object is only asked for its fields, tested for its class or identity, released, or put into another one
//! that is not made either. Exits and tracebacks hold what it is made of; one that is taken makes the object, once.
//! `sealed.borrowed_class` gives its class, and tells it from other objects. Where foreign code may run meanwhile, which
//! could drop the class, exits keep it alive as the object would have.
//!
//! Boxes of numbers that only went into fields are left to [`super::simplify`].

use rustc_hash::FxHashMap;

use crate::ir::cfg::Cfg;
use crate::ir::{
    ClassId, Def, Effects, Exit, Function, Imm, Inst, InstData, Op, Show, Slot, Type, Unit, Value,
};

/// Whether anything in the function could drop a class.
fn runs_foreign_code(func: &Function) -> bool {
    let runs = |op: Op| {
        let effects = op.effects();
        effects.has(Effects::FOREIGN)
            || effects.has(Effects::WRITES)
            || matches!(op, Op::Poll | Op::GuardPoll | Op::CallQuiet)
    };
    insts(func).any(|inst| runs(func.inst(inst).op))
}

/// How many slots the objects that a function does not make add to its exits at most.
const MAX_SLOTS: usize = 20_000;

/// Removes the allocations of objects that don't escape; returns whether there were any.
pub fn dissolve_instances(unit: &Unit, func: &mut Function) -> bool {
    let mut found = Found::of(unit, func);
    if found.made.is_empty() {
        return false;
    }
    found.keep_what_escapes(unit, func);
    if found.made.is_empty() || found.slots(func) > MAX_SLOTS {
        return false;
    }
    let keeps_classes = runs_foreign_code(func);
    Dissolution { unit, found, classes: FxHashMap::default(), keeps_classes }.apply(func);
    true
}

/// Borrows the classes that a function makes objects of, where nothing that it does could drop one.
pub fn borrow_classes(func: &mut Function) {
    if runs_foreign_code(func) {
        return;
    }
    for inst in insts(func).collect::<Vec<_>>() {
        if func.inst(inst).op == Op::SealedType {
            func.inst_mut(inst).op = Op::SealedTypeBorrowed;
        }
    }
}

/// An object that may not be made.
#[derive(Clone)]
struct Made {
    class: ClassId,
    /// The class itself.
    object: Value,
    fields: Vec<Value>,
}

/// What is made in a function, by the value.
struct Found {
    made: FxHashMap<Value, Made>,
    /// What was read out of such an object's field, and what was put there.
    read: FxHashMap<Value, Value>,
}

impl Found {
    fn of(unit: &Unit, func: &Function) -> Found {
        let mut found = Found { made: FxHashMap::default(), read: FxHashMap::default() };
        for &block in Cfg::of(func).reverse_postorder() {
            for &inst in &func.block(block).insts {
                found.add(unit, func.inst(inst));
            }
        }
        found
    }

    fn add(&mut self, unit: &Unit, data: &InstData) {
        match (data.op, data.imm, &data.results[..]) {
            (Op::SealedNew, Imm::Sealed(class), &[result]) => {
                let fields = data.args[1..].iter().map(|&field| self.find(field)).collect();
                self.made.insert(result, Made { class, object: data.args[0], fields });
            }
            (Op::SealedField, Imm::Field(class, field), &[result]) => {
                let Some(made) = self.made.get(&self.find(data.args[0])) else { return };
                if let Some(place) = place_of(unit, made.class, (class, field)) {
                    let value = made.fields[place];
                    self.read.insert(result, value);
                }
            }
            _ => {}
        }
    }

    /// What a value is that may have been read out of a field.
    fn find(&self, value: Value) -> Value {
        self.read.get(&value).copied().unwrap_or(value)
    }

    /// The object that is not made which the value is.
    fn made(&self, value: Value) -> Option<&Made> {
        self.made.get(&self.find(value))
    }

    /// Takes out what escapes, and what stands in the fields of such an object.
    fn keep_what_escapes(&mut self, unit: &Unit, func: &Function) {
        let mut escaping = Vec::new();
        for inst in insts(func) {
            let data = func.inst(inst);
            escaping.extend(data.targets.iter().flat_map(|target| &target.args).map(|&arg| self.find(arg)));
            for (position, &arg) in data.args.iter().enumerate() {
                if self.made(arg).is_some() && !self.stays(unit, func, data, position) {
                    escaping.push(self.find(arg));
                }
            }
        }
        while let Some(value) = escaping.pop() {
            if let Some(made) = self.made.remove(&value) {
                escaping.extend(made.fields.iter().map(|&field| self.find(field)));
            }
        }
    }

    /// Whether the use of an object as this operand can do without it.
    fn stays(&self, unit: &Unit, func: &Function, data: &InstData, position: usize) -> bool {
        match (data.op, data.imm) {
            (Op::SealedNew | Op::Release | Op::SealedAccepted, _) => !data.catches(),
            (Op::ObjIs, _) => true,
            (Op::SealedGuard | Op::SealedGuardOptional, Imm::Sealed(class)) => {
                self.made(data.args[0]).is_some_and(|made| made.class == class)
            }
            (op, Imm::Field(class, field)) if position == 0 => {
                let Some(made) = self.made(data.args[0]) else { return false };
                place_of(unit, made.class, (class, field)).is_some_and(|place| {
                    let value = made.fields[place];
                    replacement(func, op, value).is_some()
                })
            }
            _ => false,
        }
    }

    /// How many slots come in place of objects.
    fn slots(&self, func: &Function) -> usize {
        let mut count = 0;
        for inst in insts(func) {
            let mut add = |value| count += self.size(value, 0);
            if let Some(exit) = func.inst(inst).exit {
                func.exit(exit).visit_values(&mut add);
            }
            if let Some(shown) = func.shown_at(inst) {
                shown.visit_values(&mut add);
            }
        }
        count
    }

    fn size(&self, value: Value, depth: usize) -> usize {
        let Some(made) = self.made(value).filter(|_| depth < DEEPEST) else { return 0 };
        1 + made.fields.iter().map(|&field| 1 + self.size(field, depth + 1)).sum::<usize>()
    }
}

/// No objects are nested deeper than this as far as they are counted.
const DEEPEST: usize = 16;

/// Which field of a class the field of another one is, that the object was tested for.
fn place_of(unit: &Unit, own: ClassId, (class, field): (ClassId, u32)) -> Option<usize> {
    let offset = unit.classes[class.index()].fields[field as usize].offset;
    unit.classes[own.index()].fields.iter().position(|field| field.offset == offset)
}

/// What the reading of a field becomes: the value itself, or a guard that tests it.
enum Read {
    Value(Value),
    Guard(Op),
}

/// What reading a field becomes in which this value stands; none for what does not read.
fn replacement(func: &Function, op: Op, value: Value) -> Option<Read> {
    let boxed = |wanted: Op| match func.def_inst(value) {
        Some(data) if data.op == wanted => Some(Read::Value(data.args[0])),
        _ => None,
    };
    match op {
        Op::SealedField => Some(Read::Value(value)),
        Op::SealedFieldInt => Some(boxed(Op::IntBox).unwrap_or(Read::Guard(Op::GuardInt))),
        Op::SealedFieldFloat => Some(boxed(Op::FloatBox).unwrap_or(Read::Guard(Op::GuardFloat))),
        Op::SealedFieldBool => Some(boxed(Op::BoolBox).unwrap_or(Read::Guard(Op::GuardBool))),
        _ => None,
    }
}

struct Dissolution<'a> {
    unit: &'a Unit,
    found: Found,
    /// For each object its class, and the value that keeps that alive.
    classes: FxHashMap<Value, (Value, Option<Value>)>,
    /// Whether classes have to be kept alive.
    keeps_classes: bool,
}

impl Dissolution<'_> {
    fn apply(mut self, func: &mut Function) {
        let mut replaced: FxHashMap<Value, Value> = FxHashMap::default();
        for block in func.layout.clone() {
            let mut insts = std::mem::take(&mut func.block_mut(block).insts);
            insts.retain(|&inst| self.rewrite(func, inst, &mut replaced));
            func.block_mut(block).insts = insts;
        }
        let resolve = |mut value: Value| {
            while let Some(&by) = replaced.get(&value) {
                value = by;
            }
            value
        };
        for inst in insts(func).collect::<Vec<_>>() {
            func.map_uses(inst, resolve);
            self.fill_slots(func, inst, &resolve);
        }
    }

    /// Changes an instruction that makes or works on an object that is not made; whether it stays.
    fn rewrite(&mut self, func: &mut Function, inst: Inst, replaced: &mut FxHashMap<Value, Value>) -> bool {
        let data = func.inst(inst).clone();
        if let Some(&object) = data.results.first().filter(|result| self.found.made.contains_key(result)) {
            self.make_class(func, inst, object);
            return true;
        }
        let Some(made) = data.args.first().and_then(|&arg| self.found.made(arg)) else {
            if data.op == Op::ObjIs && data.args.iter().any(|&arg| self.found.made(arg).is_some()) {
                become_truth(func, inst, false);
            }
            return true;
        };
        match (data.op, data.imm) {
            (Op::SealedGuard | Op::SealedGuardOptional | Op::SealedAccepted | Op::Release, _) => {
                return false;
            }
            (Op::ObjIs, _) => {
                let [one, other] = [0, 1].map(|number| self.found.find(data.args[number]));
                become_truth(func, inst, one == other);
            }
            (op, Imm::Field(class, field)) => {
                let place =
                    place_of(self.unit, made.class, (class, field)).expect("what escapes was taken out");
                let value = made.fields[place];
                match replacement(func, op, value) {
                    Some(Read::Value(value)) => {
                        replaced.insert(data.results[0], value);
                        return false;
                    }
                    Some(Read::Guard(op)) => {
                        let data = func.inst_mut(inst);
                        data.op = op;
                        data.imm = Imm::None;
                        data.args = vec![value];
                    }
                    None => {}
                }
            }
            _ => {}
        }
        true
    }

    /// The instruction that made an object gives its class instead, under another value.
    fn make_class(&mut self, func: &mut Function, inst: Inst, object: Value) {
        let result = func.add_value(Type::Obj, Def::Result(inst, 0));
        let data = func.inst_mut(inst);
        data.op = Op::SealedTypeBorrowed;
        data.args.clear();
        data.results = vec![result];
        func.shown.remove(&inst);
        let keeper = self.keeps_classes.then(|| self.found.made[&object].object);
        self.classes.insert(object, (result, keeper));
    }

    /// Puts what objects are made of in their place.
    fn fill_slots(&self, func: &mut Function, inst: Inst, resolve: &dyn Fn(Value) -> Value) {
        if let Some(exit) = func.inst(inst).exit {
            self.fill_exit(func, exit, resolve);
        }
        if let (Some(&show), true) = (func.shown.get(&inst), func.shown_at(inst).is_some()) {
            self.fill_show(func, show, resolve);
        }
    }

    fn fill_exit(&self, func: &mut Function, exit: Exit, resolve: &dyn Fn(Value) -> Value) {
        let mut frames = std::mem::take(&mut func.exits[exit.index()].frames);
        for slot in frames.iter_mut().flat_map(|frame| &mut frame.slots) {
            self.fill(func, slot, resolve);
        }
        func.exits[exit.index()].frames = frames;
    }

    fn fill_show(&self, func: &mut Function, show: Show, resolve: &dyn Fn(Value) -> Value) {
        let mut frames = std::mem::take(&mut func.shows[show.index()].frames);
        for variable in frames.iter_mut().flatten() {
            self.fill(func, &mut variable.slot, resolve);
        }
        func.shows[show.index()].frames = frames;
    }

    fn fill(&self, func: &Function, slot: &mut Slot, resolve: &dyn Fn(Value) -> Value) {
        match slot {
            Slot::Value(value) if self.classes.contains_key(value) => {
                *slot = self.instance(func, *value, resolve);
            }
            Slot::Tuple(items) | Slot::Instance { fields: items, .. } => {
                items.iter_mut().for_each(|item| self.fill(func, item, resolve));
            }
            _ => {}
        }
    }

    fn instance(&self, func: &Function, object: Value, resolve: &dyn Fn(Value) -> Value) -> Slot {
        let made = &self.found.made[&object];
        let fields = made.fields.iter().map(|&field| {
            let field = resolve(field);
            if self.classes.contains_key(&field) {
                return self.instance(func, field, resolve);
            }
            match func.def_inst(field) {
                Some(InstData { op: Op::IntBox | Op::FloatBox | Op::BoolBox, args, .. }) => {
                    Slot::Value(resolve(args[0]))
                }
                Some(InstData { op: Op::ObjConst, imm: Imm::Const(id), .. }) => Slot::Const(*id),
                _ => Slot::Value(field),
            }
        });
        let (class, keeper) = self.classes[&object];
        Slot::Instance { class, keeper: keeper.map(resolve), fields: fields.collect() }
    }
}

fn become_truth(func: &mut Function, inst: Inst, truth: bool) {
    let data = func.inst_mut(inst);
    data.op = Op::BoolConst;
    data.imm = Imm::Bool(truth);
    data.args.clear();
}

fn insts(func: &Function) -> impl Iterator<Item = Inst> + '_ {
    func.layout.iter().flat_map(|&block| func.block(block).insts.iter().copied())
}
