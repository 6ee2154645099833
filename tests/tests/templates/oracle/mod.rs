//! Against an independent program: Debian's `packer` 1.6.6, for everything that existed then.
//!
//! Both programs get the same thousands of expressions, template texts, old templates and badly laid
//! out files, the same ones in every run, and the templates of well-known projects. Every difference
//! matches a row of a table that says why, and since which version; a difference without a row
//! fails, and so does a row without a difference. `table` compares and prints the counts.

mod call_grammar;
mod calls;
mod console;
mod expression_grammar;
mod expressions;
mod fixing;
mod functions;
mod inspecting;
mod judging;
mod judging_json;
mod layout;
mod old_options;
mod programs;
mod projects;
mod projects_console;
mod random;
mod rendering;
mod table;
mod written;
