//! References: adding, listing and removing them, and finding those that sound alike.

pub mod types;

use super::service::Service;
use super::types::{JobFilter, Problem};
use serde_json::{Map, Value};
use types::{
    AddReferenceRequest, FeaturePartView, GivenFeatures, PartView, ReferenceFilter, ReferenceList,
    ReferenceView, RemoveReferencesRequest, SimilarAnswer, SimilarRequest, SimilarView,
};
use wavemill_core::features::{
    Contribution, DIMENSION_COUNT, DIMENSIONS, FEATURE_VERSION, Features, Similarity,
};
use wavemill_pipelines::profiles::plain_name;
use wavemill_store::{Clock, ReferenceRecord, rfc3339};

/// Longest name of a reference, in characters.
const NAME_CHARS_MAX: usize = 200;

/// References that are found where nobody says how many.
const TOP_DEFAULT: usize = 5;

/// Most references that are found at once.
const TOP_MAX: usize = 1000;

/// Features that are named for a score, and against it.
const FEATURES_NAMED: usize = 5;

impl Service {
    /// References, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn references(&self, filter: &ReferenceFilter) -> Result<ReferenceList, Problem> {
        let limit = filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT);
        let wanted = ReferenceCriteria::new(filter);
        let mut references = Vec::new();
        self.store.visit_references(&mut |name, record| {
            if references.len() < limit && wanted.has(name, &record) {
                references.push(view(name, &record));
            }
            references.len() < limit
        })?;
        Ok(ReferenceList { references })
    }

    /// A reference with its features and measures.
    ///
    /// # Errors
    /// When no reference has that name.
    pub(crate) fn reference(&self, name: &str) -> Result<ReferenceView, Problem> {
        let (record, features) = self.store.reference(name)?.ok_or_else(|| unknown(name))?;
        let named = DIMENSIONS.iter().zip(features.to_standardized());
        let named: Map<String, Value> =
            named.map(|(one, value)| (one.name.to_owned(), value.into())).collect();
        Ok(ReferenceView {
            features: Some(Value::Object(named)),
            measures: Some(record.measures.clone()),
            ..view(name, &record)
        })
    }

    /// Adds a reference.
    ///
    /// # Errors
    /// When the name is invalid or taken by another file, or the features are not this version's.
    pub(crate) fn add_reference(
        &self,
        request: &AddReferenceRequest,
    ) -> Result<ReferenceView, Problem> {
        let name = request.name.trim();
        let is_short = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        if !is_short || name.chars().any(char::is_control) {
            let detail = format!("a name has 1 to {NAME_CHARS_MAX} characters on one line");
            return Err(Problem::request(&detail));
        }
        let features = given(&request.features)?;
        let text = |text: &Option<String>| {
            text.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let record = ReferenceRecord {
            artist: text(&request.artist),
            genre: text(&request.genre),
            year: request.year,
            path: request.path.clone(),
            blake3: request.blake3.clone(),
            added_ms: Clock::now_ms(),
            feature_version: FEATURE_VERSION,
            measures: request.measures.clone(),
        };
        if !self.store.add_reference(name, record.clone(), &features)? {
            let detail = format!(
                "`{name}` is the name of another file's reference; choose another with --name, or \
                 remove it first"
            );
            return Err(Problem::new(409, "name taken", detail));
        }
        Ok(view(name, &record))
    }

    /// Removes references; where one is not known, none is removed.
    ///
    /// # Errors
    /// When no reference has one of the names.
    pub(crate) fn remove_references(
        &self,
        request: &RemoveReferencesRequest,
    ) -> Result<ReferenceList, Problem> {
        for name in &request.names {
            self.store.reference(name)?.ok_or_else(|| unknown(name))?;
        }
        let mut references = Vec::new();
        for name in &request.names {
            let removed = self.store.remove_reference(name)?;
            references.extend(removed.map(|record| view(name, &record)));
        }
        Ok(ReferenceList { references })
    }

    /// The references that sound most like given features.
    ///
    /// # Errors
    /// When the features are not this version's.
    pub fn similar(&self, request: &SimilarRequest) -> Result<SimilarAnswer, Problem> {
        let features = given(&request.features)?;
        let index = self.store.reference_index()?;
        let genre = request.genre.as_deref().map(plain_name);
        let top = request.top.unwrap_or(TOP_DEFAULT).min(TOP_MAX);
        let is_wanted =
            |place: usize| genre.as_ref().is_none_or(|genre| index.genres[place] == *genre);
        let mut similar = Vec::new();
        for hit in index.features.search(&features, top, is_wanted) {
            let name = &index.names[hit.place];
            let found = index.features.get(hit.place);
            let compared = found.and_then(|found| Similarity::between(&features, &found));
            // One that was removed meanwhile is left out.
            let record = self.store.reference(name)?;
            if let (Some(compared), Some((record, _))) = (compared, record) {
                similar.push(explained(view(name, &record), &compared));
            }
        }
        let searched = index.names.len() as u64;
        Ok(SimilarAnswer { similar, searched, outdated: index.outdated })
    }
}

/// What a filter asks for, made comparable once.
struct ReferenceCriteria {
    name: Option<String>,
    artist: Option<String>,
    genre: Option<String>,
    year: Option<i32>,
}

impl ReferenceCriteria {
    fn new(filter: &ReferenceFilter) -> Self {
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Self {
            name: lower(&filter.name),
            artist: lower(&filter.artist),
            genre: filter.genre.as_deref().map(plain_name),
            year: filter.year,
        }
    }

    fn has(&self, name: &str, record: &ReferenceRecord) -> bool {
        let is_part = |part: &Option<String>, of: &str| {
            part.as_ref().is_none_or(|part| of.to_lowercase().contains(part))
        };
        let genre = record.genre.as_deref().map(plain_name).unwrap_or_default();
        is_part(&self.name, name)
            && is_part(&self.artist, record.artist.as_deref().unwrap_or_default())
            && self.genre.as_ref().is_none_or(|wanted| *wanted == genre)
            && self.year.is_none_or(|year| record.year == Some(year))
    }
}

fn given(given: &GivenFeatures) -> Result<Features, Problem> {
    if given.version != FEATURE_VERSION {
        let detail = format!(
            "features have version {}; this version of Wavemill compares version {FEATURE_VERSION}",
            given.version
        );
        return Err(Problem::request(&detail));
    }
    let values: &[Option<f32>; DIMENSION_COUNT] =
        given.values.as_slice().try_into().map_err(|_| {
            let count = given.values.len();
            Problem::request(&format!("there are {count} values; features have {DIMENSION_COUNT}"))
        })?;
    Ok(Features::of_standardized(values))
}

fn unknown(name: &str) -> Problem {
    let detail = format!("no reference is called `{name}`; `wavemill references list` shows all");
    Problem::new(404, "not found", detail)
}

fn view(name: &str, record: &ReferenceRecord) -> ReferenceView {
    ReferenceView {
        name: name.to_owned(),
        artist: record.artist.clone(),
        genre: record.genre.clone(),
        year: record.year,
        path: record.path.clone(),
        blake3: record.blake3.clone(),
        added: rfc3339(record.added_ms),
        is_outdated: record.feature_version != FEATURE_VERSION,
        features: None,
        measures: None,
    }
}

fn explained(reference: ReferenceView, compared: &Similarity) -> SimilarView {
    let part = |one: &Contribution| FeaturePartView {
        name: DIMENSIONS[one.dimension].name.to_owned(),
        summary: DIMENSIONS[one.dimension].summary.to_owned(),
        part: one.part,
        file: one.values.0,
        reference: one.values.1,
    };
    let groups = compared.by_group().into_iter();
    let all = &compared.contributions;
    SimilarView {
        reference,
        score: compared.score,
        shared: all.len() as u64,
        groups: groups.map(|(group, part)| PartView { group: group.name().into(), part }).collect(),
        features: all.iter().filter(|one| one.part > 0.0).take(FEATURES_NAMED).map(part).collect(),
        against: all
            .iter()
            .rev()
            .filter(|one| one.part < 0.0)
            .take(FEATURES_NAMED)
            .map(part)
            .collect(),
    }
}
