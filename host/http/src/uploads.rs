//! `POST /api/audio/upload`: a file is stored, probed by a worker, and known from then on.

use crate::app::App;
use crate::metadata::MetadataAnswer;
use crate::reports::{ReportKind, io_problem};
use crate::transfers::is_under_way;
use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use uuid::Uuid;
use wavemill_api::background;
use wavemill_api::types::Problem;
use wavemill_pipelines::publishing::{create_dirs, sync_dir};
use wavemill_store::{Clock, UploadRecord};

/// Name of a file that is being received.
const PART_NAME: &str = ".part";

/// Longest file name kept, bytes; longer ones lose the end of their stem.
const NAME_BYTES_MAX: usize = 200;

/// Longest text field, bytes.
const TEXT_BYTES_MAX: usize = 1 << 16;

/// Pieces of a body that wait for the disk at most; each is some 64 KiB.
const PIECES_MAX: usize = 4;

/// What is uploaded.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the form as the API's description has it")]
pub(crate) struct UploadForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Whether to read its tags.
    #[schema(default = true)]
    extract_metadata: Option<bool>,
}

/// A file that was received and is not known yet. Dropping it removes the file, also where its sender has gone, unless
/// it is kept.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) id: String,
    name: String,
    path: PathBuf,
    /// Folders of the file and of its reports.
    folders: [PathBuf; 2],
    is_kept: bool,
    /// For whoever still writes it.
    is_gone: Arc<AtomicBool>,
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.is_kept {
            self.is_gone.store(true, Ordering::SeqCst);
            for folder in &self.folders {
                // What is left is removed by the next start.
                let _ = fs::remove_dir_all(folder);
            }
        }
    }
}

/// A form: its file and its texts.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) file: Option<Received>,
    pub(crate) texts: Vec<(String, String)>,
}

impl Form {
    /// The last value of a text field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let same = self.texts.iter().rev().find(|(key, _)| key == name);
        same.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A field that is true or false.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn truth(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => {
                Err(Problem::request(&format!("`{name}` is `{other}`; it is true or false")))
            }
        }
    }

    /// A field that is a finite number.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number
            .map(Some)
            .ok_or_else(|| Problem::request(&format!("`{name}` is `{text}`; it must be a number")))
    }
}

/// Upload a file and read its metadata
#[utoipa::path(post, path = "/api/audio/upload",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = MetadataAnswer), (status = 400, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem), (status = 507, body = Problem)))]
pub(crate) async fn upload(
    State(app): State<App>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Json<MetadataAnswer>, Problem> {
    let form = app.form(form).await?;
    let has_tags = form.truth("extract_metadata", true);
    let (id, upload) = app.keep(form).await?;
    let report = app.report(&id, &upload.path, ReportKind::Metadata).await?;
    let mut answer = MetadataAnswer::of(&id, &upload.name, &report);
    if !has_tags? {
        answer.forget_tags();
    }
    Ok(Json(answer))
}

impl App {
    /// Reads a form; its file is on the disk afterward.
    ///
    /// # Errors
    /// When it is none, or its file is too large.
    pub(crate) async fn form(
        &self,
        form: Result<Multipart, MultipartRejection>,
    ) -> Result<Form, Problem> {
        let mut form = form.map_err(|error| Problem::request(&error.body_text()))?;
        let mut read = Form::default();
        let result = loop {
            match form.next_field().await {
                Ok(None) => break Ok(()),
                Err(error) => break Err(broken(&error)),
                Ok(Some(field)) => {
                    if let Err(problem) = self.field(field, &mut read).await {
                        break Err(problem);
                    }
                }
            }
        };
        result?;
        Ok(read)
    }

    async fn field(&self, field: Field<'_>, form: &mut Form) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" && form.file.is_none() {
            form.file = Some(self.receive(field).await?);
        } else {
            form.texts.push((name, text(field).await?));
        }
        Ok(())
    }

    /// Streams a file to the disk: synced, under its own name, in a folder of its own.
    async fn receive(&self, mut field: Field<'_>) -> Result<Received, Problem> {
        let name = plain_name(field.file_name().unwrap_or_default());
        let file = self.received(Uuid::new_v4().to_string(), name);
        let (pieces, waiting) = mpsc::channel::<axum::body::Bytes>(PIECES_MAX);
        let (folder, to) = (file.folders[0].clone(), file.path.clone());
        let is_gone = Arc::clone(&file.is_gone);
        let written = tokio::task::spawn_blocking(move || {
            let written = write(&folder, &to, waiting);
            if written.is_err() || is_gone.load(Ordering::SeqCst) {
                // What was removed meanwhile may be here again.
                let _ = fs::remove_dir_all(&folder);
            }
            written
        });
        let mut size_bytes = 0;
        let received = loop {
            match field.chunk().await {
                Ok(None) => break Ok(()),
                Err(error) => break Err(broken(&error)),
                Ok(Some(piece)) => {
                    size_bytes += piece.len() as u64;
                    if size_bytes > self.settings.upload_bytes_max {
                        break Err(too_large(self.settings.upload_bytes_max));
                    }
                    if pieces.send(piece).await.is_err() {
                        // The disk failed; what it says comes below.
                        break Ok(());
                    }
                }
            }
        };
        // An empty piece says that the file is complete.
        if received.is_ok() {
            let _ = pieces.send(axum::body::Bytes::new()).await;
        }
        drop(pieces);
        let written = written.await.map_err(io::Error::other).and_then(|written| written);
        received?;
        written.map_err(|error| io_problem(&error))?;
        if size_bytes == 0 {
            return Err(Problem::request("`file` is empty"));
        }
        Ok(file)
    }

    /// A file that has this name in the folder of uploads, and is not known yet.
    pub(crate) fn received(&self, id: String, name: String) -> Received {
        let folder = self.settings.uploads_dir.join(&id);
        let path = folder.join(&name);
        let folders = [folder, self.results_of(&id)];
        Received { id, name, path, folders, is_kept: false, is_gone: Arc::default() }
    }

    /// Makes a received file an upload, if it is audio.
    ///
    /// # Errors
    /// When it is not, or there is none.
    pub(crate) async fn keep(&self, form: Form) -> Result<(String, UploadRecord), Problem> {
        let received = form.file.ok_or_else(|| Problem::request("the form has no `file`"))?;
        let id = received.id.clone();
        Ok((id, self.accept(received).await?))
    }

    /// Probes a received file; from then on it is an upload.
    ///
    /// # Errors
    /// When it is no audio: it is removed then.
    pub(crate) async fn accept(&self, received: Received) -> Result<UploadRecord, Problem> {
        self.report(&received.id, &received.path, ReportKind::Metadata).await?;
        let app = self.clone();
        // To its end, whoever waits for it: a file that is known is kept.
        background(move || {
            let mut received = received;
            let Received { name, path, .. } = &received;
            let record =
                UploadRecord { name: name.clone(), path: path.clone(), added_ms: Clock::now_ms() };
            app.service.store().put_service(&received.id, record.clone())?;
            received.is_kept = true;
            Ok(record)
        })
        .await
    }

    /// Removes uploads that nobody knows: their server ended before it could answer.
    pub(crate) fn remove_unknown_uploads(&self) -> io::Result<()> {
        create_dirs(&self.settings.uploads_dir)?;
        for entry in fs::read_dir(&self.settings.uploads_dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_ours = Uuid::parse_str(&name).is_ok() && entry.file_type()?.is_dir();
            let known = self.service.store().service::<UploadRecord>(&name);
            if is_ours && matches!(known, Ok(None)) && !is_under_way(&entry.path()) {
                fs::remove_dir_all(entry.path())?;
                tracing::info!(upload = name, "An upload that was not completed was removed.");
            }
        }
        Ok(())
    }
}

/// Writes the pieces of a file until an empty one.
fn write(
    folder: &Path,
    path: &Path,
    mut pieces: mpsc::Receiver<axum::body::Bytes>,
) -> io::Result<()> {
    create_dirs(folder)?;
    let part = folder.join(PART_NAME);
    let mut file = File::create_new(&part)?;
    loop {
        match pieces.blocking_recv() {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(piece) if piece.is_empty() => break,
            Some(piece) => file.write_all(&piece)?,
        }
    }
    file.sync_all()?;
    fs::rename(&part, path)?;
    sync_dir(folder)
}

/// A text field of a form.
async fn text(mut field: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Problem::request("a field of the form is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::request("a field of the form is not UTF-8"))
}

fn broken(error: &MultipartError) -> Problem {
    match error.status().as_u16() {
        413 => Problem::new(413, "too large", "the form is too large"),
        _ => Problem::request(&error.body_text()),
    }
}

pub(crate) fn too_large(bytes_max: u64) -> Problem {
    let detail = format!("the file is larger than {} MB", bytes_max / 1_000_000);
    Problem::new(413, "too large", detail)
}

/// A file name without folders, control characters and a dot in front.
pub(crate) fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let name = kept.trim().trim_start_matches('.');
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension = if extension.len() > 16 { "" } else { extension };
    let stem = if stem.is_empty() { "upload" } else { stem };
    let end = stem.floor_char_boundary(NAME_BYTES_MAX - extension.len());
    let stem = &stem[..end];
    if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_one_part_of_a_path() {
        for (given, kept) in [
            ("a.wav", "a.wav"),
            ("../../etc/passwd", "passwd"),
            ("C:\\music\\take 1.WAV", "take 1.WAV"),
            ("..", "upload"),
            ("", "upload"),
            (".hidden.wav", "hidden.wav"),
            ("a\nb\0.wav", "ab.wav"),
        ] {
            assert_eq!(plain_name(given), kept, "{given:?}");
        }
        let long = plain_name(&format!("{}.wav", "ä".repeat(300)));
        assert!(long.len() <= NAME_BYTES_MAX + 1 && long.ends_with("ä.wav"), "{long}");
    }
}
