//! Intervals of exact integers.
//!
//! Bounds are `i128` and saturate at ±2**126, far outside an i64, so that the interval of an exact
//! sum, product or shift of two i64 values always tells whether an i64 can hold it. An interval whose
//! `min` exceeds its `max` is empty: no execution gets there.

use crate::ir::Cmp;

/// Where bounds saturate: the greatest magnitude of a product of two i64 values.
const LIMIT: i128 = 1 << 126;

/// The integers from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The least.
    pub min: i128,
    /// The greatest.
    pub max: i128,
}

/// The least `2**k` so that the value lies in `-2**k .. 2**k`, at most the limit.
fn span(value: i128) -> i128 {
    let magnitude = if value < 0 { !value } else { value };
    1 << (128 - magnitude.leading_zeros()).min(126)
}

impl Interval {
    /// Every i64.
    pub const I64: Interval = Interval { min: i64::MIN as i128, max: i64::MAX as i128 };
    /// A truth value as an int.
    pub const BOOL: Interval = Interval { min: 0, max: 1 };
    /// No integer at all.
    pub const EMPTY: Interval = Interval { min: 1, max: 0 };

    /// The integers from `min` to `max`.
    #[must_use]
    pub fn new(min: i128, max: i128) -> Interval {
        if min > max {
            return Interval::EMPTY;
        }
        Interval { min: min.clamp(-LIMIT, LIMIT), max: max.clamp(-LIMIT, LIMIT) }
    }

    /// Just this one.
    #[must_use]
    pub fn exactly(value: i128) -> Interval {
        Interval::new(value, value)
    }

    /// Whether there is no integer in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.min > self.max
    }

    /// The only integer in it.
    #[must_use]
    pub fn single(self) -> Option<i128> {
        (self.min == self.max).then_some(self.min)
    }

    /// Whether the integer is in it.
    #[must_use]
    pub fn contains(self, value: i128) -> bool {
        self.min <= value && value <= self.max
    }

    /// Whether all of it is in `other`.
    #[must_use]
    pub fn within(self, other: Interval) -> bool {
        self.is_empty() || (other.min <= self.min && self.max <= other.max)
    }

    /// Whether an i64 holds each of its integers.
    #[must_use]
    pub fn fits_i64(self) -> bool {
        self.within(Interval::I64)
    }

    /// The least interval that covers both.
    #[must_use]
    pub fn join(self, other: Interval) -> Interval {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Interval { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// What both have in common.
    #[must_use]
    pub fn meet(self, other: Interval) -> Interval {
        Interval::new(self.min.max(other.min), self.max.min(other.max))
    }

    /// The interval spanned by `op` on every pair of bounds, for an `op` that is monotone in each operand.
    fn corners(self, other: Interval, op: impl Fn(i128, i128) -> i128) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let all = [
            op(self.min, other.min),
            op(self.min, other.max),
            op(self.max, other.min),
            op(self.max, other.max),
        ];
        let min = all.iter().copied().fold(i128::MAX, i128::min);
        let max = all.iter().copied().fold(i128::MIN, i128::max);
        Interval::new(min, max)
    }

    /// `a + b`
    #[must_use]
    pub fn plus(self, other: Interval) -> Interval {
        self.corners(other, i128::saturating_add)
    }

    /// `a - b`
    #[must_use]
    pub fn minus(self, other: Interval) -> Interval {
        self.corners(other, i128::saturating_sub)
    }

    /// `a * b`
    #[must_use]
    pub fn times(self, other: Interval) -> Interval {
        self.corners(other, i128::saturating_mul)
    }

    /// `-a`
    #[must_use]
    pub fn negated(self) -> Interval {
        Interval::exactly(0).minus(self)
    }

    /// `abs(a)`
    #[must_use]
    pub fn abs(self) -> Interval {
        let negative = self.meet(Interval::new(-LIMIT, -1)).negated();
        self.meet(Interval::new(0, LIMIT)).join(negative)
    }

    /// `~a`
    #[must_use]
    pub fn invert(self) -> Interval {
        Interval::exactly(-1).minus(self)
    }

    /// `min(a, b)`
    #[must_use]
    pub fn min_with(self, other: Interval) -> Interval {
        self.corners(other, i128::min)
    }

    /// `max(a, b)`
    #[must_use]
    pub fn max_with(self, other: Interval) -> Interval {
        self.corners(other, i128::max)
    }

    /// `a << b` for the counts that are not negative.
    #[must_use]
    pub fn shifted_left(self, count: Interval) -> Interval {
        let count = count.meet(Interval::new(0, LIMIT));
        self.corners(count, |a, by| match a {
            0 => 0,
            _ => a.saturating_mul(1 << by.min(126)),
        })
    }

    /// `a >> b` with a floor, for the counts that are not negative.
    #[must_use]
    pub fn shifted_right(self, count: Interval) -> Interval {
        let count = count.meet(Interval::new(0, LIMIT));
        self.corners(count, |a, by| a >> by.min(127))
    }

    /// The parts below and above zero, without zero itself.
    fn split_at_zero(self) -> (Interval, Interval) {
        (self.meet(Interval::new(-LIMIT, -1)), self.meet(Interval::new(1, LIMIT)))
    }

    /// `a // b` with a floor, for the divisors that are not zero.
    #[must_use]
    pub fn floor_div(self, divisor: Interval) -> Interval {
        let floor = |a: i128, b: i128| a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0);
        let (negative, positive) = divisor.split_at_zero();
        self.corners(negative, floor).join(self.corners(positive, floor))
    }

    /// `a % b` with the sign of b, for the divisors that are not zero.
    #[must_use]
    pub fn modulo(self, divisor: Interval) -> Interval {
        if self.is_empty() {
            return self;
        }
        let (negative, positive) = divisor.split_at_zero();
        let above = if positive.is_empty() {
            positive
        } else if self.min >= 0 && self.max < positive.min {
            self
        } else if self.min >= 0 {
            Interval::new(0, self.max.min(positive.max - 1))
        } else {
            Interval::new(0, positive.max - 1)
        };
        let below = if negative.is_empty() {
            negative
        } else if self.max <= 0 && self.min > negative.max {
            self
        } else if self.max <= 0 {
            Interval::new(self.min.max(negative.min + 1), 0)
        } else {
            Interval::new(negative.min + 1, 0)
        };
        above.join(below)
    }

    /// `a ** b` for the exponents that are not negative.
    #[must_use]
    pub fn pow(self, exponent: Interval) -> Interval {
        let exponent = exponent.meet(Interval::new(0, LIMIT));
        if self.is_empty() || exponent.is_empty() {
            return Interval::EMPTY;
        }
        // No base but -1, 0 and 1 keeps within the limit beyond this exponent.
        let power = |base: i128, by: i128| base.saturating_pow(u32::try_from(by.min(130)).unwrap_or(130));
        if self.min >= 1 {
            return self.corners(exponent, power);
        }
        // `0 ** 0` is 1, so that the greatest magnitude is at least 1 wherever the exponent may be 0.
        let magnitude = power(self.min.abs().max(self.max.abs()).max(1), exponent.max);
        Interval::new(if self.min < 0 { magnitude.saturating_neg() } else { 0 }, magnitude)
    }

    /// `a & b`
    #[must_use]
    pub fn and(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let max = match (self.min >= 0, other.min >= 0) {
            (true, true) => self.max.min(other.max),
            (true, false) => self.max,
            (false, true) => other.max,
            (false, false) if self.max < 0 && other.max < 0 => self.max.min(other.max),
            (false, false) => self.max.max(other.max),
        };
        let both_may_be_negative = self.min < 0 && other.min < 0;
        let min = if both_may_be_negative { -span(self.min.min(other.min)) } else { 0 };
        Interval::new(min, max)
    }

    /// `a | b`
    #[must_use]
    pub fn or(self, other: Interval) -> Interval {
        self.invert().and(other.invert()).invert()
    }

    /// `a ^ b`
    #[must_use]
    pub fn xor(self, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let span = [self.min, self.max, other.min, other.max].into_iter().map(span).fold(1, i128::max);
        let sign = |of: Interval| {
            if of.min >= 0 { Some(false) } else { (of.max < 0).then_some(true) }
        };
        match (sign(self), sign(other)) {
            (Some(a), Some(b)) if a == b => Interval::new(0, span - 1),
            (Some(_), Some(_)) => Interval::new(-span, -1),
            _ => Interval::new(-span, span - 1),
        }
    }

    /// The comparison's result, where all pairs agree.
    #[must_use]
    pub fn compare(self, cmp: Cmp, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::EMPTY;
        }
        let (holds, fails) = match cmp {
            Cmp::Lt => (self.max < other.min, self.min >= other.max),
            Cmp::Le => (self.max <= other.min, self.min > other.max),
            Cmp::Gt => (self.min > other.max, self.max <= other.min),
            Cmp::Ge => (self.min >= other.max, self.max < other.min),
            Cmp::Eq => (self.single().is_some() && self == other, self.meet(other).is_empty()),
            Cmp::Ne => (self.meet(other).is_empty(), self.single().is_some() && self == other),
        };
        match (holds, fails) {
            (true, _) => Interval::exactly(1),
            (_, true) => Interval::exactly(0),
            _ => Interval::BOOL,
        }
    }

    /// The part of `self` for which the comparison with some integer of `other` holds.
    #[must_use]
    pub fn where_holds(self, cmp: Cmp, other: Interval) -> Interval {
        if other.is_empty() {
            return Interval::EMPTY;
        }
        match cmp {
            Cmp::Lt => self.meet(Interval::new(-LIMIT, other.max - 1)),
            Cmp::Le => self.meet(Interval::new(-LIMIT, other.max)),
            Cmp::Gt => self.meet(Interval::new(other.min + 1, LIMIT)),
            Cmp::Ge => self.meet(Interval::new(other.min, LIMIT)),
            Cmp::Eq => self.meet(other),
            Cmp::Ne => match other.single() {
                Some(value) if value == self.min => Interval::new(self.min + 1, self.max),
                Some(value) if value == self.max => Interval::new(self.min, self.max - 1),
                _ => self,
            },
        }
    }
}
