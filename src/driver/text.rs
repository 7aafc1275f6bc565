//! What a text alone says about names, without running any of it.
//!
//! Facts about global names come from the text: its own functions, known builtins that it does not bind, numbers that
//! it binds once, and `import math`. Each is guarded, so they describe the usual case and nothing else depends on them.

use rustc_hash::FxHashMap;

use crate::front;
use crate::front::ParsedModule;
use crate::ir::Builtin;
use crate::ir::FuncId;
use crate::ir::GlobalFact;

use super::Blueprint;

/// What the text alone says about the names that the function reads.
pub(super) fn facts_of_text(module: &ParsedModule, function: &Blueprint) -> FxHashMap<String, GlobalFact> {
    let mut facts = FxHashMap::default();
    for name in &function.names {
        let root = name.split('.').next().unwrap_or(name);
        let fact = if *name == function.info.qualname {
            GlobalFact::Function(FuncId::new(0))
        } else if front::imports_module(module, root, "math") {
            name.split_once('.').map_or(GlobalFact::MathModule, |(_, rest)| GlobalFact::Math(rest.to_owned()))
        } else if let Some(&builtin) = Builtin::ALL.iter().find(|builtin| builtin.name() == name)
            && !front::binds_name(module, name)
        {
            GlobalFact::Builtin(builtin)
        } else if let Some(constant) = module.constants().get(name) {
            GlobalFact::Value(constant.clone())
        } else if let Some(ty) = front::probable_type(module, name) {
            GlobalFact::Likely(ty)
        } else {
            continue;
        };
        facts.insert(name.clone(), fact);
    }
    facts.extend(facts_of_fields(module));
    facts
}

/// What the text says about attributes, under their names with a dot in front.
pub fn facts_of_fields(module: &ParsedModule) -> impl Iterator<Item = (String, GlobalFact)> + '_ {
    module.field_types().iter().map(|(name, ty)| (format!(".{name}"), GlobalFact::Likely(ty.clone())))
}

/// What calls of methods probably call: the functions of the unit that have their name in a class' namespace. `names`
/// are the qualified names of all of them, in the order of their numbers.
pub(super) fn add_methods<'a>(
    facts: &mut FxHashMap<String, GlobalFact>,
    names: impl Iterator<Item = &'a str>,
) {
    for (number, name) in names.enumerate() {
        let Some(method) = front::method_name(name) else { continue };
        let fact = facts.entry(method_fact(method)).or_insert_with(|| GlobalFact::Callees(Vec::new()));
        if let GlobalFact::Callees(callees) = fact {
            callees.push(FuncId::new(number));
        }
    }
}

/// The name under which facts say what calls of a method of this name probably call.
#[must_use]
pub fn method_fact(name: &str) -> String {
    format!(".{name}()")
}
