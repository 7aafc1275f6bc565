//! What a traceback shows of an instruction that raises: the variables of its function, and of the
//! functions around it where it is inlined.
//!
//! A table beside the instructions ([`Function::shown`]), not a part of them: few instructions raise. In a
//! generic version several of them share a state; in a specialised one each has its own, because passes
//! replace the values in it.

use super::entity::{Inst, Show, Value};
use super::func::{Function, Slot};

/// The number of the "variable" that is the frame which tracebacks have of the activation already, or None.
pub const FRAME: u32 = u32::MAX;

/// A variable that is bound, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownVariable {
    /// Its number among the code object's variables, or [`FRAME`].
    pub number: u32,
    /// What its value is made of.
    pub slot: Slot,
    /// The truth of "is bound"; none where it is.
    pub bound: Option<Value>,
}

/// What an instruction shows when it raises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The variables of each function, innermost first; more than one for inlined code.
    pub frames: Vec<Vec<ShownVariable>>,
}

impl Shown {
    /// How many variables there are in all frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.iter().map(Vec::len).sum()
    }

    /// Whether nothing is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with every value that is read.
    pub fn visit_values(&self, visit: &mut impl FnMut(Value)) {
        for variable in self.frames.iter().flatten() {
            variable.slot.visit_values(visit);
            variable.bound.into_iter().for_each(&mut *visit);
        }
    }

    /// Replaces every value that is read.
    pub fn map_values(&mut self, map: &mut impl FnMut(Value) -> Value) {
        for variable in self.frames.iter_mut().flatten() {
            variable.slot.map_values(map);
            variable.bound = variable.bound.map(&mut *map);
        }
    }
}

impl Function {
    /// What the instruction shows, if it shows variables and there is anything.
    #[must_use]
    pub fn shown_at(&self, inst: Inst) -> Option<&Shown> {
        let show = self.shown.get(&inst)?;
        self.inst(inst).op.shows().then(|| &self.shows[show.index()])
    }

    /// Adds what instructions may show.
    pub fn add_show(&mut self, shown: Shown) -> Show {
        let show = Show::new(self.shows.len());
        self.shows.push(shown);
        show
    }

    /// Has one instruction show what another one does, in a state of its own.
    pub fn copy_shown(&mut self, from: Inst, to: Inst) {
        if let Some(shown) = self.shown_at(from).cloned() {
            let show = self.add_show(shown);
            self.shown.insert(to, show);
        }
    }
}
