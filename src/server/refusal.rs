//! What is refused leaves one line in the log each, by which it is seen who guesses at what: the request, by what it was
//! tried, and keyed hashes for the account that was meant and for the network, the same as in the table `risk_event`.
//!
//! Never the name that was typed: it may be anything, a password in the wrong field too (OWASP ASVS 5 §16.3).

use super::{App, Ctx, account::attempt::Guarded, context::Asker, crypto::Keys, risk::network_hash};
use crate::domain::{office::Staff, permission::Permission, second_factor::Typed};

/// By what somebody tried to show who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Password,
    /// A one-time code that was sent.
    Code,
    Passkey,
    /// A code of an authenticator app.
    App,
    /// A recovery code.
    Recovery,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Passkey => "passkey",
            Self::App => "app",
            Self::Recovery => "recovery",
        }
    }

    /// What was typed as the second factor.
    pub const fn of(typed: &Typed) -> Self {
        match typed {
            Typed::Code(_) => Self::App,
            Typed::Recovery(_) => Self::Recovery,
        }
    }
}

/// A keyed hash that stands for what is guarded under this name, such as `staff:lin`.
pub fn subject(keys: &Keys, what: &str) -> String {
    keys.lookup(Guarded::KIND, what)
}

/// A sign-in, a code or a second factor was refused. `what` says it in words, `subject` is a keyed hash of whose it would
/// have been; empty where that is not known.
pub fn note(ctx: &Ctx, what: &'static str, method: Method, subject: &str) {
    let network = network_hash(&ctx.app.keys, &ctx.asker);
    tracing::warn!(request = %ctx.request_id, method = method.name(), subject, network, "{what}");
}

/// The same with the reason, which is in none of the answers.
pub fn note_why(ctx: &Ctx, what: &'static str, method: Method, subject: &str, why: &dyn std::fmt::Display) {
    let network = network_hash(&ctx.app.keys, &ctx.asker);
    tracing::warn!(request = %ctx.request_id, method = method.name(), subject, network, %why, "{what}");
}

/// A member of staff asked for what the role does not permit.
pub fn forbidden(ctx: &Ctx, staff: &Staff, permission: Permission) {
    let (keys, role) = (&ctx.app.keys, staff.role.name());
    let (subject, network) = (subject(keys, &staff.actor()), network_hash(keys, &ctx.asker));
    tracing::warn!(request = %ctx.request_id, ?permission, role, subject, network, "not permitted");
}

/// A page of another site tried to change something.
pub fn foreign(app: &App, asker: &Asker, request: &str, path: &str) {
    let network = network_hash(&app.keys, asker);
    tracing::warn!(request, path, network, "a page of another site was refused");
}
