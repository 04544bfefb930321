//! An authenticator app, as people have one on their phone.
#![allow(dead_code, reason = "each test takes what it needs")]

use totp_rs::{Builder, Secret, Totp};
use xiadan::{
    args,
    domain::{
        office::Staff,
        permission::Role,
        second_factor::{On, STEP_SECONDS, SecondFactor, SetUp},
    },
    server::{
        App, Ctx,
        account::second_factor::{mine, office},
        context::now,
        db::DbError,
    },
};

/// An app that was told a secret.
pub struct Phone(Totp);

impl Phone {
    /// Takes over what a page shows to be typed.
    pub fn told(secret: &str) -> Self {
        Self(Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap())
    }

    /// What it shows at a time in UTC milliseconds.
    pub fn shows(&self, ms: i64) -> String {
        self.0.generate(u64::try_from(ms / 1000).unwrap()).to_string()
    }

    /// What it shows now.
    pub fn now(&self) -> String {
        self.shows(now())
    }

    /// What it showed in a time step.
    pub fn of_step(&self, step: i64) -> String {
        self.shows(step * STEP_SECONDS * 1000)
    }
}

/// Turns the second factor of a customer on, who signed in with a code; answers with the app and the recovery codes.
pub async fn turn_on(ctx: &Ctx) -> (Phone, Vec<String>) {
    mine::begin(ctx, String::new()).await.unwrap();
    let SecondFactor::SettingUp(SetUp { secret, .. }) = mine::get(ctx).await.unwrap().unwrap().second else {
        panic!("it was not begun")
    };
    let phone = Phone::told(&secret);
    mine::confirm(ctx, &phone.shows(ctx.now)).await.unwrap();
    (phone, codes(ctx).await)
}

/// The recovery codes that the session may see.
pub async fn codes(ctx: &Ctx) -> Vec<String> {
    match mine::get(ctx).await.unwrap().unwrap().second {
        SecondFactor::On(On { codes, .. }) => codes,
        other => panic!("{other:?}"),
    }
}

/// Lets the passwords of staff count as chosen by themselves, so that a server that is not in development asks for no other.
pub async fn with_own_password(app: &App) {
    let sql = "update staff set must_change = false";
    app.db.write::<_, DbError>(move |tx| Box::pin(async move { tx.exec(sql, args![]).await })).await.unwrap();
}

/// Makes sure that a member of staff has a second factor, so that a server that is not in development lets them in.
pub async fn staff_with_phone(app: &App, login: &str) {
    let ctx = Ctx { staff: Some(Staff { login: login.to_owned(), role: Role::Owner }), ..Ctx::system(app) };
    if matches!(office::get(&ctx).await.unwrap().unwrap().second, SecondFactor::On(_)) {
        return;
    }
    office::begin(&ctx).await.unwrap();
    let SecondFactor::SettingUp(SetUp { secret, .. }) = office::get(&ctx).await.unwrap().unwrap().second else {
        panic!("it was not begun")
    };
    office::confirm(&ctx, &Phone::told(&secret).shows(ctx.now)).await.unwrap();
}
