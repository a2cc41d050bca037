//! Damage to the text of a module: other instructions of the same kind, other numbers and names,
//! expressions dropped and repeated. Most of it still assembles, and much of it validates.

use crate::check::Random;

/// Instructions that may stand for each other.
const KINDS: &[&[&str]] = &[
    &[
        "i32.add",
        "i32.sub",
        "i32.mul",
        "i32.and",
        "i32.or",
        "i32.xor",
        "i32.shl",
        "i32.shr_u",
        "i32.shr_s",
        "i32.div_s",
        "i32.div_u",
        "i32.rem_u",
        "i32.rem_s",
        "i32.rotl",
        "i32.eq",
        "i32.ne",
        "i32.lt_u",
        "i32.lt_s",
        "i32.gt_u",
        "i32.ge_u",
        "i32.le_s",
    ],
    &["f32.add", "f32.sub", "f32.mul", "f32.div", "f32.min", "f32.max", "f32.copysign"],
    &["f32.eq", "f32.ne", "f32.lt", "f32.gt", "f32.le", "f32.ge"],
    &["f64.add", "f64.sub", "f64.mul", "f64.div", "f64.min", "f64.max"],
    &["f32.load", "f32.load offset=65536", "f32.load offset=4294967292", "f32.load align=1"],
    &["f32.store", "f32.store offset=1048576", "f32.store offset=4294967292", "f32.store align=1"],
    &["local.get", "global.get", "local.tee", "call"],
    &["local.set", "global.set", "call", "drop"],
    &["br_if", "br", "call", "drop"],
    &["loop", "block", "if"],
    &["param", "result", "local"],
    &["f32", "f64", "i32", "i64"],
    &[
        "fx_in",
        "fx_out",
        "fx_process",
        "fx_tail",
        "fx_latency",
        "fx_reset",
        "fx_describe",
        "fx_error",
        "_initialize",
    ],
];

const WHOLE: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "4",
    "16",
    "33",
    "64",
    "255",
    "4095",
    "65535",
    "65536",
    "65537",
    "2147483647",
    "-2147483648",
    "1000000",
];

const FLOATS: &[&str] =
    &["0", "-0.0", "1", "-1", "0.5", "2", "1e-40", "1e30", "inf", "-inf", "nan", "1e9"];

/// What changes a description.
const JSON: &[(&str, &str)] = &[
    ("\\\"min\\\":0", "\\\"min\\\":9"),
    ("\\\"id\\\":1", "\\\"id\\\":2"),
    ("\\\"channels\\\":[1,8]", "\\\"channels\\\":[1,1]"),
    ("\\\"channels\\\":[1,8]", "\\\"channels\\\":[64,64]"),
    ("\\\"channels\\\":[1,8]", "\\\"channels\\\":[2,1]"),
    ("\\\"channels\\\":[1,8]", "\\\"channels\\\":[1,8],\\\"sample_rates\\\":[1000]"),
    ("\\\"name\\\"", "\\\"nome\\\""),
    ("1.0.0", "1.0\\1b[31m"),
    ("\\00\"", "\""),
    ("{", "{{"),
    ("]", ""),
    ("\\\"max\\\":4", "\\\"max\\\":4e999"),
    ("\\\"flags\\\":[\\\"automatable\\\"]", "\\\"flags\\\":[\\\"restart\\\"]"),
];

/// Bodies that do harm, for any function.
const HARM: &[&str] = &[
    "(unreachable)",
    "(loop $endless (br $endless))",
    "(drop (memory.grow (i32.const 1)))",
    "(drop (memory.grow (i32.const 2000)))",
    "(memory.fill (i32.const 0) (i32.const 255) (i32.const 70000))",
    "(memory.copy (i32.const 65536) (i32.const 0) (i32.const 70000))",
    "(i32.store (i32.const -4) (i32.const 1))",
    "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
];

/// The text with one change.
pub(super) fn damaged(text: &str, random: &mut Random) -> String {
    match random.below(8) {
        0 | 1 => exchanged(text, random),
        2 | 3 => renumbered(text, random),
        4 => {
            let (old, new) = random.choice(JSON);
            replaced(text, old, new, random)
        }
        5 => harmed(text, random),
        6 => without_expression(text, random),
        _ => renamed(text, random),
    }
}

/// The text with one place where `old` stands replaced.
fn replaced(text: &str, old: &str, new: &str, random: &mut Random) -> String {
    let places: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let at = *random.choice(&places);
    format!("{}{new}{}", &text[..at], &text[at + old.len()..])
}

/// Another instruction of the same kind.
fn exchanged(text: &str, random: &mut Random) -> String {
    let kind = random.choice(KINDS);
    let present: Vec<&&str> = kind.iter().filter(|word| text.contains(**word)).collect();
    if present.is_empty() {
        return text.to_owned();
    }
    let (old, new) = (**random.choice(&present), *random.choice(kind));
    replaced(text, old, new, random)
}

/// Another number after `const`, or any number at all.
fn renumbered(text: &str, random: &mut Random) -> String {
    let heads = ["i32.const ", "f32.const ", "f64.const ", "(memory (export \"memory\") "];
    let head = *random.choice(&heads);
    let places: Vec<usize> = text.match_indices(head).map(|(at, _)| at + head.len()).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let at = *random.choice(&places);
    let end = at + text[at..].find(')').unwrap_or(0);
    let numbers = if head.starts_with('f') { FLOATS } else { WHOLE };
    format!("{}{}{}", &text[..at], random.choice(numbers), &text[end..])
}

/// Something harmful at the start of a loop or a function.
fn harmed(text: &str, random: &mut Random) -> String {
    let heads = [
        "(result i32)\n",
        "(loop $frames_loop\n",
        "(loop $samples\n",
        "(local $at i32)\n",
        "(local $end i32)\n",
    ];
    let head = *random.choice(&heads);
    replaced(text, head, &format!("{head} {}\n", random.choice(HARM)), random)
}

/// Without one expression, or with it twice.
fn without_expression(text: &str, random: &mut Random) -> String {
    let opens: Vec<usize> = text.match_indices('(').map(|(at, _)| at).collect();
    // The first one is the module.
    let start = opens[1 + random.below(opens.len() - 1)];
    let mut depth = 0;
    let end = text[start..].bytes().position(|byte| {
        depth += match byte {
            b'(' => 1,
            b')' => -1,
            _ => 0,
        };
        depth == 0
    });
    let Some(end) = end.map(|end| start + end + 1) else { return text.to_owned() };
    let expression = &text[start..end];
    let new = if random.below(3) == 0 { expression.repeat(2) } else { String::new() };
    format!("{}{new}{}", &text[..start], &text[end..])
}

/// Another variable.
fn renamed(text: &str, random: &mut Random) -> String {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let name_at = |at: usize| {
        let rest = &text[at + 1..];
        &text[at..=at + rest.find(|character| !is_name(character)).unwrap_or(0)]
    };
    let names: Vec<(usize, &str)> =
        text.match_indices('$').map(|(at, _)| (at, name_at(at))).collect();
    if names.is_empty() {
        return text.to_owned();
    }
    let ((at, old), (_, new)) = (*random.choice(&names), *random.choice(&names));
    format!("{}{new}{}", &text[..at], &text[at + old.len()..])
}
