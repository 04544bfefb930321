//! Mail by SMTP: what leaves, how nobody reads it on the way, and what becomes of it when the server does not take it.

use crate::{
    authority::Authority,
    client::{Buyer, Server, Setup, client, free_ports},
    mail_server::{Fault, Mail, MailServer, Secured},
    shop::{Shop, customer},
    traces::Traces,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::{fs, path::PathBuf};
use xiadan::{
    args,
    domain::{Error, Locale, account::Target, catalog::percent_encode},
    server::{
        App, Ctx,
        account::code,
        context,
        message::{
            Message,
            mail::{MailSettings, Mailer},
        },
        outbox,
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xiadan");
const TO: &str = "xiaolei.ouyang@example.com";
const PHONE: &str = "13800138000";
const FROM: &str = "下单商城 <no-reply@shop.example>";
const SENDER: &str = "no-reply@shop.example";
/// As whom the shop sends; both have signs in them that an address of a server cannot have.
const USER: &str = "shop-4711@mail.example";
const PASSWORD: &str = "p@ss/word:8822 xk?";

/// The address of a server with name and password.
fn address(scheme: &str, host: &str, port: u16) -> String {
    format!("{scheme}://{}:{}@{host}:{port}", percent_encode(USER), percent_encode(PASSWORD))
}

/// The six digits of a code.
fn code_in(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6).unwrap().to_owned()
}

/// The name that a mail has for ever.
fn name_of(mail: &Mail) -> String {
    let name = mail.header("Message-ID").unwrap();
    let local = name.strip_prefix('<').and_then(|name| name.strip_suffix("@shop.example>")).unwrap();
    assert!(local.len() > 30 && local.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_leaves_by_tls_with_a_password_and_nothing_of_it_is_in_the_log() {
    for (postgres, secured) in [(false, Secured::AtOnce), (true, Secured::Later)] {
        let shop = Shop::open(postgres).await;
        eprintln!("on {}", shop.app.db.kind().as_str());
        let (authority, outside, client) = (Authority::new(), tempfile::tempdir().unwrap(), client());
        let (trusted, log) = (outside.path().join("trusted.pem"), outside.path().join("log"));
        fs::write(&trusted, authority.pem()).unwrap();
        let mut server = MailServer::start(secured, &authority).await;
        server.lets_in(USER, "another password");
        let url = match secured {
            Secured::AtOnce => address("smtps", "localhost", server.port),
            _ => address("smtp", "localhost", server.port) + "?tls=required",
        };
        let setup =
            Setup { program: PROGRAM, data: shop.folder.path(), site: PathBuf::from("none"), ports: free_ports() };
        let options = ["--database-url", &shop.app.config.database_url, "--smtp-url", &url, "--mail-from", FROM];
        let program = Server::start_trusting(&setup, &options, Some(&log), Some(&trusted), &client).await;
        let mut browser = Buyer::new(&client, &program.url);
        let (status, sent) = browser.post("/api/account/send_code", &[("target", TO)]).await.unwrap();
        assert_eq!((status, &sent["in_outbox"]), (200, &Value::from(false)));

        // It is tried again until the server knows the shop.
        server.has_refused().await;
        assert!(server.is_quiet());
        server.lets_in(USER, PASSWORD);
        let mail = server.next().await;
        assert_eq!((mail.secure, mail.user.as_deref()), (true, Some(USER)));
        assert_eq!((&*mail.from, &*mail.to), (SENDER, &[TO.to_owned()][..]));
        let read = server.heard().into_iter().filter(|(secure, _)| !secure).map(|(_, said)| said);
        for said in read {
            assert!(said.starts_with("EHLO ") || said == "STARTTLS", "in clear: {said}");
        }

        let text = mail.body();
        let code = code_in(&text);
        let meant = Message::code(Target::Email(TO.to_owned()), code.clone(), Locale::ZhCn, 0);
        assert_eq!(text.trim_end(), meant.text());
        let header = |name| mail.header(name).unwrap_or_default();
        assert_eq!((header("Subject"), header("From"), header("To")), (meant.subject(), FROM.into(), TO.into()));
        assert!(header("Content-Type").eq_ignore_ascii_case("text/plain; charset=utf-8"));
        name_of(&mail);
        let date = jiff::fmt::rfc2822::parse(&header("Date")).unwrap().timestamp().as_millisecond();
        assert!((context::now() - date).abs() < 60_000);
        let form = [("id", sent["id"].as_str().unwrap()), ("code", &*code), ("agreed", "1")];
        assert_eq!(browser.post("/api/account/enter", &form).await.unwrap(), (200, Value::from("/me")));

        let (status, answer) = browser.post("/api/account/send_code", &[("target", PHONE)]).await.unwrap();
        let reason = &answer["Invalid"]["target"];
        assert_eq!((status, reason), (422, &Value::from("Unreachable")), "there are no text messages");

        drop(program);
        let log = fs::read(log).unwrap();
        let told = Traces::of(&["refused with 535"]).find(&log);
        assert!(told.is_some(), "the log says why nothing leaves");
        let words = BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
        let secret = Traces::of(&[TO, USER, PASSWORD, &percent_encode(PASSWORD), &words, &meant.text()]);
        if let Some(trace) = secret.find(&log) {
            panic!("in the log: {trace}");
        }
        shop.app.db.close().await;
    }
}

/// The one message that waits in the outbox: how often it was tried, and when it is the next time.
async fn waiting(app: &App) -> Option<(i64, i64)> {
    let rows = app.db.all("select attempts, next_at from outbox where done_at is null", args![]).await.unwrap();
    assert!(rows.len() < 2);
    rows.first().map(|row| (row.get("attempts").unwrap(), row.get("next_at").unwrap()))
}

/// Tries what waits, whenever it would be its turn; answers with how much left.
async fn try_again(app: &App) -> usize {
    let now = context::now();
    let sql = "update outbox set next_at = $1 where done_at is null";
    app.db.write::<_, Error>(move |tx| Box::pin(async move { Ok(tx.exec(sql, args![now]).await?) })).await.unwrap();
    outbox::run_due(app).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_take_is_tried_again_until_nobody_waits_for_it() {
    for postgres in [false, true] {
        let mut server = MailServer::start(Secured::Never, &Authority::new()).await;
        let url = address("smtp", "127.0.0.1", server.port);
        let mail = Some(MailSettings { url, from: FROM.to_owned() });
        let shop = Shop::open_with(postgres, |config| config.mail = mail).await;
        let (app, ctx) = (&shop.app, customer(&shop.app).await);
        eprintln!("on {}", app.db.kind().as_str());
        code::send(&ctx, Target::Email(TO.to_owned())).await.unwrap();
        server.lets_in(USER, "another password");
        let faults = [
            ("a wrong password", None),
            ("a server that has no time", Some(Fault::Greeting("421 4.3.2 come back later"))),
            ("a mailbox that is busy", Some(Fault::Recipient("450 4.2.1 come back later"))),
            // Nothing is given up: what a server refuses for ever it may take when somebody has seen to it.
            ("a mailbox that is none", Some(Fault::Recipient("550 5.1.1 nobody has this address"))),
            ("a connection that breaks", Some(Fault::Silence)),
        ];
        for (tried, (what, fault)) in (1..).zip(faults) {
            fault.into_iter().for_each(|fault| server.fails(fault));
            let before = context::now();
            assert_eq!(try_again(app).await, 0, "{what}");
            let (attempts, next_at) = waiting(app).await.expect(what);
            assert_eq!(attempts, tried, "{what}");
            assert!(next_at >= before + (1000_i64 << (tried - 1)), "{what}: the pauses grow");
            server.lets_in(USER, PASSWORD);
        }
        let lost = server.next().await;
        assert!(server.is_quiet(), "nothing came but what nobody confirmed");
        assert_eq!(try_again(app).await, 1);
        assert_eq!(waiting(app).await, None);
        let taken = server.next().await;
        assert_eq!(name_of(&lost), name_of(&taken), "it is known to be the same");
        assert_eq!((&lost.to, lost.body()), (&taken.to, taken.body()));
        assert_eq!(outbox::run_due(app).await, Ok(0));
        assert!(server.is_quiet(), "and once is enough");

        // Another one has a name of its own. One whose time is over does not leave.
        code::send(&ctx, Target::Email("han@example.com".to_owned())).await.unwrap();
        assert_eq!(try_again(app).await, 1);
        assert_ne!(name_of(&server.next().await), name_of(&taken));
        let late = Ctx { now: ctx.now - 6 * 60_000, ..ctx.clone() };
        code::send(&late, Target::Email("late@example.com".to_owned())).await.unwrap();
        assert_eq!(try_again(app).await, 1);
        assert_eq!((waiting(app).await, server.is_quiet()), (None, true));

        // A server that is not there is waited for.
        drop(server);
        code::send(&ctx, Target::Email("gone@example.com".to_owned())).await.unwrap();
        assert_eq!(try_again(app).await, 0);
        assert_eq!(waiting(app).await.unwrap().0, 1);
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_show_who_it_is_is_told_nothing() {
    let stranger = Authority::new();
    for (secured, scheme, end) in [
        (Secured::AtOnce, "smtps", ""),
        (Secured::Later, "smtp", "?tls=required"),
        // Somebody on the way took STARTTLS out of what the server can do.
        (Secured::Never, "smtp", "?tls=required"),
    ] {
        let mut server = MailServer::start(secured, &stranger).await;
        server.lets_in(USER, PASSWORD);
        let url = address(scheme, "localhost", server.port) + end;
        let mailer = Mailer::new(&MailSettings { url, from: FROM.to_owned() }).unwrap();
        let unsent = mailer.send("name", TO, "subject", "text", &[]).await.unwrap_err();
        assert_eq!(unsent.to_string(), "the mail server cannot be reached", "{secured:?}");
        for (_, said) in server.heard() {
            let said = said.split(' ').next().unwrap().to_owned();
            assert!(["EHLO", "STARTTLS", "QUIT"].contains(&&*said), "{secured:?}: {said}");
        }
        assert!(server.is_quiet());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_as_it_was_written_and_goes_to_nobody_else() {
    let mut server = MailServer::start(Secured::Never, &Authority::new()).await;
    server.lets_in(USER, PASSWORD);
    // The older way to say a password, which some servers know alone.
    server.offers("LOGIN");
    let url = address("smtp", "127.0.0.1", server.port);
    let mailer = Mailer::new(&MailSettings { url, from: FROM.to_owned() }).unwrap();
    let long = "很长的一行".repeat(60);
    for text in ["one\n.\n..two\n.three\n\n.", "QUIT\nRCPT TO:<eve@example.com>\n.", "a = b\n.=C3\n", &*long] {
        mailer.send("name", TO, "plain", text, &[]).await.unwrap();
        let mail = server.next().await;
        assert_eq!(mail.body().trim_end(), text.trim_end());
        assert_eq!((mail.user.as_deref(), &*mail.to), (Some(USER), &[TO.to_owned()][..]));
    }

    for subject in ["news\r\nBcc: eve@example.com", "新品\r\nBcc: eve@example.com\r\n\r\nanother text", "a\nb"] {
        mailer.send("name", TO, subject, "text", &[]).await.unwrap();
        let mail = server.next().await;
        assert_eq!((mail.header("Bcc"), &*mail.to), (None, &[TO.to_owned()][..]), "{subject:?}");
        assert_eq!(mail.body().trim_end(), "text", "{subject:?}");
    }
    let long = "下单 验证码".repeat(20);
    mailer.send("name", TO, &long, "text", &[]).await.unwrap();
    assert_eq!(server.next().await.header("Subject"), Some(long), "over many lines");

    for to in ["li@example.com\r\nRCPT TO:<eve@example.com>", "li@example.com, eve@example.com", "li", ""] {
        let unsent = mailer.send("name", to, "subject", "text", &[]).await.unwrap_err();
        assert_eq!(unsent.to_string(), "not an address for mail", "{to:?}");
    }
    assert!(server.is_quiet());
}
