//! Patterns of `match`: what they capture, and in which order CPython's compiler comes to their parts.

use ruff_python_ast::Expr;
use ruff_python_ast::Pattern;

use super::nesting::with_stack;

/// Whether the pattern takes anything and keeps nothing: `_` or `*_`.
pub(super) fn is_wildcard(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchAs(node) => node.pattern.is_none() && node.name.is_none(),
        Pattern::MatchStar(node) => node.name.is_none(),
        _ => false,
    }
}

/// The names that a pattern captures, in the order in which they are bound.
pub(super) fn captures_of(pattern: &Pattern) -> Vec<&str> {
    let mut names = Vec::new();
    collect(pattern, &mut names);
    names
}

fn collect<'a>(pattern: &'a Pattern, names: &mut Vec<&'a str>) {
    with_stack(|| match pattern {
        Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        Pattern::MatchSequence(node) => node.patterns.iter().for_each(|part| collect(part, names)),
        Pattern::MatchMapping(node) => {
            node.patterns.iter().for_each(|part| collect(part, names));
            names.extend(node.rest.as_deref());
        }
        Pattern::MatchClass(node) => {
            node.arguments.patterns.iter().for_each(|part| collect(part, names));
            node.arguments.keywords.iter().for_each(|keyword| collect(&keyword.pattern, names));
        }
        Pattern::MatchStar(node) => names.extend(node.name.as_deref()),
        Pattern::MatchAs(node) => {
            node.pattern.iter().for_each(|part| collect(part, names));
            names.extend(node.name.as_deref());
        }
        Pattern::MatchOr(node) => node.patterns.first().into_iter().for_each(|part| collect(part, names)),
    });
}

/// Calls `visit` with the expressions of a pattern in the order in which they are evaluated.
pub(super) fn expressions_of<'a>(pattern: &'a Pattern, visit: &mut impl FnMut(&'a Expr)) {
    with_stack(|| match pattern {
        Pattern::MatchValue(node) => visit(&node.value),
        Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => {}
        Pattern::MatchSequence(node) => node.patterns.iter().for_each(|part| expressions_of(part, visit)),
        Pattern::MatchMapping(node) => {
            node.keys.iter().for_each(&mut *visit);
            node.patterns.iter().for_each(|part| expressions_of(part, visit));
        }
        Pattern::MatchClass(node) => {
            visit(&node.cls);
            node.arguments.patterns.iter().for_each(|part| expressions_of(part, visit));
            node.arguments.keywords.iter().for_each(|keyword| expressions_of(&keyword.pattern, visit));
        }
        Pattern::MatchAs(node) => node.pattern.iter().for_each(|part| expressions_of(part, visit)),
        Pattern::MatchOr(node) => node.patterns.iter().for_each(|part| expressions_of(part, visit)),
    });
}
