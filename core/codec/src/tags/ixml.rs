//! The `iXML` chunk of recorders: which scene and take a recording is, and when it began.
//!
//! Source: Gallery UK, "iXML Specification", version 2.10: `BWFXML`, one level of elements and groups of them.

use super::text::clean;
use serde::Serialize;
use wavemill_audio::limits::TAG_COUNT_MAX;

/// What a recorder noted, as far as it is true of what is made of the recording too: names of its tracks and
/// the like are not kept.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// The production.
    pub project: Option<String>,
    /// The scene, or slate.
    pub scene: Option<String>,
    /// The take.
    pub take: Option<String>,
    /// The tape, or folder of the day.
    pub tape: Option<String>,
    /// What the recordist has to say of it.
    pub note: Option<String>,
    /// Whether the take is one to use.
    pub circled: Option<bool>,
    /// What distinguishes the file from all others: true of the file that was read only.
    pub file_uid: Option<String>,
    /// Frames of timecode in a second, as `25/1`.
    pub timecode_rate: Option<String>,
    /// `DF` where timecode drops frames, else `NDF`.
    pub timecode_flag: Option<String>,
    /// Frame of audio since midnight that is the first.
    pub time_reference: Option<u64>,
}

/// Most elements inside each other that are followed.
const DEPTH_MAX: usize = 8;

/// Reads the chunk's data; `None` where nothing in it is kept.
pub(super) fn parse(data: &[u8]) -> Option<Recording> {
    let text = String::from_utf8_lossy(data);
    let mut found = Recording::default();
    let (mut high, mut low) = (None, None);
    for (path, value) in elements(&text).into_iter().take(TAG_COUNT_MAX) {
        let Some(value) = clean(&value) else { continue };
        let field = match path.as_str() {
            "BWFXML/PROJECT" => &mut found.project,
            "BWFXML/SCENE" => &mut found.scene,
            "BWFXML/TAKE" => &mut found.take,
            "BWFXML/TAPE" => &mut found.tape,
            "BWFXML/NOTE" => &mut found.note,
            "BWFXML/FILE_UID" => &mut found.file_uid,
            "BWFXML/SPEED/TIMECODE_RATE" => &mut found.timecode_rate,
            "BWFXML/SPEED/TIMECODE_FLAG" => &mut found.timecode_flag,
            "BWFXML/CIRCLED" => {
                found.circled = Some(value.eq_ignore_ascii_case("true"));
                continue;
            }
            "BWFXML/SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI" => {
                high = value.parse::<u32>().ok();
                continue;
            }
            "BWFXML/SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO" => {
                low = value.parse::<u32>().ok();
                continue;
            }
            _ => continue,
        };
        *field = field.take().or(Some(value));
    }
    found.time_reference = low.map(|low| u64::from(high.unwrap_or(0)) << 32 | u64::from(low));
    (found != Recording::default()).then_some(found)
}

/// The text of every element that holds no other, with the names of those around it; what is no XML ends it.
fn elements(xml: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut rest, mut path, mut text) = (xml, Vec::<&str>::new(), String::new());
    let mut is_leaf = false;
    while let Some((before, after)) = rest.split_once('<') {
        push_unescaped(&mut text, before);
        if let Some(after) = after.strip_prefix("![CDATA[") {
            let Some((literal, after)) = after.split_once("]]>") else { break };
            text.push_str(literal);
            rest = after;
            continue;
        }
        let end = if after.starts_with("!--") { "-->" } else { ">" };
        let Some((tag, after)) = after.split_once(end) else { break };
        rest = after;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if path.pop() != Some(name.trim()) {
                break;
            }
            if is_leaf {
                let mut names = path.clone();
                names.push(name.trim());
                found.push((names.join("/"), std::mem::take(&mut text)));
            }
            is_leaf = false;
        } else if !tag.ends_with('/') {
            path.push(tag.split_whitespace().next().unwrap_or_default());
            if path.len() > DEPTH_MAX {
                break;
            }
            is_leaf = true;
        }
        text.clear();
    }
    found
}

/// Appends text in which signs may stand by their names or numbers.
fn push_unescaped(text: &mut String, escaped: &str) {
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let sign = after.split_once(';').and_then(|(name, after)| Some((sign(name)?, after)));
        let (sign, after) = sign.unwrap_or(('&', after));
        text.push(sign);
        rest = after;
    }
    text.push_str(rest);
}

fn sign(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        other => {
            let number = other.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_where_they_stand() {
        let xml = "<?xml version=\"1.0\"?>\n<!-- a > b -->\n<BWFXML>\n\t<PROJECT>Tom &amp; &#74;&#x65;rry</PROJECT>\
            <SCENE/><TAKE a=\"1\">3</TAKE><NOTE><![CDATA[<loud>]]></NOTE><CIRCLED>TRUE</CIRCLED>\
            <USER><SCENE>wrong</SCENE></USER><SPEED><TIMECODE_RATE>25/1</TIMECODE_RATE>\
            <TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>\
            <TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>2</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></SPEED></BWFXML>\0";
        let text = |text: &str| Some(text.to_owned());
        let expected = Recording {
            project: text("Tom & Jerry"),
            take: text("3"),
            note: text("<loud>"),
            circled: Some(true),
            timecode_rate: text("25/1"),
            time_reference: Some(0x1_0000_0002),
            ..Recording::default()
        };
        assert_eq!(parse(xml.as_bytes()), Some(expected));
    }

    #[test]
    fn what_is_no_xml_says_nothing_and_does_no_harm() {
        for broken in [
            "",
            "<",
            "<BWFXML><PROJECT>x",
            "<BWFXML></PROJECT>x</BWFXML>",
            "<a><a><a><a><a><a><a><a><a><a>",
            "<![CDATA[",
            "<!--",
            "<BWFXML><OTHER>x</OTHER></BWFXML>",
        ] {
            assert_eq!(parse(broken.as_bytes()), None, "{broken}");
        }
        let (mut text, escaped) = (String::new(), "a & b &; &#xd800; &lt");
        push_unescaped(&mut text, escaped);
        assert_eq!(text, escaped);
    }
}
