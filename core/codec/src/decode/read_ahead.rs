//! Reading ahead.

use std::io::{BufReader, Read, Result, Seek, SeekFrom};

/// Reads ahead, and waits for its source while it does. A seek to what it still holds only moves in it, where that of a
/// [`BufReader`] forgets everything: a walk over headers that lie close together reads each byte once.
///
/// Errors are those of the source; where it reads next is asked of the source after one.
#[derive(Debug)]
pub struct ReadAhead<S> {
    /// Where it reads next; unknown after an error.
    position: Option<u64>,
    source: BufReader<S>,
}

impl<S: Read> ReadAhead<S> {
    /// Reads up to `capacity_bytes` bytes at once, and holds as many.
    pub fn new(capacity_bytes: usize, source: S) -> Self {
        Self { position: None, source: BufReader::with_capacity(capacity_bytes, source) }
    }
}

impl<S: Read> Read for ReadAhead<S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let position = self.position.take();
        let count = self.source.read(buffer)?;
        self.position = position.map(|position| position + count as u64);
        Ok(count)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        let position = self.position.take();
        self.source.read_exact(buffer)?;
        self.position = position.map(|position| position + buffer.len() as u64);
        Ok(())
    }
}

impl<S: Read + Seek> Seek for ReadAhead<S> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let near = self.position.take().and_then(|from| way(from, to));
        let position = match near {
            Some((by, position)) => {
                self.source.seek_relative(by)?;
                position
            }
            None => self.source.seek(to)?,
        };
        self.position = Some(position);
        Ok(position)
    }

    fn stream_position(&mut self) -> Result<u64> {
        match self.position {
            Some(position) => Ok(position),
            None => self.source.stream_position(),
        }
    }
}

/// How far it is from a position, and to which; `None` where only the source knows.
fn way(from: u64, to: SeekFrom) -> Option<(i64, u64)> {
    match to {
        SeekFrom::Start(to) => Some((i64::try_from(i128::from(to) - i128::from(from)).ok()?, to)),
        SeekFrom::Current(by) => Some((by, from.checked_add_signed(by)?)),
        SeekFrom::End(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Counts the bytes that are read of a source.
    struct Counted(Cursor<Vec<u8>>, usize);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let count = self.0.read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn walk_over_headers_reads_each_byte_once() {
        let bytes: Vec<u8> = (0..=250).cycle().take(100_000).collect();
        let mut reader = ReadAhead::new(4096, Counted(Cursor::new(bytes), 0));
        for start in (0..100_000_u64).step_by(100) {
            let mut header = [0; 8];
            reader.seek(SeekFrom::Start(start)).unwrap();
            reader.read_exact(&mut header).unwrap();
            assert_eq!(u64::from(header[0]), start % 251);
        }
        assert!(reader.source.get_ref().1 <= 100_000 + 4096, "{}", reader.source.get_ref().1);
    }

    #[test]
    fn reads_and_seeks_are_those_of_its_source() {
        let bytes: Vec<u8> = (0..=250).cycle().take(5000).collect();
        let (mut plain, mut state) = (Cursor::new(bytes.clone()), 1_u64);
        let mut reader = ReadAhead::new(64, Cursor::new(bytes));
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..20_000 {
            let to = match random(5) {
                0 => SeekFrom::Start(random(5200)),
                1 => SeekFrom::Current(random(300).cast_signed() - 150),
                2 => SeekFrom::End(random(200).cast_signed() - 150),
                _ => {
                    let mut buffers = [[0; 200]; 2];
                    let length = usize::try_from(random(200)).unwrap();
                    let [a, b] = &mut buffers;
                    let is_whole = plain.read_exact(&mut a[..length]).is_ok();
                    assert_eq!(reader.read_exact(&mut b[..length]).is_ok(), is_whole);
                    if is_whole {
                        assert_eq!(buffers[0], buffers[1]);
                    } else {
                        // Where either is then is its own matter.
                        assert_eq!(reader.rewind().ok(), plain.rewind().ok());
                    }
                    continue;
                }
            };
            assert_eq!(reader.seek(to).ok(), plain.seek(to).ok(), "{to:?}");
            assert_eq!(reader.stream_position().unwrap(), plain.position());
        }
    }
}
