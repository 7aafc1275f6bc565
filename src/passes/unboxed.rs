//! Floats that only go into a new object are given to it unboxed.
//!
//! ```text
//! v2 = float.box_float v0 exit [A]                  v5 = float.compare eq v0, v0
//! v3 = float.box_float v1 exit [B]                  guard.is_true v5 exit [A]
//! v4 = sealed.new Pair v9, v2, v3           ->      v6 = float.compare eq v1, v1
//!                                                   guard.is_true v6 exit [B]
//!                                                   v4 = sealed.new Pair v9, v0, v1
//! ```
//!
//! An object that was freed with its floats takes their numbers. That are all its fields of floats, so either all of
//! them are given like that or none. A NaN exits as before: it has an identity.
//!
//! Nothing that looks at what stands in fields comes behind this pass.

use rustc_hash::FxHashMap;

use crate::ir::{Cmp, Def, FuncId, Function, Imm, Inst, InstData, Op, SealedClass, Unit, Value};
use crate::types::MAX_KEPT_FLOATS;

/// Gives new objects their floats unboxed.
pub fn give_floats(unit: &mut Unit, id: FuncId) {
    let Some(mut func) = unit.functions[id.index()].specialised.take() else { return };
    let news: Vec<(Inst, u64)> = insts(&func).filter_map(|inst| floats_of(unit, &func, inst)).collect();
    if !news.is_empty() {
        let boxes = take_out(&mut func, &news);
        if !boxes.is_empty() {
            guard(&mut func, &boxes);
        }
    }
    unit.functions[id.index()].specialised = Some(func);
}

fn insts(func: &Function) -> impl Iterator<Item = Inst> + '_ {
    func.layout.iter().flat_map(|&block| func.block(block).insts.iter().copied())
}

/// The fields of floats, if the instruction makes an object that has some.
fn floats_of(unit: &Unit, func: &Function, inst: Inst) -> Option<(Inst, u64)> {
    let data = func.inst(inst);
    let Imm::Sealed(class) = data.imm else { return None };
    let floats = SealedClass::floats(&unit.classes[class.index()]);
    (data.op == Op::SealedNew && floats != 0).then_some((inst, floats))
}

/// Puts numbers in place of their boxes, where nothing else reads these; gives the boxes.
fn take_out(func: &mut Function, news: &[(Inst, u64)]) -> FxHashMap<Inst, Value> {
    let mut uses = vec![0_u32; func.values.len()];
    for inst in insts(func) {
        func.visit_uses(inst, |value| uses[value.index()] += 1);
    }
    let mut boxes = FxHashMap::default();
    for &(inst, floats) in news {
        let places =
            (0..MAX_KEPT_FLOATS).filter(|place| floats >> place & 1 != 0).map(|place: usize| place + 1);
        let number = |place: usize| {
            let object = func.inst(inst).args[place];
            let made = func.def_inst(object).filter(|made| made.op == Op::FloatBox)?;
            (uses[object.index()] == 1).then(|| (place, object, made.args[0]))
        };
        let Some(found) = places.map(number).collect::<Option<Vec<_>>>() else { continue };
        for (place, object, value) in found {
            func.inst_mut(inst).args[place] = value;
            if let Def::Result(made, _) = func.def(object) {
                boxes.insert(made, value);
            }
        }
    }
    boxes
}

/// Puts a test for a NaN in the place of each box, with its exit.
fn guard(func: &mut Function, boxes: &FxHashMap<Inst, Value>) {
    for block in func.layout.clone() {
        let mut tested = Vec::new();
        for inst in std::mem::take(&mut func.block_mut(block).insts) {
            match boxes.get(&inst) {
                Some(&value) => tested.extend(test(func, inst, value)),
                None => tested.push(inst),
            }
        }
        func.block_mut(block).insts = tested;
    }
}

/// A test that exits as the box would.
fn test(func: &mut Function, made: Inst, value: Value) -> [Inst; 2] {
    let like = func.inst(made).clone();
    let data = |op, imm, args, exit| InstData {
        op,
        imm,
        args,
        results: Vec::new(),
        targets: Vec::new(),
        range: like.range,
        exit,
        site: like.site,
    };
    let same = data(Op::FloatCompare, Imm::Cmp(Cmp::Eq), vec![value, value], None);
    let same = func.add_inst(same, Op::FloatCompare.row().results);
    let holds = func.inst(same).results[0];
    let guard = func.add_inst(data(Op::GuardTrue, Imm::None, vec![holds], like.exit), &[]);
    [same, guard]
}
