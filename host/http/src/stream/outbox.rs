//! What waits to be sent to a client.

use super::limits::OUTBOX_BYTES_MAX;
use super::message::Event;
use axum::extract::ws::Message;
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// Messages in order, with a mark where there are no more.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    is_closed: bool,
}

impl Outbox {
    /// Whether there is room for a block. The last one may exceed it.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.lock().bytes < OUTBOX_BYTES_MAX
    }

    /// Whether no message will be taken any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().is_closed
    }

    pub(crate) fn audio(&self, bytes: Vec<u8>) {
        self.push(Message::Binary(bytes.into()), false);
    }

    pub(crate) fn event(&self, event: &Event) {
        self.text(event, false);
    }

    /// The last event; what comes later is dropped.
    pub(crate) fn close(&self, event: &Event) {
        self.text(event, true);
    }

    fn text(&self, event: &Event, is_last: bool) {
        // Plain numbers and texts.
        let text = serde_json::to_string(event).unwrap_or_default();
        self.push(Message::Text(text.into()), is_last);
    }

    fn push(&self, message: Message, is_last: bool) {
        let mut queue = self.queue.lock();
        if queue.is_closed {
            return;
        }
        queue.bytes += size(&message);
        queue.messages.push_back(message);
        queue.is_closed = is_last;
        drop(queue);
        self.changed.notify_one();
    }

    /// The next message; `None` after the last one.
    pub(crate) async fn next(&self) -> Option<Message> {
        loop {
            {
                let mut queue = self.queue.lock();
                if let Some(message) = queue.messages.pop_front() {
                    queue.bytes -= size(&message);
                    return Some(message);
                }
                if queue.is_closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }
}

fn size(message: &Message) -> usize {
    match message {
        Message::Binary(bytes) => bytes.len(),
        Message::Text(text) => text.len(),
        _ => 0,
    }
}
