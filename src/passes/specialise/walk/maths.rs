//! Functions of the module `math` on unboxed values.
//!
//! CPython raises where the C library's result is a NaN or an infinity that the arguments don't
//! explain. The code here is narrower: it exits for every result (and for functions of two operands
//! for every operand) that is not finite, and the generic version says whether that is an error.

use crate::ir::{Cmp, Imm, MathFn, Op};
use crate::types::Type;

use super::{Form, Repr, Sink, Walker};

impl<S: Sink> Walker<'_, S> {
    pub(super) fn math(&mut self, name: &str, args: &[Repr<S::V>]) -> Form<S::V> {
        if !args.iter().all(Repr::is_number) {
            return Err(likely_result(name));
        }
        match (name, args) {
            ("floor", [arg]) => self.rounded(Op::FloatFloor, arg),
            ("ceil", [arg]) => self.rounded(Op::FloatCeil, arg),
            ("trunc", [arg]) => self.rounded(Op::FloatTrunc, arg),
            (_, [arg]) => {
                let value = self.as_float(arg).ok_or(None)?;
                self.unary_math(name, value)
            }
            (_, [a, b]) => {
                let function = library_function(name, 2).ok_or_else(|| likely_result(name))?;
                let (a, b) = (self.as_float(a).ok_or(None)?, self.as_float(b).ok_or(None)?);
                Ok(self.binary_math(function, a, b))
            }
            _ => Err(likely_result(name)),
        }
    }

    /// `math.floor` and its like: an int stays what it is.
    fn rounded(&mut self, op: Op, arg: &Repr<S::V>) -> Form<S::V> {
        match arg {
            Repr::Float(value) => Ok(self.integral(op, *value)),
            Repr::Int(..) => Ok(arg.clone()),
            _ => self.as_int(arg).map(|value| Repr::Int(value, None)).ok_or(None),
        }
    }

    fn unary_math(&mut self, name: &str, x: S::V) -> Form<S::V> {
        Ok(match name {
            "fabs" => Repr::Float(self.one(Op::FloatAbs, Imm::None, &[x])),
            "sqrt" => {
                let root = self.one(Op::FloatSqrt, Imm::None, &[x]);
                let valid = self.one(Op::FloatCompare, Imm::Cmp(Cmp::Eq), &[root, root]);
                self.none(Op::GuardTrue, Imm::None, &[valid]);
                Repr::Float(root)
            }
            "degrees" => self.scaled(x, 180.0 / std::f64::consts::PI),
            "radians" => self.scaled(x, std::f64::consts::PI / 180.0),
            "isnan" => Repr::Bool(self.one(Op::FloatCompare, Imm::Cmp(Cmp::Ne), &[x, x]), None),
            "isfinite" => Repr::Bool(self.is_finite(x), None),
            "isinf" => {
                let size = self.one(Op::FloatAbs, Imm::None, &[x]);
                let infinity = self.float_constant(f64::INFINITY);
                Repr::Bool(self.one(Op::FloatCompare, Imm::Cmp(Cmp::Eq), &[size, infinity]), None)
            }
            _ => {
                let function = library_function(name, 1).ok_or_else(|| likely_result(name))?;
                if matches!(function, MathFn::Log | MathFn::Log2 | MathFn::Log10) {
                    let zero = self.float_constant(0.0);
                    let positive = self.one(Op::FloatCompare, Imm::Cmp(Cmp::Gt), &[x, zero]);
                    self.none(Op::GuardTrue, Imm::None, &[positive]);
                }
                let result = self.one(Op::FloatMath, Imm::Math(function), &[x]);
                self.guard_finite(result);
                Repr::Float(result)
            }
        })
    }

    fn binary_math(&mut self, function: MathFn, a: S::V, b: S::V) -> Repr<S::V> {
        if function == MathFn::Copysign {
            return Repr::Float(self.one(Op::FloatMath, Imm::Math(function), &[a, b]));
        }
        self.guard_finite(a);
        self.guard_finite(b);
        let result = self.one(Op::FloatMath, Imm::Math(function), &[a, b]);
        self.guard_finite(result);
        Repr::Float(result)
    }

    fn scaled(&mut self, x: S::V, factor: f64) -> Repr<S::V> {
        let factor = self.float_constant(factor);
        Repr::Float(self.one(Op::FloatMul, Imm::None, &[x, factor]))
    }

    fn is_finite(&mut self, x: S::V) -> S::V {
        let difference = self.one(Op::FloatSub, Imm::None, &[x, x]);
        let zero = self.float_constant(0.0);
        self.one(Op::FloatCompare, Imm::Cmp(Cmp::Eq), &[difference, zero])
    }

    fn guard_finite(&mut self, x: S::V) {
        let finite = self.is_finite(x);
        self.none(Op::GuardTrue, Imm::None, &[finite]);
    }
}

/// The C library's function of this name and so many operands.
fn library_function(name: &str, arity: usize) -> Option<MathFn> {
    MathFn::ALL.iter().copied().find(|function| function.name() == name && function.arity() == arity)
}

/// The type of what a function gives that has no unboxed form here.
fn likely_result(name: &str) -> Option<Type> {
    Some(match name {
        "comb" | "factorial" | "gcd" | "isqrt" | "lcm" | "perm" => Type::Int,
        "dist" | "fma" | "fsum" | "gamma" | "hypot" | "ldexp" | "lgamma" | "log" | "nextafter"
        | "remainder" | "ulp" => Type::Float,
        "frexp" => Type::Tuple([Type::Float, Type::Int].into()),
        "modf" => Type::Tuple([Type::Float, Type::Float].into()),
        "degrees" | "fabs" | "radians" | "sqrt" => Type::Float,
        "isclose" | "isfinite" | "isinf" | "isnan" => Type::Bool,
        _ if MathFn::ALL.iter().any(|function| function.name() == name) => Type::Float,
        _ => return None,
    })
}
