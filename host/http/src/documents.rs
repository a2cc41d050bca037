//! What the program says of itself: steps, formats, targets, effects. The command line is where it is described, so
//! that is asked, once.

use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use wavemill_api::types::Problem;

/// Names of documents, and the commands that print them.
const DOCUMENTS: [(&str, &[&str]); 5] = [
    ("effects", &["effects", "list", "--json"]),
    ("formats", &["formats", "--json"]),
    ("schema", &["schema", "pipeline"]),
    ("steps", &["steps", "--json"]),
    ("targets", &["targets", "--json"]),
];

/// What the program says of `effects`, `formats`, `steps` or `targets`, or the `schema` of pipelines
#[utoipa::path(get, path = "/v1/about/{subject}", params(("subject" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(crate) async fn document(
    State(app): State<App>,
    Path(subject): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = DOCUMENTS.iter().find(|(name, _)| *name == subject);
    let (name, arguments) = found.ok_or_else(|| {
        let names = DOCUMENTS.map(|(name, _)| name).join(", ");
        Problem::new(404, "not found", format!("`{subject}` is none of {names}"))
    })?;
    let _turn = app.turn(name).await;
    if let Some(known) = app.documents.lock().get(name) {
        return Ok(Json(known.clone()));
    }
    let printed = app.document_of(arguments).await?;
    app.documents.lock().insert(name, printed.clone());
    Ok(Json(printed))
}

/// An effect with its parameters and presets
#[utoipa::path(get, path = "/v1/effects/{name}", params(("name" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub(crate) async fn effect(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    // A bundled one: names of others are paths.
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        || name.starts_with('-')
    {
        return Err(Problem::new(404, "not found", format!("no bundled effect is named `{name}`")));
    }
    let described = app.document_of(&["effects", "describe", "--json", &name]).await;
    described
        .map(Json)
        .map_err(|_| Problem::new(404, "not found", format!("no bundled effect is named `{name}`")))
}

/// What `wavemill doctor` finds
#[utoipa::path(get, path = "/v1/doctor", responses((status = 200, body = Object)))]
pub(crate) async fn doctor(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let state = app.state_dir.display().to_string();
    app.document_of(&["doctor", "--json", "--state", &state]).await.map(Json)
}
