//! The noise a picture begins with, and the noise its steps put in.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `count` standard normal values, in the order of the latents: channels, then rows, then columns.
///
/// The same seed gives the same bits on every machine. The generator is ChaCha with 8 rounds, keyed
/// with the seed's eight bytes, little-endian, and 24 zero bytes. Its 64-bit words become numbers
/// in [-1, 1) (the top 53 bits, times 2⁻⁵², minus 1), two of them a point; points outside of the
/// unit circle, and its centre, are passed over; the others give two normal values each by
/// Marsaglia's polar method, in double precision with a portable logarithm, rounded to single.
pub fn noise(seed: u64, count: usize) -> Vec<f32> {
    draw(seed, 0, count)
}

/// The noise that the step with this index puts in, in the same manner: the generator's stream is
/// the index plus 1, where [`noise`] has stream 0.
pub fn step_noise(seed: u64, index: usize, count: usize) -> Vec<f32> {
    draw(seed, index as u64 + 1, count)
}

/// Another seed, whose noise is mixed into a picture's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variation {
    pub seed: u64,
    /// Between 0, which changes nothing, and 1, which is the other seed's picture.
    pub strength: f32,
}

/// What all noise of one picture is drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds {
    pub(crate) seed: u64,
    pub(crate) variation: Option<Variation>,
}

impl Seeds {
    /// As [`noise`].
    pub(crate) fn noise(self, count: usize) -> Vec<f32> {
        self.mixed(|seed| noise(seed, count))
    }

    /// As [`step_noise`].
    pub(crate) fn step_noise(self, index: usize, count: usize) -> Vec<f32> {
        self.mixed(|seed| step_noise(seed, index, count))
    }

    fn mixed(self, draw: impl Fn(u64) -> Vec<f32>) -> Vec<f32> {
        match self.variation {
            Some(Variation { seed, strength }) if strength > 0.0 && seed != self.seed => {
                let other = draw(seed);
                if strength < 1.0 { between(&draw(self.seed), &other, f64::from(strength)) } else { other }
            }
            _ => draw(self.seed),
        }
    }
}

/// A point on the arc from one list of numbers to another: on a straight line normal noise would lose
/// variance. In double precision with portable functions, as the noise itself.
fn between(from: &[f32], to: &[f32], part: f64) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let angle = libm::acos((dot(from, to) / (dot(from, from) * dot(to, to)).sqrt()).clamp(-1.0, 1.0));
    let sine = libm::sin(angle);
    // Where the two are parallel there is no arc.
    let (keep, take) = if sine > 1e-4 {
        (libm::sin((1.0 - part) * angle) / sine, libm::sin(part * angle) / sine)
    } else {
        (1.0 - part, part)
    };
    from.iter().zip(to).map(|(from, to)| (keep * f64::from(*from) + take * f64::from(*to)) as f32).collect()
}

fn draw(seed: u64, stream: u64, count: usize) -> Vec<f32> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(stream);
    let mut number = || (generator.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let (x, y) = (number(), number());
        let radius = x * x + y * y;
        if radius < 1.0 && radius > 0.0 {
            let scale = (-2.0 * libm::log(radius) / radius).sqrt();
            values.extend([(x * scale) as f32, (y * scale) as f32]);
        }
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::{Seeds, Variation, between, noise, step_noise};

    #[test]
    fn it_is_standard_normal() {
        let values = noise(7, 100_001);
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64;
        let moment =
            |power| values.iter().map(|x| (f64::from(*x) - mean).powi(power)).sum::<f64>() / values.len() as f64;
        assert_eq!(values.len(), 100_001);
        assert!(mean.abs() < 0.015 && (moment(2) - 1.0).abs() < 0.02 && (moment(4) - 3.0).abs() < 0.15);
    }

    #[test]
    fn a_seed_is_a_picture_for_ever() {
        assert_eq!(noise(1, 64)[..7], noise(1, 7));
        assert_ne!(noise(1, 8), noise(2, 8));
        assert_ne!(noise(1, 8), step_noise(1, 0, 8));
        assert_ne!(step_noise(1, 1, 8), step_noise(1, 0, 8));
        let bits: Vec<u32> = noise(42, 4).iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, [3_211_620_911, 3_215_436_392, 3_186_170_186, 3_222_498_460]);
        let variation = Some(Variation { seed: 43, strength: 0.25 });
        let bits: Vec<u32> = Seeds { seed: 42, variation }.noise(4).iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, [3_207_489_834, 3_223_175_244, 3_168_601_027, 3_221_300_814]);
    }

    #[test]
    fn noise_between_two_seeds_is_standard_normal() {
        let seeds = |strength| Seeds { seed: 3, variation: Some(Variation { seed: 4, strength }) };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let ends = [noise(3, 20_000), noise(4, 20_000)];
        for strength in [0.1, 0.5, 0.8] {
            let mixed = seeds(strength).noise(20_000);
            assert!((dot(&mixed, &mixed) / 20_000.0 - 1.0).abs() < 0.03, "{strength}");
            // Two seeds are a right angle apart.
            let angle = f64::from(strength) * std::f64::consts::FRAC_PI_2;
            for (end, cosine) in ends.iter().zip([angle.cos(), angle.sin()]) {
                assert!((dot(&mixed, end) / 20_000.0 - cosine).abs() < 0.03, "{strength}");
            }
        }
        assert_eq!([seeds(0.0).noise(9), seeds(1.0).noise(9)], [noise(3, 9), noise(4, 9)]);
        assert_eq!(
            [seeds(0.0).step_noise(2, 9), seeds(1.0).step_noise(2, 9)],
            [step_noise(3, 2, 9), step_noise(4, 2, 9)]
        );
    }

    #[test]
    fn between_what_is_parallel_lies_no_arc() {
        assert_eq!(between(&[1.0, 2.0], &[2.0, 4.0], 0.5), [1.5, 3.0]);
        assert_eq!(between(&[1.0, 0.0], &[0.0, 1.0], 1.0 / 3.0), [0.75f32.sqrt(), 0.5]);
    }
}
