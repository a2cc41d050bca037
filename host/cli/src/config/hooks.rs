//! `[[hook]]` of the configuration file.

use super::Reader;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wavemill_daemon::hooks::{Hook, Secret, Target, is_url};
use wavemill_store::Occasion;

/// Keys and what they take.
const KEYS: &[(&str, &str)] = &[
    ("name", "a word of letters, digits, - and _, which no other hook has"),
    ("on", "a list of done, failed, rejected, skipped, canceled, batch-done"),
    ("pipelines", "a list of names of pipelines"),
    ("url", "an address, as \"https://example.com/wavemill\""),
    ("secret_file", "a file with the secret that requests are signed with"),
    ("command", "a list of a program and its arguments, as [\"/usr/local/bin/tell\"]"),
];

/// Largest file with a secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Longest name.
const NAME_CHARS_MAX: usize = 64;

/// What a table says, as far as it makes sense.
#[derive(Default)]
struct Found {
    name: Option<String>,
    on: Option<Vec<Occasion>>,
    pipelines: Vec<String>,
    url: Option<String>,
    secret: Option<Secret>,
    command: Option<Vec<String>>,
}

impl Reader<'_> {
    /// All hooks.
    pub(super) fn hooks(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Hook> {
        let DeValue::Array(tables) = value.get_ref() else {
            self.wrong::<()>("hook", value);
            return Vec::new();
        };
        let mut hooks: Vec<Hook> = Vec::new();
        for table in tables {
            let DeValue::Table(keys) = table.get_ref() else {
                self.wrong::<()>("hook", table);
                continue;
            };
            let Some(hook) = self.hook(keys, table.span()) else { continue };
            if hooks.iter().any(|other| other.name == hook.name) {
                let message = format!("two hooks are named `{}`", hook.name);
                let help = "a name identifies what a hook was told, so each needs its own";
                self.mistake("name-taken", message, Some(help.to_owned()), table.span());
            }
            hooks.push(hook);
        }
        hooks
    }

    fn hook(&mut self, keys: &DeTable<'_>, span: Range<usize>) -> Option<Hook> {
        let before = self.mistakes.len();
        let mut found = Found::default();
        for (key, value) in keys {
            self.hook_key(key, value, &mut found);
        }
        if self.mistakes.len() > before {
            return None;
        }
        let missing = |reader: &mut Self, message: &str| {
            let help = "it needs a name, what it is told (on), and a url or a command";
            reader.mistake("missing-key", message.to_owned(), Some(help.to_owned()), span.clone());
            None
        };
        let Some(name) = found.name else { return missing(self, "a hook without `name`") };
        let Some(on) = found.on else { return missing(self, "a hook without `on`") };
        let target = match (found.url, found.command) {
            (Some(url), None) => Target::Webhook { url, secret: found.secret },
            (None, Some(command)) if found.secret.is_none() => Target::Command(command),
            (None, Some(_)) => return missing(self, "`secret_file` signs requests, not commands"),
            (Some(_), Some(_)) => return missing(self, "a hook with both `url` and `command`"),
            (None, None) => return missing(self, "a hook without `url` and `command`"),
        };
        Some(Hook { name, on, pipelines: found.pipelines, target })
    }

    fn hook_key(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        found: &mut Found,
    ) {
        let name = key.get_ref().as_ref();
        let is_fine = match name {
            "name" => set(&mut found.name, text(value).filter(|name| is_name(name))),
            "on" => set(&mut found.on, texts(value).and_then(|names| occasions(&names))),
            "pipelines" => texts(value).map(|names| found.pipelines = names).is_some(),
            "url" => set(&mut found.url, text(value).filter(|url| is_url(url))),
            "command" => set(&mut found.command, texts(value).filter(|words| !words[0].is_empty())),
            "secret_file" => {
                found.secret = self.secret(value);
                return;
            }
            _ => return self.unknown_of(KEYS, name, key.span()),
        };
        if !is_fine {
            self.wrong_of::<()>(KEYS, name, value);
        }
    }

    fn secret(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Secret> {
        let Some(path) = text(value).filter(|path| !path.is_empty()) else {
            return self.wrong_of(KEYS, "secret_file", value);
        };
        let path = self.folder.join(path);
        let read = || {
            if std::fs::metadata(&path)?.len() > SECRET_BYTES_MAX {
                return Err(std::io::Error::other("is too large for a secret"));
            }
            std::fs::read_to_string(&path)
        };
        let secret =
            read().map_err(|error| error.to_string()).and_then(|text| Secret::parse(&text));
        secret
            .map_err(|reason| {
                let message = format!("{}: {reason}", path.display());
                self.mistake("bad-value", message, None, value.span());
            })
            .ok()
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    *place = value;
    place.is_some()
}

fn text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.clone().into_owned()),
        _ => None,
    }
}

/// A list of at least one text.
fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    match value.get_ref() {
        DeValue::Array(values) if !values.is_empty() => values.iter().map(text).collect(),
        _ => None,
    }
}

fn occasions(names: &[String]) -> Option<Vec<Occasion>> {
    let of = |name: &String| {
        let known = Occasion::ALL.iter().find(|(known, _)| known == name);
        known.map(|(_, occasion)| *occasion)
    };
    names.iter().map(of).collect()
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
                    [[hook]]\nname = \"desk\"\non = [\"done\"]\ncommand = [\"tell\", \"-v\"]\n";
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
        assert_eq!(hooks[1].target, Target::Command(vec!["tell".to_owned(), "-v".to_owned()]));
    }

    #[test]
    fn hook_that_lacks_something_is_a_mistake_that_names_it() {
        let cases = [
            ("on = [\"done\"]\ncommand = [\"x\"]", "missing-key: a hook without `name`"),
            ("name = \"a\"\ncommand = [\"x\"]", "missing-key: a hook without `on`"),
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
        let cases = [
            ("name = \"a b\"", "`name`"),
            ("on = [\"finished\"]", "`on`"),
            ("on = []", "`on`"),
            ("url = \"example.com\"", "`url`"),
            ("url = \"ftp://example.com\"", "`url`"),
            ("command = \"tell\"", "`command`"),
            ("secret_file = \"missing\"", "/nowhere/missing"),
            ("ur = \"http://a\"", "no key `ur`"),
        ];
        for (line, expected) in cases {
            let found = mistakes(&format!("[[hook]]\n{line}\n"));
            assert!(found.len() == 1 && found[0].contains(expected), "{line}: {found:?}");
        }
        assert_eq!(mistakes("hook = 3\n").len(), 1);
    }

    #[test]
    fn two_hooks_of_one_name_are_a_mistake() {
        let hook = "[[hook]]\nname = \"a\"\non = [\"done\"]\ncommand = [\"x\"]\n";
        assert_eq!(mistakes(&format!("{hook}{hook}")), ["name-taken: two hooks are named `a`"]);
    }
}
