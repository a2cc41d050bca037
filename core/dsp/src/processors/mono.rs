//! The parameter `mono` of the steps that measure loudness.

use crate::descriptor::{BuildError, ParamDefault, ParamDescriptor, ParamKind, Params};
use crate::loudness::MonoMode;

/// How a mono file counts.
pub(super) const PARAM: ParamDescriptor = ParamDescriptor {
    key: "mono",
    summary: "How a mono file is measured: as one channel (`single`), or as played by two \
        loudspeakers, 3 LU louder (`dual`).",
    kind: ParamKind::Choice(&["single", "dual"]),
    default: ParamDefault::Choice("single"),
};

/// What the parameter says.
pub(super) fn mode(params: &Params) -> Result<MonoMode, BuildError> {
    params.choice(PARAM.key, &[("single", MonoMode::Single), ("dual", MonoMode::Dual)])
}
