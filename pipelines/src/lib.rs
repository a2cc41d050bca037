//! Wavemill pipelines: from a TOML file to finished audio files.
//!
//! Two levels: what was typed (a TOML document with spans) and what it means ([`Pipeline`]). Mistakes
//! come as data ([`Diagnostic`]), all of them at once. [`execution::run()`] turns a pipeline and a file
//! into verified `.part` files; making them visible is the caller's business, by [`publishing`], where
//! the rule "an output is complete or absent" lives.

mod ceiling;
pub mod delivery;
pub mod diagnostic;
pub mod effects;
mod error;
pub mod execution;
pub mod hours;
mod job;
#[cfg(feature = "effects")]
mod markdown;
pub mod mastering;
pub mod mixdown;
pub mod model;
pub mod number;
pub mod path_text;
pub mod plan;
pub mod profiles;
pub mod publishing;
pub mod reader;
#[cfg(feature = "effects")]
pub mod reference;
pub mod report;
pub mod schema;
pub mod shipped;
pub mod template;
pub mod toml_text;

pub use diagnostic::Diagnostic;
pub use effects::Effects;
pub use model::Pipeline;
pub use schema::load;
