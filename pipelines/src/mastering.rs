//! A pipeline that does what advice on a master asks for, as far as a pipeline can.

use std::fmt::Write as _;
use wavemill_core::advice::{
    Advice, Band, CORRECTION_DB_MAX, FilterShape, Level, Measure, Profile, advise,
};
use wavemill_core::analysis::Analysis;
use wavemill_core::units::{Dbtp, Lufs};

/// A master and what is wanted of it.
#[derive(Clone, Copy, Debug)]
pub struct Master<'m> {
    /// Its name, for remarks.
    pub name: &'m str,
    /// What was measured of it.
    pub analysis: &'m Analysis,
    /// What it is held against.
    pub profile: &'m Profile,
    /// How much of the advice is followed.
    pub level: Level,
}

/// Ceiling where a profile has none.
const CEILING: Dbtp = Dbtp(-1.0);

/// The text of a pipeline file: an equalizer for the bands, then the loudness with a limiter, then a file
/// of 24 bits. Where the equalizer works and the loudness is fine, the file keeps its loudness, so that
/// both can be compared by ear. `None` where nothing is advised that a pipeline can do: width and
/// dynamics are left to the mix.
pub fn pipeline(master: Master<'_>) -> Option<String> {
    let Master { name, analysis, profile, level } = master;
    let advice = advise(analysis, profile, level);
    let equalizer = equalizer(&advice);
    let loudness = loudness(&advice, analysis, !equalizer.is_empty());
    let ceiling = profile.true_peak_max_dbtp.unwrap_or(CEILING).0;
    let level_step = match loudness {
        Some(Lufs(target)) => format!(
            "# At most {CORRECTION_DB_MAX} dB of limiting; a master that would need more stays quieter, and the \
            report says by how much.\n[[step]]\nuse = \"loudness\"\nwith = {{ target_lufs = {target:.1}, \
            ceiling_dbtp = {ceiling:.1}, mode = \"limit\", max_reduction_db = {CORRECTION_DB_MAX:.1} }}\n"
        ),
        None if equalizer.is_empty() && !is_advised(&advice, Measure::TruePeakDbtp) => return None,
        None => format!("[[step]]\nuse = \"limit\"\nwith = {{ ceiling_dbtp = {ceiling:.1} }}\n"),
    };
    let steps: Vec<String> =
        [equalizer, level_step].into_iter().filter(|step| !step.is_empty()).collect();
    let (name, profile) = (plain(name), plain(&profile.name));
    Some(format!(
        "# Advice on {name}, held against \"{profile}\", at the level {}.\n\
        # A starting point, not a master: run it with `wavemill run`, listen, and change what your ears \
        say.\nversion = 1\n\n[pipeline]\nname = \"mastered\"\n\n{}\n[[export]]\nformat = \"wav\"\n\
        bit_depth = 24\npath = \"outbox/mastered/{{reldir}}/{{stem}}.{{ext}}\"\n\n\
        [report]\njson = \"outbox/mastered/{{reldir}}/{{stem}}.json\"\n",
        level.name(),
        steps.join("\n"),
    ))
}

/// A text that stays within its line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_advised(advice: &[Advice], measure: Measure) -> bool {
    advice.iter().any(|one| one.measure == measure)
}

/// The step of the equalizer; empty where no band is to be changed.
fn equalizer(advice: &[Advice]) -> String {
    let mut keys = String::new();
    let mut count = 0;
    for band in Band::ALL {
        let of_band = |one: &&Advice| one.measure == Measure::BandLevelDb && one.band == Some(band);
        let Some(advice) = advice.iter().find(of_band) else { continue };
        let gain = advice.correction_db.filter(|gain| gain.abs() > 0.0);
        let Some(gain) = gain else { continue };
        count += 1;
        let filter = band.filter();
        let shape = match filter.shape {
            FilterShape::LowShelf => "low-shelf",
            FilterShape::Peak => "peak",
            FilterShape::HighShelf => "high-shelf",
        };
        let (hertz, q) = (filter.frequency.0, filter.q);
        let _ = write!(
            keys,
            "# {}: {:.1} dB of the whole, {:+.1} dB out of range. {}.\nband_{count}_type = \"{shape}\"\n\
            band_{count}_frequency_hz = {hertz:.1}\nband_{count}_gain_db = {gain:.1}\n\
            band_{count}_q = {q:.2}\n",
            band.name(),
            advice.measured,
            advice.difference,
            advice.action,
        );
    }
    if keys.is_empty() {
        return keys;
    }
    format!("[[step]]\neffect = \"parametric-eq\"\n[step.with]\n{keys}")
}

/// The loudness to aim at: the one advised, or its own where something else changes it.
fn loudness(advice: &[Advice], analysis: &Analysis, is_changed: bool) -> Option<Lufs> {
    let own = analysis.loudness.as_ref()?.integrated_lufs?;
    let advised = advice.iter().find(|one| one.measure == Measure::IntegratedLufs);
    let aim = advised.and_then(|one| Some(one.measured + one.correction_db?));
    aim.or(is_changed.then_some(own.0)).map(|lufs| Lufs(lufs.clamp(-70.0, 0.0)))
}

#[cfg(all(test, feature = "effects"))]
mod tests {
    use super::*;
    use crate::model::Defaults;
    use crate::{Effects, load, profiles};
    use wavemill_core::analysis::{Options, analyze};
    use wavemill_core::audio::{PcmFormat, StreamSpec};
    use wavemill_core::loudness::LoudnessReport;
    use wavemill_core::units::Lufs;

    /// Six seconds of stereo pink noise: white noise through P. Kellet's filter, "economy" version.
    fn pink(amplitude: f64) -> Analysis {
        let mut state = 7u64;
        let mut channel = || {
            let mut poles = [0.0f64; 3];
            let mut sample = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let white = (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0;
                poles[0] = 0.99765 * poles[0] + white * 0.0990460;
                poles[1] = 0.96300 * poles[1] + white * 0.2965164;
                poles[2] = 0.57000 * poles[2] + white * 1.0526913;
                #[expect(clippy::cast_possible_truncation, reason = "samples are single floats")]
                let sample = ((poles.iter().sum::<f64>() + white * 0.1848) * amplitude) as f32;
                sample
            };
            (0..6 * 48_000).map(|_| sample()).collect::<Vec<f32>>()
        };
        let (left, right) = (channel(), channel());
        let spec = StreamSpec::new(48_000, 2);
        analyze(&[&left, &right], &spec, PcmFormat::FLOAT, &Options::default())
            .expect("samples are finite")
    }

    fn text(analysis: &Analysis, profile: &Profile, level: Level) -> Option<String> {
        pipeline(Master { name: "a\nb.wav", analysis, profile, level })
    }

    #[test]
    fn pink_noise_gets_sane_corrections_from_every_profile() {
        let analysis = pink(0.05);
        for profile in profiles::shipped() {
            let advice = advise(&analysis, profile, Level::Assertive);
            let high = advice
                .iter()
                .find(|one| one.measure == Measure::BandLevelDb && one.band == Some(Band::High))
                .unwrap_or_else(|| panic!("pink noise is bright for {}", profile.id));
            assert!(high.difference > 0.0 && high.correction_db < Some(-1.0), "{high:?}");
            for one in &advice {
                let is_small = one.correction_db.is_none_or(|db| db.abs() <= CORRECTION_DB_MAX);
                assert!(is_small && one.importance < 20.0, "{}: {one:?}", profile.id);
            }
        }
    }

    #[test]
    fn pipelines_for_all_profiles_and_levels_load() {
        let analysis = pink(0.05);
        for profile in profiles::shipped().iter().chain([&Profile::general()]) {
            for level in Level::ALL {
                let Some(text) = text(&analysis, profile, level) else { continue };
                let loaded = load(&text, &Defaults::default(), &Effects::default());
                let loaded = loaded.unwrap_or_else(|found| panic!("{found:?}\n{text}"));
                assert!(loaded.warnings.is_empty(), "{:?}\n{text}", loaded.warnings);
                assert!(text.contains("effect = \"parametric-eq\""), "{}: {text}", profile.id);
            }
        }
    }

    #[test]
    fn pipeline_equalizes_then_sets_the_loudness_below_the_ceiling() {
        let text = text(&pink(0.05), &profiles::find("techno").profile, Level::Assertive).unwrap();
        for part in ["band_1_type = \"low-shelf\"", "use = \"loudness\"", "ceiling_dbtp = -1.0"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn peaks_alone_are_limited_and_nothing_is_written_for_a_master_that_is_fine() {
        let loudness = |peak| LoudnessReport {
            integrated_lufs: Some(Lufs(-9.0)),
            true_peak_dbtp: Some(Dbtp(peak)),
            ..LoudnessReport::default()
        };
        let analysis = |peak| Analysis { loudness: Some(loudness(peak)), ..Analysis::default() };
        let profile = Profile::general();
        assert_eq!(text(&analysis(-1.5), &profile, Level::Assertive), None);
        let text = text(&analysis(0.5), &profile, Level::Assertive).unwrap();
        assert!(text.contains("use = \"limit\"\nwith = { ceiling_dbtp = -1.0 }"), "{text}");
        assert!(text.starts_with("# Advice on a b.wav, held against \"General\""), "{text}");
        assert!(load(&text, &Defaults::default(), &Effects::default()).is_ok());
    }
}
