use super::*;
use crate::model::{After, Dither, OnConflict, RequireOn, TagPart, WatchMode};
use std::time::Duration;
use wavemill_core::analysis::MeasureGroup;
use wavemill_core::audio::SampleFormat;
use wavemill_core::decode::Damaged;
use wavemill_core::music::RhythmOptions;
use wavemill_core::tags::Field;

/// A right pipeline to break one thing of.
const RIGHT: &str = r#"
version = 1

[pipeline]
name = "podcast"
description = "Speech."
concurrency = 3
priority = 5
timeout = "1h30m"
max_memory_mib = 512
max_open_files = 1024
timezone = "Europe/Berlin"
hours = ["mon-fri 20:00-06:00", "sat-sun"]
keep_for = "90d"
retry = { attempts = 4, backoff = "10s..5m" }

[[watch]]
path = "inbox/podcast"
include = ["*.wav", "*.flac"]
mode = "poll"
rescan = "60s"
ready = { stable_for = "2s", marker = "{name}.done", ignore = ["tmp/**"] }
duplicates = "skip"

[[require]]
duration = { min = "1s" }
channels = [1, 2]

[[require]]
on = "output"
integrated_lufs = { target = -23.0, tolerance = 0.2 }
true_peak_dbtp = { max = -1.0 }

[[step]]
id = "louder"
use = "gain"
with = { gain_db = 3 }
when = { min_duration = "30s", channels = 2, min_lufs = -40, tag = { genre = "Talk" } }

[[export]]
format = "wav"
bit_depth = "PCM_24"
dither = "triangular"
path = "outbox/{date:%Y/%m/%d}/{stem}.{ext}"
on_conflict = "suffix"

[[export]]
after = "decode"
format = "flac"
path = "archive/{reldir}/{stem}-{hash8}.{ext}"

[[export]]
after = "louder"
format = "wav"
bit_depth = 32
sample_format = "float"
channels = 1
path = "outbox/{stem}-float.wav"

[report]
json = "outbox/{date:%Y/%m/%d}/{stem}.json"

[tags]
artist = ["{album}", "Bo"]
year = "2026"
remove = ["comment", "pictures"]

[source]
on_success = "move:done/{date:%Y-%m}"
on_failure = "trash"
"#;

fn mistakes(text: &str) -> Vec<Diagnostic> {
    mistakes_with(text, &Defaults::default())
}

fn mistakes_with(text: &str, defaults: &Defaults) -> Vec<Diagnostic> {
    match load(text, defaults, &Effects::default()) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    }
}

/// The mistakes of [`RIGHT`] with one piece of text replaced: code, what is underlined, help.
fn broken(from: &str, to: &str) -> Vec<(&'static str, String, String)> {
    assert!(RIGHT.contains(from), "{from} is not in the example");
    let text = RIGHT.replacen(from, to, 1);
    mistakes(&text)
        .into_iter()
        .map(|found| (found.code, text[found.span].to_owned(), found.help.unwrap_or_default()))
        .collect()
}

#[track_caller]
fn assert_mistake(from: &str, to: &str, code: &str, underlined: &str, help: &str) {
    let found = broken(from, to);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, code);
    assert_eq!(found[0].1, underlined);
    assert!(found[0].2.contains(help), "{:?} lacks {help:?}", found[0].2);
}

#[test]
fn right_pipeline_means_what_it_says() {
    let loaded = load(RIGHT, &Defaults::default(), &Effects::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    let pipeline = loaded.pipeline;
    assert_eq!(
        (pipeline.name.as_str(), pipeline.concurrency, pipeline.priority),
        ("podcast", 3, 5)
    );
    assert_eq!(pipeline.timeout, Duration::from_mins(90));
    assert_eq!(pipeline.memory_bytes_max, Some(512 << 20));
    assert_eq!(pipeline.open_files_max, Some(1024));
    assert_eq!(pipeline.retry.attempts, 4);
    assert_eq!(pipeline.retry.backoff_max, Duration::from_mins(5));
    let watch = &pipeline.watches[0];
    assert_eq!(watch.mode, WatchMode::Poll);
    assert_eq!(watch.stable_for, Some(Duration::from_secs(2)));
    assert_eq!(watch.ignore, ["tmp/**"]);
    assert_eq!(pipeline.requires[0].channels, [1, 2]);
    assert_eq!(pipeline.requires[1].on, RequireOn::Output);
    let bounds = pipeline.requires[1].integrated_lufs.unwrap();
    assert_eq!((bounds.min, bounds.max), (Some(-23.2), Some(-22.8)));
    let step = &pipeline.steps[0];
    assert_eq!(step.number("gain_db"), Some(3.0));
    assert_eq!(step.when.channels, [2]);
    assert_eq!(step.when.tag, [("genre".to_owned(), "Talk".to_owned())]);
    let exports = &pipeline.exports;
    assert_eq!(exports.len(), 3);
    assert_eq!(
        (exports[0].bit_depth, exports[0].sample_format),
        (Some(24), Some(SampleFormat::Int))
    );
    assert_eq!((exports[0].dither, exports[0].after), (Some(Dither::Tpdf), After::Last));
    assert_eq!(exports[0].on_conflict, OnConflict::Suffix);
    assert_eq!(exports[1].after, After::Decode);
    assert_eq!(exports[2].after, After::Step(0));
    assert_eq!(exports[2].channels, Some(1));
    assert!(
        matches!(&pipeline.source.on_success, SourceAction::Move(to) if to.text() == "done/{date:%Y-%m}")
    );
    let tags = &pipeline.tags;
    assert_eq!(
        (tags.remove.as_slice(), tags.remove_parts.as_slice()),
        ([Field::Comment].as_slice(), [TagPart::Pictures].as_slice())
    );
    let texts = |texts: &[crate::template::Template]| {
        texts.iter().map(|it| it.text().to_owned()).collect::<Vec<_>>()
    };
    let set: Vec<_> = tags.set.iter().map(|(field, these)| (*field, texts(these))).collect();
    let expected = [
        (Field::Artist, vec!["{album}".to_owned(), "Bo".to_owned()]),
        (Field::Year, vec!["2026".to_owned()]),
    ];
    assert_eq!(set, expected);
    assert_eq!(pipeline.hash.len(), 64);
}

#[test]
fn target_of_a_gate_is_known_by_name() {
    let gate = |line: &str| {
        let text = RIGHT.replacen("[[step]]", &format!("[[require]]\n{line}\n[[step]]"), 1);
        load(&text, &Defaults::default(), &Effects::default())
    };
    let loaded = gate("on = \"output\"\ntarget = \"r128\"").unwrap();
    assert_eq!(loaded.warnings, []);
    let requires = loaded.pipeline.requires;
    assert_eq!(requires.last().unwrap().target.as_ref().unwrap().id, "r128");
    let found = gate("target = \"r-128\"").unwrap_err();
    assert_eq!((found.len(), found[0].code), (1, "unknown-target"));
    assert_eq!(found[0].help.as_deref(), Some("did you mean `r128`?"));
    let found = gate("target = \"none/house.toml\"").unwrap_err();
    assert_eq!((found.len(), found[0].code), (1, "bad-target"));
}

#[test]
fn gate_whose_target_judges_no_loudness_is_a_doubt() {
    let gate = |line: &str| {
        let text = RIGHT.replacen("[[step]]", &format!("[[require]]\n{line}\n[[step]]"), 1);
        let loaded = load(&text, &Defaults::default(), &Effects::default()).unwrap();
        loaded.warnings.iter().map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(gate("target = \"spotify\""), ["not-judged"]);
    assert_eq!(gate("target = \"netflix\""), ["not-judged"]);
    let both = "target = \"spotify\"\nintegrated_lufs = { target = -14.0, tolerance = 1.0 }";
    assert_eq!(gate(both), [""; 0]);
}

#[test]
fn groups_of_a_report_are_named_or_all() {
    let measures = |written: &str| {
        let text = RIGHT.replacen("[report]", &format!("[report]\nmeasure = {written}"), 1);
        load(&text, &Defaults::default(), &Effects::default())
            .map(|loaded| loaded.pipeline.measures)
    };
    assert_eq!(measures("[\"level\"]").unwrap(), [MeasureGroup::Level]);
    // Loudness is in every report, and features are for comparing files: they are there where they are named.
    let all = MeasureGroup::ALL.iter().copied();
    let all: Vec<_> = all
        .filter(|group| !matches!(group, MeasureGroup::Loudness | MeasureGroup::Features))
        .collect();
    assert_eq!(measures("\"all\"").unwrap(), all);
    assert_eq!(measures("[\"features\"]").unwrap(), [MeasureGroup::Features]);
    assert_eq!(measures("\"loudness\"").unwrap(), []);
    let found = measures("[\"levels\"]").unwrap_err();
    assert_eq!((found.len(), found[0].code), (1, "unknown-choice"));
    assert_eq!(found[0].help.as_deref(), Some("did you mean `level`?"));
}

#[test]
fn tempo_range_of_a_report_is_two_tempi_far_enough_apart() {
    let rhythm = |written: &str| {
        let text = RIGHT.replacen("[report]", &format!("[report]\ntempo_range_bpm = {written}"), 1);
        load(&text, &Defaults::default(), &Effects::default()).map(|loaded| loaded.pipeline.rhythm)
    };
    assert_eq!(rhythm("[80, 110]").unwrap(), RhythmOptions::of_range(80.0, 110.0).unwrap());
    for (written, reason) in [
        ("80", "`tempo_range_bpm` needs two numbers: the slowest and the fastest tempo"),
        ("[110, 80]", "`tempo_range_bpm` must end at 1.2 times its beginning or higher"),
    ] {
        let found = rhythm(written).unwrap_err();
        assert_eq!((found.len(), &*found[0].message), (1, reason), "{written}");
    }
    assert_eq!(rhythm("[10, 80]").unwrap_err()[0].code, "out-of-range");
}

#[test]
fn chapters_are_an_output_with_a_name_of_its_own() {
    let chapters = |path: &str| {
        let text = "version = 1\n[pipeline]\nname = \"a\"\n[chapters]\njson = \"PATH\"\n";
        text.replace("PATH", path)
    };
    let loaded = load(&chapters("{stem}.json"), &Defaults::default(), &Effects::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.pipeline.chapters.unwrap().text(), "{stem}.json");
    let report = "[report]\njson = \"{stem}.json\"\n";
    let found = mistakes(&(chapters("{stem}.json") + report));
    let expected = "this report has the same path as the chapter file before it";
    assert_eq!((found.len(), found[0].code), (1, "same-path"));
    assert_eq!(found[0].message, expected);
    let watched = "[[watch]]\npath = \"in\"\ninclude = [\"*.json\"]\n";
    let found = mistakes(&(chapters("in/{stem}.json") + watched));
    assert_eq!((found.len(), found[0].code), (1, "output-in-watch"));
}

#[test]
fn page_is_an_output_with_a_name_of_its_own() {
    let report = |keys: &str| format!("version = 1\n[pipeline]\nname = \"a\"\n[report]\n{keys}");
    let codes = |keys: &str| -> Vec<&'static str> {
        mistakes(&report(keys)).iter().map(|mistake| mistake.code).collect()
    };
    let right = report("html = \"{stem}.{ext}\"\ntitle = \"Mill\"\n");
    let loaded = load(&right, &Defaults::default(), &Effects::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.pipeline.page.unwrap().title.as_deref(), Some("Mill"));
    assert_eq!(codes(""), ["missing-key"]);
    assert_eq!(codes("json = \"a.json\"\ntitle = \"Mill\"\n"), ["contradiction"]);
    assert_eq!(codes("html = \"a.html\"\nlogo = \"none.png\"\n"), ["missing-file"]);
    assert_eq!(codes("html = \"{stem}\"\njson = \"{stem}\"\n"), ["same-path"]);
}

#[test]
fn eight_mistakes_give_eight_diagnostics_with_places_and_help() {
    let text = r#"version = 1
[pipeline]
name = "ünïcode"
concurency = 2
timeout = 30
[[watch]]
path = "in"
mode = "event"
[[step]]
use = "gian"
[[step]]
use = "gain"
with = { gain_db = 400.0 }
[[export]]
format = "flac"
bit_depth = "FLOAT"
after = "lowd"
path = "out/{stemm}.flac"
"#;
    let found = mistakes(text);
    let places: Vec<_> = found.iter().map(|one| (one.code, one.line, one.column)).collect();
    assert_eq!(
        places,
        [
            ("bad-name", 3, 8),
            ("unknown-key", 4, 1),
            ("wrong-type", 5, 11),
            ("unknown-choice", 8, 8),
            ("unknown-step", 10, 7),
            ("out-of-range", 13, 20),
            ("unsupported", 16, 13),
            ("unknown-after", 17, 9),
            ("unknown-placeholder", 18, 13),
        ]
    );
    assert!(found.iter().all(|one| one.help.is_some()));
    assert_eq!(found[1].help.as_deref(), Some("did you mean `concurrency`?"));
    assert_eq!(found[4].help.as_deref(), Some("did you mean `gain`?"));
}

#[test]
fn columns_are_characters_in_utf_8_text() {
    let text = "version = 1 # ä\n[pipeline]\nname = \"a\"\ndescription = \"größe\" ; x = 1\n";
    let found = mistakes(text);
    assert_eq!(found[0].code, "syntax");
    assert_eq!((found[0].line, found[0].column), (4, 23));
}

#[test]
fn each_kind_of_mistake_is_named_where_it_stands() {
    assert_mistake("version = 1", "version = 2", "unknown-version", "2", "version = 1");
    assert_mistake("version = 1\n", "", "missing-key", "", "version = 1");
    assert_mistake("name = \"podcast\"\n", "", "missing-key", "[pipeline]", "name");
    assert_mistake("\"1h30m\"", "\"soon\"", "not-a-duration", "\"soon\"", "30m");
    assert_mistake("\"1h30m\"", "\"1ms\"", "out-of-range", "\"1ms\"", "1s");
    assert_mistake("concurrency = 3", "concurrency = 0", "out-of-range", "0", "from 1 to 256");
    assert_mistake(
        "Europe/Berlin",
        "Europe/Berln",
        "unknown-timezone",
        "\"Europe/Berln\"",
        "Berlin",
    );
    assert_mistake("\"tmp/**\"", "\"tmp/[\"", "bad-glob", "\"tmp/[\"", "");
    assert_mistake("{name}.done", "ready", "bad-template", "\"ready\"", "{name}");
    assert_mistake("min = \"1s\"", "mim = \"1s\"", "unknown-key", "mim", "`min`");
    assert_mistake("target = -23.0, ", "", "contradiction", "{ tolerance = 0.2 }", "target");
    assert_mistake("max = -1.0", "max = 100", "out-of-range", "100", "dBTP");
    assert_mistake("gain_db = 3", "gain_dbs = 3", "unknown-key", "gain_dbs", "gain_db");
    assert_mistake("gain_db = 3", "gain_db = \"3\"", "wrong-type", "\"3\"", "");
    assert_mistake("genre =", "gerne =", "unknown-key", "tag", "genre");
    assert_mistake("\"wav\"", "\"waf\"", "unknown-format", "\"waf\"", "wav");
    assert_mistake("\"wav\"", "\"aptx\"", "unknown-format", "\"aptx\"", "this program writes");
    assert_mistake("\"PCM_24\"", "\"PCM_8\"", "unknown-choice", "\"PCM_8\"", "PCM_");
    assert_mistake("bit_depth = 32", "bit_depth = 20", "out-of-range", "20", "16, 24 or 32");
    assert_mistake("channels = 1\n", "channels = 99\n", "out-of-range", "99", "");
    assert_mistake(
        "{stem}.{ext}",
        "{stem}/../x",
        "bad-template",
        "outbox/{date:%Y/%m/%d}/{stem}/../x",
        "absolute path",
    );
    assert_mistake("%Y-%m", "%&", "bad-date-format", "{date:%&}", "strftime");
    assert_mistake("{date:%Y-%m}", "{title}", "unknown-placeholder", "done/{title}", "{stem}");
    assert_mistake("\"2026\"", "\"soon\"", "bad-tag", "\"soon\"", "a year, such as 2026");
    assert_mistake("{album}", "{albun}", "unknown-placeholder", "{albun}", "album");
    assert_mistake("\"pictures\"", "\"picture\"", "unknown-choice", "\"picture\"", "pictures");
    assert_mistake("\"trash\"", "\"shred\"", "unknown-choice", "\"shred\"", "keep");
    assert_mistake("[report]", "[reports]", "unknown-key", "reports", "report");
    assert_mistake("[source]", "[[source]]", "wrong-type", "[[source]]", "");
}

#[test]
fn step_needs_use_or_effect_and_not_both() {
    assert_mistake(
        "use = \"gain\"\nwith = { gain_db = 3 }",
        "",
        "missing-key",
        "[[step]]",
        "`effect`",
    );
    let both = "effect = \"reverb\"\nuse = \"gain\"";
    assert_mistake("use = \"gain\"", both, "contradiction", "effect", "two steps");
}

#[test]
fn keys_of_effects_mean_nothing_beside_use() {
    for key in ["preset = \"hall\"", "sha256 = \"00\"", "max_memory_mib = 64", "keep_length = true"]
    {
        let name = key.split(' ').next().unwrap();
        let both = format!("{key}\nuse = \"gain\"");
        assert_mistake("use = \"gain\"", &both, "contradiction", name, "remove the key");
    }
}

#[test]
fn sections_are_checked_against_each_other() {
    assert_mistake(
        "outbox/{stem}-float.wav",
        "archive/{reldir}/{stem}-{hash8}.flac",
        "same-path",
        "\"archive/{reldir}/{stem}-{hash8}.flac\"",
        "{ext}",
    );
    assert_mistake(
        "outbox/{stem}-float.wav",
        "./inbox/podcast/{stem}-float.wav",
        "output-in-watch",
        "\"./inbox/podcast/{stem}-float.wav\"",
        "ignore",
    );
    assert_mistake(
        "move:done/",
        "move:inbox/podcast/done/",
        "output-in-watch",
        "inbox/podcast/done/{date:%Y-%m}",
        "another folder",
    );
    assert_mistake(
        "[[export]]\nformat",
        "[[step]]\nid = \"louder\"\nuse = \"gain\"\nwith = { gain_db = 1 }\n[[export]]\nformat",
        "duplicate-id",
        "\"louder\"",
        "after",
    );
    assert_mistake(
        "after = \"louder\"",
        "after = \"lauder\"",
        "unknown-after",
        "\"lauder\"",
        "`louder`",
    );
}

#[test]
fn step_cannot_take_the_name_of_the_decoded_signal() {
    let found = broken("id = \"louder\"\nuse", "id = \"decode\"\nuse");
    assert_eq!((found[0].0, found[0].1.as_str()), ("duplicate-id", "\"decode\""));
}

#[test]
fn outputs_in_a_watched_folder_are_right_where_the_watch_leaves_them_alone() {
    for path in
        ["inbox/podcast/tmp/{stem}.wav", "inbox/podcast/.done/{stem}.wav", "inbox/podcast/{stem}.x"]
    {
        assert_eq!(broken("outbox/{stem}-float.wav", path), [], "{path}");
    }
}

#[test]
fn deleting_the_source_without_an_export_is_refused() {
    let text = "version = 1\n[pipeline]\nname = \"a\"\n[report]\njson = \"{stem}.json\"\n[source]\non_success = \"delete\"\n";
    let found = mistakes(text);
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), ["deletes-source"]);
}

#[test]
fn formats_are_held_to_what_they_store() {
    let text = |export: &str| {
        format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[[export]]\npath = \"{{stem}}.x\"\n{export}"
        )
    };
    let codes =
        |export: &str| mistakes(&text(export)).iter().map(|one| one.code).collect::<Vec<_>>();
    assert_eq!(codes("format = \"flac\"\nbit_depth = \"FLOAT\""), ["unsupported"]);
    assert_eq!(codes("format = \"flac\"\nsample_format = \"float\""), ["unsupported"]);
    assert_eq!(codes("format = \"flac\"\nchannels = 9"), ["unsupported"]);
    assert_eq!(codes("format = \"wav\"\ncompression_level = 5"), ["unsupported"]);
    assert_eq!(
        codes("format = \"wav\"\nbit_depth = \"PCM_16\"\nsample_format = \"float\""),
        ["contradiction"]
    );
    assert_eq!(codes("format = \"wav\"\nbit_depth = \"float\""), [""; 0]);
    assert_eq!(codes("format = \"flac\"\nbit_depth = 24\ncompression_level = 8"), [""; 0]);
}

#[cfg(feature = "mp3")]
#[test]
fn lossy_formats_are_asked_for_one_quality_they_have() {
    let found = |export: &str| {
        let text = format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[[export]]\npath = \"{{stem}}.x\"\n{export}"
        );
        let all = mistakes(&text).into_iter();
        all.map(|one| (one.code, one.message, one.help.unwrap_or_default())).collect::<Vec<_>>()
    };
    let one = |code, message: &str, help: &str| vec![(code, message.to_owned(), help.to_owned())];
    assert_eq!(found("format = \"mp3\""), []);
    assert_eq!(found("format = \"mp3\"\nbit_rate_kbps = 192\nchannels = 1"), []);
    assert_eq!(found("format = \"mp3\"\nvbr_quality = 0"), []);
    assert_eq!(
        found("format = \"mp3\"\nbit_rate_kbps = 100"),
        one(
            "out-of-range",
            "`bit_rate_kbps` is 100",
            "mp3 has 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320"
        )
    );
    assert_eq!(
        found("format = \"mp3\"\nbit_rate_kbps = 192\nvbr_quality = 2"),
        one(
            "contradiction",
            "`bit_rate_kbps` and `vbr_quality` cannot be combined",
            "remove one of them"
        )
    );
    let codes = |export: &str| found(export).iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(found("format = \"mp3\"\nbit_rate_kbps = 192\nbit_rate_mode = \"average\""), []);
    assert_eq!(
        codes("format = \"mp3\"\nbit_rate_kbps = 100\nbit_rate_mode = \"average\""),
        ["out-of-range"]
    );
    assert_eq!(
        found("format = \"mp3\"\nbit_depth = 24"),
        one(
            "unsupported",
            "mp3 has no `bit_depth`",
            "remove it; `bit_rate_kbps` or `vbr_quality` sets the quality"
        )
    );
    assert_eq!(
        found("format = \"mp3\"\nchannels = 8"),
        one("unsupported", "mp3 cannot store 8 channels", "it stores at most 2")
    );
    assert_eq!(codes("format = \"mp3\"\nvbr_quality = 10"), ["out-of-range"]);
    assert_eq!(codes("format = \"mp3\"\nchannels = 6"), ["unsupported"]);
    assert_eq!(codes("format = \"mp3\"\nsample_rate_hz = 96000"), ["unsupported"]);
    assert_eq!(codes("format = \"mp3\"\nsample_rate_hz = 40000"), ["unsupported"]);
    assert_eq!(codes("format = \"mp3\"\ncompression_level = 5"), ["unsupported"]);
    assert_eq!(
        codes("format = \"mp3\"\nbit_depth = 16\nsample_format = \"int\"\ndither = \"none\""),
        ["unsupported"; 3]
    );
    assert_eq!(codes("format = \"flac\"\nbit_rate_kbps = 192"), ["unsupported"]);
    assert_eq!(codes("format = \"wav\"\nvbr_quality = 2"), ["unsupported"]);
}

/// The mistakes of a pipeline with these sections, each with its help.
fn mistakes_of(sections: &str) -> Vec<(&'static str, String, String)> {
    let text = format!("version = 1\n[pipeline]\nname = \"a\"\n{sections}path = \"{{stem}}.x\"\n");
    let all = mistakes(&text).into_iter();
    all.map(|one| (one.code, one.message, one.help.unwrap_or_default())).collect()
}

#[test]
fn opus_is_asked_for_rates_channels_and_bits_it_has() {
    let export = |keys: &str| mistakes_of(&format!("[[export]]\nformat = \"opus\"\n{keys}"));
    let one = |code, message: &str, help: &str| vec![(code, message.to_owned(), help.to_owned())];
    assert_eq!(export(""), []);
    assert_eq!(export("bit_rate_kbps = 96\nbit_rate_mode = \"constant\"\n"), []);
    assert_eq!(export("bit_rate_kbps = 96\nsample_rate_hz = 48000\nchannels = 8\n"), []);
    assert_eq!(
        export("sample_rate_hz = 44100\n"),
        one(
            "unsupported",
            "opus cannot store 44100 Hz",
            "use `sample_rate_hz = 48000`; it stores 8000, 12000, 16000, 24000, 48000 Hz"
        )
    );
    assert_eq!(
        export("bit_rate_kbps = 2047\nchannels = 9\n"),
        one("unsupported", "opus cannot store 9 channels", "it stores at most 8")
    );
    assert_eq!(
        export("vbr_quality = 5\n"),
        one("unsupported", "opus has no variable bit rate", "use `bit_rate_kbps`")
    );
    assert_eq!(
        export("bit_rate_mode = \"average\"\n"),
        one(
            "contradiction",
            "`bit_rate_mode` needs `bit_rate_kbps`",
            "add `bit_rate_kbps`, or remove `bit_rate_mode`"
        )
    );
}

#[test]
fn what_steps_make_is_held_against_the_format() {
    let step = "[[step]]\nuse = \"resample\"\nwith = { sample_rate_hz = 44100 }\n";
    let with =
        |export: &str| mistakes_of(&format!("{step}[[export]]\nformat = \"opus\"\n{export}"));
    assert_eq!(
        with(""),
        [(
            "unsupported",
            "opus cannot store 44100 Hz, the output of `resample`".to_owned(),
            "set `sample_rate_hz = 48000`".to_owned()
        )]
    );
    assert_eq!(with("sample_rate_hz = 48000\n"), []);
    assert_eq!(with("after = \"decode\"\n"), []);
    let remix = "[[step]]\nuse = \"remix\"\nwith = { channels = 12 }\n";
    let found = mistakes_of(&format!("{remix}[[export]]\nformat = \"opus\"\n"));
    assert_eq!(found[0].1, "opus cannot store 12 channels, the output of `remix`");
    assert_eq!(found[0].2, "it stores at most 8");
}

#[test]
fn extension_of_a_format_names_it_too() {
    let of = |word: &str| {
        let text = format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[[export]]\nformat = \"{word}\"\npath = \"{{stem}}.x\"\n"
        );
        let found = mistakes(&text).into_iter().next();
        found.map(|one| (one.message, one.help.unwrap_or_default()))
    };
    for word in ["ogg", "aif", "wave", "FLAC"] {
        assert_eq!(of(word), None, "{word}");
    }
    let (message, help) = of("oggs").unwrap();
    assert_eq!((message.as_str(), help.as_str()), ("unknown format `oggs`", "did you mean `ogg`?"));
}

/// Of the core that is at hand: building the workspace at once may have given it the feature.
#[test]
fn format_that_is_not_built_in_is_refused_with_the_way_to_build_it() {
    for (name, feature) in wavemill_core::encode::missing_formats() {
        let text = format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[[export]]\nformat = \"{name}\"\nbit_rate_kbps = 192\npath = \"{{stem}}.x\"\n"
        );
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        let expected = format!(
            "this program was built without `{name}`; build it with `--features {feature}`"
        );
        assert_eq!(found[0].message, expected);
        assert!(found[0].help.as_ref().unwrap().starts_with("this program writes aiff"));
    }
}

#[test]
fn syntax_errors_are_all_reported_without_echoes() {
    let text = "version = 1\n[pipeline\nname = \"a\"\nconcurrency = = 2\n[[export]]\nformat = \"waf\"\npath = \"x\"\n";
    let found = mistakes(text);
    let codes: Vec<_> = found.iter().map(|one| (one.code, one.line)).collect();
    assert_eq!(codes, [("syntax", 2), ("syntax", 4), ("unknown-format", 6)]);
}

#[test]
fn text_that_is_no_toml_at_all_gives_diagnostics_and_no_panic() {
    for text in ["", "\0", "= = =", "[[", "ä = [", "\u{feff}", "a.b.c.d = {{}"] {
        assert!(!mistakes(text).is_empty(), "{text:?}");
    }
}

#[test]
fn hash_changes_with_text_and_defaults() {
    let hash = |text: &str, defaults: &Defaults| {
        load(text, defaults, &Effects::default()).unwrap().pipeline.hash
    };
    let usual = hash(RIGHT, &Defaults::default());
    assert_eq!(usual, hash(RIGHT, &Defaults::default()));
    assert_ne!(usual, hash(&format!("{RIGHT}#"), &Defaults::default()));
    assert_ne!(usual, hash(RIGHT, &Defaults { normalize: false, ..Defaults::default() }));
}

#[test]
fn json_schema_knows_every_key_that_works() {
    let schema = json_schema(&Effects::default());
    let properties = &schema["properties"];
    assert!(properties["pipeline"]["properties"]["retry"]["properties"]["backoff"].is_object());
    let export = &properties["export"]["items"]["properties"];
    assert!(export["bit_rate_kbps"].is_object());
    assert_eq!(export["sample_rate_hz"]["maximum"], 655_350);
    let step = &properties["step"]["items"];
    for key in ["effect", "preset", "sha256", "max_memory_mib", "keep_length"] {
        assert!(step["properties"][key].is_object(), "{key}");
    }
    assert_eq!(step["oneOf"][1]["required"][0], "effect");
    let rule = schema["properties"]["step"]["items"]["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["if"]["properties"]["use"]["const"] == "gain")
        .unwrap();
    let gain = &rule["then"]["properties"]["with"]["properties"]["gain_db"];
    assert_eq!((gain["type"].as_str(), gain["minimum"].as_f64()), (Some("number"), Some(-96.0)));
}

#[test]
fn wrong_member_of_a_bound_is_one_mistake() {
    for bound in [
        "target = -23.0, tolerance = -1",
        "target = \"loud\", tolerance = 1",
        "target = -23.0, tolerence = 1",
    ] {
        let found = broken("target = -23.0, tolerance = 0.2", bound);
        assert_eq!(found.len(), 1, "{bound}: {found:?}");
    }
}

#[test]
fn damaged_sources_that_would_be_deleted_are_warned_of() {
    let text = |damaged: &str, action: &str| {
        format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[decode]\ndamaged = \"{damaged}\"\n[source]\non_success = \"{action}\"\n[[export]]\nformat = \"wav\"\npath = \"{{stem}}.wav\"\n"
        )
    };
    let codes = |damaged, action| {
        let found = mistakes(&text(damaged, action));
        found.into_iter().map(|one| (one.code, one.help.unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(codes("repair", "keep"), []);
    assert_eq!(codes("refuse", "delete"), []);
    assert_eq!(codes("repair", "delete")[0].0, "deletes-damaged");
    let (code, help) = &codes("fix", "keep")[0];
    assert_eq!(*code, "unknown-choice");
    assert!(help.contains("refuse") && help.contains("repair"), "{help}");
    let load = |damaged| load(&text(damaged, "keep"), &Defaults::default(), &Effects::default());
    assert_eq!(load("repair").unwrap().pipeline.damaged, Damaged::Repair);
    assert_eq!(load("refuse").unwrap().pipeline.damaged, Damaged::Refuse);
}

#[test]
fn wrong_types_are_reported_with_the_right_one() {
    let text = "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\nuse = \"loudness\"\nwith = { target_lufs = \"loud\" }\n[[export]]\nformat = \"wav\"\npath = 3\n";
    let found = mistakes(text);
    let helps: Vec<_> =
        found.iter().map(|one| (one.code, one.help.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        helps,
        [("wrong-type", "it must be a number"), ("wrong-type", "it must be a string")]
    );
}

#[test]
fn channels_mixed_after_a_ceiling_are_warned_of() {
    let codes = |steps: &str| {
        let text = format!(
            "version = 1\n[pipeline]\nname = \"a\"\n{steps}[[export]]\nformat = \"wav\"\nchannels = 2\npath = \"{{stem}}.wav\"\n"
        );
        let warnings = load(&text, &Defaults::default(), &Effects::default()).unwrap().warnings;
        warnings.iter().map(|warning| warning.code).collect::<Vec<_>>()
    };
    let loudness = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -16.0 }\n";
    let remix = "[[step]]\nuse = \"remix\"\nwith = { channels = 2 }\n";
    assert_eq!(codes(loudness), ["late-mix"]);
    assert_eq!(codes(&format!("{remix}{loudness}")), [""; 0]);
    assert_eq!(codes(""), [""; 0]);
}
