//! Whole builds: against recorded programs, and against the real ones.

mod host;
mod real;
mod recorded;
