//! What to change, most audible first.

use super::markup::Text;
use super::number::typeset;
use super::{PageFile, Scope, capitalized};
use crate::report::AdviceText;
use std::fmt::Write as _;

/// The advice on a file; `None` where nobody asked for any.
pub(super) fn section(file: &PageFile, _scope: Scope) -> Option<String> {
    let advised = file.recommendations.as_ref()?;
    let mut items = String::new();
    for advice in &advised.advice {
        let text = AdviceText::of(advice);
        let _ = write!(
            items,
            "<li><b>{}</b> <span>{}, wanted {} ({})</span><p>{} {}</p></li>",
            Text(&capitalized(&text.name)),
            typeset(&text.measured),
            typeset(&text.wanted),
            typeset(&text.difference),
            Text(&text.why),
            Text(&text.action)
        );
    }
    let list = if items.is_empty() {
        "<p>Nothing to change.</p>".to_owned()
    } else {
        format!("<ol class=\"advice\">{items}</ol>")
    };
    let profile = &advised.profile;
    Some(format!(
        "{list}<p class=\"remark\">By {}: {}.</p>",
        Text(&profile.name),
        Text(profile.origin())
    ))
}
