//! Imports inside functions.

use ruff_python_ast::Alias;
use ruff_python_ast::StmtImport;
use ruff_python_ast::StmtImportFrom;
use ruff_text_size::TextRange;

use crate::ir::Const;
use crate::ir::Imm;
use crate::ir::Op;
use crate::ir::Value;

use super::Builder;
use super::syntax_error;

impl<'a> Builder<'a> {
    /// `import a.b` binds `a`; `import a.b as x` binds what `a.b` is.
    pub(super) fn import(&mut self, node: &'a StmtImport) {
        for alias in &node.names {
            let module = self.imported(alias.name.as_str(), Const::None, 0, node.range);
            let mut parts = alias.name.split('.');
            let first = parts.next().unwrap_or_default();
            let Some(name) = &alias.asname else {
                self.assign_name(first, module, node.range);
                continue;
            };
            let value = parts.fold(module, |value, part| self.part_of(value, part, node.range));
            self.assign_name(name, value, node.range);
        }
    }

    /// `from module import name as other`
    pub(super) fn import_from(&mut self, node: &'a StmtImportFrom) {
        let names = node.names.iter().map(|alias| Const::Str(alias.name.to_string())).collect();
        let name = node.module.as_ref().map_or("", |name| name.as_str());
        let module = self.imported(name, Const::Tuple(names), node.level, node.range);
        for Alias { name, asname, .. } in &node.names {
            if name == "*" {
                return self.refuse(node, syntax_error("`import *` inside a function"));
            }
            let value = self.part_of(module, name, node.range);
            self.assign_name(asname.as_ref().unwrap_or(name), value, node.range);
        }
    }

    fn imported(&mut self, name: &str, names: Const, level: u32, range: TextRange) -> Value {
        self.may_recurse = true;
        let level = self.constant(Const::Int(i64::from(level)), range);
        let names = self.constant(names, range);
        let name = self.scope.mangled(name).into_owned();
        let name = Imm::Const(self.constant_id(Const::Str(name)));
        self.value(Op::ObjImport, name, vec![names, level], range)
    }

    fn part_of(&mut self, module: Value, name: &str, range: TextRange) -> Value {
        let name = self.scope.mangled(name).into_owned();
        let name = Imm::Const(self.constant_id(Const::Str(name)));
        self.value(Op::ObjImportFrom, name, vec![module], range)
    }
}
