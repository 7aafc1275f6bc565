//! The order in which a round visits blocks: the dominator tree, forward edges before what they lead to.

use crate::ir::Block;
use crate::ir::Function;
use crate::ir::Op;
use crate::ir::Value;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;

/// One step of the walk over the dominator tree.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Down into a block.
    Enter(Block),
    /// Back to the block's parent.
    Leave,
}

/// The walk, and which edges go back.
pub struct Order {
    cfg: Cfg,
    steps: Vec<Step>,
    is_header: Vec<bool>,
}

impl Order {
    /// The order for a function.
    #[must_use]
    pub fn of(func: &Function) -> Order {
        let cfg = Cfg::of(func);
        let steps = steps(&Dominators::of(&cfg), func.entry());
        let mut order = Order { cfg, steps, is_header: vec![false; func.blocks.len()] };
        for &block in order.cfg.reverse_postorder() {
            let sources = order.cfg.predecessors(block);
            order.is_header[block.index()] = sources.iter().any(|&source| order.is_back_edge(source, block));
        }
        order
    }

    /// The whole walk.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether some edge comes back to the block.
    #[must_use]
    pub fn is_header(&self, block: Block) -> bool {
        self.is_header[block.index()]
    }

    /// The blocks that some edge comes back to.
    pub fn headers(&self) -> impl Iterator<Item = Block> + '_ {
        self.cfg.reverse_postorder().iter().copied().filter(|&block| self.is_header(block))
    }

    /// Whether the edge goes against the order, so that its target is visited before its source.
    #[must_use]
    pub fn is_back_edge(&self, source: Block, target: Block) -> bool {
        self.cfg.number(target) <= self.cfg.number(source)
    }

    /// The condition of the branch through whose one side alone the block is entered, and that side.
    #[must_use]
    pub fn only_edge(&self, func: &Function, block: Block) -> Option<(Value, bool)> {
        let &[source] = self.cfg.predecessors(block) else {
            return None;
        };
        let data = func.inst(func.terminator(source));
        (data.op == Op::Branch).then(|| (data.args[0], data.targets[0].block == block))
    }
}

/// Without recursion: the tree may be as deep as the function is long.
fn steps(dominators: &Dominators, entry: Block) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut stack = vec![Step::Enter(entry)];
    while let Some(step) = stack.pop() {
        steps.push(step);
        if let Step::Enter(block) = step {
            stack.push(Step::Leave);
            stack.extend(dominators.children(block).iter().rev().map(|&child| Step::Enter(child)));
        }
    }
    steps
}
