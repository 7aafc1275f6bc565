//! The verifier: CIR's specification beyond what the op table says. A failure is always a bug of ours.
//!
//! Blocks and instructions
//! - The layout names each block once and only reachable ones; its first block has no predecessor.
//! - A block ends with its only terminator. An instruction stands in one place.
//! - A parameter's or result's definition names exactly where it stands.
//! - Only reducible control flow: every loop is entered through its header alone.
//!
//! Instructions
//! - Operands, immediate kind and results are what the row says. Where the row leaves the results open:
//!   `guard.tuple` and `object.unpack` have as many `obj` results as the immediate says, `call.direct`
//!   has one, of the machine type that the callee's signature promises; its operands match it too.
//! - Constants, cells and functions that an immediate names are in the unit; a name is a str,
//!   `object.call` has a callable and at least as many further operands as names.
//! - `control.raise` has one or two operands, `float.math` as many as the function takes.
//! - `control.jump` has one target, `control.branch` two, nothing else has any. A target passes one
//!   value of the right type for each parameter.
//! - `control.ret` returns the function's result type.
//!
//! Values
//! - A definition dominates every use: operands, jump arguments, exit slots, unwind lists, shown variables.
//! - Unwind lists name objects, for instructions that raise or exit.
//!
//! Shown variables
//! - Only an instruction that raises shows any: those of each function of its site, ascending.
//! - What says whether one is bound is a `bool`.
//!
//! Exits
//! - An instruction has an exit state exactly when its op exits.
//! - The frames follow the instruction's site: the innermost is the function it came from, the
//!   outermost this one, and every frame but the innermost waits for a call (`After`).
//! - The innermost point is `After` exactly for `call.direct`.
//! - The numbers of a range are `i64`.
//! - That the slots are complete needs liveness: [`crate::analysis::exits`].
//!
//! Generic versions, besides
//! - Every value is `obj` or `bool`; no instruction exits.
//! - No critical edge goes into a loop header.

mod insts;

use std::fmt;

use super::cfg::Cfg;
use super::dominators::{Dominators, Positions};
use super::entity::{Block, Inst, Value};
use super::func::{Def, Function};
use super::ops::Type;
use super::unit::Unit;

/// Which version of a function something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The complete version, all objects.
    Generic,
    /// The version that bets.
    Specialised,
}

/// What is wrong with a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// One line for each fault, with its place.
    pub faults: Vec<String>,
    /// The function as text.
    pub text: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        f.write_str(&self.text)
    }
}

impl std::error::Error for VerifyError {}

/// Checks every invariant of the list above.
///
/// # Errors
/// All faults that were found; a fault of the structure ends the search, as the rest relies on it.
pub fn verify(unit: &Unit, func: &Function, version: Version) -> Result<(), VerifyError> {
    let mut verifier = Verifier { unit, func, version, faults: Vec::new() };
    verifier.check_structure();
    if verifier.faults.is_empty() {
        verifier.check_insts();
        verifier.check_graph();
    }
    if verifier.faults.is_empty() {
        return Ok(());
    }
    Err(VerifyError { faults: verifier.faults, text: func.display(unit).to_string() })
}

struct Verifier<'a> {
    unit: &'a Unit,
    func: &'a Function,
    version: Version,
    faults: Vec<String>,
}

impl Verifier<'_> {
    fn fault(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.faults.push(format!("{}: {place}: {what}", self.func.id));
    }

    /// What everything else relies on: indices in range, one place for everything, terminators.
    fn check_structure(&mut self) {
        if self.func.layout.is_empty() {
            return self.fault("layout", "no block");
        }
        let mut in_layout = vec![false; self.func.blocks.len()];
        for &block in &self.func.layout {
            match in_layout.get_mut(block.index()) {
                None => return self.fault(block, "no such block"),
                Some(seen) if *seen => return self.fault(block, "stands twice in the layout"),
                Some(seen) => *seen = true,
            }
        }
        let mut placed = vec![false; self.func.insts.len()];
        for &block in &self.func.layout {
            self.check_block(block, &mut placed);
            for &inst in &self.func.block(block).insts {
                self.check_indices(inst, &in_layout);
            }
        }
    }

    fn check_block(&mut self, block: Block, placed: &mut [bool]) {
        let data = self.func.block(block);
        for (number, &param) in data.params.iter().enumerate() {
            self.check_def(param, Def::Param(block, number));
        }
        if data.insts.is_empty() {
            self.fault(block, "empty");
        }
        for (position, &inst) in data.insts.iter().enumerate() {
            match placed.get_mut(inst.index()) {
                None => {
                    self.fault(inst, "no such instruction");
                    continue;
                }
                Some(seen) if *seen => self.fault(inst, "stands twice"),
                Some(seen) => *seen = true,
            }
            let is_last = position + 1 == data.insts.len();
            if self.func.inst(inst).op.is_terminator() != is_last {
                self.fault(
                    inst,
                    if is_last { "the block ends without a terminator" } else { "terminator inside a block" },
                );
            }
            for (number, &result) in self.func.inst(inst).results.iter().enumerate() {
                self.check_def(result, Def::Result(inst, number));
            }
        }
    }

    fn check_def(&mut self, value: Value, def: Def) {
        match self.func.values.get(value.index()) {
            None => self.fault(value, "no such value"),
            Some(data) if data.def != def => {
                self.fault(value, format_args!("defined at {def:?}, but its data says {:?}", data.def))
            }
            Some(_) => {}
        }
    }

    fn check_indices(&mut self, inst: Inst, in_layout: &[bool]) {
        let Some(data) = self.func.insts.get(inst.index()) else { return };
        for target in &data.targets {
            if !in_layout.get(target.block.index()).copied().unwrap_or(false) {
                self.fault(inst, format_args!("target {} is not in the layout", target.block));
            }
        }
        if data.exit.is_some_and(|exit| exit.index() >= self.func.exits.len()) {
            return self.fault(inst, "no such exit state");
        }
        let mut unknown = Vec::new();
        let mut look = |value: Value| {
            if value.index() >= self.func.values.len() {
                unknown.push(value);
            }
        };
        self.func.visit_uses(inst, &mut look);
        self.func.unwind.get(&inst).into_iter().flatten().copied().for_each(&mut look);
        for value in unknown {
            self.fault(inst, format_args!("{value} does not exist"));
        }
    }

    fn check_graph(&mut self) {
        let cfg = Cfg::of(self.func);
        for &block in &self.func.layout {
            if !cfg.is_reachable(block) {
                self.fault(block, "not reachable");
            }
        }
        let entry = self.func.entry();
        if !cfg.predecessors(entry).is_empty() {
            self.fault(entry, "the entry has predecessors");
        }
        let dominators = Dominators::of(&cfg);
        self.check_edges(&cfg, &dominators);
        let positions = Positions::of(self.func);
        for &block in cfg.reverse_postorder() {
            for (position, &inst) in self.func.block(block).insts.iter().enumerate() {
                let mut missing = Vec::new();
                let mut look = |value: Value| {
                    if !positions.is_available(self.func, &dominators, value, (block, position)) {
                        missing.push(value);
                    }
                };
                self.func.visit_uses(inst, &mut look);
                self.func.unwind.get(&inst).into_iter().flatten().copied().for_each(&mut look);
                for value in missing {
                    self.fault(inst, format_args!("the definition of {value} does not dominate this use"));
                }
            }
        }
    }

    fn check_edges(&mut self, cfg: &Cfg, dominators: &Dominators) {
        for &source in cfg.reverse_postorder() {
            let targets = &self.func.inst(self.func.terminator(source)).targets;
            for target in targets {
                if cfg.number(target.block) <= cfg.number(source)
                    && !dominators.dominates(target.block, source)
                {
                    self.fault(source, format_args!("the loop at {} has another entry", target.block));
                }
                let is_critical = targets.len() > 1 && cfg.predecessors(target.block).len() > 1;
                let is_header = || {
                    cfg.predecessors(target.block)
                        .iter()
                        .any(|&from| dominators.dominates(target.block, from))
                };
                if self.version == Version::Generic && is_critical && is_header() {
                    self.fault(source, format_args!("critical edge into the loop header {}", target.block));
                }
            }
        }
    }

    fn type_of(&self, value: Value) -> Type {
        self.func.ty(value)
    }
}
