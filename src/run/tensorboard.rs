//! TensorBoard's event format: length-framed records with masked CRC-32C, each one a protobuf message of two levels.

/// The first record of every event file.
#[must_use]
pub fn header(wall_time: f64) -> Vec<u8> {
    let mut event = Vec::new();
    double(1, wall_time, &mut event);
    bytes(3, b"brain.Event:2", &mut event);
    record(&event)
}

/// One record with some scalars at a step.
#[must_use]
pub fn scalars(wall_time: f64, step: u64, values: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut entry = Vec::new();
        bytes(1, tag.as_bytes(), &mut entry);
        #[expect(clippy::cast_possible_truncation, reason = "the format holds f32")]
        float(2, *value as f32, &mut entry);
        bytes(1, &entry, &mut summary);
    }
    let mut event = Vec::new();
    double(1, wall_time, &mut event);
    key(2, 0, &mut event);
    varint(step, &mut event);
    bytes(5, &summary, &mut event);
    record(&event)
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), data, &masked_crc(data)].concat()
}

/// A CRC that may itself be part of checksummed data: rotated and shifted, as in `TFRecord`.
fn masked_crc(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn key(field: u64, wire_type: u64, into: &mut Vec<u8>) {
    varint(field << 3 | wire_type, into);
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn double(field: u64, value: f64, into: &mut Vec<u8>) {
    key(field, 1, into);
    into.extend(value.to_le_bytes());
}

fn float(field: u64, value: f32, into: &mut Vec<u8>) {
    key(field, 5, into);
    into.extend(value.to_le_bytes());
}

fn bytes(field: u64, value: &[u8], into: &mut Vec<u8>) {
    key(field, 2, into);
    varint(value.len() as u64, into);
    into.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `tensorboard 2.21` (`EventFileWriter`), which also reads ours (`cargo xtask bench --interop`).
    #[test]
    fn a_record_is_byte_for_byte_tensorboards() {
        let expected: &[u8] = &[
            24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 26, 13, b'b', b'r', b'a', b'i', b'n', b'.',
            b'E', b'v', b'e', b'n', b't', b':', b'2',
        ];
        assert_eq!(header(1.0)[..expected.len()], *expected);
        let scalar = scalars(1.0, 300, &[("loss".to_owned(), 0.5)]);
        let body = &scalar[12..scalar.len() - 4];
        assert_eq!(body, [9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 16, 0xac, 2, 42, 13, 10, 11, 10, 4, b'l', b'o', b's', b's', 21, 0, 0, 0, 0x3f]);
    }
}
