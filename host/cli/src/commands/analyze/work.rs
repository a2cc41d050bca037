//! Files analyzed beside each other, with a bar on a terminal.

use super::charts::{self, Charts};
use super::files::Item;
use crate::analysis::{self, AnalyzeError, Cache, Part, Record};
use crate::commands::progress::Sum;
use crate::commands::{Context, parallel};
use crate::report::one_line;
use wavemill_core::music::RhythmOptions;

/// What became of an item; the reason of a failure reads on after its path.
pub(super) type Outcome = Result<ItemResult, String>;

/// What was found of an item.
pub(super) struct ItemResult {
    pub(super) record: Record,
    /// `None` where nobody draws them.
    pub(super) charts: Option<Charts>,
}

/// What is asked of every item.
#[derive(Clone, Copy)]
pub(super) struct MeasureRequest<'a> {
    pub(super) parts: &'a [Part],
    pub(super) rhythm: RhythmOptions,
    pub(super) cache: Option<&'a Cache>,
    /// Whether charts are drawn of it.
    pub(super) has_charts: bool,
}

/// Analyzes all items, in their order. The largest are begun first, so that no processor is left with
/// one of them at the end while the others have nothing to do.
pub(super) fn analyze_all(
    items: &[Item],
    wanted: MeasureRequest<'_>,
    context: &Context,
) -> Vec<Outcome> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(items[index].size_bytes));
    let sizes = items.iter().map(|item| item.size_bytes).filter(|size| *size < u64::MAX);
    let progress = Sum::new(context, items.len(), sizes.sum());
    let mut found = parallel::each(order.len(), context, |place| {
        let index = order[place];
        (index, analyze(&items[index], wanted, context, &progress))
    });
    progress.end();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

fn analyze(item: &Item, wanted: MeasureRequest<'_>, context: &Context, progress: &Sum) -> Outcome {
    let mut file = progress.file(if item.size_bytes == u64::MAX { 0 } else { item.size_bytes });
    let input = item.open(&context.settings.state.join("spool"))?;
    let MeasureRequest { parts, rhythm, cache, has_charts } = wanted;
    let failed = |error: AnalyzeError| one_line(&error.to_string());
    let record = analysis::analyze(&input, parts, rhythm, cache, &mut |share| file.set(share))
        .map_err(failed)?;
    let charts = has_charts.then(|| charts::of(&input)).transpose().map_err(failed)?;
    Ok(ItemResult { record, charts })
}
