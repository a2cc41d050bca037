//! A folder of the index, and its files by name.

use super::file::{File, IndexedFile};
use super::stat::Identity;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};

/// Entries that a list grows by at least.
const GROWTH_MIN: usize = 4;

/// Part of its length that a list grows by: doubling would leave room for a million files unused.
const GROWTH_PART: usize = 8;

/// A folder.
#[derive(Default)]
pub(super) struct Folder {
    /// Who it was when it was last listed; `None` before.
    pub(super) identity: Option<Identity>,
    /// The reason reported for not listing it.
    pub(super) reported: Option<String>,
    /// Its folders, with the number of the last listing that saw them.
    pub(super) folders: HashMap<OsString, u64>,
    /// Its files.
    pub(super) files: Files,
}

/// Files by name: a list without gaps, and a table of four bytes for each place in it.
#[derive(Default)]
pub(super) struct Files {
    list: Vec<FolderEntry>,
    places: HashTable<u32>,
    state: RandomState,
}

struct FolderEntry {
    name: Box<OsStr>,
    file: IndexedFile,
}

impl Folder {
    /// Whether nothing is known to be in it.
    pub(super) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.len() == 0
    }
}

impl Files {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// A file, if it is there.
    pub(super) fn get(&self, name: &OsStr) -> Option<&IndexedFile> {
        let is_it = |place: &u32| self.list[*place as usize].name.as_ref() == name;
        let place = self.places.find(self.state.hash_one(name), is_it)?;
        Some(&self.list[*place as usize].file)
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OsStr, &IndexedFile)> {
        self.list.iter().map(|named| (named.name.as_ref(), &named.file))
    }

    /// Changes a file, made if it is not there.
    pub(super) fn change<T>(&mut self, name: &OsStr, change: impl FnOnce(&mut File) -> T) -> T {
        let Self { list, places, state } = self;
        let is_it = |place: &u32| list[*place as usize].name.as_ref() == name;
        let hash_of = |place: &u32| state.hash_one(list[*place as usize].name.as_ref());
        match places.entry(state.hash_one(name), is_it, hash_of) {
            Entry::Occupied(entry) => {
                let place = *entry.get() as usize;
                list[place].file.change(change)
            }
            Entry::Vacant(entry) => {
                entry.insert(place_of(list.len()));
                let mut file = File::default();
                let result = change(&mut file);
                if list.len() == list.capacity() {
                    list.reserve_exact(list.len() / GROWTH_PART + GROWTH_MIN);
                }
                list.push(FolderEntry { name: name.into(), file: IndexedFile::new(file) });
                result
            }
        }
    }

    /// Forgets a file and returns what was known of it.
    pub(super) fn remove(&mut self, name: &OsStr) -> Option<File> {
        let Self { list, places, state } = self;
        let is_it = |place: &u32| list[*place as usize].name.as_ref() == name;
        let entry = places.find_entry(state.hash_one(name), is_it).ok()?;
        let (place, _) = entry.remove();
        let removed = list.swap_remove(place as usize);
        // The last one is in its place now.
        if let Some(moved) = list.get(place as usize) {
            let former = place_of(list.len());
            let hash = state.hash_one(moved.name.as_ref());
            if let Some(moved) = places.find_mut(hash, |other| *other == former) {
                *moved = place;
            }
        }
        self.shrink();
        Some(removed.file.file())
    }

    /// Gives memory back when most of it is not used.
    fn shrink(&mut self) {
        let Self { list, places, state } = self;
        if list.capacity() > 2 * (list.len() + GROWTH_MIN) {
            list.shrink_to(list.len() + GROWTH_MIN);
            places
                .shrink_to(list.len(), |place| state.hash_one(list[*place as usize].name.as_ref()));
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "four thousand million files do not fit into memory"
)]
fn place_of(index: usize) -> u32 {
    index as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn files_are_found_by_name_whatever_was_removed() {
        let mut files = Files::default();
        let mut expected = BTreeMap::new();
        // A generator of Lehmer's: names come, change and go in no order.
        let mut random = 1_u64;
        for step in 0..20_000_u64 {
            random = random * 48_271 % 0x7fff_ffff;
            // Grows at first, then shrinks.
            let removes = random % 100 < if step < 10_000 { 20 } else { 70 };
            let name = OsString::from(format!("{}.wav", random / 100 % 3_000));
            if removes {
                let removed = files.remove(&name).map(|file| file.seen);
                assert_eq!(removed, expected.remove(&name));
            } else {
                files.change(&name, |file| file.seen = step);
                expected.insert(name, step);
            }
        }
        assert_eq!(files.len(), expected.len());
        let all: BTreeMap<_, _> =
            files.iter().map(|(name, file)| (name.to_owned(), file.seen())).collect();
        assert_eq!(all, expected);
        for (name, seen) in &expected {
            assert_eq!(files.get(name).map(IndexedFile::seen), Some(*seen));
        }
    }

    #[test]
    fn memory_follows_the_number_of_files_up_and_down() {
        let mut files = Files::default();
        let name = |number: usize| OsString::from(number.to_string());
        for number in 0..10_000 {
            files.change(&name(number), |_| {});
        }
        assert!(files.list.capacity() <= 10_000 + 10_000 / GROWTH_PART + GROWTH_MIN);
        for number in 10..10_000 {
            files.remove(&name(number));
        }
        assert!(files.list.capacity() <= 2 * (10 + GROWTH_MIN) && files.places.capacity() < 100);
    }
}
