//! Five gigabytes of 32-bit samples through the program: exported as WAV, which becomes RF64, and measured.
//!
//! The source is sparse, the output is not: 5 GB must be free where temporary files are made.

use crate::record::Record;
use crate::usage;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use wavemill_tests::lab::Lab;

const RATE_HZ: u32 = 192_000;
const FRAMES: u64 = 625_000_000;
const FRAME_BYTES: u64 = 8;
const DATA_BYTES: u64 = FRAMES * FRAME_BYTES;

/// Frames that are no silence: both ends, and both sides of 4 GiB.
const MARKED: [u64; 4] = [0, (1 << 29) - 1, 1 << 29, FRAMES - 1];

pub(crate) fn run(_arguments: &[String]) -> Record {
    let lab = Lab::new();
    let (input, output) = (lab.aside("5-gb.wav"), lab.aside("5-gb-out.wav"));
    let data_at = write_sparse(&input);
    let mut record =
        Record { columns: vec!["what", "user_s", "resident_mib_max"], ..Record::default() };
    let mut add = |what: &str, usage: usage::Usage| {
        let (user_s, mib) = (usage.user_s, usage.resident_mib_max);
        record.findings.push(format!("{what}: {user_s:.1} s of user CPU, {mib:.1} MiB at most"));
        record.rows.push(vec![what.to_owned(), user_s.to_string(), mib.to_string()]);
    };
    let words = [Path::new("export"), &input, &output];
    add("5 GB of WAV to WAV", usage::of(&mut lab.command(words)));
    let words = ["analyze", "--only", "loudness", "--no-cache"].map(Path::new);
    add("loudness of 5 GB", usage::of(lab.command(words).arg(&input)));
    let mut head = [0; 4];
    let mut written = File::open(&output).expect("the output");
    written.read_exact(&mut head).expect("a header");
    assert_eq!(head, *b"RF64", "what needs 64 bits is written as RF64");
    let out_at = written.metadata().expect("a length").len() - DATA_BYTES;
    let mut read_in = File::open(&input).expect("the input");
    for frame in MARKED {
        let expected = frame_at(&mut read_in, data_at, frame);
        assert_eq!(frame_at(&mut written, out_at, frame), expected, "frame {frame}");
        assert_ne!(expected, [0; 8], "frame {frame}");
    }
    record.findings.push(format!("{FRAMES} frames of {RATE_HZ} Hz came out as RF64, in place"));
    record
}

fn frame_at(file: &mut File, data_at: u64, frame: u64) -> [u8; 8] {
    let mut bytes = [0; 8];
    file.seek(SeekFrom::Start(data_at + frame * FRAME_BYTES)).expect("a place in it");
    file.read_exact(&mut bytes).expect("a frame");
    bytes
}

/// Writes a sparse RF64 file and returns where its samples begin.
fn write_sparse(path: &Path) -> u64 {
    let mut chunks = b"fmt \x10\0\0\0\x01\0\x02\0".to_vec();
    chunks.extend(RATE_HZ.to_le_bytes());
    chunks.extend((RATE_HZ * 8).to_le_bytes());
    chunks.extend(b"\x08\0\x20\0data\xff\xff\xff\xff");
    // The form's name, ds64 with its 28 bytes, and what follows.
    let riff_bytes = 4 + 36 + chunks.len() as u64 + DATA_BYTES;
    let mut head = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    for size in [riff_bytes, DATA_BYTES, FRAMES] {
        head.extend(size.to_le_bytes());
    }
    head.extend([0; 4]);
    head.extend(chunks);
    let mut file = File::create(path).expect("the file can be made");
    file.write_all(&head).expect("the disk has room");
    let data_at = head.len() as u64;
    file.set_len(data_at + DATA_BYTES).expect("files may be sparse");
    for frame in MARKED {
        file.seek(SeekFrom::Start(data_at + frame * FRAME_BYTES)).expect("a place in it");
        file.write_all(&(frame + 1).to_le_bytes()).expect("the disk has room");
    }
    data_at
}
