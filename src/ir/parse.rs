//! CIR from the text that [`super::print`] writes: for the cases of the pass tests.
//!
//! Input: the text of a unit. Blank lines and what follows a `;` are skipped; the `i0:` in front of an
//! instruction may be left out. Numbers of values, blocks and instructions are kept, so there may be
//! gaps; what stands in them belongs to no block. Nothing is verified. Source ranges are not in the text.

mod cursor;
mod literal;

use std::fmt;

use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;

use cursor::Cursor;

use super::entity::{Block, FuncId, Inst, Site, Value};
use super::func::{
    BlockData, Def, ExitFrame, ExitState, Function, InstData, Point, SiteData, Slot, Target, ValueData,
};
use super::imm::Imm;
use super::ops::{Op, Type};
use super::shown::{FRAME, Shown, ShownVariable};
use super::unit::{Signature, Unit, UnitFunction};

/// Text that is not IR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What was expected, and what is there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Which version of its function the text describes.
#[derive(Clone, Copy)]
enum Kind {
    Generic,
    Specialised,
}

/// Reads a unit.
///
/// # Errors
/// The first line that is not IR.
pub fn parse(text: &str) -> Result<Unit, ParseError> {
    let mut parser = Parser {
        unit: Unit::default(),
        mnemonics: Op::ALL.iter().map(|&op| (op.row().mnemonic, op)).collect(),
        current: None,
    };
    for (number, line) in text.lines().enumerate() {
        let mut cursor = Cursor::new(line, number + 1);
        if !cursor.is_at_end() {
            parser.line(&mut cursor)?;
            if !cursor.is_at_end() {
                return Err(cursor.error("the end of the line"));
            }
        }
    }
    parser.finish_function();
    Ok(parser.unit)
}

struct Parser {
    unit: Unit,
    mnemonics: FxHashMap<&'static str, Op>,
    current: Option<(Kind, Function)>,
}

impl Parser {
    fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        if cursor.eat("generic") {
            self.function(cursor, Kind::Generic)
        } else if cursor.eat("specialised") {
            self.function(cursor, Kind::Specialised)
        } else if self.current.is_none() {
            self.declaration(cursor)
        } else if cursor.is_at_entity("site") {
            self.site(cursor)
        } else if cursor.is_at_entity("b") {
            self.block(cursor)
        } else {
            self.inst(cursor)
        }
    }

    fn declaration(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        if cursor.is_at_entity("class") {
            if cursor.entity("class")? != self.unit.classes.len() {
                return Err(cursor.error("classes in order"));
            }
            let class = literal::class(cursor)?;
            self.unit.classes.push(class);
            return Ok(());
        }
        if cursor.entity("fn")? != self.unit.functions.len() {
            return Err(cursor.error("functions in order"));
        }
        let name = cursor.string()?;
        cursor.expect("(")?;
        let params = cursor.list(")", literal::semantic_type)?;
        cursor.expect("->")?;
        let result = literal::semantic_type(cursor)?;
        let promised = cursor.eat("promised");
        let keyword_only = if cursor.eat("keyword_only") { cursor.number()? } else { 0 };
        let signature = Signature { params, result };
        self.unit.functions.push(UnitFunction {
            name,
            signature,
            promised,
            checked_first: false,
            checked_classes: Vec::new(),
            keyword_only,
            names: Vec::new(),
            variables: Vec::new(),
            nested: Vec::new(),
            free: Vec::new(),
            gains: true,
            generic: None,
            specialised: None,
        });
        Ok(())
    }

    fn function(&mut self, cursor: &mut Cursor<'_>, kind: Kind) -> Result<(), ParseError> {
        self.finish_function();
        let id = cursor.entity("fn")?;
        if id >= self.unit.functions.len() {
            return Err(cursor.error("a declared function"));
        }
        let name = cursor.string()?;
        cursor.expect("->")?;
        let result = literal::machine_type(cursor)?;
        cursor.expect(":")?;
        self.current = Some((kind, Function::new(FuncId::new(id), &name, result)));
        Ok(())
    }

    fn finish_function(&mut self) {
        let Some((kind, mut func)) = self.current.take() else { return };
        let named = func.layout.iter().flat_map(|&block| &func.block(block).insts);
        let mut highest = 0;
        for &inst in named {
            func.visit_uses(inst, |value| highest = highest.max(value.index() + 1));
        }
        if highest > func.values.len() {
            func.values.resize(highest, nowhere());
        }
        let function = &mut self.unit.functions[func.id.index()];
        match kind {
            Kind::Generic => function.generic = Some(func),
            Kind::Specialised => function.specialised = Some(func),
        }
    }

    fn func(&mut self) -> &mut Function {
        &mut self.current.as_mut().expect("lines of a function follow its head").1
    }

    fn site(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        cursor.entity("site")?;
        cursor.expect("=")?;
        let func = FuncId::new(cursor.entity("fn")?);
        cursor.expect("@")?;
        let start: u32 = cursor.number()?;
        cursor.expect("..")?;
        let end: u32 = cursor.number()?;
        if end < start {
            return Err(cursor.error("a range that does not end before it begins"));
        }
        let parent = if cursor.eat("in") { Some(Site::new(cursor.entity("site")?)) } else { None };
        let call = TextRange::new(start.into(), end.into());
        self.func().add_site(SiteData { func, call, parent });
        Ok(())
    }

    fn block(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        let block = Block::new(cursor.entity("b")?);
        let func = self.func();
        if block.index() >= func.blocks.len() {
            func.blocks.resize(block.index() + 1, BlockData::default());
        }
        func.layout.push(block);
        if cursor.eat("(") {
            for (number, (value, ty)) in cursor.list(")", typed_value)?.into_iter().enumerate() {
                self.define(value, ty, Def::Param(block, number));
                self.func().block_mut(block).params.push(value);
            }
        }
        self.func().block_mut(block).cold = cursor.eat("cold");
        cursor.expect(":")
    }

    fn define(&mut self, value: Value, ty: Type, def: Def) {
        let values = &mut self.func().values;
        if value.index() >= values.len() {
            values.resize(value.index() + 1, nowhere());
        }
        values[value.index()] = ValueData { ty, def };
    }

    fn inst(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        let Some(&block) = self.func().layout.last() else {
            return Err(cursor.error("a block"));
        };
        let inst = if cursor.is_at_entity("i") {
            let inst = Inst::new(cursor.entity("i")?);
            cursor.expect(":")?;
            inst
        } else {
            Inst::new(self.func().insts.len())
        };
        let results = if cursor.is_at_entity("v") { cursor.list("=", result)? } else { Vec::new() };
        let mnemonic = cursor.word();
        let Some(&op) = self.mnemonics.get(mnemonic) else {
            return Err(cursor.error(&format!("a mnemonic instead of `{mnemonic}`")));
        };
        let imm = literal::immediate(&mut self.unit, cursor, op)?;
        let mut data = blank(op, imm);
        while cursor.is_at_entity("v") {
            data.args.push(value(cursor)?);
            cursor.eat(",");
        }
        self.trailer(cursor, inst, &mut data)?;
        for (number, &(value, ty)) in results.iter().enumerate() {
            let ty = ty.or(op.row().results.get(number).copied());
            let ty = ty.ok_or_else(|| cursor.error("types of the results"))?;
            self.define(value, ty, Def::Result(inst, number));
            data.results.push(value);
        }
        let func = self.func();
        if inst.index() >= func.insts.len() {
            func.insts.resize(inst.index() + 1, blank(Op::Jump, Imm::None));
        }
        *func.inst_mut(inst) = data;
        func.block_mut(block).insts.push(inst);
        Ok(())
    }

    /// Targets, exit state, unwind list, shown variables and site.
    fn trailer(
        &mut self,
        cursor: &mut Cursor<'_>,
        inst: Inst,
        data: &mut InstData,
    ) -> Result<(), ParseError> {
        if cursor.eat("->") {
            data.targets.push(target(cursor)?);
            while cursor.eat(",") {
                data.targets.push(target(cursor)?);
            }
        }
        if cursor.eat("exit") {
            cursor.expect("[")?;
            let mut frames = vec![self.frame(cursor)?];
            while cursor.eat("<-") {
                frames.push(self.frame(cursor)?);
            }
            cursor.expect("]")?;
            data.exit = Some(self.func().add_exit(ExitState { frames }));
        }
        if cursor.eat("unwind") {
            cursor.expect("(")?;
            let unwind = cursor.list(")", value)?;
            self.func().unwind.insert(inst, unwind);
        }
        if cursor.eat("shows") {
            cursor.expect("[")?;
            let mut shown = Shown { frames: vec![self.shown_frame(cursor)?] };
            while cursor.eat("<-") {
                shown.frames.push(self.shown_frame(cursor)?);
            }
            cursor.expect("]")?;
            let show = self.func().add_show(shown);
            self.func().shown.insert(inst, show);
        }
        if cursor.eat("in") {
            data.site = Some(Site::new(cursor.entity("site")?));
        }
        Ok(())
    }

    fn shown_frame(&mut self, cursor: &mut Cursor<'_>) -> Result<Vec<ShownVariable>, ParseError> {
        cursor.expect("(")?;
        let unit = &mut self.unit;
        cursor.list(")", |cursor| {
            let number = if cursor.eat("frame") { FRAME } else { cursor.number()? };
            let slot = slot(unit, cursor)?;
            let bound = if cursor.eat("if") { Some(value(cursor)?) } else { None };
            Ok(ShownVariable { number, slot, bound })
        })
    }

    fn frame(&mut self, cursor: &mut Cursor<'_>) -> Result<ExitFrame, ParseError> {
        let func = FuncId::new(cursor.entity("fn")?);
        cursor.expect("@")?;
        let point = if cursor.eat("entry") {
            Point::Entry
        } else if cursor.eat("before") {
            Point::Before(Inst::new(cursor.entity("i")?))
        } else {
            cursor.expect("after")?;
            Point::After(Inst::new(cursor.entity("i")?))
        };
        cursor.expect("(")?;
        let unit = &mut self.unit;
        let slots = cursor.list(")", |cursor| slot(unit, cursor))?;
        Ok(ExitFrame { func, point, slots })
    }
}

/// A value that nothing in the text defines.
fn nowhere() -> ValueData {
    ValueData { ty: Type::Obj, def: Def::Param(Block::new(0), usize::MAX) }
}

fn blank(op: Op, imm: Imm) -> InstData {
    InstData {
        op,
        imm,
        args: Vec::new(),
        results: Vec::new(),
        targets: Vec::new(),
        range: TextRange::default(),
        exit: None,
        site: None,
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<Value, ParseError> {
    Ok(Value::new(cursor.entity("v")?))
}

fn typed_value(cursor: &mut Cursor<'_>) -> Result<(Value, Type), ParseError> {
    let value = value(cursor)?;
    cursor.expect(":")?;
    Ok((value, literal::machine_type(cursor)?))
}

fn result(cursor: &mut Cursor<'_>) -> Result<(Value, Option<Type>), ParseError> {
    let value = value(cursor)?;
    let ty = if cursor.eat(":") { Some(literal::machine_type(cursor)?) } else { None };
    Ok((value, ty))
}

fn target(cursor: &mut Cursor<'_>) -> Result<Target, ParseError> {
    let block = Block::new(cursor.entity("b")?);
    let args = if cursor.eat("(") { cursor.list(")", value)? } else { Vec::new() };
    Ok(Target { block, args })
}

fn slot(unit: &mut Unit, cursor: &mut Cursor<'_>) -> Result<Slot, ParseError> {
    if cursor.is_at_entity("v") {
        return Ok(Slot::Value(value(cursor)?));
    }
    match cursor.word() {
        "none" => Ok(Slot::None),
        "true" => Ok(Slot::Bool(true)),
        "false" => Ok(Slot::Bool(false)),
        "const" => Ok(Slot::Const(unit.constant(literal::constant(cursor)?))),
        "cell" => Ok(Slot::Cell(unit.cell(literal::cell(cursor)?))),
        "tuple" => {
            cursor.expect("(")?;
            Ok(Slot::Tuple(cursor.list(")", |cursor| slot(unit, cursor))?))
        }
        "instance" => {
            cursor.expect("(")?;
            let class = value(cursor)?;
            let keeper = if cursor.eat("of") { Some(value(cursor)?) } else { None };
            cursor.eat(",");
            let fields = cursor.list(")", |cursor| slot(unit, cursor))?;
            Ok(Slot::Instance { class, keeper, fields })
        }
        "char" => {
            cursor.expect("(")?;
            let point = value(cursor)?;
            cursor.expect(")")?;
            Ok(Slot::Char(point))
        }
        "wide" => two(cursor).map(|[low, high]| Slot::Wide { low, high }),
        "list_iter" => two(cursor).map(|[list, next]| Slot::ListIter { list, next }),
        "reverse_iter" => two(cursor).map(|[list, next]| Slot::ReverseIter { list, next }),
        "enumerate" => {
            cursor.expect("(")?;
            let count = value(cursor)?;
            cursor.expect(",")?;
            let of = Box::new(slot(unit, cursor)?);
            cursor.expect(")")?;
            Ok(Slot::Enumerate { count, of })
        }
        "zip" => {
            cursor.expect("(")?;
            Ok(Slot::Zip(cursor.list(")", |cursor| slot(unit, cursor))?))
        }
        "range" => three(cursor).map(|[start, stop, step]| Slot::Range { start, stop, step }),
        "range_iter" => three(cursor).map(|[next, count, step]| Slot::RangeIter { next, count, step }),
        "unit_range_iter" => three(cursor).map(|[next, stop, step]| Slot::UnitRangeIter { next, stop, step }),
        _ => Err(cursor.error("a slot")),
    }
}

fn two(cursor: &mut Cursor<'_>) -> Result<[Value; 2], ParseError> {
    cursor.expect("(")?;
    cursor.list(")", value)?.try_into().map_err(|_| cursor.error("two values"))
}

fn three(cursor: &mut Cursor<'_>) -> Result<[Value; 3], ParseError> {
    cursor.expect("(")?;
    cursor.list(")", value)?.try_into().map_err(|_| cursor.error("three values"))
}
