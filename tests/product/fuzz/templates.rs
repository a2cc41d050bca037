//! Random templates with hostile values: no output leaves its folder, and every name can be one.

use crate::texts;
use std::path::{Component, Path, PathBuf};
use wavemill_core::tags::Tags;
use wavemill_core::units::{Dbtp, Lufs};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::Job;
use wavemill_pipelines::template::{Template, Values};
use wavemill_tests::fuzzing::run;
use wavemill_tests::signal::Random;

/// Templates of the test in the gate.
const COUNT: u64 = 20_000;

/// Longest name that a file system takes.
const NAME_BYTES_MAX: usize = 255;

/// Names that devices have on Windows, where a share may lead.
const RESERVED: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM1", "LPT1"];

fn corpus() -> Vec<String> {
    [
        "out/{stem}.{ext}",
        "{stem}",
        "/srv/{pipeline}/{reldir}/{name}",
        "{artist}/{album}/{track} {title}.{ext}",
        "a/{date:%Y/%m/%d}/{job_id}-{hash8}.{ext}",
        "{genre}/{year}/{lufs}_{true_peak}.{ext}",
        "{title}{title}{title}/x.{ext}",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// What strangers write into names and tags.
fn hostile(random: &mut Random) -> String {
    let corpus = [
        "../../etc/passwd",
        "a",
        "CON",
        "nul.wav",
        "",
        "..",
        ".",
        "x\u{202e}gpj.exe",
        "\u{e9}\u{301}",
    ];
    let mut text = texts::damaged(&corpus.map(str::to_owned), random);
    if random.below(8) == 0 {
        text = text.repeat(1 + random.index(300));
    }
    text
}

fn values(random: &mut Random) -> Values {
    // A name of the system has no slash and no zero; the rest may be anything.
    let name = |random: &mut Random| {
        let name: String = hostile(random).replace(['/', '\0'], "");
        let mut name: String = name.chars().take(60).collect();
        if name.is_empty() || name == "." || name == ".." {
            "x".clone_into(&mut name);
        }
        name
    };
    let reldir: PathBuf = (0..random.below(3)).map(|_| name(random)).collect();
    let job = Job {
        id: "1m2k8r0vd4qxa".to_owned(),
        attempt: 1,
        input: Path::new("/in").join(&reldir).join(name(random)),
        name: if random.below(4) == 0 { name(random).into() } else { PathBuf::new() },
        reldir,
        created: "2026-02-28T23:59:59.999+01:00[Europe/Berlin]".to_owned(),
        hash: "0123456789abcdef".repeat(4),
        group: None,
    };
    let text = |random: &mut Random| (random.below(3) > 0).then(|| hostile(random));
    let tags = Tags {
        title: text(random),
        artist: text(random),
        album: text(random),
        genre: text(random),
        ..Tags::default()
    };
    let values = Pipeline::named("podcast").values(&job).unwrap();
    let values = values.with_extension("flac").with_tags(&tags);
    let measured = random.below(2) > 0;
    values.with_measures(measured.then_some(Lufs(-16.04)), measured.then_some(Dbtp(-1.0)))
}

fn attempt(corpus: &[String], seed: u64) -> &'static str {
    let mut random = Random::new(seed);
    let text = texts::damaged(corpus, &mut random);
    let values = values(&mut random);
    if let Ok(template) = Template::parse_text(&text) {
        template.expand_text(&values);
    }
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a reason");
            for mistake in mistakes {
                let span = mistake.span.clone();
                assert!(text.get(span).is_some(), "{mistake:?} of {text:?}");
            }
            return "refused";
        }
    };
    let path = template.expand(&values);
    assert_eq!(path.is_absolute(), text.starts_with('/'), "{text:?} makes {}", path.display());
    // `.` is left out of paths.
    let is_kept = |component: &Component<'_>| *component != Component::CurDir;
    let folder: PathBuf = template.fixed_folder().components().filter(is_kept).collect();
    assert!(path.starts_with(&folder), "{text:?} makes {}", path.display());
    let mut names = 0;
    for component in path.components() {
        match component {
            Component::RootDir => {}
            Component::Normal(name) => {
                is_name(&name.to_string_lossy(), &text);
                names += 1;
            }
            other => panic!("{text:?} makes {} with {other:?}", path.display()),
        }
    }
    assert!(names > 0, "{text:?} makes {}", path.display());
    "expanded"
}

fn is_name(name: &str, text: &str) {
    assert!(name.len() <= NAME_BYTES_MAX, "{} bytes by {text:?}", name.len());
    assert!(!name.contains(char::is_control), "{name:?} by {text:?}");
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    // What the user wrote is the user's; only what was put in is ours.
    if !text.contains(stem) {
        let is_reserved = RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(stem));
        assert!(!is_reserved, "{name:?} by {text:?}");
    }
}

#[test]
fn expanded_templates_stay_below_their_folder() {
    let counts = run("templates", COUNT, || {
        let corpus = corpus();
        move |seed| attempt(&corpus, seed)
    });
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for came in ["refused", "expanded"] {
            let share = counts.get(came).copied().unwrap_or(0) * 100 / total;
            assert!(share >= 10, "only {share} % of {total} came to `{came}`: {counts:?}");
        }
    }
}
