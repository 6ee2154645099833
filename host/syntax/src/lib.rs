//! HCL2 and JSON text to one spanned tree.
//!
//! Here are the tree ([`ast`]), the HCL2 reader ([`parse_hcl`]), the reader of HCL's JSON form
//! ([`parse_hcl_json`]), plain JSON with spans and duplicate keys kept ([`json`]), YAML as
//! the same tree ([`yaml`]), and the view of a body through a schema ([`Body::content`]), which
//! makes both forms look alike; and the reading of files with a limit ([`read_file`]). Not here: values, evaluation, what blocks mean.

pub mod ast;
mod content;
mod hcl;
mod hcl_json;
pub mod json;
mod origin;
mod scanner;
mod source_file;
pub mod yaml;

pub use ast::{Attribute, Block, Body, Expr, ExprKind};
pub use content::{AttributeRule, BlockRule, Content, ContentSchema};
pub use hcl::{parse_expression, parse_hcl, parse_template};
pub use hcl_json::parse_hcl_json;
pub use scanner::{Token, TokenKind, tokens};
pub use source_file::{LARGEST_FILE_BYTES, read_file, read_text};
