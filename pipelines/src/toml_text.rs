//! Values as TOML writes them, for those who make pipelines.

/// A key and its value, as TOML.
pub type Pair = (&'static str, String);

/// A key as TOML writes it.
pub fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A path as a template writes it: braces would be placeholders.
pub fn literal(path: &str) -> String {
    path.replace('{', "{{").replace('}', "}}")
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A number as TOML writes it.
pub fn number(value: f64) -> String {
    toml::Value::from(value).to_string()
}
