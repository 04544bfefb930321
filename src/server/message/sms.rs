//! Text messages, through the HTTP APIs of Alibaba Cloud and Tencent Cloud. Carriers in China deliver approved templates
//! only, so a message is the template's number and its values.

use super::Unsent;
use crate::{
    domain::catalog::percent_encode,
    server::crypto::{hex, mac, random, sha256},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt;

/// How text messages leave.
#[derive(Clone)]
pub struct SmsSettings {
    pub provider: Provider,
    pub key_id: String,
    pub key_secret: String,
    /// The approved signature that opens each message.
    pub sign_name: String,
    /// The approved template of one-time codes; its first value is the code, its second (Tencent) the minutes.
    pub template: String,
    /// The approved template of news about one's account, whose one value, `event`, says in a few words what happened;
    /// empty where there is none.
    pub news_template: String,
    /// Tencent's `SmsSdkAppId`; nothing to Alibaba.
    pub app_id: String,
    /// Where the API is; another one in tests.
    pub url: String,
}

impl fmt::Debug for SmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsSettings").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Who delivers text messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Alibaba,
    Tencent,
}

impl Provider {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "alibaba" => Some(Self::Alibaba),
            "tencent" => Some(Self::Tencent),
            _ => None,
        }
    }

    /// Where its API is.
    pub const fn url(self) -> &'static str {
        match self {
            Self::Alibaba => "https://dysmsapi.aliyuncs.com",
            Self::Tencent => "https://sms.tencentcloudapi.com",
        }
    }
}

impl SmsSettings {
    /// Whether more than codes can be told.
    pub const fn tells_news(&self) -> bool {
        !self.news_template.is_empty()
    }
}

/// A template with its values: Alibaba names them, Tencent counts them.
struct Filled<'s> {
    template: &'s str,
    named: Value,
    counted: Vec<String>,
}

impl<'s> Filled<'s> {
    fn code(settings: &'s SmsSettings, code: &str, minutes: i64) -> Self {
        let counted = vec![code.to_owned(), minutes.to_string()];
        Self { template: &settings.template, named: json!({ "code": code }), counted }
    }

    fn news(settings: &'s SmsSettings, event: &str) -> Self {
        let counted = vec![event.to_owned()];
        Self { template: &settings.news_template, named: json!({ "event": event }), counted }
    }
}

/// A request that is signed and ready to be sent.
struct Signed {
    /// What follows the address of the API.
    query: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// Sends a one-time code to a number in E.164.
///
/// # Errors
/// When the provider does not take it. What it says may repeat the number, so only its code is told.
pub async fn send_code(
    client: &reqwest::Client,
    settings: &SmsSettings,
    phone: &str,
    code: &str,
    minutes: i64,
) -> Result<(), Unsent> {
    send(client, settings, phone, &Filled::code(settings, code, minutes)).await
}

/// Tells a number in E.164 what happened to an account, in a few words.
///
/// # Errors
/// As [`send_code`].
pub async fn send_news(
    client: &reqwest::Client,
    settings: &SmsSettings,
    phone: &str,
    event: &str,
) -> Result<(), Unsent> {
    send(client, settings, phone, &Filled::news(settings, event)).await
}

async fn send(
    client: &reqwest::Client,
    settings: &SmsSettings,
    phone: &str,
    filled: &Filled<'_>,
) -> Result<(), Unsent> {
    let nonce = random::<16>().map(|bytes| hex(&bytes)).map_err(|_| Unsent("no randomness".to_owned()))?;
    let now = Timestamp::now();
    let host = settings.url.split_once("://").map_or("", |(_, host)| host);
    let signed = match settings.provider {
        Provider::Alibaba => alibaba(settings, host, phone, filled, now, &nonce),
        Provider::Tencent => tencent(settings, host, phone, filled, now),
    };
    let mut request = client.post(format!("{}/{}", settings.url, signed.query)).body(signed.body);
    for (name, value) in signed.headers {
        request = request.header(name, value);
    }
    let unreachable = |_: reqwest::Error| Unsent("the provider of text messages cannot be reached".to_owned());
    let answer = request.send().await.map_err(unreachable)?.json::<Value>().await.map_err(unreachable)?;
    accepted(settings.provider, &answer)
}

/// Whether the provider has taken the message.
fn accepted(provider: Provider, answer: &Value) -> Result<(), Unsent> {
    let (code, good) = match provider {
        Provider::Alibaba => (&answer["Code"], "OK"),
        Provider::Tencent => match &answer["Response"]["Error"]["Code"] {
            Value::Null => (&answer["Response"]["SendStatusSet"][0]["Code"], "Ok"),
            error => (error, "Ok"),
        },
    };
    let code = code.as_str().unwrap_or("no code");
    if code == good { Ok(()) } else { Err(Unsent(format!("the provider of text messages refused with {code}"))) }
}

/// `SendSms` of Alibaba Cloud (version 2017-05-25).
fn alibaba(
    settings: &SmsSettings,
    host: &str,
    phone: &str,
    filled: &Filled<'_>,
    now: Timestamp,
    nonce: &str,
) -> Signed {
    // Numbers of the mainland without their country's code, others with it, none with a plus.
    let number = phone.strip_prefix("+86").unwrap_or_else(|| phone.trim_start_matches('+'));
    let parameters = [
        ("PhoneNumbers", number.to_owned()),
        ("SignName", settings.sign_name.clone()),
        ("TemplateCode", filled.template.to_owned()),
        ("TemplateParam", filled.named.to_string()),
    ];
    let query = parameters.map(|(name, value)| format!("{name}={}", percent_encode(&value))).join("&");
    let date = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let headers =
        acs3(("SendSms", "2017-05-25"), host, &query, (&date, nonce), (&settings.key_id, &settings.key_secret));
    Signed { query: format!("?{query}"), headers, body: String::new() }
}

/// The headers of a request without a body, signed by ACS3-HMAC-SHA256 ("V3 request body and signature mechanism" in
/// Alibaba Cloud's documentation). `query` is in the order of its names.
fn acs3(
    (action, version): (&str, &str),
    host: &str,
    query: &str,
    (date, nonce): (&str, &str),
    (key_id, key_secret): (&str, &str),
) -> Vec<(&'static str, String)> {
    let empty = hex(&sha256(b""));
    let signed: [(&'static str, &str); 6] = [
        ("host", host),
        ("x-acs-action", action),
        ("x-acs-content-sha256", &empty),
        ("x-acs-date", date),
        ("x-acs-signature-nonce", nonce),
        ("x-acs-version", version),
    ];
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = signed.map(|(name, _)| name).join(";");
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{empty}");
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", hex(&sha256(canonical.as_bytes())));
    let signature = hex(&mac(key_secret.as_bytes(), to_sign.as_bytes()));
    let authorization = format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}");
    let mut headers: Vec<_> = signed[1..].iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    headers.push(("authorization", authorization));
    headers
}

/// `SendSms` of Tencent Cloud (version 2021-01-11).
fn tencent(settings: &SmsSettings, host: &str, phone: &str, filled: &Filled<'_>, now: Timestamp) -> Signed {
    let body = json!({
        "PhoneNumberSet": [phone],
        "SmsSdkAppId": settings.app_id,
        "SignName": settings.sign_name,
        "TemplateId": filled.template,
        "TemplateParamSet": filled.counted,
    })
    .to_string();
    let authorization = tc3("sms", host, &body, now, (&settings.key_id, &settings.key_secret));
    let headers = vec![
        ("authorization", authorization),
        ("content-type", TC3_TYPE.to_owned()),
        ("x-tc-action", "SendSms".to_owned()),
        ("x-tc-version", "2021-01-11".to_owned()),
        ("x-tc-timestamp", now.as_second().to_string()),
        ("x-tc-region", "ap-guangzhou".to_owned()),
    ];
    Signed { query: String::new(), headers, body }
}

const TC3_TYPE: &str = "application/json; charset=utf-8";

/// The `Authorization` of a POST with a JSON body, signed by TC3-HMAC-SHA256 ("Signature v3" in Tencent Cloud's
/// documentation).
fn tc3(service: &str, host: &str, body: &str, now: Timestamp, (key_id, key_secret): (&str, &str)) -> String {
    let (seconds, date) = (now.as_second(), now.strftime("%Y-%m-%d").to_string());
    let canonical = format!(
        "POST\n/\n\ncontent-type:{TC3_TYPE}\nhost:{host}\n\ncontent-type;host\n{}",
        hex(&sha256(body.as_bytes()))
    );
    let scope = format!("{date}/{service}/tc3_request");
    let to_sign = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
    let key = [&*date, service, "tc3_request"]
        .iter()
        .fold(format!("TC3{key_secret}").into_bytes(), |key, part| mac(&key, part.as_bytes()).to_vec());
    let signature = hex(&mac(&key, to_sign.as_bytes()));
    format!("TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(provider: Provider) -> SmsSettings {
        SmsSettings {
            provider,
            key_id: "id".into(),
            key_secret: "secret".into(),
            sign_name: "下单".into(),
            template: "SMS_1".into(),
            news_template: "SMS_2".into(),
            app_id: "1400".into(),
            url: provider.url().into(),
        }
    }

    #[test]
    fn alibaba_signs_as_its_documentation_does() {
        let headers = acs3(
            ("RunInstances", "2014-05-26"),
            "ecs.cn-shanghai.aliyuncs.com",
            "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
            ("2023-10-26T10:22:32Z", "3156853299f313e23d1673dc12e1703d"),
            ("YourAccessKeyId", "YourAccessKeySecret"),
        );
        let authorization = headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| &**value);
        assert_eq!(
            authorization,
            Some(
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;\
                x-acs-date;x-acs-signature-nonce;x-acs-version,\
                Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
            )
        );
    }

    #[test]
    fn tencent_signs_as_its_documentation_does() -> Result<(), jiff::Error> {
        let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let keys = ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE");
        let authorization = tc3("cvm", "cvm.tencentcloudapi.com", body, Timestamp::from_second(1_551_113_065)?, keys);
        assert_eq!(
            authorization,
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
            SignedHeaders=content-type;host, \
            Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
        Ok(())
    }

    #[test]
    fn a_number_is_written_as_each_provider_reads_it() {
        let now = Timestamp::UNIX_EPOCH;
        let (at_alibaba, at_tencent) = (settings(Provider::Alibaba), settings(Provider::Tencent));
        let code = Filled::code(&at_alibaba, "123456", 5);
        let query = |phone| alibaba(&at_alibaba, "h", phone, &code, now, "n").query;
        assert!(query("+8613800138000").starts_with("?PhoneNumbers=13800138000&SignName=%E4%B8%8B%E5%8D%95&"));
        assert!(query("+85261234567").starts_with("?PhoneNumbers=85261234567&"));
        assert!(query("+85261234567").ends_with("&TemplateParam=%7B%22code%22%3A%22123456%22%7D"));
        let code = Filled::code(&at_tencent, "123456", 5);
        let body = tencent(&at_tencent, "h", "+8613800138000", &code, now).body;
        assert!(body.contains(r#""PhoneNumberSet":["+8613800138000"]"#) && body.contains(r#"["123456","5"]"#));
    }

    #[test]
    fn news_have_a_template_of_their_own() {
        let (at_alibaba, at_tencent) = (settings(Provider::Alibaba), settings(Provider::Tencent));
        let news = Filled::news(&at_alibaba, "手机号已更改");
        let query = alibaba(&at_alibaba, "h", "+8613800138000", &news, Timestamp::UNIX_EPOCH, "n").query;
        assert!(query.contains("&TemplateCode=SMS_2&TemplateParam=%7B%22event%22%3A%22%E6%89%8B"), "{query}");
        let news = Filled::news(&at_tencent, "手机号已更改");
        let body = tencent(&at_tencent, "h", "+8613800138000", &news, Timestamp::UNIX_EPOCH).body;
        assert!(body.contains(r#""TemplateId":"SMS_2""#) && body.contains(r#"["手机号已更改"]"#), "{body}");
        assert!(
            at_alibaba.tells_news() && !SmsSettings { news_template: String::new(), ..at_alibaba.clone() }.tells_news()
        );
    }

    #[test]
    fn an_answer_says_whether_it_was_taken() {
        let alibaba = |code: &str| accepted(Provider::Alibaba, &json!({ "Code": code, "Message": "13800138000" }));
        assert_eq!(alibaba("OK"), Ok(()));
        let refused = "the provider of text messages refused with isv.BUSINESS_LIMIT_CONTROL";
        assert_eq!(alibaba("isv.BUSINESS_LIMIT_CONTROL"), Err(Unsent(refused.to_owned())));
        let sent = json!({ "Response": { "SendStatusSet": [{ "Code": "Ok" }] } });
        assert_eq!(accepted(Provider::Tencent, &sent), Ok(()));
        let error = json!({ "Response": { "Error": { "Code": "AuthFailure.SignatureFailure", "Message": "" } } });
        assert!(accepted(Provider::Tencent, &error).is_err());
        assert!(accepted(Provider::Tencent, &json!(null)).is_err());
    }
}
