//! Pictures in the making, on their way from one worker to another.
//!
//! What a picture needs to go on is known to the engine alone. Around it lies what the head can look at: which picture
//! it is, how far it is, and a checksum.

use std::collections::HashSet;

use crate::request::ValidRequest;

/// What this format begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"MSEYEHO\x01";
/// Most steps of one picture.
const MOST_STEPS: u32 = 100_000;
/// Bytes that a picture in the making may take beyond four a pixel.
const SLACK: usize = 64 * 1024;
/// Most bytes in all, whatever a model's card says of its pictures.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Bytes before the first picture: the magic, the checksum, the number of pictures.
const HEAD: usize = 8 + 8 + 4;

/// One picture in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub index: u32,
    /// Steps taken, and steps in all.
    pub step: u32,
    pub steps: u32,
    /// What the engine needs to go on.
    pub state: Vec<u8>,
}

/// Most bytes that the unfinished pictures of a request may take.
pub fn most_bytes(request: &ValidRequest) -> usize {
    let pixels = u64::from(request.width) * u64::from(request.height);
    let picture = usize::try_from(pixels.saturating_mul(4)).unwrap_or(usize::MAX).saturating_add(SLACK);
    picture.saturating_mul(request.count.max(1) as usize).saturating_add(HEAD).min(MOST_BYTES)
}

/// One block of bytes out of pictures in the making.
pub fn pack(pictures: &[Begun]) -> Vec<u8> {
    let mut rest = u32::try_from(pictures.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for Begun { index, step, steps, state } in pictures {
        for number in [index, step, steps] {
            rest.extend(number.to_le_bytes());
        }
        rest.extend((state.len() as u64).to_le_bytes());
        rest.extend(state);
    }
    [&MAGIC[..], &checksum(&rest).to_le_bytes(), &rest].concat()
}

/// The pictures in such a block.
///
/// # Errors
/// With a sentence, when it is damaged, or no state of this request's pictures.
pub fn unpack(bytes: &[u8], request: &ValidRequest) -> Result<Vec<Begun>, String> {
    let mut reader = Reader(bytes);
    if reader.take(MAGIC.len()).map(<[u8]>::to_vec) != Some(MAGIC.to_vec()) {
        return Err("it is not in a known format".into());
    }
    let sum = reader.u64().ok_or_else(cut_off)?;
    if checksum(reader.0) != sum {
        return Err("it is damaged: its checksum differs".into());
    }
    let count = reader.u32().ok_or_else(cut_off)?;
    if count > request.count {
        return Err(format!("{count} pictures, where {} were asked for", request.count));
    }
    let mut seen = HashSet::new();
    let mut pictures = Vec::new();
    for _ in 0..count {
        let mut number = || reader.u32().ok_or_else(cut_off);
        let (index, step, steps) = (number()?, number()?, number()?);
        if index >= request.count || !seen.insert(index) {
            return Err(format!("picture {index} of {}", request.count));
        }
        // One with no step left would be finished, not handed over.
        if step >= steps || steps > MOST_STEPS {
            return Err(format!("step {step} of {steps}"));
        }
        let length = reader.u64().and_then(|length| usize::try_from(length).ok()).ok_or_else(cut_off)?;
        let state = reader.take(length).ok_or_else(cut_off)?.to_vec();
        pictures.push(Begun { index, step, steps, state });
    }
    if reader.0.is_empty() { Ok(pictures) } else { Err("something follows the last picture".into()) }
}

fn cut_off() -> String {
    "it ends too soon".into()
}

/// FNV-1a: enough against accidents, and it is not meant against anything else.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ValidRequest {
        ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: String::new(),
            model: "starter".into(),
            capability: "image.fast".into(),
            count: 3,
            seed: 5,
            width: 64,
            height: 64,
            steps: 12,
            guidance: 3.0,
            source: None,
        }
    }

    fn two() -> Vec<Begun> {
        let begun = |index, step| Begun { index, step, steps: 12, state: vec![7; 40 + index as usize] };
        vec![begun(0, 3), begun(2, 11)]
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        assert_eq!(unpack(&pack(&two()), &request()), Ok(two()));
        assert_eq!(unpack(&pack(&[]), &request()), Ok(Vec::new()));
        let largest = vec![Begun { state: vec![0; 64 * 64 * 4 + SLACK - 20], ..two()[0].clone() }];
        assert!(pack(&largest).len() <= most_bytes(&ValidRequest { count: 1, ..request() }));
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let good = pack(&two());
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(unpack(&bad, &request()).is_err(), "byte {at}");
            assert!(unpack(&good[..at], &request()).is_err(), "{at} bytes");
        }
        assert!(unpack(&[good, vec![0]].concat(), &request()).is_err());
    }

    #[test]
    fn pictures_that_nobody_asked_for_are_refused() {
        let refused = |change: fn(&mut Vec<Begun>)| {
            let mut pictures = two();
            change(&mut pictures);
            unpack(&pack(&pictures), &request()).expect_err("nonsense")
        };
        assert_eq!(refused(|pictures| pictures[0].index = 3), "picture 3 of 3");
        assert_eq!(refused(|pictures| pictures[0].index = 2), "picture 2 of 3");
        assert_eq!(refused(|pictures| pictures[0].step = 13), "step 13 of 12");
        assert_eq!(refused(|pictures| pictures[0].steps = u32::MAX), format!("step 3 of {}", u32::MAX));
        assert!(
            refused(|pictures| pictures.extend([pictures.clone(), pictures.clone()].concat())).contains("6 pictures")
        );
    }
}
