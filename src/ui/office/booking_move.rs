//! Moving a booking in the office. Each has a link to a form for date, time and person that works without script; with one
//! it can also be dragged by its grip, by mouse or finger: up and down by five minutes a step, sideways to another person
//! (in a day) or another day (in a week). A drag moves nothing: it fills in the form, which shows from where to where and
//! asks. What is asked stands in the address.

use crate::{
    api::{self, booking_office::MoveForCustomer},
    domain::{
        Error, Locale,
        booking::{
            after::minute_of,
            agenda::{Agenda, AgendaBooking, AgendaItem, AgendaResource, AgendaWhat, MoveOrder, dropped},
            date::LocalDate,
            words,
            zone::{LocalTime, Zone, clock},
        },
        texts::booking_office as t,
    },
    ui::{
        components::{
            field::{Field, TextField, described_by, focus, invalid, problem_of},
            form::FormState,
            icon::Icon,
            shell::use_toasts,
        },
        use_locale,
    },
};
use leptos::{
    ev, form::FromFormData, html, prelude::*, server_fn::ServerFn, wasm_bindgen::JsCast, web_sys::HtmlElement,
};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// The heading of the form, which takes the focus.
const TITLE: &str = "move-title";
/// The fields of the form; also their ids.
const FIELDS: &[&str] = &["date", "time", "resource"];
/// So many pixels up or down are a step.
const STEP_PIXELS: i32 = 8;

/// What is moved, and where to as far as that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moving {
    /// The claim that was picked up.
    pub claim: String,
    date: Option<String>,
    time: Option<String>,
    resource: Option<String>,
}

impl Moving {
    /// Reads an address; `None` where nothing is moved.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let text = |name: &str| get(name).filter(|text| !text.is_empty());
        Some(Self { claim: text("move")?, date: text("to_date"), time: text("to_time"), resource: text("to") })
    }
}

/// What the days of an agenda share.
#[derive(Clone, Copy)]
pub struct Hand {
    pub zone: StoredValue<Zone>,
    pub may_block: bool,
    /// The address of what is shown.
    pub page: StoredValue<String>,
    pub again: Callback<()>,
    /// Whether the client has taken the page over.
    alive: RwSignal<bool>,
    drag: RwSignal<Option<Drag>>,
}

/// A booking on its way.
#[derive(Clone, Debug, PartialEq)]
struct Drag {
    claim: String,
    /// When it begins now, by the clocks of the venue.
    from: LocalTime,
    /// Whose it is now: id and name.
    resource: (String, String),
    /// The column where it was picked up: its date, and how far to the left it is.
    column: (LocalDate, i32),
    /// Where the pointer was then, and is now.
    first: (i32, i32),
    last: (i32, i32),
    over: Option<Column>,
}

/// A column of the agenda below the pointer.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    date: LocalDate,
    /// Whose column it is; nobody's in a week.
    resource: Option<(String, String)>,
}

/// Where it would be dropped.
#[derive(Clone, Debug, PartialEq)]
struct Goal {
    date: LocalDate,
    minute: i64,
    resource: (String, String),
}

impl Drag {
    fn goal(&self) -> Goal {
        let (column, steps) = (self.column.0, i64::from((self.last.1 - self.first.1) / STEP_PIXELS));
        let days = self.over.as_ref().map_or(0, |over| column.until(over.date));
        let (date, minute) = dropped(self.from, days, steps);
        let other = self.over.as_ref().and_then(|over| over.resource.clone());
        Goal { date, minute, resource: other.unwrap_or_else(|| self.resource.clone()) }
    }

    fn is_elsewhere(&self) -> bool {
        let Goal { date, minute, resource } = self.goal();
        date != self.from.date || minute != self.from.minute || resource.0 != self.resource.0
    }
}

impl Hand {
    pub fn new(zone: Zone, may_block: bool, page: String, again: Callback<()>) -> Self {
        let (alive, drag) = (RwSignal::new(false), RwSignal::new(None));
        Effect::new(move |_| {
            alive.set(true);
            let escape = window_event_listener(ev::keydown, move |event| {
                if event.key() == "Escape" {
                    drag.set(None);
                }
            });
            on_cleanup(move || escape.remove());
        });
        Self { zone: StoredValue::new(zone), may_block, page: StoredValue::new(page), again, alive, drag }
    }

    fn local(self, moment: i64) -> LocalTime {
        self.zone.with_value(|zone| zone.local(moment))
    }

    /// The address of the form for a claim.
    fn form_href(self, claim: &str) -> String {
        let order = MoveOrder { claim: claim.to_owned(), ..MoveOrder::default() };
        self.page.with_value(|page| order.again(page))
    }
}

/// When and with whom: `12月24日 周四 14:00 · 吴`.
fn place(l: Locale, date: LocalDate, minute: i64, name: &str) -> String {
    format!("{} {} · {name}", words::date(l, date), clock(minute))
}

/// What is dragged, at the pointer, with where it would be dropped.
#[component]
pub fn Ghost(hand: Hand) -> impl IntoView {
    let l = use_locale();
    move || {
        hand.drag.get().map(|drag| {
            let Goal { date, minute, resource } = drag.goal();
            let (left, top) = (format!("{}px", drag.last.0), format!("{}px", drag.last.1));
            view! {
                <div class="agenda-ghost" aria-hidden="true" style:left=left style:top=top>
                    {place(l, date, minute, &resource.1)}
                </div>
            }
        })
    }
}

/// The column at a point of the window, unless it stands below or above the one where the drag began: there the way down
/// is a later time and nothing else.
fn column_at((x, y): (i32, i32), left: i32) -> Option<Column> {
    let element = document().element_from_point(x as f32, y as f32)?;
    let column = element.closest(".agenda-column[data-date]").ok()??.dyn_into::<HtmlElement>().ok()?;
    if column.offset_left() == left {
        return None;
    }
    let resource = column.get_attribute("data-resource");
    Some(Column {
        date: LocalDate::parse(&column.get_attribute("data-date")?)?,
        resource: resource.map(|id| (id, column.get_attribute("data-name").unwrap_or_default())),
    })
}

/// The ways to move a booking: a link for everybody, and a grip for pointers.
#[component]
pub fn MoveTools(hand: Hand, claim: String, booking: AgendaBooking, resource: (String, String)) -> impl IntoView {
    let l = use_locale();
    let navigate = use_navigate();
    let grip = NodeRef::<html::Span>::new();
    let href = hand.form_href(&claim);
    let from = hand.local(booking.start);
    let hidden = format!(" {} {}", from.clock(), booking.title);
    let down = move |event: ev::PointerEvent| {
        let Some(grip) = grip.get_untracked() else { return };
        let column = grip.closest(".agenda-column[data-date]").ok().flatten();
        let column = column.and_then(|column| column.dyn_into::<HtmlElement>().ok());
        let Some(column) = column.filter(|_| event.button() == 0) else { return };
        let date = column.get_attribute("data-date").and_then(|date| LocalDate::parse(&date));
        event.prevent_default();
        // Without it the pointer is followed as long as it stays on the grip.
        let _ = grip.set_pointer_capture(event.pointer_id());
        let at = (event.client_x(), event.client_y());
        hand.drag.set(Some(Drag {
            claim: claim.clone(),
            from,
            resource: resource.clone(),
            column: (date.unwrap_or(from.date), column.offset_left()),
            first: at,
            last: at,
            over: None,
        }));
    };
    let along = move |event: ev::PointerEvent| {
        if hand.drag.with_untracked(Option::is_none) {
            return;
        }
        let at = (event.client_x(), event.client_y());
        hand.drag.update(|drag| {
            if let Some(drag) = drag {
                (drag.last, drag.over) = (at, column_at(at, drag.column.1));
            }
        });
    };
    let up = move |_: ev::PointerEvent| {
        let Some(drag) = hand.drag.get_untracked() else { return };
        hand.drag.set(None);
        if !drag.is_elsewhere() {
            return;
        }
        let Goal { date, minute, resource } = drag.goal();
        let order = MoveOrder {
            claim: drag.claim,
            date: date.to_string(),
            time: clock(minute),
            resource: resource.0,
            ..MoveOrder::default()
        };
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        navigate(&hand.page.with_value(|page| order.again(page)), options);
    };
    let cancel = move |_: ev::PointerEvent| hand.drag.set(None);
    let (down, along, up) = (StoredValue::new(down), StoredValue::new(along), StoredValue::new(up));
    let grip = move || {
        hand.alive.get().then(|| {
            view! {
                <span
                    class="agenda-grip"
                    aria-hidden="true"
                    title=l.t(t::DRAG)
                    node_ref=grip
                    on:pointerdown=move |event| down.with_value(|down| down(event))
                    on:pointermove=move |event| along.with_value(|along| along(event))
                    on:pointerup=move |event| up.with_value(|up| up(event))
                    on:pointercancel=cancel
                >
                    <Icon name="menu" class="icon-sm"/>
                </span>
            }
        })
    };
    view! {
        <span class="agenda-move">
            {grip}
            <a class="btn btn-quiet btn-sm" href=href data-noscroll="">
                {l.t(t::MOVE)}<span class="visually-hidden">{hidden}</span>
            </a>
        </span>
    }
    .into_any()
}

/// The booking of a claim, and whose it is.
fn find<'a>(agenda: &'a Agenda, claim: &str) -> Option<(&'a AgendaResource, &'a AgendaBooking)> {
    let of = |resource: &'a AgendaResource| {
        let mut items = resource.days.iter().flat_map(|day| &day.items);
        let item: &AgendaItem = items.find(|item| item.id == claim)?;
        match &item.what {
            AgendaWhat::Booking(booking) if booking.open && resource.takes => Some((resource, booking)),
            _ => None,
        }
    };
    agenda.resources.iter().find_map(of)
}

/// Asks when and with whom a booking is to be instead.
#[component]
pub fn MovePanel(agenda: Agenda, hand: Hand, moving: Moving) -> impl IntoView {
    let l = use_locale();
    let (toasts, navigate) = (use_toasts(), use_navigate());
    let page = hand.page.get_value();
    let posted = ServerAction::<MoveForCustomer>::new().value().get_untracked().and_then(Result::err);
    let Some((resource, booking)) = find(&agenda, &moving.claim) else {
        return view! {
            <div class="notice notice-warn" role="alert">
                <Icon name="warning"/>
                <div class="notice-body">
                    <p class="notice-title">{l.t(t::MOVE_GONE)}</p>
                    <div class="notice-actions"><a class="btn btn-secondary btn-sm" href=page data-noscroll="">{l.t(t::KEEP)}</a></div>
                </div>
            </div>
        }
        .into_any();
    };
    let from = hand.local(booking.start);
    let state = FormState::new(posted, FIELDS);
    Effect::new(move |_| {
        request_animation_frame(|| {
            focus(TITLE);
        });
    });
    let now = l.f(t::MOVE_FROM, &[("when", &place(l, from.date, from.minute, &resource.name))]);
    let date = moving.date.clone().unwrap_or_else(|| from.date.to_string());
    let time = moving.time.clone().unwrap_or_else(|| clock(from.minute));
    let chosen = moving.resource.clone().unwrap_or_else(|| resource.id.clone());
    let then = moving.date.as_ref().and_then(|date| {
        let name = agenda.resources.iter().find(|other| other.id == chosen).map(|other| other.name.clone());
        let then = place(l, LocalDate::parse(date)?, minute_of(&time)?, &name.unwrap_or_default());
        Some(view! { <p><strong>{l.f(t::MOVE_TO, &[("when", &then)])}</strong></p> })
    });
    let submit = {
        let page = page.clone();
        move |event: ev::SubmitEvent| {
            let Ok(MoveForCustomer { form }) = MoveForCustomer::from_event(&event) else { return };
            event.prevent_default();
            let (page, navigate) = (page.clone(), navigate.clone());
            state.send(None, api::booking_office::move_for_customer(form), move |()| {
                toasts.show(l.t(t::MOVED));
                navigate(&page, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
                hand.again.run(());
            });
        }
    };
    // Somebody else was quicker: what is shown is not how it is.
    let changed = move || state.error.with(|error| *error == Some(Error::Conflict));
    let (notice, shown) = (state.notice(), page.clone());
    let wrong = move || {
        if !changed() {
            return notice().into_any();
        }
        view! {
            <div class="notice notice-warn" role="alert">
                <Icon name="warning"/>
                <div class="notice-body">
                    <p class="notice-title">{l.t(t::MOVE_CONFLICT)}</p>
                    <div class="notice-actions">
                        <a class="btn btn-secondary btn-sm" href=shown.clone() rel="external">{l.t(t::MOVE_LOOK)}</a>
                    </div>
                </div>
            </div>
        }
        .into_any()
    };
    let error = problem_of(state.error.into(), "resource");
    let option = |other: &AgendaResource| {
        let selected = other.id == chosen;
        view! { <option value=other.id.clone() selected=selected>{other.name.clone()}</option> }
    };
    let options = agenda.resources.iter().filter(|other| other.takes).map(option).collect_view();
    let hidden = |name: &'static str, value: String| view! { <input type="hidden" name=name value=value/> };
    view! {
        <section class="panel section-sm" aria-labelledby=TITLE>
            <h2 class="panel-title" id=TITLE tabindex="-1">{l.f(t::MOVE_TITLE, &[("title", &booking.title)])}</h2>
            <form class="form" action=MoveForCustomer::url() method="post" novalidate on:submit=submit>
                <p>{now}</p>
                {then}
                <p class="muted small">{l.t(t::MOVE_TEXT)}</p>
                {wrong}
                {hidden("form[number]", booking.number.clone())}
                {hidden("form[position]", booking.position.to_string())}
                {hidden("form[version]", booking.version.to_string())}
                {hidden("form[page]", page.clone())}
                {hidden("form[claim]", moving.claim.clone())}
                <div class="form-row">
                    <TextField
                        id="date" name="form[date]" kind="date" label=l.t(t::MOVE_DATE) value=date
                        error=problem_of(state.error.into(), "date")
                    />
                    <TextField
                        id="time" name="form[time]" kind="time" label=l.t(t::MOVE_TIME) value=time
                        error=problem_of(state.error.into(), "time")
                    />
                    <Field id="resource" label=l.t(t::MOVE_WHO) error>
                        <select
                            class="select"
                            id="resource"
                            name="form[resource]"
                            aria-invalid=invalid(error)
                            aria-describedby=described_by("resource", false, error)
                        >
                            {options}
                        </select>
                    </Field>
                </div>
                <div class="form-actions">
                    <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::MOVE_NOW)}</button>
                    <a class="btn btn-quiet" href=page data-noscroll="">{l.t(t::KEEP)}</a>
                </div>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drag(last: (i32, i32), over: Option<Column>) -> Drag {
        let date = LocalDate::parse("2026-12-24").unwrap_or(LocalDate::MIN);
        Drag {
            claim: "c".into(),
            from: LocalTime { date, minute: 14 * 60, offset_minutes: 480 },
            resource: ("wu".into(), "Wu".into()),
            column: (date, 0),
            first: (10, 100),
            last,
            over,
        }
    }

    #[test]
    fn a_drag_goes_by_steps_of_five_minutes_and_to_the_column_below_it() {
        let goal = |last, over| {
            let drag = drag(last, over);
            let goal = drag.goal();
            (goal.date.to_string(), clock(goal.minute), goal.resource.0, drag.is_elsewhere())
        };
        let told = |date: &str, time: &str, who: &str, elsewhere: bool| {
            (date.to_owned(), time.to_owned(), who.to_owned(), elsewhere)
        };
        assert_eq!(goal((10, 100 + STEP_PIXELS - 1), None), told("2026-12-24", "14:00", "wu", false));
        assert_eq!(goal((10, 100 + 6 * STEP_PIXELS), None), told("2026-12-24", "14:30", "wu", true));
        assert_eq!(goal((10, 100 - STEP_PIXELS), None), told("2026-12-24", "13:55", "wu", true));
        let column = |days: i64, who: Option<&str>| {
            let date = drag((0, 0), None).column.0.plus(days);
            Some(Column { date, resource: who.map(|id| (id.to_owned(), id.to_owned())) })
        };
        assert_eq!(goal((300, 100), column(0, Some("li"))), told("2026-12-24", "14:00", "li", true));
        assert_eq!(goal((300, 100), column(2, None)), told("2026-12-26", "14:00", "wu", true));
    }

    #[test]
    fn what_is_moved_is_read_from_the_address_that_asks_for_it() {
        let order =
            MoveOrder { claim: "c".into(), date: "2026-12-24".into(), time: "18:30".into(), ..Default::default() };
        assert_eq!(order.again("/office/bookings"), "/office/bookings?move=c&to_date=2026-12-24&to_time=18%3A30&to=");
        let values = [("move", "c"), ("to_date", "2026-12-24"), ("to_time", "18:30"), ("to", "")];
        let get = |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let moving = Moving::read(get).unwrap_or_default();
        assert_eq!((moving.claim.as_str(), moving.time.as_deref(), moving.resource), ("c", Some("18:30"), None));
        assert_eq!(Moving::read(|_| None), None);
    }
}
