//! The `iXML` chunk: what a recorder noted, with numbers that are true of this file.
//!
//! Source: Gallery UK, "iXML Specification", version 2.10.

use crate::encode::EncodeSettings;
use crate::tags::Recording;
use std::fmt::Write as _;

/// The chunk's body. A file made of another one is not that one: its number becomes that of the parent.
pub(super) fn body(recording: &Recording, settings: &EncodeSettings) -> Vec<u8> {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BWFXML>\n");
    put(&mut xml, 1, "IXML_VERSION", Some("2.10"));
    put(&mut xml, 1, "PROJECT", recording.project.as_deref());
    put(&mut xml, 1, "SCENE", recording.scene.as_deref());
    put(&mut xml, 1, "TAKE", recording.take.as_deref());
    put(&mut xml, 1, "TAPE", recording.tape.as_deref());
    let circled = recording.circled.map(|is_circled| if is_circled { "TRUE" } else { "FALSE" });
    put(&mut xml, 1, "CIRCLED", circled);
    put(&mut xml, 1, "NOTE", recording.note.as_deref());
    xml.push_str("\t<SPEED>\n");
    put(&mut xml, 2, "TIMECODE_RATE", recording.timecode_rate.as_deref());
    put(&mut xml, 2, "TIMECODE_FLAG", recording.timecode_flag.as_deref());
    let rate = settings.spec.sample_rate.0.to_string();
    put(&mut xml, 2, "FILE_SAMPLE_RATE", Some(&rate));
    put(&mut xml, 2, "AUDIO_BIT_DEPTH", Some(&settings.format.bit_depth.to_string()));
    if let Some(time) = recording.time_reference {
        let (high, low) = ((time >> 32).to_string(), (time & 0xffff_ffff).to_string());
        put(&mut xml, 2, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", Some(&high));
        put(&mut xml, 2, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", Some(&low));
        put(&mut xml, 2, "TIMESTAMP_SAMPLE_RATE", Some(&rate));
    }
    xml.push_str("\t</SPEED>\n");
    if let Some(parent) = &recording.file_uid {
        xml.push_str("\t<HISTORY>\n");
        put(&mut xml, 2, "PARENT_UID", Some(parent));
        xml.push_str("\t</HISTORY>\n");
    }
    xml.push_str("</BWFXML>\n");
    xml.into_bytes()
}

/// Appends an element, unless there is nothing to say.
fn put(xml: &mut String, depth: usize, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(xml, "{}<{name}>{value}</{name}>", "\t".repeat(depth));
}
