//! The communicator against real servers: OpenSSH's `sshd` on loopback, and for passwords one of
//! our own in this process.

mod commands;
mod connecting;
mod fakes;
mod forwarding;
mod login;
mod support;
mod transfers;
mod trees;
