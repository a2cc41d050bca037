//! Who may know whom.

use crate::metadata::{Package, metadata, root};

/// What a member may depend on inside the workspace, tests included. A member that is not listed
/// fails: adding one is a decision.
const DIRECTION: &[(&str, &[&str])] = &[
    ("wavemill-audio", &[]),
    ("wavemill-codec", &["wavemill-audio"]),
    ("wavemill-dsp", &["wavemill-audio"]),
    ("wavemill-core", &["wavemill-audio", "wavemill-codec", "wavemill-dsp"]),
    ("wavemill-effect", &[]),
    ("effect-common", &["wavemill-effect"]),
    ("effect-compressor", &["effect-common", "wavemill-effect"]),
    ("effect-de-esser", &["effect-common", "wavemill-effect"]),
    ("effect-gate", &["effect-common", "wavemill-effect"]),
    ("effect-noise-reduction", &["effect-common", "wavemill-effect"]),
    ("effect-parametric-eq", &["wavemill-effect"]),
    ("effect-reverb", &["wavemill-effect"]),
    ("effect-saturator", &["effect-common", "wavemill-effect"]),
    ("wavemill-runtime", &["wavemill-core"]),
    ("wavemill-pipelines", &["wavemill-core", "wavemill-runtime"]),
    ("wavemill-platform", &["wavemill-pipelines"]),
    ("wavemill-watch", &["wavemill-core", "wavemill-pipelines"]),
    (
        "wavemill-store",
        &["wavemill-core", "wavemill-pipelines", "wavemill-platform", "wavemill-watch"],
    ),
    (
        "wavemill-api",
        &[
            "wavemill-core",
            "wavemill-pipelines",
            "wavemill-platform",
            "wavemill-store",
            "wavemill-watch",
        ],
    ),
    (
        "wavemill-http",
        &[
            "wavemill-api",
            "wavemill-core",
            "wavemill-pipelines",
            "wavemill-platform",
            "wavemill-rack",
            "wavemill-store",
        ],
    ),
    (
        "wavemill-daemon",
        &[
            "wavemill-api",
            "wavemill-core",
            "wavemill-http",
            "wavemill-pipelines",
            "wavemill-platform",
            "wavemill-runtime",
            "wavemill-store",
            "wavemill-watch",
        ],
    ),
    (
        "wavemill",
        &[
            "wavemill-api",
            "wavemill-core",
            "wavemill-daemon",
            "wavemill-http",
            "wavemill-pipelines",
            "wavemill-platform",
            "wavemill-rack",
            "wavemill-runtime",
            "wavemill-store",
            "wavemill-watch",
        ],
    ),
    (
        "wavemill-tests",
        &[
            "effect-compressor",
            "effect-de-esser",
            "effect-gate",
            "effect-noise-reduction",
            "effect-parametric-eq",
            "effect-reverb",
            "effect-saturator",
            "wavemill-core",
            "wavemill-effect",
            "wavemill-pipelines",
            "wavemill-rack",
            "wavemill-runtime",
            "wavemill-store",
            "wavemill-watch",
            "wavemill",
        ],
    ),
    ("wavemill-rack", &["wavemill-core", "wavemill-pipelines", "wavemill-runtime"]),
    (
        "wavemill-plugin",
        &["wavemill-core", "wavemill-pipelines", "wavemill-rack", "wavemill-runtime"],
    ),
    ("xtask", &[]),
];

/// A package, or all packages of a prefix, that only these members may name.
struct Wrapper {
    package: &'static str,
    only: &'static [&'static str],
    /// Whether every member's tests may use it, as an oracle.
    tests_may: bool,
}

#[rustfmt::skip]
const WRAPPERS: &[Wrapper] = &[
    Wrapper { package: "symphonia*", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "syom", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "lofty", only: &["wavemill-codec"], tests_may: true },
    Wrapper { package: "png", only: &["wavemill-dsp"], tests_may: true },
    Wrapper { package: "ttf-parser", only: &["wavemill-dsp"], tests_may: false },
    Wrapper { package: "fdk-aac*", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "mp3lame*", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "unsafe-libopus", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "vorbis_rs", only: &["wavemill-codec"], tests_may: false },
    Wrapper { package: "flac-codec", only: &[], tests_may: true },
    Wrapper { package: "rubato", only: &["wavemill-http"], tests_may: true },
    Wrapper { package: "realfft", only: &["wavemill-dsp", "wavemill-plugin"], tests_may: true },
    Wrapper { package: "rustfft", only: &["wavemill-dsp"], tests_may: true },
    Wrapper { package: "ebur128", only: &["wavemill-tests"], tests_may: true },
    Wrapper { package: "hound", only: &["wavemill-plugin", "wavemill-tests"], tests_may: true },
    Wrapper { package: "toml", only: &["wavemill-pipelines", "wavemill"], tests_may: false },
    Wrapper { package: "redb", only: &["wavemill-store"], tests_may: true },
    Wrapper { package: "notify*", only: &["wavemill-watch"], tests_may: false },
    Wrapper { package: "axum*", only: &["wavemill-api", "wavemill-http"], tests_may: false },
    Wrapper { package: "hyper*", only: &["wavemill-api", "wavemill-http"], tests_may: false },
    Wrapper { package: "tokio*", only: &["wavemill-api", "wavemill-http"], tests_may: false },
    Wrapper { package: "clap", only: &["wavemill"], tests_may: false },
    Wrapper { package: "clap_*", only: &["wavemill"], tests_may: false },
    Wrapper { package: "clap-sys", only: &["wavemill-plugin"], tests_may: false },
    Wrapper { package: "miette", only: &["wavemill"], tests_may: false },
    Wrapper { package: "tracing-subscriber", only: &["wavemill", "wavemill-plugin"], tests_may: false },
    Wrapper { package: "wasmtime*", only: &["wavemill-runtime"], tests_may: false },
    Wrapper { package: "wasm-encoder", only: &["wavemill-runtime"], tests_may: false },
    Wrapper { package: "wasmparser", only: &["wavemill-runtime"], tests_may: false },
    Wrapper { package: "landlock", only: &["wavemill-platform"], tests_may: false },
    Wrapper { package: "seccompiler", only: &["wavemill-platform"], tests_may: false },
    Wrapper { package: "cpal", only: &["wavemill"], tests_may: false },
    Wrapper { package: "nice-plug*", only: &["wavemill-plugin"], tests_may: false },
    Wrapper { package: "anyhow", only: &["xtask"], tests_may: false },
];

/// All that the packages of core may use. They are libraries of arithmetic: no runtime, no channel, no clock.
#[rustfmt::skip]
const CORE: &[(&str, &[&str])] = &[
    ("wavemill-audio", &["schemars", "serde", "strsim"]),
    ("wavemill-codec", &["wavemill-audio", "crc", "fdk-aac-sys", "lofty", "md5", "mp3lame-encoder", "parking_lot", "schemars", "serde", "symphonia", "syom", "thiserror", "unsafe-libopus", "vorbis_rs"]),
    ("wavemill-dsp", &["wavemill-audio", "png", "realfft", "rustfft", "schemars", "serde", "thiserror", "ttf-parser"]),
    ("wavemill-core", &["wavemill-audio", "wavemill-codec", "wavemill-dsp"]),
];

impl Wrapper {
    fn covers(&self, name: &str) -> bool {
        match self.package.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.package,
        }
    }
}

/// What is wrong with a member's dependencies.
fn violations(member: &Package) -> Vec<String> {
    let mut wrong = Vec::new();
    for dependency in &member.dependencies {
        let free = |wrapper: &Wrapper| {
            wrapper.only.contains(&member.name.as_str())
                || (wrapper.tests_may && dependency.is_for_tests())
        };
        let covering = WRAPPERS.iter().filter(|wrapper| wrapper.covers(&dependency.name));
        for wrapper in covering.filter(|wrapper| !free(wrapper)) {
            wrong.push(format!(
                "{} may not depend on {}: only {:?} may",
                member.name, dependency.name, wrapper.only
            ));
        }
    }
    wrong
}

#[test]
fn members_depend_only_in_the_fixed_direction() {
    let metadata = metadata();
    let names: Vec<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    for member in metadata.members() {
        let rule = DIRECTION.iter().find(|(name, _)| *name == member.name);
        let (_, allowed) = rule.unwrap_or_else(|| panic!("{} has no rule here", member.name));
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            let is_fine = !names.contains(&name) || allowed.contains(&name);
            assert!(is_fine, "{} may not depend on {name}", member.name);
        }
    }
}

#[test]
fn wrapped_packages_are_named_by_their_owners_only() {
    let wrong: Vec<String> = metadata().members().flat_map(violations).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn core_uses_only_what_is_listed() {
    for (name, allowed) in CORE {
        let package = metadata().members().find(|member| member.name == *name);
        let package = package.unwrap_or_else(|| panic!("{name} is a member"));
        for dependency in
            package.dependencies.iter().filter(|dependency| !dependency.is_for_tests())
        {
            let used = dependency.name.as_str();
            assert!(allowed.contains(&used), "{name} depends on {used}, which is not on its list");
        }
    }
}

#[test]
fn packages_come_from_the_registry_or_this_workspace() {
    let root = root().canonicalize().unwrap();
    for package in &metadata().packages {
        match &package.source {
            Some(source) => assert_eq!(
                source, "registry+https://github.com/rust-lang/crates.io-index",
                "{} {} comes from elsewhere",
                package.name, package.version
            ),
            None => assert!(
                package.manifest_path.canonicalize().unwrap().starts_with(&root),
                "{} lies outside the workspace",
                package.name
            ),
        }
    }
}

#[test]
fn members_follow_the_workspace_lints() {
    for member in metadata().members() {
        let manifest = std::fs::read_to_string(&member.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not say `[lints]` `workspace = true`",
            member.name
        );
    }
}

#[test]
fn wrapper_with_a_star_covers_a_family() {
    let family = Wrapper { package: "symphonia*", only: &[], tests_may: false };
    assert!(family.covers("symphonia") && family.covers("symphonia-core"));
    let single = Wrapper { package: "toml", only: &[], tests_may: false };
    assert!(single.covers("toml") && !single.covers("toml_edit"));
}
