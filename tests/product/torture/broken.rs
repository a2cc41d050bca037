//! Files that are broken, in ten ways.

use wavemill_tests::lab::repository;
use wavemill_tests::signal::Random;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("tests/fixtures").join(name)).expect("a fixture")
}

/// A fixture with some of its bytes changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = fixture(name);
    change(&mut bytes);
    bytes
}

/// A WAV whose head says this of its sound.
fn wav(format: u16, channels: u16, rate_hz: u32, bits: u16, samples: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut bytes = b"RIFF".to_vec();
    let size = u32::try_from(samples.len()).expect("small");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0");
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples);
    bytes
}

/// Each with the name it would have.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random::new(10);
    let noise: Vec<u8> = (0..5000).map(|_| random.byte()).collect();
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16].iter_mut().for_each(|byte| *byte ^= 0x5A);
    };
    // The profile of every header: low complexity becomes another one.
    let main_profile = |bytes: &mut Vec<u8>| {
        let starts = bytes.windows(3).enumerate().filter(|(_, it)| it[0] == 0xFF && it[1] == 0xF1);
        let starts: Vec<usize> = starts.map(|(start, _)| start).collect();
        for start in starts {
            bytes[start + 2] &= 0x3F;
        }
    };
    let not_a_number = f32::NAN.to_le_bytes().repeat(4800);
    vec![
        ("text.wav", b"this is a text and no sound at all\n".repeat(20)),
        ("noise.flac", noise),
        ("picture.mp3", [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 2000]].concat()),
        // Not one that was cut short: that might be a copy under way, so it waits and is reported.
        ("unknown-codec.wav", wav(0x1234, 2, 48_000, 16, &[0; 9600])),
        ("flipped.flac", changed("tone-16.flac", flip)),
        ("flipped.ogg", changed("tone.ogg", flip)),
        ("no-rate.wav", wav(1, 2, 0, 16, &[0; 9600])),
        ("no-channel.wav", wav(1, 0, 48_000, 16, &[0; 9600])),
        ("not-a-number.wav", wav(3, 1, 48_000, 32, &not_a_number)),
        ("main-profile.aac", changed("tone.aac", main_profile)),
    ]
}
