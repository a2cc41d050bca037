//! The WebSocket of a session.

use super::hello::Hello;
use super::limits::{
    CLOSE_WITHIN, HELLO_WITHIN, MESSAGE_BYTES_MAX, SEND_WITHIN, SESSION_MAX, SILENCE_MAX, SPEED_MAX,
};
use super::message::{Event, Order, Refusal};
use super::pcm;
use super::session::Session;
use super::sessions::OpenSession;
use crate::app::App;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use wavemill_api::types::Problem;

/// What may be read at once before it is asked how fast it came, s of audio.
const BURST_S: f64 = 5.0;

/// Process audio live: a WebSocket, whose first message says what comes
#[utoipa::path(get, path = "/api/audio/stream",
    responses((status = 101), (status = 400, body = Problem), (status = 426, body = Problem),
        (status = 503, body = Problem)))]
pub(crate) async fn stream(
    State(app): State<App>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|error| {
        Problem::new(error.status().as_u16(), "no WebSocket", error.body_text())
    })?;
    let place = Arc::clone(&app.streams.sockets).try_acquire_owned();
    let place = place.map_err(|_| Problem::new(503, "too many sockets", "try again later"))?;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(async move |socket| {
        serve(&app, socket).await;
        drop(place);
    }))
}

async fn serve(app: &App, socket: WebSocket) {
    let (mut to, mut from) = socket.split();
    match open(app, &mut from).await {
        Ok(Some(open)) => converse(&open.session, &mut to, &mut from).await,
        Ok(None) => return,
        Err(refusal) => {
            let text = serde_json::to_string(&Event::from(refusal)).unwrap_or_default();
            let _ = timeout(SEND_WITHIN, to.send(Message::Text(text.into()))).await;
        }
    }
    let _ = timeout(CLOSE_WITHIN, to.send(Message::Close(None))).await;
    // What is still on its way would reset the connection, and the client would miss what was sent last.
    let rest = async { while let Some(Ok(_)) = from.next().await {} };
    let _ = timeout(CLOSE_WITHIN, rest).await;
}

/// The session of the first message; `None` where none came.
async fn open(
    app: &App,
    from: &mut SplitStream<WebSocket>,
) -> Result<Option<OpenSession>, Refusal> {
    let first = async {
        loop {
            match from.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => break other,
            }
        }
    };
    let Ok(first) = timeout(HELLO_WITHIN, first).await else {
        let detail = format!("no hello came within {} s", HELLO_WITHIN.as_secs());
        return Err(Refusal::new("no hello", detail));
    };
    match first {
        Some(Ok(Message::Text(text))) => app.open_session(Hello::parse(&text)?).await.map(Some),
        Some(Ok(Message::Binary(_))) => {
            Err(Refusal::new("bad hello", "the first message must be the hello, a text message"))
        }
        Some(Err(error)) => Err(unreadable(&error)),
        _ => Ok(None),
    }
}

async fn converse(
    session: &Arc<Session>,
    to: &mut SplitSink<WebSocket, Message>,
    from: &mut SplitStream<WebSocket>,
) {
    session.outbox.event(&session.ready());
    let reading = async {
        if let Err(refusal) = read(session, from).await {
            session.fail(refusal);
            // The other side ends it, with the reason.
            pending::<()>().await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = write(session, to) => {}
    }
}

/// Reads until the client is gone.
///
/// # Errors
/// One line: why the session must end.
async fn read(session: &Arc<Session>, from: &mut SplitStream<WebSocket>) -> Result<(), Refusal> {
    let mut audio_s = 0.0;
    loop {
        let Ok(message) = timeout(SILENCE_MAX, from.next()).await else {
            let detail = format!("nothing came for {} s", SILENCE_MAX.as_secs());
            return Err(Refusal::new("silent", detail));
        };
        if session.started.elapsed() > SESSION_MAX {
            return Err(Refusal::new("too long", "a session lasts at most a day"));
        }
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let hello = &session.hello;
                let samples = pcm::samples(&bytes, hello.format, hello.channels)?;
                let frames = samples.len() / hello.channels;
                audio_s += frames as f64 / f64::from(hello.sample_rate);
                session.push(samples).await?;
                keep_pace(session, audio_s).await;
            }
            Some(Ok(Message::Text(text))) => session.order(Order::parse(&text)?)?,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Ok(()),
            Some(Err(error)) => return Err(unreadable(&error)),
        }
        // A client that floods must not keep the runtime's thread.
        tokio::task::yield_now().await;
    }
}

/// Reads no faster than many times the speed of the audio: the rest waits in the client.
async fn keep_pace(session: &Session, audio_s: f64) {
    let due_s = (audio_s - BURST_S) / SPEED_MAX - session.started.elapsed().as_secs_f64();
    if due_s > 0.0 {
        sleep(Duration::from_secs_f64(due_s)).await;
    }
}

/// Sends until there is no more to say, or the client takes nothing.
async fn write(session: &Arc<Session>, to: &mut SplitSink<WebSocket, Message>) {
    while let Some(message) = session.outbox.next().await {
        // There is room again.
        session.schedule();
        match timeout(SEND_WITHIN, to.send(message)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

fn unreadable(error: &axum::Error) -> Refusal {
    let detail = error.to_string().replace('\n', " ");
    Refusal::new("bad frame", format!("{detail}; messages have at most {MESSAGE_BYTES_MAX} bytes"))
}
