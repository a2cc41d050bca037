//! What is wanted in the slots, with exact values; everything else follows from it.

use super::source::{Found, Source};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use wavemill_rack::{CONTROL_COUNT, Control, Part, SLOT_COUNT, Slots};

/// The wanted chain, shared by the audio thread (values only), the worker, the window and the host.
pub(crate) struct Model {
    slots: Mutex<Slots<SlotModel>>,
    values: Slots<Vec<Value>>,
    /// Grows when a slot's content or problem changes.
    version: AtomicU64,
}

/// The slots at one moment.
#[derive(Clone)]
pub(crate) struct Snapshot(Slots<SlotModel>);

/// A slot.
#[derive(Clone, Default)]
pub(crate) struct SlotModel {
    /// Where its part comes from; `None` is an empty slot.
    pub(crate) source: Option<Source>,
    /// The part, once it was found and loaded.
    pub(crate) part: Option<Part>,
    /// Values that a part gets which is not there yet, by key.
    pending: BTreeMap<String, f64>,
    /// Why it is dry though something is wanted there, or what else is to be known.
    pub(crate) problem: Option<String>,
}

/// The value of a control, and the position that stands for it in the bank.
#[derive(Default)]
struct Value {
    exact: AtomicU64,
    position: AtomicU32,
}

impl Value {
    fn set(&self, exact: f64, position: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "the framework's positions")]
        let position = position as f32;
        self.exact.store(exact.to_bits(), Ordering::Relaxed);
        self.position.store(position.to_bits(), Ordering::Relaxed);
    }

    fn exact(&self) -> f64 {
        f64::from_bits(self.exact.load(Ordering::Relaxed))
    }

    fn position(&self) -> f32 {
        f32::from_bits(self.position.load(Ordering::Relaxed))
    }
}

/// The rack of a saved project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// One a slot; `None` is an empty one.
    #[serde(default)]
    pub(crate) slots: Vec<Option<SavedSlot>>,
}

/// A slot of a saved project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedSlot {
    #[serde(flatten)]
    pub(crate) source: Source,
    /// By key, so that they survive a module that moves its parameters.
    #[serde(default)]
    pub(crate) values: BTreeMap<String, f64>,
}

impl Default for Model {
    fn default() -> Self {
        let values = || (0..CONTROL_COUNT).map(|_| Value::default()).collect();
        Self {
            slots: Mutex::default(),
            values: std::array::from_fn(|_| values()),
            version: AtomicU64::new(0),
        }
    }
}

impl Model {
    /// Grows when a slot's content or problem changes.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// A copy of the slots.
    pub(crate) fn slots(&self) -> Slots<SlotModel> {
        self.slots.lock().clone()
    }

    /// The control at a position of the bank.
    pub(crate) fn control(&self, slot: usize, control: usize) -> Option<Control> {
        let slots = self.slots.lock();
        slots.get(slot)?.part.as_ref()?.controls().get(control).cloned()
    }

    /// The exact value for a position in the bank, which is taken for the control's own from now on unless it is
    /// modulated. Real-time.
    pub(crate) fn value(&self, at: (usize, usize), control: &Control, position: (f32, f32)) -> f64 {
        let (unmodulated, modulated) = position;
        let own = &self.values[at.0][at.1];
        if own.position().to_bits() != unmodulated.to_bits() {
            own.set(control.value_at(f64::from(unmodulated)), f64::from(unmodulated));
        }
        if modulated.to_bits() == unmodulated.to_bits() {
            return own.exact();
        }
        control.value_at(f64::from(modulated))
    }

    /// The position that stands for a control's value.
    pub(crate) fn position(&self, slot: usize, control: usize) -> f32 {
        self.values[slot][control].position()
    }

    /// Whether a position stands for a control's value.
    pub(crate) fn is_at(&self, slot: usize, index: usize, position: f32) -> bool {
        let value = self.control(slot, index).map(|control| control.value_at(f64::from(position)));
        value.is_some_and(|value| value.to_bits() == self.exact(slot, index).to_bits())
    }

    /// The exact value of a control.
    pub(crate) fn exact(&self, slot: usize, control: usize) -> f64 {
        self.values[slot].get(control).map_or(0.0, Value::exact)
    }

    /// Sets a control to an exact value; returns the position that stands for it.
    pub(crate) fn set(&self, slot: usize, index: usize, value: f64) -> Option<f32> {
        let control = self.control(slot, index)?;
        let own = self.values[slot].get(index)?;
        let value = control.nearest(value);
        own.set(value, control.position_of(value));
        Some(own.position())
    }

    /// A position as people read it.
    pub(crate) fn shown(&self, slot: usize, index: usize, position: f32) -> String {
        let Some(control) = self.control(slot, index) else {
            return format!("{:.1} %", position * 100.0);
        };
        let own = &self.values[slot][index];
        let is_own = own.position().to_bits() == position.to_bits();
        control.shown(if is_own { own.exact() } else { control.value_at(f64::from(position)) })
    }

    /// The position of what somebody typed.
    pub(crate) fn read(&self, slot: usize, control: usize, typed: &str) -> Option<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "the framework's positions")]
        let position = |control: Control, value| control.position_of(value) as f32;
        if let Some(control) = self.control(slot, control) {
            return control.read(typed).map(|value| position(control, value));
        }
        let percent: f32 = typed.trim().trim_end_matches('%').trim().parse().ok()?;
        Some((percent / 100.0).clamp(0.0, 1.0))
    }

    /// What the rack should play.
    pub(crate) fn wanted(&self) -> Slots<Option<Part>> {
        let slots = self.slots();
        std::array::from_fn(|slot| self.part_with_values(slot, &slots[slot]))
    }

    fn part_with_values(&self, slot: usize, model: &SlotModel) -> Option<Part> {
        let mut part = model.part.clone()?;
        for index in 0..part.values().len().min(CONTROL_COUNT) {
            part.set(index, self.values[slot][index].exact());
        }
        Some(part)
    }

    /// Fills, exchanges or empties a slot.
    pub(crate) fn place(&self, slot: usize, content: Option<(Source, Part)>) {
        let mut slots = self.slots.lock();
        slots[slot] = match content {
            Some((source, part)) => {
                self.take_values(slot, &part);
                SlotModel { source: Some(source), part: Some(part), ..SlotModel::default() }
            }
            None => SlotModel::default(),
        };
        drop(slots);
        self.changed();
    }

    /// The slots with the values of now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut slots = self.slots();
        for (index, slot) in slots.iter_mut().enumerate() {
            slot.part = self.part_with_values(index, slot);
        }
        Snapshot(slots)
    }

    /// Takes the slots and values of a snapshot.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        let mut slots = self.slots.lock();
        slots.clone_from(&snapshot.0);
        for (index, slot) in slots.iter().enumerate() {
            if let Some(part) = &slot.part {
                self.take_values(index, part);
            }
        }
        drop(slots);
        self.changed();
    }

    /// Exchanges two slots.
    pub(crate) fn exchange(&self, one: usize, other: usize) {
        if one.max(other) >= SLOT_COUNT {
            return;
        }
        let mut slots = self.slots.lock();
        for slot in [one, other] {
            let part = self.part_with_values(slot, &slots[slot]);
            slots[slot].part = part;
        }
        slots.swap(one, other);
        for slot in [one, other] {
            if let Some(part) = &slots[slot].part {
                self.take_values(slot, part);
            }
        }
        drop(slots);
        self.changed();
    }

    fn take_values(&self, slot: usize, part: &Part) {
        let controls = part.controls().iter().zip(part.values());
        for ((control, value), own) in controls.zip(&self.values[slot]) {
            own.set(*value, control.position_of(*value));
        }
    }

    /// For a saved project; modules of files travel with it up to so many bytes each.
    pub(crate) fn saved(&self, module_bytes_max: usize) -> Saved {
        let slots = self.slots();
        let slot = |(index, slot): (usize, &SlotModel)| {
            let mut source = slot.source.clone()?;
            source.bytes = source.bytes.filter(|bytes| bytes.len() <= module_bytes_max);
            Some(SavedSlot { source, values: self.values_by_key(index, slot) })
        };
        Saved { slots: slots.iter().enumerate().map(slot).collect() }
    }

    fn values_by_key(&self, index: usize, slot: &SlotModel) -> BTreeMap<String, f64> {
        match self.part_with_values(index, slot) {
            Some(part) => {
                let keys = part.controls().iter().map(|control| control.key.clone());
                keys.zip(part.values().iter().copied()).collect()
            }
            // A module that is missing today may be there tomorrow.
            None => slot.pending.clone(),
        }
    }

    /// Sets the values of a saved project, where the part is there and stays.
    pub(crate) fn set_values(&self, slot: usize, values: &BTreeMap<String, f64>) {
        let slots = self.slots.lock();
        let Some(mut part) = self.part_with_values(slot, &slots[slot]) else { return };
        part.set_by_key(values.iter().map(|(key, value)| (key.as_str(), *value)));
        self.take_values(slot, &part);
        drop(slots);
        self.changed();
    }

    /// Takes the rack of a saved project; parts are found by [`Self::resolve`].
    pub(crate) fn load(&self, saved: Saved) {
        let mut saved = saved.slots.into_iter();
        let slots = std::array::from_fn(|_| match saved.next().flatten() {
            Some(SavedSlot { source, values }) => {
                SlotModel { source: Some(source), pending: values, ..SlotModel::default() }
            }
            None => SlotModel::default(),
        });
        *self.slots.lock() = slots;
        self.changed();
    }

    /// Finds and loads the parts that are not there yet; says whether any was, and whether any is still looked for. Not
    /// for the audio thread.
    pub(crate) fn resolve(
        &self,
        mut find: impl FnMut(&Source) -> Option<Result<Found, String>>,
    ) -> (bool, bool) {
        let (mut is_new, mut is_looking) = (false, false);
        for slot in 0..SLOT_COUNT {
            let SlotModel { source, part, pending, problem } = self.slots.lock()[slot].clone();
            let Some(source) = source.filter(|_| part.is_none() && problem.is_none()) else {
                continue;
            };
            let Some(found) = find(&source) else {
                is_looking = true;
                continue;
            };
            let mut slots = self.slots.lock();
            // Something else may be wanted meanwhile.
            if slots[slot].source.as_ref() != Some(&source) || slots[slot].part.is_some() {
                continue;
            }
            match found {
                Ok(Found::Part(mut part, note)) => {
                    part.set_by_key(pending.iter().map(|(key, value)| (key.as_str(), *value)));
                    self.take_values(slot, &part);
                    slots[slot].part = Some(part);
                    slots[slot].problem = note;
                }
                Ok(Found::Asked) => {
                    slots[slot].problem = Some(super::source::ASK.to_owned());
                }
                Err(reason) => slots[slot].problem = Some(reason),
            }
            is_new = true;
        }
        if is_new {
            self.changed();
        }
        (is_new, is_looking)
    }

    /// Lets a slot be looked for again, for instance after the user trusted its module.
    pub(crate) fn retry(&self, slot: usize) {
        let mut slots = self.slots.lock();
        let values = self.values_by_key(slot, &slots[slot]);
        let own = &mut slots[slot];
        (own.pending, own.part, own.problem) = (values, None, None);
        drop(slots);
        self.changed();
    }

    /// Exchanges the module of a slot whose file changed; values go over by key.
    pub(crate) fn reload(&self, slot: usize, source: Source, mut part: Part) {
        let mut slots = self.slots.lock();
        if slots[slot].source.as_ref().map(|own| &own.name) != Some(&source.name) {
            return;
        }
        if let Some(old) = self.part_with_values(slot, &slots[slot]) {
            let keys = old.controls().iter().map(|control| control.key.as_str());
            part.set_by_key(keys.zip(old.values().iter().copied()));
        }
        self.take_values(slot, &part);
        slots[slot] = SlotModel { source: Some(source), part: Some(part), ..SlotModel::default() };
        drop(slots);
        self.changed();
    }

    /// What a user should know of a slot.
    pub(crate) fn report(&self, slot: usize, problem: Option<String>) {
        let mut slots = self.slots.lock();
        if slots[slot].problem != problem {
            slots[slot].problem = problem;
            drop(slots);
            self.changed();
        }
    }
}
