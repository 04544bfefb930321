//! What somebody typed into a form without script, after it was refused.

use crate::account::in_world;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_script_that_is_refused_keeps_the_name_and_tells_it_to_nobody() {
    in_world(async |world| {
        for (function, page, form, typed) in [
            (
                "account/sign_in",
                "sign-in?with=password",
                "name=li.lei%40example.com&password=wrong",
                "li.lei@example.com",
            ),
            ("account/send_code", "sign-in?with=code&to=/cart", "target=13800", "13800"),
            ("office/sign_in", "office/sign-in", "login=lin.of.the.office&password=wrong", "lin.of.the.office"),
        ] {
            let post = async |accept: &str| {
                let request = world.client.post(format!("{}/api/{function}", world.url)).header("accept", accept);
                let request = request.header("referer", format!("{}/{page}", world.url)).header("origin", &world.url);
                request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
            };
            let cookies = |answer: &reqwest::Response| -> Vec<String> {
                let set = answer.headers().get_all("set-cookie").iter();
                set.map(|set| set.to_str().unwrap().to_owned()).filter(|set| set.starts_with("xiadan_typed=")).collect()
            };
            let shown = async |address: &str, cookie: &str| {
                let request = world.client.get(address).header("accept", "text/html").header("cookie", cookie);
                request.send().await.unwrap()
            };
            assert_eq!(cookies(&post("application/json").await), Vec::<String>::new(), "a script has it still");
            let answer = post("text/html").await;
            assert_eq!(answer.status(), 302, "{function}");
            let address = answer.headers()["location"].to_str().unwrap().to_owned();
            assert!(address.contains(page.split('?').next().unwrap()) && !address.contains(typed), "{address}");
            let kept = cookies(&answer);
            assert!(
                kept.len() == 1 && kept[0].contains("Max-Age=300; HttpOnly") && !kept[0].contains(typed),
                "{kept:?}"
            );
            let cookie = kept[0].split(';').next().unwrap();
            let value = format!("value=\"{typed}\"");
            let page = shown(&address, cookie).await;
            assert!(cookies(&page)[0].contains("Max-Age=0"), "it is shown once: {:?}", page.headers());
            assert_eq!(page.headers()["cache-control"], "no-store");
            assert!(page.text().await.unwrap().contains(&value), "{function}");
            for nonsense in ["", "xiadan_typed=x", &cookie[..cookie.len() - 1]] {
                assert!(!shown(&address, nonsense).await.text().await.unwrap().contains(&value), "{nonsense}");
            }
            // What was typed elsewhere is nothing here.
            let other = if function == "account/sign_in" { "sign-in" } else { "sign-in?with=password" };
            let page = shown(&format!("{}/{other}", world.url), cookie).await;
            assert!(!page.text().await.unwrap().contains(&value), "{function}");
        }
    })
    .await;
}
