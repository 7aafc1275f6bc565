//! Traceback entries of raising instructions, each kind kept once per unit.

use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use crate::ir::{FuncId, Function, Inst};
use crate::runtime::meta::{Position, ShowMeta, TraceMeta};

/// The traces of a unit, by number.
#[derive(Debug, Default)]
pub(super) struct Traces {
    numbers: FxHashMap<TraceMeta, u32>,
    /// In the order of their numbers.
    pub(super) metas: Vec<TraceMeta>,
    shown: FxHashMap<ShowMeta, u32>,
    /// What instructions show, in the order of their numbers.
    pub(super) shows: Vec<ShowMeta>,
}

/// Says where a range of the source text is.
pub type Positions<'a> = &'a dyn Fn(TextRange) -> Position;

impl Traces {
    /// The number of the entries that an error in this instruction leaves, one per inlined call.
    pub(super) fn number(&mut self, func: &Function, inst: Inst, positions: Positions<'_>) -> u32 {
        let data = func.inst(inst);
        let mut entries = Vec::new();
        let mut range = data.range;
        let mut site = data.site;
        while let Some(inner) = site {
            let inner = &func.sites[inner.index()];
            entries.push(entry(inner.func, positions(range)));
            range = inner.call;
            site = inner.parent;
        }
        entries.push(entry(func.id, positions(range)));
        self.keep(TraceMeta { entries })
    }

    /// The number of what an instruction shows.
    pub(super) fn show(&mut self, show: ShowMeta) -> u32 {
        let next = u32::try_from(self.shows.len()).expect("counted budgets keep units small");
        if let Some(&known) = self.shown.get(&show) {
            return known;
        }
        self.shows.push(show.clone());
        self.shown.insert(show, next);
        next
    }

    fn keep(&mut self, trace: TraceMeta) -> u32 {
        let next = u32::try_from(self.metas.len()).expect("counted budgets keep units small");
        if let Some(&known) = self.numbers.get(&trace) {
            return known;
        }
        self.metas.push(trace.clone());
        self.numbers.insert(trace, next);
        next
    }
}

fn entry(function: FuncId, position: Position) -> (u32, Position) {
    (u32::try_from(function.index()).expect("counted budgets keep units small"), position)
}
