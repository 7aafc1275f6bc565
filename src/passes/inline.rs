//! Inlining of small specialised bodies into specialised callers.
//!
//! ```text
//! fn1 "above" -> i64:                      fn1 "above" -> i64:
//! b0(v0: i64):                             b0(v0: i64):
//!     guard.depth 0 exit [..]                  guard.depth 1 exit [..]
//!     v1 = call.direct fn0 v0 exit [..]  ->    control.jump -> b1
//!     control.ret v1                       b1:
//!                                              v2 = int.add_checked v0, v0 exit [fn0@.. <- fn1@after ..] in site0
//!                                              control.jump -> b2(v2)
//!                                          b2(v1: i64):
//!                                              control.ret v1
//! ```
//!
//! An inlined call counts for the recursion limit: `guard.depth` exits where the call itself would fail.
//! It moves to the beginning of the body, for all inlined calls at once, where an anchor gives it an exit
//! state. The specialiser marks each direct call with a `guard.depth 0`, whose exit state this pass needs;
//! the marks are gone afterwards. Polls at the beginning of an inlined body are dropped: every
//! cycle of calls still goes through a function that polls at its own beginning. A body that runs
//! foreign code stays a call, as the thread state would not know its depth. Calls that stay take their
//! callee's early return themselves ([`super::early`]).

use rustc_hash::FxHashMap;

use super::dissolve;
use super::early::EarlyReturn;
use super::simplify;
use crate::ir::cfg::Cfg;
use crate::ir::dominators::Dominators;
use crate::ir::{
    Block, Def, Effects, Exit, ExitState, FuncId, Function, Imm, Inst, InstData, Op, Shown, Site, SiteData,
    Target, Unit, Value,
};
use crate::types;

/// How many instructions a body has at most that is inlined; constants, jumps and marks are free.
const MAX_CALLEE: usize = 60;

/// How many instructions a body with a loop has at most that is inlined.
const MAX_LOOP: usize = 120;

/// How many instructions a function may have to get more by inlining.
const MAX_CALLER: usize = 20_000;

/// How deep calls are inlined in any case. A depth of 2 makes seven bodies of a function that calls itself twice.
const DEPTH: usize = 2;

/// How many instructions a function has at most after that which is inlined one level deeper, and then another one.
const MOST_FOR_MORE: [usize; 2] = [100, 130];

/// Inlines small bodies into all specialised versions. Those that work on objects of sealed classes come first, callees
/// before callers: what is inlined into them no longer makes objects that it alone sees.
pub fn inline_all(unit: &mut Unit) {
    for id in in_order(unit) {
        inline_calls(unit, id);
        let Some(mut func) = unit.functions[id.index()].specialised.take() else { continue };
        if ops(&func).any(|op| op == Op::SealedNew) {
            simplify::simplify(&mut func);
            if dissolve::dissolve_instances(unit, &mut func) {
                simplify::simplify(&mut func);
            }
            dissolve::borrow_classes(&mut func);
        }
        unit.functions[id.index()].specialised = Some(func);
    }
}

/// The functions in the order in which they are to be gone over.
fn in_order(unit: &Unit) -> Vec<FuncId> {
    let works_on_objects = |body: &Function| ops(body).any(|op| op.row().mnemonic.starts_with("sealed."));
    let bodies: Vec<Option<&Function>> = unit
        .functions
        .iter()
        .map(|function| function.specialised.as_ref().filter(|body| works_on_objects(body)))
        .collect();
    let mut seen = vec![false; bodies.len()];
    let mut order = Vec::with_capacity(bodies.len());
    for root in 0..bodies.len() {
        let mut stack = vec![(root, false)];
        while let Some((number, is_done)) = stack.pop() {
            let Some(body) = bodies[number] else { continue };
            if is_done {
                order.push(FuncId::new(number));
            } else if !std::mem::replace(&mut seen[number], true) {
                stack.push((number, true));
                stack.extend(callees(body).map(|callee| (callee.index(), false)));
            }
        }
    }
    order.extend((0..bodies.len()).filter(|&number| !seen[number]).map(FuncId::new));
    order
}

fn callees(body: &Function) -> impl Iterator<Item = FuncId> {
    let insts = body.layout.iter().flat_map(|&block| &body.block(block).insts);
    insts.filter_map(|&inst| match (body.inst(inst).op, body.inst(inst).imm) {
        (Op::CallDirect, Imm::Func(callee)) => Some(callee),
        _ => None,
    })
}

/// Inlines small bodies into the function's specialised version.
pub fn inline_calls(unit: &mut Unit, id: FuncId) {
    let Some(mut func) = unit.functions[id.index()].specialised.take() else { return };
    let original = func.clone();
    for _ in 0..DEPTH {
        inline_once(unit, &mut func, &original);
    }
    for most in MOST_FOR_MORE {
        if size(&func) <= most {
            inline_once(unit, &mut func, &original);
        }
    }
    take_early_returns(unit, &mut func, &original);
    remove_marks(&mut func);
    claim_depth_at_entry(&mut func);
    unit.functions[id.index()].specialised = Some(func);
}

fn inline_once(unit: &Unit, func: &mut Function, original: &Function) {
    let mut fits: FxHashMap<FuncId, bool> = FxHashMap::default();
    for block in func.layout.clone() {
        if func.block(block).cold {
            continue;
        }
        let mut block = block;
        while let Some((position, callee)) = marked_call(func, block, |callee| {
            let body = body_of(unit, original, callee);
            *fits.entry(callee).or_insert_with(|| {
                let is_unpacked = callee != original.id && gives_tuple(unit, callee);
                body.is_some_and(|body| is_inlinable(body) || is_unpacked && is_inlinable_loop(body))
            })
        }) {
            let Some(body) = body_of(unit, original, callee) else { break };
            if func.insts.len() + body.insts.len() > MAX_CALLER {
                return;
            }
            block = Splice::new(func, block, position).insert(body);
        }
    }
}

/// Has the calls that are left repeat the early return that their callee begins with.
fn take_early_returns(unit: &Unit, func: &mut Function, original: &Function) {
    for block in func.layout.clone() {
        if func.block(block).cold {
            continue;
        }
        let mut block = block;
        let early = |callee| body_of(unit, original, callee).and_then(EarlyReturn::of);
        while let Some((position, callee)) = marked_call(func, block, |callee| early(callee).is_some()) {
            let Some(early) = early(callee).filter(|_| func.insts.len() < MAX_CALLER) else { return };
            let site = func.inst(func.block(block).insts[position]).site;
            let depth = site.map_or(0, |site| nesting(func, site)) + 1;
            let depth = u32::try_from(depth).expect("counted budgets keep inlining shallow");
            block = early.put_before(func, block, position, depth);
        }
    }
}

fn body_of<'a>(unit: &'a Unit, original: &'a Function, callee: FuncId) -> Option<&'a Function> {
    let body =
        if callee == original.id { Some(original) } else { unit.function(callee).specialised.as_ref() };
    body.filter(|body| !body.begins_in_loop)
}

/// The position of the block's first marked call whose callee is wanted.
fn marked_call(
    func: &Function,
    block: Block,
    mut is_wanted: impl FnMut(FuncId) -> bool,
) -> Option<(usize, FuncId)> {
    func.block(block).insts.windows(2).enumerate().find_map(|(position, pair)| {
        match (is_mark(func, pair[0]), func.inst(pair[1]).imm) {
            (true, Imm::Func(callee)) if is_wanted(callee) => Some((position + 1, callee)),
            _ => None,
        }
    })
}

fn is_mark(func: &Function, inst: Inst) -> bool {
    let data = func.inst(inst);
    data.op == Op::GuardDepth && data.imm == Imm::Count(0)
}

fn remove_marks(func: &mut Function) {
    for block in func.layout.clone() {
        let mut insts = std::mem::take(&mut func.block_mut(block).insts);
        insts.retain(|&inst| !is_mark(func, inst));
        func.block_mut(block).insts = insts;
    }
}

/// Claims the depth of the deepest inlined call where the body begins, instead of in front of each: so
/// near the limit that this matters, all of the body goes on in the generic version.
fn claim_depth_at_entry(func: &mut Function) {
    let first = func.block(func.entry()).insts[0];
    let claim = |inst: Inst| match func.inst(inst) {
        InstData { op: Op::GuardDepth, imm: Imm::Count(depth), .. } => Some(*depth),
        _ => None,
    };
    let insts = func.layout.iter().flat_map(|&block| &func.block(block).insts);
    let Some(deepest) = insts.filter_map(|&inst| claim(inst)).max() else { return };
    if !matches!(func.inst(first).op, Op::Anchor | Op::GuardDepth) {
        return;
    }
    for block in func.layout.clone() {
        let mut insts = std::mem::take(&mut func.block_mut(block).insts);
        insts.retain(|&inst| inst == first || func.inst(inst).op != Op::GuardDepth);
        func.block_mut(block).insts = insts;
    }
    let first = func.inst_mut(first);
    first.op = Op::GuardDepth;
    first.imm = Imm::Count(deepest);
}

/// Whether the body is small, returns, runs no foreign code but in its own direct calls, and does not
/// loop: the call is nothing beside a loop, which would only compete for the caller's registers.
fn is_inlinable(body: &Function) -> bool {
    let cfg = Cfg::of(body);
    returns_within(body, MAX_CALLEE) && Dominators::of(&cfg).back_edges(&cfg).is_empty()
}

/// Whether a body that loops, and works on objects of sealed classes, is small enough for what it spares where its
/// result is unpacked: the tuple and its items, and the objects that are made for the call alone.
fn is_inlinable_loop(body: &Function) -> bool {
    returns_within(body, MAX_LOOP) && ops(body).any(|op| op == Op::SealedGuard)
}

/// Whether the body has at most so many instructions, returns, and runs no foreign code but in its own direct calls.
fn returns_within(body: &Function, most: usize) -> bool {
    let runs_foreign = |op: Op| op.effects().has(Effects::FOREIGN) && !op.calls_body();
    size(body) <= most && ops(body).any(|op| op == Op::Return) && !ops(body).any(runs_foreign)
}

/// Whether what the function gives is a tuple of numbers.
fn gives_tuple(unit: &Unit, callee: FuncId) -> bool {
    let is_number =
        |ty: &types::Type| matches!(ty, types::Type::Int | types::Type::Float | types::Type::Bool);
    match &unit.function(callee).signature.result {
        types::Type::Tuple(items) => items.iter().all(is_number),
        _ => false,
    }
}

fn ops(body: &Function) -> impl Iterator<Item = Op> {
    body.layout.iter().flat_map(|&block| &body.block(block).insts).map(|&inst| body.inst(inst).op)
}

/// How many instructions a body has that cost something.
fn size(body: &Function) -> usize {
    let counts = |op: &Op| {
        !matches!(
            op,
            Op::IntConst
                | Op::FloatConst
                | Op::BoolConst
                | Op::ObjConst
                | Op::Jump
                | Op::GuardDepth
                | Op::Anchor
        )
    };
    ops(body).filter(counts).count()
}

/// The insertion of one body in place of one call.
struct Splice<'a> {
    func: &'a mut Function,
    /// The call's own exit: the frames that wait for the callee.
    waiting: Exit,
    /// The variables of the functions that wait.
    shown: Shown,
    call: InstData,
    block: Block,
    /// The instructions behind the call, with the call's result as its parameter.
    after: Block,
    site: Site,
    /// How many inlined calls deep the inlined body is.
    depth: u32,
    /// The new blocks of the body in the order of its layout.
    blocks: FxHashMap<Block, Block>,
    values: FxHashMap<Value, Value>,
    sites: Vec<Site>,
}

impl Splice<'_> {
    /// Cuts the block at the call, which stands at `position` behind its mark.
    fn new(func: &mut Function, block: Block, position: usize) -> Splice<'_> {
        let rest = func.block_mut(block).insts.split_off(position);
        let call = func.inst(rest[0]).clone();
        let shown = shown_by(func, rest[0]);
        let after = func.add_detached_block();
        func.block_mut(after).insts = rest[1..].to_vec();
        func.block_mut(after).params.extend_from_slice(&call.results);
        for (number, &result) in call.results.iter().enumerate() {
            func.values[result.index()].def = Def::Param(after, number);
        }
        let Imm::Func(callee) = call.imm else { unreachable!("a marked call is a direct call") };
        let site = func.add_site(SiteData { func: callee, call: call.range, parent: call.site });
        let depth = u32::try_from(nesting(func, site)).expect("counted budgets keep inlining shallow");
        let mark = func.block(block).insts[position - 1];
        func.inst_mut(mark).imm = Imm::Count(depth);
        let waiting = call.exit.expect("a direct call has an exit state");
        let (blocks, values) = (FxHashMap::default(), FxHashMap::default());
        Splice { func, waiting, shown, call, block, after, site, depth, blocks, values, sites: Vec::new() }
    }

    /// Puts the body in between; returns the block behind it.
    fn insert(mut self, body: &Function) -> Block {
        let position = self.func.layout.iter().position(|&block| block == self.block);
        let position = position.expect("the block of a call lies in the layout") + 1;
        let mut layout = Vec::with_capacity(body.layout.len() + 1);
        for &old in &body.layout {
            let new = self.func.add_detached_block();
            self.func.block_mut(new).cold = body.block(old).cold;
            self.blocks.insert(old, new);
            layout.push(new);
        }
        layout.push(self.after);
        self.func.layout.splice(position..position, layout);
        self.map_sites(body);
        self.map_params(body);
        for block in reverse_postorder(body) {
            self.copy_block(body, block);
        }
        self.jump(self.block, self.blocks[&body.entry()], Vec::new());
        self.after
    }

    fn map_sites(&mut self, body: &Function) {
        for site in &body.sites {
            let parent = Some(site.parent.map_or(self.site, |parent| self.sites[parent.index()]));
            self.sites.push(self.func.add_site(SiteData { func: site.func, call: site.call, parent }));
        }
    }

    /// The body's parameters are the call's operands; other blocks get parameters of their own.
    fn map_params(&mut self, body: &Function) {
        self.values.extend(body.params().iter().copied().zip(self.call.args.iter().copied()));
        for &old in &body.layout[1..] {
            for &param in &body.block(old).params {
                let new = self.func.add_param(self.blocks[&old], body.ty(param));
                self.values.insert(param, new);
            }
        }
    }

    fn copy_block(&mut self, body: &Function, old: Block) {
        let new = self.blocks[&old];
        for &inst in &body.block(old).insts {
            let data = body.inst(inst);
            let is_entry_poll = data.op == Op::Poll && old == body.entry();
            if is_entry_poll || data.op == Op::Anchor {
                continue;
            }
            if data.op == Op::Return {
                let args = data.args.iter().map(|arg| self.values[arg]).collect();
                self.jump(new, self.after, args);
                continue;
            }
            let copy = self.copy_inst(body, data);
            self.copy_shown(body, inst, copy);
            self.func.block_mut(new).insts.push(copy);
        }
    }

    fn copy_inst(&mut self, body: &Function, data: &InstData) -> Inst {
        let target = |target: &Target| Target {
            block: self.blocks[&target.block],
            args: target.args.iter().map(|arg| self.values[arg]).collect(),
        };
        let imm = match (data.op, data.imm) {
            // A mark stays one.
            (Op::GuardDepth, Imm::Count(depth @ 1..)) => Imm::Count(depth + self.depth),
            (_, imm) => imm,
        };
        let copy = InstData {
            op: data.op,
            imm,
            args: data.args.iter().map(|arg| self.values[arg]).collect(),
            results: Vec::new(),
            targets: data.targets.iter().map(target).collect(),
            range: data.range,
            exit: None,
            site: Some(data.site.map_or(self.site, |site| self.sites[site.index()])),
        };
        let types: Vec<_> = data.results.iter().map(|&result| body.ty(result)).collect();
        let exit = data.exit.map(|exit| self.copy_exit(body.exit(exit)));
        let inst = self.func.add_inst(copy, &types);
        self.func.inst_mut(inst).exit = exit;
        self.values.extend(data.results.iter().copied().zip(self.func.inst(inst).results.iter().copied()));
        inst
    }

    /// The callee's frames, and behind them those that wait for the call's result.
    fn copy_exit(&mut self, exit: &ExitState) -> Exit {
        let mut state = exit.clone();
        state.map_values(&mut |value| self.values[&value]);
        state.frames.extend_from_slice(&self.func.exit(self.waiting).frames);
        self.func.add_exit(state)
    }

    /// The callee's variables, and behind them those of the functions that wait for it.
    fn copy_shown(&mut self, body: &Function, inst: Inst, copy: Inst) {
        if !body.inst(inst).op.effects().has(Effects::RAISES) {
            return;
        }
        let mut shown = shown_by(body, inst);
        shown.map_values(&mut |value| self.values[&value]);
        shown.frames.extend_from_slice(&self.shown.frames);
        if !shown.is_empty() {
            let show = self.func.add_show(shown);
            self.func.shown.insert(copy, show);
        }
    }

    fn jump(&mut self, from: Block, to: Block, args: Vec<Value>) {
        let data = InstData {
            op: Op::Jump,
            imm: Imm::None,
            args: Vec::new(),
            results: Vec::new(),
            targets: vec![Target { block: to, args }],
            range: self.call.range,
            exit: None,
            site: if from == self.block { self.call.site } else { Some(self.site) },
        };
        let inst = self.func.add_inst(data, &[]);
        self.func.block_mut(from).insts.push(inst);
    }
}

/// What an instruction shows: frames without variables where it shows nothing.
fn shown_by(func: &Function, inst: Inst) -> Shown {
    let functions = 1 + func.inst(inst).site.map_or(0, |site| nesting(func, site));
    let nothing = || Shown { frames: vec![Vec::new(); functions] };
    func.shown_at(inst).cloned().unwrap_or_else(nothing)
}

/// Definitions come before the uses that they dominate.
fn reverse_postorder(body: &Function) -> Vec<Block> {
    Cfg::of(body).reverse_postorder().to_vec()
}

/// How many inlined calls lead into the site.
fn nesting(func: &Function, site: Site) -> usize {
    let mut depth = 1;
    let mut site = func.sites[site.index()].parent;
    while let Some(inner) = site {
        depth += 1;
        site = func.sites[inner.index()].parent;
    }
    depth
}
