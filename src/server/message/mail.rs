//! Mail by SMTP.

use super::{Attached, Unsent};
use crate::server::{config::is_this_machine, start::Failure};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use std::{fmt, time::Duration};
use tokio::time::timeout;

/// How long the server may take until it is connected.
const CONNECT: Duration = Duration::from_secs(20);
/// How long it may take for all of a mail. The library has a limit for connecting alone, and of a server that says nothing more
/// it would wait for an answer for ever.
const WHOLE: Duration = Duration::from_secs(40);
/// What a calendar file is that goes along with a mail (RFC 6047 §2.4).
const CALENDAR: &str = "text/calendar; charset=utf-8; method=PUBLISH";

/// How mail leaves.
#[derive(Clone)]
pub struct MailSettings {
    /// `smtps://user:password@host` (TLS from the first byte), `smtp://user:password@host?tls=required` (STARTTLS), or
    /// `smtp://127.0.0.1:25` for a relay on this machine.
    pub url: String,
    /// The sender: `Shop <no-reply@shop.example>`.
    pub from: String,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Whether codes would be readable on the way: without TLS, and to another machine.
fn is_in_clear(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let required = url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    url.scheme() == "smtp" && !required && !url.host_str().is_some_and(is_this_machine)
}

/// A way to send mail. It connects for each message: codes are few and servers forget.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// How long all of a mail may take.
    limit: Duration,
}

impl Mailer {
    /// # Errors
    /// When the address of the server or of the sender is none; the text does not repeat the address, which has the
    /// password in it.
    pub fn new(settings: &MailSettings) -> Result<Self, Failure> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url);
        let transport = transport.map_err(|_| "the SMTP address is not smtp://host or smtps://user:password@host")?;
        if is_in_clear(&settings.url) {
            return Err("mail would go in clear: smtps://…, smtp://…?tls=required, or a relay on this machine".into());
        }
        let from = settings.from.parse().map_err(|e| format!("{}: {e}", settings.from))?;
        Ok(Self { transport: transport.timeout(Some(CONNECT)).build(), from, limit: WHOLE })
    }

    /// Hands a mail over to the server, with calendar files that go along with it. What the server says of it may repeat the
    /// address, so only its code is told.
    ///
    /// `name` is its own among all mails, and the same when it is sent again, so that a mailbox can tell that the two are
    /// one (RFC 5322 §3.6.4): a server may have taken it and not come to say so. It consists of letters and digits.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn send(
        &self,
        name: &str,
        to: &str,
        subject: &str,
        text: &str,
        files: &[Attached],
    ) -> Result<(), Unsent> {
        let to: Mailbox = to.parse().map_err(|_| Unsent("not an address for mail".to_owned()))?;
        let mail = Message::builder()
            .message_id(Some(format!("<{name}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(to)
            .subject(subject);
        let unwritten = || Unsent("the mail cannot be written".to_owned());
        let mail = if files.is_empty() {
            mail.header(ContentType::TEXT_PLAIN).body(text.to_owned())
        } else {
            let calendar = ContentType::parse(CALENDAR).map_err(|_| unwritten())?;
            let words = MultiPart::mixed().singlepart(SinglePart::plain(text.to_owned()));
            mail.multipart(files.iter().fold(words, |parts, file| {
                let attachment = Attachment::new(file.name.clone());
                parts.singlepart(attachment.body(file.text.clone(), calendar.clone()))
            }))
        };
        let mail = mail.map_err(|_| unwritten())?;
        match timeout(self.limit, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err(Unsent("the mail server does not answer".to_owned())),
            Ok(Err(error)) => {
                let code = error.status().map(|code| format!("the mail server refused with {code}"));
                Err(Unsent(code.unwrap_or_else(|| "the mail server cannot be reached".to_owned())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        let Ok(silent) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let port = silent.local_addr().map_or(0, |address| address.port());
        let held = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok(connection) = silent.accept().await {
                connections.push(connection);
            }
        });
        let settings =
            MailSettings { url: format!("smtp://127.0.0.1:{port}"), from: "Shop <no-reply@shop.example>".into() };
        let Ok(mailer) = Mailer::new(&settings) else { panic!("the settings are right") };
        let mailer = Mailer { limit: Duration::from_millis(100), ..mailer };
        let sent = timeout(Duration::from_secs(10), mailer.send("name", "lin@example.com", "Code", "1234", &[])).await;
        assert!(matches!(&sent, Ok(Err(Unsent(why))) if why.contains("does not answer")), "it is waited for");
        held.abort();
    }

    #[test]
    fn mail_crosses_no_wire_in_clear() {
        for clear in ["smtp://mail.example", "smtp://user:secret@10.0.0.5:25", "smtp://mail.example?tls=opportunistic"]
        {
            assert!(is_in_clear(clear), "{clear}");
        }
        for sealed in [
            "smtps://user:secret@mail.example",
            "smtp://mail.example?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://[::1]:25",
            "smtp://localhost",
        ] {
            assert!(!is_in_clear(sealed), "{sealed}");
        }
    }
}
