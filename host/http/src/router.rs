//! Every path, and its description.

use crate::app::App;
use crate::{
    analyses, batches, body, content, docs, documents, exports, formats, guard, health, logs,
    measures, metadata, page, regions, stream, transfers, uploads, waveform,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use serde_json::Value;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wavemill_api::{complete, described, operations};

/// What a form holds besides its file, bytes.
const FORM_BYTES: usize = 1 << 20;

/// The API's description: that of the control API and the services' paths.
pub fn openapi() -> Value {
    let mut document = wavemill_api::openapi();
    document.merge(services().get_openapi().clone());
    described(document)
}

/// Everything that is served.
pub(crate) fn router(app: &App) -> Router {
    let all = operations(app.service.clone()).merge(services().with_state(app.clone()));
    let page = docs::page(&described(all.get_openapi().clone()));
    let of_page = get(move || {
        let page = Arc::clone(&page);
        async move { docs::response(&page) }
    });
    complete(all)
        .route("/docs", of_page.clone())
        .route("/redoc", of_page)
        .merge(page::routes())
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
        .routes(routes!(analyses::analysis))
        .routes(routes!(analyses::references))
        .routes(routes!(analyses::similarity))
        .routes(routes!(analyses::similar_files))
        .routes(routes!(logs::job_log))
        .routes(routes!(regions::add_region))
        .routes(routes!(regions::regions))
        .routes(routes!(regions::delete_region))
        .routes(routes!(regions::render_region))
        .routes(routes!(regions::render_track))
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
        .routes(routes!(analyses::analyze))
        .routes(routes!(transfers::piece))
        .layer(DefaultBodyLimit::disable());
    plain.merge(forms)
}
