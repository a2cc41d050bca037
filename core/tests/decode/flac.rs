//! FLAC, native and in Ogg.

use crate::support::{
    Scratch, decode_bytes, ffmpeg_ints, fixture, has_tools, hound_wav, interleave, read_file, run,
    signal, write_file,
};

#[test]
fn flac_of_flac_decodes_to_the_samples() {
    if !has_tools(&["flac"]) {
        return;
    }
    let scratch = Scratch::new("flac");
    for (bits, channels, args) in [
        (8, 1, vec![]),
        (16, 2, vec!["-8"]),
        (16, 2, vec!["-0", "--ogg"]),
        (24, 2, vec!["-5"]),
        (24, 6, vec![]),
        (24, 8, vec!["-b", "1024"]),
        (16, 1, vec!["-b", "65535", "--lax"]),
    ] {
        let planes = signal(channels, 30_011, bits);
        let source = scratch.path("source.wav");
        let path = scratch.path("out.flac");
        write_file(&source, &hound_wav(&planes, 48_000, bits as u16));
        let mut all = vec!["-s", "-f", "--channel-map=none"];
        all.extend(&args);
        all.extend(["-o", path.to_str().unwrap(), source.to_str().unwrap()]);
        run("flac", &all);
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        assert!(decoded.ints() == planes, "{bits} bits, {channels} channels, {args:?}");
        assert_eq!(decoded.info.format.bit_depth, bits as u16);
    }
}

#[test]
fn finished_flac_of_no_frames_is_empty_and_an_unfinished_one_is_damaged() {
    // STREAMINFO is 34 bytes after the marker and its header; its last 16 are the sum.
    let mut file = fixture("tone-16.flac")[..42].to_vec();
    file[4] |= 0x80;
    file[21] &= 0xf0;
    file[22..].fill(0);
    assert!(decode_bytes(&file).unwrap_err().to_string().contains("holds no audio"));
    let sum_of_nothing = 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e_u128;
    file[26..].copy_from_slice(&sum_of_nothing.to_be_bytes());
    let decoded = decode_bytes(&file).unwrap();
    assert_eq!((decoded.samples.frame_count(), decoded.info.spec.channel_count()), (0, 2));
}

#[test]
fn flac_of_ffmpeg_decodes_to_the_samples() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("flac-ffmpeg");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(2, 30_011, 24), 96_000, 24));
    for (name, format) in [("16.flac", "s16"), ("24.flac", "s32"), ("ogg.oga", "s16")] {
        let path = scratch.path(name);
        let paths = [source.to_str().unwrap(), path.to_str().unwrap()];
        run(
            "ffmpeg",
            &["-v", "error", "-y", "-i", paths[0], "-c:a", "flac", "-sample_fmt", format, paths[1]],
        );
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        let shift = 32 - decoded.info.format.bit_depth;
        let ours: Vec<i32> = interleave(decoded.ints()).into_iter().map(|s| s << shift).collect();
        assert!(ours == ffmpeg_ints(&path), "{name} differs from ffmpeg's samples");
    }
}

#[test]
fn flac_of_32_bits_is_exact_or_refused() {
    if !has_tools(&["flac"]) {
        return;
    }
    let scratch = Scratch::new("flac-32");
    let (source, path) = (scratch.path("source.wav"), scratch.path("out.flac"));
    let left = signal(1, 20_000, 32).remove(0);
    let quiet: Vec<i32> = left.iter().map(|sample| sample / 3).collect();
    // The difference to this one really needs 33 bits.
    let opposite: Vec<i32> = left.iter().map(|sample| !sample).collect();
    let silence = vec![0; left.len()];
    for planes in [
        vec![left.clone()],
        vec![left.clone(), quiet],
        vec![left.clone(), opposite],
        vec![left.clone(), silence],
        vec![left.clone(); 4],
    ] {
        write_file(&source, &hound_wav(&planes, 48_000, 32));
        let paths = ["-o", path.to_str().unwrap(), source.to_str().unwrap()];
        let all = [&["-s", "-f", "-8"][..], &paths].concat();
        if !std::process::Command::new("flac").args(all).status().unwrap().success() {
            eprintln!("skipped: this flac does not write 32 bits");
            return;
        }
        match decode_bytes(&read_file(&path)) {
            Ok(decoded) => assert!(decoded.ints() == planes, "{} channels", planes.len()),
            Err(error) => {
                assert_eq!(planes.len(), 2, "{error}");
                assert!(error.to_string().contains("32-bit FLAC with coupled channels"), "{error}");
            }
        }
    }
}

#[test]
fn flac_comment_gives_the_unusual_layout() {
    if !has_tools(&["flac"]) {
        return;
    }
    let scratch = Scratch::new("flac-mask");
    let (source, path) = (scratch.path("source.wav"), scratch.path("out.flac"));
    write_file(&source, &hound_wav(&signal(2, 5000, 16), 48_000, 16));
    // Front center and LFE.
    let mask = "--tag=WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x000C";
    let paths = ["-o", path.to_str().unwrap(), source.to_str().unwrap()];
    run("flac", &[&["-s", "-f", mask][..], &paths].concat());
    let decoded = decode_bytes(&read_file(&path)).unwrap();
    assert_eq!(decoded.info.spec.layout.mask(), Some(0xc));
}
