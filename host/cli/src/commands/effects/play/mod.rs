//! `wavemill effects play`: a file through an effect, in real time, while the effect is being written.

mod audio_file;
#[cfg(feature = "sound")]
mod device;
mod loader;
mod player;
mod sink;

use super::super::run::cancel_on_signals;
use super::super::{CliError, Context, Exit, Run};
use crate::report::{one_line, shown};
use audio_file::AudioFile;
use loader::Loader;
use player::Player;
use serde_json::json;
use sink::Target;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::ParamValue;
use wavemill_rack::LOOK_TIME;

/// Play a file through an effect; a rebuilt module is faded in while it plays
#[derive(Debug, clap::Args)]
pub(super) struct Play {
    /// Name of a bundled effect, or the path of a .wasm file, which is loaded again whenever it changes
    #[arg(value_name = "NAME|FILE")]
    effect: String,

    /// Audio file
    #[arg(value_name = "AUDIO")]
    file: PathBuf,

    /// Preset to play with, or a .toml file with one, which is loaded again whenever it changes [default: the
    /// defaults of all parameters]
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,

    /// Value of a parameter, over that of the preset; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_value)]
    with: Vec<(String, ParamValue)>,

    /// Begin again at the end of the file, until interrupted
    #[arg(long = "loop")]
    repeats: bool,

    /// Where the sound goes
    #[arg(long, value_enum, default_value_t = Target::Device)]
    to: Target,
}

impl Run for Play {
    const NAME: &'static str = "play";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        if context.is_json() && self.to == Target::Stdout {
            return Err(CliError::usage("with --to stdout there is no room for --json there"));
        }
        let failed = |reason: String| CliError::failed(one_line(&reason));
        let file = AudioFile::open(&self.file, self.repeats).map_err(failed)?;
        let spec = file.spec().clone();
        let (mut loader, rack) = Loader::open(context, &self, &spec).map_err(failed)?;
        let sink = sink::open(self.to, &spec, &context.report)?;
        let cancel = Arc::new(AtomicBool::new(false));
        cancel_on_signals(&cancel)?;
        announce(context, &self, &loader.title(), &spec)?;
        let player = Player::new(rack, file, sink, &cancel);
        let played = thread::scope(|scope| {
            let main = thread::current();
            let playing = scope.spawn(move || player.play(&main));
            while !playing.is_finished() {
                thread::park_timeout(LOOK_TIME);
                loader.tend();
            }
            playing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        played.map_err(failed)?;
        Ok(if cancel.load(Ordering::SeqCst) { Exit::Interrupted } else { Exit::Done })
    }
}

/// Says what is played.
fn announce(
    context: &Context,
    asked: &Play,
    title: &str,
    spec: &StreamSpec,
) -> Result<(), CliError> {
    let (channels, rate) = (spec.channel_count(), spec.sample_rate);
    if context.is_json() {
        return context.event(&json!({
            "event": "playing",
            "effect": title,
            "input": asked.file,
            "channels": channels,
            "sample_rate_hz": rate.0,
        }));
    }
    let format = if asked.to == Target::Stdout { " as raw FLOAT_LE" } else { "" };
    let file = shown(&asked.file);
    context.report.note(&format!(
        "{title} plays {file}{format}: {channels} channels, {rate}; Ctrl-C ends it"
    ));
    Ok(())
}

/// `drive_db=6`, `mode=soft`, `on=true`.
fn named_value(text: &str) -> Result<(String, ParamValue), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as drive_db=6")?;
    let number = value.parse().ok().filter(|number: &f64| number.is_finite());
    let value = match (value, number) {
        (_, Some(number)) => ParamValue::Number(number),
        ("true", None) => ParamValue::Bool(true),
        ("false", None) => ParamValue::Bool(false),
        (word, None) => ParamValue::Choice(word.to_owned()),
    };
    Ok((name.trim().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers_switches_or_words() {
        let value = |text| named_value(text).map(|(_, value)| value);
        assert_eq!(value("a=-6.5"), Ok(ParamValue::Number(-6.5)));
        assert_eq!(value("a=true"), Ok(ParamValue::Bool(true)));
        assert_eq!(value("a=soft"), Ok(ParamValue::Choice("soft".to_owned())));
        assert_eq!(value("a=nan"), Ok(ParamValue::Choice("nan".to_owned())));
        assert!(value("a").is_err());
    }
}
