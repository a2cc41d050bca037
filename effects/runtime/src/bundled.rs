//! The effects that come with Wavemill.

/// A module that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its name in pipelines.
    pub name: &'static str,
    /// The `.wasm` file.
    pub bytes: &'static [u8],
    /// SHA-256 of the bytes as 64 hexadecimal digits.
    pub sha256: &'static str,
}

/// The hashes that `cargo xtask effects` wrote beside the modules.
const SUMS: &str = include_str!("../../bundled/SHA256SUMS");

macro_rules! bundled {
    ($name:literal) => {
        Bundled {
            name: $name,
            bytes: include_bytes!(concat!("../../bundled/", $name, ".wasm")),
            sha256: sum_of(concat!("  ", $name, ".wasm\n")),
        }
    };
}

/// All of them, by name. Adding one: its file in `effects/bundled/` and a line here.
#[rustfmt::skip]
pub const MODULES: &[Bundled] = &[
    bundled!("compressor"),
    bundled!("de-esser"),
    bundled!("delay"),
    bundled!("gate"),
    bundled!("noise-reduction"),
    bundled!("parametric-eq"),
    bundled!("reverb"),
    bundled!("saturator"),
    bundled!("stereo-width"),
];

/// The bundled effect of a name.
pub fn bundled(name: &str) -> Option<&'static Bundled> {
    MODULES.iter().find(|module| module.name == name)
}

/// The hash on the line that ends so; fails to compile where there is none.
const fn sum_of(end: &str) -> &'static str {
    const DIGITS: usize = 64;
    let mut rest = SUMS;
    loop {
        assert!(rest.len() >= DIGITS + end.len(), "SHA256SUMS has no line for a bundled module");
        let (hash, after) = rest.split_at(DIGITS);
        if starts_with(after, end) {
            return hash;
        }
        let mut at = 0;
        while after.as_bytes()[at] != b'\n' {
            at += 1;
        }
        rest = after.split_at(at + 1).1;
    }
}

const fn starts_with(text: &str, start: &str) -> bool {
    if text.len() < start.len() {
        return false;
    }
    let mut at = 0;
    while at < start.len() {
        if text.as_bytes()[at] != start.as_bytes()[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn hashes_are_those_of_the_bytes() {
        for module in MODULES {
            assert_eq!(
                format!("{:x}", Sha256::digest(module.bytes)),
                module.sha256,
                "{}",
                module.name
            );
        }
    }

    #[test]
    fn modules_are_all_that_have_a_hash_in_order() {
        let listed: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
        let summed: Vec<&str> =
            SUMS.lines().map(|line| line[66..].strip_suffix(".wasm").unwrap()).collect();
        assert_eq!(listed, summed);
        assert!(bundled("gate").is_some() && bundled("Gate").is_none());
    }
}
