//! Profile pictures: every upload is decoded, and stored as a small square JPEG (rule D1).

use image::{ImageFormat, Rgb, RgbImage};
use purser_tests::prelude::*;

const AVATAR: &str = "/v1/me/avatar";

async fn put(caller: &Caller, kind: &str, bytes: Vec<u8>) -> Reply {
    let headers = [("content-type", kind)];
    caller.send("PUT", AVATAR, &headers, Some(bytes)).await
}

fn picture(format: ImageFormat, side: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(side, side / 2, |x, _| Rgb([x.to_le_bytes()[0], 80, 160]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_picture_comes_back_small_and_square() {
    let world = World::new().await;
    let ada = world.person().await.caller;
    let _none = ada.get(AVATAR).await.refused(404, "not_found");
    for (kind, format) in [
        ("image/png", ImageFormat::Png),
        ("image/jpeg", ImageFormat::Jpeg),
        // The bytes decide what a picture is, not the media type that the caller declares.
        ("image/gif", ImageFormat::WebP),
    ] {
        let _kept = put(&ada, kind, picture(format, 900)).await.expect(204);
        let shown = ada.get(AVATAR).await.expect(200);
        assert_eq!(shown.header("content-type"), Some("image/jpeg"));
        let picture = image::load_from_memory(&shown.bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (256, 256));
        assert!(shown.bytes.len() < 60_000);
    }
    // A picture of more than 1 MiB, as phones take them, is accepted.
    let noise = RgbImage::from_fn(1_000, 1_000, |x, y| {
        let n = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503);
        Rgb(n.wrapping_mul(n).to_le_bytes()[1..4].try_into().unwrap())
    });
    let mut large = std::io::Cursor::new(Vec::new());
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut large, 98);
    noise.write_with_encoder(encoder).unwrap();
    let large = large.into_inner();
    assert!((1 << 20..4 << 20).contains(&large.len()), "{}", large.len());
    let _kept = put(&ada, "image/jpeg", large).await.expect(204);
    let bob = world.person().await.caller;
    let _own = bob.get(AVATAR).await.refused(404, "not_found");
    let _removed = ada.delete(AVATAR).await.expect(204);
    let _removed = ada.delete(AVATAR).await.expect(204);
    let _none = ada.get(AVATAR).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_user_uploads_ten_pictures_an_hour_however_bad_they_are() {
    let world = World::at("2026-03-01T10:45:00Z").await;
    let (ada, bob) = (world.person().await.caller, world.person().await.caller);
    let good = picture(ImageFormat::Png, 300);
    let mut bad = good.clone();
    bad[60] ^= 0xFF;
    let uploads = (0..24).map(|n| put(&ada, "image/png", if n % 2 == 0 { bad.clone() } else { good.clone() }));
    let statuses: Vec<u16> = futures_all(uploads).await.iter().map(|it| it.status).collect();
    let refused = statuses.iter().filter(|it| **it == 429).count();
    assert_eq!(refused, 14, "{statuses:?}");
    let over = put(&ada, "image/png", good.clone()).await.refused(429, "too_many_attempts");
    assert_eq!(over.header("retry-after"), Some("900"));
    // What is no picture at all costs nothing, not even a place.
    let _none = put(&ada, "image/png", b"no picture".to_vec()).await.refused(422, "invalid_image");
    let _kept = put(&bob, "image/png", good.clone()).await.expect(204);
    world.system().clock().advance(SignedDuration::from_mins(15));
    let _kept = put(&ada, "image/png", good).await.expect(204);
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_the_old_one_stays() {
    let world = World::new().await;
    let ada = world.person().await.caller;
    let _kept = put(&ada, "image/png", picture(ImageFormat::Png, 300)).await.expect(204);
    let kept = ada.get(AVATAR).await.expect(200).bytes;
    let mut bomb = picture(ImageFormat::Png, 300);
    // Its header claims 30,000 pixels each way.
    bomb.splice(16..24, [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let whole = picture(ImageFormat::Jpeg, 300);
    for (what, bytes) in [
        ("a bomb", bomb),
        ("an SVG", svg.to_vec()),
        ("nothing", Vec::new()),
        ("a part", whole[..whole.len() / 2].to_vec()),
    ] {
        let refused = put(&ada, "image/png", bytes).await;
        assert_eq!((refused.status, refused.text("code")), (422, "invalid_image"), "{what}");
    }
    let json = put(&ada, "application/json", b"{}".to_vec()).await;
    let _json = json.refused(415, "unsupported_media_type");
    let large = put(&ada, "image/png", vec![0; 4 * 1024 * 1024 + 1]).await;
    let _large = large.refused(413, "payload_too_large");
    assert_eq!(ada.get(AVATAR).await.expect(200).bytes, kept);
}
