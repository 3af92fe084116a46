//! Answers proof-of-work challenges of ALTCHA, version 2, with Argon2id. Compiled to a small WebAssembly file of its
//! own, which `worker.js` loads when a challenge comes and never before.
//!
//! The library that the server uses searches in one go. Here one derivation is made at a time, so that a person can
//! see how far it is, and its memory is kept from one to the next.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use wasm_bindgen::prelude::wasm_bindgen;

/// A search for the number whose key begins as the challenge says.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Search {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
    /// The nonce, with room for the number behind it.
    password: Vec<u8>,
    salt: Vec<u8>,
    prefix: Vec<u8>,
    key: Vec<u8>,
    next: u32,
}

#[wasm_bindgen]
impl Search {
    /// Takes a challenge's parameters: `nonce`, `salt` and `keyPrefix` in hexadecimal digits, then `memoryCost`,
    /// `cost`, `parallelism` and `keyLength`.
    ///
    /// # Errors
    /// A sentence for the console when they are not parameters of such a challenge.
    #[wasm_bindgen(constructor)]
    pub fn new(
        nonce: &str,
        salt: &str,
        prefix: &str,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        key_length: usize,
    ) -> Result<Search, String> {
        let params = Params::new(memory_kib, passes, lanes, Some(key_length)).map_err(|error| error.to_string())?;
        let bytes = |name: &str, digits: &str| {
            unhex(digits).ok_or_else(|| format!("the challenge's {name} is not in hexadecimal digits"))
        };
        let mut password = bytes("nonce", nonce)?;
        password.extend_from_slice(&[0; 4]);
        Ok(Self {
            memory: vec![Block::default(); params.block_count()],
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            password,
            salt: bytes("salt", salt)?,
            prefix: bytes("prefix", prefix)?,
            key: vec![0; key_length],
            next: 0,
        })
    }

    /// Tries the next number. True: it was the one.
    ///
    /// # Errors
    /// A sentence for the console when nothing can be derived with these parameters.
    pub fn step(&mut self) -> Result<bool, String> {
        let number = self.password.len() - 4;
        self.password[number..].copy_from_slice(&self.next.to_be_bytes());
        self.argon2
            .hash_password_into_with_memory(&self.password, &self.salt, &mut self.key, &mut self.memory)
            .map_err(|error| error.to_string())?;
        self.next = self.next.wrapping_add(1);
        Ok(self.key.starts_with(&self.prefix))
    }

    /// Numbers that were tried.
    pub fn tried(&self) -> u32 {
        self.next
    }

    /// The key of the last number that was tried, in hexadecimal digits.
    pub fn key(&self) -> String {
        self.key.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use altcha::{CreateChallengeOptions, SolveChallengeOptions, VerifySolutionOptions};

    use super::*;

    #[test]
    fn finds_what_the_server_asks_for() {
        let challenge = altcha::create_challenge(CreateChallengeOptions {
            algorithm: "ARGON2ID".into(),
            cost: 1,
            memory_cost: Some(64),
            parallelism: Some(1),
            counter: Some(7),
            hmac_signature_secret: Some("signs".into()),
            hmac_key_signature_secret: Some("signs keys".into()),
            ..CreateChallengeOptions::default()
        })
        .expect("a challenge");
        let asked = &challenge.parameters;
        let mut search =
            Search::new(&asked.nonce, &asked.salt, &asked.key_prefix, 64, 1, 1, asked.key_length).expect("a search");
        while !search.step().expect("a key") {}
        assert_eq!(search.tried(), 8);
        let theirs = altcha::solve_challenge(SolveChallengeOptions::new(&challenge)).expect("no error").expect("found");
        assert_eq!((theirs.counter, theirs.derived_key), (7, search.key()));
        let ours = altcha::Solution { counter: search.tried() - 1, derived_key: search.key(), time: None };
        let verified = altcha::verify_solution(VerifySolutionOptions {
            hmac_key_signature_secret: Some("signs keys".into()),
            ..VerifySolutionOptions::new(&challenge, &ours, "signs")
        });
        assert!(verified.is_ok_and(|result| result.verified));
    }

    #[test]
    fn what_is_no_challenge_is_refused() {
        let salt = "00".repeat(16);
        for (nonce, prefix, memory) in
            [("0g", "00", 64), ("0", "00", 64), ("é", "00", 64), ("00", "x", 64), ("00", "00", 0)]
        {
            assert!(Search::new(nonce, &salt, prefix, memory, 1, 1, 32).is_err(), "{nonce} {prefix} {memory}");
        }
    }
}
