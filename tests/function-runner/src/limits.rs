//! What the platform allows a Function. Shopify's kB is 1,000 bytes.

/// The largest compiled Function, in bytes.
pub const BINARY_BYTES: usize = 256_000;
/// The largest linear memory, in bytes.
pub const MEMORY_BYTES: usize = 10_000_000;
/// The deepest call stack, in bytes.
pub const STACK_BYTES: usize = 512_000;
/// How much of the logs is kept, in bytes: the newest; the rest is cut off.
pub const LOG_BYTES: usize = 1_000;
/// Instructions of one run, before [`Scale`].
pub const INSTRUCTIONS: u64 = 11_000_000;
/// The largest input, in bytes of its JSON, before [`Scale`].
pub const INPUT_BYTES: u64 = 128_000;
/// The largest output, in bytes of its JSON, before [`Scale`].
pub const OUTPUT_BYTES: u64 = 20_000;

/// How much larger the limits on instructions, input and output are for a large cart. Applies to Functions whose
/// input query selects cart lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    thousandths: u64,
}

impl Scale {
    /// The plain limits: for an input query that selects no cart lines.
    pub const ONE: Scale = Scale { thousandths: 1_000 };

    /// The limits for a cart of that many lines: 0.005 × lines, at least 1, at most 10.
    pub const fn lines(lines: usize) -> Scale {
        let thousandths = (lines as u64).saturating_mul(5);
        Scale {
            thousandths: if thousandths < 1_000 {
                1_000
            } else if thousandths > 10_000 {
                10_000
            } else {
                thousandths
            },
        }
    }

    /// A limit under this scale.
    pub const fn of(self, limit: u64) -> u64 {
        limit * self.thousandths / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_grow_from_200_lines_to_2000() {
        for (lines, instructions) in
            [(0, 11_000_000), (200, 11_000_000), (201, 11_055_000), (500, 27_500_000), (9_999, 110_000_000)]
        {
            assert_eq!(Scale::lines(lines).of(INSTRUCTIONS), instructions, "{lines} lines");
        }
        assert_eq!(Scale::ONE.of(OUTPUT_BYTES), OUTPUT_BYTES);
    }
}
