//! Open files on a socket: what a daemon sends with a line, and how a worker takes it.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Writes a line with an open file, which arrives with its first byte.
pub(super) fn send_with(socket: &mut UnixStream, line: &[u8], file: impl AsFd) -> io::Result<()> {
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    let sent = sendmsg(socket.as_fd(), &[IoSlice::new(line)], &mut ancillary, SendFlags::NOSIGNAL)?;
    socket.write_all(&line[sent..])
}

/// The reading end of a socket; keeps the open files that came, in their order.
#[derive(Debug)]
pub(super) struct FileReceiver {
    socket: UnixStream,
    files: VecDeque<OwnedFd>,
}

impl FileReceiver {
    pub(super) fn of(socket: UnixStream) -> Self {
        Self { socket, files: VecDeque::new() }
    }

    /// The open file that came with a line that was read, if one did.
    pub(super) fn take(&mut self) -> Option<OwnedFd> {
        self.files.pop_front()
    }
}

impl Read for FileReceiver {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(bytes)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let read = recvmsg(self.socket.as_fd(), &mut parts, &mut ancillary, flags)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files.extend(files);
            }
        }
        Ok(read.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{BufRead, BufReader};

    #[test]
    fn files_come_in_the_order_of_their_lines() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        ours.write_all(b"first\n").unwrap();
        for name in ["a", "b"] {
            let path = folder.path().join(name);
            File::create(&path).unwrap().write_all(name.as_bytes()).unwrap();
            send_with(&mut ours, format!("{name}\n").as_bytes(), File::open(path).unwrap())
                .unwrap();
            ours.write_all(b"between\n").unwrap();
        }
        drop(ours);
        let mut reader = BufReader::new(FileReceiver::of(theirs));
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                break;
            }
            if line.len() == 2 {
                let mut text = String::new();
                File::from(reader.get_mut().take().unwrap()).read_to_string(&mut text).unwrap();
                assert_eq!(line.trim(), text);
            }
            lines.push(line);
        }
        assert_eq!(lines, ["first\n", "a\n", "between\n", "b\n", "between\n"]);
        assert!(reader.get_mut().take().is_none());
    }
}
