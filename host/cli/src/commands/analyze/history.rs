//! Loudness over time, as a stream of JSON lines.

use super::files::Item;
use crate::analysis::Input;
use crate::commands::{CliError, Context};
use crate::report::{JSON_VERSION, one_line, shown};
use serde_json::{Value, json};
use wavemill_core::loudness::{HistoryPoint, LoudnessMeter, MonoMode};
use wavemill_pipelines::report;

/// Prints the history of every item, one after another, each row as soon as it is known; whether all
/// went well.
pub(super) fn print_all(items: &[Item], context: &Context) -> Result<bool, CliError> {
    let mut is_good = true;
    for item in items {
        let path = item.path.to_string_lossy();
        context.event(&json!({ "type": "file", "version": JSON_VERSION, "path": path }))?;
        let opened = item.open(&context.settings.state.join("spool"));
        let result = match opened {
            Ok(input) => print(&input, &path, context)?,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = result {
            is_good = false;
            context.event(&json!({ "type": "error", "path": path, "error": reason }))?;
            context.report.error(&format!("{} {reason}", shown(&item.path)));
        }
    }
    Ok(is_good)
}

/// The rows of one input; the reason of a failure reads on after its path.
fn print(input: &Input, path: &str, context: &Context) -> Result<Result<(), String>, CliError> {
    let mut failure = None;
    let mut print_points = |points: Vec<HistoryPoint>| -> bool {
        let printed = points.iter().try_for_each(|point| context.event(&row(path, point)));
        failure = printed.err();
        failure.is_none()
    };
    let measured = input.each_block(
        |info| LoudnessMeter::new(&info.spec, MonoMode::Single).with_history(),
        |meter, block| {
            meter.push(block);
            print_points(meter.take_history())
        },
    );
    let result = match measured {
        Ok(mut meter) => {
            meter.end();
            print_points(meter.take_history());
            let bins = report::measures(&meter.distribution());
            let bins = json!({ "type": "distribution", "path": path, "bins": bins });
            if failure.is_none() {
                context.event(&bins)?;
            }
            Ok(())
        }
        Err(error) => Err(one_line(&error.to_string())),
    };
    failure.map_or(Ok(result), Err)
}

fn row(path: &str, point: &HistoryPoint) -> Value {
    let mut row = json!({ "type": "point", "path": path });
    if let (Value::Object(row), Value::Object(point)) = (&mut row, report::measures(point)) {
        row.extend(point);
    }
    row
}
