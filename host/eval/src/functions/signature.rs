//! What a table says of a function.

use crate::evaluate::Place;
use crate::limits::Limits;
use crate::scope::Settings;
use crate::types::Type;
use crate::value::Value;

use super::FunctionError;

/// What a call comes to.
pub(crate) type Outcome = Result<Value, FunctionError>;

/// What a function can ask of the evaluation that calls it.
pub(crate) struct Context<'a> {
    pub settings: &'a Settings,
    pub limits: &'a Limits,
    pub place: Place,
    pub depth: usize,
}

/// A function.
pub(crate) struct Function {
    pub name: &'static str,
    pub parameters: &'static [Parameter],
    /// For all further arguments.
    pub variadic: Option<Parameter>,
    pub result: ResultType,
    pub run: fn(&Context<'_>, Vec<Value>) -> Outcome,
}

/// What is known of a result while an argument is not.
#[derive(Clone, Copy)]
pub(crate) enum ResultType {
    /// Its type, which is always the same.
    Is(Kind),
    /// Its type, which follows from the arguments.
    From(fn(&[Value]) -> Type),
    /// What this says of the arguments, which may be wrong already; and the type that fits all
    /// results.
    Foreseen(Kind, fn(&[Value]) -> Outcome),
}

impl ResultType {
    /// The result that stands for the call until all of `arguments` are known.
    pub(crate) fn before(self, arguments: &[Value]) -> Outcome {
        match self {
            Self::Is(kind) => Ok(Value::unknown(kind.ty())),
            Self::From(result) => Ok(Value::unknown(result(arguments))),
            Self::Foreseen(_, result) => result(arguments),
        }
    }

    /// The type of all results, as far as it is always the same.
    pub(crate) fn in_general(self) -> Type {
        match self {
            Self::Is(kind) | Self::Foreseen(kind, _) => kind.ty(),
            Self::From(result) => result(&[]),
        }
    }
}

/// A type that can stand in a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Bool,
    Number,
    String,
    AnyList,
    BoolList,
    NumberList,
    StringList,
    AnySet,
    StringSet,
}

impl Kind {
    pub(crate) fn ty(self) -> Type {
        match self {
            Self::Any => Type::Dynamic,
            Self::Bool => Type::Bool,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::AnyList => Type::list(Type::Dynamic),
            Self::BoolList => Type::list(Type::Bool),
            Self::NumberList => Type::list(Type::Number),
            Self::StringList => Type::list(Type::String),
            Self::AnySet => Type::set(Type::Dynamic),
            Self::StringSet => Type::set(Type::String),
        }
    }
}

/// Whether a parameter takes null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    Refuse,
    Accept,
}

/// What a parameter does with values that are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknowns {
    /// The call waits until the whole argument is known.
    Wait,
    /// The call waits until the argument is known; its elements may not be.
    WaitForOuter,
    /// The function is called at once.
    Accept,
}

/// Who cares for the mark of sensitive arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    /// A mark anywhere in the argument goes to the whole result.
    Spread,
    /// The function sees the marks and carries them.
    Keep,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub nulls: Nulls,
    pub unknowns: Unknowns,
    pub marks: Marks,
}

impl Parameter {
    /// A parameter that refuses null, waits for the whole argument and spreads marks.
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nulls: Nulls::Refuse,
            unknowns: Unknowns::Wait,
            marks: Marks::Spread,
        }
    }

    pub(crate) const fn or_null(mut self) -> Self {
        self.nulls = Nulls::Accept;
        self
    }

    /// Elements of the argument may be unknown.
    pub(crate) const fn partly_known(mut self) -> Self {
        self.unknowns = Unknowns::WaitForOuter;
        self
    }

    pub(crate) const fn or_unknown(mut self) -> Self {
        self.unknowns = Unknowns::Accept;
        self
    }

    pub(crate) const fn with_marks(mut self) -> Self {
        self.marks = Marks::Keep;
        self
    }
}

impl Function {
    /// A function with a fixed number of parameters.
    pub(crate) const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        result: ResultType,
        run: fn(&Context<'_>, Vec<Value>) -> Outcome,
    ) -> Self {
        Self {
            name,
            parameters,
            variadic: None,
            result,
            run,
        }
    }

    /// The same function with any number of further arguments.
    pub(crate) const fn and_more(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }
}
