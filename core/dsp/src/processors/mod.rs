//! The built-in steps. Adding one: a file here, and its two lines below.

use crate::descriptor::StepDescriptor;

mod biquad;
mod dc_remove;
mod fade;
mod gain;
mod high_pass;
mod invert;
mod limit;
mod loudness;
mod low_pass;
mod r#match;
mod measure;
mod mono;
mod pad;
mod peak_normalize;
mod range;
mod remix;
mod resample;
mod span;
mod speech_level;
mod swap;
mod trim_silence;

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
