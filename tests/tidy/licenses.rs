//! Licenses of everything that is linked, run at build time or used by the tests.

use crate::metadata::{default_metadata, metadata, permissive_metadata};
use crate::spdx::is_satisfied;

/// Licenses that ask for no more than a notice.
const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
];

/// Other licenses, accepted package by package; a star stands for a family.
const EXCEPTIONS: &[(&str, &str)] = &[
    // Copyleft by file: we do not change its files.
    ("symphonia*", "MPL-2.0"),
    // LAME and the binding to it: a library that may be exchanged; in no build with `--no-default-features`.
    ("mp3lame*", "LGPL-3.0"),
    // Public domain.
    ("notify", "CC0-1.0"),
    // The clipboard on Windows: asks for no more than a notice, and not even that in binaries.
    ("clipboard-win", "BSL-1.0"),
    ("error-code", "BSL-1.0"),
    // Mozilla's list of certificates, which is data, where a system has none of its own: in no build for Linux, macOS or
    // Windows. Asks for its text beside the data.
    ("webpki-root-certs", "CDLA-Permissive-2.0"),
    // Ends tests that allocate where they must not; in no build for users. Asks for a notice in sources.
    ("nice-assert-no-alloc", "BSD-1-Clause"),
];

/// Packages that hold code under a license which their own metadata does not state; they are in a build only by
/// a feature that was asked for, as an exception for each that is stated in the manual.
const UNSTATED: &[(&str, &str)] = &[
    // "Software License for The Fraunhofer FDK AAC Codec Library for Android": binaries and sources may be handed on
    // with it, it grants no patents, and no name but that of the library may be used. The crate says MIT, which
    // is that of its binding. By the feature `fdk-aac`.
    ("fdk-aac-sys", "FDK-AAC"),
];

fn is_excepted(name: &str, license: &str) -> bool {
    EXCEPTIONS.iter().any(|(package, excepted)| {
        let covers = match package.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *package,
        };
        covers && license == *excepted
    })
}

fn is_allowed(name: &str, license: &str) -> bool {
    ALLOWED.contains(&license) || is_excepted(name, license)
}

#[test]
fn every_license_is_on_the_list() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let license = package.license.as_deref().unwrap_or("");
        match is_satisfied(license, &|license| is_allowed(&package.name, license)) {
            Some(true) => {}
            Some(false) => wrong.push(format!("{} has the license {license}", package.name)),
            None => wrong.push(format!("{} has no readable license: {license:?}", package.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if !metadata.is_complete {
        eprintln!(
            "skipped: licenses of other platforms' packages, because they are not downloaded"
        );
    }
}

/// Whoever hands a program on can do without what the LGPL asks of them.
#[test]
fn lgpl_is_in_no_build_without_default_features() {
    let permissive = |id: &str| !id.contains("GPL");
    for package in &permissive_metadata().packages {
        let license = package.license.as_deref().unwrap_or("");
        let is_fine = is_satisfied(license, &permissive) != Some(false);
        assert!(is_fine, "{} has the license {license}", package.name);
    }
}

/// Whoever hands a program on must have asked for the conditions of such a license.
#[test]
fn licenses_that_are_not_stated_are_in_no_build_that_did_not_ask_for_them() {
    for (name, license) in UNSTATED {
        let is_it = |package: &crate::metadata::Package| package.name == *name;
        assert!(metadata().packages.iter().any(is_it), "no package needs the exception for {name}");
        assert!(!default_metadata().packages.iter().any(is_it), "{name} is under {license}");
    }
}

#[test]
fn every_exception_is_needed() {
    for (package, license) in EXCEPTIONS {
        let is_needed = metadata().packages.iter().any(|found| {
            let alone = |id: &str| ALLOWED.contains(&id);
            let text = found.license.as_deref().unwrap_or("");
            is_excepted(&found.name, license) && is_satisfied(text, &alone) == Some(false)
        });
        assert!(is_needed, "no package needs the exception {license} for {package}");
    }
}
