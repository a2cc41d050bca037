//! A description as the JSON of the contract, written while the effect is compiled: a module
//! carries the text and no code for it.

use crate::{Description, Meter, Param, Preset, Scale};

/// Decimals a number of a description may have.
const DECIMALS: u32 = 6;

/// 10 to the power of [`DECIMALS`].
const UNIT: f64 = 1e6;

/// Largest number of a description; whole numbers of [`UNIT`]ths are exact up to 2^53.
const NUMBER_MAX: f64 = 9e9;

/// Bytes of the JSON.
pub const fn length(description: &Description) -> usize {
    let mut writer = Writer { bytes: &mut [], at: 0 };
    writer.description(description);
    writer.at
}

/// The JSON; `LENGTH` comes from [`length`].
pub const fn write<const LENGTH: usize>(description: &Description) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    write_into(description, &mut bytes);
    bytes
}

/// Writes the JSON into a slice that has the length of [`length`].
///
/// # Panics
/// When it has another.
pub const fn write_into(description: &Description, bytes: &mut [u8]) {
    let length = bytes.len();
    let mut writer = Writer { bytes, at: 0 };
    writer.description(description);
    assert!(writer.at == length, "the slice has not the length of the JSON");
}

/// Counts bytes, and keeps those there is room for.
struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    const fn byte(&mut self, byte: u8) {
        if self.at < self.bytes.len() {
            self.bytes[self.at] = byte;
        }
        self.at += 1;
    }

    /// Text as it is.
    const fn raw(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            self.byte(text.as_bytes()[at]);
            at += 1;
        }
    }

    /// Text as a JSON string.
    const fn string(&mut self, text: &str) {
        self.byte(b'"');
        let mut at = 0;
        while at < text.len() {
            let byte = text.as_bytes()[at];
            match byte {
                b'"' | b'\\' => {
                    self.byte(b'\\');
                    self.byte(byte);
                }
                b'\n' => self.raw("\\n"),
                b'\t' => self.raw("\\t"),
                0..0x20 => panic!("a text has a control character"),
                _ => self.byte(byte),
            }
            at += 1;
        }
        self.byte(b'"');
    }

    const fn digits(&mut self, number: u64) {
        let mut divisor = 1;
        while number / divisor >= 10 {
            divisor *= 10;
        }
        while divisor > 0 {
            self.byte(b'0' + (number / divisor % 10) as u8);
            divisor /= 10;
        }
    }

    /// A number with as many decimals as it needs. Reading it back gives the same bits: it is a
    /// whole number of millionths, and both the division here and a reader round correctly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    #[expect(clippy::float_cmp, reason = "the number must be exactly that decimal")]
    const fn number(&mut self, value: f64) {
        let magnitude = value.abs();
        assert!(magnitude <= NUMBER_MAX, "a number of the description is beyond 9e9, or none");
        let units = (magnitude * UNIT + 0.5) as u64;
        assert!(units as f64 / UNIT == magnitude, "a number has more than six decimals");
        if value < 0.0 {
            self.byte(b'-');
        }
        self.digits(units / UNIT as u64);
        let mut fraction = units % UNIT as u64;
        if fraction > 0 {
            self.byte(b'.');
        }
        let mut place = 10_u64.pow(DECIMALS - 1);
        while fraction > 0 {
            self.byte(b'0' + (fraction / place) as u8);
            fraction %= place;
            place /= 10;
        }
    }

    /// `,"key":`
    const fn key(&mut self, key: &str) {
        self.byte(b',');
        self.string(key);
        self.byte(b':');
    }

    /// A member that is left out where its text is empty.
    const fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.key(key);
            self.string(text);
        }
    }

    const fn description(&mut self, description: &Description) {
        self.raw("{\"id\":");
        self.string(description.id);
        self.text("name", description.name);
        self.text("version", description.version);
        // Version 1.1 brought `keep_length` and meters; a module that has neither needs no more than 1.0.
        let is_plain = description.keep_length && description.meters.is_empty();
        let minor = if is_plain { 0 } else { 1 };
        self.raw(",\"abi\":{\"minor\":");
        self.digits(minor);
        self.raw("},\"channels\":[");
        self.digits(description.channels.0 as u64);
        self.byte(b',');
        self.digits(description.channels.1 as u64);
        self.byte(b']');
        self.sample_rates(description.sample_rates);
        self.text("summary", description.summary);
        self.text("manual", description.manual);
        if !description.keep_length {
            self.raw(",\"keep_length\":false");
        }
        self.params(description.params);
        self.meters(description.meters);
        self.presets(description.presets);
        self.text("license", description.license);
        self.text("homepage", description.homepage);
        self.byte(b'}');
    }

    const fn sample_rates(&mut self, rates: &[u32]) {
        if rates.is_empty() {
            return;
        }
        self.key("sample_rates");
        let mut at = 0;
        while at < rates.len() {
            self.byte(if at == 0 { b'[' } else { b',' });
            self.digits(rates[at] as u64);
            at += 1;
        }
        self.byte(b']');
    }

    const fn params(&mut self, params: &[Param]) {
        if params.is_empty() {
            return;
        }
        self.key("params");
        let mut at = 0;
        while at < params.len() {
            self.byte(if at == 0 { b'[' } else { b',' });
            self.param(&params[at]);
            at += 1;
        }
        self.byte(b']');
    }

    const fn param(&mut self, param: &Param) {
        self.raw("{\"id\":");
        self.digits(param.id as u64);
        self.text("key", param.key);
        self.text("name", param.name);
        self.text("summary", param.summary);
        self.text("unit", param.unit);
        self.key("min");
        self.number(param.min);
        self.key("max");
        self.number(param.max);
        self.key("default");
        self.number(param.default);
        match param.scale {
            Scale::Linear => {}
            Scale::Logarithmic => self.text("scale", "log"),
            Scale::Decibels => self.text("scale", "db"),
        }
        if param.steps > 0 {
            self.key("steps");
            self.digits(param.steps as u64);
        }
        self.labels(param.labels);
        if param.needs_restart {
            self.raw(",\"flags\":[\"restart\"]");
        } else if param.is_automatable {
            self.raw(",\"flags\":[\"automatable\"]");
        }
        self.byte(b'}');
    }

    const fn meters(&mut self, meters: &[Meter]) {
        if meters.is_empty() {
            return;
        }
        self.key("meters");
        let mut at = 0;
        while at < meters.len() {
            self.raw(if at == 0 { "[{\"key\":" } else { ",{\"key\":" });
            self.string(meters[at].key);
            self.text("name", meters[at].name);
            self.text("summary", meters[at].summary);
            self.text("unit", meters[at].unit);
            self.key("min");
            self.number(meters[at].min);
            self.key("max");
            self.number(meters[at].max);
            self.byte(b'}');
            at += 1;
        }
        self.byte(b']');
    }

    const fn labels(&mut self, labels: &[&str]) {
        if labels.is_empty() {
            return;
        }
        self.key("labels");
        let mut at = 0;
        while at < labels.len() {
            self.byte(if at == 0 { b'[' } else { b',' });
            self.string(labels[at]);
            at += 1;
        }
        self.byte(b']');
    }

    const fn presets(&mut self, presets: &[Preset]) {
        if presets.is_empty() {
            return;
        }
        self.key("presets");
        let mut at = 0;
        while at < presets.len() {
            self.byte(if at == 0 { b'{' } else { b',' });
            self.string(presets[at].name);
            self.raw(":{");
            self.values(presets[at].values);
            self.byte(b'}');
            at += 1;
        }
        self.byte(b'}');
    }

    const fn values(&mut self, values: &[(&str, f64)]) {
        let mut at = 0;
        while at < values.len() {
            if at > 0 {
                self.byte(b',');
            }
            self.string(values[at].0);
            self.byte(b':');
            self.number(values[at].1);
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON as a test can look at it.
    fn json(description: &Description) -> String {
        let mut bytes = vec![0; length(description)];
        write_into(description, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    fn number(value: f64) -> String {
        let mut bytes = [0; 64];
        let mut writer = Writer { bytes: &mut bytes, at: 0 };
        writer.number(value);
        let length = writer.at;
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn smallest_description_has_the_required_members() {
        const MINIMAL: Description = Description::new("half", "Half", "1.0.0").channels(1, 8);
        const LENGTH: usize = length(&MINIMAL);
        const JSON: [u8; LENGTH] = write(&MINIMAL);
        let expected = "{\"id\":\"half\",\"name\":\"Half\",\"version\":\"1.0.0\",\"abi\":{\"minor\":0},\
                        \"channels\":[1,8]}";
        assert_eq!(core::str::from_utf8(&JSON).unwrap(), expected);
    }

    #[test]
    fn every_member_is_written() {
        const PARAMS: &[Param] = &[
            Param::new(0, "gain_db", "Gain", (-24.5, 24.0, 0.0)).unit("dB").scale(Scale::Decibels),
            Param::choice(4, "mode", "Mode", &["soft", "hard"], 1).summary("How.").restart(),
            Param::new(5, "cutoff_hz", "Cutoff", (20.0, 20e3, 1e3)).scale(Scale::Logarithmic),
            Param::new(6, "share", "Share", (0.0, 1.0, 0.125)).steps(8),
        ];
        const METERS: &[Meter] = &[
            Meter::new("reduction_db", "Reduction", (-24.0, 0.0)).unit("dB").summary("How much."),
            Meter::new("open", "Open", (0.0, 1.0)),
        ];
        const PRESETS: &[Preset] =
            &[Preset::new("loud", &[("gain_db", 12.0), ("mode", 0.0)]), Preset::new("plain", &[])];
        let description = Description::new("x.all", "All \"of\" it", "1.2.3")
            .sample_rates(&[44_100, 48_000])
            .summary("Line 1\nline 2.")
            .manual("C:\\x, 5 µs")
            .lengthen()
            .params(PARAMS)
            .meters(METERS)
            .presets(PRESETS)
            .license("MIT")
            .homepage("https://example.org");
        let expected = r#"{"id":"x.all","name":"All \"of\" it","version":"1.2.3","abi":{"minor":1},
"channels":[1,64],"sample_rates":[44100,48000],"summary":"Line 1\nline 2.","manual":"C:\\x, 5 µs","keep_length":false,
"params":[
{"id":0,"key":"gain_db","name":"Gain","unit":"dB","min":-24.5,"max":24,"default":0,"scale":"db","flags":["automatable"]},
{"id":4,"key":"mode","name":"Mode","summary":"How.","min":0,"max":1,"default":1,"steps":1,"labels":["soft","hard"],"flags":["restart"]},
{"id":5,"key":"cutoff_hz","name":"Cutoff","min":20,"max":20000,"default":1000,"scale":"log","flags":["automatable"]},
{"id":6,"key":"share","name":"Share","min":0,"max":1,"default":0.125,"steps":8,"flags":["automatable"]}],
"meters":[{"key":"reduction_db","name":"Reduction","summary":"How much.","unit":"dB","min":-24,"max":0},
{"key":"open","name":"Open","min":0,"max":1}],
"presets":{"loud":{"gain_db":12,"mode":0},"plain":{}},"license":"MIT","homepage":"https://example.org"}"#;
        assert_eq!(json(&description), expected.replace('\n', ""));
    }

    #[test]
    fn numbers_read_back_to_the_same_bits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (0.000_001, "0.000001"),
            (0.707_108, "0.707108"),
            (-123_456.789_012, "-123456.789012"),
            (9e9, "9000000000"),
            (0.1, "0.1"),
            (20.05, "20.05"),
        ] {
            assert_eq!(number(value), text);
            assert_eq!(text.parse::<f64>().unwrap(), value);
        }
        for millionths in (0..3_000_000_u32).step_by(37) {
            let value = f64::from(millionths) / UNIT;
            assert_eq!(number(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    #[should_panic(expected = "more than six decimals")]
    fn number_with_seven_decimals_is_refused() {
        number(0.123_456_7);
    }

    #[test]
    #[should_panic(expected = "beyond 9e9")]
    fn number_that_is_none_is_refused() {
        number(f64::NAN);
    }
}
