//! A module that was loaded: compiled, checked and described.

use crate::create::CreateError;
use crate::description::Description;
use crate::effect::Effect;
use crate::host::Host;
use crate::limits;
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use wasmtime::InstancePre;
use wavemill_core::audio::StreamSpec;

/// A module; clones are one module.
#[derive(Clone)]
pub struct Module {
    shared: Arc<Shared>,
}

struct Shared {
    sandbox: Sandbox,
    instances: InstancePre<Host>,
    sha256: String,
    size_bytes: usize,
    description: Description,
    memory_mib: u32,
}

/// SHA-256 of a `.wasm` file's bytes as 64 hexadecimal digits: what [`Module::sha256`] is once it is loaded.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes).into())
}

fn hexadecimal(hash: &[u8; 32]) -> String {
    let mut digits = String::with_capacity(2 * hash.len());
    for byte in hash {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

impl Module {
    pub(crate) fn new(
        sandbox: Sandbox,
        instances: InstancePre<Host>,
        hash: &[u8; 32],
        size_bytes: usize,
        description: Description,
        memory_mib: u32,
    ) -> Self {
        let sha256 = hexadecimal(hash);
        let shared = Shared { sandbox, instances, sha256, size_bytes, description, memory_mib };
        Self { shared: Arc::new(shared) }
    }

    /// SHA-256 of the `.wasm` bytes as 64 hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.shared.sha256
    }

    /// Length of the `.wasm` bytes.
    pub fn size_bytes(&self) -> usize {
        self.shared.size_bytes
    }

    /// What the module says about itself.
    pub fn description(&self) -> &Description {
        &self.shared.description
    }

    /// Memory an instance may have, in MiB.
    pub(crate) fn memory_mib(&self) -> u32 {
        self.shared.memory_mib
    }

    /// Whether the effect takes such a stream. A module for one channel takes any number: each
    /// channel gets an instance of its own.
    ///
    /// # Errors
    /// When the description excludes the number of channels or the sample rate.
    pub fn suits(&self, spec: &StreamSpec) -> Result<(), CreateError> {
        let Description { name, channels: (min, max), sample_rates, .. } = self.description();
        let given = spec.channel_count();
        let (least, most) =
            if self.is_mono() { (1, limits::CHANNEL_COUNT_MAX) } else { (*min, *max) };
        if given < least as usize || given > most as usize {
            return Err(CreateError::ChannelCount {
                effect: name.clone(),
                given,
                min: least,
                max: most,
            });
        }
        if !sample_rates.is_empty() && !sample_rates.contains(&spec.sample_rate.0) {
            let list: Vec<String> = sample_rates.iter().map(u32::to_string).collect();
            return Err(CreateError::SampleRate {
                effect: name.clone(),
                given_hz: spec.sample_rate.0,
                expected: list.join(", "),
            });
        }
        Ok(())
    }

    /// Makes an effect for one stream. Blocks may have any number of frames; `max_frames` is the
    /// most that one call of the module gets.
    ///
    /// # Errors
    /// When the effect does not suit the stream, or its instance fails before the first block.
    pub fn instantiate(
        &self,
        spec: &StreamSpec,
        settings: &Settings,
        max_frames: usize,
    ) -> Result<Effect, CreateError> {
        self.suits(spec)?;
        Effect::new(self.clone(), spec, settings.iter().collect(), max_frames)
    }

    /// Whether it is for one channel only.
    pub(crate) fn is_mono(&self) -> bool {
        self.description().channels == (1, 1)
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.shared.sandbox
    }

    pub(crate) fn instances(&self) -> &InstancePre<Host> {
        &self.shared.instances
    }
}
