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
    use super::{noise, step_noise};

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
    }
}
