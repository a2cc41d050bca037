//! Delivery targets of the user's: those that were made in the window, and favorites.

mod store;

pub(crate) use store::{Change, Store, UserTargets};

/// What the names of targets in the user's file begin with; the id follows. Projects have these names, so that they find
/// the file of whoever opens them.
const OWN: &str = "own/";

/// The name of the target of this id in the user's file.
pub(crate) fn own_name(id: &str) -> String {
    format!("{OWN}{id}")
}

/// The id of a target in the user's file, of its name.
pub(crate) fn own_id(name: &str) -> Option<&str> {
    name.strip_prefix(OWN)
}
