//! `wavemill targets`: the delivery targets and where their numbers come from.

use super::analyze::verdicts;
use super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone, one_line};
use serde_json::json;
use wavemill_core::delivery::Target;
use wavemill_pipelines::delivery;

/// List the delivery targets, or show their limits and sources
#[derive(Debug, clap::Args)]
pub(super) struct Targets {
    /// Names of targets, or targets files
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Run for Targets {
    const NAME: &'static str = "targets";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let targets = if self.names.is_empty() {
            delivery::shipped().to_vec()
        } else {
            verdicts::find(&self.names, context)?
        };
        let paint = context.report.paint();
        if context.is_json() {
            context.document(&json!({ "version": JSON_VERSION, "targets": targets }))?;
        } else if self.names.is_empty() {
            context.lines(list(&targets, paint))?;
            context.report.note("\n* its numbers are from other sources than the publisher");
            context.report.note("One with its sources: wavemill targets NAME");
        } else {
            for (index, target) in targets.iter().enumerate() {
                if index > 0 {
                    context.lines([""])?;
                }
                context.lines(sheet(target, paint))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(targets: &[Target], paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[
        ("TARGET", Align::Left),
        ("LUFS", Align::Right),
        ("DBTP MAX", Align::Right),
        ("PLAYBACK", Align::Left),
        ("FOR", Align::Left),
    ]);
    for target in targets {
        let star = if target.source.is_confirmed { "" } else { "*" };
        let loudness = target.integrated_lufs.map(|lufs| match target.tolerance_lu {
            Some(tolerance) => format!("{:.1} +-{:.1}", lufs.0, tolerance.0),
            None => format!("{:.1}     ", lufs.0),
        });
        let peak = target.true_peak_max_dbtp.map(|peak| format!("{:.1}", peak.0));
        table.toned([
            (format!("{}{star}", target.id), Some(Tone::Name)),
            (loudness.unwrap_or_default(), None),
            (peak.unwrap_or_default(), None),
            (playback(target).to_owned(), None),
            (target.purpose.clone(), Some(Tone::Faint)),
        ]);
    }
    table.lines(paint)
}

fn playback(target: &Target) -> &'static str {
    match target.playback {
        None => "",
        Some(playback) if playback.raises => "both ways",
        Some(_) => "lowers only",
    }
}

fn sheet(target: &Target, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[("", Align::Left); 2]);
    for (name, text) in rows(target) {
        table.toned([(format!("  {name}"), Some(Tone::Faint)), (text, None)]);
    }
    let name = paint.tone(Tone::Strong, one_line(&target.name));
    let mut lines = vec![format!("{name} ({})", paint.tone(Tone::Name, one_line(&target.id)))];
    lines.extend(table.lines(paint));
    if let Some(note) = &target.note {
        lines.push(String::new());
        lines.extend(super::steps::wrap(&one_line(note), "  "));
    }
    lines
}

/// Everything that a target says, a line each.
fn rows(target: &Target) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let mut row = |name, text: Option<String>| rows.extend(text.map(|text| (name, text)));
    row("for", Some(one_line(&target.purpose)).filter(|text| !text.is_empty()));
    let judged = |lufs: f64| match target.tolerance_lu {
        _ if target.is_dialogue_gated => {
            format!("{lufs:.1} LUFS of the dialogue alone, which Wavemill does not measure yet")
        }
        Some(tolerance) => format!("{lufs:.1} LUFS, within {:.1} LU", tolerance.0),
        None => format!("{lufs:.1} LUFS; shown, not checked"),
    };
    row("integrated", target.integrated_lufs.map(|lufs| judged(lufs.0)));
    let lufs = |max: f64| format!("at most {max:.1} LUFS");
    row("short-term max", target.short_term_max_lufs.map(|max| lufs(max.0)));
    row("momentary max", target.momentary_max_lufs.map(|max| lufs(max.0)));
    row(
        "loudness range",
        target.loudness_range_max_lu.map(|max| format!("at most {:.1} LU", max.0)),
    );
    row("true peak", target.true_peak_max_dbtp.map(|max| format!("at most {:.1} dBTP", max.0)));
    row(
        "",
        target
            .true_peak_max_if_louder_dbtp
            .map(|max| format!("at most {:.1} dBTP if the file is louder", max.0)),
    );
    let channels: Vec<String> = target.channels.iter().map(ToString::to_string).collect();
    row("channels", (!channels.is_empty()).then(|| channels.join(" or ")));
    row("playback", target.playback.map(|playback| {
        let level = playback.level_lufs.0;
        match (playback.raises, playback.ceiling_dbtp) {
            (false, _) => format!("lowers louder files to {level:.1} LUFS, leaves quieter ones alone"),
            (true, None) => format!("brings all files to {level:.1} LUFS"),
            (true, Some(ceiling)) => format!(
                "brings files to {level:.1} LUFS, raising quieter ones as far as their peaks stay \
                below {:.1} dBTP",
                ceiling.0
            ),
        }
    }));
    let source = &target.source;
    row("source", Some(one_line(&source.document)).filter(|text| !text.is_empty()));
    row("", source.url.as_deref().map(one_line));
    let how = if source.is_confirmed {
        "from the publisher"
    } else {
        "from other sources than the publisher"
    };
    row(
        "checked",
        (!source.checked.is_empty()).then(|| format!("{}, {how}", one_line(&source.checked))),
    );
    rows
}
