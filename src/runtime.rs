//! The runtime library: what compiled code calls, and what loads it.

pub mod data;
pub mod meta;
pub mod promise;
pub mod table;
