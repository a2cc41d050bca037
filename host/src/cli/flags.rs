//! Messages about a pipeline that flags made, in the words of these flags.

/// Keys of an export, and the flags of `wavemill export` that stand for them.
const FLAGS: [(&str, &str); 9] = [
    ("bit_depth", "--bit-depth"),
    ("bit_rate_kbps", "--bit-rate"),
    ("bit_rate_mode", "--bit-rate-mode"),
    ("channels", "--channels"),
    ("compression_level", "--compression-level"),
    ("dither", "--dither"),
    ("sample_format", "--sample-format"),
    ("sample_rate_hz", "--sample-rate"),
    ("vbr_quality", "--vbr-quality"),
];

/// A message with flags where it has keys: `` `sample_rate_hz = 48000` `` is `` `--sample-rate 48000` ``.
pub(super) fn in_flags(message: &str) -> String {
    let mut text = message.replace("leave the key out", "leave the flag out");
    for (key, flag) in FLAGS {
        text = text.replace(&format!("`{key} = "), &format!("`{flag} "));
        text = text.replace(&format!("`{key}`"), &format!("`{flag}`"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_flags_with_and_without_a_value() {
        assert_eq!(
            in_flags("use `sample_rate_hz = 48000`, or `vbr_quality`; else leave the key out"),
            "use `--sample-rate 48000`, or `--vbr-quality`; else leave the flag out"
        );
        assert_eq!(in_flags("the channels of `a.wav`"), "the channels of `a.wav`");
    }
}
