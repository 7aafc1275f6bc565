//! `match`: each case tests its pattern, then binds what it captured, then asks its guard.
//!
//! ```text
//!     subject
//!     tests of a pattern, each with a way to next; captures are bound; guard with a way to next
//!     body; jump end
//! next: the same of the next case
//! end:
//! ```
//!
//! The tests come in the order of CPython's compiler. Nothing is bound before the whole pattern matches: what
//! it captures are values until then, in the order of [`captures_of`].

use ruff_python_ast::MatchCase;
use ruff_python_ast::Pattern;
use ruff_python_ast::PatternMatchClass;
use ruff_python_ast::PatternMatchMapping;
use ruff_python_ast::PatternMatchOr;
use ruff_python_ast::Singleton;
use ruff_python_ast::StmtMatch;
use ruff_text_size::Ranged;
use ruff_text_size::TextRange;

use crate::front::patterns::captures_of;
use crate::front::patterns::is_wildcard;
use crate::ir::Binary;
use crate::ir::Cmp;
use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::InPlace;
use crate::ir::Op;
use crate::ir::Type;
use crate::ir::TypeFlag;
use crate::ir::Value;

use super::Builder;
use super::flow::Label;
use super::syntax_error;

/// Names that a pattern captured and their values.
type Captures<'a> = Vec<(&'a str, Value)>;

impl<'a> Builder<'a> {
    pub(super) fn match_statement(&mut self, node: &'a StmtMatch) {
        let subject = self.expr(&node.subject);
        let end = self.label();
        let last = node.cases.len().saturating_sub(1);
        let has_default = last > 0 && is_wildcard(&node.cases[last].pattern);
        for (number, case) in node.cases.iter().enumerate() {
            let is_needed = number + usize::from(has_default) < last;
            self.case(case, subject, is_needed, end);
        }
        self.jump(end, node.range);
        self.enter(end);
    }

    /// One case; goes on where it does not match. A subject that later cases need lives until this one matches.
    fn case(&mut self, case: &'a MatchCase, subject: Value, is_needed: bool, end: Label) {
        let range = case.pattern.range();
        let next = self.label();
        let mut captures = Captures::new();
        self.pattern(&case.pattern, subject, next, &mut captures);
        for &(name, value) in &captures {
            self.assign_name(name, value, range);
        }
        match &case.guard {
            Some(guard) => {
                let matched = self.label();
                self.branch(guard, matched, next);
                self.enter(matched);
            }
            None if is_needed && !captures.is_empty() => self.effect(Op::Release, vec![subject], range),
            None => {}
        }
        self.suite(&case.body);
        self.jump(end, range);
        self.enter(next);
    }

    /// Tests a pattern; goes on where it matches, with what it captured behind what there was.
    fn pattern(&mut self, pattern: &'a Pattern, subject: Value, fail: Label, captures: &mut Captures<'a>) {
        self.level(pattern.range(), |builder| builder.pattern_here(pattern, subject, fail, captures));
    }

    fn pattern_here(
        &mut self,
        pattern: &'a Pattern,
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
    ) {
        let range = pattern.range();
        match pattern {
            Pattern::MatchValue(node) => {
                let value = self.expr(&node.value);
                self.test_compared(Cmp::Eq, subject, value, fail, range);
            }
            Pattern::MatchSingleton(node) => {
                let constant = match node.value {
                    Singleton::None => Const::None,
                    Singleton::True => Const::Bool(true),
                    Singleton::False => Const::Bool(false),
                };
                let constant = self.constant(constant, range);
                let same = self.value(Op::ObjIs, Imm::None, vec![subject, constant], range);
                self.require(same, fail, range);
            }
            Pattern::MatchSequence(node) => {
                self.sequence_pattern(&node.patterns, subject, fail, captures, range);
            }
            Pattern::MatchMapping(node) => self.mapping_pattern(node, subject, fail, captures),
            Pattern::MatchClass(node) => self.class_pattern(node, subject, fail, captures),
            Pattern::MatchStar(node) => {
                captures.extend(node.name.iter().map(|name| (name.as_str(), subject)));
            }
            Pattern::MatchAs(node) => {
                if let Some(inner) = &node.pattern {
                    self.pattern(inner, subject, fail, captures);
                }
                captures.extend(node.name.iter().map(|name| (name.as_str(), subject)));
            }
            Pattern::MatchOr(node) => self.or_pattern(node, subject, fail, captures),
        }
    }

    /// Goes on where the condition is true.
    fn require(&mut self, condition: Value, fail: Label, range: TextRange) {
        let holds = self.label();
        self.branch_on(condition, (holds, None), (fail, None), range);
        self.enter(holds);
    }

    fn test_compared(&mut self, cmp: Cmp, left: Value, right: Value, fail: Label, range: TextRange) {
        let answer = self.value(Op::ObjCompare, Imm::Cmp(cmp), vec![left, right], range);
        let truth = self.value(Op::ObjTruth, Imm::None, vec![answer], range);
        self.require(truth, fail, range);
    }

    fn require_flag(&mut self, flag: TypeFlag, subject: Value, fail: Label, range: TextRange) {
        let has_it = self.value(Op::ObjTypeFlag, Imm::Count(flag.number()), vec![subject], range);
        self.require(has_it, fail, range);
    }

    fn count(&mut self, count: usize, range: TextRange) -> Value {
        let count = i64::try_from(count).expect("texts are shorter than 4 GiB");
        self.constant(Const::Int(count), range)
    }

    fn require_length(&mut self, cmp: Cmp, count: usize, subject: Value, fail: Label, range: TextRange) {
        let length = self.value(Op::ObjLen, Imm::None, vec![subject], range);
        let count = self.count(count, range);
        self.test_compared(cmp, length, count, fail, range);
    }

    /// Goes on where the value is not None.
    fn require_some(&mut self, value: Value, fail: Label, range: TextRange) {
        let none = self.constant(Const::None, range);
        let is_none = self.value(Op::ObjIs, Imm::None, vec![value, none], range);
        let is_some = self.value(Op::BoolNot, Imm::None, vec![is_none], range);
        self.require(is_some, fail, range);
    }

    fn sequence_pattern(
        &mut self,
        patterns: &'a [Pattern],
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
        range: TextRange,
    ) {
        let star = patterns.iter().position(|pattern| matches!(pattern, Pattern::MatchStar(_)));
        self.require_flag(TypeFlag::Sequence, subject, fail, range);
        match star {
            None => self.require_length(Cmp::Eq, patterns.len(), subject, fail, range),
            Some(_) if patterns.len() > 1 => {
                self.require_length(Cmp::Ge, patterns.len() - 1, subject, fail, range);
            }
            Some(_) => {}
        }
        if patterns.iter().all(is_wildcard) {
            return;
        }
        if let Some(star) = star
            && is_wildcard(&patterns[star])
        {
            return self.items_of_sequence(patterns, star, subject, fail, captures, range);
        }
        for (pattern, item) in patterns.iter().zip(self.unpacked(patterns.len(), star, subject, range)) {
            self.pattern(pattern, item, fail, captures);
        }
    }

    /// The items of an iterable, those of a star as a list.
    fn unpacked(
        &mut self,
        count: usize,
        star: Option<usize>,
        iterable: Value,
        range: TextRange,
    ) -> Vec<Value> {
        let word = |count: usize| u32::try_from(count).expect("texts are shorter than 4 GiB");
        let (op, imm) = match star {
            None => (Op::ObjUnpack, word(count)),
            Some(star) => (Op::ObjUnpackRest, word(star) | word(count - star - 1) << 16),
        };
        let inst = self.emit(op, Imm::Count(imm), vec![iterable], &vec![Type::Obj; count], range);
        self.function.inst(inst).results[..count].to_vec()
    }

    /// The items of a sequence one by one, from both ends, where nobody wants what the star stands for.
    fn items_of_sequence(
        &mut self,
        patterns: &'a [Pattern],
        star: usize,
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
        range: TextRange,
    ) {
        for (place, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| !is_wildcard(pattern)) {
            let index = if place < star {
                self.count(place, range)
            } else {
                let length = self.value(Op::ObjLen, Imm::None, vec![subject], range);
                let from_end = self.count(patterns.len() - place, range);
                let imm = Imm::Binary(Binary::Sub, InPlace::No);
                self.value(Op::ObjBinary, imm, vec![length, from_end], range)
            };
            let item = self.value(Op::ObjItem, Imm::None, vec![subject, index], range);
            self.pattern(pattern, item, fail, captures);
        }
        self.effect(Op::Release, vec![subject], range);
    }

    fn mapping_pattern(
        &mut self,
        node: &'a PatternMatchMapping,
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
    ) {
        let range = node.range;
        self.require_flag(TypeFlag::Mapping, subject, fail, range);
        if node.keys.is_empty() && node.rest.is_none() {
            return;
        }
        if !node.keys.is_empty() {
            self.require_length(Cmp::Ge, node.keys.len(), subject, fail, range);
        }
        let constants: Option<Vec<Const>> = node.keys.iter().map(|key| self.constant_of(key)).collect();
        let keys: Vec<Value> = node.keys.iter().map(|key| self.expr(key)).collect();
        let tuple = match constants {
            Some(constants) => self.constant(Const::Tuple(constants), range),
            None => self.value(Op::ObjTuple, Imm::None, keys, range),
        };
        let values = self.value(Op::ObjMatchKeys, Imm::None, vec![subject, tuple], range);
        self.require_some(values, fail, range);
        let items = self.unpacked(node.keys.len(), None, values, range);
        for (pattern, item) in node.patterns.iter().zip(items) {
            self.pattern(pattern, item, fail, captures);
        }
        if let Some(rest) = &node.rest {
            let dict = self.value(Op::ObjDict, Imm::None, vec![], range);
            self.effect(Op::ObjDictUpdate, vec![dict, subject], range);
            for key in self.unpacked(node.keys.len(), None, tuple, range) {
                self.effect(Op::ObjDelItem, vec![dict, key], range);
            }
            captures.push((rest.as_str(), dict));
        }
    }

    fn class_pattern(
        &mut self,
        node: &'a PatternMatchClass,
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
    ) {
        let range = node.range;
        let class = self.expr(&node.cls);
        let names = node.arguments.keywords.iter().map(|keyword| Const::Str(keyword.attr.to_string()));
        let names = Const::Tuple(names.collect());
        let names = self.constant(names, range);
        let (plain, named) = (&node.arguments.patterns, &node.arguments.keywords);
        let count = u32::try_from(plain.len()).expect("texts are shorter than 4 GiB");
        let operands = vec![subject, class, names];
        let values = self.value(Op::ObjMatchClass, Imm::Count(count), operands, range);
        self.require_some(values, fail, range);
        let items = self.unpacked(plain.len() + named.len(), None, values, range);
        let patterns = plain.iter().chain(named.iter().map(|keyword| &keyword.pattern));
        for (pattern, item) in patterns.zip(items) {
            self.pattern(pattern, item, fail, captures);
        }
    }

    /// The first alternative that matches; all of them capture the same names, in the order of the first.
    fn or_pattern(
        &mut self,
        node: &'a PatternMatchOr,
        subject: Value,
        fail: Label,
        captures: &mut Captures<'a>,
    ) {
        let matched = self.label();
        let names = node.patterns.first().map(captures_of).unwrap_or_default();
        for alternative in &node.patterns {
            let next = self.label();
            let mut own = Captures::new();
            self.pattern(alternative, subject, next, &mut own);
            if own.len() != names.len() || own.iter().any(|(name, _)| !names.contains(name)) {
                self.refuse(alternative, syntax_error("alternative patterns bind different names"));
            }
            let nothing = self.nothing();
            let value_of = |name| own.iter().find(|&&(other, _)| other == name).map_or(nothing, |own| own.1);
            let values: Vec<Value> = names.iter().map(|&name| value_of(name)).collect();
            self.jump_with_all(matched, &values, alternative.range());
            self.enter(next);
        }
        self.jump(fail, node.range);
        let values = self.enter_with_all(matched, names.len());
        captures.extend(names.into_iter().zip(values));
    }
}
