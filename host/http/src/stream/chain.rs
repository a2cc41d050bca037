//! From a hello to a rack that plays it.

use super::hello::{Entry, Hello};
use super::message::Refusal;
use crate::app::App;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::ParamKind;
use wavemill_core::processors;
use wavemill_pipelines::effects::is_preset_file;
use wavemill_pipelines::model::{Defaults, When};
use wavemill_pipelines::{Diagnostic, load, shipped};
use wavemill_rack::{Part, Rack, SLOT_COUNT, Slots, Supervisor};
use wavemill_store::StoreError;

/// Lines of [`text`] before the first entry, and those of each.
const LINES: (usize, usize) = (3, 4);

/// A rack, its other side, and what stands in its slots.
pub(crate) struct Chain {
    pub(crate) rack: Rack,
    pub(crate) supervisor: Supervisor,
    pub(crate) parts: Slots<Option<Part>>,
    pub(crate) names: Names,
}

/// Paths of modules on this machine, and what the client calls them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// A message without paths of this machine.
    pub(crate) fn plain(&self, message: &str) -> String {
        let replace = |text: String, (path, name): &(String, String)| text.replace(path, name);
        self.0.iter().fold(message.to_owned(), replace)
    }
}

/// A pipeline to be played.
struct Source {
    text: String,
    defaults: Defaults,
    /// What its effects are relative to.
    folder: PathBuf,
    names: Names,
    /// Whether the text was made of the entries of a hello.
    is_ours: bool,
}

impl App {
    /// Builds the chain of a hello. Compiles: not for the runtime's threads.
    ///
    /// # Errors
    /// One line: why it cannot be played.
    pub(crate) fn chain(&self, hello: &Hello) -> Result<Chain, Refusal> {
        let source = match (&hello.chain, &hello.pipeline) {
            (Some(entries), _) => self.source_of(entries).map_err(refused)?,
            (None, name) => self.pipeline(name.as_deref().unwrap_or_default())?,
        };
        let spec = StreamSpec::new(hello.chain_rate.unwrap_or(hello.sample_rate), hello.channels);
        let names = source.names.clone();
        let plain = |reason: String| refused(names.plain(&reason));
        let parts = parts(&source, self).map_err(plain)?;
        let (rack, supervisor, incidents) =
            wavemill_rack::rack(&spec, &parts, &[1.0; SLOT_COUNT], Arc::default());
        if incidents.is_empty() {
            return Ok(Chain { rack, supervisor, parts, names: source.names });
        }
        let reasons: Vec<_> = incidents.into_iter().map(|incident| incident.reason).collect();
        Err(plain(reasons.join("; ")))
    }

    /// A pipeline with the entries of a hello: what `run` would play.
    fn source_of(&self, entries: &[Entry]) -> Result<Source, String> {
        let mut names = Names::default();
        let mut written = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let step = self.written(entry, &mut names);
            written.push(step.map_err(|reason| format!("chain[{index}]: {reason}"))?);
        }
        let text = text(&written);
        Ok(Source {
            text,
            defaults: Defaults::default(),
            folder: PathBuf::from("/"),
            names,
            is_ours: true,
        })
    }

    /// The first lines of an entry.
    fn written(&self, entry: &Entry, names: &mut Names) -> Result<String, String> {
        let with = values(&entry.with)?;
        let preset = entry.preset.as_deref();
        let (key, name) = match (&entry.effect, &entry.step) {
            (Some(name), None) => ("effect", self.module(name, names)?),
            (None, Some(name)) => ("use", name.clone()),
            _ => return Err("give either `effect` or `step`".to_owned()),
        };
        let names_file = |name: &str| {
            let params = processors::step(name).map_or(&[][..], |step| step.params);
            params.iter().any(|param| param.kind == ParamKind::AudioFile)
        };
        if key == "use" && (preset.is_some() || names_file(&name)) {
            return Err(format!("`{name}` needs the whole file, or has no presets"));
        }
        if preset.is_some_and(is_preset_file) {
            return Err(
                "`preset` names one of the effect's own; give other values in `with`".to_owned()
            );
        }
        let preset = preset.map_or_else(String::new, |name| format!("preset = {}", quoted(name)));
        Ok(format!("[[step]]\n{key} = {}\n{preset}\nwith = {with}\n", quoted(&name)))
    }

    /// What a pipeline calls an effect: its name, or the path of its module below a folder that the configuration names.
    fn module(&self, name: &str, names: &mut Names) -> Result<String, String> {
        if !name.contains('/') && !has_wasm_extension(name) {
            return Ok(name.to_owned());
        }
        let path = self.settings.module(name).map_err(|problem| problem.detail)?;
        let path = path.to_str().ok_or("the path is not UTF-8")?.to_owned();
        names.0.push((path.clone(), name.to_owned()));
        Ok(path)
    }

    /// A pipeline that the daemon runs, or one that comes with the program.
    fn pipeline(&self, name: &str) -> Result<Source, Refusal> {
        let record = || -> Result<_, StoreError> {
            let store = self.service.store();
            let current = store.current_plans()?.into_iter().find(|(known, _)| known == name);
            Ok(current.map(|(_, plan)| store.plan(&plan.plan)).transpose()?.flatten())
        };
        let record = record().map_err(|error| refused(error.to_string()))?;
        let (text, defaults, folder) = match (record, shipped::text(name)) {
            (Some(record), _) => (record.text, record.defaults, record.folder),
            (None, Some(text)) => (text.to_owned(), Defaults::default(), PathBuf::new()),
            (None, None) => return Err(refused(format!("there is no pipeline `{name}`"))),
        };
        Ok(Source { text, defaults, folder, names: Names::default(), is_ours: false })
    }
}

fn refused(reason: String) -> Refusal {
    Refusal::new("bad chain", reason)
}

/// What stands in the slots.
fn parts(source: &Source, app: &App) -> Result<Slots<Option<Part>>, String> {
    let effects = app.streams.effects.in_folder(&source.folder);
    let loaded = load(&source.text, &source.defaults, &effects);
    let loaded = loaded.map_err(|mistakes| source.explain(&mistakes))?;
    let steps = loaded.pipeline.steps;
    if steps.len() > SLOT_COUNT {
        return Err(format!("{} steps; a stream has at most {SLOT_COUNT}", steps.len()));
    }
    if let Some(step) = steps.iter().find(|step| step.when != When::default()) {
        let name = step.name();
        return Err(format!("{name}: its conditions (`when`) are those of a whole file"));
    }
    let mut parts: Slots<Option<Part>> = Default::default();
    for (slot, step) in parts.iter_mut().zip(steps) {
        *slot = Some(Part::new(step.task));
    }
    Ok(parts)
}

impl Source {
    /// Mistakes in one line, with the entries that they are in.
    fn explain(&self, mistakes: &[Diagnostic]) -> String {
        let line = |mistake: &Diagnostic| {
            let help = mistake.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
            let entry = mistake.line.checked_sub(LINES.0 + 1).map(|line| line / LINES.1);
            match entry.filter(|_| self.is_ours) {
                Some(index) => format!("chain[{index}]: {}{help}", mistake.message),
                None => format!("{}{help}", mistake.message),
            }
        };
        mistakes.iter().map(line).collect::<Vec<_>>().join("; ").replace('\n', " ")
    }
}

/// A pipeline with these steps. Where each entry is, [`LINES`] says.
fn text(steps: &[String]) -> String {
    let steps = steps.concat();
    format!(
        "version = 1\n[pipeline]\nname = \"stream\"\n{steps}\
         [[export]]\nformat = \"wav\"\npath = \"{{stem}}.{{ext}}\"\n"
    )
}

/// Values as an inline table of TOML.
fn values(with: &Map<String, Value>) -> Result<String, String> {
    let mut table = "{".to_owned();
    for (index, (key, value)) in with.iter().enumerate() {
        let value = match value {
            Value::Bool(is_on) => is_on.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(word) => quoted(word),
            _ => return Err(format!("`{key}` must be a number, a switch or a word")),
        };
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(table, "{comma} {} = {value}", quoted(key));
    }
    table.push_str(" }");
    Ok(table)
}

/// A string of TOML in one line: those of JSON are, but for one character.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn has_wasm_extension(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "wasm")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_pipelines::Effects;

    #[test]
    fn nothing_in_a_hello_leaves_its_string() {
        let evil = "a\"]\n[[export]]\u{7f}\u{0}\\'";
        let with: Map<String, Value> = [(evil.to_owned(), Value::from(evil))].into_iter().collect();
        let step =
            format!("[[step]]\nuse = {}\n\nwith = {}\n", quoted(evil), values(&with).unwrap());
        let text = text(&[step.clone(), step]);
        assert_eq!(text.lines().count(), LINES.0 + 2 * LINES.1 + 3);
        let mistakes = load(&text, &Defaults::default(), &Effects::absent()).unwrap_err();
        let codes: Vec<_> = mistakes.iter().map(|mistake| (mistake.code, mistake.line)).collect();
        assert!(codes.iter().all(|(code, _)| *code == "unknown-step"), "{codes:?}");
        assert_eq!(codes.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [5, 9]);
    }

    #[test]
    fn values_are_plain() {
        let with =
            |text: &str| values(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap());
        assert_eq!(
            with(r#"{"a":1,"b":-0.5,"c":true,"d":"x"}"#).unwrap(),
            r#"{ "a" = 1, "b" = -0.5, "c" = true, "d" = "x" }"#
        );
        assert!(with(r#"{"a":null}"#).is_err());
    }
}
