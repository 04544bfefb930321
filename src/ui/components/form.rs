//! What every form that is sent by script does: it is checked first, sent once at a time, keeps what was typed, and says
//! what is wrong where it is wrong. Without script the same form is posted by the browser.

use super::field::focus;
use crate::{domain::Error, ui::error::ErrorNotice};
use leptos::{prelude::*, task::spawn_local};

/// The state of a form.
#[derive(Clone, Copy)]
pub struct FormState {
    /// What was wrong with the last try.
    pub error: RwSignal<Option<Error>>,
    busy: RwSignal<bool>,
    /// The names of the fields, which are their ids too, in their order.
    fields: &'static [&'static str],
}

impl FormState {
    /// `posted` is what was wrong with the form when the browser posted it.
    pub fn new(posted: Option<Error>, fields: &'static [&'static str]) -> Self {
        Self { error: RwSignal::new(posted), busy: RwSignal::new(false), fields }
    }

    /// Sends the form unless something is wrong with it or it is being sent. `done` is told of success.
    pub fn send<T: 'static>(
        self,
        wrong: Option<Error>,
        answer: impl Future<Output = Result<T, Error>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        if let Some(wrong) = wrong {
            return self.refuse(wrong);
        }
        // What was wrong with the last try says nothing about this one.
        self.error.set(None);
        self.busy.set(true);
        spawn_local(async move {
            let answer = answer.await;
            // The page may be gone by now.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(answer) => done(answer),
                Err(error) => self.refuse(error),
            }
        });
    }

    /// Shows what is wrong and moves the focus to the first wrong field, once it says so.
    fn refuse(self, error: Error) {
        let first = self.fields.iter().find(|field| error.problem(field).is_some());
        self.error.set(Some(error));
        if let Some(field) = first {
            request_animation_frame(move || {
                focus(field);
            });
        }
    }

    /// `aria-busy` of the button.
    pub fn busy(self) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync + 'static {
        move || self.busy.get().then_some("true")
    }

    /// What is wrong and about no field of this form.
    pub fn notice(self) -> impl Fn() -> Option<AnyView> + Copy + Send + Sync + 'static {
        move || {
            let said = |error: &Error| self.fields.iter().any(|field| error.problem(field).is_some());
            let error = self.error.get().filter(|error| !said(error));
            error.map(|error| view! { <ErrorNotice error/> }.into_any())
        }
    }
}

/// Loads a page of the shop anew, so that nothing of the present one stays.
pub fn load(path: &str) {
    // Fails only for what is no address, and it comes from the server.
    let _ = window().location().assign(path);
}
