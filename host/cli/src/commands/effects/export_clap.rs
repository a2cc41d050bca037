//! `wavemill effects export-clap`: a module as a plugin of its own, in both formats.

use super::super::{CliError, Context, Exit, Run, output_file};
use super::check::{bytes_of, first_failure};
use super::refused;
use crate::report::{one_line, shown};
use serde_json::json;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use wavemill_runtime::Description;

/// Make a CLAP and a VST3 plugin of one module, out of Wavemill's plugin
#[derive(Debug, clap::Args)]
pub(super) struct ExportClap {
    /// Name of a bundled effect, or the path of a .wasm file
    #[arg(value_name = "NAME|FILE")]
    effect: PathBuf,

    /// Wavemill's plugin, as `cargo xtask bundle` makes it [default: Wavemill.clap beside this program, or where
    /// plugins are installed]
    #[arg(long, value_name = "FILE|FOLDER")]
    plugin: Option<PathBuf>,

    /// Folder for both plugins [default: the current one]
    #[arg(long, short, value_name = "DIR", default_value = ".", hide_default_value = true)]
    output: PathBuf,

    /// Replace existing files
    #[arg(long)]
    force: bool,
}

impl Run for ExportClap {
    const NAME: &'static str = "export-clap";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let module = self.module()?;
        let loaded = context.effects.load_bytes(&shown(&self.effect), &module);
        let loaded = loaded.map_err(|error| refused(&error))?;
        let bundle = self.bundle()?;
        let library = library_in(&bundle).ok_or_else(|| {
            CliError::failed(format!("{} holds no plugin for this system", shown(&bundle)))
        })?;
        let plugin = fs::read(&library).map_err(|error| CliError::path(&library, error))?;
        let plugin = wavemill_rack::export(plugin, &module)
            .map_err(|error| CliError::failed(format!("{} {error}", shown(&library))))?;
        let targets = targets(&self.output, loaded.description());
        for (_, library) in &targets {
            output_file::check(library, &self.effect, self.force)?;
        }
        for (bundle, library) in &targets {
            write(bundle, library, &plugin, loaded.description(), self.force)?;
        }
        let names: Vec<_> = targets.iter().map(|(bundle, _)| bundle).collect();
        if context.is_json() {
            context
                .document(&json!({ "version": crate::report::JSON_VERSION, "plugins": names }))?;
        } else {
            context.lines(names.iter().map(|name| shown(name)))?;
        }
        Ok(Exit::Done)
    }
}

impl ExportClap {
    /// The module, if it keeps all promises.
    fn module(&self) -> Result<Vec<u8>, CliError> {
        let bytes = bytes_of(&self.effect).map_err(|error| CliError::path(&self.effect, error))?;
        match first_failure(&bytes) {
            None => Ok(bytes),
            Some(reason) => Err(CliError::failed(one_line(&format!(
                "{0} is refused: {reason}; for details, run `wavemill effects check {0}`",
                shown(&self.effect)
            )))),
        }
    }

    /// Wavemill's plugin.
    fn bundle(&self) -> Result<PathBuf, CliError> {
        let places = self.plugin.clone().map_or_else(usual_places, |plugin| vec![plugin]);
        let found = places.iter().find(|place| place.exists());
        found.cloned().ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| shown(place)).collect();
            CliError::failed(format!(
                "there is no plugin of Wavemill at {}; make it with `cargo xtask bundle` and name it with --plugin",
                places.join(", ")
            ))
        })
    }
}

/// Where the plugin may be: beside the program, beside a build, or installed.
///
/// Source: CLAP 1.2, `entry.h`, "CLAP plugin search path".
fn usual_places() -> Vec<PathBuf> {
    const NAME: &str = "Wavemill.clap";
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let built = beside.and_then(Path::parent).map(|target| target.join("bundled"));
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let installed = match OS {
        "macos" => home.map(|home| home.join("Library/Audio/Plug-Ins/CLAP")),
        "windows" => {
            std::env::var_os("COMMONPROGRAMFILES").map(|it| PathBuf::from(it).join("CLAP"))
        }
        _ => home.map(|home| home.join(".clap")),
    };
    let folders = beside.map(Path::to_owned).into_iter().chain(built).chain(installed);
    folders.map(|folder| folder.join(NAME)).collect()
}

/// The library of a plugin: the file itself, or that of this system in a bundle.
fn library_in(plugin: &Path) -> Option<PathBuf> {
    if !plugin.is_dir() {
        return Some(plugin.to_owned());
    }
    let folder = plugin.join("Contents").join(library_folder());
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| path.is_file()).min()
}

/// Where the library is in a bundle. Source: VST 3 Developer Portal, "Plug-in Format Structure".
fn library_folder() -> String {
    match OS {
        "macos" => "MacOS".to_owned(),
        "windows" => format!("{ARCH}-win"),
        _ => format!("{ARCH}-{OS}"),
    }
}

/// Both plugins, and the library of each.
fn targets(output: &Path, effect: &Description) -> [(PathBuf, PathBuf); 2] {
    let name = file_name(effect);
    let (clap, vst3) = (output.join(format!("{name}.clap")), output.join(format!("{name}.vst3")));
    let in_bundle =
        |bundle: &Path, file: &str| bundle.join("Contents").join(library_folder()).join(file);
    let (clap_library, vst3_library) = match OS {
        "macos" => (in_bundle(&clap, &name), in_bundle(&vst3, &name)),
        "windows" => (clap.clone(), in_bundle(&vst3, &format!("{name}.vst3"))),
        _ => (clap.clone(), in_bundle(&vst3, &format!("{name}.so"))),
    };
    [(clap, clap_library), (vst3, vst3_library)]
}

/// The effect's name, without what file systems do not take.
fn file_name(effect: &Description) -> String {
    let plain = |c: char| if c.is_alphanumeric() || " -_.".contains(c) { c } else { '-' };
    let name: String = effect.name.chars().map(plain).collect();
    let name = name.trim_matches([' ', '.']);
    if name.is_empty() { "Effect".to_owned() } else { name.to_owned() }
}

fn write(
    bundle: &Path,
    library: &Path,
    plugin: &[u8],
    effect: &Description,
    is_forced: bool,
) -> Result<(), CliError> {
    let folder = library.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| CliError::path(folder, error))?;
    output_file::write(library, plugin, is_forced)?;
    if OS == "macos" {
        let contents = bundle.join("Contents");
        let list = property_list(effect);
        output_file::write(&contents.join("Info.plist"), list.as_bytes(), is_forced)?;
        output_file::write(&contents.join("PkgInfo"), b"BNDL????", is_forced)?;
    }
    Ok(())
}

/// What macOS loads a bundle by. Source: Apple, "Bundle Programming Guide", "The Information Property List File".
fn property_list(effect: &Description) -> String {
    let name = file_name(effect);
    let entries = [
        ("CFBundleExecutable", name.as_str()),
        ("CFBundleIdentifier", &effect.id),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", &name),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleShortVersionString", &effect.version),
        ("CFBundleVersion", &effect.version),
    ];
    let entries = entries.map(|(key, value)| format!("<key>{key}</key><string>{value}</string>\n"));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n{}</dict>\n</plist>\n",
        entries.concat()
    )
}
