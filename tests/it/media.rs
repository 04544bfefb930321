//! Pictures over HTTP: whole, and in the widths that pages show.

use super::{door::Door, shop::Shop};
use futures::future::join_all;
use reqwest::{Response, header};
use std::{fs, path::Path};

fn header(response: &Response, name: header::HeaderName) -> &str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_loads_a_small_picture_that_is_made_once() {
    let shop = Shop::open(false).await;
    let door = Door::open(&shop.app).await;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/pictures/bentwood-dining-chair.webp");
    let whole = fs::read(demo).unwrap();
    let name = shop.app.media.put(&whole).unwrap().name;
    let file = shop.app.media.path(&name).unwrap();
    let files = || fs::read_dir(file.parent().unwrap()).unwrap().count();

    let path = format!("/media/{name}/400");
    let answers = join_all((0..8).map(|_| door.get(&path))).await;
    let tag = format!("\"{name}-400\"");
    let mut contents = vec![];
    for answer in answers {
        assert_eq!((answer.status().as_u16(), header(&answer, header::CONTENT_TYPE)), (200, "image/webp"));
        assert_eq!(header(&answer, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert!(header(&answer, header::CONTENT_SECURITY_POLICY).ends_with("sandbox"));
        assert_eq!(header(&answer, header::ETAG), tag);
        contents.push(answer.bytes().await.unwrap());
    }
    contents.dedup();
    let [card] = &contents[..] else { panic!("{} different answers", contents.len()) };
    let size = imagesize(card);
    assert_eq!((size, files()), ((400, 400), 2), "one file beside the picture");
    let thumb = door.get(&format!("/media/{name}/200")).await.bytes().await.unwrap();
    eprintln!("whole {} bytes, card {}, thumb {}", whole.len(), card.len(), thumb.len());
    assert!(thumb.len() < card.len() && card.len() < whole.len() * 7 / 10);
    assert_eq!(door.get(&format!("/media/{name}")).await.bytes().await.unwrap(), whole);

    let known =
        door.client.get(format!("{}{path}", door.url)).header(header::IF_NONE_MATCH, &tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    fs::write(file.with_file_name(name.replace(".webp", "-400.webp")), "kept").unwrap();
    assert_eq!(door.get(&path).await.text().await.unwrap(), "kept", "it is not made again");

    let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"900\"></svg>";
    let svg = shop.app.media.put(drawing.as_bytes()).unwrap().name;
    for _ in 0..2 {
        let answer = door.get(&format!("/media/{svg}/200")).await;
        assert_eq!(header(&answer, header::CONTENT_TYPE), "image/svg+xml; charset=utf-8");
        assert_eq!(answer.text().await.unwrap(), drawing);
    }

    // As text it is packed on its way, which a picture that is packed already is not.
    let large = drawing.replace("></svg>", &format!("><desc>{}</desc></svg>", "rect ".repeat(200)));
    let large = shop.app.media.put(large.as_bytes()).unwrap().name;
    for (path, packed) in [(format!("/media/{large}/200"), Some("br")), (format!("/media/{name}"), None)] {
        let asked = door.client.get(format!("{}{path}", door.url)).header(header::ACCEPT_ENCODING, "br");
        let answer = asked.send().await.unwrap();
        let encoding = answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), encoding), (200, packed), "{path}");
    }

    let missing = "0123456789abcdef0123456789abcdef.webp";
    for path in [
        format!("/media/{missing}/400"),
        format!("/media/{name}/401"),
        format!("/media/{name}/0400"),
        format!("/media/{name}/"),
        format!("/media/{name}/x"),
        "/media/..%2Fshop.db/400".into(),
    ] {
        assert_eq!(door.get(&path).await.status(), 404, "{path}");
    }
    let kept = shop.app.media.path(missing).unwrap().with_file_name(missing.replace(".webp", "-400.webp"));
    assert!(!kept.exists(), "nothing is kept for what is not there");
}

/// Width and height of a lossy WebP without extensions.
fn imagesize(file: &[u8]) -> (u16, u16) {
    assert_eq!(&file[12..16], b"VP8 ");
    (u16::from_le_bytes([file[26], file[27]]), u16::from_le_bytes([file[28], file[29]]))
}
