//! Runs an effect natively in tests, as a host runs its module: [`Rig`], [`render()`], and properties
//! that every effect must have. Everything here panics where an effect or a test is wrong.

mod description;
mod properties;
mod render;
mod rig;
mod signal;
mod speed;

pub use description::json;
pub use properties::{
    assert_block_invariant, assert_finite, assert_reset_is_fresh, assert_tail_is_honest,
};
pub use render::render;
pub use rig::Rig;
pub use signal::{impulse, noise, silence, sine};
pub use speed::ns_per_frame;
