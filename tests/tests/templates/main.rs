//! Templates of well-known projects, which are not part of this repository.

mod corpus;
mod formatting;
mod oracle;
mod planning;
mod upgrading;
