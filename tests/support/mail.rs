//! A mail server of the test's own. It speaks SMTP over TCP (RFC 5321), with TLS from the first byte (RFC 8314) or after
//! STARTTLS (RFC 3207), asks for a name and a password (RFC 4954), and refuses what it is told to refuse.
#![allow(dead_code, reason = "each test takes what it needs")]

use super::authority::Authority;
use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::KeyPair;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How long a mail may take to come.
const LONG: Duration = Duration::from_secs(20);

/// From when on a connection is secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    Never,
    /// After STARTTLS.
    Later,
    AtOnce,
}

/// What goes wrong with a connection.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is greeted with this.
    Greeting(&'static str),
    /// The recipient is answered with this.
    Recipient(&'static str),
    /// The mail is taken, and the connection ends without a word about it.
    Silence,
}

/// A mail that came.
#[derive(Default)]
pub struct Mail {
    /// Whether it came by a secure connection.
    pub secure: bool,
    /// Who sent it, as whom the server knows.
    pub user: Option<String>,
    /// The envelope.
    pub from: String,
    pub to: Vec<String>,
    /// Head and body.
    pub text: String,
}

/// A running mail server; it ends with this value.
pub struct MailServer {
    pub port: u16,
    books: Arc<Books>,
    mails: UnboundedReceiver<Mail>,
    served: JoinHandle<()>,
}

struct Books {
    secured: Secured,
    acceptor: TlsAcceptor,
    rules: Mutex<Rules>,
    tell: UnboundedSender<Mail>,
}

#[derive(Default)]
struct Rules {
    /// Name and password of whoever may send; where there are none, everybody may.
    login: Option<(String, String)>,
    /// The ways to say them.
    ways: &'static str,
    faults: VecDeque<Fault>,
    /// What was asked, and whether nobody else could read it.
    heard: Vec<(bool, String)>,
    refused: usize,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl MailServer {
    /// Serves at this machine; for TLS it is `localhost`, which the authority certifies.
    pub async fn start(secured: Secured, authority: &Authority) -> Self {
        let key = KeyPair::generate().unwrap();
        let chain = authority.sign(&["localhost"], &key, 3000);
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let (tell, mails) = unbounded_channel();
        let rules = Mutex::new(Rules { ways: "PLAIN LOGIN", ..Rules::default() });
        let books = Arc::new(Books { secured, acceptor, rules, tell });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn({
            let books = books.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let books = books.clone();
                    // Who goes away in the middle of a word goes away.
                    tokio::spawn(async move { books.serve(stream).await.ok() });
                }
            }
        });
        Self { port, books, mails, served }
    }

    /// From now on only this name with this password may send.
    pub fn lets_in(&self, name: &str, password: &str) {
        self.books.rules.lock().unwrap().login = Some((name.to_owned(), password.to_owned()));
    }

    /// The ways in which a name and a password may be said: `PLAIN LOGIN` otherwise.
    pub fn offers(&self, ways: &'static str) {
        self.books.rules.lock().unwrap().ways = ways;
    }

    /// Lets the next connection go wrong that has none of the faults named before.
    pub fn fails(&self, fault: Fault) {
        self.books.rules.lock().unwrap().faults.push_back(fault);
    }

    /// The next mail.
    pub async fn next(&mut self) -> Mail {
        timeout(LONG, self.mails.recv()).await.expect("no mail comes").unwrap()
    }

    /// Whether no mail came that was not looked at.
    pub fn is_quiet(&mut self) -> bool {
        self.mails.try_recv().is_err()
    }

    /// All commands that came so far, and whether nobody else could read them.
    pub fn heard(&self) -> Vec<(bool, String)> {
        self.books.rules.lock().unwrap().heard.clone()
    }

    /// Waits until a name or a password was refused.
    pub async fn has_refused(&self) {
        let begin = Instant::now();
        while self.books.rules.lock().unwrap().refused == 0 {
            assert!(begin.elapsed() < LONG, "nobody comes with a wrong password");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection, line by line.
struct Wire(BufReader<Box<dyn Stream>>);

impl Wire {
    fn new(stream: impl Stream + 'static) -> Self {
        Self(BufReader::new(Box::new(stream)))
    }

    /// The next line with its end; none at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await?;
        let line = String::from_utf8(line).unwrap();
        assert!(line.is_empty() || line.ends_with("\r\n"), "a line ends as SMTP has it: {line:?}");
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await?;
        self.0.get_mut().flush().await
    }

    /// What follows DATA, without the dots that were put before other dots (RFC 5321, 4.5.2).
    async fn text(&mut self) -> io::Result<Option<String>> {
        let mut text = String::new();
        while let Some(line) = self.line().await? {
            if line == ".\r\n" {
                return Ok(Some(text));
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        Ok(None)
    }
}

impl Books {
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let fault = self.rules.lock().unwrap().faults.pop_front();
        let mut secure = self.secured == Secured::AtOnce;
        let mut wire = if secure { Wire::new(self.acceptor.accept(stream).await?) } else { Wire::new(stream) };
        if let Some(Fault::Greeting(answer)) = fault {
            return wire.say(answer).await;
        }
        wire.say("220 mail.test ESMTP").await?;
        let mut mail = Mail { secure, ..Mail::default() };
        while let Some(line) = wire.line().await? {
            let line = line.trim_end();
            self.rules.lock().unwrap().heard.push((secure, line.to_owned()));
            let (word, rest) = line.split_at(line.find([' ', ':']).unwrap_or(line.len()));
            let barred = mail.user.is_none() && self.rules.lock().unwrap().login.is_some();
            match &*word.to_ascii_uppercase() {
                "EHLO" => wire.say(&self.abilities(secure)).await?,
                "STARTTLS" if self.secured == Secured::Later && !secure => {
                    wire.say("220 go on").await?;
                    // What came in clear is nothing that was said in secret.
                    assert!(wire.0.buffer().is_empty());
                    wire = Wire::new(self.acceptor.accept(wire.0.into_inner()).await?);
                    secure = true;
                    mail = Mail { secure, ..Mail::default() };
                }
                "AUTH" => match self.user(&mut wire, rest).await? {
                    Some(user) => {
                        mail.user = Some(user);
                        wire.say("235 2.7.0 come in").await?;
                    }
                    None => {
                        self.rules.lock().unwrap().refused += 1;
                        // As many do, it says again what it was told.
                        wire.say(&format!("535 5.7.8 refused: {}", rest.trim())).await?;
                    }
                },
                "MAIL" | "RCPT" | "DATA" if barred => wire.say("530 5.7.0 who are you?").await?,
                "MAIL" => {
                    mail.from = address(rest);
                    wire.say("250 fine").await?;
                }
                "RCPT" => match fault {
                    Some(Fault::Recipient(answer)) => wire.say(answer).await?,
                    _ => {
                        mail.to.push(address(rest));
                        wire.say("250 fine").await?;
                    }
                },
                "DATA" => {
                    wire.say("354 go on").await?;
                    let Some(text) = wire.text().await? else { return Ok(()) };
                    let user = mail.user.clone();
                    let came = std::mem::replace(&mut mail, Mail { secure, user, ..Mail::default() });
                    let _ = self.tell.send(Mail { text, ..came });
                    if let Some(Fault::Silence) = fault {
                        return Ok(());
                    }
                    wire.say("250 taken").await?;
                }
                "QUIT" => return wire.say("221 bye").await,
                _ => wire.say("502 what?").await?,
            }
        }
        Ok(())
    }

    /// The answer to EHLO.
    fn abilities(&self, secure: bool) -> String {
        let rules = self.rules.lock().unwrap();
        let mut abilities = vec!["mail.test".to_owned(), "8BITMIME".to_owned()];
        if self.secured == Secured::Later && !secure {
            abilities.push("STARTTLS".to_owned());
        } else if rules.login.is_some() {
            abilities.push(format!("AUTH {}", rules.ways));
        }
        let last = abilities.len() - 1;
        let lines = abilities.iter().enumerate();
        let lines = lines.map(|(n, ability)| format!("250{}{ability}", if n == last { ' ' } else { '-' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    /// Who says a right name and password.
    async fn user(&self, wire: &mut Wire, rest: &str) -> io::Result<Option<String>> {
        let said = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text.trim()).unwrap()).unwrap();
        let (name, password) = match rest.trim().split_once(' ') {
            Some(("PLAIN", words)) => {
                let words = said(words);
                let words: Vec<_> = words.split('\0').collect();
                (words[1].to_owned(), words[2].to_owned())
            }
            None if rest.trim() == "LOGIN" => {
                let mut words = Vec::new();
                for question in ["Username:", "Password:"] {
                    wire.say(&format!("334 {}", BASE64_STANDARD.encode(question))).await?;
                    let Some(word) = wire.line().await? else { return Ok(None) };
                    words.push(said(&word));
                }
                (words[0].clone(), words[1].clone())
            }
            _ => return Ok(None),
        };
        let known = self.rules.lock().unwrap().login == Some((name.clone(), password));
        Ok(known.then_some(name))
    }
}

/// The address in `FROM:<address> …`.
fn address(rest: &str) -> String {
    let begin = rest.find('<').unwrap() + 1;
    rest[begin..].split('>').next().unwrap().to_owned()
}

impl Mail {
    fn parts(&self) -> (&str, &str) {
        self.text.split_once("\r\n\r\n").unwrap()
    }

    /// A line of the head as its reader sees it.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.parts().0.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| decoded(value.trim()))
    }

    /// The pieces of a mail that has several (RFC 2046, 5.1), each as a mail of its own.
    pub fn pieces(&self) -> Vec<Self> {
        let kind = self.header("Content-Type").unwrap();
        let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let body = format!("\r\n{}", self.parts().1);
        let between = format!("\r\n--{boundary}");
        let pieces = body.split(&between).skip(1).filter_map(|piece| piece.strip_prefix("\r\n"));
        pieces.filter(|piece| !piece.is_empty()).map(|text| Self { text: text.to_owned(), ..Self::default() }).collect()
    }

    /// The body as its reader sees it.
    pub fn body(&self) -> String {
        let body = self.parts().1;
        let bytes = match self.header("Content-Transfer-Encoding").unwrap_or_default().as_str() {
            "base64" => BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            "quoted-printable" => quoted(&body.replace("=\r\n", "")),
            _ => body.as_bytes().to_vec(),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

/// A value of the head without the words in which it hides what is not ASCII (RFC 2047).
fn decoded(value: &str) -> String {
    let (mut text, mut rest, mut after_word) = (String::new(), value, false);
    while let Some(begin) = rest.find("=?") {
        // Blanks between two of them only keep the lines short.
        if !(after_word && rest[..begin].trim().is_empty()) {
            text.push_str(&rest[..begin]);
        }
        let mut parts = rest[begin + 2..].splitn(4, '?');
        let mut part = || parts.next().unwrap();
        let (charset, encoding, word) = (part(), part(), part());
        rest = part().strip_prefix('=').unwrap();
        assert!(charset.eq_ignore_ascii_case("utf-8"));
        let bytes = match &*encoding.to_ascii_lowercase() {
            "b" => BASE64_STANDARD.decode(word).unwrap(),
            _ => quoted(&word.replace('_', " ")),
        };
        text.push_str(std::str::from_utf8(&bytes).unwrap());
        after_word = true;
    }
    text + rest
}

/// Bytes of which some are written as `=E4` (RFC 2045, 6.7).
fn quoted(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}
