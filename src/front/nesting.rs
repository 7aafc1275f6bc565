//! Trees of any depth on stacks of any size: recursion that grows its stack, and the drop of a deep tree.

use ruff_python_ast::Expr;
use ruff_python_ast::InterpolatedStringElement;
use ruff_python_ast::Pattern;
use ruff_python_ast::Stmt;
use ruff_python_ast::visitor;
use ruff_python_ast::visitor::Visitor;

/// How much stack has to be left for one more level of recursion.
const RED_ZONE: usize = 128 * 1024;

/// The size of each further piece of stack.
const PIECE: usize = 1024 * 1024;

/// More than the stack that the drop of one level takes: a few frames of generated code.
const DROP_FRAME: usize = 1024;

/// Up to this depth a tree is dropped on the stack there is.
const SHALLOW: usize = 64;

/// Runs `level`, one level of a recursion, on a new piece of stack when the current one runs short.
pub(super) fn with_stack<R>(level: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, PIECE, level)
}

/// Drops a tree of this depth; generated drop code recurses, and it can't grow its stack itself.
pub(super) fn drop_deep<T>(tree: T, depth: usize) {
    if depth <= SHALLOW {
        return;
    }
    stacker::grow(PIECE + depth * DROP_FRAME, || drop(tree));
}

/// How deep statements, expressions and patterns nest.
pub(super) fn depth_of(suite: &[Stmt]) -> usize {
    let mut depth = Depth { current: 0, deepest: 0 };
    depth.visit_body(suite);
    depth.deepest
}

struct Depth {
    current: usize,
    deepest: usize,
}

impl Depth {
    fn level(&mut self, walk: impl FnOnce(&mut Depth)) {
        self.current += 1;
        self.deepest = self.deepest.max(self.current);
        with_stack(|| walk(self));
        self.current -= 1;
    }
}

impl<'a> Visitor<'a> for Depth {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.level(|depth| visitor::walk_stmt(depth, stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.level(|depth| visitor::walk_expr(depth, expr));
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.level(|depth| visitor::walk_pattern(depth, pattern));
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        self.level(|depth| visitor::walk_interpolated_string_element(depth, element));
    }
}
