//! Files that are measured for comparing.

use crate::analysis::{self, Cache, Input, Part, Record};
use crate::commands::progress::Sum;
use crate::commands::{Context, parallel};
use crate::report::one_line;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use wavemill_api::references::types::GivenFeatures;
use wavemill_core::analysis::Analysis;
use wavemill_core::features::{FEATURE_VERSION, Features, GROUPS};
use wavemill_core::music::RhythmOptions;
use wavemill_store::tag_texts;

/// Fewest features that a file must have to be compared: those that two files must share.
const FEATURES_MIN: usize = 32;

/// What is known of a file.
#[derive(Debug)]
pub(super) struct MeasuredFile {
    pub(super) record: Record,
    pub(super) analysis: Analysis,
    pub(super) features: Features,
}

/// Measures files beside each other, in their order. The reason of a failure reads on after the path.
pub(super) fn all(
    files: &[PathBuf],
    cache: Option<&Cache>,
    context: &Context,
) -> Vec<Result<MeasuredFile, String>> {
    let sizes: Vec<u64> =
        files.iter().map(|file| fs::metadata(file).map_or(0, |found| found.len())).collect();
    let progress = Sum::new(context, files.len(), sizes.iter().sum());
    let measured = parallel::each(files.len(), context, |index| {
        let mut piece = progress.file(sizes[index]);
        one(&files[index], cache, &mut |share| piece.set(share))
    });
    progress.end();
    measured
}

fn one(
    path: &Path,
    cache: Option<&Cache>,
    progress: &mut dyn FnMut(f64),
) -> Result<MeasuredFile, String> {
    let groups = GROUPS.iter().map(|group| Part::Measures(*group));
    let parts: Vec<Part> = [Part::File, Part::Tags].into_iter().chain(groups).collect();
    let failed = |error: &dyn std::fmt::Display| one_line(&error.to_string());
    let input = Input::file(path).map_err(|error| failed(&error))?;
    let record = analysis::analyze(&input, &parts, RhythmOptions::default(), cache, progress)
        .map_err(|error| failed(&error))?;
    let measures = GROUPS.iter().filter_map(|group| record.get_key_value(group.name()));
    let measures: Record = measures.map(|(name, value)| (name.clone(), value.clone())).collect();
    let analysis: Analysis =
        serde_json::from_value(Value::Object(measures)).map_err(|error| failed(&error))?;
    let features = Features::of(&analysis);
    if features.count() < FEATURES_MIN {
        return Err(format!(
            "cannot be compared: it is silent or too short ({} of 128 features)",
            features.count()
        ));
    }
    Ok(MeasuredFile { record, analysis, features })
}

impl MeasuredFile {
    /// Its features for the API.
    pub(super) fn given(&self) -> GivenFeatures {
        let values = self.features.to_standardized().to_vec();
        GivenFeatures { version: FEATURE_VERSION, values }
    }

    /// Its tags.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        self.record.get("tags").map(tag_texts).unwrap_or_default()
    }

    /// The hash of its bytes.
    pub(super) fn blake3(&self) -> String {
        let hash = self.record.get("file").and_then(|file| file.get("blake3")?.as_str());
        hash.unwrap_or_default().to_owned()
    }
}
