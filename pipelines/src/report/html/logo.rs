//! The picture at the head of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use thiserror::Error;

/// Largest picture, in bytes: it stands inside the page, which shall stay below 400 kB.
pub const LOGO_BYTES_MAX: usize = 96 * 1024;

/// Who sends the page, as a picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    media_type: &'static str,
}

/// Why a file cannot be a logo; reads on after its path.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoError {
    /// It is too large.
    #[error("has {byte_count} bytes; a logo may have {LOGO_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        byte_count: usize,
    },
    /// No browser could be relied on to show it.
    #[error("is no PNG, JPEG, WebP, GIF or SVG picture")]
    Unknown,
}

impl Logo {
    /// A picture; what it is, its first bytes say.
    ///
    /// # Errors
    /// When it is too large, or no picture that all browsers show.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(LogoError::TooLarge { byte_count: bytes.len() });
        }
        let media_type = match &bytes[..] {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            [b'G', b'I', b'F', b'8', ..] => "image/gif",
            text if is_svg(text) => "image/svg+xml",
            _ => return Err(LogoError::Unknown),
        };
        Ok(Self { bytes, media_type })
    }

    /// As the address of an image: browsers run no script of such a picture, an SVG neither.
    pub(super) fn address(&self) -> String {
        format!("data:{};base64,{}", self.media_type, STANDARD.encode(&self.bytes))
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"))
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logo_is_known_by_its_first_bytes() {
        let address = |bytes: &[u8]| Logo::new(bytes.to_vec()).map(|logo| logo.address());
        assert_eq!(address(b"\x89PNG").unwrap(), "data:image/png;base64,iVBORw==");
        assert!(
            address(b"<?xml version='1.0'?><svg/>").unwrap().starts_with("data:image/svg+xml;")
        );
        assert_eq!(address(b"<html>"), Err(LogoError::Unknown));
        let byte_count = LOGO_BYTES_MAX + 1;
        assert_eq!(Logo::new(vec![0; byte_count]), Err(LogoError::TooLarge { byte_count }));
    }
}
