//! Random functions of ints and truth values: ifs, loops, checked ops with exit states.

use _castiron::ir::Block;
use _castiron::ir::Cmp;
use _castiron::ir::ExitFrame;
use _castiron::ir::ExitState;
use _castiron::ir::FuncId;
use _castiron::ir::Function;
use _castiron::ir::Imm;
use _castiron::ir::Inst;
use _castiron::ir::InstData;
use _castiron::ir::Op;
use _castiron::ir::Point;
use _castiron::ir::Slot;
use _castiron::ir::Target;
use _castiron::ir::Type;
use _castiron::ir::Value;

/// Ints at which something happens.
pub(crate) const EDGES: &[i64] = &[
    0,
    1,
    -1,
    2,
    -2,
    3,
    5,
    7,
    8,
    10,
    -10,
    12,
    31,
    32,
    62,
    63,
    64,
    65,
    255,
    256,
    1023,
    1024,
    12345,
    1_103_515_245,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    4_294_967_295,
    4_294_967_296,
    3_037_000_499,
    3_037_000_500,
    9_007_199_254_740_992,
    i64::MAX,
    i64::MAX - 1,
    i64::MIN,
    i64::MIN + 1,
    i64::MAX / 2,
    i64::MIN / 2,
    1 << 62,
];

/// Xorshift: the same programs for the same seed, everywhere.
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % bound as u64).expect("it is below a usize")
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// An int, mostly near an edge.
    pub(crate) fn int(&mut self) -> i64 {
        let near = self.pick(EDGES);
        match self.below(4) {
            0 => near.wrapping_add(i64::try_from(self.below(5)).expect("small") - 2),
            1 => i64::try_from(self.below(200)).expect("small") - 100,
            _ => near,
        }
    }
}

/// Values that are in scope.
#[derive(Clone, Default)]
struct Scope {
    ints: Vec<Value>,
    bools: Vec<Value>,
}

struct Generator {
    func: Function,
    random: Random,
    block: Block,
    points: usize,
}

/// A random function of three ints.
pub(crate) fn function(seed: u64) -> Function {
    let mut func = Function::new(FuncId::new(0), "random", Type::I64);
    let block = func.add_block();
    let ints = (0..3).map(|_| func.add_param(block, Type::I64)).collect();
    let mut generator = Generator { func, random: Random::new(seed), block, points: 0 };
    let mut scope = Scope { ints, bools: Vec::new() };
    generator.statements(&mut scope, 3);
    let result = generator.random.pick(&scope.ints);
    generator.end(Op::Return, &[result], Vec::new());
    generator.func
}

impl Generator {
    fn push(
        &mut self,
        op: Op,
        imm: Imm,
        args: &[Value],
        targets: Vec<Target>,
        scope: Option<&Scope>,
    ) -> Inst {
        let exit = scope.map(|scope| self.exit(args, scope));
        let range = Default::default();
        let data =
            InstData { op, imm, args: args.to_vec(), results: Vec::new(), targets, range, exit, site: None };
        let inst = self.func.add_inst(data, op.row().results);
        self.func.block_mut(self.block).insts.push(inst);
        inst
    }

    /// An exit state whose slots are the operands and some other ints.
    fn exit(&mut self, args: &[Value], scope: &Scope) -> _castiron::ir::Exit {
        let mut slots: Vec<Slot> = args.iter().map(|&arg| Slot::Value(arg)).collect();
        for _ in 0..self.random.below(3) {
            // Variables that are alive are parameters more often than temporaries of one expression.
            let near = self.random.below(scope.ints.len()) / (1 + self.random.below(4));
            slots.push(Slot::Value(scope.ints[near]));
        }
        let point = Point::Before(Inst::new(self.points));
        self.points += 1;
        self.func.add_exit(ExitState { frames: vec![ExitFrame { func: FuncId::new(0), point, slots }] })
    }

    fn value(&mut self, op: Op, imm: Imm, args: &[Value], scope: &Scope) -> Value {
        let inst = self.push(op, imm, args, Vec::new(), op.exits().then_some(scope));
        self.func.inst(inst).results[0]
    }

    fn constant(&mut self, value: i64) -> Value {
        self.value(Op::IntConst, Imm::Int(value), &[], &Scope::default())
    }

    fn end(&mut self, op: Op, args: &[Value], targets: Vec<Target>) {
        self.push(op, Imm::None, args, targets, None);
    }

    /// An int in scope, the newest ones most often, or a constant.
    fn operand(&mut self, scope: &Scope) -> Value {
        match self.random.below(8) {
            0 | 1 => {
                let value = self.random.int();
                self.constant(value)
            }
            2..=4 => scope.ints[scope.ints.len() - 1 - self.random.below(scope.ints.len().min(3))],
            _ => self.random.pick(&scope.ints),
        }
    }

    fn condition(&mut self, scope: &mut Scope) -> Value {
        if !scope.bools.is_empty() && self.random.below(4) == 0 {
            return self.random.pick(&scope.bools);
        }
        let (a, b) = (self.operand(scope), self.operand(scope));
        let cmp = self.random.pick(Cmp::ALL);
        let condition = self.value(Op::IntCompare, Imm::Cmp(cmp), &[a, b], scope);
        scope.bools.push(condition);
        condition
    }

    fn statements(&mut self, scope: &mut Scope, depth: usize) {
        for _ in 0..=self.random.below(7) {
            match self.random.below(12) {
                0 | 1 if depth > 0 => self.choice(scope, depth - 1),
                2 | 3 if depth > 0 => self.turns(scope, depth - 1),
                4 => self.truth(scope),
                5 => self.low_bits(scope),
                6 => {
                    let condition = self.condition(scope);
                    if self.random.below(3) == 0 {
                        self.push(Op::GuardTrue, Imm::None, &[condition], Vec::new(), Some(scope));
                    }
                }
                _ => self.arithmetic(scope),
            }
        }
    }

    fn arithmetic(&mut self, scope: &mut Scope) {
        let op = self.random.pick(&[
            Op::IntAddChecked,
            Op::IntAddChecked,
            Op::IntSubChecked,
            Op::IntSubChecked,
            Op::IntMulChecked,
            Op::IntMulChecked,
            Op::IntNegChecked,
            Op::IntAbsChecked,
            Op::IntShlChecked,
            Op::IntShrChecked,
            Op::IntFloorDivChecked,
            Op::IntModChecked,
            Op::IntModChecked,
            Op::IntPowChecked,
            Op::IntAnd,
            Op::IntAnd,
            Op::IntOr,
            Op::IntXor,
            Op::IntInvert,
            Op::IntMin,
            Op::IntMax,
            Op::IntRangeLen,
        ]);
        let mut args: Vec<Value> = op.row().operands.iter().map(|_| self.operand(scope)).collect();
        let small = match op {
            Op::IntShlChecked | Op::IntShrChecked | Op::IntPowChecked => 6,
            Op::IntModChecked | Op::IntFloorDivChecked | Op::IntRangeLen | Op::IntAnd => 70,
            _ => 0,
        };
        if small > 0 && self.random.below(4) > 0 {
            let value = i64::try_from(self.random.below(small)).expect("small");
            let last = args.len() - 1;
            args[last] = self.constant(value);
        }
        let value = self.value(op, Imm::None, &args, scope);
        scope.ints.push(value);
    }

    /// A chain of which only low bits count.
    fn low_bits(&mut self, scope: &mut Scope) {
        let ops = [Op::IntAddChecked, Op::IntSubChecked, Op::IntMulChecked, Op::IntXor, Op::IntOr];
        let mut chain = self.operand(scope);
        for _ in 0..=self.random.below(4) {
            let op = self.random.pick(&ops);
            let with = self.operand(scope);
            chain = self.value(op, Imm::None, &[chain, with], scope);
        }
        if self.random.below(2) == 0 {
            let value = i64::try_from(self.random.below(40)).expect("small");
            let count = self.constant(value);
            let op = self.random.pick(&[Op::IntShrChecked, Op::IntShlChecked]);
            chain = self.value(op, Imm::None, &[chain, count], scope);
        }
        let power = 1 << self.random.below(63);
        let (op, value) = self.random.pick(&[(Op::IntAnd, power - 1), (Op::IntModChecked, power)]);
        let with = self.constant(value);
        let value = self.value(op, Imm::None, &[chain, with], scope);
        scope.ints.push(value);
    }

    fn truth(&mut self, scope: &mut Scope) {
        let a = self.condition(scope);
        let b = self.condition(scope);
        let op = self.random.pick(&[Op::BoolAnd, Op::BoolOr, Op::BoolXor, Op::BoolNot]);
        let args = if op == Op::BoolNot { vec![a] } else { vec![a, b] };
        let truth = self.value(op, Imm::None, &args, scope);
        scope.bools.push(truth);
        let value = self.value(Op::BoolToInt, Imm::None, &[truth], scope);
        scope.ints.push(value);
    }

    fn jump_to(block: Block, args: &[Value]) -> Target {
        Target { block, args: args.to_vec() }
    }

    /// `if`: what either side made comes out as two ints.
    fn choice(&mut self, scope: &mut Scope, depth: usize) {
        let condition = self.condition(scope);
        let sides = [self.func.add_block(), self.func.add_block()];
        let join = self.func.add_block();
        self.end(Op::Branch, &[condition], sides.iter().map(|&side| Self::jump_to(side, &[])).collect());
        for side in sides {
            self.block = side;
            let mut inner = scope.clone();
            self.statements(&mut inner, depth);
            let out = [self.operand(&inner), self.operand(&inner)];
            self.end(Op::Jump, &[], vec![Self::jump_to(join, &out)]);
        }
        self.block = join;
        scope.ints.extend((0..2).map(|_| self.func.add_param(join, Type::I64)).collect::<Vec<_>>());
    }

    /// Sometimes a `break` or `continue`: a branch that leaves for elsewhere, at times on both of two conditions.
    fn detour(&mut self, scope: &mut Scope, elsewhere: Target) {
        let further = self.func.add_block();
        match self.random.below(6) {
            0 => {
                let condition = self.condition(scope);
                self.end(Op::Branch, &[condition], vec![elsewhere, Self::jump_to(further, &[])]);
            }
            1 => {
                let (second, join) = (self.func.add_block(), self.func.add_block());
                let first = self.condition(scope);
                let no = self.value(Op::BoolConst, Imm::Bool(false), &[], scope);
                self.end(Op::Branch, &[first], vec![Self::jump_to(second, &[]), Self::jump_to(join, &[no])]);
                self.block = second;
                let other = self.condition(&mut scope.clone());
                self.end(Op::Jump, &[], vec![Self::jump_to(join, &[other])]);
                self.block = join;
                let both = self.func.add_param(join, Type::Bool);
                self.end(Op::Branch, &[both], vec![elsewhere, Self::jump_to(further, &[])]);
            }
            _ => self.end(Op::Jump, &[], vec![Self::jump_to(further, &[])]),
        }
        self.block = further;
    }

    /// A loop over a counter, up or down, with another int that changes in each turn.
    fn turns(&mut self, scope: &mut Scope, depth: usize) {
        let [start, stop, other] = [(); 3].map(|()| self.operand(scope));
        let header = self.func.add_block();
        self.end(Op::Jump, &[], vec![Self::jump_to(header, &[start, other])]);
        self.block = header;
        let [counter, carried] = [(); 2].map(|()| self.func.add_param(header, Type::I64));
        let (step, cmp) = self.random.pick(&[
            (1, Cmp::Lt),
            (1, Cmp::Ne),
            (-1, Cmp::Gt),
            (3, Cmp::Lt),
            (1, Cmp::Le),
            (-1, Cmp::Ge),
        ]);
        let more = self.value(Op::IntCompare, Imm::Cmp(cmp), &[counter, stop], scope);
        let (body, after) = (self.func.add_block(), self.func.add_block());
        self.end(Op::Branch, &[more], vec![Self::jump_to(body, &[]), Self::jump_to(after, &[])]);
        self.block = body;
        let mut inner = scope.clone();
        inner.ints.extend([counter, carried]);
        self.statements(&mut inner, depth);
        self.detour(&mut inner, Self::jump_to(after, &[]));
        let again = [self.operand(&inner), self.operand(&inner)];
        self.detour(&mut inner, Self::jump_to(header, &again));
        let step = self.constant(step);
        let next = self.value(Op::IntAddChecked, Imm::None, &[counter, step], &inner);
        let carry = self.operand(&inner);
        self.end(Op::Jump, &[], vec![Self::jump_to(header, &[next, carry])]);
        self.block = after;
        scope.ints.extend([counter, carried]);
    }
}
