//! What the program says of itself: steps, formats, targets, effects. The command line is where it is described, so
//! that is asked, once.

use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;
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
    let printed = printed(arguments).await.map_err(|reason| {
        tracing::error!(%reason, "No document of {name}.");
        Problem::new(500, "internal error", format!("the server cannot describe its {name}"))
    })?;
    app.documents.lock().insert(name, printed.clone());
    Ok(Json(printed))
}

/// What a command prints.
pub(crate) async fn printed(arguments: &[&str]) -> Result<Value, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
