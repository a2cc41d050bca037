//! The pipelines that come with Wavemill.

/// A pipeline that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its name, which its text gives it too.
    pub name: &'static str,
    /// The text of `pipelines/<name>.toml`.
    pub text: &'static str,
}

macro_rules! shipped {
    ($name:literal) => {
        Shipped { name: $name, text: include_str!(concat!("../", $name, ".toml")) }
    };
}

/// All of them, by name. Adding one: its file in `pipelines/` and a line here.
#[rustfmt::skip]
pub const PIPELINES: &[Shipped] = &[
    shipped!("acx-audiobook"),
    shipped!("apple-music"),
    shipped!("archive"),
    shipped!("broadcast-r128"),
    shipped!("cd-master"),
    shipped!("measure"),
    #[cfg(feature = "mp3")]
    shipped!("podcast"),
    shipped!("streaming"),
    shipped!("voice"),
    shipped!("youtube"),
];

/// The text of the shipped pipeline of a name.
pub fn text(name: &str) -> Option<&'static str> {
    PIPELINES.iter().find(|shipped| shipped.name == name).map(|shipped| shipped.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[cfg(feature = "mp3")]
    #[test]
    fn every_file_of_the_folder_is_shipped() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|name| name != "Cargo")
            .collect();
        files.sort();
        let shipped: Vec<_> = PIPELINES.iter().map(|shipped| shipped.name).collect();
        assert_eq!(shipped, files);
    }

    /// Taplo reads it in the first line; the path is relative to the file.
    #[test]
    fn every_pipeline_names_the_schema_beside_it() {
        let first_line = "#:schema pipeline.schema.json\n";
        for shipped in PIPELINES {
            assert!(shipped.text.starts_with(first_line), "{}", shipped.name);
        }
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.schema.json").is_file());
    }

    #[cfg(feature = "effects")]
    #[test]
    fn shipped_pipelines_are_called_what_they_say() {
        for shipped in PIPELINES {
            let loaded = crate::load(
                shipped.text,
                &crate::model::Defaults::default(),
                &crate::Effects::default(),
            );
            assert_eq!(loaded.unwrap().pipeline.name, shipped.name);
        }
        assert_eq!(text("measure"), Some(PIPELINES[5].text));
        assert_eq!(text("nothing"), None);
    }
}
