//! The dominator tree, by the iterative algorithm of Cooper, Harvey and Kennedy, and its back edges.

use super::cfg::Cfg;
use super::entity::{Block, Inst, Value};
use super::func::{Def, Function};

/// Which blocks stand on every path to which.
#[derive(Clone, Debug)]
pub struct Dominators {
    parent: Vec<Option<Block>>,
    /// When a walk over the tree enters and leaves each block: ancestors enclose their descendants.
    span: Vec<(u32, u32)>,
    children: Vec<Vec<Block>>,
}

impl Dominators {
    /// Computes the tree.
    #[must_use]
    pub fn of(cfg: &Cfg) -> Dominators {
        let parents = immediate_dominators(cfg);
        let order = cfg.reverse_postorder();
        let blocks = order.iter().map(|block| block.index() + 1).max().unwrap_or(0);
        let mut parent = vec![None; blocks];
        let mut children = vec![Vec::new(); blocks];
        for (position, &block) in order.iter().enumerate().skip(1) {
            let above = order[parents[position]];
            parent[block.index()] = Some(above);
            children[above.index()].push(block);
        }
        let span = spans(order[0], &children);
        Dominators { parent, span, children }
    }

    /// The closest block that stands on every path to this one; none for the entry.
    #[must_use]
    pub fn parent(&self, block: Block) -> Option<Block> {
        self.parent[block.index()]
    }

    /// The blocks whose parent this one is, in reverse postorder.
    #[must_use]
    pub fn children(&self, block: Block) -> &[Block] {
        &self.children[block.index()]
    }

    /// Whether every path to `below` goes through `above`; a reachable block dominates itself.
    #[must_use]
    pub fn dominates(&self, above: Block, below: Block) -> bool {
        let span = |block: Block| self.span.get(block.index()).copied().unwrap_or((0, 0));
        let ((enter, leave), (from, to)) = (span(above), span(below));
        enter != 0 && from != 0 && enter <= from && to <= leave
    }

    /// The edges that go back to a block which dominates their source, as (source, target).
    #[must_use]
    pub fn back_edges(&self, cfg: &Cfg) -> Vec<(Block, Block)> {
        let mut edges = Vec::new();
        for &target in cfg.reverse_postorder() {
            for &source in cfg.predecessors(target) {
                if self.dominates(target, source) {
                    edges.push((source, target));
                }
            }
        }
        edges
    }
}

/// For each position in reverse postorder the position of its immediate dominator.
fn immediate_dominators(cfg: &Cfg) -> Vec<usize> {
    let order = cfg.reverse_postorder();
    let mut parents: Vec<Option<usize>> = vec![None; order.len()];
    parents[0] = Some(0);
    let mut changed = true;
    while changed {
        changed = false;
        for (position, &block) in order.iter().enumerate().skip(1) {
            let known = cfg.predecessors(block).iter().filter_map(|&from| cfg.number(from));
            let new = known.filter(|&from| parents[from].is_some()).reduce(|a, b| meet(&parents, a, b));
            if parents[position] != new {
                parents[position] = new;
                changed = true;
            }
        }
    }
    parents
        .into_iter()
        .map(|parent| parent.expect("every block of the order has a predecessor before it"))
        .collect()
}

/// The closest common ancestor in the tree so far.
fn meet(parents: &[Option<usize>], mut a: usize, mut b: usize) -> usize {
    let up = |position: usize| parents[position].expect("ancestors were reached before");
    while a != b {
        while a > b {
            a = up(a);
        }
        while b > a {
            b = up(b);
        }
    }
    a
}

fn spans(root: Block, children: &[Vec<Block>]) -> Vec<(u32, u32)> {
    let mut span = vec![(0, 0); children.len()];
    let mut clock = 0;
    let mut stack = vec![(root, 0)];
    while let Some((block, next)) = stack.pop() {
        clock += 1;
        if next == 0 {
            span[block.index()].0 = clock;
        }
        match children[block.index()].get(next) {
            Some(&child) => {
                stack.push((block, next + 1));
                stack.push((child, 0));
            }
            None => span[block.index()].1 = clock,
        }
    }
    span
}

/// Where each instruction in the layout stands, to compare positions.
#[derive(Clone, Debug)]
pub struct Positions {
    place: Vec<Option<(Block, u32)>>,
}

impl Positions {
    /// Numbers the instructions of each block.
    #[must_use]
    pub fn of(func: &Function) -> Positions {
        let mut place = vec![None; func.insts.len()];
        for &block in &func.layout {
            for (position, &inst) in func.block(block).insts.iter().enumerate() {
                let position = u32::try_from(position).expect("instruction numbers fit 32 bits");
                place[inst.index()] = Some((block, position));
            }
        }
        Positions { place }
    }

    /// The instruction's block and its position in it; none when it is in no block of the layout.
    #[must_use]
    pub fn get(&self, inst: Inst) -> Option<(Block, usize)> {
        self.place.get(inst.index()).copied().flatten().map(|(block, position)| (block, position as usize))
    }

    /// Whether the value is defined on every path to this place, before it.
    #[must_use]
    pub fn is_available(
        &self,
        func: &Function,
        dominators: &Dominators,
        value: Value,
        at: (Block, usize),
    ) -> bool {
        match func.def(value) {
            Def::Param(block, _) => dominators.dominates(block, at.0),
            Def::Result(inst, _) => self.get(inst).is_some_and(|(block, position)| {
                if block == at.0 { position < at.1 } else { dominators.dominates(block, at.0) }
            }),
        }
    }
}
