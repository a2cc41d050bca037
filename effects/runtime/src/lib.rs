//! The sandbox of effect modules. A loaded module is a [`Processor`](wavemill_core::processor::Processor); the contract is
//! `effects/ABI.md`.

pub mod limits;
