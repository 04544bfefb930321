//! Text messages cost money: how many leave in a day, and where to.

use crate::{
    member::number,
    shop::{Shop, customer},
};
use xiadan::{
    domain::{Error, account::Target, error::Problem},
    server::{
        Ctx,
        account::code,
        message::sms::{Provider, SmsSettings},
    },
};

const DAY_MS: i64 = 24 * 60 * 60_000;

async fn send(ctx: &Ctx, target: Target) -> Result<(), Error> {
    code::send(ctx, target).await.map(drop)
}

fn phone(number: &str) -> Target {
    Target::Phone(number.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_sends_so_many_text_messages_a_day_to_the_countries_it_names() {
    for postgres in [false, true] {
        let shop = Shop::open_with(postgres, |config| {
            config.sms = Some(SmsSettings {
                provider: Provider::Alibaba,
                key_id: "id".into(),
                key_secret: "secret".into(),
                sign_name: "下单".into(),
                template: "SMS_1".into(),
                news_template: String::new(),
                app_id: String::new(),
                url: "http://127.0.0.1:9".into(),
            });
            config.sms_per_day = 3;
            config.sms_countries = vec!["+86".into()];
        })
        .await;
        let (app, unreachable) = (&shop.app, Err(Error::field("target", Problem::Unreachable)));
        let ctx = customer(app).await;
        assert_eq!(send(&ctx, phone("+85291234567")).await, unreachable, "not one of the countries");
        for last in 0..3 {
            assert_eq!(send(&ctx, phone(&format!("+861380013800{last}"))).await, Ok(()));
        }
        assert_eq!(send(&ctx, phone("+8613800138009")).await, unreachable, "the fourth of the day");
        assert_eq!(send(&ctx, Target::Email("li@example.com".into())).await, Ok(()), "mail goes on");
        assert_eq!(number(app, "select count(*) as n from one_time_code").await, 4);
        assert_eq!(number(app, "select count(*) as n from risk_event where kind = 'many_codes'").await, 1);
        let tomorrow = Ctx { now: ctx.now + DAY_MS, ..ctx.clone() };
        assert_eq!(send(&tomorrow, phone("+8613800138009")).await, Ok(()));
        app.db.close().await;
    }
}
