//! Real builds of real machines under QEMU.

mod install;
mod safety;
mod trouble;
