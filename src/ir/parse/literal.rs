//! Types, constants and immediates in IR text.

use crate::ir::classes::{SealedClass, SealedField};
use crate::ir::entity::{ClassId, FuncId};
use crate::ir::imm::{Binary, Cmp, Imm, ImmKind, InPlace, MathFn, Unary};
use crate::ir::ops::{Op, Type};
use crate::ir::unit::{Builtin, CellSpec, Const, GlobalFact, Unit};
use crate::types;

use super::ParseError;
use super::cursor::Cursor;

/// `obj`, `i64`, `f64` or `bool`.
pub(super) fn machine_type(cursor: &mut Cursor<'_>) -> Result<Type, ParseError> {
    let all = [Type::Obj, Type::I64, Type::F64, Type::Bool];
    let found = all.into_iter().find(|ty| cursor.eat(ty.name()));
    found.ok_or_else(|| cursor.error("a machine type"))
}

/// What a signature promises.
pub(super) fn semantic_type(cursor: &mut Cursor<'_>) -> Result<types::Type, ParseError> {
    match cursor.word() {
        "never" => Ok(types::Type::Never),
        "None" => Ok(types::Type::None),
        "bool" => Ok(types::Type::Bool),
        "int" => Ok(types::Type::Int),
        "float" => Ok(types::Type::Float),
        "object" => Ok(types::Type::Object),
        "str" => Ok(types::Type::Str),
        "bytes" => Ok(types::Type::Bytes),
        "bytearray" => Ok(types::Type::ByteArray),
        "sealed" => Ok(types::Type::Sealed(class_name(cursor)?)),
        "optional" => Ok(types::Type::Optional(class_name(cursor)?)),
        "list" => {
            cursor.expect("[")?;
            let item = semantic_type(cursor)?;
            cursor.expect("]")?;
            Ok(types::Type::List(Box::new(item)))
        }
        "tuple" => {
            cursor.expect("[")?;
            Ok(types::Type::Tuple(cursor.list("]", semantic_type)?.into()))
        }
        _ => Err(cursor.error("a type")),
    }
}

fn class_name(cursor: &mut Cursor<'_>) -> Result<Box<str>, ParseError> {
    cursor.expect("[")?;
    let name = cursor.word().into();
    cursor.expect("]")?;
    Ok(name)
}

/// A constant of the unit.
pub(super) fn constant(cursor: &mut Cursor<'_>) -> Result<Const, ParseError> {
    if cursor.is_at_number() {
        return if cursor.is_at_float() {
            cursor.float().map(Const::Float)
        } else {
            cursor.number().map(Const::Int)
        };
    }
    if cursor.eat("(") {
        return Ok(Const::Tuple(cursor.list(")", constant)?));
    }
    if cursor.eat("frozenset") {
        cursor.expect("(")?;
        return Ok(Const::FrozenSet(cursor.list(")", constant)?));
    }
    if cursor.eat("surrogates") {
        cursor.expect("(")?;
        let bytes = cursor.bytes()?;
        cursor.expect(")")?;
        return Ok(Const::Surrogates(bytes));
    }
    if cursor.eat("imaginary") {
        cursor.expect("(")?;
        let bits = cursor.float()?;
        cursor.expect(")")?;
        return Ok(Const::Imaginary(bits));
    }
    if cursor.eat("big") {
        cursor.expect("(")?;
        let digits = cursor.word().to_owned();
        cursor.expect(")")?;
        return Ok(Const::BigInt(digits));
    }
    if cursor.eat("method") {
        let class = named(cursor, types::Class::ALL, types::Class::name)?;
        return Ok(Const::Method(class, cursor.string()?));
    }
    let plain = [
        ("None", Const::None),
        ("True", Const::Bool(true)),
        ("False", Const::Bool(false)),
        ("...", Const::Ellipsis),
        ("AssertionError", Const::AssertionError),
        ("Unbound", Const::Unbound),
    ];
    if let Some((_, found)) = plain.into_iter().find(|(text, _)| cursor.eat(text)) {
        return Ok(found);
    }
    if cursor.is_at_bytes() {
        return cursor.bytes().map(Const::Bytes);
    }
    cursor.string().map(Const::Str)
}

/// The immediate that the op's row asks for.
pub(super) fn immediate(unit: &mut Unit, cursor: &mut Cursor<'_>, op: Op) -> Result<Imm, ParseError> {
    let imm = match op.row().imm {
        ImmKind::None => Imm::None,
        ImmKind::Int => Imm::Int(cursor.number()?),
        ImmKind::Float => Imm::Float(cursor.float()?),
        ImmKind::Bool if cursor.eat("true") => Imm::Bool(true),
        ImmKind::Bool => {
            cursor.expect("false")?;
            Imm::Bool(false)
        }
        ImmKind::Count => Imm::Count(cursor.number()?),
        ImmKind::Const => Imm::Const(unit.constant(constant(cursor)?)),
        ImmKind::Cell => Imm::Cell(unit.cell(cell(cursor)?)),
        ImmKind::Func => Imm::Func(FuncId::new(cursor.entity("fn")?)),
        ImmKind::Cmp => Imm::Cmp(named(cursor, Cmp::ALL, Cmp::name)?),
        ImmKind::Binary => {
            let binary = named(cursor, Binary::ALL, Binary::name)?;
            Imm::Binary(binary, if cursor.eat("=") { InPlace::Yes } else { InPlace::No })
        }
        ImmKind::Unary => Imm::Unary(named(cursor, Unary::ALL, Unary::name)?),
        ImmKind::Math => Imm::Math(named(cursor, MathFn::ALL, MathFn::name)?),
        ImmKind::Sealed => Imm::Sealed(sealed_class(unit, cursor)?),
        ImmKind::Dispatch => {
            let class = sealed_class(unit, cursor)?;
            cursor.expect(":")?;
            Imm::Dispatch(class, cursor.number()?)
        }
        ImmKind::Guess => {
            cursor.expect("(")?;
            let callees = cursor.list(")", |cursor| cursor.entity("fn").map(FuncId::new))?;
            Imm::Guess(unit.guess(&callees))
        }
        ImmKind::Field => {
            let class = sealed_class(unit, cursor)?;
            cursor.expect(":")?;
            let name = cursor.word();
            let field = unit.classes[class.index()].fields.iter().position(|field| field.name == name);
            let field = field.ok_or_else(|| cursor.error("a field of the class"))?;
            Imm::Field(class, u32::try_from(field).expect("classes have few fields"))
        }
        ImmKind::Class => Imm::Class(named(cursor, types::Class::ALL, types::Class::name)?),
    };
    cursor.eat(",");
    Ok(imm)
}

fn sealed_class(unit: &Unit, cursor: &mut Cursor<'_>) -> Result<ClassId, ParseError> {
    let name = cursor.word();
    unit.sealed_class(name).ok_or_else(|| cursor.error("a declared class"))
}

/// A sealed class: `name [subclassed] {field: type @offset [unboxed] [fixed], ...}`.
pub(super) fn class(cursor: &mut Cursor<'_>) -> Result<SealedClass, ParseError> {
    let name = cursor.word().to_owned();
    let has_subclasses = cursor.eat("subclassed");
    cursor.expect("{")?;
    let fields = cursor.list("}", |cursor| {
        let name = cursor.word().to_owned();
        cursor.expect(":")?;
        let ty = semantic_type(cursor)?;
        cursor.expect("@")?;
        let offset = cursor.number()?;
        let held = if cursor.eat("unboxed") { types::Held::unboxed(&ty) } else { types::Held::Object };
        Ok(SealedField { name, ty, offset, held, is_stored: !cursor.eat("fixed"), takes_all: false })
    })?;
    Ok(SealedClass {
        title: name.clone(),
        name,
        identity: 0,
        version: 0,
        has_subclasses,
        augments: false,
        weak: 0,
        fields,
        dispatch: Vec::new(),
        methods: Vec::new(),
        constructor: None,
    })
}

fn named<T: Copy>(cursor: &mut Cursor<'_>, all: &[T], name: fn(T) -> &'static str) -> Result<T, ParseError> {
    let found = all.iter().copied().find(|&item| cursor.eat(name(item)));
    found.ok_or_else(|| cursor.error("the name of an immediate"))
}

/// What a guard cell watches.
pub(super) fn cell(cursor: &mut Cursor<'_>) -> Result<CellSpec, ParseError> {
    let path = cursor.string()?;
    cursor.expect("is")?;
    let expected = if cursor.is_at_entity("fn") {
        GlobalFact::Function(FuncId::new(cursor.entity("fn")?))
    } else if cursor.eat("method") {
        GlobalFact::Method(FuncId::new(cursor.entity("fn")?))
    } else if cursor.eat("value") {
        GlobalFact::Value(constant(cursor)?)
    } else if cursor.eat("builtin") {
        GlobalFact::Builtin(named(cursor, Builtin::ALL, Builtin::name)?)
    } else if cursor.eat("sealed") {
        GlobalFact::Class(cursor.number()?)
    } else if cursor.eat("math_module") {
        GlobalFact::MathModule
    } else if cursor.eat("math") {
        GlobalFact::Math(cursor.string()?)
    } else {
        cursor.expect("unknown")?;
        GlobalFact::Unknown
    };
    Ok(CellSpec { path, expected })
}
