//! Pictures of users: any JPEG, PNG or WebP becomes a square JPEG.
//!
//! Invariant: only pixels that were decoded and encoded again are kept, so nothing hidden in the file (locations,
//! camera data, scripts) survives. The format is detected from the bytes of the file. A file that claims to be huge
//! is refused before any of it is decoded, and only one file is decoded at a time, so memory is bounded.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Pixel, RgbImage, Rgba,
    RgbaImage,
};
use tokio::sync::Semaphore;

/// The width and height of the resulting picture, in pixels.
pub const SIDE: u32 = 256;
pub const MOST_BYTES: usize = 60_000;
/// The largest accepted width or height of a file, in pixels.
pub const MOST_SIDE: u32 = 8_192;
/// The largest accepted number of pixels: enough for what telephones produce by default. Such a picture takes up to
/// 50 MB once it is decoded, up to twice as much during decoding, and about a second of a core.
pub const MOST_PIXELS: u64 = 12_500_000;
/// The largest number of bytes that a decoded pixel may take.
const MOST_DEPTH: u64 = 4;
/// The JPEG qualities that are tried in turn until the result is small enough. Only a picture of random noise is
/// still too large at the first quality.
const QUALITIES: [u8; 4] = [85, 70, 50, 25];

static PLACE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// Why a picture is refused. The message completes the sentence "The picture …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AvatarError {
    #[error("must be a JPEG, PNG or WebP picture")]
    NotAPicture,
    #[error("must be at most {MOST_SIDE} pixels wide and high, and have at most {MOST_PIXELS} pixels in all")]
    TooLarge,
    /// The file begins like one of the formats, but can't be read to its end.
    #[error("must be complete and undamaged")]
    Broken,
    /// Too many other pictures are being read.
    #[error("can't be read right now")]
    Busy,
}

/// Refuses a file that is none of the formats, or obviously cut off. That takes next to no time.
pub fn begins_as_one(file: &[u8]) -> Result<(), AvatarError> {
    format_of(file).map(drop)
}

/// The middle of a picture as a JPEG of [`SIDE`] by [`SIDE`] pixels and at most [`MOST_BYTES`] bytes. It is upright and
/// has no metadata; transparent areas become white. An animation becomes its first frame. Refused if none of the
/// `places` is free.
pub async fn square_jpeg(file: Bytes, places: &Semaphore) -> Result<Vec<u8>, AvatarError> {
    let _place_to_wait = places.try_acquire().map_err(|_| AvatarError::Busy)?;
    // The semaphore is never closed.
    let place = PLACE.clone().acquire_owned().await.ok();
    let work = move || {
        let _place = place;
        upright_square(&file).and_then(|square| encoded(&square))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "decoding a picture panicked");
        Err(AvatarError::Broken)
    })
}

fn upright_square(file: &[u8]) -> Result<RgbImage, AvatarError> {
    let (format, file) = format_of(file)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_PIXELS * MOST_DEPTH);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|error| of(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(AvatarError::TooLarge);
    }
    limits.reserve(decoder.total_bytes()).map_err(|error| of(&error))?;
    // If the orientation can't be read, the picture is not turned.
    let orientation = decoder.orientation().ok();
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| of(&error))?;
    let mut square = DynamicImage::ImageRgb8(square(picture));
    if let Some(orientation) = orientation {
        square.apply_orientation(orientation);
    }
    Ok(square.into_rgb8())
}

/// The format of a file, detected from its first bytes, and the part of the file that the decoder is to read.
fn format_of(file: &[u8]) -> Result<(ImageFormat, &[u8]), AvatarError> {
    match image::guess_format(file) {
        Ok(ImageFormat::WebP) => {
            let file = whole_webp(file).ok_or(AvatarError::Broken)?;
            Ok((ImageFormat::WebP, file))
        }
        Ok(ImageFormat::Jpeg) if is_cut_off(file) == Some(true) => Err(AvatarError::Broken),
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => Ok((format, file)),
        _ => Err(AvatarError::NotAPicture),
    }
}

/// Whether the pixel data of a JPEG file has no end marker; the decoder would invent the missing rest. `None` if the
/// file has no pixel data at all.
fn is_cut_off(file: &[u8]) -> Option<bool> {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let mut segment = file.get(2..)?;
    loop {
        let [_, marker, high, low] = *segment.first_chunk()?;
        if marker == START_OF_SCAN {
            return Some(!segment.windows(2).any(|two| two == END_OF_IMAGE));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        segment = segment.get(2 + length..)?;
    }
}

/// The WebP file without trailing bytes; `None` if a chunk claims to end beyond the file, because the decoder would
/// allocate as much as the chunk claims.
fn whole_webp(file: &[u8]) -> Option<&[u8]> {
    let size = |at: usize| {
        let bytes = file.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let end = size(4)?.checked_add(8)?;
    let mut part = 12;
    while part < end {
        let padded = size(part + 4)?.checked_next_multiple_of(2)?;
        part = part.checked_add(8)?.checked_add(padded)?;
    }
    file.get(..end).filter(|_| part == end)
}

fn square(picture: DynamicImage) -> RgbImage {
    if picture.color().has_alpha() {
        let mut picture = picture.into_rgba8();
        on_white(&mut picture);
        DynamicImage::ImageRgba8(middle(&picture)).into_rgb8()
    } else {
        middle(&picture.into_rgb8())
    }
}

/// Puts the picture on a white background. This happens before scaling; otherwise invisible colours of transparent
/// pixels would bleed into the edges.
fn on_white(picture: &mut RgbaImage) {
    for pixel in picture.pixels_mut() {
        let Rgba([red, green, blue, alpha]) = *pixel;
        let alpha = u16::from(alpha);
        let mixed = [red, green, blue].map(|colour| {
            let mixed = (u16::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        });
        let [red, green, blue] = mixed;
        *pixel = Rgba([red, green, blue, u8::MAX]);
    }
}

fn middle<P: Pixel<Subpixel = u8> + 'static>(picture: &ImageBuffer<P, Vec<u8>>) -> ImageBuffer<P, Vec<u8>> {
    let (width, height) = picture.dimensions();
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let square = imageops::crop_imm(picture, left, top, side, side);
    if side <= 2 * SIDE {
        return imageops::resize(&*square, SIDE, SIDE, FilterType::CatmullRom);
    }
    // Averaging areas is cheap, and good enough for all but the last halving.
    let coarse = imageops::thumbnail(&*square, 2 * SIDE, 2 * SIDE);
    imageops::resize(&coarse, SIDE, SIDE, FilterType::CatmullRom)
}

fn encoded(square: &RgbImage) -> Result<Vec<u8>, AvatarError> {
    for quality in QUALITIES {
        let mut jpeg = Vec::with_capacity(MOST_BYTES);
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
        square.write_with_encoder(encoder).map_err(|error| of(&error))?;
        if jpeg.len() <= MOST_BYTES {
            return Ok(jpeg);
        }
    }
    Err(AvatarError::TooLarge)
}

fn of(error: &ImageError) -> AvatarError {
    match error {
        ImageError::Limits(_) => AvatarError::TooLarge,
        _ => AvatarError::Broken,
    }
}

#[cfg(test)]
mod tests;
