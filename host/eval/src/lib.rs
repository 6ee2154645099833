//! Values, types, functions and evaluation of expressions.
//!
//! Here are the [`Value`] of the template language (known, unknown, null; marked sensitive), its
//! [`Type`]s with conversion and unification as cty has them, the functions (one file each family
//! under `functions/`), and [`evaluate`]. Not here: what blocks mean, where variables come from.
//!
//! Start with [`Value`], then [`Scope`] and [`evaluate`].

mod convert;
mod decimal;
mod equality;
mod evaluate;
mod functions;
mod limits;
mod number;
mod print;
mod references;
mod scope;
#[cfg(test)]
mod test_kit;
mod type_expression;
mod types;
mod value;

pub use convert::{ConvertError, ConvertProblem, PathStep, convert, unify};
pub use evaluate::{describe, evaluate, evaluate_within, evaluation_budget, values_in};
pub use functions::{FunctionDoc, FunctionSet, function_names, functions};
pub use print::{console_text, quoted_text};
pub use references::{Reference, references};
pub use scope::{Scope, Settings};
pub use type_expression::parse_type;
pub use types::{ObjectType, Type};
pub use value::{Number, Value, ValueKind};
