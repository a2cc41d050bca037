//! What an effect is called and what can be set: declared once, as constants, and turned into the
//! JSON of the contract.

/// What an effect says of itself. Build it with [`Description::new`] and the methods that follow,
/// all usable in constants.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Identity, for ever: `com.example.reverb`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Version of the effect, `1.2.3`.
    pub version: &'static str,
    /// Fewest and most channels it takes.
    pub channels: (u32, u32),
    /// Sample rates in Hz it takes; empty means every one.
    pub sample_rates: &'static [u32],
    /// One sentence: what it does.
    pub summary: &'static str,
    /// Limits, and the source of the algorithm.
    pub manual: &'static str,
    /// Whether files keep their length, and its tail is cut where they end.
    pub keep_length: bool,
    /// Its parameters, in the order a user should see.
    pub params: &'static [Param],
    /// Its meters; [`Effect::meter`](crate::Effect::meter) gets their positions.
    pub meters: &'static [Meter],
    /// Its presets.
    pub presets: &'static [Preset],
    /// License of the effect.
    pub license: &'static str,
    /// Where to read more.
    pub homepage: &'static str,
}

impl Description {
    /// An effect for 1 to 64 channels without parameters.
    pub const fn new(id: &'static str, name: &'static str, version: &'static str) -> Self {
        Self {
            id,
            name,
            version,
            channels: (1, 64),
            sample_rates: &[],
            summary: "",
            manual: "",
            keep_length: true,
            params: &[],
            meters: &[],
            presets: &[],
            license: "",
            homepage: "",
        }
    }

    /// Takes `min` to `max` channels. With 1 and 1 a host runs one instance a channel.
    #[must_use]
    pub const fn channels(mut self, min: u32, max: u32) -> Self {
        self.channels = (min, max);
        self
    }

    /// Takes only these sample rates in Hz.
    #[must_use]
    pub const fn sample_rates(mut self, rates: &'static [u32]) -> Self {
        self.sample_rates = rates;
        self
    }

    /// One sentence: what it does.
    #[must_use]
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Limits, and the source of the algorithm.
    #[must_use]
    pub const fn manual(mut self, manual: &'static str) -> Self {
        self.manual = manual;
        self
    }

    /// Its tail is part of what people hear, as that of a reverb: files get longer by it.
    #[must_use]
    pub const fn lengthen(mut self) -> Self {
        self.keep_length = false;
        self
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// Its meters.
    #[must_use]
    pub const fn meters(mut self, meters: &'static [Meter]) -> Self {
        self.meters = meters;
        self
    }

    /// Its presets.
    #[must_use]
    pub const fn presets(mut self, presets: &'static [Preset]) -> Self {
        self.presets = presets;
        self
    }

    /// Its license.
    #[must_use]
    pub const fn license(mut self, license: &'static str) -> Self {
        self.license = license;
        self
    }

    /// Where to read more.
    #[must_use]
    pub const fn homepage(mut self, homepage: &'static str) -> Self {
        self.homepage = homepage;
        self
    }
}

/// A parameter. A number within its range; what it means is said by its unit and its labels.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// What [`Effect::set_param`](crate::Effect::set_param) gets; never given to another parameter
    /// later.
    pub id: u32,
    /// Name in pipelines, with its unit: `release_ms`.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// One sentence: what it sets.
    pub summary: &'static str,
    /// `dB`, `ms`, `Hz`... or empty.
    pub unit: &'static str,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// The value where a user gives none.
    pub default: f64,
    /// How a control moves.
    pub scale: Scale,
    /// Number of equal steps between `min` and `max`; 0 means continuous.
    pub steps: u32,
    /// Words for the whole numbers from `min` to `max`.
    pub labels: &'static [&'static str],
    /// Whether it may change while audio runs.
    pub is_automatable: bool,
    /// Whether it is only set before [`Effect::create`](crate::Effect::create).
    pub needs_restart: bool,
}

impl Param {
    /// A continuous parameter that may change while audio runs.
    pub const fn new(
        id: u32,
        key: &'static str,
        name: &'static str,
        (min, max, default): (f64, f64, f64),
    ) -> Self {
        Self {
            id,
            key,
            name,
            summary: "",
            unit: "",
            min,
            max,
            default,
            scale: Scale::Linear,
            steps: 0,
            labels: &[],
            is_automatable: true,
            needs_restart: false,
        }
    }

    /// A parameter with a word for each of its values 0, 1, 2...
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a few labels"
    )]
    pub const fn choice(
        id: u32,
        key: &'static str,
        name: &'static str,
        labels: &'static [&'static str],
        default: u32,
    ) -> Self {
        let max = (labels.len() - 1) as f64;
        let mut param = Self::new(id, key, name, (0.0, max, default as f64));
        param.labels = labels;
        param.steps = (labels.len() - 1) as u32;
        param
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// One sentence: what it sets.
    #[must_use]
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// How a control moves.
    #[must_use]
    pub const fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// This many equal steps between `min` and `max`.
    #[must_use]
    pub const fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// Is only set before [`Effect::create`](crate::Effect::create): it changes latency or memory.
    #[must_use]
    pub const fn restart(mut self) -> Self {
        self.needs_restart = true;
        self.is_automatable = false;
        self
    }
}

/// How a control moves between the smallest and the largest value. Values are never converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly in the value.
    Linear,
    /// Evenly in its logarithm.
    Logarithmic,
    /// In decibels.
    Decibels,
}

/// A number that is shown while audio runs: gain reduction, for example.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Name in documents, with its unit: `reduction_db`.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// One sentence: what it shows.
    pub summary: &'static str,
    /// `dB`, `Hz`... or empty.
    pub unit: &'static str,
    /// The lower end of the display.
    pub min: f64,
    /// The upper end of the display.
    pub max: f64,
}

impl Meter {
    /// A meter from `min` to `max`.
    pub const fn new(key: &'static str, name: &'static str, (min, max): (f64, f64)) -> Self {
        Self { key, name, summary: "", unit: "", min, max }
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// One sentence: what it shows.
    #[must_use]
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }
}

/// Settings with a name; parameters it does not name keep their defaults.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// Parameter key and value.
    pub values: &'static [(&'static str, f64)],
}

impl Preset {
    /// A preset.
    pub const fn new(name: &'static str, values: &'static [(&'static str, f64)]) -> Self {
        Self { name, values }
    }
}
