//! Atoms on their way into a file.
//!
//! Source: ISO/IEC 14496-12:2022, 4.2.

/// An atom with this content. What has too many bytes for a length of 32 bits is a bug of the caller.
pub(super) fn atom(kind: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(u32::try_from(length).expect("headers are bounded by the limits").to_be_bytes());
    bytes.extend(kind);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// An atom whose content begins with a version and flags.
pub(super) fn full(kind: [u8; 4], version: u8, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    atom(kind, &[&[&head[..]], parts].concat())
}
