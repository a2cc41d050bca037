//! A meter: a number that an effect shows while it runs.

use super::object::Object;
use super::param::{KEY, UNIT};
use super::{DescriptionError, NAME, Words, json::Json};
use crate::limits;
use serde::Serialize;

/// What `fx_meter` returns for a position of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meter {
    /// Name in documents, with its unit: `reduction_db`.
    pub key: String,
    /// What people call it; the key where the module gives no name.
    pub name: String,
    /// One sentence: what it shows; may be empty.
    pub summary: String,
    /// `dB`, `Hz`...; may be empty.
    pub unit: String,
    /// The lower end of the display, in `unit`.
    pub min: f64,
    /// The upper end of the display, in `unit`.
    pub max: f64,
}

/// Reads and checks all meters.
pub(super) fn read(object: &Object<'_>) -> Result<Vec<Meter>, DescriptionError> {
    let list = object.list("meters", 0, limits::METER_COUNT_MAX)?.unwrap_or_default();
    let mut meters: Vec<Meter> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let object = Object::of(value, format!("meters[{index}]"))?;
        let meter = meter(&object)?;
        if let Some(other) = meters.iter().position(|other| other.key == meter.key) {
            let expected = format!("unique; meters[{other}] has it");
            return Err(object.wrong("key", &Json::Text(meter.key), &expected));
        }
        meters.push(meter);
    }
    Ok(meters)
}

fn meter(object: &Object<'_>) -> Result<Meter, DescriptionError> {
    let key = object.needed_words("key", &KEY)?;
    let (min, max) = (object.number("min")?, object.number("max")?);
    // A reading has 32 bits.
    let (least, most) = (f64::from(f32::MIN), f64::from(f32::MAX));
    if min < least {
        return Err(object.wrong("min", &Json::Number(min), "a number of 32 bits"));
    }
    if min >= max || max > most {
        let expected = format!("above `min`, which is {min}, and a number of 32 bits");
        return Err(object.wrong("max", &Json::Number(max), &expected));
    }
    Ok(Meter {
        name: object.words("name", &NAME)?.unwrap_or_else(|| key.clone()),
        key,
        summary: object.words("summary", &Words::LINE)?.unwrap_or_default(),
        unit: object.words("unit", &UNIT)?.unwrap_or_default(),
        min,
        max,
    })
}
