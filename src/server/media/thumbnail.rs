//! Smaller versions of pictures, made when they are first asked for.
//!
//! One is `<hash>-<width>.webp` beside its picture, and empty where the picture itself serves best: a drawing, a moving
//! picture, one that is small already or cannot be read. They can be deleted at any time.

use super::{Format, Media};
use crate::domain::catalog::Width;
use fast_image_resize::{PixelType, Resizer, images};
use image::{
    DynamicImage, ImageDecoder, Limits,
    codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder},
};
use moxcms::{ColorProfile, Layout, TransformOptions};
use std::{fs, io, io::Cursor, path::Path, sync::Arc, thread};
use tokio::sync::Mutex;

/// Of 100: where small pictures of goods begin to look worse.
const QUALITY: f32 = 65.0;

/// Of 0 to 6: each is made once and sent many times.
const EFFORT: i32 = 6;

/// The largest picture that is read, more than cameras make. A few bytes can claim any size.
const MAX_PIXELS: u64 = 50_000_000;

/// The most memory that reading one takes, in bytes: a largest one with an eight-bit alpha, and some.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// How many are made at once, and which waits for which: all versions of one picture are made in the same lane, so that
/// each is made once however many ask for it.
pub(super) type Lanes = Arc<[Arc<Mutex<()>>]>;

/// Half of the processors stay free for pages, and two of the largest pictures are as much as should be in memory at once.
pub(super) fn lanes() -> Lanes {
    let count = thread::available_parallelism().map_or(1, |all| all.get().div_ceil(2)).min(2);
    (0..count).map(|_| Arc::default()).collect()
}

impl Media {
    /// A picture in a width, as lossy WebP; `None` where the picture itself serves best.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is no such picture; any other when it cannot be read.
    pub async fn thumbnail(&self, name: &str, width: Width) -> io::Result<Option<Vec<u8>>> {
        let picture = self.path(name).ok_or(io::ErrorKind::NotFound)?;
        let hash = name.split('.').next().unwrap_or_default();
        let smaller = picture.with_file_name(format!("{hash}-{}.webp", width.pixels()));
        if let Ok(bytes) = tokio::fs::read(&smaller).await {
            return Ok(useful(bytes));
        }
        let lane = hash.bytes().map(usize::from).sum::<usize>() % self.lanes.len();
        let lane = self.lanes[lane].clone().lock_owned().await;
        let media = self.clone();
        // Who asked may go away; the work goes on and keeps its lane.
        let work = move || {
            let _lane = lane;
            media.make(&picture, &smaller, width)
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }

    fn make(&self, picture: &Path, smaller: &Path, width: Width) -> io::Result<Option<Vec<u8>>> {
        if let Ok(bytes) = fs::read(smaller) {
            return Ok(useful(bytes));
        }
        let made = shrink(&fs::read(picture)?, width).unwrap_or_default();
        if let Err(error) = self.write(smaller, &made) {
            tracing::warn!(%error, file = %smaller.display(), "a smaller picture could not be kept");
        }
        Ok(useful(made))
    }
}

fn useful(bytes: Vec<u8>) -> Option<Vec<u8>> {
    (!bytes.is_empty()).then_some(bytes)
}

/// A picture in a width, as lossy WebP in the colours of the web; `None` where that cannot be made or is no smaller.
fn shrink(bytes: &[u8], width: Width) -> Option<Vec<u8>> {
    let width = u32::try_from(width.pixels()).ok()?;
    let (image, profile) = read(bytes)?;
    if image.width() <= width {
        return None;
    }
    let height = u64::from(image.height()) * u64::from(width);
    let height = u32::try_from((height + u64::from(image.width()) / 2) / u64::from(image.width())).ok()?.max(1);
    let rgba = image.into_rgba8();
    let whole = images::Image::from_vec_u8(rgba.width(), rgba.height(), rgba.into_raw(), PixelType::U8x4).ok()?;
    let mut small = images::Image::new(width, height, PixelType::U8x4);
    Resizer::new().resize(&whole, &mut small, None).ok()?;
    let pixels = profile.and_then(|profile| to_srgb(&profile, small.buffer())).unwrap_or_else(|| small.into_vec());
    let mut config = webp::WebPConfig::new().ok()?;
    config.quality = QUALITY;
    config.method = EFFORT;
    let made = webp::Encoder::from_rgba(&pixels, width, height).encode_advanced(&config).ok()?;
    (made.len() < bytes.len()).then(|| made.to_vec())
}

/// A still picture, upright, and the profile of its colours.
fn read(bytes: &[u8]) -> Option<(DynamicImage, Option<Vec<u8>>)> {
    let file = Cursor::new(bytes);
    match Format::of(bytes)? {
        Format::Jpeg => decode(JpegDecoder::new(file).ok()?),
        Format::Png => {
            let decoder = PngDecoder::with_limits(file, limits()).ok()?;
            (!decoder.is_apng().ok()?).then(|| decode(decoder))?
        }
        Format::WebP => {
            let decoder = WebPDecoder::new(file).ok()?;
            (!decoder.has_animation()).then(|| decode(decoder))?
        }
        Format::Gif | Format::Avif | Format::Svg => None,
    }
}

fn decode(mut decoder: impl ImageDecoder) -> Option<(DynamicImage, Option<Vec<u8>>)> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        return None;
    }
    decoder.set_limits(limits()).ok()?;
    let orientation = decoder.orientation().ok()?;
    let profile = decoder.icc_profile().ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(orientation);
    Some((image, profile))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    limits
}

/// These pixels in the colours of the web; `None` for a profile that is not of red, green and blue.
fn to_srgb(profile: &[u8], rgba: &[u8]) -> Option<Vec<u8>> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let transform = profile
        .create_transform_8bit(Layout::Rgba, &ColorProfile::new_srgb(), Layout::Rgba, TransformOptions::default())
        .ok()?;
    let mut pixels = vec![0; rgba.len()];
    transform.transform(rgba, &mut pixels).ok()?;
    Some(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{
        ColorType, ExtendedColorType, ImageEncoder, ImageFormat, ImageResult, Rgb, RgbImage, Rgba, RgbaImage,
        codecs::jpeg::JpegEncoder,
    };

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    /// A picture with more in it than a flat colour, so that a smaller one takes fewer bytes.
    fn speckled(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let n = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503);
            Rgb([(n >> 3) as u8, (n >> 11) as u8, (n >> 19) as u8])
        })
    }

    fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> ImageResult<Vec<u8>> {
        let mut file = Cursor::new(vec![]);
        image.into().write_to(&mut file, format)?;
        Ok(file.into_inner())
    }

    fn pixels(file: Option<Vec<u8>>) -> Option<RgbaImage> {
        let file = file?;
        assert_eq!(Format::of(&file), Some(Format::WebP));
        Some(read(&file)?.0.into_rgba8())
    }

    #[test]
    fn a_picture_is_as_wide_as_asked_and_never_enlarged() -> Outcome {
        for (format, (width, height), asked, expected) in [
            (ImageFormat::Png, (640, 640), Width::Card, Some((400, 400))),
            (ImageFormat::Png, (640, 640), Width::Thumb, Some((200, 200))),
            (ImageFormat::Jpeg, (601, 300), Width::Card, Some((400, 200))),
            (ImageFormat::WebP, (500, 1000), Width::Thumb, Some((200, 400))),
            (ImageFormat::Png, (900, 1), Width::Thumb, Some((200, 1))),
            (ImageFormat::Png, (401, 10), Width::Card, Some((400, 10))),
            (ImageFormat::Png, (400, 10), Width::Card, None),
            (ImageFormat::Jpeg, (30, 900), Width::Thumb, None),
        ] {
            let made = shrink(&file(speckled(width, height), format)?, asked);
            assert_eq!(pixels(made).map(|image| image.dimensions()), expected, "{format:?} {width}×{height}");
        }
        Ok(())
    }

    #[test]
    fn what_is_transparent_stays_so_and_does_not_shine_through() -> Outcome {
        let half = RgbaImage::from_fn(500, 500, |x, y| {
            let Rgb([grey, ..]) = *speckled(1, 1).get_pixel(0, 0);
            if x < 250 { Rgba([255, 0, 0, 0]) } else { Rgba([grey, grey, (y % 7) as u8, 255]) }
        });
        let made = pixels(shrink(&file(half, ImageFormat::Png)?, Width::Thumb)).ok_or("none made")?;
        assert_eq!((made.get_pixel(20, 100)[3], made.get_pixel(180, 100)[3]), (0, 255));
        let red = made.enumerate_pixels().filter(|(x, _, pixel)| *x > 100 && pixel[0] > 60).count();
        assert_eq!(red, 0, "the hidden red colours the edge");
        Ok(())
    }

    #[test]
    fn a_picture_of_a_phone_stands_upright_in_its_colours() -> Outcome {
        let mut bytes = vec![];
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        // One entry: the orientation, to be turned right by a quarter.
        encoder.set_exif_metadata(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec())?;
        encoder.set_icc_profile(ColorProfile::new_display_p3().encode()?)?;
        let lying = RgbImage::from_pixel(1000, 500, Rgb([200, 100, 50]));
        encoder.write_image(&lying, 1000, 500, ExtendedColorType::Rgb8)?;
        let made = pixels(shrink(&bytes, Width::Thumb)).ok_or("none made")?;
        assert_eq!(made.dimensions(), (200, 400));
        let [red, green, ..] = made.get_pixel(100, 200).0;
        assert!((210..=218).contains(&red) && (92..=100).contains(&green), "{red} {green}");
        Ok(())
    }

    #[test]
    fn what_cannot_be_made_smaller_is_left_as_it_is() -> Outcome {
        let png = file(speckled(640, 640), ImageFormat::Png)?;
        let broken = &png[..png.len() / 2];
        let drawing = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"900\"></svg>";
        for bytes in [&b""[..], b"GIF89a", b"\xff\xd8\xff", drawing, broken] {
            assert_eq!(shrink(bytes, Width::Thumb), None);
        }
        Ok(())
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_read() -> Outcome {
        struct Bomb(u32, u32);
        impl ImageDecoder for Bomb {
            fn dimensions(&self) -> (u32, u32) {
                (self.0, self.1)
            }
            fn color_type(&self) -> ColorType {
                ColorType::L8
            }
            fn read_image(self, _: &mut [u8]) -> ImageResult<()> {
                panic!("it went off")
            }
            fn read_image_boxed(self: Box<Self>, _: &mut [u8]) -> ImageResult<()> {
                panic!("it went off")
            }
        }
        for (width, height) in [(50_000_001, 1), (7100, 7100), (u32::MAX, u32::MAX)] {
            assert!(decode(Bomb(width, height)).is_none());
        }
        let mut jpeg = file(speckled(640, 640), ImageFormat::Jpeg)?;
        let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).ok_or("no frame")?;
        jpeg[frame + 5..frame + 9].fill(0xea);
        assert_eq!(imagesize::blob_size(&jpeg)?.width, 0xeaea);
        assert_eq!(shrink(&jpeg, Width::Thumb), None);
        Ok(())
    }

    #[tokio::test]
    async fn it_is_made_once_and_a_drawing_is_remembered_as_one() -> Outcome {
        let data = tempfile::tempdir()?;
        let media = Media::open(data.path())?;
        let png = media.put(&file(speckled(640, 640), ImageFormat::Png)?)?;
        let made = media.thumbnail(&png.name, Width::Thumb).await?.ok_or("none made")?;
        let beside = media.path(&png.name.replace(".png", ".webp")).ok_or("no path")?;
        let kept = beside.with_file_name(png.name.replace(".png", "-200.webp"));
        assert_eq!(fs::read(&kept)?, made);
        fs::write(&kept, "another")?;
        assert_eq!(media.thumbnail(&png.name, Width::Thumb).await?.as_deref(), Some(&b"another"[..]));
        fs::remove_file(&kept)?;
        assert_eq!(media.thumbnail(&png.name, Width::Thumb).await?, Some(made), "it can be deleted at any time");

        let drawing = media.put(b"<svg width=\"900\" height=\"900\"></svg>")?;
        for _ in 0..2 {
            assert_eq!(media.thumbnail(&drawing.name, Width::Card).await?, None);
        }
        let missing = "0123456789abcdef0123456789abcdef.png";
        for name in [missing, "../xiadan.db"] {
            let error = media.thumbnail(name, Width::Card).await.err().map(|error| error.kind());
            assert_eq!(error, Some(io::ErrorKind::NotFound), "{name}");
        }
        Ok(())
    }
}
