//! Pixels as a PNG file.

use super::raster::Pixels;

/// A PNG file.
pub(super) fn encode(pixels: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels.bytes))
        .expect("memory takes every byte, and there are as many as the header says");
    bytes
}
