//! What `effects new` writes: the examples of this repository under another name, and for Rust the
//! kit, which is in no registry.

/// Languages with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// With the kit beside it
    Rust,
    /// With the contract's header beside it
    C,
}

impl Language {
    /// As it is typed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
        }
    }

    /// What the template is, in a few words.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Rust => "a tilt equalizer in Rust, with its tests",
            Self::C => "a tremolo in C",
        }
    }
}

/// A project.
#[derive(Debug)]
pub(super) struct Template {
    /// Path below the project's folder, and text.
    pub(super) files: Vec<(String, String)>,
    /// The module it builds, below the project's folder.
    pub(super) module: String,
    /// What to type next.
    pub(super) steps: Vec<String>,
}

impl Template {
    /// The template of a language for an effect of this name.
    pub(super) fn of(language: Language, name: &str) -> Self {
        match language {
            Language::Rust => rust(name),
            Language::C => c(name),
        }
    }
}

/// A file of an example, and what is written differently in it: text that must be there, and what
/// replaces every occurrence, with `{name}`, `{file}` (the name as Rust writes it in files, `_` for
/// `-`) and `{title}`.
struct Example {
    path: &'static str,
    text: &'static str,
    changes: &'static [(&'static str, &'static str)],
}

impl Example {
    fn file(&self, name: &str) -> (String, String) {
        let text = self.changes.iter().fold(self.text.to_owned(), |text, (from, to)| {
            debug_assert!(text.contains(from), "{}: no `{from}`", self.path);
            let to = to.replace("{name}", name).replace("{title}", &title(name));
            text.replace(from, &to.replace("{file}", &name.replace('-', "_")))
        });
        (self.path.to_owned(), text)
    }
}

const RUST: &[Example] = &[
    Example {
        path: "Cargo.toml",
        text: include_str!("../../../../../effects/examples/rust/Cargo.toml"),
        changes: &[("\"tilt\"", "\"{name}\""), ("../../sdk", "wavemill-effect")],
    },
    Example {
        path: "src/lib.rs",
        text: include_str!("../../../../../effects/examples/rust/src/lib.rs"),
        changes: &[("\"com.example.tilt\", \"Tilt\"", "\"com.example.{name}\", \"{title}\"")],
    },
    Example {
        path: "examples/speed.rs",
        text: include_str!("../../../../../effects/examples/rust/examples/speed.rs"),
        changes: &[("use tilt::", "use {file}::")],
    },
    Example {
        path: ".cargo/config.toml",
        text: include_str!("../../../../../effects/examples/rust/.cargo/config.toml"),
        changes: &[("/tilt.wasm", "/{file}.wasm")],
    },
    Example {
        path: "README.md",
        text: include_str!("../../../../../effects/examples/rust/README.md"),
        changes: &[
            ("# tilt\n", "# {name}\n"),
            ("com.example.tilt", "com.example.{name}"),
            ("tilt.wasm", "{file}.wasm"),
        ],
    },
];

const C: &[Example] = &[
    Example {
        path: "effect.c",
        text: include_str!("../../../../../effects/examples/c/effect.c"),
        changes: &[(
            "\\\"com.example.tremolo\\\", \\\"name\\\": \\\"Tremolo\\\"",
            "\\\"com.example.{name}\\\", \\\"name\\\": \\\"{title}\\\"",
        )],
    },
    Example {
        path: "wavemill_effect.h",
        text: include_str!("../../../../../effects/include/wavemill_effect.h"),
        changes: &[],
    },
    Example {
        path: "Makefile",
        text: include_str!("../../../../../effects/examples/c/Makefile"),
        changes: &[("= tremolo\n", "= {name}\n"), ("= ../../include\n", "= .\n")],
    },
    Example {
        path: "README.md",
        text: include_str!("../../../../../effects/examples/c/README.md"),
        changes: &[
            ("# tremolo\n", "# {name}\n"),
            ("com.example.tremolo", "com.example.{name}"),
            ("tremolo.wasm", "{name}.wasm"),
        ],
    },
    Example {
        path: ".clang-format",
        text: include_str!("../../../../../effects/examples/c/.clang-format"),
        changes: &[],
    },
];

/// The kit's sources, below `wavemill-effect/`. A test holds this list complete.
#[rustfmt::skip]
const KIT: &[(&str, &str)] = &[
    ("src/block.rs", include_str!("../../../../../effects/sdk/src/block.rs")),
    ("src/description.rs", include_str!("../../../../../effects/sdk/src/description.rs")),
    ("src/effect.rs", include_str!("../../../../../effects/sdk/src/effect.rs")),
    ("src/export.rs", include_str!("../../../../../effects/sdk/src/export.rs")),
    ("src/instance.rs", include_str!("../../../../../effects/sdk/src/instance.rs")),
    ("src/json.rs", include_str!("../../../../../effects/sdk/src/json.rs")),
    ("src/lanes.rs", include_str!("../../../../../effects/sdk/src/lanes.rs")),
    ("src/lanes/arrays.rs", include_str!("../../../../../effects/sdk/src/lanes/arrays.rs")),
    ("src/lanes/sse.rs", include_str!("../../../../../effects/sdk/src/lanes/sse.rs")),
    ("src/lanes/wasm.rs", include_str!("../../../../../effects/sdk/src/lanes/wasm.rs")),
    ("src/lib.rs", include_str!("../../../../../effects/sdk/src/lib.rs")),
    ("src/log.rs", include_str!("../../../../../effects/sdk/src/log.rs")),
    ("src/math/double.rs", include_str!("../../../../../effects/sdk/src/math/double.rs")),
    ("src/math/exponential.rs", include_str!("../../../../../effects/sdk/src/math/exponential.rs")),
    ("src/math/hyperbolic.rs", include_str!("../../../../../effects/sdk/src/math/hyperbolic.rs")),
    ("src/math/logarithm.rs", include_str!("../../../../../effects/sdk/src/math/logarithm.rs")),
    ("src/math/mod.rs", include_str!("../../../../../effects/sdk/src/math/mod.rs")),
    ("src/math/power.rs", include_str!("../../../../../effects/sdk/src/math/power.rs")),
    ("src/math/root.rs", include_str!("../../../../../effects/sdk/src/math/root.rs")),
    ("src/math/trigonometric.rs", include_str!("../../../../../effects/sdk/src/math/trigonometric.rs")),
    ("src/testing/description.rs", include_str!("../../../../../effects/sdk/src/testing/description.rs")),
    ("src/testing/mod.rs", include_str!("../../../../../effects/sdk/src/testing/mod.rs")),
    ("src/testing/properties.rs", include_str!("../../../../../effects/sdk/src/testing/properties.rs")),
    ("src/testing/render.rs", include_str!("../../../../../effects/sdk/src/testing/render.rs")),
    ("src/testing/rig.rs", include_str!("../../../../../effects/sdk/src/testing/rig.rs")),
    ("src/testing/signal.rs", include_str!("../../../../../effects/sdk/src/testing/signal.rs")),
    ("src/testing/speed.rs", include_str!("../../../../../effects/sdk/src/testing/speed.rs")),
    ("src/validity.rs", include_str!("../../../../../effects/sdk/src/validity.rs")),
    ("src/wasm.rs", include_str!("../../../../../effects/sdk/src/wasm.rs")),
    ("LICENSE-APACHE", include_str!("../../../../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../../../../LICENSE-MIT")),
];

/// The kit's manifest, outside its workspace.
const KIT_MANIFEST: &str = concat!(
    "# The kit for effects of Wavemill ",
    env!("CARGO_PKG_VERSION"),
    ", as `wavemill effects new` wrote it.\n",
    "[package]\n",
    "name = \"wavemill-effect\"\n",
    "version = \"",
    env!("CARGO_PKG_VERSION"),
    "\"\n",
    "edition = \"2024\"\n",
    "rust-version = \"1.95\"\n",
    "license = \"MIT OR Apache-2.0\"\n",
    "publish = false\n",
);

fn rust(name: &str) -> Template {
    let mut files: Vec<_> = RUST.iter().map(|example| example.file(name)).collect();
    files.push((".gitignore".to_owned(), "/target\n".to_owned()));
    files.push(("wavemill-effect/Cargo.toml".to_owned(), KIT_MANIFEST.to_owned()));
    let kit =
        KIT.iter().map(|(path, text)| (format!("wavemill-effect/{path}"), (*text).to_owned()));
    files.extend(kit);
    let module = format!("target/wasm32-unknown-unknown/release/{}.wasm", name.replace('-', "_"));
    let steps = vec![
        "cargo test".to_owned(),
        "cargo wasm    # once before: rustup target add wasm32-unknown-unknown".to_owned(),
        format!("wavemill effects check {module}"),
    ];
    Template { files, module, steps }
}

fn c(name: &str) -> Template {
    let mut files: Vec<_> = C.iter().map(|example| example.file(name)).collect();
    files.push((".gitignore".to_owned(), format!("/{name}.wasm\n")));
    let module = format!("{name}.wasm");
    let steps = vec![
        "make          # with clang and lld; or: make COMPILER=zig".to_owned(),
        format!("wavemill effects check {module}"),
    ];
    Template { files, module, steps }
}

/// `tape-echo` as people write it: `Tape Echo`.
fn title(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        })
    });
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn text<'a>(template: &'a Template, path: &str) -> &'a str {
        let file = template.files.iter().find(|(name, _)| name == path);
        &file.unwrap_or_else(|| panic!("no {path}")).1
    }

    #[test]
    fn rust_template_has_the_name_where_it_belongs() {
        let template = Template::of(Language::Rust, "tape-echo");
        assert!(text(&template, "Cargo.toml").contains("name = \"tape-echo\""));
        assert!(text(&template, "Cargo.toml").contains("path = \"wavemill-effect\""));
        assert!(
            text(&template, "src/lib.rs").contains("(\"com.example.tape-echo\", \"Tape Echo\",")
        );
        assert!(text(&template, ".cargo/config.toml").contains("/tape_echo.wasm"));
        assert!(text(&template, "README.md").starts_with("# tape-echo\n"));
        assert!(text(&template, "README.md").contains("effect = \"tape_echo.wasm\""));
        assert_eq!(template.module, "target/wasm32-unknown-unknown/release/tape_echo.wasm");
    }

    #[test]
    fn c_template_has_the_name_where_it_belongs() {
        let template = Template::of(Language::C, "tape-echo");
        let source = text(&template, "effect.c");
        assert!(source.contains("\\\"com.example.tape-echo\\\", \\\"name\\\": \\\"Tape Echo\\\""));
        assert!(text(&template, "Makefile").contains("NAME = tape-echo\n"));
        assert!(text(&template, "Makefile").contains("INCLUDE = .\n"));
        assert!(
            text(&template, "README.md")
                .contains("make check              # wavemill effects check tape-echo.wasm")
        );
    }

    #[test]
    fn templates_have_no_placeholder_left() {
        for language in [Language::Rust, Language::C] {
            for (path, text) in Template::of(language, "tape-echo").files {
                for placeholder in ["{title}", "{file}"] {
                    assert!(!text.contains(placeholder), "{path} has {placeholder}");
                }
                assert!(!text.contains("tilt.wasm") && !text.contains("tremolo.wasm"), "{path}");
            }
        }
    }

    #[test]
    fn kit_is_complete_and_in_order() {
        let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../effects/sdk");
        let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from("src")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(kit.join(&folder)).unwrap() {
                let path = folder.join(entry.unwrap().file_name());
                if kit.join(&path).is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        let listed: Vec<_> =
            KIT.iter().map(|(path, _)| *path).filter(|path| path.starts_with("src/")).collect();
        assert_eq!(listed, found);
    }
}
