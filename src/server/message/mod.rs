//! Messages to people: what is said, in their language, and the way it leaves. They lie sealed in the outbox until then.

pub mod mail;
pub mod sms;

use self::{mail::Mailer, sms::SmsSettings};
use super::{
    App,
    config::Config,
    context::{internal, new_id, now, unreadable},
    db::Tx,
    start::Failure,
};
use crate::{
    args,
    domain::{
        Locale, Result,
        account::{CODE_MS, Posted, Target},
        locale::Text,
        texts::{booking_after as b, message as t, review as r},
        time::date_time,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a message in the outbox.
pub const KIND: &str = "message";
/// How long news are worth sending, in milliseconds: a day.
const NEWS_MS: i64 = 24 * 60 * 60_000;
/// Where all of them are sealed to: they have no row of their own to be bound to.
pub const PLACE: &str = "outbox.message";

/// Something to be told to somebody.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    pub to: Target,
    pub locale: Locale,
    pub what: What,
    /// UTC milliseconds after which it is of no use and is not sent any more.
    pub until: Option<i64>,
}

/// What there is to tell.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A one-time code.
    Code(String),
    /// The account was signed in on a browser that it did not know: its name, and the page to end that.
    NewDevice { device: String, page: String },
    /// A recovery code stood for the app of the account: on which browser, how many are left, and the page to see to it.
    RecoveryCode { device: String, left: i64, page: String },
    /// A passkey was added to the account: on which device, and the page to remove it.
    PasskeyAdded { device: String, page: String },
    /// A passkey of the account was removed: on which device, and the page to see what is left.
    PasskeyRemoved { device: String, page: String },
    /// The second factor was turned on: on which device, and the page to see to it.
    SecondFactorOn { device: String, page: String },
    /// The second factor was turned off: on which device, and the page to turn it on again.
    SecondFactorOff { device: String, page: String },
    /// The operator took the second factor away.
    SecondFactorReset,
    /// New recovery codes took the place of those before: on which device, and the page to see to it.
    RecoveryCodesRenewed { device: String, page: String },
    /// A password was set where there was none, or another one: on which device, and the page to set a new one.
    PasswordSet { device: String, page: String },
    /// A phone or an e-mail address was added to the account, or took the place of another: which kind, on which device,
    /// and the page to see to it.
    TargetSet { kind: String, device: String, page: String },
    /// A phone or an e-mail address of the account was taken away: as before.
    TargetRemoved { kind: String, device: String, page: String },
    /// The account is to be erased: asked for on which device, in UTC milliseconds until when that can be taken back, and
    /// the page to do so.
    DeletionAsked { device: String, until: i64, page: String },
    /// A booking begins soon: what, in words when and for whom, and the page of its order.
    BookingSoon { title: String, label: String, page: String },
    /// The venue moved a booking: what, in words to when and for whom, and the page of its order.
    BookingMoved { title: String, label: String, page: String },
    /// What somebody waited for came free: the same, in UTC milliseconds until when it is held, and the page to take it.
    PlaceFree { title: String, label: String, until: i64, page: String },
    /// The shop hides a review: of what, why, and the page where it is changed or removed.
    ReviewHidden { title: String, reason: String, page: String },
}

/// What somebody reads of a message.
pub struct Letter {
    /// All that a text message tells.
    pub subject: String,
    pub text: String,
    /// What a mail takes along.
    pub files: Vec<Attached>,
}

/// A calendar file that goes along with a mail.
pub struct Attached {
    pub name: String,
    pub text: String,
}

/// The ways out.
#[derive(Default)]
pub struct Post {
    mailer: Option<Mailer>,
    sms: Option<SmsSettings>,
}

impl Post {
    /// Those that are set up.
    ///
    /// # Errors
    /// When what is set up cannot be.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        Ok(Self { mailer: config.mail.as_ref().map(Mailer::new).transpose()?, sms: config.sms.clone() })
    }

    /// Whether there is a way to a target.
    pub const fn reaches(&self, target: &Target) -> bool {
        match target {
            Target::Email(_) => self.mailer.is_some(),
            Target::Phone(_) => self.sms.is_some(),
        }
    }

    /// Whether more than codes can be told there.
    pub fn tells_news(&self, target: &Target) -> bool {
        match target {
            Target::Email(_) => self.mailer.is_some(),
            Target::Phone(_) => self.sms.as_ref().is_some_and(SmsSettings::tells_news),
        }
    }

    /// Whether more than codes can be told anywhere.
    pub fn tells_any_news(&self) -> bool {
        self.mailer.is_some() || self.sms.as_ref().is_some_and(SmsSettings::tells_news)
    }
}

/// Why a message did not leave; nothing in it is personal.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsent(pub String);

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Message {
    /// A one-time code that was made now.
    pub fn code(to: Target, code: String, locale: Locale, now: i64) -> Self {
        Self { to, locale, what: What::Code(code), until: Some(now + CODE_MS) }
    }

    /// What happened to an account now.
    pub fn news(to: Target, what: What, locale: Locale, now: i64) -> Self {
        Self { to, locale, what, until: Some(now + NEWS_MS) }
    }

    /// All of it, as somebody reads it.
    fn letter(&self) -> Letter {
        Letter { subject: self.subject(), text: self.text(), files: Vec::new() }
    }

    /// The subject, for those that have one.
    pub fn subject(&self) -> String {
        let subject = match &self.what {
            What::Code(_) => t::CODE_SUBJECT,
            What::NewDevice { .. } => t::DEVICE_SUBJECT,
            What::RecoveryCode { .. } => t::RECOVERY_SUBJECT,
            What::PasskeyAdded { .. } => t::PASSKEY_ADDED_SUBJECT,
            What::PasskeyRemoved { .. } => t::PASSKEY_REMOVED_SUBJECT,
            What::SecondFactorOn { .. } => t::SECOND_ON_SUBJECT,
            What::SecondFactorOff { .. } => t::SECOND_OFF_SUBJECT,
            What::SecondFactorReset => t::SECOND_RESET_SUBJECT,
            What::RecoveryCodesRenewed { .. } => t::CODES_RENEWED_SUBJECT,
            What::PasswordSet { .. } => t::PASSWORD_SUBJECT,
            What::TargetSet { kind, .. } => match &**kind {
                "phone" => t::PHONE_SET_SUBJECT,
                _ => t::EMAIL_SET_SUBJECT,
            },
            What::TargetRemoved { kind, .. } => match &**kind {
                "phone" => t::PHONE_REMOVED_SUBJECT,
                _ => t::EMAIL_REMOVED_SUBJECT,
            },
            What::DeletionAsked { .. } => t::DELETION_SUBJECT,
            What::BookingSoon { title, .. } => return self.locale.f(b::SOON_SUBJECT, &[("title", title)]),
            What::BookingMoved { title, .. } => return self.locale.f(b::MOVED_SUBJECT, &[("title", title)]),
            What::ReviewHidden { title, .. } => return self.locale.f(r::HIDDEN_SUBJECT, &[("title", title)]),
            What::PlaceFree { title, .. } => return self.locale.f(b::FREE_SUBJECT, &[("title", title)]),
        };
        self.locale.t(subject).to_owned()
    }

    /// The whole text.
    pub fn text(&self) -> String {
        match &self.what {
            What::Code(code) => self.locale.f(t::CODE_TEXT, &[("code", code), ("n", &(CODE_MS / 60_000))]),
            What::NewDevice { device, page } => self.about(t::DEVICE_TEXT, device, page),
            What::RecoveryCode { device, left, page } => {
                let device = self.device(device);
                self.locale.f(t::RECOVERY_TEXT, &[("device", &device), ("n", left), ("page", page)])
            }
            What::PasskeyAdded { device, page } => self.about(t::PASSKEY_ADDED_TEXT, device, page),
            What::PasskeyRemoved { device, page } => self.about(t::PASSKEY_REMOVED_TEXT, device, page),
            What::SecondFactorOn { device, page } => self.about(t::SECOND_ON_TEXT, device, page),
            What::SecondFactorOff { device, page } => self.about(t::SECOND_OFF_TEXT, device, page),
            What::SecondFactorReset => self.locale.t(t::SECOND_RESET_TEXT).to_owned(),
            What::RecoveryCodesRenewed { device, page } => self.about(t::CODES_RENEWED_TEXT, device, page),
            What::PasswordSet { device, page } => self.about(t::PASSWORD_TEXT, device, page),
            What::TargetSet { kind, device, page } => match &**kind {
                "phone" => self.about(t::PHONE_SET_TEXT, device, page),
                _ => self.about(t::EMAIL_SET_TEXT, device, page),
            },
            What::TargetRemoved { kind, device, page } => match &**kind {
                "phone" => self.about(t::PHONE_REMOVED_TEXT, device, page),
                _ => self.about(t::EMAIL_REMOVED_TEXT, device, page),
            },
            What::DeletionAsked { device, until, page } => {
                let (device, until) = (self.device(device), date_time(self.locale, *until));
                self.locale.f(t::DELETION_TEXT, &[("device", &device), ("until", &until), ("page", page)])
            }
            What::BookingSoon { title, label, page } => {
                self.locale.f(b::SOON_TEXT, &[("title", title), ("label", label), ("page", page)])
            }
            What::BookingMoved { title, label, page } => {
                self.locale.f(b::MOVED_TEXT, &[("title", title), ("label", label), ("page", page)])
            }
            What::ReviewHidden { title, reason, page } => {
                self.locale.f(r::HIDDEN_TEXT, &[("title", title), ("reason", reason), ("page", page)])
            }
            What::PlaceFree { title, label, until, page } => {
                let until = date_time(self.locale, *until);
                let values: [(&str, &dyn fmt::Display); 4] =
                    [("title", title), ("label", label), ("until", &until), ("page", page)];
                self.locale.f(b::FREE_TEXT, &values)
            }
        }
    }

    /// A text about what was done on a device.
    fn about(&self, text: Text, device: &str, page: &str) -> String {
        self.locale.f(text, &[("device", &self.device(device)), ("page", &page)])
    }

    /// The name of a device, or words for one that has none.
    fn device<'d>(&self, name: &'d str) -> &'d str {
        if name.is_empty() { self.locale.t(t::SOME_DEVICE) } else { name }
    }
}

/// A message as the outbox keeps it.
///
/// # Errors
/// When sealing fails.
pub fn sealed(app: &App, message: &Message) -> Result<String> {
    let plain = serde_json::to_vec(message).map_err(|e| internal("message", &e))?;
    Ok(STANDARD_NO_PAD.encode(app.keys.seal(&plain, PLACE).map_err(|e| internal("crypto", &e))?))
}

/// Puts a sealed message into the outbox.
///
/// # Errors
/// When the database cannot be written.
pub async fn enqueue(tx: &mut Tx<'_>, sealed: &str, now: i64) -> Result<()> {
    let sql = "insert into outbox (id, kind, payload, attempts, next_at) values ($1, $2, $3, 0, $4)";
    tx.exec(sql, args![new_id(), KIND, sealed, now]).await?;
    Ok(())
}

/// Opens a message of the outbox.
///
/// # Errors
/// When it was sealed with another key.
pub fn open(app: &App, payload: &str) -> Result<Message> {
    let sealed = STANDARD_NO_PAD.decode(payload).map_err(|e| internal("outbox", &e))?;
    let plain = app.keys.open(&sealed, PLACE).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("message", &e))
}

/// Sends a message of the outbox. One whose time is over is not sent: nobody waits for it any more.
///
/// # Errors
/// When it cannot be handed over; the outbox tries again.
pub async fn deliver(app: &App, payload: &str) -> Result<()> {
    let message = open(app, payload)?;
    if message.until.is_some_and(|until| until <= now()) {
        return Ok(());
    }
    let sent = match (&message.to, &message.what, &app.post) {
        (Target::Phone(to), What::Code(code), Post { sms: Some(sms), .. }) => {
            sms::send_code(&app.client, sms, to, code, CODE_MS / 60_000).await
        }
        // No two are sealed alike, and what lies in the outbox stays as it is while it is tried.
        (to, ..) => hand_over(app, &app.keys.lookup(KIND, payload), to, &message.letter()).await,
    };
    // The outbox logs it, and tries again.
    sent.map_err(|error| internal("message", &error))
}

/// Hands a letter over: all of it by mail, its subject as a text message. `name` is its own among all letters, and the same
/// when it is tried again; it consists of letters and digits.
///
/// # Errors
/// When nobody takes it.
pub async fn hand_over(app: &App, name: &str, to: &Target, letter: &Letter) -> Result<(), Unsent> {
    match (to, &app.post) {
        (Target::Email(to), Post { mailer: Some(mailer), .. }) => {
            mailer.send(name, to, &letter.subject, &letter.text, &letter.files).await
        }
        (Target::Phone(to), Post { sms: Some(sms), .. }) if sms.tells_news() => {
            sms::send_news(&app.client, sms, to, &letter.subject).await
        }
        // What cannot be sent is read on the page of the outbox.
        _ if app.config.development => Ok(()),
        _ => Err(Unsent("no way to send it is set up".to_owned())),
    }
}

/// A message of the outbox, as the page shows it to whoever tries the shop.
///
/// # Errors
/// When it was sealed with another key.
pub fn posted(app: &App, id: String, payload: &str) -> Result<Posted> {
    let message = open(app, payload)?;
    Ok(message.letter().posted(id, &message.to, message.until))
}

impl Letter {
    /// As that page shows it; `until` is in UTC milliseconds.
    pub fn posted(self, id: String, to: &Target, until: Option<i64>) -> Posted {
        let files = self.files.into_iter().map(|file| file.name).collect();
        Posted { id, to: to.value().to_owned(), subject: self.subject, text: self.text, files, until }
    }
}
