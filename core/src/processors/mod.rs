//! The built-in steps. Adding one: a file here, and its two lines below.

use crate::descriptor::StepDescriptor;

pub mod gain;

/// Every built-in step, by name.
#[rustfmt::skip]
pub const STEPS: &[&StepDescriptor] = &[
    &gain::DESCRIPTOR,
];

/// The built-in step of this name.
pub fn step(name: &str) -> Option<&'static StepDescriptor> {
    STEPS.iter().find(|step| step.name == name).copied()
}
