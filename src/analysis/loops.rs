//! The natural loops of a function with reducible control flow, as a forest.

use crate::ir::Block;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;

/// A loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The block through which it is entered.
    pub header: Block,
    /// The blocks that go back to the header.
    pub latches: Vec<Block>,
    /// Its blocks, those of inner loops included, in reverse postorder: the header first.
    pub blocks: Vec<Block>,
    /// The loop around it, by its number.
    pub parent: Option<usize>,
    /// How many loops it lies in, itself counted.
    pub depth: usize,
}

/// All loops; outer ones come before inner ones.
#[derive(Clone, Debug)]
pub struct Loops {
    loops: Vec<Loop>,
    innermost: Vec<Option<usize>>,
}

impl Loops {
    /// Finds the loops.
    #[must_use]
    pub fn of(cfg: &Cfg, dominators: &Dominators) -> Loops {
        let order = cfg.reverse_postorder();
        let size = order.iter().map(|block| block.index() + 1).max().unwrap_or(0);
        let mut loops = Loops { loops: Vec::new(), innermost: vec![None; size] };
        for &header in order {
            let sources = cfg.predecessors(header).iter().copied();
            let mut latches: Vec<Block> =
                sources.filter(|&source| dominators.dominates(header, source)).collect();
            latches.dedup();
            if !latches.is_empty() {
                loops.add(cfg, header, latches);
            }
        }
        loops
    }

    /// The loops by their numbers.
    #[must_use]
    pub fn all(&self) -> &[Loop] {
        &self.loops
    }

    /// The innermost loop that the block lies in, by its number.
    #[must_use]
    pub fn innermost(&self, block: Block) -> Option<usize> {
        self.innermost.get(block.index()).copied().flatten()
    }

    /// How many loops the block lies in.
    #[must_use]
    pub fn depth(&self, block: Block) -> usize {
        self.innermost(block).map_or(0, |number| self.loops[number].depth)
    }

    /// Whether the block lies in the loop, or in one inside it.
    #[must_use]
    pub fn contains(&self, number: usize, block: Block) -> bool {
        let mut inner = self.innermost(block);
        while let Some(current) = inner {
            if current == number {
                return true;
            }
            inner = self.loops[current].parent;
        }
        false
    }

    /// Headers come in reverse postorder, so the loops around this one are there already and what
    /// `innermost` says of the header is the closest of them.
    fn add(&mut self, cfg: &Cfg, header: Block, latches: Vec<Block>) {
        let number = self.loops.len();
        let parent = self.innermost(header);
        let depth = parent.map_or(1, |parent| self.loops[parent].depth + 1);
        let mut blocks = vec![header];
        self.innermost[header.index()] = Some(number);
        let mut work = latches.clone();
        while let Some(block) = work.pop() {
            if self.innermost[block.index()] == Some(number) {
                continue;
            }
            self.innermost[block.index()] = Some(number);
            blocks.push(block);
            work.extend_from_slice(cfg.predecessors(block));
        }
        blocks.sort_by_key(|&block| cfg.number(block));
        self.loops.push(Loop { header, latches, blocks, parent, depth });
    }
}
