//! Pictures as bytes.

use image::RgbImage;

use crate::error::EngineError;

/// Encodes a picture as PNG. A recipe (prompt, seed and settings) goes into a text chunk called
/// `parameters`: Latin-1 when it can be said in Latin-1, UTF-8 otherwise.
///
/// # Errors
/// [`EngineError::Encoding`], for a picture without pixels.
pub fn encode_png(image: &RgbImage, recipe: Option<&str>) -> Result<Vec<u8>, EngineError> {
    let failed = |error: png::EncodingError| EngineError::Encoding(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(recipe) = recipe {
        let keyword = "parameters".to_owned();
        if recipe.chars().all(is_latin1_text) {
            encoder.add_text_chunk(keyword, recipe.to_owned()).map_err(failed)?;
        } else {
            encoder.add_itxt_chunk(keyword, recipe.to_owned()).map_err(failed)?;
        }
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(image.as_raw()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// 0 to 1 becomes 0 to 255, whatever lies outside is cut off.
pub(crate) fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// What a `tEXt` chunk may hold: Latin-1 without control characters other than line feeds.
fn is_latin1_text(c: char) -> bool {
    matches!(u32::from(c), 0x0a | 0x20..=0x7e | 0xa0..=0xff)
}

#[cfg(test)]
mod tests {
    use super::encode_png;

    #[test]
    fn a_png_carries_its_recipe() {
        let mut picture = image::RgbImage::new(3, 2);
        picture.put_pixel(2, 1, image::Rgb([9, 8, 7]));
        for recipe in ["a café at dusk\nSteps: 12", "日の出, 12 шагов", ""] {
            let bytes = encode_png(&picture, Some(recipe)).expect("it encodes");
            let decoded = image::load_from_memory(&bytes).expect("it decodes").to_rgb8();
            assert_eq!(decoded, picture);
            let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().expect("it has a header");
            reader.finish().expect("it ends");
            let info = reader.info();
            let latin = info.uncompressed_latin1_text.iter().map(|chunk| chunk.text.clone());
            let unicode = info.utf8_text.iter().map(|chunk| chunk.get_text().expect("it is text"));
            assert_eq!(latin.chain(unicode).collect::<Vec<_>>(), [recipe]);
        }
    }

    #[test]
    fn a_picture_without_pixels_is_an_error() {
        assert!(encode_png(&image::RgbImage::new(0, 0), None).is_err());
    }
}
