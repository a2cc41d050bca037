//! The plugin as a program of its own: the meters on what JACK or the sound card delivers.

use std::process::ExitCode;
use tracing_subscriber::filter::LevelFilter;
use wavemill_plugin::Wavemill;

fn main() -> ExitCode {
    // In a DAW the plugin logs nothing; here somebody reads why there is no sound.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stderr)
        .init();
    let is_fine = nice_plug::nice_export_standalone::<Wavemill>();
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
