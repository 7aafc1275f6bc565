//! Where a moving bound may come to rest: the constants of the function and what lies beside them.

use crate::ir::Function;
use crate::ir::Imm;

use super::interval::Interval;

/// More constants than these make widening slower, not better.
const MOST: usize = 64;

/// Bounds that widening stops at, in ascending order.
pub struct Thresholds(Vec<i128>);

impl Thresholds {
    /// The thresholds of a function.
    #[must_use]
    pub fn of(func: &Function) -> Thresholds {
        let mut all = vec![Interval::I64.min, -1, 0, 1, Interval::I64.max - 1, Interval::I64.max];
        let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
        let mut constants = Vec::new();
        for &inst in insts {
            if let Imm::Int(value) = func.inst(inst).imm {
                constants.push(i128::from(value));
            }
        }
        constants.sort_unstable();
        constants.dedup();
        constants.truncate(MOST);
        all.extend(constants.iter().flat_map(|&value| [value - 1, value, value + 1]));
        all.sort_unstable();
        all.dedup();
        Thresholds(all)
    }

    /// `new`, its bounds that moved beyond `old` taken to the next threshold.
    #[must_use]
    pub fn widen(&self, old: Interval, new: Interval) -> Interval {
        if old.is_empty() {
            return new;
        }
        let below = self.0.iter().rev().copied().find(|&at| at <= new.min).unwrap_or(Interval::I64.min);
        let above = self.0.iter().copied().find(|&at| at >= new.max).unwrap_or(Interval::I64.max);
        Interval {
            min: if new.min < old.min { below } else { new.min },
            max: if new.max > old.max { above } else { new.max },
        }
    }

    /// `new`, its bounds that moved beyond `old` taken to the end of the type.
    #[must_use]
    pub fn give_up(old: Interval, new: Interval) -> Interval {
        if old.is_empty() {
            return new;
        }
        Interval {
            min: if new.min < old.min { Interval::I64.min } else { new.min },
            max: if new.max > old.max { Interval::I64.max } else { new.max },
        }
    }
}
