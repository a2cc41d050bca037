//! Readings as parameters that a DAW reads.

use crate::component::{Component, Mode};
use crate::signals::{LOUDNESS_TOLERANCE_LU, tone};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_;

/// Ids, as projects and scripts know them: they never change.
const IDS: [u32; 7] = [1001, 1002, 1003, 1004, 1005, 1006, 1007];

#[test]
fn vst3_outputs_are_listed_behind_the_parameters_and_only_read() {
    let component = Component::new();
    let listed = component.params();
    let outputs = &listed[listed.len() - 7..];
    assert_eq!(outputs.iter().map(|info| info.id).collect::<Vec<_>>(), IDS);
    for info in &listed {
        let is_output = IDS.contains(&info.id);
        assert_eq!(info.flags & ParameterFlags_::kIsReadOnly != 0, is_output);
        assert_eq!(info.flags & ParameterFlags_::kCanAutomate == 0, is_output);
    }
}

/// EBU Tech 3341, case 1.
#[test]
fn vst3_outputs_say_what_was_measured_and_are_sent_as_it_changes() {
    let component = Component::new();
    component.restart(Mode::RealTime);
    let texts = IDS.map(|id| component.text(id));
    assert_eq!(texts, ["none", "none", "none", "none", "none", "none", "none"]);
    let plane = tone(&[(-23.0, 20.0)]);
    for piece in plane.chunks(480) {
        component.process(&[piece.to_vec(), piece.to_vec()], 2, Mode::RealTime);
    }
    for id in [1001, 1002, 1003, 1005] {
        let value = component.plain(id);
        assert!((value + 23.0).abs() <= LOUDNESS_TOLERANCE_LU, "{id}: {value}");
        let sent = component.sent.borrow()[&id];
        assert!((sent * 120.0 - 100.0 - value).abs() < 1e-9, "{id}: {sent}");
    }
    let texts = IDS.map(|id| component.text(id));
    assert_eq!(texts, ["-23.0", "-23.0", "-23.0", "0.0", "-23.0", "pass", "0"]);
    // What a host wants to set it to is of no consequence.
    component.set(1001, 1.0);
    assert_eq!(component.text(1001), "-23.0");
    while component.sent.borrow().get(&1006) != Some(&(1.0 / 3.0)) {
        component.process(&[vec![0.0; 64], vec![0.0; 64]], 2, Mode::RealTime);
        std::thread::yield_now();
    }
}
