//! Sample levels.
use serde::Serialize;

/// Levels of a whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LevelReport {}

/// Measures levels block by block.
#[derive(Debug)]
pub struct LevelMeter {}
