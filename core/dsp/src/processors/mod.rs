//! The built-in steps. Adding one: a file here, and its two lines below.

use crate::descriptor::StepDescriptor;

mod biquad;
pub mod dc_remove;
pub mod fade;
pub mod gain;
pub mod high_pass;
pub mod invert;
pub mod limit;
pub mod loudness;
pub mod low_pass;
pub mod r#match;
pub mod measure;
mod mono;
pub mod pad;
pub mod peak_normalize;
pub mod range;
pub mod remix;
pub mod resample;
mod span;
pub mod speech_level;
pub mod swap;
pub mod trim_silence;

/// Every built-in step, by name.
#[rustfmt::skip]
pub const STEPS: &[&StepDescriptor] = &[
    &dc_remove::DESCRIPTOR,
    &fade::DESCRIPTOR,
    &gain::DESCRIPTOR,
    &high_pass::DESCRIPTOR,
    &invert::DESCRIPTOR,
    &limit::DESCRIPTOR,
    &loudness::DESCRIPTOR,
    &low_pass::DESCRIPTOR,
    &r#match::DESCRIPTOR,
    &measure::DESCRIPTOR,
    &pad::DESCRIPTOR,
    &peak_normalize::DESCRIPTOR,
    &range::DESCRIPTOR,
    &remix::DESCRIPTOR,
    &resample::DESCRIPTOR,
    &speech_level::DESCRIPTOR,
    &swap::DESCRIPTOR,
    &trim_silence::DESCRIPTOR,
];

/// The built-in step of this name.
pub fn step(name: &str) -> Option<&'static StepDescriptor> {
    STEPS.iter().find(|step| step.name == name).copied()
}
