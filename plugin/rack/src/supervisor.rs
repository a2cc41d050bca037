//! The other thread's side: it builds what is wanted, and takes back what is done with.

use crate::Slots;
use crate::levels::Levels;
use crate::part::Part;
use crate::rack::{QUEUE_LENGTH, Rack};
use crate::slot::Returned;
use crate::stage::StageFault;
use crate::strikes::Strikes;
use crate::voice::Voice;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::time::Instant;
use wavemill_core::audio::StreamSpec;

/// Builds for a rack, and learns from it what broke. Not for the audio thread.
pub struct Supervisor {
    spec: StreamSpec,
    arrivals: Producer<(usize, Box<Voice>)>,
    returns: Consumer<(usize, Returned)>,
    slots: Slots<Sent>,
}

/// Something that a user should know of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The slot, from 0.
    pub slot: usize,
    /// One line: what happened, and why.
    pub reason: String,
    /// What the slot does now.
    pub ending: Ending,
}

/// What a slot does after an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A fresh instance takes over.
    Renewed,
    /// It stays dry until its part is changed.
    Dry,
    /// What sounded before goes on.
    Kept,
}

/// What a slot of the rack was sent.
#[derive(Debug, Default)]
struct Sent {
    /// The part that sounds, is on its way, or could not be built.
    part: Option<Part>,
    /// Whether a voice is on its way and has not taken over.
    is_under_way: bool,
    /// Whether a fresh instance is needed though the part is the same.
    is_worn: bool,
    strikes: Strikes,
}

impl Sent {
    fn is_wanted(&self, part: Option<&Part>) -> bool {
        match (&self.part, part) {
            (Some(own), Some(part)) => !self.is_worn && own.is_built_as(part),
            (None, None) => true,
            _ => false,
        }
    }
}

/// Both sides of a rack that plays what is wanted from its first frame on, and why slots are dry that should not be.
/// `shares` are those of [`Rack::set_shares`].
pub fn rack(
    spec: &StreamSpec,
    wanted: &Slots<Option<Part>>,
    shares: &Slots<f32>,
    levels: Arc<Levels>,
) -> (Rack, Supervisor, Vec<Incident>) {
    let (arrivals_in, arrivals) = RingBuffer::new(QUEUE_LENGTH);
    let (returns, returns_out) = RingBuffer::new(QUEUE_LENGTH);
    let mut incidents = Vec::new();
    let voices = std::array::from_fn(|slot| {
        voice(spec, wanted[slot].as_ref()).unwrap_or_else(|reason| {
            incidents.push(Incident { slot, reason, ending: Ending::Dry });
            Voice::dry(spec)
        })
    });
    let sent = std::array::from_fn(|slot| Sent { part: wanted[slot].clone(), ..Sent::default() });
    let supervisor =
        Supervisor { spec: spec.clone(), arrivals: arrivals_in, returns: returns_out, slots: sent };
    (Rack::new(spec, voices, shares, (arrivals, returns), levels), supervisor, incidents)
}

fn voice(spec: &StreamSpec, part: Option<&Part>) -> Result<Voice, String> {
    part.map_or_else(|| Ok(Voice::dry(spec)), |part| Voice::new(part, spec))
        .map_err(|error| error.to_string())
}

impl Supervisor {
    /// Takes back what the rack is done with, and builds what is wanted and does not sound yet. To be called when
    /// something changed, and when [`Rack::take_need`] says so. Returns what went wrong.
    pub fn tend(&mut self, wanted: &Slots<Option<Part>>) -> Vec<Incident> {
        let mut incidents = self.take_back();
        for (slot, part) in wanted.iter().enumerate() {
            incidents.extend(self.renew(slot, part.as_ref()));
        }
        incidents
    }

    /// Whether all that was sent has taken over.
    pub fn is_settled(&self) -> bool {
        self.slots.iter().all(|slot| !slot.is_under_way && !slot.is_worn)
    }

    fn take_back(&mut self) -> Vec<Incident> {
        let mut incidents = Vec::new();
        while let Ok((slot, returned)) = self.returns.pop() {
            match returned {
                Returned::Voice(_) => self.slots[slot].is_under_way = false,
                Returned::Broken(_, StageFault::NoReset) => self.slots[slot].is_worn = true,
                Returned::Broken(mut stage, fault) => {
                    let reason = stage.explain(fault);
                    let is_final = self.slots[slot].strikes.add(Instant::now());
                    self.slots[slot].is_worn = !is_final;
                    let ending = if is_final { Ending::Dry } else { Ending::Renewed };
                    incidents.push(Incident { slot, reason, ending });
                }
            }
        }
        incidents
    }

    /// Sends a slot what is wanted there.
    fn renew(&mut self, slot: usize, part: Option<&Part>) -> Option<Incident> {
        let sent = &mut self.slots[slot];
        // One at a time: the slot has room for one.
        if sent.is_under_way || sent.is_wanted(part) {
            return None;
        }
        if sent.part.as_ref().zip(part).is_none_or(|(own, part)| !own.is_built_as(part)) {
            sent.strikes = Strikes::default();
        }
        sent.part = part.cloned();
        sent.is_worn = false;
        match voice(&self.spec, part) {
            Ok(voice) => {
                sent.is_under_way = self.arrivals.push((slot, Box::new(voice))).is_ok();
                None
            }
            // What sounded before goes on.
            Err(reason) => Some(Incident { slot, reason, ending: Ending::Kept }),
        }
    }
}
