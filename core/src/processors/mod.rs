//! The built-in steps. Adding one: a file here, and its two lines below.

use crate::descriptor::StepDescriptor;

pub mod fade;
pub mod gain;
pub mod high_pass;
pub mod limit;
pub mod loudness;
pub mod peak_normalize;
pub mod remix;
pub mod trim_silence;

/// Every built-in step, by name.
#[rustfmt::skip]
pub const STEPS: &[&StepDescriptor] = &[
    &fade::DESCRIPTOR,
    &gain::DESCRIPTOR,
    &high_pass::DESCRIPTOR,
    &limit::DESCRIPTOR,
    &loudness::DESCRIPTOR,
    &peak_normalize::DESCRIPTOR,
    &remix::DESCRIPTOR,
    &trim_silence::DESCRIPTOR,
];

/// The built-in step of this name.
pub fn step(name: &str) -> Option<&'static StepDescriptor> {
    STEPS.iter().find(|step| step.name == name).copied()
}
