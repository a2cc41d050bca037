//! Everything of the file but the packets.
//!
//! Sources: ISO/IEC 14496-12:2022, 8; ISO/IEC 14496-14:2020, 5.6 (`esds`); ISO/IEC 14496-1, 7.2.6 (descriptors).

use super::atoms::{atom, full};
use super::fdk::PACKET_FRAMES;

/// The sound of a file.
pub(super) struct Movie<'a> {
    pub(super) sample_rate_hz: u32,
    pub(super) channel_count: u16,
    /// An `AudioSpecificConfig`.
    pub(super) config: &'a [u8],
    /// Frames that are decoded before the first one that is shown.
    pub(super) lead: u64,
    /// Frames that are shown.
    pub(super) frame_count: u64,
    /// Bytes of each packet.
    pub(super) packets: &'a [u32],
    /// Where the first packet begins.
    pub(super) start: u64,
    /// Whether places have 64 bits.
    pub(super) is_long: bool,
    /// The `udta` atom.
    pub(super) user_data: &'a [u8],
}

/// What kind of file it is.
pub(super) fn file_type() -> Vec<u8> {
    atom(*b"ftyp", &[b"M4A ", &0u32.to_be_bytes(), b"M4A mp42isom"])
}

/// No rotation and no zoom.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Full volume, in 8.8 bits.
const VOLUME: [u8; 2] = [1, 0];

/// The language `und`: three letters of 5 bits.
const UNDETERMINED: [u8; 2] = [0x55, 0xc4];

impl Movie<'_> {
    /// The `moov` atom, of one size whatever the sizes of the packets are.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let track = atom(
            *b"trak",
            &[&self.track_header(), &self.edits(), &atom(*b"mdia", &[&self.media()])],
        );
        atom(*b"moov", &[&self.movie_header(), &track, self.user_data])
    }

    /// Frames of all packets.
    fn decoded(&self) -> u64 {
        self.packets.len() as u64 * PACKET_FRAMES as u64
    }

    /// Version 1 where times need 64 bits.
    fn version(&self) -> u8 {
        u8::from(u32::try_from(self.decoded()).is_err())
    }

    fn time(&self, value: u64) -> Vec<u8> {
        match u32::try_from(value) {
            Ok(short) if self.version() == 0 => short.to_be_bytes().to_vec(),
            _ => value.to_be_bytes().to_vec(),
        }
    }

    /// Times of creation and change, which nobody needs and which would differ every time.
    fn no_times(&self) -> Vec<u8> {
        [self.time(0), self.time(0)].concat()
    }

    fn movie_header(&self) -> Vec<u8> {
        let parts: [&[u8]; 9] = [
            &self.no_times(),
            &self.sample_rate_hz.to_be_bytes(),
            &self.time(self.frame_count),
            &0x1_0000u32.to_be_bytes(), // speed
            &VOLUME,
            &[0; 10],
            &MATRIX.map(u32::to_be_bytes).concat(),
            &[0; 24],
            &2u32.to_be_bytes(), // number of the next track
        ];
        full(*b"mvhd", self.version(), 0, &parts)
    }

    fn track_header(&self) -> Vec<u8> {
        const ENABLED_IN_MOVIE_AND_PREVIEW: u32 = 7;
        let parts: [&[u8]; 8] = [
            &self.no_times(),
            &1u32.to_be_bytes(), // its number
            &[0; 4],
            &self.time(self.frame_count),
            &[0; 12], // layer and group
            &VOLUME,
            &[0; 2],
            &[&MATRIX.map(u32::to_be_bytes).concat()[..], &[0; 8]].concat(),
        ];
        full(*b"tkhd", self.version(), ENABLED_IN_MOVIE_AND_PREVIEW, &parts)
    }

    fn edits(&self) -> Vec<u8> {
        let parts: [&[u8]; 4] = [
            &1u32.to_be_bytes(),
            &self.time(self.frame_count),
            &self.time(self.lead),
            &0x1_0000u32.to_be_bytes(), // speed
        ];
        atom(*b"edts", &[&full(*b"elst", self.version(), 0, &parts)])
    }

    fn media(&self) -> Vec<u8> {
        let header: [&[u8]; 5] = [
            &self.no_times(),
            &self.sample_rate_hz.to_be_bytes(),
            &self.time(self.decoded()),
            &UNDETERMINED,
            &[0; 2],
        ];
        let handler: [&[u8]; 4] = [&[0; 4], b"soun", &[0; 12], b"SoundHandler\0"];
        let reference = full(*b"url ", 0, 1, &[]); // in this file
        let data = full(*b"dref", 0, 0, &[&1u32.to_be_bytes(), &reference]);
        let information = atom(
            *b"minf",
            &[&full(*b"smhd", 0, 0, &[&[0; 4]]), &atom(*b"dinf", &[&data]), &self.tables()],
        );
        [full(*b"mdhd", self.version(), 0, &header), full(*b"hdlr", 0, 0, &handler), information]
            .concat()
    }

    fn tables(&self) -> Vec<u8> {
        let number = |value: usize| u32::try_from(value).expect("is bounded by the limits");
        let count = number(self.packets.len()).to_be_bytes();
        let sizes: Vec<u8> = self.packets.iter().flat_map(|size| size.to_be_bytes()).collect();
        let frames = number(PACKET_FRAMES).to_be_bytes();
        atom(
            *b"stbl",
            &[
                &full(*b"stsd", 0, 0, &[&1u32.to_be_bytes(), &self.sample_entry()]),
                &full(*b"stts", 0, 0, &[&1u32.to_be_bytes(), &count, &frames]),
                &self.chunks(),
                &full(*b"stsz", 0, 0, &[&[0; 4], &count, &sizes]),
                &self.places(),
                &rolls(count),
            ],
        )
    }

    /// Packets of a chunk: about a second, which is what players like to read at once.
    fn chunk_packets(&self) -> usize {
        (self.sample_rate_hz as usize / PACKET_FRAMES).max(1)
    }

    /// How many packets are in which chunk.
    fn chunks(&self) -> Vec<u8> {
        let each = self.chunk_packets();
        let (whole, rest) = (self.packets.len() / each, self.packets.len() % each);
        let row = |first: usize, packets: usize| {
            let field = |value: usize| u32::try_from(value).expect("is bounded by the limits");
            [field(first), field(packets), 1].map(u32::to_be_bytes).concat()
        };
        let whole_row = (whole > 0).then(|| row(1, each));
        let rest_row = (rest > 0).then(|| row(whole + 1, rest));
        let rows: Vec<Vec<u8>> = whole_row.into_iter().chain(rest_row).collect();
        let count = u32::try_from(rows.len()).expect("two at most").to_be_bytes();
        full(*b"stsc", 0, 0, &[&count, &rows.concat()])
    }

    /// Where each chunk begins.
    fn places(&self) -> Vec<u8> {
        let chunks = self.packets.chunks(self.chunk_packets());
        let count = u32::try_from(chunks.len()).expect("is bounded by the limits").to_be_bytes();
        let mut at = self.start;
        let mut places = Vec::new();
        for chunk in chunks {
            match u32::try_from(at) {
                Ok(short) if !self.is_long => places.extend(short.to_be_bytes()),
                _ => places.extend(at.to_be_bytes()),
            }
            at += chunk.iter().map(|size| u64::from(*size)).sum::<u64>();
        }
        full(if self.is_long { *b"co64" } else { *b"stco" }, 0, 0, &[&count, &places])
    }

    /// What the packets are.
    fn sample_entry(&self) -> Vec<u8> {
        // Rates beyond 16 bits stand in the configuration only.
        let rate = u16::try_from(self.sample_rate_hz).unwrap_or(0);
        let parts: [&[u8]; 7] = [
            &[0, 0, 0, 0, 0, 0, 0, 1], // reserved, and the number of the data reference
            &[0; 8],
            &self.channel_count.to_be_bytes(),
            &16u16.to_be_bytes(),
            &[0; 4],
            &[&rate.to_be_bytes()[..], &[0; 2]].concat(),
            &full(*b"esds", 0, 0, &[&self.descriptor()]),
        ];
        atom(*b"mp4a", &parts)
    }

    /// An `ES_Descriptor`.
    fn descriptor(&self) -> Vec<u8> {
        const AAC: u8 = 0x40;
        /// Audio, and a bit that must be set.
        const AUDIO_STREAM: u8 = 5 << 2 | 1;
        let largest = self.packets.iter().max().copied().unwrap_or(0);
        let bits = self.packets.iter().map(|size| u64::from(*size) * 8).sum::<u64>();
        let rate = u64::from(self.sample_rate_hz);
        let average = u32::try_from(bits * rate / self.decoded().max(1)).unwrap_or(u32::MAX);
        let peak = u64::from(largest) * 8 * rate / PACKET_FRAMES as u64;
        let mut decoder = vec![AAC, AUDIO_STREAM];
        decoder.extend(&largest.to_be_bytes()[1..]);
        decoder.extend(u32::try_from(peak).unwrap_or(u32::MAX).to_be_bytes());
        decoder.extend(average.to_be_bytes());
        decoder.extend(tagged(5, self.config));
        // The number of the stream, and no flags.
        let stream = [&[0, 0, 0][..], &tagged(4, &decoder), &tagged(6, &[2])].concat();
        tagged(3, &stream)
    }
}

/// A descriptor: what it is, a length of four times seven bits, and its content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a few bytes");
    let length = [21, 14, 7, 0].map(|shift| {
        let more = if shift > 0 { 0x80 } else { 0 };
        more | u8::try_from(length >> shift & 0x7f).expect("seven bits")
    });
    [&[tag][..], &length, content].concat()
}

/// Whoever begins at a packet must decode the one before it too: that of every packet.
fn rolls(count: [u8; 4]) -> Vec<u8> {
    let one = 1u32.to_be_bytes();
    let distance = (-1i16).to_be_bytes();
    let group = full(*b"sgpd", 1, 0, &[b"roll", &2u32.to_be_bytes(), &one, &distance]);
    let members = full(*b"sbgp", 0, 0, &[b"roll", &one, &count, &one]);
    [group, members].concat()
}
