//! How an output takes its name.

use super::files::FileIdentity;
use serde::{Deserialize, Serialize};

/// How an output takes its final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameClaim {
    /// The name must be free.
    Free,
    /// It replaces our own earlier output, if that is still this file.
    Own(FileIdentity),
    /// It replaces whatever regular file is there: the pipeline says so.
    Any,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn takes_are_written_as_stores_hold_them() {
        let own = FileIdentity { size_bytes: 1, modified_ns: -2, inode: 3 };
        let cases = [
            (NameClaim::Free, json!("free")),
            (NameClaim::Own(own), json!({"own": {"size_bytes": 1, "modified_ns": -2, "inode": 3}})),
            (NameClaim::Any, json!("any")),
        ];
        for (takes, written) in cases {
            assert_eq!(serde_json::to_value(takes).unwrap(), written);
            assert_eq!(serde_json::from_value::<NameClaim>(written).unwrap(), takes);
        }
    }
}
