//! Enlarging whole pictures, a tile at a time: memory stays bounded, and between two tiles whoever waits may look
//! whether anybody still wants the picture.

use candle_core::Tensor;
use image::{Rgb, RgbImage};

use super::{SCALE, Upscaler};
use crate::error::EngineError;
use crate::picture::to_byte;

/// No enlarged picture has a longer side.
const LONGEST_SIDE: u32 = 8192;

/// A picture that is being enlarged. Dropping it cancels it.
#[derive(Clone, Debug)]
pub struct Upscaling {
    from: RgbImage,
    to: RgbImage,
    /// Doublings after this one.
    further: u32,
    /// Side of a tile in pixels of `from`.
    tile: u32,
    /// The next tile of this doubling, row after row.
    next: u32,
    taken: usize,
    tiles: usize,
}

impl Upscaling {
    /// How many tiles are done.
    pub fn step_index(&self) -> usize {
        self.taken
    }

    /// How many tiles there are.
    pub fn steps(&self) -> usize {
        self.tiles
    }

    pub fn is_done(&self) -> bool {
        self.taken == self.tiles
    }

    /// The enlarged picture.
    ///
    /// # Errors
    /// [`EngineError::Unfinished`] unless all tiles are done.
    pub fn finish(self) -> Result<RgbImage, EngineError> {
        if self.is_done() {
            return Ok(self.to);
        }
        Err(EngineError::Unfinished { taken: self.taken, steps: self.tiles })
    }

    fn new(picture: &RgbImage, factor: u32, tile: u32) -> Result<Upscaling, EngineError> {
        let further = match factor {
            2 => 0,
            4 => 1,
            _ => return Err(EngineError::range(format!("pictures are enlarged 2 or 4 times, not {factor} times"))),
        };
        let (width, height) = picture.dimensions();
        let longest = LONGEST_SIDE / factor;
        if width == 0 || height == 0 || width > longest || height > longest {
            return Err(EngineError::range(format!(
                "a picture to be enlarged {factor} times must have sides between 1 and {longest}, not {width} x {height}"
            )));
        }
        let tiles = |times: u32| ((width << times).div_ceil(tile) * (height << times).div_ceil(tile)) as usize;
        Ok(Upscaling {
            from: picture.clone(),
            to: twice(width, height),
            further,
            tile,
            next: 0,
            taken: 0,
            tiles: (0..=further).map(tiles).sum(),
        })
    }

    /// The next tile: where it begins and its sides.
    fn area(&self) -> Area {
        let across = self.from.width().div_ceil(self.tile);
        let (x, y) = (self.next % across * self.tile, self.next / across * self.tile);
        Area {
            x,
            y,
            width: self.tile.min(self.from.width().saturating_sub(x)),
            height: self.tile.min(self.from.height().saturating_sub(y)),
        }
    }

    /// Takes a tile `area` of which is done.
    fn done(&mut self, area: Area) {
        self.taken += 1;
        self.next += 1;
        let last = area.x + area.width == self.from.width() && area.y + area.height == self.from.height();
        if last && self.further > 0 {
            let (width, height) = self.to.dimensions();
            self.from = std::mem::replace(&mut self.to, twice(width, height));
            self.further -= 1;
            self.next = 0;
        }
    }
}

/// A rectangle of a picture, in pixels.
#[derive(Clone, Copy, Debug)]
struct Area {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Upscaler {
    /// Enlarges a picture 2 or 4 times; 4 times is twice in a row.
    ///
    /// # Errors
    /// Those of [`Upscaler::begin`] and [`Upscaler::step`].
    pub fn upscale(&self, picture: &RgbImage, factor: u32) -> Result<RgbImage, EngineError> {
        let mut upscaling = self.begin(picture, factor)?;
        while !upscaling.is_done() {
            self.step(&mut upscaling)?;
        }
        upscaling.finish()
    }

    /// Begins to enlarge a picture 2 or 4 times.
    ///
    /// # Errors
    /// [`EngineError::OutOfRange`] for other factors, and for pictures that are empty or would get too large.
    pub fn begin(&self, picture: &RgbImage, factor: u32) -> Result<Upscaling, EngineError> {
        Upscaling::new(picture, factor, self.config.tile() as u32)
    }

    /// Enlarges the next tile.
    ///
    /// # Errors
    /// [`EngineError::Finished`] when there is none, or what the device says; then nothing has changed.
    pub fn step(&self, upscaling: &mut Upscaling) -> Result<(), EngineError> {
        if upscaling.is_done() {
            return Err(EngineError::Finished { steps: upscaling.tiles });
        }
        let area = upscaling.area();
        let values = self.enlarged(&upscaling.from, area)?;
        let scale = SCALE as u32;
        let (width, height) = ((scale * area.width) as usize, (scale * area.height) as usize);
        for y in 0..height {
            for x in 0..width {
                let colour = |channel: usize| to_byte(values[(channel * height + y) * width + x].midpoint(1.0));
                let pixel = Rgb([colour(0), colour(1), colour(2)]);
                upscaling.to.put_pixel(scale * area.x + x as u32, scale * area.y + y as u32, pixel);
            }
        }
        upscaling.done(area);
        Ok(())
    }

    /// An area of a picture at twice its sides, `[3, 2 * height, 2 * width]` between about -1 and 1. It does not
    /// depend on which areas a picture is cut into.
    fn enlarged(&self, picture: &RgbImage, area: Area) -> Result<Vec<f32>, EngineError> {
        let reach = self.config.reach() as u32;
        let (left, top) = (area.x.saturating_sub(reach), area.y.saturating_sub(reach));
        let right = (area.x + area.width + reach).min(picture.width());
        let bottom = (area.y + area.height + reach).min(picture.height());
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        let mut values = Vec::with_capacity(3 * width * height);
        for channel in 0..3 {
            for y in top..bottom {
                let row = (left..right).map(|x| f32::from(picture.get_pixel(x, y).0[channel]) / 127.5 - 1.0);
                values.extend(row);
            }
        }
        let whole = self.doubled(&Tensor::from_vec(values, (1, 3, height, width), &candle_core::Device::Cpu)?)?;

        let (inner_width, inner_height) = (SCALE * area.width as usize, SCALE * area.height as usize);
        let (x, y) = (SCALE * (area.x - left) as usize, SCALE * (area.y - top) as usize);
        let (width, height) = (SCALE * width, SCALE * height);
        let mut inner = Vec::with_capacity(3 * inner_width * inner_height);
        for plane in whole.chunks(width * height) {
            for row in plane.chunks(width).skip(y).take(inner_height) {
                inner.extend(&row[x..x + inner_width]);
            }
        }
        Ok(inner)
    }
}

fn twice(width: u32, height: u32) -> RgbImage {
    RgbImage::new(SCALE as u32 * width, SCALE as u32 * height)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use candle_core::Tensor;
    use image::{Rgb, RgbImage};

    use super::{Area, Upscaling};
    use crate::device::Device;
    use crate::pipeline::noise::noise;
    use crate::upscaler::Upscaler;

    fn upscaler() -> Upscaler {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_starter/upscaler");
        Upscaler::load(&dir, &Device::cpu()).expect("the tiny upscaler loads")
    }

    fn picture(width: u32, height: u32) -> RgbImage {
        let values = noise(1, (3 * width * height) as usize);
        let byte = |at: u32| (values[at as usize] * 60.0 + 128.0) as u8;
        RgbImage::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|channel| byte((y * width + x) * 3 + channel))))
    }

    /// To the last bit: a tile sees all that its pixels depend on, and sums it up in the same order.
    #[test]
    fn tiles_are_parts_of_the_whole() {
        let (upscaler, picture) = (upscaler(), picture(70, 45));
        let planes = (0..3).flat_map(|channel| picture.pixels().map(move |pixel| pixel.0[channel]));
        let values: Vec<f32> = planes.map(|byte| f32::from(byte) / 127.5 - 1.0).collect();
        let pictures = Tensor::from_vec(values, (1, 3, 45, 70), &candle_core::Device::Cpu).expect("a picture");
        let whole = upscaler.double(&pictures).expect("it doubles");
        for (x, y, width, height) in [(0, 0, 70, 45), (0, 0, 5, 7), (30, 20, 9, 8), (69, 44, 1, 1), (64, 0, 6, 45)] {
            let tile = upscaler.enlarged(&picture, Area { x, y, width, height }).expect("it doubles");
            let part = whole
                .narrow(2, 2 * y as usize, 2 * height as usize)
                .and_then(|rows| rows.narrow(3, 2 * x as usize, 2 * width as usize)?.flatten_all()?.to_vec1::<f32>());
            assert!(tile == part.expect("a part of the whole"), "{width} x {height} from {x}, {y}");
        }
    }

    #[test]
    fn pictures_do_not_depend_on_their_tiles() {
        let (upscaler, picture) = (upscaler(), picture(41, 26));
        for factor in [2, 4] {
            let whole = upscaler.upscale(&picture, factor).expect("it enlarges");
            for tile in [7, 16, 40] {
                let mut upscaling = Upscaling::new(&picture, factor, tile).expect("it begins");
                while !upscaling.is_done() {
                    upscaler.step(&mut upscaling).expect("it enlarges");
                }
                assert!(upscaling.finish().expect("it is done") == whole, "{factor} times in tiles of {tile}");
            }
        }
    }
}
