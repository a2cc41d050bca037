//! What is said of references. Version 1 of these shapes: fields are only added.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which references to list, by name. What is given must be part of what the reference has, in any case; the genre
/// and the year must be it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReferenceFilter {
    /// Part of the name.
    #[serde(default)]
    pub name: Option<String>,
    /// Part of the artist.
    #[serde(default)]
    pub artist: Option<String>,
    /// The genre; how it is spelled does not matter.
    #[serde(default)]
    pub genre: Option<String>,
    /// The year.
    #[serde(default)]
    pub year: Option<i32>,
    /// At most so many; 100 if absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A list of references.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReferenceList {
    /// The references, without features and measures.
    pub references: Vec<ReferenceView>,
}

/// A reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReferenceView {
    /// What one types for it.
    pub name: String,
    /// Who plays.
    pub artist: Option<String>,
    /// What kind of music it is.
    pub genre: Option<String>,
    /// When it was published.
    pub year: Option<i32>,
    /// Where its file was.
    pub path: String,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
    /// When it was added, RFC 3339.
    pub added: String,
    /// Whether another version of Wavemill made its features, so that it is not found; adding its file again helps.
    pub is_outdated: bool,
    /// Its features in spreads of a corpus of music, by name; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub features: Option<Value>,
    /// What was measured of it and advice needs; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub measures: Option<Value>,
}

/// A track to add. The same file under the same name is entered anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddReferenceRequest {
    /// What one types for it: up to 200 characters on one line.
    pub name: String,
    /// Who plays.
    #[serde(default)]
    pub artist: Option<String>,
    /// What kind of music it is.
    #[serde(default)]
    pub genre: Option<String>,
    /// When it was published.
    #[serde(default)]
    pub year: Option<i32>,
    /// Where its file is.
    pub path: String,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
    /// Its features.
    pub features: GivenFeatures,
    /// What was measured of it and advice needs: groups of the report of `analyze`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub measures: Value,
}

/// Features of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenFeatures {
    /// The version that made them.
    pub version: u32,
    /// Standardized values of all dimensions in their order, null for those that the file does not have.
    pub values: Vec<Option<f32>>,
}

/// Which references to remove.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveReferencesRequest {
    /// Their names.
    pub names: Vec<String>,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarRequest {
    /// Features of the file that others are compared with.
    pub features: GivenFeatures,
    /// Only references of this genre; how it is spelled does not matter.
    #[serde(default)]
    pub genre: Option<String>,
    /// At most so many; 5 if absent.
    #[serde(default)]
    pub top: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarAnswer {
    /// The most similar references, the best first.
    pub similar: Vec<SimilarView>,
    /// How many references there are to find, of all genres.
    pub searched: u64,
    /// How many more there are whose features another version of Wavemill made.
    pub outdated: u64,
}

/// A reference that is similar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarView {
    /// The reference, without features and measures.
    pub reference: ReferenceView,
    /// How similar, -1 to 1: 1 is the same sound, 0 unrelated.
    pub score: f64,
    /// Dimensions that both have, of 128.
    pub shared: u64,
    /// What each group of features did to the score, the largest part first; the parts sum to it.
    pub groups: Vec<PartView>,
    /// The features with the largest parts, the largest first.
    pub features: Vec<FeaturePartView>,
    /// The features that lowered the score most, the one that did most first.
    pub against: Vec<FeaturePartView>,
}

/// What a group of features did to a score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    /// The group.
    pub group: String,
    /// Its part of the score.
    pub part: f64,
}

/// What a feature did to a score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeaturePartView {
    /// The feature.
    pub name: String,
    /// What it is.
    pub summary: String,
    /// Its part of the score.
    pub part: f64,
    /// Its value in the file, in spreads above the mean of a corpus of music.
    pub file: f32,
    /// Its value in the reference.
    pub reference: f32,
}
