//! `[[hook]]` of the configuration file.

use std::path::Path;
use toml::Spanned;
use wavemill_daemon::hooks::{Hook, Secret, Target, is_url};
use wavemill_pipelines::reader::{Key, Kind, Sink, Values};
use wavemill_store::Occasion;

/// What a hook can be notified of, by name.
const OCCASIONS: [&str; Occasion::ALL.len()] = {
    let mut names = [""; Occasion::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Occasion::ALL[index].0;
        index += 1;
    }
    names
};

pub(super) const KEYS: &[Key] = &[
    Key::required(
        "name",
        Kind::Text,
        "a word of letters, digits, - and _, which no other hook has",
    ),
    Key::required("on", Kind::Words(&OCCASIONS), "a list of what it is notified of"),
    Key::optional("pipelines", Kind::Texts, "Names of the pipelines; without it all."),
    Key::optional("url", Kind::Text, "An address, as \"https://example.com/wavemill\"."),
    Key::optional(
        "secret_file",
        Kind::Text,
        "A file with the secret that requests are signed with.",
    ),
    Key::optional(
        "command",
        Kind::Texts,
        "A program and its arguments, as [\"/usr/local/bin/notify\", \"-v\"].",
    ),
];

/// Largest file with a secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Longest name.
const NAME_CHARS_MAX: usize = 64;

/// The hooks that are right.
pub(super) fn read(sink: &mut Sink<'_>, sections: &[Values<'_>], folder: &Path) -> Vec<Hook> {
    let mut hooks: Vec<Hook> = Vec::new();
    for section in sections {
        let Some(hook) = read_one(sink, section, folder) else { continue };
        if hooks.iter().any(|other| other.name == hook.name) {
            let message = format!("two hooks are named `{}`", hook.name);
            sink.error("name-taken", section.span.clone(), message)
                .help("give one of them another name: it identifies what a hook was notified of");
        }
        hooks.push(hook);
    }
    hooks
}

fn read_one(sink: &mut Sink<'_>, values: &Values<'_>, folder: &Path) -> Option<Hook> {
    let name = values.text("name").and_then(|name| {
        let help = format!("use up to {NAME_CHARS_MAX} letters, digits, - and _");
        fitting(sink, "name", name, is_name, &help)
    });
    let url = values.text("url").and_then(|url| {
        fitting(sink, "url", url, is_url, "write an address, as \"https://example.com/wavemill\"")
    });
    let target = read_target(sink, values, url, folder);
    let on = values.words("on")?.into_inner();
    let on =
        on.into_iter().filter_map(|name| Occasion::ALL.iter().find(|(known, _)| *known == name));
    Some(Hook {
        name: name?,
        on: on.map(|(_, occasion)| *occasion).collect(),
        pipelines: texts(values, "pipelines").unwrap_or_default(),
        target: target?,
    })
}

fn read_target(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    url: Option<String>,
    folder: &Path,
) -> Option<Target> {
    let secret_file = values.text("secret_file");
    let (message, help) = match (values.written("url"), values.written("command")) {
        (Some(_), None) => {
            // Without a secret that was asked for, nothing is sent.
            let secret = match secret_file {
                Some(path) => Some(secret(sink, &path, folder)?),
                None => None,
            };
            return Some(Target::Webhook { url: url?, secret });
        }
        (None, Some(_)) if secret_file.is_none() => {
            return Some(Target::Command(texts(values, "command")?));
        }
        (None, Some(_)) => ("`secret_file` signs requests, not commands", "leave it out"),
        (Some(_), Some(_)) => ("a hook with both `url` and `command`", "leave one of them out"),
        (None, None) => ("a hook without `url` and `command`", "add one of them"),
    };
    sink.error("missing-key", values.span.clone(), message).help(help);
    None
}

/// A text, if it is as it must be.
fn fitting(
    sink: &mut Sink<'_>,
    key: &str,
    text: Spanned<String>,
    is_fine: fn(&str) -> bool,
    help: &str,
) -> Option<String> {
    if is_fine(text.get_ref()) {
        return Some(text.into_inner());
    }
    let message = format!("`{key}` is \"{}\"", text.get_ref());
    sink.error("bad-value", text.span(), message).help(help);
    None
}

fn texts(values: &Values<'_>, key: &str) -> Option<Vec<String>> {
    let texts = values.texts(key)?.into_inner();
    Some(texts.into_iter().map(Spanned::into_inner).collect())
}

fn secret(sink: &mut Sink<'_>, path: &Spanned<String>, folder: &Path) -> Option<Secret> {
    let span = path.span();
    let path = folder.join(path.get_ref());
    let read = || {
        if std::fs::metadata(&path)?.len() > SECRET_BYTES_MAX {
            return Err(std::io::Error::other("is too large for a secret"));
        }
        std::fs::read_to_string(&path)
    };
    let secret = read().map_err(|error| error.to_string()).and_then(|text| Secret::parse(&text));
    match secret {
        Ok(secret) => Some(secret),
        Err(reason) => {
            sink.error("bad-value", span, format!("{}: {reason}", path.display()))
                .help("name a file with the secret alone");
            None
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::super::ConfigFile;
    use super::*;
    use std::io::Write;
    use std::path::Path;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = ConfigFile::parse(text, Path::new("/nowhere")).unwrap_err();
        mistakes
            .into_iter()
            .map(|mistake| format!("{}: {}", mistake.code, mistake.message))
            .collect()
    }

    #[test]
    fn hooks_with_every_key_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::File::create(secret).unwrap().write_all(b"whsec_YWJj\n").unwrap();
        let text = "[[hook]]\nname = \"chat\"\non = [\"failed\", \"batch-done\"]\n\
                    url = \"https://example.com/a?b=c\"\nsecret_file = \"secret\"\n\
                    pipelines = [\"podcast\"]\n\
                    [[hook]]\nname = \"desk\"\non = [\"done\"]\ncommand = [\"notify\", \"-v\"]\n";
        let hooks = ConfigFile::parse(text, folder.path()).unwrap().hooks;
        let chat = Hook {
            name: "chat".to_owned(),
            on: vec![Occasion::Failed, Occasion::BatchDone],
            pipelines: vec!["podcast".to_owned()],
            target: Target::Webhook {
                url: "https://example.com/a?b=c".to_owned(),
                secret: Some(Secret::parse("abc").unwrap()),
            },
        };
        assert_eq!(hooks[0], chat);
        assert_eq!(hooks[1].target, Target::Command(vec!["notify".to_owned(), "-v".to_owned()]));
    }

    #[test]
    fn hook_that_lacks_something_is_a_mistake_that_names_it() {
        let cases = [
            ("on = [\"done\"]\ncommand = [\"x\"]", "missing-key: [[hook]] has no `name`"),
            ("name = \"a\"\ncommand = [\"x\"]", "missing-key: [[hook]] has no `on`"),
            ("name = \"a\"\non = [\"done\"]", "missing-key: a hook without `url` and `command`"),
            (
                "name = \"a\"\non = [\"done\"]\nurl = \"http://a\"\ncommand = [\"x\"]",
                "missing-key: a hook with both `url` and `command`",
            ),
        ];
        for (hook, expected) in cases {
            assert_eq!(mistakes(&format!("[[hook]]\n{hook}\n")), [expected]);
        }
    }

    #[test]
    fn hook_with_a_bad_value_is_a_mistake_that_names_the_key() {
        const REST: &str = "name = \"a\"\non = [\"done\"]\ncommand = [\"x\"]\n";
        let cases = [
            ("name = \"a\"", "name = \"a b\"", "`name`"),
            ("[\"done\"]", "[\"finished\"]", "`on`"),
            ("[\"done\"]", "[]", "`on`"),
            ("command = [\"x\"]", "url = \"example.com\"", "`url`"),
            ("command = [\"x\"]", "url = \"ftp://example.com\"", "`url`"),
            ("command = [\"x\"]", "command = 3", "`command`"),
            (
                "command = [\"x\"]",
                "url = \"http://a\"\nsecret_file = \"missing\"",
                "/nowhere/missing",
            ),
            ("on = ", "pipelin = [\"x\"]\non = ", "unknown key `pipelin`"),
        ];
        for (right, wrong, expected) in cases {
            let found = mistakes(&format!("[[hook]]\n{}", REST.replace(right, wrong)));
            assert!(found.len() == 1 && found[0].contains(expected), "{wrong}: {found:?}");
        }
        assert_eq!(mistakes("hook = 3\n").len(), 1);
    }

    #[test]
    fn two_hooks_of_one_name_are_a_mistake() {
        let hook = "[[hook]]\nname = \"a\"\non = [\"done\"]\ncommand = [\"x\"]\n";
        assert_eq!(mistakes(&format!("{hook}{hook}")), ["name-taken: two hooks are named `a`"]);
    }
}
