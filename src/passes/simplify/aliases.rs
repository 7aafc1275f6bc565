//! Values that turned out to be others.

use crate::ir::{Function, Value};

/// For each value the one that stands for it from now on.
pub(super) struct Aliases {
    stands_for: Vec<Value>,
    is_empty: bool,
}

impl Aliases {
    /// Every value stands for itself.
    pub(super) fn new(func: &Function) -> Aliases {
        Aliases { stands_for: (0..func.values.len()).map(Value::new).collect(), is_empty: true }
    }

    /// From now on `other` stands for the value.
    pub(super) fn set(&mut self, value: Value, other: Value) {
        self.stands_for[value.index()] = self.find(other);
        self.is_empty = false;
    }

    /// The value that stands for this one in the end.
    pub(super) fn find(&self, mut value: Value) -> Value {
        while self.stands_for[value.index()] != value {
            value = self.stands_for[value.index()];
        }
        value
    }

    /// Replaces every use; returns whether there was anything to replace.
    pub(super) fn apply(&mut self, func: &mut Function) -> bool {
        if self.is_empty {
            return false;
        }
        // Chains are as long as there are rounds of replacement; shortened once, each use is one step.
        for index in 0..self.stands_for.len() {
            self.stands_for[index] = self.find(Value::new(index));
        }
        let insts: Vec<_> =
            func.layout.iter().flat_map(|&block| func.block(block).insts.iter().copied()).collect();
        for inst in insts {
            func.map_uses(inst, |value| self.stands_for[value.index()]);
        }
        true
    }
}
