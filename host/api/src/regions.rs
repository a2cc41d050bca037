//! Regions: parts of files at times of a track.

use super::service::Service;
use super::types::{
    AddRegionRequest, Problem, RegionFilter, RegionList, RegionView, RemoveRegionsRequest,
};
use std::path::PathBuf;
use wavemill_pipelines::mixdown::TIMELINE_S_MAX;
use wavemill_store::{Clock, JobIds, RegionRecord, UploadRecord, rfc3339};

/// Longest text that names a track or a region, bytes.
const NAME_BYTES_MAX: usize = 1000;

impl Service {
    /// Regions by track and start.
    ///
    /// # Errors
    /// When the store fails.
    pub fn regions(&self, filter: &RegionFilter) -> Result<RegionList, Problem> {
        let mut found = Vec::new();
        self.store.visit_service(&mut |id, record: RegionRecord| {
            if filter.track.as_ref().is_none_or(|track| *track == record.track_id) {
                found.push((id.to_owned(), record));
            }
        })?;
        found.sort_by(|(_, a), (_, b)| {
            let starts = a.start_time.total_cmp(&b.start_time);
            a.track_id.cmp(&b.track_id).then(starts).then(a.added_ms.cmp(&b.added_ms))
        });
        let views = found.into_iter().map(|(id, record)| self.region_view(id, record));
        Ok(RegionList { regions: views.collect::<Result<_, Problem>>()? })
    }

    /// Adds a region to a track.
    ///
    /// # Errors
    /// When its times make no sense, or its file is not known.
    pub fn add_region(&self, request: &AddRegionRequest) -> Result<RegionView, Problem> {
        let AddRegionRequest { track_id, file_id, start_time, duration, name, gain } =
            request.clone();
        if track_id.is_empty() || track_id.len() > NAME_BYTES_MAX {
            return Err(Problem::request("`track_id` must be 1 to 1000 bytes"));
        }
        if name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return Err(Problem::request("`name` must be at most 1000 bytes"));
        }
        let is_time = |time: f64| (0.0..=TIMELINE_S_MAX).contains(&time);
        if !is_time(start_time) || !duration.is_none_or(is_time) {
            let reason = format!("`start_time` and `duration` must be 0 to {TIMELINE_S_MAX} s");
            return Err(Problem::request(&reason));
        }
        let gain = gain.unwrap_or(1.0);
        if !gain.is_finite() {
            return Err(Problem::request("`gain` must be a finite factor"));
        }
        if let Some(file) = &file_id {
            self.file_of_region(file)?.ok_or_else(|| {
                Problem::new(404, "not found", format!("no upload has the id `{file}`"))
            })?;
        }
        let record = RegionRecord {
            track_id,
            file_id,
            start_time,
            duration,
            name,
            gain,
            added_ms: Clock::now_ms(),
        };
        let id = JobIds::after(None).next();
        self.store.put_service(&id, record.clone())?;
        self.region_view(id, record)
    }

    /// Removes regions; the answer lists what they were.
    ///
    /// # Errors
    /// When one of them is not there: then none is removed.
    pub fn remove_regions(&self, request: &RemoveRegionsRequest) -> Result<RegionList, Problem> {
        for id in &request.ids {
            self.store.service::<RegionRecord>(id)?.ok_or_else(|| unknown(id))?;
        }
        let mut regions = Vec::new();
        for id in &request.ids {
            if let Some(record) = self.store.remove_service::<RegionRecord>(id)? {
                regions.push(self.region_view(id.clone(), record)?);
            }
        }
        Ok(RegionList { regions })
    }

    fn region_view(&self, id: String, record: RegionRecord) -> Result<RegionView, Problem> {
        let RegionRecord { track_id, file_id, start_time, duration, name, gain, added_ms } = record;
        let path = file_id.as_deref().map(|file| self.file_of_region(file)).transpose()?.flatten();
        Ok(RegionView {
            id,
            track_id,
            file_id,
            start_time,
            duration,
            name,
            gain,
            path: path.map(|path| path.display().to_string()),
            created: rfc3339(added_ms),
        })
    }

    /// The file of a region: an upload, or an absolute path.
    fn file_of_region(&self, file: &str) -> Result<Option<PathBuf>, Problem> {
        let upload = self.store.service::<UploadRecord>(file)?;
        let path = PathBuf::from(file);
        Ok(upload.map(|upload| upload.path).or_else(|| path.is_absolute().then_some(path)))
    }
}

fn unknown(id: &str) -> Problem {
    Problem::new(404, "not found", format!("no region has the id `{id}`"))
}
