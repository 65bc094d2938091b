//! Recorded reference values, and the stream from which their inputs are drawn.

#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the recorder's numbers, bit for bit")]

/// splitmix64; uniform in [-1, 1), rounded to f32.
pub(crate) struct Stream(pub u64);

impl Stream {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn number(&mut self) -> f32 {
        ((self.word() >> 11) as f64 * 2.0_f64.powi(-53) * 2.0 - 1.0) as f32
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.word() % bound as u64).unwrap()
    }

    /// The same as a number.
    pub(crate) fn index(&mut self, bound: usize) -> f32 {
        self.below(bound) as f32
    }

    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.number()).collect()
    }
}

/// Little-endian doubles, taken one after the other.
pub(crate) struct Golden {
    values: Vec<f64>,
    at: usize,
}

impl Golden {
    pub(crate) fn read(name: &str) -> Self {
        let bytes = std::fs::read(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        Self { values: bytes.chunks_exact(8).map(|chunk| f64::from_le_bytes(chunk.try_into().unwrap())).collect(), at: 0 }
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<f64> {
        self.at += count;
        self.values[self.at - count..self.at].to_vec()
    }

    pub(crate) fn finish(&self) {
        assert_eq!(self.at, self.values.len(), "all that was recorded is compared");
    }
}

/// Distance of two gradients over the length of the second.
pub(crate) fn relative(found: &[f64], expected: &[f64]) -> f64 {
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    length(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / length(&mut expected.iter().copied()).max(1e-12)
}
