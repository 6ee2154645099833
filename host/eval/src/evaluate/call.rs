//! Function calls.

use host_diag::{Diagnostic, Span, nearest};
use host_syntax::Expr;
use host_syntax::ast::Ident;

use crate::convert::convert;
use crate::functions::{
    self, Blame, Context, Function, FunctionError, FunctionSet, Marks, Nulls, Parameter, Unknowns,
};
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;

/// What is said when it is no single argument's fault.
const FAILED_CALL: &str = "Error in function call";

/// An argument with its place.
struct Argument {
    value: Value,
    span: Span,
}

/// Arguments that fit the parameters.
struct Prepared {
    values: Vec<Value>,
    /// Marks of arguments whose function does not look at marks itself.
    sensitive: bool,
    /// Whether anything at all was sensitive.
    secret: bool,
    /// Whether the function has to wait for a value.
    unknown: bool,
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, name: &Ident, args: &[Expr], expand: bool, span: Span) -> Value {
        if self.scope.functions == FunctionSet::All
            && let Some(value) = self.lazy_call(name, args, expand, span)
        {
            return value;
        }
        let Some(function) = functions::find(&name.name, self.scope.functions) else {
            let problem = self.unknown_function(name);
            // The arguments may have problems of their own.
            args.iter().for_each(|arg| drop(self.expression(arg)));
            return self.fail(problem);
        };
        let before = self.diagnostics.len();
        let Some(arguments) = self.arguments(args, expand) else {
            return Value::dynamic();
        };
        if self.diagnostics.len() > before {
            return Value::dynamic();
        }
        if let Some(problem) = wrong_count(function, arguments.len(), name, span) {
            return self.fail(problem);
        }
        match prepare(function, arguments) {
            Ok(prepared) => self.run(function, prepared, args, name),
            Err(problem) => {
                let problem = self.with_arguments(*problem, args);
                self.fail(problem.hint(usage(function)))
            }
        }
    }

    /// With what the names in the argument to blame come to, or in all of them when none is.
    fn with_arguments(&mut self, problem: Diagnostic, args: &[Expr]) -> Diagnostic {
        let blamed =
            |arg: &&Expr| problem.summary != FAILED_CALL && problem.subject == Some(arg.span);
        let shown: Vec<&Expr> = match args.iter().find(blamed) {
            Some(arg) => vec![arg],
            None => args.iter().collect(),
        };
        let shown = self.shown(&shown);
        problem.values(&shown)
    }

    /// The values of the arguments, the last one spread out when `expand`; `None` when it is not
    /// known into how many, or after an error.
    fn arguments(&mut self, args: &[Expr], expand: bool) -> Option<Vec<Argument>> {
        let mut arguments: Vec<Argument> = args
            .iter()
            .map(|arg| Argument {
                value: self.expression(arg),
                span: arg.span,
            })
            .collect();
        if !expand {
            return Some(arguments);
        }
        let Argument { value, span } = arguments.pop()?;
        let shown = match (&value.kind, args.last()) {
            (ValueKind::Sequence(_) | ValueKind::Unknown, _) | (_, None) => Vec::new(),
            (_, Some(last)) => self.shown(&[last]),
        };
        let problem = |detail: &str| {
            Diagnostic::error("Invalid expanding argument value")
                .detail(detail)
                .at(span)
                .values(&shown)
        };
        if value.is_null() {
            self.fail(problem(
                "The expanding argument (indicated by ...) must not be null.",
            ));
            return None;
        }
        match value.kind {
            ValueKind::Unknown if value.ty == Type::Dynamic || value.ty.is_sequence() => None,
            ValueKind::Sequence(elements) => {
                let sensitive = value.sensitive;
                let spread = elements
                    .into_iter()
                    .map(|element| element.marked_like(sensitive));
                arguments.extend(spread.map(|value| Argument { value, span }));
                Some(arguments)
            }
            _ => {
                self.fail(problem(
                    "The expanding argument (indicated by ...) must be of a tuple, list, or set type.",
                ));
                None
            }
        }
    }

    fn run(
        &mut self,
        function: &Function,
        prepared: Prepared,
        args: &[Expr],
        name: &Ident,
    ) -> Value {
        let Prepared {
            values,
            sensitive,
            secret,
            unknown,
        } = prepared;
        let context = Context {
            settings: &self.scope.settings,
            limits: self.limits,
            place: self.place,
            depth: self.depth,
        };
        let outcome = if unknown {
            function.result.before(&values)
        } else {
            (function.run)(&context, values)
        };
        // What is not known yet may come from anything sensitive.
        let sensitive = sensitive || (unknown && secret);
        match outcome {
            Ok(value) => {
                let value = self.counted(value);
                value.marked_like(sensitive)
            }
            Err(_) if self.limits.is_exhausted() => Value::dynamic(),
            Err(error) => {
                let problem = call_failed(function, &error, args, name, secret);
                let problem = self.with_arguments(problem, args);
                self.fail(problem.hint(usage(function)));
                // Of any type, so that a conditional can leave out the side that fails.
                Value::dynamic().marked_like(sensitive)
            }
        }
    }

    fn unknown_function(&self, name: &Ident) -> Diagnostic {
        let called = &name.name;
        if self.scope.functions == FunctionSet::None {
            return Diagnostic::error("Function calls not allowed")
                .detail("Functions may not be called here.")
                .at(name.span);
        }
        let problem = Diagnostic::error("Call to unknown function").at(name.span);
        if let Some(reason) = functions::why_not_available(called, self.scope.functions) {
            return problem
                .detail(format!("There is no function named \"{called}\" here."))
                .hint(reason);
        }
        let names = functions::names_in(self.scope.functions);
        let close = nearest(called, names);
        problem
            .detail(format!("There is no function named \"{called}\"."))
            .hint(close.map(|name| format!("Did you mean `{name}`?")))
    }
}

fn wrong_count(function: &Function, given: usize, name: &Ident, span: Span) -> Option<Diagnostic> {
    let wanted = function.parameters.len();
    let called = &name.name;
    if given < wanted {
        let missing = function.parameters[given].name;
        let at_least = if function.variadic.is_some() {
            "at least "
        } else {
            ""
        };
        return Some(
            Diagnostic::error("Not enough function arguments")
                .detail(format!(
                    "Function \"{called}\" expects {at_least}{wanted} argument(s). Missing value \
                     for \"{missing}\"."
                ))
                .at(span)
                .hint(usage(function)),
        );
    }
    if given > wanted && function.variadic.is_none() {
        return Some(
            Diagnostic::error("Too many function arguments")
                .detail(format!(
                    "Function \"{called}\" expects only {wanted} argument(s), but {given} are given."
                ))
                .at(span)
                .hint(usage(function)),
        );
    }
    None
}

/// How a function is called.
fn usage(function: &Function) -> String {
    let (name, signature) = (function.name, functions::signature(function));
    format!("It is called as `{signature}`; `help {name}` in `kiln console` says more.")
}

fn prepare(function: &Function, arguments: Vec<Argument>) -> Result<Prepared, Box<Diagnostic>> {
    let mut prepared = Prepared {
        values: Vec::new(),
        sensitive: false,
        secret: false,
        unknown: false,
    };
    for (at, Argument { value, span }) in arguments.into_iter().enumerate() {
        let parameter = function.parameters.get(at).or(function.variadic.as_ref());
        let parameter = parameter.expect("the number of arguments was checked");
        let problem = |what: String| {
            let name = parameter.name;
            let detail = format!("Invalid value for \"{name}\" parameter: {what}.");
            Box::new(
                Diagnostic::error("Invalid function argument")
                    .detail(detail)
                    .at(span),
            )
        };
        prepared.secret |= value.contains_sensitive();
        let value = match parameter.marks {
            Marks::Spread => {
                prepared.sensitive |= value.contains_sensitive();
                value.without_marks()
            }
            Marks::Keep => value,
        };
        if value.is_null() && parameter.nulls == Nulls::Refuse {
            return Err(problem("argument must not be null".to_owned()));
        }
        let value =
            convert(value, &parameter.kind.ty()).map_err(|error| problem(error.to_string()))?;
        prepared.unknown |= waits(parameter, &value);
        prepared.values.push(value);
    }
    Ok(prepared)
}

fn waits(parameter: &Parameter, value: &Value) -> bool {
    match parameter.unknowns {
        Unknowns::Wait => value.contains_unknown(),
        Unknowns::WaitForOuter => value.is_unknown(),
        Unknowns::Accept => false,
    }
}

fn call_failed(
    function: &Function,
    error: &FunctionError,
    args: &[Expr],
    name: &Ident,
    secret: bool,
) -> Diagnostic {
    // A function's message may quote its arguments.
    let message = match secret {
        true => "the reason is not shown, because a sensitive value is involved",
        false => error.message.as_str(),
    };
    let message = message.trim_end_matches('.');
    let place = |at: usize| {
        args.get(at.min(args.len().saturating_sub(1)))
            .map(|arg| arg.span)
    };
    let failed = |span: Span| {
        Diagnostic::error(FAILED_CALL)
            .detail(format!(
                "Call to function \"{}\" failed: {message}.",
                name.name
            ))
            .at(span)
    };
    match error.blame {
        Blame::Argument(at) => {
            let parameter = function.parameters.get(at).or(function.variadic.as_ref());
            let parameter = parameter.map_or("argument", |parameter| parameter.name);
            Diagnostic::error("Invalid function argument")
                .detail(format!(
                    "Invalid value for \"{parameter}\" parameter: {message}."
                ))
                .at(place(at).unwrap_or(name.span))
        }
        Blame::CallAt(at) => failed(place(at).unwrap_or(name.span)),
        Blame::Call => failed(name.span),
    }
}
