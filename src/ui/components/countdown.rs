//! A clock that runs down to a moment the server set, whatever the browser's clock says.

use crate::api::page::now as clock;
use leptos::prelude::*;
use std::time::Duration;

/// The milliseconds left of a time that the server's clock counts, never negative. `now` and `until` are the server's,
/// in UTC milliseconds; the browser only measures how much has passed since.
pub fn use_countdown(now: i64, until: i64) -> Signal<i64> {
    let total = (until - now).max(0);
    let left = RwSignal::new(total);
    Effect::new(move |_| {
        let begun = clock();
        let ticking: StoredValue<Option<IntervalHandle>> = StoredValue::new(None);
        let stop = move || {
            if let Some(Some(handle)) = ticking.try_update_value(Option::take) {
                handle.clear();
            }
        };
        let tick = move || {
            let now_left = (total - (clock() - begun)).max(0);
            left.try_set(now_left);
            if now_left == 0 {
                stop();
            }
        };
        ticking.set_value(set_interval_with_handle(tick, Duration::from_secs(1)).ok());
        on_cleanup(stop);
    });
    left.into()
}

/// `12:41`, or `1:02:41` from an hour on; a begun second counts whole.
pub fn clock_text(left_ms: i64) -> String {
    let seconds = (left_ms.max(0) + 999) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// For machines, as in `<time datetime>`: `PT12M41S`.
fn duration(left_ms: i64) -> String {
    let seconds = (left_ms.max(0) + 999) / 1000;
    format!("PT{}M{}S", seconds / 60, seconds % 60)
}

/// The digits of a countdown, from [`use_countdown`].
#[component]
pub fn Countdown(#[prop(into)] left: Signal<i64>) -> impl IntoView {
    view! { <time class="countdown" datetime=move || duration(left.get())>{move || clock_text(left.get())}</time> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_second_counts_whole() {
        assert_eq!(clock_text(760_001), "12:41");
        assert_eq!(clock_text(761_000), "12:41");
        assert_eq!(clock_text(1), "00:01");
        assert_eq!(clock_text(-5), "00:00");
        assert_eq!(clock_text(3_761_000), "1:02:41");
        assert_eq!(duration(761_000), "PT12M41S");
    }
}
