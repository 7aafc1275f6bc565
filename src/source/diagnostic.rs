//! Diagnostics: why a function stays bytecode, with a stable code and the text it is about.

use std::fmt;

use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

/// Why a function stays bytecode. Each variant has one stable code and one case file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The text is no Python; in the parser's words.
    SyntaxError(String),
    /// A statement that the compiler does not take; what it is.
    UnsupportedStatement(&'static str),
    /// An expression that the compiler does not take; what it is.
    UnsupportedExpression(&'static str),
    /// A literal whose value can't be carried over exactly; what it is.
    UnsupportedLiteral(&'static str),
    /// The function is a generator.
    Yield,
    /// The function is a coroutine, or waits for one.
    Await,
    /// A variable shared with another function; its name.
    Closure(String),
    /// A call that looks at the frame it is made from; what is called.
    FrameInspection(&'static str),
    /// More instructions than the budget; the budget.
    TooLarge(usize),
    /// More variables alive at more places than the budget; the budget.
    TooManyVariables(usize),
    /// Expressions or statements nested deeper than the limit; the limit.
    TooDeep(usize),
    /// An estimate says that the interpreter is as fast.
    NothingGained,
}

/// A reason and the text that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Why.
    pub reason: Reason,
    /// Where.
    pub range: TextRange,
}

impl Diagnostic {
    /// A diagnostic about a node of the syntax tree, or about a range.
    #[must_use]
    pub fn at(node: &impl Ranged, reason: Reason) -> Diagnostic {
        Diagnostic { reason, range: node.range() }
    }
}

impl Reason {
    /// The stable code, in kebab case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Reason::SyntaxError(_) => "syntax-error",
            Reason::UnsupportedStatement(_) => "unsupported-statement",
            Reason::UnsupportedExpression(_) => "unsupported-expression",
            Reason::UnsupportedLiteral(_) => "unsupported-literal",
            Reason::Yield => "yield",
            Reason::Await => "await",
            Reason::Closure(_) => "closure",
            Reason::FrameInspection(_) => "frame-inspection",
            Reason::TooLarge(_) => "too-large",
            Reason::TooManyVariables(_) => "too-many-variables",
            Reason::TooDeep(_) => "too-deep",
            Reason::NothingGained => "nothing-gained",
        }
    }

    /// What can be done about it, where something can.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Reason::SyntaxError(_) => None,
            Reason::UnsupportedStatement(_) | Reason::UnsupportedExpression(_) => {
                Some("move the hot part into a function of its own that does without it")
            }
            Reason::UnsupportedLiteral(_) => Some("read the value from a module constant"),
            Reason::Yield => Some("compute each item in a function of its own and yield its result"),
            Reason::Await => Some("move the computation into a plain function"),
            Reason::Closure(_) => Some("pass the value as an argument and return what changes"),
            Reason::FrameInspection(_) => Some("pass what is needed as arguments"),
            Reason::TooLarge(_) | Reason::TooManyVariables(_) => Some("split the function"),
            Reason::TooDeep(_) => Some("name intermediate results"),
            Reason::NothingGained => Some("move loops over numbers into a function of their own"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SyntaxError(message) => f.write_str(message),
            Reason::UnsupportedStatement(what)
            | Reason::UnsupportedExpression(what)
            | Reason::UnsupportedLiteral(what) => {
                write!(f, "{what} can't be compiled yet")
            }
            Reason::Yield => f.write_str("a generator can't be compiled yet"),
            Reason::Await => f.write_str("a coroutine can't be compiled yet"),
            Reason::Closure(name) => write!(f, "`{name}` is a variable of an enclosing function"),
            Reason::FrameInspection(what) => {
                write!(f, "`{what}` may look at the variables of the running function")
            }
            Reason::TooLarge(limit) => write!(f, "the function has more than {limit} instructions"),
            Reason::TooManyVariables(limit) => {
                write!(f, "the function would drop its variables at more than {limit} places")
            }
            Reason::TooDeep(limit) => write!(f, "the code is nested more than {limit} levels deep"),
            Reason::NothingGained => {
                f.write_str("machine code would gain nothing: the work is on objects, not numbers")
            }
        }
    }
}
