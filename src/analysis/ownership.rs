//! Who owns object references, and whether the counts of a function balance.
//!
//! The checker interprets the function with one number for each value: how many references to it the
//! function owns. They must be the same on every path to a block, enough wherever one is given away or
//! used, exactly what the unwind list drops where an instruction fails, and none at a return.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::ir::verify::Version;
use crate::ir::{Block, Def, Effects, Function, Inst, Op, Type, Value};

/// Whether the function owns a reference to the value from its definition on; if not, somebody else
/// keeps the object alive for as long as the function runs.
#[must_use]
pub fn is_owned(func: &Function, version: Version, value: Value) -> bool {
    func.ty(value) == Type::Obj
        && match func.def(value) {
            Def::Param(block, _) => {
                version == Version::Generic || func.begins_in_loop || block != func.entry()
            }
            Def::Result(inst, _) => !func.inst(inst).op.effects().has(Effects::BORROWS),
        }
}

/// The references that the function owns at a point; values without any are left out.
type Held = BTreeMap<Value, u32>;

/// What is wrong with the counts of a function that the refcount pass went over, one line for each fault.
#[must_use]
pub fn unbalanced(func: &Function, version: Version) -> Vec<String> {
    let mut checker =
        Checker { func, version, at_start: FxHashMap::default(), work: Vec::new(), faults: Vec::new() };
    let owned = func.params().iter().filter(|&&param| is_owned(func, version, param));
    checker.arrive(func.entry(), owned.map(|&param| (param, 1)).collect());
    while let Some(block) = checker.work.pop() {
        let mut held = checker.at_start[&block].clone();
        for &inst in &func.block(block).insts {
            checker.step(inst, &mut held);
        }
    }
    checker.faults
}

struct Checker<'a> {
    func: &'a Function,
    version: Version,
    at_start: FxHashMap<Block, Held>,
    work: Vec<Block>,
    faults: Vec<String>,
}

impl Checker<'_> {
    fn fault(&mut self, inst: Inst, what: &str) {
        self.faults.push(format!("{}: {inst}: {what}", self.func.id));
    }

    fn arrive(&mut self, block: Block, held: Held) {
        match self.at_start.get(&block) {
            None => {
                self.at_start.insert(block, held);
                self.work.push(block);
            }
            Some(known) if *known == held => {}
            Some(known) => {
                self.faults
                    .push(format!("{}: {block}: entered with {known:?} and with {held:?}", self.func.id));
            }
        }
    }

    fn step(&mut self, inst: Inst, held: &mut Held) {
        let data = self.func.inst(inst);
        let mut dangling = Vec::new();
        self.func.visit_uses(inst, |value| {
            if is_owned(self.func, self.version, value) && !held.contains_key(&value) {
                dangling.push(value);
            }
        });
        for value in dangling {
            self.fault(inst, &format!("reads {value}, which may be gone"));
        }
        self.check_unwind(inst, held);
        match data.op {
            Op::IncRef => *held.entry(data.args[0]).or_insert(0) += 1,
            Op::DecRef | Op::Release | Op::DropShared => self.give(inst, data.args[0], held),
            Op::SealedNew => {
                let fields = data.args[1..].iter().filter(|&&field| self.func.ty(field) == Type::Obj);
                fields.for_each(|&field| self.give(inst, field, held));
            }
            Op::Return => {
                if self.func.ty(data.args[0]) == Type::Obj {
                    self.give(inst, data.args[0], held);
                }
                if !held.is_empty() {
                    self.fault(inst, &format!("returns and still owns {held:?}"));
                }
            }
            _ => {}
        }
        for &result in &data.results {
            if is_owned(self.func, self.version, result) {
                held.insert(result, 1);
            }
        }
        for target in &data.targets {
            let mut held = held.clone();
            for &arg in &target.args {
                if self.func.ty(arg) == Type::Obj {
                    self.give(inst, arg, &mut held);
                }
            }
            let params = &self.func.block(target.block).params;
            held.extend(
                params.iter().filter(|&&param| self.func.ty(param) == Type::Obj).map(|&param| (param, 1)),
            );
            self.arrive(target.block, held);
        }
    }

    fn check_unwind(&mut self, inst: Inst, held: &Held) {
        let data = self.func.inst(inst);
        let mut dropped = Held::new();
        for &value in self.func.unwind.get(&inst).into_iter().flatten() {
            *dropped.entry(value).or_insert(0) += 1;
        }
        let unwinds = data.op.effects().has(Effects::RAISES) && !data.catches();
        let may_fail = data.op.exits() || unwinds;
        if may_fail && dropped != *held {
            self.fault(inst, &format!("owns {held:?}, but drops {dropped:?} when it fails"));
        }
    }

    /// One reference less.
    fn give(&mut self, inst: Inst, value: Value, held: &mut Held) {
        match held.get_mut(&value) {
            None => self.fault(inst, &format!("gives away {value} without owning it")),
            Some(1) => {
                held.remove(&value);
            }
            Some(count) => *count -= 1,
        }
    }
}
