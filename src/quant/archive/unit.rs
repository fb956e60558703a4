//! The units that a row is coded in: a block of `TQ1_0` and `TQ2_0`, a group of dense ternary.

use half::f16;

use crate::Error;
use crate::quant::{Format, dense_ternary, tq1_0, tq2_0};

/// The most trits in a unit.
pub const UNIT_LEN: usize = 256;

/// The shape of a unit in a ternary format.
#[derive(Clone, Copy)]
pub(super) struct Units {
    pub(super) format: Format,
    pub(super) cols: usize,
    pub(super) row_bytes: usize,
    /// Trits in a whole unit.
    pub(super) len: usize,
    /// Its bytes.
    bytes: usize,
}

/// One unit, unpacked.
pub(super) struct Unit {
    /// Trits; zeros behind `len`.
    pub(super) codes: [i8; UNIT_LEN],
    pub(super) len: usize,
    /// The scale, if this unit has one: every unit of the block formats, the first of a dense row.
    pub(super) scale: Option<u16>,
    /// Whether packing it again gives the same bytes.
    pub(super) canonical: bool,
}

impl Units {
    pub(super) fn new(format: Format, cols: usize) -> Result<Units, Error> {
        let (len, bytes) = match format {
            Format::Tq1_0 => (tq1_0::BLOCK_LEN, tq1_0::BLOCK_BYTES),
            Format::Tq2_0 => (tq2_0::BLOCK_LEN, tq2_0::BLOCK_BYTES),
            Format::DenseTernary => (dense_ternary::GROUP_LEN, dense_ternary::GROUP_BYTES),
            _ => return Err(Error::Unsupported),
        };
        Ok(Units { format, cols, row_bytes: format.row_bytes(cols)?, len, bytes })
    }

    /// Trits in unit `index` of a row; 0 behind its end.
    pub(super) fn len_of(&self, index: usize) -> usize {
        self.cols.saturating_sub(index.saturating_mul(self.len)).min(self.len)
    }

    /// How many units a row has.
    pub(super) fn count(&self) -> usize {
        if self.format == Format::DenseTernary {
            self.cols.div_ceil(dense_ternary::GROUP_LEN)
        } else {
            self.cols.div_ceil(UNIT_LEN)
        }
    }

    /// Whether unit `index` of a row brings a scale of its own.
    pub(super) fn has_scale(&self, index: usize) -> bool {
        self.format != Format::DenseTernary || index == 0
    }

    /// Unpacks unit `index` of a packed row; `None` behind its end.
    pub(super) fn unpack(&self, row: &[u8], index: usize) -> Option<Unit> {
        let len = self.len_of(index);
        let block = row.get(index.checked_mul(self.bytes)?..)?;
        let mut unit = Unit { codes: [0; UNIT_LEN], len, scale: None, canonical: false };
        let (codes, scale) = (&mut unit.codes, row.last_chunk()?);
        let scale = match self.format {
            Format::Tq1_0 => {
                let block = block.first_chunk::<{ tq1_0::BLOCK_BYTES }>()?;
                tq1_0::unpack(block, codes);
                block.last_chunk()?
            }
            Format::Tq2_0 => {
                let block = block.first_chunk::<{ tq2_0::BLOCK_BYTES }>()?;
                tq2_0::unpack(block, codes);
                block.last_chunk()?
            }
            _ => {
                let codes = codes.get_mut(..len)?;
                dense_ternary::unpack_group(block.get(..len.div_ceil(5))?, codes);
                scale
            }
        };
        let scale = u16::from_le_bytes(*scale);
        unit.scale = self.has_scale(index).then_some(scale);
        codes.get_mut(len..)?.fill(0);
        let mut again = [0u8; tq2_0::BLOCK_BYTES];
        self.pack(codes, len, scale, &mut again);
        let bytes = if self.format == Format::DenseTernary { len.div_ceil(5) } else { self.bytes };
        // Code 3 of TQ2_0 survives packing, but it is no trit.
        unit.canonical = codes.iter().all(|&c| c < 2) && block.get(..bytes)? == again.get(..bytes)?;
        Some(unit)
    }

    /// Packs a unit to the front of `out`; the scale too, where the format keeps it there.
    pub(super) fn pack(&self, codes: &[i8; UNIT_LEN], len: usize, scale: u16, out: &mut [u8]) {
        let scale = f16::from_bits(scale);
        match self.format {
            Format::Tq1_0 => {
                if let Some(out) = out.first_chunk_mut() {
                    tq1_0::pack(codes, scale, out);
                }
            }
            Format::Tq2_0 => {
                if let Some(out) = out.first_chunk_mut() {
                    tq2_0::pack(codes, scale, out);
                }
            }
            _ => {
                let codes = codes.get(..len).unwrap_or_default();
                let out = out.get_mut(..len.div_ceil(5)).unwrap_or_default();
                dense_ternary::pack_group(codes, out);
            }
        }
    }

    /// Packs unit `index` into its place in a packed row.
    pub(super) fn pack_into(&self, row: &mut [u8], index: usize, codes: &[i8; UNIT_LEN], scale: u16) {
        let len = self.len_of(index);
        if let Some(out) = index.checked_mul(self.bytes).and_then(|at| row.get_mut(at..)) {
            self.pack(codes, len, scale, out);
        }
        if self.format == Format::DenseTernary {
            dense_ternary::store_scale(f16::from_bits(scale), row);
        }
    }
}
