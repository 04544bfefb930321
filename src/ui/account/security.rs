//! Account and security: what the person is called and reached by, the password, the passkeys, the second factor, and
//! the devices.

use super::{
    Done, Narrow, SignInFirst, devices::Devices, passkeys::Passkeys, password::PasswordForm, profile::ProfileForm,
    second_factor::SecondFactorSection, targets::Targets,
};
use crate::{
    api,
    domain::texts::{account as t, passkey, target},
    ui::{components::loaded::Loaded, use_locale},
};
use leptos::prelude::*;

#[component]
pub fn SecurityPage() -> impl IntoView {
    let l = use_locale();
    let profile = Resource::new(|| (), |()| api::account::me());
    let said = &[
        ("profile", t::PROFILE_SAVED),
        ("password", t::PASSWORD_SAVED),
        ("device", t::DEVICES_ENDED),
        ("devices", t::DEVICES_ENDED),
        ("target", target::SAVED),
        ("target_removed", target::REMOVED),
        ("passkey", passkey::ADDED),
        ("passkey_renamed", passkey::RENAMED),
        ("passkey_removed", passkey::REMOVED),
    ];
    view! {
        <Narrow title=l.t(t::SECURITY_TITLE)>
            <Done said/>
            <Loaded data=profile lines=6 let:profile>
                {match profile {
                    Some(profile) => view! {
                        <ProfileForm profile=profile.clone()/>
                        <Targets profile=profile.clone()/>
                        <PasswordForm profile=profile.clone()/>
                        <Passkeys profile/>
                        <SecondFactorSection/>
                        <Devices/>
                    }
                    .into_any(),
                    None => view! { <SignInFirst to="/me/security" text=l.t(t::SIGN_IN_FIRST)/> }.into_any(),
                }}
            </Loaded>
        </Narrow>
    }
    .into_any()
}
