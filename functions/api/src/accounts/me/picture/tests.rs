//! Tests of converting and refusing files that users upload as their picture.

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, Luma};
use proptest::prelude::*;

use super::*;

const RED: [u8; 3] = [220, 20, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const HIDDEN: &str = "51.5007N 0.1246W";
const FORMATS: [ImageFormat; 3] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];

/// EXIF metadata that turns a picture by `orientation`, and that contains a location.
fn exif(orientation: u16) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    let length = u32::try_from(HIDDEN.len()).unwrap();
    exif.extend([0x0E, 0x01, 2, 0]);
    exif.extend(length.to_le_bytes());
    exif.extend(38_u32.to_le_bytes());
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0]);
    exif.extend(u32::from(orientation).to_le_bytes());
    exif.extend([0; 4]);
    exif.extend(HIDDEN.bytes());
    exif
}

fn file(format: ImageFormat, picture: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    fn write(mut encoder: impl ImageEncoder, picture: &RgbImage, exif: Option<Vec<u8>>) {
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif).unwrap();
        }
        let (width, height) = picture.dimensions();
        let written = encoder.write_image(picture, width, height, ExtendedColorType::Rgb8);
        written.unwrap();
    }
    let mut bytes = Vec::new();
    match format {
        ImageFormat::Png => write(PngEncoder::new(&mut bytes), picture, exif),
        ImageFormat::WebP => write(WebPEncoder::new_lossless(&mut bytes), picture, exif),
        _ => write(JpegEncoder::new_with_quality(&mut bytes, 90), picture, exif),
    }
    bytes
}

fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| image::Rgb(if x < width / 2 { RED } else { BLUE }))
}

async fn made(file: Vec<u8>) -> Result<RgbImage, AvatarError> {
    let jpeg = square_jpeg(file.into(), &Semaphore::new(1)).await?;
    assert!(jpeg.len() <= MOST_BYTES, "{}", jpeg.len());
    assert_eq!(image::guess_format(&jpeg).unwrap(), ImageFormat::Jpeg);
    let picture = image::load_from_memory(&jpeg).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (SIDE, SIDE));
    Ok(picture)
}

fn looks(picture: &RgbImage, x: u32, y: u32, colour: [u8; 3]) -> bool {
    let near = |(one, other): (&u8, &u8)| one.abs_diff(*other) < 16;
    picture.get_pixel(x, y).0.iter().zip(&colour).all(near)
}

#[tokio::test]
async fn each_format_becomes_a_square_of_its_middle() {
    for format in FORMATS {
        for (width, height) in [(600, 300), (300, 600), (64, 64), (1_500, 1_100), (256, 256)] {
            let square = made(file(format, &halves(width, height), None)).await.unwrap();
            for y in [4, 128, 251] {
                assert!(looks(&square, 4, y, RED), "{format:?} {width} {height}");
                assert!(looks(&square, 251, y, BLUE), "{format:?} {width} {height}");
            }
        }
    }
    let dot = RgbImage::from_pixel(1, 1, image::Rgb(RED));
    let square = made(file(ImageFormat::Png, &dot, None)).await.unwrap();
    assert!(looks(&square, 128, 128, RED));
}

#[tokio::test]
async fn pictures_stand_upright() {
    let at = [(4, 128), (128, 4), (251, 128), (128, 251)];
    for format in FORMATS {
        // `left` is where the left edge of the file ends up in the square.
        for (orientation, left) in [(1, at[0]), (2, at[2]), (3, at[2]), (6, at[1]), (8, at[3])] {
            let turned = file(format, &halves(400, 400), Some(exif(orientation)));
            let square = made(turned).await.unwrap();
            let red = looks(&square, left.0, left.1, RED);
            assert!(red, "{format:?} {orientation}");
        }
    }
}

#[tokio::test]
async fn nothing_that_a_file_hides_goes_on() {
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    for format in FORMATS {
        let mut hiding = file(format, &halves(300, 300), Some(exif(1)));
        assert!(holds(&hiding, HIDDEN));
        let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret-xmp</x:xmpmeta>!";
        match format {
            ImageFormat::Jpeg => {
                let length = u16::try_from(xmp.len() + 2).unwrap().to_be_bytes();
                let segment = [&[0xFF, 0xE1][..], &length, xmp].concat();
                hiding.splice(2..2, segment);
            }
            ImageFormat::Png => hiding.splice(33..33, chunk(*b"tEXt", xmp)).for_each(drop),
            _ => {
                hiding.extend(riff_chunk(*b"XMP ", xmp));
                let riff = u32::try_from(hiding.len() - 8).unwrap().to_le_bytes();
                hiding.splice(4..8, riff);
            }
        }
        hiding.extend(b"<script>secret-tail</script>");
        let jpeg = square_jpeg(hiding.into(), &Semaphore::new(1)).await.unwrap();
        for secret in [HIDDEN, "secret-xmp", "secret-tail", "Exif", "xmpmeta", "ICC_PROFILE"] {
            assert!(!holds(&jpeg, secret), "{format:?} {secret}");
        }
    }
}

#[tokio::test]
async fn what_is_transparent_becomes_white() {
    let clear = RgbaImage::from_fn(300, 300, |x, y| match (x < 150, y < 150) {
        (true, _) => Rgba([220, 20, 20, 0]),
        (_, true) => Rgba([0, 0, 0, 128]),
        _ => Rgba([20, 20, 220, 255]),
    });
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let mut bytes = Cursor::new(Vec::new());
        clear.write_to(&mut bytes, format).unwrap();
        let square = made(bytes.into_inner()).await.unwrap();
        for (x, y, colour) in [(4, 4, [255; 3]), (120, 128, [255; 3]), (251, 4, [127; 3])] {
            assert!(looks(&square, x, y, colour), "{format:?} {x} {y}");
        }
        assert!(looks(&square, 251, 251, BLUE));
    }
}

#[tokio::test]
async fn depths_and_greys_are_taken() {
    let mut grey = Cursor::new(Vec::new());
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(300, 300, Luma([127 * 257]));
    deep.write_to(&mut grey, ImageFormat::Png).unwrap();
    let square = made(grey.into_inner()).await.unwrap();
    assert!(looks(&square, 128, 128, [127; 3]));
}

#[tokio::test]
async fn even_noise_is_small() {
    let mut seed = 1_u32;
    let noise = RgbImage::from_fn(256, 256, |_, _| {
        image::Rgb([(); 3].map(|()| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        }))
    });
    made(file(ImageFormat::Png, &noise, None)).await.unwrap();
}

#[tokio::test]
async fn of_an_animation_the_first_frame_is_kept() {
    let frame = |colour| {
        let frame = RgbImage::from_pixel(64, 64, image::Rgb(colour));
        let webp = file(ImageFormat::WebP, &frame, None);
        let mut anmf = [0, 0, 0, 0, 0, 0, 63, 0, 0, 63, 0, 0, 100, 0, 0, 0].to_vec();
        anmf.extend(&webp[12..]);
        riff_chunk(*b"ANMF", &anmf)
    };
    let parts = [
        riff_chunk(*b"VP8X", &[2, 0, 0, 0, 63, 0, 0, 63, 0, 0]),
        riff_chunk(*b"ANIM", &[0; 6]),
        frame(RED),
        frame(BLUE),
    ];
    let parts = [b"WEBP".to_vec(), parts.concat()].concat();
    let square = made(riff_chunk(*b"RIFF", &parts)).await.unwrap();
    assert!(looks(&square, 128, 128, RED));
}

#[tokio::test]
async fn what_is_no_picture_of_these_is_refused() {
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for other in [
        &gif[..],
        svg,
        b"<!doctype html><title>x</title>",
        b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x18ftypheic",
        b"%PDF-1.7",
        b"",
        b"\xff",
    ] {
        assert_eq!(made(other.to_vec()).await.unwrap_err(), AvatarError::NotAPicture);
    }
}

#[tokio::test]
async fn bombs_are_refused_before_they_go_off() {
    for (width, height) in [(30_000, 30_000), (8_193, 1), (1, 8_193), (8_000, 8_000)] {
        let header: Vec<u8> = [u32::to_be_bytes(width), u32::to_be_bytes(height)].concat();
        let header = [header, vec![8, 2, 0, 0, 0]].concat();
        let png = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(*b"IHDR", &header),
            chunk(*b"IDAT", &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]),
            chunk(*b"IEND", &[]),
        ];
        let refused = made(png.concat()).await.unwrap_err();
        assert_eq!(refused, AvatarError::TooLarge, "{width} × {height}");
    }
    let mut jpeg = file(ImageFormat::Jpeg, &halves(8, 8), None);
    let frame = jpeg.windows(2).position(|it| it == [0xFF, 0xC0]).unwrap();
    jpeg.splice(frame + 5..frame + 9, [0xFF; 4]);
    assert_eq!(made(jpeg).await.unwrap_err(), AvatarError::TooLarge);
    let mut webp = file(ImageFormat::WebP, &halves(8, 8), None);
    webp.splice(21..25, 0x0FFF_BFFE_u32.to_le_bytes());
    assert_eq!(made(webp).await.unwrap_err(), AvatarError::TooLarge);
    // A chunk that claims to be four gigabytes long; the decoder would allocate them.
    let mut webp = file(ImageFormat::WebP, &halves(8, 8), Some(exif(1)));
    let part = webp.windows(4).position(|it| it == b"EXIF").unwrap();
    webp.splice(part + 4..part + 8, [0xF0, 0xFF, 0xFF, 0xFF]);
    assert_eq!(made(webp).await.unwrap_err(), AvatarError::Broken);
}

#[tokio::test]
async fn what_was_cut_off_is_broken() {
    for format in FORMATS {
        let whole = file(format, &halves(200, 200), None);
        for length in [16, whole.len() / 4, whole.len() / 2, whole.len() - 20] {
            let cut = made(whole[..length].to_vec()).await.err();
            assert_eq!(cut, Some(AvatarError::Broken), "{format:?} {length}");
        }
    }
}

#[test]
fn an_error_says_what_would_be_taken() {
    for (error, told) in [
        (AvatarError::NotAPicture, "JPEG, PNG or WebP"),
        (AvatarError::TooLarge, "8192 pixels wide"),
        (AvatarError::Broken, "complete"),
    ] {
        assert!(error.to_string().contains(told), "{error}");
    }
}

fn riff_chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let padding = vec![0; body.len() % 2];
    [&name[..], &length, body, &padding].concat()
}

fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [&name[..], body].concat();
    let crc = named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    });
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], &named, &(!crc).to_be_bytes()].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(
        which in 0..3_usize,
        exif_given: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        tail in prop::collection::vec(any::<u8>(), 0..64),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(FORMATS[which], &halves(40, 30), exif_given.then(|| exif(6)));
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.extend(tail);
        bytes.truncate(cut.index(bytes.len() * 2));
        let _judged = upright_square(&bytes).and_then(|square| encoded(&square));
    }

    #[test]
    fn no_noise_makes_it_panic(noise in prop::collection::vec(any::<u8>(), 0..512), which in 0..4_usize) {
        let starts = [&b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8L"];
        let _judged = upright_square(&[starts[which], &noise].concat());
    }
}
