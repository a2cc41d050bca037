//! Processes of a daemon, found through `/proc`, alive or orphaned.

use std::path::Path;

/// A process that carries a mark in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its process group.
    pub group: i32,
    /// Its command line, words joined with blanks.
    pub command: String,
}

/// All processes (zombies left out) whose environment holds `NAME=VALUE`.
pub fn marked(name: &str, value: &str) -> Vec<Process> {
    let mark = format!("{name}={value}");
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| has_mark(path, mark.as_bytes()))
        .filter_map(|path| describe(&path))
        .collect()
}

/// Memory that a process holds now, in MiB.
pub fn resident_mib(pid: i32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Descriptors that a process has open.
pub fn descriptors(pid: i32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

fn has_mark(process: &Path, mark: &[u8]) -> bool {
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == mark)
}

fn describe(process: &Path) -> Option<Process> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // After the name in parentheses: state, parent, group.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    let group = fields.nth(1)?.parse().ok()?;
    let command = std::fs::read(process.join("cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
    Some(Process { pid, group, command })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::process::Command;

    #[test]
    fn marked_child_is_found_until_it_is_gone() {
        let value = std::process::id().to_string();
        let mut command = Command::new("cat");
        command.env("WAVEMILL_MARK_TEST", &value);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A process has its environment a moment after it began; once it answers, it has.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let found = marked("WAVEMILL_MARK_TEST", &value);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].pid, i32::try_from(child.id()).unwrap());
        assert_eq!(marked("WAVEMILL_MARK_TEST", &value), []);
    }
}
