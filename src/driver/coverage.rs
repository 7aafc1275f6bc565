//! Which ops a unit is made of, for `castiron.stats()` and the generator of random programs.

use std::collections::BTreeMap;

use crate::codegen;
use crate::ir::Function;
use crate::ir::Unit;

/// How often each op was lowered, by its mnemonic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// In generic versions.
    pub generic: BTreeMap<&'static str, u64>,
    /// In specialised versions.
    pub specialised: BTreeMap<&'static str, u64>,
    /// The ops at the exits, in the order of the exits' numbers.
    pub exits: Vec<&'static str>,
}

impl Coverage {
    /// Counts the ops of all functions.
    #[must_use]
    pub fn of(unit: &Unit) -> Coverage {
        let mut coverage = Coverage::default();
        for function in &unit.functions {
            count(function.generic.as_ref(), &mut coverage.generic);
            count(function.specialised.as_ref(), &mut coverage.specialised);
            if let Some(func) = &function.specialised {
                let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
                let exiting = insts
                    .filter(|&&inst| func.inst(inst).exit.is_some() && codegen::can_exit(unit, func, inst));
                coverage.exits.extend(exiting.map(|&inst| func.inst(inst).op.row().mnemonic));
            }
        }
        coverage
    }

    /// Adds another unit's counts.
    pub fn add(&mut self, other: &Coverage) {
        for (mine, theirs) in
            [(&mut self.generic, &other.generic), (&mut self.specialised, &other.specialised)]
        {
            for (mnemonic, count) in theirs {
                *mine.entry(mnemonic).or_default() += count;
            }
        }
    }
}

fn count(func: Option<&Function>, counts: &mut BTreeMap<&'static str, u64>) {
    if let Some(func) = func {
        for &block in &func.layout {
            for &inst in &func.block(block).insts {
                *counts.entry(func.inst(inst).op.row().mnemonic).or_default() += 1;
            }
        }
    }
}
