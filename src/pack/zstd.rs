//! Decompresses zstd in bounded memory.

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::PackError;
use crate::limits;

/// The magic number at the start of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Appends the content of the frames to `out`, which must not exceed `most` bytes. There may be skippable frames
/// between them (RFC 8878 §3): podman's zstd:chunked makes a frame of every file and keeps its index in skippable ones.
///
/// A decoder allocates a frame's whole window before it returns a byte, and the frame itself states the size: in its
/// window descriptor or, for a single segment, as its content size. So the window size is limited, and no frame is
/// decoded beyond the remaining limit.
pub(super) fn decompress(frames: &[u8], most: u64, out: &mut Vec<u8>) -> Result<(), PackError> {
    let damaged =
        || PackError::Layer("its zstd frames can't be decoded; they are damaged or need a dictionary".into());
    let (mut rest, mut decoder) = (frames, FrameDecoder::new());
    decoder.set_max_window_size(limits::ZSTD_WINDOW);
    for _ in 0..limits::ZSTD_FRAMES {
        if rest.is_empty() {
            return Ok(());
        }
        match decoder.reset(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                rest = usize::try_from(length).ok().and_then(|n| rest.get(n..)).ok_or_else(damaged)?;
                continue;
            }
            Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                return Err(PackError::TooLarge(format!(
                    "unpacking a zstd frame of it takes {requested} bytes of memory, and the limit is {max}"
                )));
            }
            Err(_) => return Err(damaged()),
        }
        let left = usize::try_from(most.saturating_sub(out.len() as u64)).unwrap_or(usize::MAX);
        let whole =
            decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(left.saturating_add(1)));
        if !whole.map_err(|_| damaged())? || decoder.can_collect() > left {
            return Err(PackError::TooLarge(format!("it unpacks to more than {most} bytes")));
        }
        decoder.collect_to_writer(&mut *out).map_err(|_| damaged())?;
    }
    Err(PackError::TooLarge(format!("it has more than {} zstd frames", limits::ZSTD_FRAMES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 1 << 20;
    /// A frame with two bytes of content, `ab`, and a window of 1 KiB.
    const SMALL: &[u8] = b"\x28\xb5\x2f\xfd\0\0\x11\0\0ab";

    /// A frame with this header, and `blocks` blocks that each decode to 128 KiB of zeros.
    fn frame(header: &[u8], blocks: usize) -> Vec<u8> {
        let mut frame = [&MAGIC, header].concat();
        frame.extend([0x02, 0, 0x10, 0].repeat(blocks.saturating_sub(1)));
        frame.extend([0x03, 0, 0x10, 0]);
        frame
    }

    fn unpacked(frames: &[u8]) -> Result<Vec<u8>, PackError> {
        let mut out = Vec::new();
        decompress(frames, MOST, &mut out).map(|()| out)
    }

    fn code(frames: &[u8]) -> &'static str {
        unpacked(frames).unwrap_err().code().as_str()
    }

    #[test]
    fn frames_and_what_is_skipped_between_them() {
        let skipped = b"\x5f\x2a\x4d\x18\x04\0\0\0note";
        let frames = [SMALL, skipped, SMALL, skipped].concat();
        assert_eq!(unpacked(&frames).unwrap(), b"abab");
        assert_eq!(unpacked(&frame(&[0, 7 << 3], 2)).unwrap(), vec![0; 256 << 10], "a window of 128 KiB");
        assert_eq!(unpacked(&frame(&[0, 15 << 3], 1)).unwrap(), vec![0; 128 << 10], "a window of 32 MiB");
        let mut summed = frame(&[4, 7 << 3], 1);
        summed.extend([0; 4]);
        assert_eq!(unpacked(&[&summed, SMALL].concat()).unwrap().len(), (128 << 10) + 2, "with a checksum");
    }

    #[test]
    fn a_window_beyond_the_limit_in_the_first_frame_or_a_later_one() {
        for window in [15 << 3 | 1, 17 << 3, 20 << 3, 21 << 3 | 7, 30 << 3] {
            for flags in [0, 4] {
                let huge = frame(&[flags, window], 3);
                assert_eq!(code(&huge), "too-large", "{window}");
                assert_eq!(code(&[SMALL, &huge].concat()), "too-large", "{window}");
            }
        }
    }

    #[test]
    fn a_single_segment_whose_content_size_is_beyond_the_limit() {
        let most = (limits::ZSTD_WINDOW + 1).to_le_bytes();
        for header in [
            [&[0xa0], &most[..4]].concat(),
            [&[0xa0], &[255; 4][..]].concat(),
            [&[0xe0], &most[..]].concat(),
            [&[0xe0], &[255; 8][..]].concat(),
            [&[0xe0], &[0, 0, 0, 0, 0, 0, 0, 0x80][..]].concat(),
        ] {
            let huge = frame(&header, 3);
            assert_eq!(code(&huge), "too-large", "{header:?}");
            assert_eq!(code(&[SMALL, &huge].concat()), "too-large", "{header:?}");
        }
        // Sizes of one and two bytes can't be large; more content than stated is refused.
        assert_eq!(code(&frame(&[0x20, 255], 1)), "pack-layer-malformed");
        assert_eq!(code(&frame(&[0x60, 255, 255], 1)), "pack-layer-malformed");
    }

    #[test]
    fn content_beyond_the_bound_in_one_frame_or_in_many() {
        for header in [vec![0, 7 << 3], vec![0, 15 << 3], vec![0xa0, 0, 0, 0, 2]] {
            assert_eq!(code(&frame(&header, 50_000)), "too-large", "{header:?}");
        }
        let block = frame(&[0, 7 << 3], 1);
        assert_eq!(unpacked(&block.repeat(8)).unwrap().len() as u64, MOST);
        assert_eq!(code(&[&block.repeat(8), SMALL].concat()), "too-large");
        assert_eq!(code(&SMALL.repeat(limits::ZSTD_FRAMES + 1)), "too-large");
    }

    #[test]
    fn what_is_cut_short_or_needs_a_dictionary() {
        for cut in 4..SMALL.len() {
            assert_eq!(code(&SMALL[..cut]), "pack-layer-malformed", "{cut}");
        }
        assert_eq!(code(&frame(&[0, 255], 1)), "pack-layer-malformed", "a window of no known size");
        assert_eq!(code(&frame(&[1, 7 << 3, 9], 1)), "pack-layer-malformed");
        assert_eq!(code(&[SMALL, b"\x50\x2a\x4d\x18\x05\0\0\0note"].concat()), "pack-layer-malformed");
        assert_eq!(code(&[SMALL, b"more"].concat()), "pack-layer-malformed");
    }
}
