//! Where users find the manual and help, as both formats have them: `homepage` and `repository` of `plugin/Cargo.toml`.

/// Empty where the package names none.
pub(crate) const HOMEPAGE: &str = env!("CARGO_PKG_HOMEPAGE");

/// Where the manual is.
pub(crate) const MANUAL: Option<&str> = address(HOMEPAGE);

/// Where help is.
pub(crate) const SUPPORT: Option<&str> = address(env!("CARGO_PKG_REPOSITORY"));

/// Hosts show a button for every address that is there.
const fn address(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_address_is_none() {
        assert_eq!(
            (address(""), address("https://example.org")),
            (None, Some("https://example.org"))
        );
    }
}
