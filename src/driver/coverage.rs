//! Which ops a unit is made of, for `castiron.stats()` and the generator of random programs.

use std::collections::BTreeMap;

use crate::codegen;
use crate::ir::ExitFrame;
use crate::ir::ExitState;
use crate::ir::Function;
use crate::ir::Point;
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
    /// The kinds of the entries of generic versions where each exit goes on, in the order of its frames: an op,
    /// before or after it, and how deep the function was inlined.
    pub entries: Vec<Vec<String>>,
    /// In how many exits each of these kinds stands.
    pub kinds: BTreeMap<String, u64>,
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
                for data in exiting.map(|&inst| func.inst(inst)) {
                    coverage.exits.push(data.op.row().mnemonic);
                    let exit = data.exit.expect("only these were kept");
                    coverage.entries.push(entry_kinds(unit, func.exit(exit)));
                }
            }
        }
        for kind in coverage.entries.iter().flatten() {
            *coverage.kinds.entry(kind.clone()).or_default() += 1;
        }
        coverage
    }

    /// Adds another unit's counts.
    pub fn add(&mut self, other: &Coverage) {
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
        for (mine, theirs) in
            [(&mut self.generic, &other.generic), (&mut self.specialised, &other.specialised)]
        {
            for (mnemonic, count) in theirs {
                *mine.entry(mnemonic).or_default() += count;
            }
        }
    }
}

/// Where an exit goes on, for each of its frames.
fn entry_kinds(unit: &Unit, state: &ExitState) -> Vec<String> {
    let kind = |(inner, frame): (usize, &ExitFrame)| {
        let op = |inst| {
            let generic = unit.function(frame.func).generic.as_ref();
            generic.map_or("nothing", |generic| generic.inst(inst).op.row().mnemonic)
        };
        let place = match frame.point {
            Point::Entry => String::from("the beginning"),
            Point::Before(inst) => format!("before {}", op(inst)),
            Point::After(inst) => format!("after {}", op(inst)),
        };
        match state.frames.len() - 1 - inner {
            0 => place,
            depth => format!("{place}, inlined {depth} deep"),
        }
    };
    state.frames.iter().enumerate().map(kind).collect()
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
