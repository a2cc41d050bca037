//! Links between documents lead somewhere.

use crate::metadata::root;
use crate::sources::texts;

/// The places of a document's links, code left out.
fn links(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let prose = prose.concat();
    let prose: Vec<&str> = prose.split('`').step_by(2).collect();
    let after = prose.join("code");
    after.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors that GitHub makes of headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.split("```").step_by(2).flat_map(str::lines);
    let headings = headings.filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|sign| sign.is_alphanumeric() || "-_".contains(*sign)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for (below, text) in texts() {
        if below.extension() != Some("md".as_ref()) {
            continue;
        }
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let folder = root().join(&below);
            let target = if path.is_empty() { folder } else { folder.parent().unwrap().join(path) };
            let is_there = target.exists() && {
                let target = std::fs::read_to_string(&target).unwrap_or_default();
                anchor.is_empty() || anchors(&target).iter().any(|found| found == anchor)
            };
            if !is_there {
                broken.push(format!("{}: `{link}`", below.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn readme_stays_short() {
    const BYTES_MAX: usize = 9 * 1024;
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let bytes = readme.len();
    assert!(
        bytes <= BYTES_MAX,
        "README.md has {bytes} bytes of {BYTES_MAX}; manuals hold the rest"
    );
}

#[test]
fn links_in_code_are_not_followed() {
    let text = "a [b](c.md#d), `[e](f)`\n```\n[g](h)\n```\n![i](j.png)\n";
    assert_eq!(links(text), ["c.md#d", "j.png"]);
    assert_eq!(anchors("# In the DAW\n```\n# no\n```\n## `a` & b\n"), ["in-the-daw", "a--b"]);
}
