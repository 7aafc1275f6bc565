//! SSA form again, after a block got a copy: a value of the block now has two definitions, and where
//! both arrive a block parameter chooses.
//!
//! Uses in the block and in its copy are right already. Any other use asks for the value at the start of
//! its block: the one that the only predecessor ends with, or a new parameter that each edge provides.

use rustc_hash::FxHashMap;

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Inst, Value};

/// Repairs the uses of what `block` defines, whose `copy` defines the same in the same order.
pub(super) fn repair(func: &mut Function, block: Block, copy: Block) {
    let pairs: FxHashMap<Value, Value> =
        definitions(func, block).into_iter().zip(definitions(func, copy)).collect();
    let mut uses: FxHashMap<Value, Vec<(Block, Inst)>> = FxHashMap::default();
    for &user in func.layout.iter().filter(|&&user| user != block && user != copy) {
        for &inst in &func.block(user).insts {
            func.visit_uses(inst, |value| {
                if pairs.contains_key(&value) {
                    uses.entry(value).or_default().push((user, inst));
                }
            });
        }
    }
    let cfg = Cfg::of(func);
    for value in definitions(func, block) {
        let Some(uses) = uses.remove(&value) else { continue };
        let at_end = FxHashMap::from_iter([(block, value), (copy, pairs[&value])]);
        let mut search =
            Search { func, cfg: &cfg, value, at_end, at_start: FxHashMap::default(), open: Vec::new() };
        for (user, inst) in uses {
            let reaching = search.at_start(user);
            search.func.map_uses(inst, |used| if used == value { reaching } else { used });
        }
        search.provide();
    }
}

/// Everything that the block defines, in order.
fn definitions(func: &Function, block: Block) -> Vec<Value> {
    let data = func.block(block);
    let results = data.insts.iter().flat_map(|&inst| &func.inst(inst).results);
    data.params.iter().chain(results).copied().collect()
}

struct Search<'a> {
    func: &'a mut Function,
    cfg: &'a Cfg,
    value: Value,
    at_end: FxHashMap<Block, Value>,
    at_start: FxHashMap<Block, Value>,
    /// Blocks that got a parameter which their predecessors do not provide yet.
    open: Vec<Block>,
}

impl Search<'_> {
    /// What the value is where the block begins. Follows single predecessors without recursion: functions
    /// may have a hundred thousand blocks in a row.
    fn at_start(&mut self, block: Block) -> Value {
        let mut passed = Vec::new();
        let mut current = block;
        let found = loop {
            if let Some(&known) = self.at_start.get(&current) {
                break known;
            }
            passed.push(current);
            let [only] = *self.cfg.predecessors(current) else {
                break self.choose_at(current);
            };
            if let Some(&known) = self.at_end.get(&only) {
                break known;
            }
            current = only;
        };
        self.at_start.extend(passed.into_iter().map(|block| (block, found)));
        found
    }

    fn choose_at(&mut self, block: Block) -> Value {
        self.open.push(block);
        self.func.add_param(block, self.func.ty(self.value))
    }

    /// Passes the new parameters what arrives on each edge, which may take more of them.
    fn provide(&mut self) {
        while let Some(block) = self.open.pop() {
            let mut sources = self.cfg.predecessors(block).to_vec();
            sources.dedup();
            for source in sources {
                let arg = match self.at_end.get(&source) {
                    Some(&known) => known,
                    None => self.at_start(source),
                };
                let terminator = self.func.terminator(source);
                let targets = &mut self.func.inst_mut(terminator).targets;
                targets
                    .iter_mut()
                    .filter(|target| target.block == block)
                    .for_each(|target| target.args.push(arg));
            }
        }
    }
}
