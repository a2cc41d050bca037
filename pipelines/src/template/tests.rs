use super::*;
use crate::job::Job;
use wavemill_core::tags::Tags;
use wavemill_core::units::{Dbtp, Lufs};

fn values(input: &str, tags: &Tags) -> Values {
    values_in(input, tags, None)
}

fn values_in(input: &str, tags: &Tags, timezone: Option<&str>) -> Values {
    let mut pipeline = crate::model::Pipeline::named("podcast");
    pipeline.timezone = timezone.map(str::to_owned);
    let job = Job {
        id: "job-7".to_owned(),
        attempt: 1,
        input: input.into(),
        name: PathBuf::new(),
        reldir: "shows/2026".into(),
        created: "2026-03-31T23:30:00+02:00[Europe/Berlin]".to_owned(),
        hash: "0123456789abcdef".repeat(4),
        group: None,
    };
    pipeline
        .values(&job)
        .unwrap()
        .with_extension("flac")
        .with_tags(tags)
        .with_measures(Some(Lufs(-18.34)), Some(Dbtp(-1.25)))
}

fn expand(template: &str, values: &Values) -> String {
    Template::parse(template).unwrap().expand(values).to_str().unwrap().to_owned()
}

#[test]
fn every_placeholder_has_its_value() {
    let tags = Tags {
        title: Some("Night".to_owned()),
        artist: Some("Ann".to_owned()),
        album: Some("Days".to_owned()),
        genre: Some("Talk".to_owned()),
        year: Some(2026),
        track: Some(3),
        ..Tags::default()
    };
    let values = values("/in/shows/2026/talk.one.wav", &tags);
    let expected = [
        ("stem", "talk.one"),
        ("name", "talk.one.wav"),
        ("ext", "flac"),
        ("reldir", "shows/2026"),
        ("date", "2026-03-31"),
        ("job_id", "job-7"),
        ("hash8", "01234567"),
        ("pipeline", "podcast"),
        ("title", "Night"),
        ("artist", "Ann"),
        ("album", "Days"),
        ("genre", "Talk"),
        ("year", "2026"),
        ("track", "03"),
        ("lufs", "-18.3"),
        ("true_peak", "-1.2"),
    ];
    assert_eq!(expected.map(|(name, _)| name).as_slice(), {
        PLACEHOLDERS.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    });
    for (name, value) in expected {
        assert_eq!(expand(&format!("{{{name}}}"), &values), value);
    }
}

#[test]
fn date_format_makes_folders() {
    let values = values("/in/a.wav", &Tags::default());
    assert_eq!(expand("out/{date:%Y/%m/%d}/{stem}.{ext}", &values), "out/2026/03/31/a.flac");
}

#[test]
fn date_is_that_of_the_pipelines_zone() {
    let values = values_in("/in/a.wav", &Tags::default(), Some("Asia/Tokyo"));
    assert_eq!(expand("{date}", &values), "2026-04-01");
}

#[test]
fn hostile_tags_stay_one_component_below_the_base() {
    let hostile = [
        "../../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "a/../../b",
        "\\..\\x",
        "\n\0\r",
        ".ssh",
        "   ",
        "\u{202e}",
        "con",
        &"ä".repeat(400),
        &"../".repeat(100),
    ];
    for title in hostile {
        let tags = Tags { title: Some(title.to_owned()), ..Tags::default() };
        let values = values("/in/a.wav", &tags);
        for template in ["out/{title}.{ext}", "out/{title}", "out/.{title}", "out/x{title}"] {
            let path = Template::parse(template).unwrap().expand(&values);
            let components: Vec<_> = path.components().collect();
            assert_eq!(components.len(), 2, "{title:?} in {template} gives {}", path.display());
            assert!(components.iter().all(|component| {
                matches!(component, std::path::Component::Normal(name) if name.len() <= 255)
            }));
        }
    }
}

#[test]
fn parts_that_make_a_reserved_name_together_do_not() {
    let tags = Tags { title: Some("n".to_owned()), ..Tags::default() };
    let mut values = values("/in/a.wav", &tags);
    assert_eq!(expand("co{title}.wav", &values), "_con.wav");
    values.reldir = Vec::new();
    assert_eq!(expand("nu{reldir}l/lpt1{reldir}", &values), "_nul/_lpt1");
    // What the user wrote is the user's.
    assert_eq!(expand("aux/{title}.wav", &values), "aux/n.wav");
}

#[test]
fn empty_reldir_leaves_no_empty_folder() {
    let mut values = values("/in/a.wav", &Tags::default());
    values.reldir.clear();
    assert_eq!(expand("archive/{reldir}/{stem}.{ext}", &values), "archive/a.flac");
    let folder = |text: &str, values: &Values| {
        Template::parse(text).unwrap().expand_folder(values).display().to_string()
    };
    assert_eq!(folder("done/{reldir}", &values), "done");
    assert_eq!(folder("/done/x/{reldir}", &values), "/done/x");
    assert_eq!(folder("done/{stem}", &values), "done/a");
    assert_eq!(folder("{reldir}", &values), "unknown", "never the folder of everything");
    values.reldir = vec![b"b".to_vec(), b"c".to_vec()];
    assert_eq!(folder("done/{reldir}", &values), "done/b/c");
}

#[cfg(unix)]
#[test]
fn stem_that_is_no_utf_8_is_kept() {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let input = std::ffi::OsString::from_vec(b"/in/caf\xe9.wav".to_vec());
    let pipeline = crate::model::Pipeline::named("p");
    let job = Job {
        id: String::new(),
        attempt: 1,
        input: input.into(),
        name: PathBuf::new(),
        reldir: std::path::PathBuf::new(),
        created: "2026-03-31T23:30:00Z".to_owned(),
        hash: String::new(),
        group: None,
    };
    let values = pipeline.values(&job).unwrap();
    let path = Template::parse("{stem}.wav").unwrap().expand(&values);
    assert_eq!(path.as_os_str().as_bytes(), b"caf\xe9.wav");
}

#[test]
fn mistakes_are_all_found_with_their_places() {
    let text = "{stemm}/{date:%&}/{stem:x}/../{";
    let errors = Template::parse(text).unwrap_err();
    let found: Vec<_> =
        errors.iter().map(|error| (error.code, &text[error.span.clone()])).collect();
    assert_eq!(
        found,
        [
            ("unknown-placeholder", "{stemm}"),
            ("bad-date-format", "{date:%&}"),
            ("unknown-placeholder", "{stem:x}"),
            ("bad-template", "{"),
            ("bad-template", text),
            ("bad-template", text),
        ]
    );
}

#[test]
fn braces_are_doubled_to_be_meant() {
    let values = values("/in/a.wav", &Tags::default());
    assert_eq!(expand("{{{stem}}}.x", &values), "{a}.x");
}

#[test]
fn names_of_dots_alone_are_refused() {
    for text in ["..../out/{stem}", "out/...", "{stem}/.../a"] {
        let errors = Template::parse(text).unwrap_err();
        assert!(
            errors.iter().any(|error| error.message.contains("is not a valid name")),
            "{text}: {errors:?}"
        );
    }
    assert!(Template::parse("out/...{stem}").is_ok());
}

#[test]
fn fixed_folder_ends_before_the_first_placeholder() {
    let folder = |text: &str| Template::parse(text).unwrap().fixed_folder();
    assert_eq!(folder("out/a{stem}/x"), PathBuf::from("out/"));
    assert_eq!(folder("{stem}"), PathBuf::from(""));
    assert_eq!(folder("/srv/x.wav"), PathBuf::from("/srv/"));
    let part = |text: &str| Template::parse(text).unwrap().fixed_part_of_folder();
    assert_eq!(part("done/all"), PathBuf::from("done/all"));
    assert_eq!(part("done/all/{reldir}"), PathBuf::from("done/all/"));
}
