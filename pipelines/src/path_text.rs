//! Paths in JSON: text where they are text, bytes where they are not.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Bytes(Vec<u8>),
}

/// For `#[serde(with = "path_text")]`: a string, or an array of bytes if the path is not UTF-8.
///
/// # Errors
/// Only those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => Form::Bytes(path.as_os_str().as_bytes().to_vec()).serialize(serializer),
    }
}

/// The other way round.
///
/// # Errors
/// When it is neither a string nor an array of bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Ok(match Form::deserialize(from)? {
        Form::Text(text) => PathBuf::from(text),
        Form::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        #[serde(with = "super")]
        path: PathBuf,
    }

    #[test]
    fn path_survives_json_whatever_its_bytes() {
        let names: [&[u8]; 3] = [b"plain", "sn\u{f6}\n\u{1f3b5}".as_bytes(), b"latin-\xf6"];
        for name in names {
            let holder = Holder { path: PathBuf::from(OsString::from_vec(name.to_vec())) };
            let json = serde_json::to_string(&holder).unwrap();
            assert_eq!(serde_json::from_str::<Holder>(&json).unwrap(), holder);
        }
    }
}
