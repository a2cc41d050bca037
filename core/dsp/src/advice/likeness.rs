//! Which profile a balance is most like.

use super::{Band, Profile};
use wavemill_audio::units::Decibels;

/// Levels of bands by that of all together, in the order of [`Band::ALL`].
type Balance = [Option<Decibels>; Band::ALL.len()];

/// A balance farther from a profile than this is not like it: its bands are out of their ranges on average. Pink noise is
/// at 1.4 or more from every profile that comes with Wavemill, speech at 2 or more.
const DISTANCE_MAX: f64 = 1.25;

/// The profile whose balance is nearest; `None` where none is near, or a band is not known. By the balance of bands
/// alone: music of a genre may have that of another.
pub fn nearest<'a>(profiles: &'a [Profile], balance: &Balance) -> Option<&'a Profile> {
    let near = profiles.iter().filter_map(|profile| {
        let distance = distance(profile, balance)?;
        (distance <= DISTANCE_MAX).then_some((profile, distance))
    });
    near.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(profile, _)| profile)
}

/// How far the bands lie from the middles of their ranges, as the root of the mean square, in halves of those ranges:
/// at most 1 where all are inside.
fn distance(profile: &Profile, balance: &Balance) -> Option<f64> {
    let mut sum = 0.0;
    for (ranges, level) in profile.bands.iter().zip(balance) {
        let (min, max) = ranges.level_db.min.zip(ranges.level_db.max)?;
        let half = f64::max((max.0 - min.0) / 2.0, f64::MIN_POSITIVE);
        let places = ((*level)?.0 - f64::midpoint(min.0, max.0)) / half;
        sum += places * places;
    }
    Some((sum / balance.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Range;

    fn profile(id: &str, middles_db: [f64; 5]) -> Profile {
        let mut profile = Profile { id: id.to_owned(), ..Profile::default() };
        for (band, middle) in profile.bands.iter_mut().zip(middles_db) {
            band.level_db = Range::new(Decibels(middle - 2.0), Decibels(middle + 2.0));
        }
        profile
    }

    fn id(profiles: &[Profile], balance: [f64; 5]) -> Option<&str> {
        let balance = balance.map(|level| Some(Decibels(level)));
        nearest(profiles, &balance).map(|profile| profile.id.as_str())
    }

    #[test]
    fn nearest_profile_is_the_one_whose_middles_are() {
        let dark = [-2.0, -8.0, -12.0, -18.0, -24.0];
        let bright = [-3.0, -10.0, -9.0, -12.0, -15.0];
        let profiles = [profile("dark", dark), profile("bright", bright)];
        assert_eq!(id(&profiles, dark), Some("dark"));
        assert_eq!(id(&profiles, bright), Some("bright"));
        assert_eq!(id(&profiles, dark.map(|level| level + 1.0)), Some("dark"));
    }

    #[test]
    fn balance_that_is_far_from_all_is_like_none() {
        let middles = [-2.0, -8.0, -12.0, -18.0, -24.0];
        let profiles = [profile("one", middles)];
        assert_eq!(id(&profiles, middles.map(|level| level + 2.4)), Some("one"));
        assert_eq!(id(&profiles, middles.map(|level| level + 2.6)), None);
        let mut balance = middles.map(|level| Some(Decibels(level)));
        balance[4] = None;
        assert_eq!(nearest(&profiles, &balance), None, "a band is not known");
    }

    /// A profile of a reference that has no value somewhere is like nothing.
    #[test]
    fn profile_without_ranges_is_never_the_nearest() {
        assert_eq!(id(&[Profile::default()], [-2.0, -8.0, -12.0, -18.0, -24.0]), None);
    }
}
