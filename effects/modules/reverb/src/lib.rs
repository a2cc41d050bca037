//! A reverberator: diffusers, and a network of sixteen delay lines with a feedback matrix that
//! slowly turns.
//!
//! Everything works on rows: up to [`ROW`] frames of one signal. A row is shorter than every delay, so all
//! that a row needs is there when it begins, and the loops over its frames do not wait for each other.
//!
//! Sources: M. R. Schroeder, "Natural sounding artificial reverberation", 1962 (diffusers);
//! J.-M. Jot and A. Chaigne, "Digital delay networks for designing artificial reverberators", 1991
//! (network, absorption); J. Dattorro, "Effect design, part 1", 1997 (diffusers' lengths and coefficients);
//! S. J. Schlecht and E. A. P. Habets, "Time-varying feedback matrices in feedback delay networks and
//! their application in artificial reverberation", 2015 (the turning matrix).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod absorption;
mod description;
mod diffuser;
mod low_cut;
mod network;
mod ramp;
mod reverb;
mod ring;
mod rotor;

pub use reverb::Reverb;

/// Most frames worked on at once; a multiple of [`TILE`]. 1.3 ms at 48 kHz.
const ROW: usize = 64;

/// Frames in a register.
const TILE: usize = 4;

/// Some frames of one signal.
type Row = [f32; ROW];

/// A row as tiles.
type Tiles = [[f32; TILE]; ROW / TILE];

#[inline]
fn tiles(row: &Row) -> &Tiles {
    let (tiles, _) = row.as_chunks();
    tiles.try_into().expect("a row is made of whole tiles")
}

#[inline]
fn tiles_mut(row: &mut Row) -> &mut Tiles {
    let (tiles, _) = row.as_chunks_mut();
    tiles.try_into().expect("a row is made of whole tiles")
}

wavemill_effect::export_effect!(Reverb);
