//! What a module says of itself.

use crate::Effect;

/// The JSON that the effect's module carries.
pub fn json<E: Effect>() -> String {
    let description = E::DESCRIPTION;
    let mut bytes = vec![0; crate::json::length(&description)];
    crate::json::write_into(&description, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
