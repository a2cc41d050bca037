//! Resident memory while two hours of audio run through `podcast`.

use crate::record::Record;
use crate::usage;
use std::path::Path;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const HOURS: usize = 2;
const RATE_HZ: u32 = 48_000;

pub(crate) fn run(_arguments: &[String]) -> Record {
    let lab = Lab::new();
    let input = lab.aside("two-hours.wav");
    write_long(&lab, &input);
    let mut command = lab.command([Path::new("run"), &lab::shipped("podcast"), &input]);
    let usage = usage::of(&mut command);
    Record {
        findings: vec![
            format!(
                "largest resident set: {:.1} MiB of the whole process (promised: below 100 MB)",
                usage.resident_mib_max
            ),
            format!("user CPU: {:.1} s for {HOURS} hours of audio", usage.user_s),
        ],
        columns: vec!["resident_mib_max", "user_s"],
        rows: vec![vec![usage.resident_mib_max.to_string(), usage.user_s.to_string()]],
    }
}

/// A minute of speech, over and over.
fn write_long(lab: &Lab, to: &Path) {
    let minute_path = lab.aside("minute.wav");
    let minute = signal::speech(RATE_HZ, 2, 60 * RATE_HZ as usize, 0.3, 11);
    wav::write(&minute_path, &minute, Stored::Int(16));
    let mut reader = hound::WavReader::open(&minute_path).expect("it was just written");
    let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a sample")).collect();
    let mut writer = hound::WavWriter::create(to, reader.spec()).expect("the file can be made");
    for _ in 0..HOURS * 60 {
        let mut chunk = writer.get_i16_writer(u32::try_from(samples.len()).expect("a minute"));
        for sample in &samples {
            chunk.write_sample(*sample);
        }
        chunk.flush().expect("the disk has room");
    }
    writer.finalize().expect("the header can be written");
}
