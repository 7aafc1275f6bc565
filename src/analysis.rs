//! Analyses: facts about a function that passes and the code generator ask for. They change nothing.

pub mod exits;
pub mod liveness;
pub mod loops;
pub mod ownership;
pub mod ranges;
