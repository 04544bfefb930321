//! How values travel between server and browser.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned, de::Error as _};
use server_fn::{ContentType, Decodes, Encodes, Format, FormatType, codec::Post};

/// What server functions answer with, and those take that a form cannot say.
pub type Json = Post<Text>;

/// JSON that is read as the text it is. The values that a page brings along are read so too: with another way of reading
/// the client would have two readers for each type.
pub struct Text;

impl ContentType for Text {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Text {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Text {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(value).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Text {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let text = std::str::from_utf8(&bytes).map_err(serde_json::Error::custom)?;
        serde_json::from_str(text)
    }
}
