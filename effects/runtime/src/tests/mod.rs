//! Whole modules, written in WebAssembly text: no test needs a wasm compiler.

mod bundled;
mod caching;
mod contract;
mod deadlines;
mod fixtures;
mod fuzz;
mod hostile;
mod limits;
mod mutation;
mod running;
