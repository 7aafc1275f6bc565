//! The control flow graph of a function: reachable blocks in reverse postorder, and predecessors.

use super::entity::Block;
use super::func::Function;

/// The edges of a function whose blocks all end with a terminator.
#[derive(Clone, Debug)]
pub struct Cfg {
    order: Vec<Block>,
    number: Vec<Option<u32>>,
    predecessors: Vec<Vec<Block>>,
}

impl Cfg {
    /// Reads the graph.
    #[must_use]
    pub fn of(func: &Function) -> Cfg {
        let mut order = postorder(func);
        order.reverse();
        let mut number = vec![None; func.blocks.len()];
        let mut predecessors = vec![Vec::new(); func.blocks.len()];
        for (position, &block) in order.iter().enumerate() {
            number[block.index()] = Some(u32::try_from(position).expect("block numbers fit 32 bits"));
            for successor in func.successors(block) {
                predecessors[successor.index()].push(block);
            }
        }
        Cfg { order, number, predecessors }
    }

    /// The reachable blocks in reverse postorder.
    #[must_use]
    pub fn reverse_postorder(&self) -> &[Block] {
        &self.order
    }

    /// The block's position in reverse postorder; none when it is not reachable.
    #[must_use]
    pub fn number(&self, block: Block) -> Option<usize> {
        self.number[block.index()].map(|number| number as usize)
    }

    /// Whether the entry reaches the block.
    #[must_use]
    pub fn is_reachable(&self, block: Block) -> bool {
        self.number[block.index()].is_some()
    }

    /// The reachable predecessors, one for each edge: a branch with two equal targets counts twice.
    #[must_use]
    pub fn predecessors(&self, block: Block) -> &[Block] {
        &self.predecessors[block.index()]
    }
}

/// Depth-first, without recursion: functions may have a hundred thousand blocks in a row.
fn postorder(func: &Function) -> Vec<Block> {
    let mut seen = vec![false; func.blocks.len()];
    let mut order = Vec::with_capacity(func.layout.len());
    let mut stack = vec![(func.entry(), 0)];
    seen[func.entry().index()] = true;
    while let Some((block, next)) = stack.pop() {
        let targets = &func.inst(func.terminator(block)).targets;
        let Some(target) = targets.get(next) else {
            order.push(block);
            continue;
        };
        stack.push((block, next + 1));
        if !std::mem::replace(&mut seen[target.block.index()], true) {
            stack.push((target.block, 0));
        }
    }
    order
}
