//! Every path, and its description.

use crate::app::App;
use crate::{
    batches, body, content, documents, exports, formats, guard, health, measures, metadata, stream,
    transfers, uploads, waveform,
};
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wavemill_api::{complete, operations};

/// What a form holds besides its file, bytes.
const FORM_BYTES: usize = 1 << 20;

/// The API's description: that of the control API and the services' paths.
///
/// # Errors
/// Never, but the types say so.
pub fn openapi() -> serde_json::Result<Value> {
    let mut document = wavemill_api::openapi();
    document.merge(services().get_openapi().clone());
    serde_json::to_value(document)
}

/// Everything that is served.
pub(crate) fn router(app: &App) -> Router {
    let all = operations(app.service.clone()).merge(services().with_state(app.clone()));
    let document: OpenApi = all.get_openapi().clone();
    complete(all)
        .route("/openapi.json", get(async move || Json(document)))
        .layer(from_fn(body::end_silent))
        .layer(from_fn_with_state(app.clone(), guard::check))
}

/// The services' paths.
fn services() -> OpenApiRouter<App> {
    let plain = OpenApiRouter::new()
        .routes(routes!(metadata::metadata))
        .routes(routes!(metadata::analysis))
        .routes(routes!(waveform::waveform))
        .routes(routes!(exports::export))
        .routes(routes!(batches::create_batch))
        .routes(routes!(batches::process_batch))
        .routes(routes!(batches::batch))
        .routes(routes!(formats::formats))
        .routes(routes!(formats::format))
        .routes(routes!(health::health))
        .routes(routes!(health::audio_health))
        .routes(routes!(health::statistics))
        .routes(routes!(health::metrics))
        .routes(routes!(guard::login, guard::login_with_token))
        .routes(routes!(documents::document))
        .routes(routes!(documents::effect))
        .routes(routes!(documents::doctor))
        .routes(routes!(measures::file_analysis))
        .routes(routes!(measures::file_loudness))
        .routes(routes!(measures::plan))
        .routes(routes!(transfers::begin, transfers::uploads))
        .routes(routes!(transfers::transfer))
        .routes(routes!(transfers::submit))
        .routes(routes!(content::content))
        .routes(routes!(content::file_waveform))
        .routes(routes!(stream::sessions::buffers))
        .routes(routes!(stream::socket::stream))
        .layer(DefaultBodyLimit::max(FORM_BYTES));
    // What is streamed to the disk counts its bytes itself.
    let forms = OpenApiRouter::new()
        .routes(routes!(uploads::upload))
        .routes(routes!(transfers::piece))
        .layer(DefaultBodyLimit::disable());
    plain.merge(forms)
}
