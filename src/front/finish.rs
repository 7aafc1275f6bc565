//! The last step of a build: from the builder's function to the generic version.
//!
//! In: a function with blocks that nothing reaches, parameters that always get the same value or that
//! nobody reads, jumps between blocks that could be one, and three values that stand for an unbound variable.
//! Out: the same program without them, with blocks, instructions and values numbered in the order of the layout.
//!
//! ```text
//! entry: v1 = None; v2 = true; v3 = false          entry: v1 = 1
//!        v4 = 1; jump a(v4, v2)            becomes         jump a
//! a(v5, v6): branch v6, b, c                        a:     jump a
//! b: jump a(v5, v6)
//! c: raise_unbound x
//! ```

use rustc_hash::FxHashMap;

use crate::ir::Block;
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

/// The values that stand for an unbound variable and for what is known about "is bound". Defined in the
/// entry block; wherever one is still used in the end, it is defined anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constants {
    /// `None`
    pub(super) unbound: Value,
    /// True.
    pub(super) yes: Value,
    /// False.
    pub(super) no: Value,
}

impl Constants {
    fn contains(self, value: Value) -> bool {
        value == self.unbound || value == self.yes || value == self.no
    }
}

/// The cleaned function.
pub(super) fn finish(function: &Function, constants: Constants) -> Function {
    let mut cleaner = Cleaner {
        function,
        constants,
        same_as: vec![None; function.values.len()],
        reached: Vec::new(),
        needed: vec![false; function.values.len()],
        predecessors: vec![0; function.blocks.len()],
    };
    cleaner.settle();
    cleaner.find_needed();
    Writer::new(&cleaner).write()
}

struct Cleaner<'f> {
    function: &'f Function,
    constants: Constants,
    /// The value that a parameter always has.
    same_as: Vec<Option<Value>>,
    /// The blocks that can be reached, in the order of the layout.
    reached: Vec<Block>,
    /// The values that something reads.
    needed: Vec<bool>,
    /// How many jumps go to a block.
    predecessors: Vec<usize>,
}

impl Cleaner<'_> {
    fn resolve(&self, mut value: Value) -> Value {
        while let Some(other) = self.same_as[value.index()] {
            value = other;
        }
        value
    }

    /// Where a block goes; a branch on a known truth goes one way.
    fn targets(&self, block: Block) -> &[Target] {
        let data = self.function.inst(self.function.terminator(block));
        if data.op == Op::Branch {
            let condition = self.resolve(data.args[0]);
            if condition == self.constants.yes {
                return &data.targets[..1];
            }
            if condition == self.constants.no {
                return &data.targets[1..];
            }
        }
        &data.targets
    }

    /// Finds what is reached and which parameters are no more than another value, until neither changes.
    fn settle(&mut self) {
        loop {
            self.find_reached();
            if !self.find_same() {
                return;
            }
        }
    }

    fn find_reached(&mut self) {
        let mut seen = vec![false; self.function.blocks.len()];
        let mut work = vec![self.function.entry()];
        self.predecessors.fill(0);
        seen[self.function.entry().index()] = true;
        while let Some(block) = work.pop() {
            let blocks: Vec<Block> = self.targets(block).iter().map(|target| target.block).collect();
            for target in blocks {
                self.predecessors[target.index()] += 1;
                if !std::mem::replace(&mut seen[target.index()], true) {
                    work.push(target);
                }
            }
        }
        self.reached = self.function.layout.iter().copied().filter(|block| seen[block.index()]).collect();
    }

    /// Finds parameters that get one value only, besides themselves; whether there was a new one.
    fn find_same(&mut self) -> bool {
        let mut found = false;
        loop {
            let candidates = self.single_values();
            for &(param, value) in &candidates {
                let value = self.resolve(value);
                if value != param {
                    self.same_as[param.index()] = Some(value);
                }
            }
            if candidates.is_empty() {
                return found;
            }
            found = true;
        }
    }

    fn single_values(&self) -> Vec<(Value, Value)> {
        let mut incoming: FxHashMap<Value, Option<Value>> = FxHashMap::default();
        for &block in &self.reached {
            for target in self.targets(block) {
                let params = &self.function.block(target.block).params;
                for (&param, &arg) in params.iter().zip(&target.args) {
                    let arg = self.resolve(arg);
                    if self.same_as[param.index()].is_some() || arg == param {
                        continue;
                    }
                    incoming
                        .entry(param)
                        .and_modify(|known| *known = known.filter(|&known| known == arg))
                        .or_insert(Some(arg));
                }
            }
        }
        let params = self.reached.iter().flat_map(|&block| &self.function.block(block).params);
        params.filter_map(|&param| Some((param, incoming.get(&param).copied().flatten()?))).collect()
    }

    fn stays(&self, inst: &InstData) -> bool {
        match inst.op {
            // A constant lives as long as the unit: dropping it is no event; and it is no frame.
            Op::Release | Op::ObjLeaveFrame => {
                let value = self.resolve(inst.args[0]);
                self.function.def_inst(value).is_none_or(|def| def.op != Op::ObjConst)
            }
            op => !op.is_removable() || inst.results.iter().any(|result| self.needed[result.index()]),
        }
    }

    /// A shown variable as it is in the new function, before its values are replaced; none where it is
    /// unbound. A constant needs no value.
    fn shown(&self, variable: &ShownVariable) -> Option<ShownVariable> {
        let mut shown = variable.clone();
        if let Slot::Value(value) = &mut shown.slot {
            *value = self.resolve(*value);
            if *value == self.constants.unbound {
                return None;
            }
            if let Some(InstData { op: Op::ObjConst, imm: Imm::Const(id), .. }) =
                self.function.def_inst(*value)
            {
                shown.slot = Slot::Const(*id);
            }
        }
        shown.bound = shown.bound.map(|bound| self.resolve(bound));
        match shown.bound {
            Some(bound) if bound == self.constants.no => return None,
            Some(bound) if bound == self.constants.yes => shown.bound = None,
            _ => {}
        }
        Some(shown)
    }

    /// The values of what the reached instructions show, those that stay.
    fn shown_values(&self) -> Vec<Value> {
        let mut values = Vec::new();
        let mut is_seen = vec![false; self.function.shows.len()];
        let insts = self.reached.iter().flat_map(|&block| &self.function.block(block).insts);
        let staying = insts.filter(|&&inst| self.stays(self.function.inst(inst)));
        for show in staying.filter_map(|inst| self.function.shown.get(inst)) {
            if !std::mem::replace(&mut is_seen[show.index()], true) {
                let frames = &self.function.shows[show.index()].frames;
                for variable in frames.iter().flatten().filter_map(|variable| self.shown(variable)) {
                    variable.slot.visit_values(&mut |value| values.push(value));
                    values.extend(variable.bound);
                }
            }
        }
        values
    }

    fn find_needed(&mut self) {
        let mut sources: FxHashMap<Value, Vec<Value>> = FxHashMap::default();
        let mut work = self.shown_values();
        for &block in &self.reached {
            for &inst in &self.function.block(block).insts {
                let data = self.function.inst(inst);
                if data.op.is_removable() {
                    for &result in &data.results {
                        sources.entry(result).or_default().extend(&data.args);
                    }
                } else if self.stays(data) && !(data.op == Op::Branch && self.targets(block).len() == 1) {
                    work.extend(&data.args);
                }
            }
            for target in self.targets(block) {
                for (&param, &arg) in self.function.block(target.block).params.iter().zip(&target.args) {
                    sources.entry(param).or_default().push(arg);
                }
            }
        }
        while let Some(value) = work.pop() {
            let value = self.resolve(value);
            if !std::mem::replace(&mut self.needed[value.index()], true) {
                work.extend(sources.get(&value).into_iter().flatten());
            }
        }
    }

    fn keeps_param(&self, param: Value) -> bool {
        self.same_as[param.index()].is_none() && self.needed[param.index()]
    }

    /// The block that a block can be joined with: the only way out of one, the only way into the other.
    fn joined(&self, block: Block) -> Option<Block> {
        match self.targets(block) {
            [only] if self.predecessors[only.block.index()] == 1 && only.block != self.function.entry() => {
                Some(only.block)
            }
            _ => None,
        }
    }
}

/// An instruction that still has its old operands and targets, its block, and the new values for those old
/// ones that stand for an unbound variable.
type Pending = (Block, Inst, Vec<(Value, Value)>);

/// Writes the new function, in two steps: first everything that defines a value, then what reads them.
struct Writer<'c, 'f> {
    cleaner: &'c Cleaner<'f>,
    new: Function,
    blocks: FxHashMap<Block, Block>,
    values: FxHashMap<Value, Value>,
    pending: Vec<Pending>,
    /// The new instructions that show something, with what the old ones show.
    showing: Vec<(Inst, Show)>,
}

impl<'c, 'f> Writer<'c, 'f> {
    fn new(cleaner: &'c Cleaner<'f>) -> Writer<'c, 'f> {
        let old = cleaner.function;
        let new = Function::new(old.id, &old.name, old.result);
        Writer {
            cleaner,
            new,
            blocks: FxHashMap::default(),
            values: FxHashMap::default(),
            pending: Vec::new(),
            showing: Vec::new(),
        }
    }

    fn write(mut self) -> Function {
        let mut is_joined = vec![false; self.cleaner.function.blocks.len()];
        for &block in &self.cleaner.reached {
            if let Some(next) = self.cleaner.joined(block) {
                is_joined[next.index()] = true;
            }
        }
        let heads: Vec<Block> =
            self.cleaner.reached.iter().copied().filter(|block| !is_joined[block.index()]).collect();
        for &head in &heads {
            let block = self.new.add_block();
            self.new.block_mut(block).cold = self.cleaner.function.block(head).cold;
            self.blocks.insert(head, block);
        }
        for head in heads {
            self.define(head);
        }
        for pending in std::mem::take(&mut self.pending) {
            self.connect(pending);
        }
        self.write_shown();
        self.new
    }

    fn define(&mut self, head: Block) {
        let old = self.cleaner.function;
        let block = self.blocks[&head];
        let is_entry = head == old.entry();
        for &param in &old.block(head).params {
            if is_entry || self.cleaner.keeps_param(param) {
                let value = self.new.add_param(block, old.ty(param));
                self.values.insert(param, value);
            }
        }
        let mut part = head;
        loop {
            let next = self.cleaner.joined(part);
            let insts = &old.block(part).insts;
            let kept = if next.is_some() { &insts[..insts.len() - 1] } else { insts };
            for &inst in kept {
                self.define_inst(block, part, inst);
            }
            match next {
                Some(next) => part = next,
                None => return,
            }
        }
    }

    fn define_inst(&mut self, block: Block, part: Block, inst: Inst) {
        let old = self.cleaner.function;
        let mut data = old.inst(inst).clone();
        let is_marker = data.results.first().is_some_and(|&result| self.cleaner.constants.contains(result));
        if is_marker || !self.cleaner.stays(&data) {
            return;
        }
        if data.op == Op::Branch {
            data.targets = self.cleaner.targets(part).to_vec();
            if data.targets.len() == 1 {
                data.op = Op::Jump;
                data.args.clear();
            }
        }
        let markers = self.markers_of(&data);
        let markers: Vec<(Value, Value)> =
            markers.into_iter().map(|marker| (marker, self.marker(block, marker))).collect();
        let results = std::mem::take(&mut data.results);
        let types: Vec<Type> = results.iter().map(|&result| old.ty(result)).collect();
        let new = self.new.add_inst(data, &types);
        for (old, &new) in results.iter().zip(&self.new.inst(new).results) {
            self.values.insert(*old, new);
        }
        self.pending.push((block, new, markers));
        self.showing.extend(old.shown.get(&inst).map(|&show| (new, show)));
    }

    /// Says of the new instructions what they show.
    fn write_shown(&mut self) {
        let mut known: FxHashMap<Show, Show> = FxHashMap::default();
        for (inst, old) in std::mem::take(&mut self.showing) {
            let show = *known.entry(old).or_insert_with(|| {
                let frames = self.cleaner.function.shows[old.index()].frames.iter();
                let shown = |variable: &ShownVariable| self.cleaner.shown(variable);
                let frames = frames.map(|frame| frame.iter().filter_map(shown).collect());
                let mut shown = Shown { frames: frames.collect() };
                shown.map_values(&mut |value| self.values[&value]);
                self.new.add_show(shown)
            });
            self.new.shown.insert(inst, show);
        }
    }

    /// Which of the values for an unbound variable an old instruction reads.
    fn markers_of(&self, data: &InstData) -> Vec<Value> {
        let mut markers = Vec::new();
        let passed = data.targets.iter().flat_map(|target| {
            let params = &self.cleaner.function.block(target.block).params;
            params
                .iter()
                .zip(&target.args)
                .filter(|(param, _)| self.cleaner.keeps_param(**param))
                .map(|(_, arg)| arg)
        });
        for &arg in data.args.iter().chain(passed) {
            let arg = self.cleaner.resolve(arg);
            if self.cleaner.constants.contains(arg) && !markers.contains(&arg) {
                markers.push(arg);
            }
        }
        markers
    }

    /// Defines what stands for an unbound variable anew, in this block.
    fn marker(&mut self, block: Block, marker: Value) -> Value {
        let old = self.cleaner.function;
        let mut data = old.def_inst(marker).expect("a constant is the result of an instruction").clone();
        data.results.clear();
        let new = self.new.add_inst(data, &[old.ty(marker)]);
        self.pending.push((block, new, Vec::new()));
        self.new.inst(new).results[0]
    }

    /// Gives an instruction its operands and targets and puts it into its block.
    fn connect(&mut self, (block, inst, markers): Pending) {
        let value = |old: Value| {
            let old = self.cleaner.resolve(old);
            let marker = markers.iter().find(|(marker, _)| *marker == old).map(|&(_, new)| new);
            marker.unwrap_or_else(|| self.values[&old])
        };
        let target = |target: &Target| {
            let params = &self.cleaner.function.block(target.block).params;
            let passed =
                params.iter().zip(&target.args).filter(|(param, _)| self.cleaner.keeps_param(**param));
            Target { block: self.blocks[&target.block], args: passed.map(|(_, &arg)| value(arg)).collect() }
        };
        let old = self.new.inst(inst);
        let args = old.args.iter().map(|&arg| value(arg)).collect();
        let targets = old.targets.iter().map(target).collect();
        let data = self.new.inst_mut(inst);
        data.args = args;
        data.targets = targets;
        self.new.block_mut(block).insts.push(inst);
    }
}
