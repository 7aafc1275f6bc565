//! Weaves checks into a copy of a function's bytecode.
//!
//! In: a code object and its checks. Out: a copy that runs
//!
//! ```text
//! LOAD_CONST check; LOAD_FAST argument; DELETE_SUBSCR     before the first traceable instruction, or
//! LOAD_CONST check; LOAD_CONST check; DELETE_SUBSCR       where the check reads several arguments from the frame,
//! LOAD_CONST check; COPY 2; DELETE_SUBSCR                 before each return, before each yield and behind it
//! ```
//!
//! so that `del check[value]` raises when the value breaks the annotation. The frames, and with them recursion
//! limits, tracebacks and `sys._getframe`, stay the interpreter's.
//!
//! Invariants:
//! - The arguments are checked before RESUME, where the interpreter neither traces nor counts lines, so a call
//!   that passes looks to tracers, debuggers and coverage tools as it does without the checks.
//! - What a generator is sent is checked behind RESUME, where only the way through the yield leads.
//! - An argument that fails leaves through `RESUME; RERAISE` at the end of the code: the exception gets no
//!   traceback entry for the function, its last one is the caller's line, and tracers see a call with its return.
//!   A second operand of an operator leaves through a handler that returns NotImplemented.
//! - Inserted instructions take the position of the instruction they stand before. Jumps, exception ranges and
//!   positions of all other instructions mean what they meant.
//! - Only the text of the code changes: names, lines, flags, variables and the other constants are the original's.

mod tables;
mod text;

use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::Bound;
use pyo3::prelude::Py;
use pyo3::prelude::PyAny;
use pyo3::prelude::PyAnyMethods;
use pyo3::prelude::PyDictMethods;
use pyo3::prelude::Python;
use pyo3::pyfunction;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use pyo3::types::PyBytesMethods;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;
use pyo3::types::PyTupleMethods;

use super::checker::OperandDeclined;
use crate::cpython;
use crate::cpython::opcode::Opcodes;
use tables::Handled;
use text::Insertions;
use text::Patches;
use text::Text;
use text::Yield;
use text::emit;

const CO_ASYNC_GENERATOR: u32 = 0x200;

/// A generator and an asynchronous one: what annotations that name no parts of a generator are checked against.
const GENERATORS: &std::ffi::CStr = c"
async def make():
    yield
made = ((number for number in range(0)), make())
";

/// What is woven into one code object; none and empty is not checked.
#[derive(Default)]
pub(super) struct Checks<'py> {
    /// Variables by number with their checks.
    pub(super) arguments: Vec<(usize, Bound<'py, PyAny>)>,
    /// Checks all arguments by reading the frame.
    pub(super) together: Option<Bound<'py, PyAny>>,
    /// Of what a function, a coroutine or a generator returns.
    pub(super) result: Option<Bound<'py, PyAny>>,
    /// Of what a generator yields.
    pub(super) yields: Option<Bound<'py, PyAny>>,
    /// Of what a generator is sent.
    pub(super) sends: Option<Bound<'py, PyAny>>,
    /// Of the generator itself.
    pub(super) made: Option<Bound<'py, PyAny>>,
    /// Whether the second operand's check raises `OperandDeclined`.
    pub(super) declines: bool,
}

/// A copy of the code with checks of any kind; None where nothing is checked or the code's form is not known.
#[pyfunction]
#[pyo3(signature = (code, arguments, result = None, *, yields = None, sends = None, declines = false))]
pub(super) fn insert_checks<'py>(
    code: &Bound<'py, PyAny>,
    arguments: Vec<(usize, Bound<'py, PyAny>)>,
    result: Option<Bound<'py, PyAny>>,
    yields: Option<Bound<'py, PyAny>>,
    sends: Option<Bound<'py, PyAny>>,
    declines: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    insert(code, &Checks { arguments, result, yields, sends, declines, ..Checks::default() })
}

/// A copy of the code with the checks; none where nothing is checked or the code's form is not known.
pub(super) fn insert<'py>(
    code: &Bound<'py, PyAny>,
    checks: &Checks<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = code.py();
    let bytes = code.getattr(intern!(py, "co_code"))?.cast_into::<PyBytes>()?;
    let opcodes = Opcodes::of(cpython::running().layout);
    let Some(text) = Text::new(bytes.as_bytes(), opcodes) else { return Ok(None) };
    let is_known = |(first, _)| first == opcodes.resume || first == opcodes.return_generator;
    if !text.unit(text.entry).is_some_and(is_known) {
        return Ok(None);
    }
    let constants = code.getattr(intern!(py, "co_consts"))?.cast_into::<PyTuple>()?.iter().collect();
    let flags: u32 = code.getattr(intern!(py, "co_flags"))?.extract()?;
    let is_async = flags & CO_ASYNC_GENERATOR != 0;
    let (insertions, patches) = (Insertions::default(), Patches::new());
    let mut weaver = Weaver { opcodes, text, constants, insertions, patches };
    let entry = weaver.check_entry(py, checks, is_async)?;
    weaver.check_yields(checks, is_async);
    if let Some(check) = checks.result.as_ref().filter(|_| !is_async) {
        weaver.check_results(check)?;
    }
    if weaver.insertions.is_empty() { Ok(None) } else { weaver.woven(code, entry, checks.declines) }
}

/// A copy of a code object in the making.
struct Weaver<'a, 'py> {
    opcodes: &'static Opcodes,
    text: Text<'a>,
    constants: Vec<Bound<'py, PyAny>>,
    insertions: Insertions,
    patches: Patches,
}

impl<'py> Weaver<'_, 'py> {
    fn emit(&self, text: &mut Vec<u8>, operation: u8, argument: usize) {
        emit(text, self.opcodes, operation, argument);
    }

    fn load(&mut self, text: &mut Vec<u8>, constant: &Bound<'py, PyAny>) {
        self.constants.push(constant.clone());
        self.emit(text, self.opcodes.load_const, self.constants.len() - 1);
    }

    /// `del check[value]`, the value being on the stack and staying there.
    fn check_of_top(&mut self, check: &Bound<'py, PyAny>) -> Vec<u8> {
        let mut text = Vec::with_capacity(8);
        self.load(&mut text, check);
        self.emit(&mut text, self.opcodes.copy, 2);
        self.emit(&mut text, self.opcodes.delete_subscr, 0);
        text
    }

    /// Inserts what runs before the first traceable instruction; how many units that is.
    fn check_entry(&mut self, py: Python<'py>, checks: &Checks<'py>, is_async: bool) -> PyResult<usize> {
        let mut text = Vec::new();
        if let Some(check) = &checks.together {
            self.load(&mut text, check);
            let again = text.clone();
            text.extend(again);
            self.emit(&mut text, self.opcodes.delete_subscr, 0);
        } else {
            for (variable, check) in &checks.arguments {
                let is_cell = self.text.cells.contains(variable);
                let operation = if is_cell { self.opcodes.load_deref } else { self.opcodes.load_fast };
                self.load(&mut text, check);
                self.emit(&mut text, operation, *variable);
                self.emit(&mut text, self.opcodes.delete_subscr, 0);
            }
        }
        if let Some(check) = &checks.made {
            self.load(&mut text, check);
            self.load(&mut text, &generator(py, is_async)?);
            self.emit(&mut text, self.opcodes.delete_subscr, 0);
        }
        if !text.is_empty() {
            self.insertions.add(self.text.entry, &text);
        }
        Ok(text.len() / 2)
    }

    /// Inserts the checks of what a generator yields and is sent.
    fn check_yields(&mut self, checks: &Checks<'py>, is_async: bool) {
        let yields = checks.yields.as_ref().map(|check| self.check_of_top(check));
        let sends = checks.sends.as_ref().map(|check| self.check_of_top(check));
        for &Yield { before, start, unit, delegates } in &self.text.yields {
            if let Some(sends) = &sends {
                self.insertions.add_behind(unit + 1, sends);
            }
            let Some(yields) = &yields else { continue };
            if delegates && self.opcodes.throw_reads_send {
                // YIELD_VALUE, RESUME and the jump back lie between the SEND and its end. The copy never runs.
                let end = 3 + sends.as_ref().map_or(0, |text| text.len() / 2);
                let mut text = yields.clone();
                emit(&mut text, self.opcodes, self.opcodes.jump_forward, 1);
                emit(&mut text, self.opcodes, self.opcodes.send, end);
                self.insertions.add(start, &text);
            } else {
                // An asynchronous generator wraps the value directly before it yields.
                self.insertions.add(if is_async { before } else { start }, yields);
            }
        }
    }

    /// Inserts the checks of results, but where a constant passes for certain.
    fn check_results(&mut self, check: &Bound<'py, PyAny>) -> PyResult<()> {
        let check_text = self.check_of_top(check);
        for returned in &self.text.returns {
            let operation = self.text.unit(returned.unit).map(|(operation, _)| operation);
            if operation == self.opcodes.return_const {
                if self.is_certain(check, returned.argument)? {
                    continue;
                }
                let mut text = Vec::new();
                self.emit(&mut text, self.opcodes.load_const, returned.argument);
                text.extend_from_slice(&check_text);
                self.insertions.add(returned.start, &text);
                // NOP stands where the prefixes of the constant's number were.
                let mut text = [self.opcodes.nop, 0].repeat(returned.unit - returned.start);
                text.extend([self.opcodes.return_value, 0]);
                self.patches.insert(returned.start, (returned.unit + 1, text));
            } else if !self.returns_certain(check, returned.unit)? {
                self.insertions.add(returned.start, &check_text);
            }
        }
        Ok(())
    }

    /// Whether the return at the unit can only return a constant that passes for certain.
    fn returns_certain(&self, check: &Bound<'py, PyAny>, unit: usize) -> PyResult<bool> {
        let before = |distance| unit.checked_sub(distance).and_then(|unit| self.text.unit(unit));
        let Some((operation, argument)) = before(1) else { return Ok(false) };
        // A cache or an argument of a wider instruction is never taken for LOAD_CONST: returns follow neither directly
        // unless the unit before is an instruction, and EXTENDED_ARG before it is tested here.
        let is_wide = before(2).is_some_and(|(operation, _)| operation == self.opcodes.extended_arg);
        if operation != self.opcodes.load_const || is_wide || self.text.is_target(unit) {
            return Ok(false);
        }
        self.is_certain(check, usize::from(argument))
    }

    fn is_certain(&self, check: &Bound<'py, PyAny>, constant: usize) -> PyResult<bool> {
        let Some(constant) = self.constants.get(constant) else { return Ok(false) };
        check.call_method1(intern!(check.py(), "certain"), (constant,))?.is_truthy()
    }

    /// The copy of the code; `entry` units are inserted in front of its first instruction.
    fn woven(
        mut self,
        code: &Bound<'py, PyAny>,
        entry: usize,
        declines: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = code.py();
        let table = code.getattr(intern!(py, "co_linetable"))?.cast_into::<PyBytes>()?;
        let handled = code.getattr(intern!(py, "co_exceptiontable"))?.cast_into::<PyBytes>()?;
        let patches = std::mem::take(&mut self.patches);
        let Some(mut text) = self.text.woven(&mut self.insertions, patches) else { return Ok(None) };
        let Some(mut exceptions) = tables::read_exceptions(handled.as_bytes()) else { return Ok(None) };
        self.move_exceptions(&mut exceptions);
        let growth = self.insertions.growth();
        let Some(mut positions) = tables::grow_positions(table.as_bytes(), &growth) else { return Ok(None) };
        if entry > 0 {
            let (start, handler) = (self.text.entry, text.len() / 2);
            exceptions.push(Handled { start, end: start + entry, handler, depth: 0 });
            exceptions.sort_unstable();
            self.bounce(py, &mut text, declines);
            let units = text.len() / 2 - handler;
            tables::append_line(&mut positions, -tables::last_line(table.as_bytes()), units);
        }
        let depth: usize = code.getattr(intern!(py, "co_stacksize"))?.extract()?;
        let changes = PyDict::new(py);
        changes.set_item(intern!(py, "co_code"), PyBytes::new(py, &text))?;
        changes.set_item(intern!(py, "co_consts"), PyTuple::new(py, &self.constants)?)?;
        let exceptions = tables::write_exceptions(&exceptions);
        changes.set_item(intern!(py, "co_exceptiontable"), PyBytes::new(py, &exceptions))?;
        changes.set_item(intern!(py, "co_linetable"), PyBytes::new(py, &positions))?;
        // A constant that is returned was not on the stack before: it, the check and the copy make three.
        changes.set_item(intern!(py, "co_stacksize"), depth + 3)?;
        code.call_method(intern!(py, "replace"), (), Some(&changes)).map(Some)
    }

    /// No handler of the function sees a failed argument; that of `throw` into a delegation sees only the delegation.
    fn move_exceptions(&self, exceptions: &mut [Handled]) {
        let insertions = &self.insertions;
        let is_apart = |unit: usize| {
            unit == self.text.entry
                || self.text.yields.iter().any(|found| found.delegates && found.start == unit)
        };
        let edge = |unit| if is_apart(unit) { insertions.place(unit) } else { insertions.label(unit) };
        for entry in exceptions {
            (entry.start, entry.end) = (edge(entry.start), edge(entry.end));
            entry.handler = insertions.label(entry.handler);
        }
    }

    /// Appends the handler of a failed argument check.
    fn bounce(&mut self, py: Python<'py>, text: &mut Vec<u8>, declines: bool) {
        let opcodes = self.opcodes;
        self.emit(text, opcodes.resume, 0);
        if declines {
            let mut answer = Vec::new();
            self.emit(&mut answer, opcodes.pop_top, 0);
            self.load(&mut answer, &py.NotImplemented().into_bound(py));
            self.emit(&mut answer, opcodes.return_value, 0);
            self.load(text, py.get_type::<OperandDeclined>().as_any());
            self.emit(text, opcodes.check_exc_match, 0);
            self.emit(text, opcodes.pop_jump_if_false, answer.len() / 2);
            text.extend([0, 0].repeat(opcodes.caches(opcodes.pop_jump_if_false)));
            text.extend(answer);
        }
        self.emit(text, opcodes.reraise, 0);
    }
}

/// A generator of this kind.
fn generator(py: Python<'_>, is_async: bool) -> PyResult<Bound<'_, PyAny>> {
    static MADE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = MADE.get_or_try_init(py, || {
        let space = PyDict::new(py);
        py.run(GENERATORS, Some(&space), None)?;
        let made = space.get_item("made")?;
        made.map(Bound::unbind).ok_or_else(|| PyRuntimeError::new_err("the text defines it"))
    })?;
    made.bind(py).get_item(usize::from(is_async))
}
