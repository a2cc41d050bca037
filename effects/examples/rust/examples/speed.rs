//! How fast the effect is natively; compare with `wavemill effects bench`.
//!
//!     cargo run --release --example speed

use tilt::ExportedEffect;
use wavemill_effect::testing::ns_per_frame;

fn main() {
    println!("stereo at 48,000 Hz");
    for block_frames in [64, 256, 1_024, 4_096] {
        let ns = ns_per_frame::<ExportedEffect>(48_000.0, 2, &[], block_frames);
        println!("blocks of {block_frames:>4} frames: {ns:6.2} ns a frame");
    }
}
