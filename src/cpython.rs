//! CPython as data: the only place that knows one version from another.

pub mod layout;

pub use layout::Layout;
