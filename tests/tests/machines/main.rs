//! Real builds of real machines under QEMU.

mod boxes;
mod install;
mod provision;
mod safety;
mod trouble;
