//! Lists and tuples. They are one family with one table and share what tells them from sets, which
//! is why this file is longer than most.

use num_traits::Zero;

use crate::convert::unify;
use crate::equality;
use crate::number as arithmetic;
use crate::types::Type;
use crate::value::{Number, Value};

use super::arguments::{number, sequence, whole};
use super::{
    Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, foreseen, text_parts,
};

/// The most elements `range` makes.
const LONGEST_RANGE: usize = 1024;

/// A list, set or tuple whose elements may be unknown and carry their own marks.
const ANY_SEQUENCE: Parameter = Parameter::new("list", Kind::Any)
    .partly_known()
    .with_marks();
const NUMBER: Parameter = Parameter::new("number", Kind::Number);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "chunklist",
        &[
            Parameter::new("list", Kind::AnyList)
                .partly_known()
                .with_marks(),
            Parameter::new("size", Kind::Number),
        ],
        ResultType::From(|args| {
            args.first()
                .map_or(Type::Dynamic, |list| Type::list(list.ty.clone()))
        }),
        chunk_list,
    ),
    Function::new(
        "coalescelist",
        &[],
        ResultType::Is(Kind::Any),
        coalesce_list,
    )
    .and_more(
        Parameter::new("vals", Kind::Any)
            .or_null()
            .or_unknown()
            .with_marks(),
    ),
    Function::new(
        "compact",
        &[Parameter::new("list", Kind::StringList)],
        ResultType::Is(Kind::StringList),
        compact,
    ),
    Function::new(
        "concat",
        &[],
        ResultType::Foreseen(Kind::Any, foreseen::concat),
        concat,
    )
    .and_more(
        Parameter::new("seqs", Kind::Any)
            .partly_known()
            .with_marks(),
    ),
    Function::new(
        "contains",
        &[
            Parameter::new("list", Kind::Any).partly_known(),
            Parameter::new("value", Kind::Any).or_null().or_unknown(),
        ],
        ResultType::Is(Kind::Bool),
        contains,
    ),
    Function::new(
        "distinct",
        &[Parameter::new("list", Kind::AnyList)],
        ResultType::From(first_type),
        distinct,
    ),
    Function::new(
        "element",
        &[ANY_SEQUENCE, Parameter::new("index", Kind::Number)],
        ResultType::Foreseen(Kind::Any, foreseen::element),
        element,
    ),
    Function::new(
        "flatten",
        &[ANY_SEQUENCE],
        ResultType::Foreseen(Kind::Any, foreseen::some_sequence),
        flatten,
    ),
    Function::new(
        "index",
        &[
            Parameter::new("list", Kind::Any).partly_known(),
            Parameter::new("value", Kind::Any).or_unknown(),
        ],
        ResultType::Foreseen(Kind::Number, foreseen::number_of_list),
        index,
    ),
    Function::new(
        "length",
        &[Parameter::new("value", Kind::Any).or_unknown().with_marks()],
        ResultType::Is(Kind::Number),
        length,
    ),
    Function::new("range", &[], ResultType::Is(Kind::NumberList), range).and_more(NUMBER),
    Function::new(
        "reverse",
        &[ANY_SEQUENCE],
        ResultType::Foreseen(Kind::Any, foreseen::reverse),
        reverse,
    ),
    Function::new(
        "slice",
        &[
            ANY_SEQUENCE,
            Parameter::new("start_index", Kind::Number),
            Parameter::new("end_index", Kind::Number),
        ],
        ResultType::Foreseen(Kind::Any, foreseen::slice),
        slice,
    ),
    Function::new(
        "sort",
        &[Parameter::new("list", Kind::StringList)],
        ResultType::Foreseen(Kind::StringList, foreseen::sort),
        sort,
    ),
];

fn first_type(args: &[Value]) -> Type {
    args.first().map_or(Type::Dynamic, |value| value.ty.clone())
}

/// A value of the same kind of type as `like`, with other elements of it.
fn sequence_like(like: &Value, elements: Vec<Value>) -> Value {
    match like.ty.element() {
        Some(element) => Value::list(element.clone(), elements),
        None => Value::tuple(elements),
    }
}

fn require_sequence(args: &[Value], at: usize) -> Result<&[Value], FunctionError> {
    args[at].as_sequence().ok_or_else(|| {
        let have = args[at].ty.friendly_name();
        FunctionError::argument(at, format!("a list or tuple is required, not {have}"))
    })
}

fn chunk_list(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let size = usize::try_from(whole(&args, 1)?)
        .map_err(|_| FunctionError::argument(1, "the size argument must be positive"))?;
    let elements = sequence(&args, 0);
    let of = args[0].ty.element().cloned().unwrap_or(Type::Dynamic);
    let chunk = |elements: &[Value]| Value::list(of.clone(), elements.to_vec());
    let chunks = match size {
        _ if elements.is_empty() => Vec::new(),
        0 => vec![chunk(elements)],
        _ => elements.chunks(size).map(chunk).collect(),
    };
    Ok(Value::list(args[0].ty.clone(), chunks).marked_like(args[0].sensitive))
}

fn coalesce_list(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    if args.is_empty() {
        return Err(FunctionError::new("at least one argument is required"));
    }
    // What is wrong behind the one that is taken is wrong too, up to the first that may be anything.
    for (at, arg) in args.iter().enumerate() {
        if arg.is_unknown() {
            break;
        }
        if !matches!(arg.ty, Type::List(_) | Type::Tuple(_)) {
            let have = arg.ty.friendly_name();
            let message = format!("a list or tuple is required, not {have}");
            return Err(FunctionError::argument(at, message));
        }
    }
    let mut sensitive = false;
    for at in 0..args.len() {
        let arg = &args[at];
        sensitive |= arg.sensitive;
        if arg.is_unknown() {
            let sensitive = sensitive || args[at..].iter().any(Value::contains_sensitive);
            return Ok(Value::dynamic().marked_like(sensitive));
        }
        if arg.as_sequence().is_some_and(|list| !list.is_empty()) {
            return Ok(arg.clone().marked_like(sensitive));
        }
    }
    Err(FunctionError::new("no non-null arguments with elements"))
}

fn compact(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let kept = sequence(&args, 0)
        .iter()
        .filter(|element| element.as_str().is_some_and(|text| !text.is_empty()));
    Ok(Value::list(Type::String, kept.cloned().collect()))
}

fn concat(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    if args.is_empty() {
        return Err(FunctionError::new("at least one argument is required"));
    }
    let sensitive = args.iter().any(|arg| arg.sensitive);
    for (at, arg) in args.iter().enumerate() {
        if !matches!(arg.ty, Type::List(_) | Type::Tuple(_)) {
            let have = arg.ty.friendly_name();
            let message = format!("all arguments must be lists or tuples; got {have}");
            return Err(FunctionError::argument(at, message));
        }
        context
            .limits
            .spend(arg.as_sequence().map_or(0, <[Value]>::len))?;
    }
    let all_lists = args.iter().all(|arg| matches!(arg.ty, Type::List(_)));
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    let elements = args
        .iter()
        .flat_map(|arg| arg.as_sequence().unwrap_or_default().to_vec());
    let elements: Vec<Value> = elements.collect();
    let common = if all_lists { unify(&types) } else { None };
    let result = match common.as_ref().and_then(Type::element) {
        Some(of) => {
            let converted: Result<Vec<Value>, _> = elements
                .into_iter()
                .map(|element| crate::convert(element, of))
                .collect();
            Value::list(of.clone(), converted?)
        }
        None => Value::tuple(elements),
    };
    Ok(result.marked_like(sensitive))
}

fn contains(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = require_sequence(&args, 0)?;
    let mut undecided = false;
    for element in elements {
        match equality::known_equal(element, &args[1]) {
            Some(true) => return Ok(Value::bool(true)),
            Some(false) => {}
            None => undecided = true,
        }
    }
    Ok(if undecided {
        Value::unknown(Type::Bool)
    } else {
        Value::bool(false)
    })
}

fn distinct(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let mut seen: std::collections::BTreeSet<Ordered<'_>> = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for element in sequence(&args, 0) {
        context.limits.spend(1)?;
        if seen.insert(Ordered(element)) {
            kept.push(element.clone());
        }
    }
    Ok(Value {
        ty: args[0].ty.clone(),
        ..Value::list(Type::Dynamic, kept)
    })
}

/// A value in the order of sets.
struct Ordered<'a>(&'a Value);

impl PartialEq for Ordered<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered<'_> {}

impl PartialOrd for Ordered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        equality::set_order(self.0, other.0)
    }
}

fn element(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = require_sequence(&args, 0)?;
    if matches!(args[0].ty, Type::Set(_)) {
        return Err(FunctionError::argument(
            0,
            "cannot read elements from a set by number",
        ));
    }
    let sensitive = args[0].sensitive;
    let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err(FunctionError::call_at(
            0,
            "cannot use element function with an empty list",
        ));
    }
    let at = usize::try_from(whole(&args, 1)?.rem_euclid(length)).unwrap_or(0);
    Ok(elements[at].clone().marked_like(sensitive))
}

fn flatten(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    require_sequence(&args, 0)?;
    let mut flat = Vec::new();
    let mut marks = false;
    let known = flatten_into(&args[0], &mut flat, &mut marks, context)?;
    let result = if known {
        Value::tuple(flat)
    } else {
        Value::dynamic()
    };
    Ok(result.marked_like(marks))
}

/// `false` when it is not known how many elements there are.
fn flatten_into(
    value: &Value,
    flat: &mut Vec<Value>,
    marks: &mut bool,
    context: &Context<'_>,
) -> Result<bool, FunctionError> {
    *marks |= value.sensitive;
    let Some(elements) = value.as_sequence() else {
        return Ok(false);
    };
    for element in elements {
        context.limits.spend(1)?;
        let nests = element.ty.is_sequence() && !element.is_null();
        let open = element.is_unknown() && element.ty == Type::Dynamic;
        if open || (nests && !flatten_into(element, flat, marks, context)?) {
            return Ok(false);
        }
        if !nests {
            flat.push(element.clone());
        }
    }
    Ok(true)
}

fn index(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = require_sequence(&args, 0)?;
    if matches!(args[0].ty, Type::Set(_)) {
        return Err(FunctionError::argument(
            0,
            "argument must be a list or tuple",
        ));
    }
    if elements.is_empty() {
        return Err(FunctionError::new("cannot search an empty list"));
    }
    for (at, element) in elements.iter().enumerate() {
        match equality::known_equal(element, &args[1]) {
            Some(true) => return Ok(Value::number(at as u64)),
            Some(false) => {}
            None => return Ok(Value::unknown(Type::Number)),
        }
    }
    Err(FunctionError::new("item not found"))
}

fn length(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let value = &args[0];
    let count = match &value.ty {
        Type::Tuple(elements) => Some(elements.len()),
        Type::Object(object) => Some(object.attributes.len()),
        Type::List(_) | Type::Set(_) => value.as_sequence().map(<[Value]>::len),
        Type::Map(_) => value.as_mapping().map(std::collections::BTreeMap::len),
        Type::String => value.as_str().map(text_parts::length),
        Type::Dynamic => None,
        other => {
            let have = other.friendly_name();
            let message = format!(
                "the argument must be a string, a collection, a tuple or an object, not {have}"
            );
            return Err(FunctionError::argument(0, message));
        }
    };
    let result = count.map_or(Value::unknown(Type::Number), |count| {
        Value::number(count as u64)
    });
    Ok(result.marked_like(value.sensitive))
}

fn range(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let (zero, one) = (Number::zero(), Number::from(1));
    let (start, end) = match args.len() {
        1 => (zero.clone(), number(&args, 0).clone()),
        2 | 3 => (number(&args, 0).clone(), number(&args, 1).clone()),
        _ => return Err(FunctionError::new("must have one, two, or three arguments")),
    };
    let down = end < start;
    let step = match args.len() {
        3 => number(&args, 2).clone(),
        _ if down => -one,
        _ => one,
    };
    if start == end {
        return Ok(Value::list(Type::Number, Vec::new()));
    }
    if step.is_zero() {
        return Err(FunctionError::argument(2, "step must not be zero"));
    }
    if down != arithmetic::is_negative(&step) {
        let way = if down {
            "less than zero"
        } else {
            "greater than zero"
        };
        return Err(FunctionError::argument(
            2,
            format!("step must be {way} for this range"),
        ));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if numbers.len() >= LONGEST_RANGE {
            return Err(FunctionError::new(format!(
                "more than {LONGEST_RANGE} values were generated; either decrease the difference \
                 between start and end or use a smaller step"
            )));
        }
        numbers.push(Value::number(at.clone()));
        at = arithmetic::add(&at, &step)?;
    }
    Ok(Value::list(Type::Number, numbers))
}

fn reverse(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = require_sequence(&args, 0)?;
    let reversed: Vec<Value> = elements.iter().rev().cloned().collect();
    Ok(sequence_like(&args[0], reversed).marked_like(args[0].sensitive))
}

fn slice(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = require_sequence(&args, 0)?;
    if matches!(args[0].ty, Type::Set(_)) {
        let message = "cannot slice a set, because its elements do not have indices";
        return Err(FunctionError::argument(0, message));
    }
    let bound = |at: usize, what: &str| {
        let index = whole(&args, at)?;
        let inside = usize::try_from(index)
            .ok()
            .filter(|index| *index <= elements.len());
        inside.ok_or_else(|| {
            let message = match index < 0 {
                true => format!("{what} index must not be a negative number"),
                false => format!("{what} index must not be greater than the length of the list"),
            };
            FunctionError::argument(at, message)
        })
    };
    let (start, end) = (bound(1, "start")?, bound(2, "end")?);
    if start > end {
        return Err(FunctionError::argument(
            1,
            "start index must not be greater than end index",
        ));
    }
    Ok(sequence_like(&args[0], elements[start..end].to_vec()).marked_like(args[0].sensitive))
}

fn sort(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let elements = sequence(&args, 0);
    if let Some(at) = elements.iter().position(Value::is_null) {
        return Err(FunctionError::argument(
            0,
            format!("given list element {at} is null; a null string cannot be sorted"),
        ));
    }
    let mut elements = elements.to_vec();
    elements.sort_by(equality::set_order);
    Ok(Value::list(Type::String, elements))
}
