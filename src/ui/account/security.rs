//! Account and security: what the person is called, the password, the passkeys, the second factor, and the devices.

use super::{
    Done, Narrow, SignInFirst, devices::Devices, passkeys::Passkeys, password::PasswordForm, profile::ProfileForm,
    second_factor::SecondFactorSection,
};
use crate::{
    api,
    domain::texts::{account as t, passkey},
    ui::{components::skeleton::SkeletonText, error::ErrorNotice, use_locale},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn SecurityPage() -> impl IntoView {
    let l = use_locale();
    let profile = Resource::new(|| (), |()| api::account::me());
    let query = use_query_map();
    // A form without script says here what came of it; with script it does so itself.
    let done = move || {
        let text = match query.with(|query| query.get("done"))?.as_str() {
            "profile" => t::PROFILE_SAVED,
            "password" => t::PASSWORD_SAVED,
            "device" | "devices" => t::DEVICES_ENDED,
            "passkey" => passkey::ADDED,
            "passkey_renamed" => passkey::RENAMED,
            "passkey_removed" => passkey::REMOVED,
            _ => return None,
        };
        Some(view! { <Done text=l.t(text)/> })
    };
    view! {
        <Narrow title=l.t(t::SECURITY_TITLE)>
            {done}
            <Suspense fallback=|| view! { <div class="panel"><SkeletonText lines=6/></div> }>
                {move || Suspend::new(async move {
                    match profile.await {
                        Ok(Some(profile)) => view! {
                            <ProfileForm profile=profile.clone()/>
                            <PasswordForm profile=profile.clone()/>
                            <Passkeys profile/>
                            <SecondFactorSection/>
                            <Devices/>
                        }
                        .into_any(),
                        Ok(None) => view! { <SignInFirst to="/me/security" text=l.t(t::SIGN_IN_FIRST)/> }.into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Suspense>
        </Narrow>
    }
    .into_any()
}
