//! Items that are only moved: from one place of a list to another, or two that change places.
//!
//! ```text
//! v3 = list.item_int v0, v1 exit [A]
//! list.set_int v2, v1, v3 exit [..]        ->    list.copy_item v2, v1, v0, v1 exit [A]
//!
//! v3 = list.item_int v0, v1 exit [A]
//! v4 = list.item_int v0, v2 exit [..]
//! list.set_int v0, v2, v3 exit [..]
//! list.set_int v0, v1, v4 exit [..]        ->    list.swap v0, v1, v2 exit [A]
//! ```
//!
//! Nobody asks what such an item is, and CPython moves the very object. What stands between the read and the
//! store has no effect, so the exit goes back to the read.

use crate::ir::Block;
use crate::ir::Effects;
use crate::ir::Function;
use crate::ir::Imm;
use crate::ir::Inst;
use crate::ir::Op;
use crate::ir::Value;

/// How far behind its read a store is looked for.
const REACH: usize = 16;

/// Replaces reads and stores that only move items.
pub fn move_items(func: &mut Function) {
    let mut moves = Moves { uses: uses_of(func), func };
    for block in moves.func.layout.clone() {
        moves.block(block);
    }
}

/// How often each value is read.
fn uses_of(func: &Function) -> Vec<u32> {
    let mut uses = vec![0; func.values.len()];
    for &block in &func.layout {
        for &inst in &func.block(block).insts {
            func.visit_uses(inst, |value| uses[value.index()] += 1);
        }
    }
    uses
}

struct Moves<'f> {
    func: &'f mut Function,
    uses: Vec<u32>,
}

/// A read of an item, and the list and the index that it is given.
#[derive(Clone, Copy)]
struct Read {
    inst: Inst,
    list: Value,
    index: Value,
    item: Value,
}

impl Moves<'_> {
    fn block(&mut self, block: Block) {
        let mut position = 0;
        while position < self.func.block(block).insts.len() {
            if !self.swap(block, position) {
                self.copy(block, position);
            }
            position += 1;
        }
    }

    fn read(&self, inst: Inst) -> Option<Read> {
        let data = self.func.inst(inst);
        let reads = matches!(data.op, Op::ListItem | Op::ListItemInt | Op::ListItemFloat | Op::ListItemBool);
        match data.args[..] {
            [list, index] if reads => Some(Read { inst, list, index, item: data.results[0] }),
            _ => None,
        }
    }

    /// Whether the instruction stores the item into the list at the index.
    fn stores(&self, inst: Inst, list: Value, index: Option<Value>, item: Value) -> bool {
        let data = self.func.inst(inst);
        let stores = matches!(data.op, Op::ListSet | Op::ListSetInt | Op::ListSetFloat | Op::ListSetBool);
        match data.args[..] {
            [to, at, value] => {
                stores && to == list && value == item && index.is_none_or(|index| index == at) && at != item
            }
            _ => false,
        }
    }

    /// The next instruction behind this position that has an effect, with its position.
    fn next_effect(&self, block: Block, position: usize) -> Option<(usize, Inst)> {
        let insts = self.func.block(block).insts.iter().copied().enumerate().skip(position + 1).take(REACH);
        insts.into_iter().find(|&(_, inst)| self.func.inst(inst).op.effects() != Effects::NONE)
    }

    /// Whether these instructions are all that reads the value.
    fn is_read_only_by(&self, value: Value, readers: &[Inst]) -> bool {
        let mut found = 0;
        for &reader in readers {
            self.func.visit_uses(reader, |read| found += u32::from(read == value));
        }
        found == self.uses[value.index()]
    }

    /// Looks for two items that change places, the first of which is read here.
    fn swap(&mut self, block: Block, position: usize) -> bool {
        let insts = &self.func.block(block).insts;
        let Some(first) = self.read(insts[position]) else { return false };
        let Some((at, inst)) = self.next_effect(block, position) else { return false };
        let Some(second) = self.read(inst).filter(|second| second.list == first.list) else { return false };
        let Some((at, here)) = self.next_effect(block, at) else { return false };
        let Some((_, there)) = self.next_effect(block, at) else { return false };
        let moved = self.stores(here, first.list, Some(second.index), first.item)
            && self.stores(there, first.list, Some(first.index), second.item)
            && self.is_read_only_by(first.item, &[second.inst, here])
            && self.is_read_only_by(second.item, &[here, there]);
        if moved {
            let args = vec![first.list, first.index, second.index];
            self.become_move(block, &[first, second], (there, Op::ListSwap, args), Some(here));
        }
        moved
    }

    /// Looks for the store of an item that is read here and nowhere else used.
    fn copy(&mut self, block: Block, position: usize) {
        let Some(read) = self.read(self.func.block(block).insts[position]) else { return };
        let Some((_, store)) = self.next_effect(block, position) else { return };
        let &[to, at, _] = &self.func.inst(store).args[..] else { return };
        if self.stores(store, to, None, read.item)
            && to != read.item
            && self.is_read_only_by(read.item, &[store])
        {
            let args = vec![to, at, read.list, read.index];
            self.become_move(block, &[read], (store, Op::ListCopyItem, args), None);
        }
    }

    /// Makes the last store the move, which exits as the first read did; the other instructions go.
    fn become_move(
        &mut self,
        block: Block,
        reads: &[Read],
        (store, op, args): (Inst, Op, Vec<Value>),
        other: Option<Inst>,
    ) {
        let known = |inst: Inst| self.func.inst(inst).imm == Imm::Bool(true);
        let is_known = reads.iter().all(|read| known(read.inst)) && known(store);
        let exit = self.func.inst(reads[0].inst).exit;
        for inst in reads.iter().map(|read| read.inst).chain(other).chain([store]) {
            self.func.visit_uses(inst, |value| self.uses[value.index()] -= 1);
        }
        let data = self.func.inst_mut(store);
        data.op = op;
        data.imm = Imm::Bool(is_known);
        data.args = args;
        data.exit = exit;
        self.func.visit_uses(store, |value| self.uses[value.index()] += 1);
        let goes = |inst: &Inst| reads.iter().any(|read| read.inst == *inst) || other == Some(*inst);
        self.func.block_mut(block).insts.retain(|inst| !goes(inst));
    }
}
