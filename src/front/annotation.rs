//! What a function's annotations promise, read from the text alone.
//!
//! `int`, `float`, `bool`, `None`, `str`, `bytes`, `bytearray`, `list[…]` and `tuple[…]` of them mean what they
//! say unless the module binds one of these names anywhere. Other names, alone or with None, may be those of sealed
//! classes, which who reads the type has to find out. All other annotations, or none, promise nothing.

use ruff_python_ast::Expr;
use ruff_python_ast::Operator;
use ruff_python_ast::Stmt;

use crate::ir::Signature;
use crate::types::Type;

use super::ParsedModule;
use super::functions::FunctionInfo;
use super::functions::path_to;
use super::scope;

/// Deeper tuples than this promise nothing.
const MAX_DEPTH: usize = 16;

/// The signature that the annotations spell out.
#[must_use]
pub fn annotated_signature(module: &ParsedModule, info: &FunctionInfo) -> Signature {
    let path = path_to(module, info.range);
    let Some(Stmt::FunctionDef(def)) = path.last().copied() else {
        return Signature { params: vec![Type::Object; info.parameters.len()], result: Type::Object };
    };
    let parameters = &def.parameters;
    let plain = [&parameters.posonlyargs, &parameters.args, &parameters.kwonlyargs];
    let mut params = Vec::new();
    for parameter in plain.into_iter().flatten() {
        params.push(promised(module, parameter.parameter.annotation.as_deref()));
    }
    params.resize(info.parameters.len(), Type::Object);
    Signature { params, result: promised(module, def.returns.as_deref()) }
}

/// What one annotation says.
pub(super) fn promised(module: &ParsedModule, annotation: Option<&Expr>) -> Type {
    annotation.and_then(|annotation| type_of(module, annotation, 0)).unwrap_or(Type::Object)
}

fn type_of(module: &ParsedModule, annotation: &Expr, depth: usize) -> Option<Type> {
    match annotation {
        Expr::NoneLiteral(_) => Some(Type::None),
        Expr::Name(name) if is_builtin(module, &name.id) => match name.id.as_str() {
            "int" => Some(Type::Int),
            "float" => Some(Type::Float),
            "bool" => Some(Type::Bool),
            "str" => Some(Type::Str),
            "bytes" => Some(Type::Bytes),
            "bytearray" => Some(Type::ByteArray),
            "list" => Some(Type::List(Box::new(Type::Object))),
            _ => None,
        },
        Expr::Name(name) => Some(Type::Sealed(name.id.as_str().into())),
        Expr::Attribute(node) => match &*node.value {
            Expr::Name(name) => Some(Type::Sealed(format!("{}.{}", name.id, node.attr).into())),
            _ => None,
        },
        Expr::BinOp(node) if node.op == Operator::BitOr && depth < MAX_DEPTH => {
            let sides = [&node.left, &node.right].map(|side| type_of(module, side, depth + 1));
            match sides {
                [Some(Type::None), Some(Type::Sealed(name))]
                | [Some(Type::Sealed(name)), Some(Type::None)] => Some(Type::Optional(name)),
                _ => None,
            }
        }
        Expr::StringLiteral(text) if depth < MAX_DEPTH && !text.value.is_implicit_concatenated() => {
            let file = crate::source::SourceFile::new("", text.value.to_str());
            let parsed = super::parse(&file).ok()?;
            match &**parsed.suite() {
                [Stmt::Expr(stmt)] => type_of(module, &stmt.value, depth + 1),
                _ => None,
            }
        }
        Expr::Subscript(node) if depth < MAX_DEPTH => match &*node.value {
            Expr::Name(name) if name.id == "tuple" && is_builtin(module, "tuple") => {
                let items = match &*node.slice {
                    Expr::Tuple(items) => items.elts.as_slice(),
                    item => std::slice::from_ref(item),
                };
                let types: Option<Vec<Type>> = items
                    .iter()
                    .map(|item| type_of(module, item, depth + 1).filter(|ty| ty.sealed().is_none()))
                    .collect();
                types.map(|types| Type::Tuple(types.into()))
            }
            Expr::Name(name) if name.id == "list" && is_builtin(module, "list") => {
                let item = type_of(module, &node.slice, depth + 1).unwrap_or(Type::Object);
                Some(Type::List(Box::new(item)))
            }
            Expr::Name(name) if name.id == "Optional" => match type_of(module, &node.slice, depth + 1) {
                Some(Type::Sealed(name)) => Some(Type::Optional(name)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn is_builtin(module: &ParsedModule, name: &str) -> bool {
    let bound = module.bound_names();
    !bound.contains(name) && !bound.contains(scope::ALL_NAMES)
}
