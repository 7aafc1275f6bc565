//! Comprehensions and generator expressions: functions of their own, or loops in the frame of the function around.

use ruff_python_ast::Comprehension;
use ruff_python_ast::Expr;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;
use ruff_text_size::TextSize;

use crate::front::closures;
use crate::front::closures::parts_of_comprehension;
use crate::front::guess;
use crate::front::scope::Variable;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;
use crate::source::Reason;

use super::Builder;
use super::flow::Bound;
use super::nested::Nested;
use super::syntax_error;
use super::tries::Around;

impl<'a> Builder<'a> {
    /// A comprehension or generator expression; `start` is where it begins if not at its range.
    pub(super) fn comprehension(&mut self, expr: &'a Expr, start: Option<TextSize>) -> Value {
        let Some((generators, elements)) = parts_of_comprehension(expr) else { return self.nothing() };
        let Some(first) = generators.first() else { return self.nothing() };
        if generators.iter().any(|generator| generator.is_async) {
            self.refuse(expr, Reason::Await);
        }
        if self.reading.inlines && !matches!(expr, Expr::Generator(_)) {
            return self.inlined_comprehension(expr, generators, &elements);
        }
        let name = match expr {
            Expr::ListComp(_) => "<listcomp>",
            Expr::SetComp(_) => "<setcomp>",
            Expr::DictComp(_) => "<dictcomp>",
            _ => "<genexpr>",
        };
        let range = expr.range();
        let needs = closures::needs_of_comprehension(expr, self.scope.private_class(), self.reading);
        let none = self.constant(Const::None, range);
        let nested = Nested {
            name,
            start: start.unwrap_or(range.start()),
            node: range,
            needs,
            makes: guess::made_by(expr),
        };
        let function = self.make_function(nested, [none; 3], range);
        let iterable = self.expr(&first.iter);
        let iterator = self.value(Op::ObjIter, Imm::None, vec![iterable], range);
        self.call_value(vec![function, iterator], Const::None, range)
    }

    fn inlined_comprehension(
        &mut self,
        expr: &'a Expr,
        generators: &'a [Comprehension],
        elements: &[&'a Expr],
    ) -> Value {
        let range = expr.range();
        let Some(targets) = self.scope.comprehensions.get(&range).cloned() else {
            self.refuse(expr, syntax_error("a comprehension that the function does not have"));
            return self.nothing();
        };
        let iterable = self.expr(&generators[0].iter);
        for &(_, variable, is_cell) in &targets {
            if is_cell {
                let cell = self.value(Op::ObjEmptyCell, Imm::None, vec![], range);
                self.rebind(variable, cell, Bound::Yes, range);
            }
        }
        let make = match expr {
            Expr::ListComp(_) => Op::ObjList,
            Expr::SetComp(_) => Op::ObjSet,
            _ => Op::ObjDict,
        };
        let container = self.value(make, Imm::None, vec![], range);
        // Inside a `try`, the variables end before the handler begins.
        let failed = self.handler().map(|_| self.label());
        if let Some(failed) = failed {
            self.around.push(Around::Guarded { handler: failed });
        }
        self.comprehensions.push(targets.clone());
        self.generator(generators, Some(iterable), container, elements, range);
        self.comprehensions.pop();
        let done = self.label();
        if let Some(failed) = failed {
            self.around.pop();
            self.jump(done, range);
            self.enter(failed);
            let error = self.take_error(range);
            self.end_targets(&targets, range);
            self.effect(Op::ObjReraise, vec![error], range);
            self.never(range);
            self.enter(done);
        }
        self.end_targets(&targets, range);
        container
    }

    fn end_targets(&mut self, targets: &[(String, Variable, bool)], range: TextRange) {
        let unbound = self.flow.constants().unbound;
        for &(_, variable, _) in targets.iter().rev() {
            self.rebind(variable, unbound, Bound::No, range);
        }
    }

    /// One `for` of a comprehension with everything inside it.
    fn generator(
        &mut self,
        generators: &'a [Comprehension],
        iterable: Option<Value>,
        container: Value,
        elements: &[&'a Expr],
        range: TextRange,
    ) {
        let Some((generator, others)) = generators.split_first() else {
            return self.element(container, elements);
        };
        let loop_range = generator.iter.range();
        let iterable = match (iterable, &generator.iter) {
            (Some(iterable), _) => iterable,
            // `for y in [x]` is no more than `y = x`.
            (None, Expr::List(list)) if is_single(&list.elts) => {
                let value = self.expr(&list.elts[0]);
                return self.turn(generator, value, others, container, elements, range);
            }
            (None, Expr::Tuple(tuple)) if is_single(&tuple.elts) => {
                let value = self.expr(&tuple.elts[0]);
                return self.turn(generator, value, others, container, elements, range);
            }
            (None, iter) => self.expr(iter),
        };
        let iterator = self.value(Op::ObjIter, Imm::None, vec![iterable], loop_range);
        let assigned = self.assigned_in_comprehension(std::slice::from_ref(generator), others, elements);
        let header = self.enter_header(&assigned, loop_range);
        let next = self.emit(Op::ObjNext, Imm::None, vec![iterator], Op::ObjNext.row().results, loop_range);
        let (item, has_item) = {
            let results = &self.function.inst(next).results;
            (results[0], results[1])
        };
        let (body, finished) = (self.label(), self.label());
        self.branch_on(has_item, (body, None), (finished, None), loop_range);
        self.enter(body);
        self.turn(generator, item, others, container, elements, range);
        self.effect(Op::Poll, vec![], loop_range);
        self.jump_back(&header, loop_range);
        self.enter(finished);
        self.effect(Op::Release, vec![iterator], loop_range);
    }

    /// The variables that a turn may bind: targets, and what a walrus binds.
    fn assigned_in_comprehension(
        &self,
        first: &'a [Comprehension],
        others: &'a [Comprehension],
        elements: &[&'a Expr],
    ) -> Vec<Variable> {
        let mut assigned = self.scope.bound_by_walrus(first.iter().chain(others), elements);
        if let Some(targets) = self.comprehensions.last() {
            assigned
                .extend(targets.iter().filter(|(_, _, is_cell)| !is_cell).map(|(_, variable, _)| *variable));
        }
        assigned.sort_unstable();
        assigned.dedup();
        assigned
    }

    fn turn(
        &mut self,
        generator: &'a Comprehension,
        item: Value,
        others: &'a [Comprehension],
        container: Value,
        elements: &[&'a Expr],
        range: TextRange,
    ) {
        self.assign(&generator.target, item);
        let skipped = self.label();
        for test in &generator.ifs {
            let passed = self.label();
            self.branch(test, passed, skipped);
            self.enter(passed);
        }
        self.level(range, |builder| builder.generator(others, None, container, elements, range));
        self.jump(skipped, range);
        self.enter(skipped);
    }

    fn element(&mut self, container: Value, elements: &[&'a Expr]) {
        match *elements {
            [element] => {
                let value = self.expr(element);
                let is_list = self.function.def_inst(container).is_some_and(|made| made.op == Op::ObjList);
                let add = if is_list { Op::ObjListAppend } else { Op::ObjSetAdd };
                self.effect(add, vec![container, value], element.range());
            }
            [key, value] => {
                let range = TextRange::new(key.start(), value.end());
                let key = self.expr(key);
                let value = self.expr(value);
                self.effect(Op::ObjSetItem, vec![container, key, value], range);
            }
            _ => {}
        }
    }
}

fn is_single(items: &[Expr]) -> bool {
    matches!(items, [only] if !matches!(only, Expr::Starred(_)))
}
