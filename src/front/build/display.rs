//! Displays: tuples, lists, sets and dicts, as a whole where they are short and have no stars, else item by item.

use ruff_python_ast::DictItem;
use ruff_python_ast::Expr;
use ruff_python_ast::ExprDict;
use ruff_text_size::TextRange;

use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;

/// CPython puts the items of a longer display into the container one by one, as they are evaluated.
const MOST_ITEMS: usize = 30;

/// The same for the pairs of a dict.
const MOST_PAIRS: usize = 15;

/// Pairs that CPython puts into a dict of their own.
const PAIRS_OF_PART: usize = 17;

/// Sets of more constants than this are made from a frozen one.
const MOST_CONSTANTS: usize = 2;

/// What a display makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    Tuple,
    List,
    Set,
}

impl Display {
    /// The container of all items.
    fn whole(self) -> Op {
        match self {
            Display::Tuple => Op::ObjTuple,
            Display::List => Op::ObjList,
            Display::Set => Op::ObjSet,
        }
    }

    /// What the items are collected in: its making, adding an item, adding the items of an iterable.
    fn parts(self) -> [Op; 3] {
        match self {
            Display::Tuple | Display::List => [Op::ObjList, Op::ObjListAppend, Op::ObjListExtend],
            Display::Set => [Op::ObjSet, Op::ObjSetAdd, Op::ObjSetUpdate],
        }
    }
}

impl<'a> Builder<'a> {
    /// A tuple, list or set of items, some of which may be stars.
    pub(super) fn display(&mut self, display: Display, items: &'a [Expr], range: TextRange) -> Value {
        let has_star = items.iter().any(|item| matches!(item, Expr::Starred(_)));
        if display == Display::Set
            && items.len() > MOST_CONSTANTS
            && let Some(constants) = items.iter().map(|item| self.constant_of(item)).collect()
        {
            let constants = self.constant(Const::FrozenSet(constants), range);
            let set = self.value(Op::ObjSet, Imm::None, vec![], range);
            self.effect(Op::ObjSetUpdate, vec![set, constants], range);
            return set;
        }
        if !has_star && items.len() <= MOST_ITEMS {
            let items = self.exprs(items);
            return self.value(display.whole(), Imm::None, items, range);
        }
        if !has_star && display == Display::Tuple {
            // Its items stay where they are until all of them are there.
            let items = self.exprs(items);
            return self.value(Op::ObjTuple, Imm::None, items, range);
        }
        self.collected(display, &[], items, range)
    }

    /// The tuple of a call's arguments, with these in front.
    pub(super) fn starred_tuple(&mut self, first: &[Value], items: &'a [Expr], range: TextRange) -> Value {
        if items.iter().any(|item| matches!(item, Expr::Starred(_))) {
            return self.collected(Display::Tuple, first, items, range);
        }
        let mut values = first.to_vec();
        values.extend(self.exprs(items));
        self.value(Op::ObjTuple, Imm::None, values, range)
    }

    fn collected(&mut self, display: Display, first: &[Value], items: &'a [Expr], range: TextRange) -> Value {
        let [make, add, extend] = display.parts();
        let mut front = first.to_vec();
        let mut items = items;
        if first.len() + items.len() <= MOST_ITEMS {
            let plain = items.iter().take_while(|item| !matches!(item, Expr::Starred(_))).count();
            front.extend(self.exprs(&items[..plain]));
            items = &items[plain..];
        }
        let container = self.value(make, Imm::None, front, range);
        for item in items {
            match item {
                Expr::Starred(starred) => {
                    let iterable = self.expr(&starred.value);
                    self.effect(extend, vec![container, iterable], range);
                }
                item => {
                    let item = self.expr(item);
                    self.effect(add, vec![container, item], range);
                }
            }
        }
        match display {
            Display::Tuple => self.value(Op::ObjListToTuple, Imm::None, vec![container], range),
            Display::List | Display::Set => container,
        }
    }

    /// A dict display.
    pub(super) fn dict(&mut self, node: &'a ExprDict) -> Value {
        let mut dict: Option<Value> = None;
        for run in node.items.chunk_by(|a, b| a.key.is_some() && b.key.is_some()) {
            for part in run.chunks(PAIRS_OF_PART) {
                let addition = match part {
                    [DictItem { key: None, value }] => {
                        if dict.is_none() {
                            dict = Some(self.value(Op::ObjDict, Imm::None, vec![], node.range));
                        }
                        self.expr(value)
                    }
                    part => self.part_of_dict(part, node.range),
                };
                match dict {
                    None => dict = Some(addition),
                    Some(dict) => self.effect(Op::ObjDictUpdate, vec![dict, addition], node.range),
                }
            }
        }
        dict.unwrap_or_else(|| self.value(Op::ObjDict, Imm::None, vec![], node.range))
    }

    /// A new dict of pairs without stars.
    fn part_of_dict(&mut self, pairs: &'a [DictItem], range: TextRange) -> Value {
        if pairs.len() > MOST_PAIRS {
            let dict = self.value(Op::ObjDict, Imm::None, vec![], range);
            for pair in pairs {
                let (key, value) = self.pair(pair);
                self.effect(Op::ObjSetItem, vec![dict, key, value], range);
            }
            return dict;
        }
        let mut operands = Vec::with_capacity(2 * pairs.len());
        for pair in pairs {
            let (key, value) = self.pair(pair);
            operands.extend([key, value]);
        }
        self.value(Op::ObjDict, Imm::None, operands, range)
    }

    fn pair(&mut self, pair: &'a DictItem) -> (Value, Value) {
        let key = match &pair.key {
            Some(key) => self.expr(key),
            None => self.nothing(),
        };
        (key, self.expr(&pair.value))
    }
}
