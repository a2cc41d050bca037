//! `wavemill effects new`: the start of an effect of one's own, which builds and passes `effects
//! check` as it is.

use super::super::{CliError, Context, Exit, Run};
use super::template::{Language, Template};
use crate::report::{JSON_VERSION, shown};
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Create the sources of a new effect, with a build file and the kit
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// Name of the effect: letters a-z, digits and `-`
    name: String,

    /// Language to write it in
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "rust")]
    language: Language,

    /// Folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

impl Run for New {
    const NAME: &'static str = "new";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        check_name(&self.name)?;
        let folder = self.path.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let template = Template::of(self.language, &self.name);
        make_folder(&folder)?;
        for (path, text) in &template.files {
            write(&folder.join(path), text)?;
        }
        if context.is_json() {
            let files: Vec<_> = template.files.iter().map(|(path, _)| path.as_str()).collect();
            context.document(&json!({
                "version": JSON_VERSION,
                "path": shown(&folder),
                "language": self.language.name(),
                "module": template.module,
                "files": files,
            }))?;
        } else {
            context.lines([format!("{}: {}", shown(&folder), self.language.what())])?;
            let steps = template.steps.join("\n    ");
            let folder = shown(&folder);
            context.report.note(&format!("\nNext:\n\n    cd {folder}\n    {steps}"));
        }
        Ok(Exit::Done)
    }
}

/// Longest name: with `com.example.` before it, an id of the contract has 64 characters.
const NAME_LENGTH_MAX: usize = 48;

/// Names that would not do as the name of a Rust package: the language's own words and libraries.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "wavemill-effect",
    "where",
    "while",
    "yield",
];

fn check_name(name: &str) -> Result<(), CliError> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_fine = name.len() <= NAME_LENGTH_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| is_word(c) || c == '-')
        && !name.ends_with('-');
    if !is_fine {
        return Err(CliError::usage(format!(
            "`{name}` is not a valid name for an effect: a letter a-z, then letters, digits and \
            `-`, at most {NAME_LENGTH_MAX}"
        )));
    }
    if RESERVED.contains(&name) {
        return Err(CliError::usage(format!(
            "`{name}` is a reserved word in Rust; choose another name"
        )));
    }
    Ok(())
}

/// Makes the folder; one that is there must be empty.
fn make_folder(folder: &Path) -> Result<(), CliError> {
    match std::fs::create_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(CliError::failed(format!("{}: a file of this name exists", shown(folder))));
        }
        Err(error) => return Err(CliError::path(folder, error)),
    }
    let mut entries = std::fs::read_dir(folder).map_err(|error| CliError::path(folder, error))?;
    if entries.next().is_some() {
        return Err(CliError::failed(format!(
            "{}: the folder is not empty; choose another one with --path",
            shown(folder)
        )));
    }
    Ok(())
}

/// Writes a file that must not exist.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::path(path, error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_language_takes_are_refused() {
        for name in ["", "Echo", "1st", "a_b", "a-", "-a", "a b", "fn", "std", "ä", "a/b", ".."] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(&"a".repeat(NAME_LENGTH_MAX + 1)).is_err());
        for name in ["a", "echo", "tape-echo-2"] {
            check_name(name).unwrap();
        }
    }

    #[test]
    fn folder_that_is_not_empty_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        make_folder(folder.path()).unwrap();
        File::create_new(folder.path().join("mine")).unwrap();
        let error = make_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
        let error = make_folder(&folder.path().join("mine")).unwrap_err().to_string();
        assert!(error.contains("a file of this name exists"), "{error}");
    }
}
